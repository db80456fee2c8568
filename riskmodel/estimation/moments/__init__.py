"""Sufficient statistics for least squares."""
