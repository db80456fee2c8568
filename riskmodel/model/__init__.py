"""Factor models: the values that estimators return."""
