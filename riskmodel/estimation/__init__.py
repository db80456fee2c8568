"""From a panel to a factor model."""
