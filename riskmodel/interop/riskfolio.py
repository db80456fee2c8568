"""Factor models of this package in Riskfolio-Lib.

It has no factor form: its optimiser takes the square root of a dense Σ, in O(N³).

Examples
--------
>>> import riskmodel as rm
>>> from riskmodel.interop.riskfolio import portfolio
>>> panel = rm.SampleData().panel(["KO", "XOM", "MSFT"], ["Mkt-RF"])
>>> port = portfolio(rm.EWMA(rm.YEAR).fit(panel), panel)
>>> port.optimization(model="FM", rm="MV", obj="MinRisk", hist=False)["weights"].round(2)
KO      0.70
XOM     0.29
MSFT    0.01
Name: weights, dtype: float64
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel.errors import InvalidParameterError, MissingExtraError, UnknownAssetError
from riskmodel.horizon import require_same
from riskmodel.model.covariance import DENSE_LIMIT
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel

try:
    import riskfolio
except ImportError as error:
    raise MissingExtraError.of("riskmodel.interop.riskfolio", "riskfolio-lib", "riskfolio") from error


def moments(model: FactorModel, limit: int = DENSE_LIMIT) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Expected returns and the dense covariance, in the shapes of ``Portfolio.mu`` and ``Portfolio.cov``.

    Parameters
    ----------
    model : FactorModel
        At the horizon of the rows that Riskfolio-Lib sees.
    limit : int
        The largest N allowed, see `FactorCovariance.to_dense`.

    Returns
    -------
    mu : DataFrame, 1 × assets
        Expected total returns, decimals per horizon.
    cov : DataFrame, assets × assets
        Return² per horizon.

    Raises
    ------
    TooLargeError
        If there are more than `limit` assets.

    Examples
    --------
    >>> import riskmodel as rm
    >>> mu, cov = moments(rm.OLS().fit(rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"])))
    >>> mu.shape, cov.shape
    ((1, 1), (1, 1))
    """
    known = require(model, FactorModel, "model", "an Estimator's fit returns one")
    return known.expected_returns.sum(axis=1).to_frame().T, known.covariance.to_dense(limit)


def loadings(model: FactorModel) -> pd.DataFrame:
    """B with its constant, as ``Portfolio.B`` and ``factors_stats(B=…, const=True)`` take it.

    Parameters
    ----------
    model : FactorModel
        At the horizon of the rows that Riskfolio-Lib sees.

    Returns
    -------
    DataFrame, assets × (``const``, factors)
        ``const`` is α plus the mean of the risk-free rate, decimals per horizon; the others are dimensionless.

    Raises
    ------
    InvalidParameterError
        If a factor is called ``const``.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"]))
    >>> loadings(model)[["Mkt-RF"]].round(2)
         Mkt-RF
    KO     0.52
    XOM    0.84
    """
    known = require(model, FactorModel, "model", "an Estimator's fit returns one")
    table = known.loadings
    if "const" in table.columns:
        raise InvalidParameterError(
            "expected factors of other names than const, which Riskfolio-Lib reads as the constant; rename it.",
            factors=["const"],
        )
    table.insert(0, "const", known.alpha + known.risk_free_mean)
    return table


def portfolio(model: FactorModel, panel: ReturnPanel, limit: int = DENSE_LIMIT) -> Any:
    """A ``riskfolio.Portfolio`` of a model: for ``model="Classic"`` and for ``model="FM"``, with the model's μ and Σ.

    Its returns, of which measures other than the variance are computed, are total returns of the panel for
    ``"Classic"``, and α + B f for ``"FM"``, as Riskfolio-Lib does. Its own ``factors_stats`` would estimate F, means
    and residual variances again, with equal weights; it is not called.

    Parameters
    ----------
    model : FactorModel
        At the panel's horizon.
    panel : ReturnPanel
        The rows. Riskfolio-Lib takes no missing returns.
    limit : int
        The largest N allowed, see `FactorCovariance.to_dense`.

    Returns
    -------
    riskfolio.Portfolio
        With ``mu``, ``cov``, ``B``, ``factors``, ``mu_f``, ``cov_f``, ``mu_fm``, ``cov_fm`` and ``returns_fm`` set.

    Raises
    ------
    HorizonMismatchError
        If the panel is of another horizon.
    UnknownAssetError
        If the panel lacks an asset of the model.
    InvalidParameterError
        For an asset with missing returns.
    TooLargeError
        If there are more than `limit` assets.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> portfolio(rm.OLS().fit(panel), panel).optimization(model="Classic", obj="MinRisk").round(2)
         weights
    KO      0.62
    XOM     0.38
    """
    mu, cov = moments(model, limit)
    rows = require(panel, ReturnPanel, "panel", "rm.SampleData().panel(...) makes one")
    require_same(model.horizon, rows.horizon, "a model and its panel")
    labels.positions(model.assets, rows.assets, "asset", UnknownAssetError)
    excess = rows.excess_returns[list(model.assets)]
    _require_complete(excess)
    table = loadings(model)
    factors = pd.DataFrame(rows.returns_of(model.definitions), rows.dates, model.factors)
    port = riskfolio.Portfolio(returns=excess.add(rows.risk_free, axis=0))
    port.factors, port.B = factors, table
    port.mu = port.mu_fm = mu
    port.cov = port.cov_fm = cov
    port.mu_f, port.cov_f = model.factor_mean.to_frame().T, model.factor_covariance
    port.returns_fm = factors @ table[list(model.factors)].T + table["const"]
    return port


def _require_complete(returns: pd.DataFrame) -> None:
    ragged = list(returns.columns[np.isnan(returns.to_numpy()).any(axis=0)])
    if ragged:
        raise InvalidParameterError(
            f"expected assets without missing returns, got {labels.listing(ragged)} with some; use panel.select(...) "
            "with assets or dates that are complete, or set mu and cov of moments(model) yourself.",
            assets=ragged,
        )
