"""An estimator on many windows of a panel."""
