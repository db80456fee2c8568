"""Estimators of factor models."""
