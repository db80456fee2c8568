"""Hedges as a desk trades them: costs, limits, lots, and few instruments."""
