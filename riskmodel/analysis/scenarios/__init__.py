"""Scenarios: what a portfolio gains or loses where factors or assets move by so much."""
