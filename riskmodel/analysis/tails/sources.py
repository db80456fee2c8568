"""The returns of a portfolio by row, split by factor and by holding."""

from __future__ import annotations

from typing import Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Index
from riskmodel._core.callers import warn
from riskmodel._core.listing import Listed
from riskmodel.analysis.holding import Holdings
from riskmodel.analysis.tails.gaps import DRAW_RESIDUALS, Gaps, drawn
from riskmodel.errors import UnknownAssetError
from riskmodel.horizon import require_same
from riskmodel.model.decomposition import IDIO
from riskmodel.panel.memory import ReturnPanel, returns_on
from riskmodel.portfolio.gaps import missing_dates
from riskmodel.portfolio.portfolio import Portfolio, require_known, require_portfolio


@final
@frozen(eq=False)
class Sources(Listed):
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

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> sources = rm.HistoricalSimulation().sources(held, panel)
    >>> sources.factors.shape, sources.factor_names.tolist(), sources.asset_names.tolist()
    ((4760, 2), ['Mkt-RF', 'idio'], ['MSFT', 'JPM'])
    >>> bool(abs(sources.factors.sum(axis=1) - sources.assets.sum(axis=1)).max() < 1e-12)
    True
    """

    at: Index
    factors: Array
    assets: Array
    factor_names: pd.Index
    asset_names: pd.Index

    @classmethod
    def _of(cls, parts: Parts) -> Self:
        """Weight factor returns and residuals by the holdings."""
        held, x = parts.holdings, parts.holdings.exposures.sum(axis=0)
        f = np.where((held.exposures != 0).any(axis=0), parts.factors, 0.0)
        own = parts.residuals * held.weights
        own[:, held.weights == 0] = 0.0
        by_asset = f @ held.exposures.T + own
        known = np.flatnonzero(~np.isnan(by_asset).any(axis=1))
        require_known(pd.Series(by_asset.sum(axis=1)))
        if len(known) < len(by_asset):
            warn(missing_dates(np.asarray(~np.isnan(by_asset).any(axis=1)), by_asset, held.names, parts.dates))
        by_factor = np.column_stack([f * x, own.sum(axis=1)])
        names = pd.Index([*parts.factor_names, IDIO])
        return cls(known, by_factor[known], by_asset[known], names, held.names)

    @property
    def returns(self) -> Array:
        """Of the portfolio, shape (T,)."""
        return np.asarray(self.assets.sum(axis=1))


@final
@frozen(eq=False)
class Parts:
    """Returns of factors, T × K, and r - B f of the M holdings, T × M: zero for factors that are held themselves."""

    holdings: Holdings
    factor_names: pd.Index
    alpha: Array
    factors: Array
    residuals: Array
    dates: pd.DatetimeIndex

    @classmethod
    def of(cls, portfolio: Portfolio, panel: ReturnPanel, gaps: Gaps) -> Self:
        """Read the returns of what a portfolio holds."""
        model = require_portfolio(portfolio, "portfolio").model
        require(panel, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")
        require_same(model.horizon, panel.horizon, "a portfolio's model and the panel")
        held = Holdings.of(portfolio)
        columns = np.flatnonzero(held.weights != 0)
        at = labels.positions(held.names[columns], panel.assets, "asset", UnknownAssetError)
        rows = np.take(held.at, columns)
        f = returns_on(panel, model.definitions, slice(None))
        residuals, alpha = np.zeros((len(f), len(held.names))), np.zeros(len(held.names))
        own = panel.arrays()[0][:, at] - f @ model._loadings[rows].T
        if gaps is DRAW_RESIDUALS:
            own = drawn(own, model._alpha[rows], model._idio_variance[rows])
        residuals[:, columns] = own
        alpha[columns] = model._alpha[rows]
        return cls(held, model.factors, alpha, f, residuals, panel.dates)
