"""Value at risk and expected shortfall."""
