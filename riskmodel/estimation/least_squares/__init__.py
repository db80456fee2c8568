"""Time-series regressions."""
