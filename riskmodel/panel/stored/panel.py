"""A panel whose asset returns stay where they are stored and are read in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.horizon import Horizon, require_horizon
from riskmodel.panel.base import chosen, within
from riskmodel.panel.calendar import CalendarPanel, align_calendar
from riskmodel.panel.layout import Long, Wide
from riskmodel.panel.memory import ReturnPanel
from riskmodel.panel.stored.returns import StoredReturns
from riskmodel.panel.stored.source import Source


@final
@frozen(eq=False, repr=False)
class StoredPanel(CalendarPanel):
    """Asset returns outside memory, beside factor returns and the risk-free rate in it, on common dates.

    What takes moments takes it as it does a `ReturnPanel`: an estimator's ``fit``, ``moments`` and ``update``, and
    `Moments.of`. Returns are read in blocks of bounded size, whatever their number, once but for the few assets whose
    sums would cancel, which are read again. They are checked as they are read: what a `ReturnPanel` would refuse when
    it is made (percent, prices, infinite values, losses of more than everything) is refused then.

    As in a `ReturnPanel`, a date is kept where every factor and the risk-free rate are there, and `dropped` says what
    was left out. But a date on which *no* asset has a return is kept: to know of it, all would have to be read first.

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

    _source: Source
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
    ) -> Self:
        """Take returns from an array on disk.

        Parameters
        ----------
        returns : array-like, shape (T, N)
            Total simple returns, decimals per `horizon`; NaN where missing. Whatever has a shape, a dtype and slices as
            numpy's arrays do: ``np.load(path, mmap_mode="r")``, an HDF5 dataset, a Zarr array. Of any real dtype.
        dates : sequence of T dates
            Of the rows, increasing.
        factors : DataFrame, dates × factors, or Series, or None
            Factor returns, decimals per `horizon`; excess returns where the factor is funded.
        risk_free : Series by date, or float
            The risk-free rate, decimals per `horizon`; 0.0 where `returns` are excess returns already.
        horizon : Horizon
            What one row spans.
        assets : sequence of N labels, optional
            By default 0 to N - 1.
        funded : sequence of factor names, optional
            As in `InMemory`: those whose holding costs cash; by default as the names say, see `PublishedFactor`.

        Raises
        ------
        InvalidParameterError
            If dates or assets are not as many as the array has rows or columns.
        InvalidDatesError
            If the rows are not in order of date.
        NonNumericError
            If the array does not hold real numbers.
        UnknownFactorError
            For a name in `funded` that is not among the factors.
        DataError
            As `ReturnPanel.align`, for dates, factors and the risk-free rate.
        """
        from riskmodel.panel.stored.array import ArraySource  # noqa: PLC0415 - few programs read from disk

        require_horizon(horizon)
        return cls._of(ArraySource.read(returns, dates, assets, horizon), factors, risk_free, horizon, funded)

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
    ) -> Self:
        """Take returns from a Parquet file, or from all Parquet files in a folder and the folders in it.

        Several files follow each other in time, one a year for instance; their names and order do not matter. The
        assets are those of all files together, each missing where a file lacks it; `files` says who came and went.
        The index, and no return, is read now.

        Parameters
        ----------
        path : path, or sequence of paths
            The folder, the file, or the files. Needs the extra ``cache``.
        factors, risk_free, horizon, funded
            As in `array`.
        layout : Wide or Long
            One column an asset (the default), or one row for each date and asset. Wide files are sorted by date; long
            ones are read fastest where they are sorted by date or by asset.
        assets : sequence of labels, optional
            Which to take, in this order; by default all.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        SourceError
            If a file cannot be opened, or there is none; while it is read, also if it has changed.
        LayoutError
            If a file is damaged, or laid out otherwise than `layout` says; the message names it.
        DuplicateDatesError
            If a date comes twice, in one file or in two.
        InvalidDatesError
            If the rows of a wide file are not in order of date.
        NonNumericError
            If a column does not hold numbers.
        UnknownAssetError, UnknownFactorError
            For names in `assets` that no file has, and in `funded` that are not among the factors.
        DataError
            As `ReturnPanel.align`, for dates, factors and the risk-free rate.
        """
        from riskmodel.panel.stored.long import LongSource  # noqa: PLC0415 - few programs read from disk
        from riskmodel.panel.stored.parquet import find  # noqa: PLC0415
        from riskmodel.panel.stored.wide import WideSource  # noqa: PLC0415

        require_horizon(horizon)
        wanted = None if assets is None else labels.unique(assets, "assets")
        source: Source
        if isinstance(layout, Wide):
            source = WideSource.read(find(path), layout, wanted, horizon)
        elif isinstance(layout, Long):
            source = LongSource.read(find(path), layout, wanted, horizon)
        else:
            raise InvalidParameterError(f"layout must be rm.Wide() or rm.Long(...), but {layout!r} came.")
        return cls._of(source, factors, risk_free, horizon, funded)

    @classmethod
    def _of(
        cls,
        source: Source,
        factors: pd.DataFrame | pd.Series[float] | None,
        risk_free: pd.Series[float] | float,
        horizon: Horizon,
        funded: Sequence[Any] | None,
    ) -> Self:
        calendar = align_calendar(source.dates, factors, risk_free, horizon, funded)
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

        An asset that appears in one file and vanishes in the next may be a label that was misspelt. Empty where the
        returns are in no files.
        """
        return self._source.files

    def arrays(self) -> tuple[StoredReturns, Array, Array]:
        """Return excess returns that are read when they are sliced, the factors, and the risk-free rate."""
        _, factors, rate = self._calendar.arrays()
        return StoredReturns(self._source, self._rows, rate, self.horizon), factors, rate

    def between(self, start: object = None, end: object = None) -> StoredPanel:
        """Return the panel of some dates, both ends included, as `ReturnPanel.select` reads them; nothing is read.

        Raises
        ------
        NoOverlapError
            If no date is left.
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
            If no date is left.
        DataError
            As the class says.
        """
        first = int(within(self, start, end).argmax())
        calendar = self._calendar.select(factors=factors, start=start, end=end)
        names, columns = chosen(assets, self.assets, "asset", UnknownAssetError)
        returns = self.arrays()[0].read(columns, range(first, first + len(calendar.dates)))
        returns.flags.writeable = False
        return evolve(calendar, assets=names, excess_returns=returns)

    def blocks(self) -> Iterator[ReturnPanel]:
        """Read all of it, one panel of bounded size after the other, each return in one of them.

        Each is of some consecutive dates, and of all assets unless these would not fit or the files are such that it is
        better to read fewer assets on more dates. ``model.restrict(block.assets).residuals(block)`` gives the
        residuals of each.

        Raises
        ------
        DataError
            As the class says.
        """
        returns, n = self.arrays()[0], len(self.assets)
        for at, first, block in returns.blocks(np.arange(n, dtype=np.intp), range(len(self.dates))):
            if len(block):
                block.flags.writeable = False
                days = self.dates[first : first + len(block)]
                calendar = self._calendar.select(start=days[0], end=days[-1])
                yield evolve(calendar, assets=self.assets[at], excess_returns=block)
