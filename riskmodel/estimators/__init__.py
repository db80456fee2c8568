"""From a panel of returns to a factor model."""
