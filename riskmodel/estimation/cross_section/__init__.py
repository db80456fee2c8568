"""Exposures prepared from characteristics, and the cross-sectional regressions of returns on them."""
