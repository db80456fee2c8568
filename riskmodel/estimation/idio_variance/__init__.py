"""Variances of what the factors leave."""
