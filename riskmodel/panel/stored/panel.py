"""A panel whose asset returns are read in blocks from where they are stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel._core.bars import require_assets
from riskmodel._core.kinds import ASSET_RETURNS
from riskmodel._core.zones import read_zone
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.horizon import Horizon
from riskmodel.panel.base import chosen, within
from riskmodel.panel.calendar import CalendarPanel, CalendarSeries
from riskmodel.panel.layout import Long, Wide
from riskmodel.panel.memory import ReturnPanel, rows_of
from riskmodel.panel.return_type import TOTAL, ReturnType, kind_of
from riskmodel.panel.stored.returns import StoredReturns
from riskmodel.panel.stored.source import BlockSource
from riskmodel.panel.unmatched import DROP, Unmatched


@final
@frozen(eq=False, repr=False)
class StoredPanel(CalendarPanel):
    """Asset returns outside memory, beside factor returns and the risk-free rate in it, on common dates.

    Estimators from moments accept it like a `ReturnPanel`: ``fit``, ``moments`` and ``update``, and `Moments.of`.
    Returns are read once, in blocks of bounded size; the few assets whose sums would cancel are read again. Returns are
    validated while they are read, with the same checks as in-memory panels (percent, prices, infinite values, losses
    of more than 100 %).

    As in a `ReturnPanel`, a date is kept where every factor and the risk-free rate have a value, and `dropped` lists
    the others. But a date on which *all* assets are missing is kept: it can be known only after all returns are read.

    Make it with `parquet` or `array`.

    Examples
    --------
    >>> import numpy as np, pandas as pd, pathlib, tempfile, riskmodel as rm
    >>> rng, days = np.random.default_rng(0), pd.bdate_range("2000-01-03", periods=1_000)
    >>> market = pd.Series(rng.normal(0.0004, 0.01, 1_000), days, name="Mkt-RF")
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "returns.npy"
    >>> np.save(path, market.to_numpy()[:, None] * [0.5, 1.5] + rng.normal(0, 0.005, (1_000, 2)))
    >>> panel = rm.StoredPanel.array(
    ...     np.load(path, mmap_mode="r"), dates=days, assets=["A", "B"], factors=market, risk_free=0.0, horizon=rm.DAY)
    >>> panel
    <StoredPanel 1000 dates (2000-01-03 to 2003-10-31, per day) × 2 assets, 1 factors, 0 dates dropped, in an array
    (memmap)>
    >>> rm.OLS().fit(panel).loadings.round(1)
       Mkt-RF
    A     0.5
    B     1.5
    """

    _source: BlockSource
    _rows: Index

    @classmethod
    def array(
        cls,
        returns: Any,
        *,
        dates: Any,
        factors: pd.DataFrame | pd.Series[float] | None,
        risk_free: pd.Series[float] | float,
        horizon: Horizon,
        assets: Sequence[Any] | None = None,
        funded: Sequence[Any] | None = None,
        return_type: ReturnType = TOTAL,
        unmatched: Unmatched = DROP,
        time_zone: str | dt.tzinfo | None = None,
    ) -> Self:
        """Make a panel of returns in an array on disk.

        Parameters
        ----------
        returns : array-like, shape (T, N)
            Simple returns, decimals per `horizon`; NaN where missing. An object of any real dtype that is
            sliced like a numpy array: ``np.load(path, mmap_mode="r")``, an HDF5 dataset, a Zarr array.
        dates : sequence of T dates
            Of the rows, increasing.
        factors : DataFrame, dates × factors, or Series, or None
            Factor returns, decimals per `horizon`; excess returns where the factor is funded.
        risk_free : Series by date, float or Mean
            The risk-free rate, decimals per `horizon`, as in `InMemory`.
        horizon : Horizon
            The span of one row.
        assets : sequence of N labels, optional
            By default 0 to N - 1.
        funded : sequence of factor names, optional
            As in `InMemory`: the factors whose holding costs cash; by default from the names, see `PublishedFactor`.
        return_type : ReturnType, optional
            ``rm.EXCESS`` where `returns` are in excess of the risk-free rate already; by default ``rm.TOTAL``.
        unmatched : Unmatched, optional
            ``rm.DROP``, the default: rows on dates that factors lack are left out. To compound them, read the returns
            into memory.
        time_zone : str, optional
            Of the market, such as ``"Europe/Berlin"``: times with an offset from UTC are brought to it, and times
            without are its own, except midnights of it that are written in UTC.

        Raises
        ------
        InvalidParameterError
            If the numbers of dates and assets are not those of rows and columns.
        InvalidDatesError
            If the rows are not in order of date, or stamped by midnights of another zone.
        NonNumericError
            If the array does not hold real numbers.
        UnknownFactorError
            For a name in `funded` that is not among the factors.
        DataError
            As `ReturnPanel.align`, for dates, factors and the risk-free rate.
        """
        from riskmodel.panel.stored.array import ArraySource  # noqa: PLC0415 - few programs read from disk

        beside = CalendarSeries(factors, risk_free, horizon, funded, return_type, unmatched)
        return cls._of(ArraySource.read(returns, dates, assets, horizon, read_zone(time_zone)), beside)

    @classmethod
    def parquet(
        cls,
        path: str | PathLike[str] | Sequence[str | PathLike[str]],
        *,
        factors: pd.DataFrame | pd.Series[float] | None,
        risk_free: pd.Series[float] | float,
        horizon: Horizon,
        layout: Wide | Long = Wide(),
        assets: Sequence[Any] | None = None,
        funded: Sequence[Any] | None = None,
        return_type: ReturnType = TOTAL,
        unmatched: Unmatched = DROP,
        time_zone: str | dt.tzinfo | None = None,
    ) -> Self:
        """Make a panel of returns in a Parquet file, or in all Parquet files of a folder and its subfolders.

        Several files are consecutive periods, for instance years; their names and order do not matter. The assets are
        those of all files, missing where a file does not have them; `files` lists the changes. Only dates and labels
        are read now.

        Parameters
        ----------
        path : path, or sequence of paths
            The folder, the file, or the files. Needs the extra ``cache``.
        factors, risk_free, horizon, funded, return_type, unmatched, time_zone
            As in `array`.
        layout : Wide or Long
            One column an asset (the default), or one row for each date and asset. Wide files are sorted by date; long
            ones are read fastest where they are sorted by date or by asset. Dates are one column of dates.
        assets : sequence of labels, optional
            The assets to read, in this order; by default all.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        SourceError
            If a file cannot be opened, or there is no file; while it is read, also if it has changed.
        LayoutError
            If a file is damaged, or has another layout than `layout`; the message names it.
        DuplicateDatesError
            If a date occurs twice, in one file or in two.
        InvalidDatesError
            If the rows of a wide file are not in order of date, or days are stamped by midnights of another zone.
        NonNumericError
            If a column does not hold numbers.
        UnknownAssetError, UnknownFactorError
            For names in `assets` that are in no file, and in `funded` that are not among the factors.
        DataError
            As `ReturnPanel.align`, for dates, factors and the risk-free rate.
        """
        from riskmodel.panel.stored.long import LongSource  # noqa: PLC0415 - few programs read from disk
        from riskmodel.panel.stored.parquet import find  # noqa: PLC0415
        from riskmodel.panel.stored.wide import WideSource  # noqa: PLC0415

        beside = CalendarSeries(factors, risk_free, horizon, funded, return_type, unmatched)
        names, zone = _chosen(layout, assets), read_zone(time_zone)
        source: BlockSource
        if isinstance(layout, Wide):
            source = WideSource.read(find(path), layout, names, horizon, zone)
        elif isinstance(layout, Long):
            source = LongSource.read(find(path), layout, names, horizon, zone)
        else:
            raise InvalidParameterError(f"expected layout as rm.Wide() or rm.Long(...), got {layout!r}.", layout=layout)
        return cls._of(source, beside)

    @classmethod
    def _of(cls, source: BlockSource, beside: CalendarSeries) -> Self:
        require_assets(source.assets, ASSET_RETURNS.name)
        calendar = beside.align(source.dates)
        return cls(calendar, source, np.asarray(source.dates.get_indexer(calendar.dates), dtype=np.intp))

    def __repr__(self) -> str:
        return self._describe(f"in {self._source.name}")

    @property
    def assets(self) -> pd.Index[Any]:
        """N labels."""
        return self._source.assets

    @property
    def files(self) -> pd.DataFrame:
        """By file: its first and last date, how many rows and assets, and which assets `appeared` and `vanished`.

        An asset that appears in one file and vanishes in the next may be misspelt. Empty where the returns are not in
        files.
        """
        return self._source.files

    def arrays(self) -> tuple[StoredReturns, Array, Array]:
        """Return excess returns (read when sliced), the factors, and the risk-free rate."""
        _, factors, rate = self._calendar.arrays()
        subtracted = rate if self.return_type is TOTAL else np.zeros_like(rate)
        return (
            StoredReturns(self._source, self._rows, subtracted, self.horizon, kind_of(self.return_type)),
            factors,
            rate,
        )

    def between(self, start: object = None, end: object = None) -> StoredPanel:
        """Return the stored panel of some dates, both ends included as in `ReturnPanel.select`; no return is read.

        Raises
        ------
        NoOverlapError
            If no date is in the window.
        """
        inside = within(self, start, end)
        return evolve(self, calendar=self._calendar.select(start=start, end=end), rows=self._rows[inside])

    def select(self, assets: Any = None, factors: Any = None, start: object = None, end: object = None) -> ReturnPanel:
        """Read the panel of some assets, some factors, or some dates, as `ReturnPanel.select` does, into memory.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            For labels that are not in the panel.
        NoOverlapError
            If no date is in the window.
        DataError
            For returns that fail the checks.
        """
        first = int(within(self, start, end).argmax())
        calendar = self._calendar.select(factors=factors, start=start, end=end)
        names, columns = chosen(assets, self.assets, "asset", UnknownAssetError)
        returns = self.arrays()[0].read(columns, range(first, first + len(calendar.dates)))
        returns.flags.writeable = False
        return evolve(calendar, assets=names, excess_returns=returns)

    def blocks(self) -> Iterator[ReturnPanel]:
        """Read all returns, as panels of bounded size; each return is in one of them.

        Each panel has consecutive dates, and all assets unless these do not fit, or unless the files are read faster by
        groups of assets. ``model.restrict(block.assets).residuals(block)`` returns the residuals of each.

        Raises
        ------
        DataError
            For returns that fail the checks.
        """
        returns, n = self.arrays()[0], len(self.assets)
        for at, first, block in returns.blocks(np.arange(n, dtype=np.intp), range(len(self.dates))):
            if len(block):
                block.flags.writeable = False
                calendar = rows_of(self._calendar, slice(first, first + len(block)))
                yield evolve(calendar, assets=self.assets[at], excess_returns=block)


def _chosen(layout: Wide | Long, assets: Sequence[Any] | None) -> pd.Index[Any] | None:
    """Return the assets to read, which a wide layout may name too; raise for dates that are not one column of dates."""
    date, form = getattr(layout, "date", None), getattr(layout, "dates", None)
    if isinstance(date, tuple) or form is not None:
        raise InvalidParameterError(
            f"expected a layout with one column of dates, got {layout!r}; store dates as a date type.", layout=layout
        )
    columns = layout.columns if isinstance(layout, Wide) else None
    if columns is not None and assets is not None:
        raise InvalidParameterError(
            f"expected assets or the columns of rm.Wide, got both: {labels.listing(assets)} and "
            f"{labels.listing(columns)}; give one of them.",
            assets=list(assets),
            columns=list(columns),
        )
    wanted = assets if columns is None else columns
    return None if wanted is None else labels.unique(wanted, "assets")
