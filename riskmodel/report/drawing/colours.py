"""Colours of figures.

Each has a contrast of 4.5:1 with white text on it, and of 3:1 with a light and with a dark page, so that one drawing
serves both. Text and grid have the colour of the page's text.
"""

from __future__ import annotations

BLUE, ORANGE, TEAL, PURPLE = "#2f75b5", "#b95614", "#0f806b", "#8a5cb3"
COLOURS = (ORANGE, TEAL, PURPLE, "#8f6b00", "#c04479", "#5a6bc4")
GREY = "#707379"
