"""Helpers without any finance."""
