"""Panels whose asset returns are larger than memory."""
