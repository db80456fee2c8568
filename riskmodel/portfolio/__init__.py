"""Strategies, hedges, and how much of them a risk budget allows."""
