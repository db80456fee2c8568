"""The hedge of least variance under the model."""

from __future__ import annotations

from riskmodel._core.arrays import Array, floats
from riskmodel.portfolio.hedging.instruments import HeldInstruments
from riskmodel.portfolio.portfolio import Portfolio


def least_variance(strategy: Portfolio, held: HeldInstruments) -> Array:
    """Return -Σ_II⁻¹ Σ_Is, shape (M,)."""
    shared = held.loadings @ floats(strategy.model.factor_covariance) @ floats(strategy.exposures)
    return held.solve(-(shared + held.own_covariance_with(strategy.weights)))
