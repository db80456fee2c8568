"""Covariances of sums over dates: what makes standard errors of influence functions."""
