"""A panel whose returns lie on a cluster: workers reduce them to moments, and only those travel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.dates import read_dates
from riskmodel.data.memory import InMemory
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.base import MomentEstimator as Estimator
from riskmodel.estimation.base import checked_estimate
from riskmodel.estimation.moments.value import Moments
from riskmodel.horizon import Horizon
from riskmodel.model.model import FactorModel
from riskmodel.panel.dask.rows import Rows
from riskmodel.panel.dask.source import RETURNS, ArraySource, FrameSource, Source, require_array, require_frame


@final
@frozen(eq=False, repr=False)
class DaskPanel:
    """Returns on Dask workers, beside factors and a risk-free rate in memory, which are small.

    Made by `from_array` or `from_frame`, which ask what `InMemory` asks. Nothing is computed until `moments`, `fit` or
    `dropped` is asked for. Then each chunk is checked, aligned and reduced to `Moments` where it lies; those of
    different dates are merged in a tree, on the workers; those of different assets are put beside each other here. The
    model is that of the same returns in memory, to rounding. What is refused in memory is refused here, with the same
    errors, for which a few columns are fetched; that is told once all has been read.

    Whatever runs Dask runs this: threads, processes, or the cluster of the ``distributed.Client`` made last, whose
    workers need riskmodel installed. A worker that is lost is Dask's to replace.

    Attributes
    ----------
    assets : pandas.Index
        N labels.
    horizon : Horizon
        What one row spans.

    Examples
    --------
    >>> import dask.array as da, numpy as np, pandas as pd, riskmodel as rm
    >>> from riskmodel.panel.dask import DaskPanel
    >>> days, rng = pd.bdate_range("2014-01-01", periods=1_000), np.random.default_rng(0)
    >>> market = pd.Series(rng.normal(3e-4, 0.01, 1_000), days, name="Mkt-RF")
    >>> noise = da.from_array(rng.normal(0.0, 0.01, (1_000, 3)), chunks=(250, 2))
    >>> returns = noise + market.to_numpy()[:, None] * np.array([0.5, 1.0, 1.5])
    >>> panel = DaskPanel.from_array(
    ...     returns, dates=days, assets=["A", "B", "C"], factors=market, risk_free=0.0, horizon=rm.DAY)
    >>> panel
    <DaskPanel 3 assets, 1,000 rows in 4 × 2 chunks, per day>
    >>> panel.fit(rm.OLS()).loadings.round(1)
       Mkt-RF
    A     0.5
    B     1.0
    C     1.5
    """

    _returns: Source
    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    _factors: Any
    _risk_free: Any
    horizon: Horizon
    _funded: Any

    @classmethod
    def from_array(
        cls,
        returns: Any,
        *,
        dates: Any,
        assets: Any,
        factors: pd.DataFrame | pd.Series[float] | None,
        risk_free: pd.Series[float] | float,
        horizon: Horizon,
        funded: Sequence[Any] | None = None,
    ) -> Self:
        """Take a Dask array, chunked by date, by asset, or both.

        Parameters
        ----------
        returns : dask.array.Array, shape (T, N)
            Total simple returns, decimals per `horizon`; NaN where missing.
        dates : DatetimeIndex, or another index that `InMemory` takes, length T
            The date of each row, in any order.
        assets : sequence of labels, length N
            The label of each column.
        factors, risk_free, horizon, funded
            As in `InMemory`: of pandas, not of Dask.

        Raises
        ------
        MissingExtraError
            If Dask is not installed.
        InvalidParameterError
            If something else came than a Dask array, or one whose shape does not fit the labels.
        NonNumericError
            If it holds no numbers.
        UnknownFactorError, DataError
            As `InMemory`, for what cannot be used among dates, factors and rates.
        """
        index, names = pd.Index(labels.require_list(dates, "dates")), labels.asset_labels(assets)
        require_array(returns, (len(index), len(names)))
        panel = cls(ArraySource(returns, index), names, _copy(factors), _copy(risk_free), horizon, funded)
        panel._data(pd.DataFrame(index=index))  # which raises here what would else be raised later
        return panel

    @classmethod
    def from_frame(
        cls,
        returns: Any,
        *,
        factors: pd.DataFrame | pd.Series[float] | None,
        risk_free: pd.Series[float] | float,
        horizon: Horizon,
        funded: Sequence[Any] | None = None,
    ) -> Self:
        """Take a Dask DataFrame, dates × assets, whose partitions are stretches of time.

        Its index is computed first and by itself. Of Parquet that reads one column; of other sources it may read all of
        them, so that ``persist`` pays where the frame fits the cluster, and an array, whose dates are given, where
        it does not.

        Parameters
        ----------
        returns : dask.dataframe.DataFrame, dates × assets
            Total simple returns, decimals per `horizon`; NaN or ``pd.NA`` where missing. Rows in any order.
        factors, risk_free, horizon, funded
            As in `InMemory`: of pandas, not of Dask.

        Raises
        ------
        MissingExtraError
            If Dask is not installed.
        InvalidParameterError
            If something else came than a Dask DataFrame, or one without columns.
        UnknownFactorError, DataError
            As `InMemory`, for what cannot be used among factors and rates.
        """
        require_frame(returns)
        panel = cls(FrameSource(returns), returns.columns, _copy(factors), _copy(risk_free), horizon, funded)
        panel._data(pd.DataFrame(index=pd.DatetimeIndex([])))
        return panel

    def __repr__(self) -> str:
        return f"<DaskPanel {len(self.assets):,} assets, {self._returns}, per {self.horizon}>"

    def fit(self, estimator: Estimator) -> FactorModel:
        """Estimate a model: what ``estimator.fit`` makes of the same returns in memory.

        Parameters
        ----------
        estimator : Estimator
            For instance ``rm.OLS()`` or ``rm.EWMA(half_life=rm.QUARTER)``.

        Raises
        ------
        DataError, EstimationError
            One of their kinds, as `ReturnPanel.align` and `Estimator.fit` do for the same returns in memory.
        """
        moments = self.moments(estimator)
        return checked_estimate(estimator, moments)

    def moments(self, estimator: Estimator) -> Moments:
        """Compute what ``estimator.estimate`` needs, with the weights that the estimator gives the dates.

        All chunks are read once. Only where there are dates on which no asset has a return, which are left out, and
        leaving them out changes the weights of others, are they read once more.

        Parameters
        ----------
        estimator : Estimator
            For instance ``rm.OLS()`` or ``rm.EWMA(half_life=rm.QUARTER)``.

        Raises
        ------
        DataError
            One of its kinds, as `ReturnPanel.align` does for the same returns in memory.
        """
        if not isinstance(estimator, Estimator):
            raise InvalidParameterError(f"moments are for an Estimator such as rm.OLS(), but {estimator!r} came.")
        rows = self._rows()
        supposed = kept = rows.known()
        columns = rows.read(supposed, estimator)
        rows.require_returns(columns)
        idle = reduce(np.intersect1d, (c.idle for c in columns))
        if len(idle):
            kept = rows.known(without=supposed.dates[idle])
            if estimator.weights(kept) is not None:
                supposed = kept
                columns = rows.read(supposed, estimator)
        return _in_factors(rows.beside(columns), estimator.moments(supposed), estimator.moments(kept))

    @property
    def dropped(self) -> pd.DataFrame:
        """The dates that alignment leaves out, and why, as in `ReturnPanel`; reads all returns."""
        rows = self._rows()
        return rows.known(without=rows.idle()).dropped

    def _data(self, returns: pd.DataFrame) -> InMemory:
        """The factors and the rate, beside some returns."""
        return InMemory(
            returns, factors=self._factors, risk_free=self._risk_free, horizon=self.horizon, funded=self._funded
        )

    def _rows(self) -> Rows:
        index, returns = self._returns.laid_out()
        return Rows.of(self.assets, self._data, read_dates(index, RETURNS, self.horizon), returns)


def _copy(values: Any) -> Any:
    return values.copy() if isinstance(values, pd.DataFrame | pd.Series) else values


def _in_factors(m: Moments, basis: Moments, dates: Moments) -> Moments:
    """Say in terms of the factors what is said in terms of a basis of theirs; what the dates say is known."""
    return evolve(
        dates,
        assets=m.assets,
        origin=basis.origin + m.origin @ basis.basis,
        basis=m.basis @ basis.basis,
        regressions=m.regressions,
    )
