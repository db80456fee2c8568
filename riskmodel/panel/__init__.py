"""Aligned excess returns: what estimators read."""
