"""The returns of a portfolio by row, split by factor and by holding."""

from __future__ import annotations

from typing import Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Index
from riskmodel._core.callers import warn
from riskmodel.analysis.holding import Holdings
from riskmodel.errors import MissingDatesWarning
from riskmodel.horizon import require_same
from riskmodel.model.decomposition import IDIO
from riskmodel.panel.memory import ReturnPanel, returns_on
from riskmodel.portfolio.portfolio import Portfolio, require_known, require_portfolio


@final
@frozen(eq=False)
class Sources:
    """Returns of what a portfolio holds, on the rows where all of it has one, per dollar of strategy.

    Attributes
    ----------
    at : array of int, shape (T,)
        The rows of the panel.
    factors : array, shape (T, K + 1)
        By factor, then idio: what the exposures do not explain, alpha included.
    assets : array, shape (T, M)
        By holding.
    factor_names, asset_names : Index
        Labels of the columns.
    """

    at: Index
    factors: Array
    assets: Array
    factor_names: pd.Index
    asset_names: pd.Index

    @classmethod
    def _of(cls, portfolio: Portfolio, factor_returns: Array, residuals: Array) -> Self:
        """Put together the returns of factors, T × K, and the residuals of the M holdings, T × M."""
        held, x = Holdings.of(portfolio), portfolio.exposures
        used = np.asarray(x != 0) | (held.exposures != 0).any(axis=0)
        f = np.where(used, factor_returns, 0.0)
        own = residuals * held.weights
        own[:, held.weights == 0] = 0.0
        by_asset = f @ held.exposures.T + own
        known = np.flatnonzero(~np.isnan(by_asset).any(axis=1))
        require_known(pd.Series(by_asset.sum(axis=1)))
        if len(known) < len(by_asset):
            _warn(len(by_asset) - len(known), len(by_asset))
        by_factor = np.column_stack([f * x.to_numpy(), own.sum(axis=1)])
        names = pd.Index([*x.index, IDIO])
        return cls(known, by_factor[known], by_asset[known], names, held.names)

    @property
    def returns(self) -> Array:
        """Of the portfolio, shape (T,)."""
        return np.asarray(self.assets.sum(axis=1))


def factors_and_residuals(portfolio: Portfolio, panel: ReturnPanel) -> tuple[Array, Array]:
    """Return the factor returns, T × K, and r - B f of the M holdings, T × M; zero for factors held themselves."""
    model = require_portfolio(portfolio, "portfolio").model
    require(panel, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")
    require_same(model.horizon, panel.horizon, "a portfolio's model and the panel")
    held = Holdings.of(portfolio)
    f = returns_on(panel, model.definitions, slice(None))
    names = held.names[held.weights != 0]
    residuals = np.zeros((len(f), len(held.names)))
    columns = np.flatnonzero(held.weights != 0)
    loadings = model._loadings[np.take(held.at, columns)]
    residuals[:, columns] = panel.select(names, []).arrays()[0] - f @ loadings.T
    return f, residuals


def _warn(missing: int, dates: int) -> None:
    warn(
        MissingDatesWarning(
            f"left out {missing} of {dates} dates, on which something held has no return; choose a window or assets "
            "without gaps for all dates.",
            missing=missing,
            dates=dates,
        )
    )
