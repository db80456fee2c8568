"""What the cross-sectional regressions of a panel found, date by date."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, by_constructor, read_only
from riskmodel._core.listing import Listed


@final
@frozen(eq=False, repr=False)
class CrossSectionFit(Listed):
    """The regressions of T dates on K factors.

    Parameters
    ----------
    dates : DatetimeIndex
        T dates.
    factors : sequence of labels
        K of them.
    factor_returns, std_errors : array, shape (T, K)
        Decimals per row. Standard errors are those of weighted least squares; NaN for a group without a return of its
        own on that date.
    rsquared, n_assets : array, shape (T,)
        Weighted R² about the weighted mean return, and the number of assets in the regression.
    thin : DataFrame
        Groups without a return of their own: columns ``date``, ``group`` and ``members``. At the end of the panel the
        date is missing (NaT).
    last_known : Series by asset
        The date of the exposures of assets that have none at the end.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> sector = {"KO": "staples", "PEP": "staples", "XOM": "energy", "CVX": "energy", "JPM": "banks", "BAC": "banks"}
    >>> panel = rm.SampleData().panel(list(sector), [], start="2018-01-01")
    >>> known = rm.Characteristics.static(pd.Series(sector, name="sector"))
    >>> fit = rm.CrossSectional(known, groups=["sector"], weighting=rm.UnitWeights()).fit(panel).cross_section
    >>> fit.factor_returns.shape, round(float(fit.rsquared.mean()), 2), int(fit.n_assets.min())
    ((232, 4), 0.72, 6)
    """

    dates: pd.DatetimeIndex
    factors: pd.Index[Any] = field(converter=labels.factor_labels)
    _factor_returns: Array = field(converter=read_only)
    _std_errors: Array = field(converter=read_only)
    _rsquared: Array = field(converter=read_only)
    _n_assets: Array = field(converter=read_only)
    _thin: pd.DataFrame
    _last_known: pd.Series[Any]

    __reduce__ = by_constructor

    def __repr__(self) -> str:
        t, k = self._factor_returns.shape
        return f"<CrossSectionFit {t} dates × {k} factors, median R² {np.median(self._rsquared):.2f}>"

    @property
    def factor_returns(self) -> pd.DataFrame:
        """Factor returns, dates × factors, decimals per row."""
        return self._by_date(self._factor_returns)

    @property
    def std_errors(self) -> pd.DataFrame:
        """Standard errors of the factor returns, dates × factors, decimals per row."""
        return self._by_date(self._std_errors)

    @property
    def tvalues(self) -> pd.DataFrame:
        """Factor returns in standard errors, dates × factors."""
        return self.factor_returns / self.std_errors

    @property
    def rsquared(self) -> pd.Series[float]:
        """Weighted R² by date, about the weighted mean return."""
        return pd.Series(self._rsquared, self.dates.copy(), name="rsquared", copy=False)

    @property
    def n_assets(self) -> pd.Series[int]:
        """Number of assets in the regression of each date."""
        counts: pd.Series[int] = pd.Series(self._n_assets, self.dates.copy(), name="n_assets").astype(np.intp)
        return counts

    @property
    def thin(self) -> pd.DataFrame:
        """Groups without a return of their own: columns ``date`` (NaT: at the end), ``group`` and ``members``."""
        return self._thin.copy()

    @property
    def last_known(self) -> pd.Series[Any]:
        """By asset without exposures at the end, the date that those it has explain."""
        return self._last_known.copy()

    def _by_date(self, values: Array) -> pd.DataFrame:
        return pd.DataFrame(values, self.dates.copy(), self.factors.copy(), copy=False)
