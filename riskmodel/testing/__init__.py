"""Contracts: tests for your own providers and estimators to inherit. pytest collects them."""

from riskmodel.testing.estimators import EstimatorContract
from riskmodel.testing.providers import ProviderContract

__all__ = ["EstimatorContract", "ProviderContract"]
