"""The algebra of hedges, behind `HedgedPortfolio`: instruments, exposures, caps, regressions, mimicking portfolios."""
