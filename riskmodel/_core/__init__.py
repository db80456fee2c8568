"""Helpers that know nothing of finance."""
