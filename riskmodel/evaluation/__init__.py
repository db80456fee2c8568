"""Studies of risk models out of sample: forecasts made with what was known, held against what happened."""
