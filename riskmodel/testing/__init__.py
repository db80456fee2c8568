"""Contracts: tests that a provider or an estimator of your own inherits. They need pytest alone, to collect them."""

from riskmodel.testing.estimators import EstimatorContract
from riskmodel.testing.providers import ProviderContract

__all__ = ["EstimatorContract", "ProviderContract"]
