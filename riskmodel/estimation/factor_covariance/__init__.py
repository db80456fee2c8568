"""Covariance matrices of factors."""
