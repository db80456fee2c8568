"""Weights seen through a model: strategies, hedges, and how much of them to hold."""
