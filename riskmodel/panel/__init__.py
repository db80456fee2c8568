"""Panels: aligned excess returns, the input of estimators."""
