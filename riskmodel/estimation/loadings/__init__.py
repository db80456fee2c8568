"""Loadings, and the factor returns and residuals that go with them."""
