"""How sure: standard errors and intervals of every figure."""
