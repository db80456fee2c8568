"""Figures as SVG, drawn without a plotting library: colours, axes, marks, and the figure that holds them."""
