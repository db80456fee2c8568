"""Estimation on many windows of a panel."""
