"""Metadata of one server, and the download of returns from it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd

from riskmodel._core.arrays import Array
from riskmodel._core.progress import Progress
from riskmodel.data.wrds.factors import FactorLibrary
from riskmodel.data.wrds.names import Directory
from riskmodel.data.wrds.rows import COPIED, Scatter
from riskmodel.data.wrds.server import Server
from riskmodel.data.wrds.tables import Catalogue, Format, Returns
from riskmodel.errors import DataError
from riskmodel.horizon import Horizon

# Size of a batch of securities; a batch is fetched again when the connection is lost.
_ROWS_PER_BATCH = 4_000_000
_EPOCH = date(1970, 1, 1)


@final
class Library:
    """One server's tables at one horizon, with memoised metadata.

    Parameters
    ----------
    server : Server
        Server to query.
    wanted : Format or None
        CRSP's format; None means the current one if available.
    horizon : Horizon
        ``DAY`` or ``MONTH``.
    """

    def __init__(self, server: Server, wanted: Format | None, horizon: Horizon) -> None:
        self.server = server
        self.wanted = wanted
        self.horizon = horizon
        self._vintage: str | None = None

    @cached_property
    def catalogue(self) -> Catalogue:
        """The tables and columns available on the server."""
        return Catalogue.ask(self.server)

    @cached_property
    def format(self) -> Format:
        """The CRSP format in use."""
        return self.catalogue.format(self.wanted, self.horizon)

    @cached_property
    def factors(self) -> FactorLibrary:
        """The factor tables."""
        return FactorLibrary(self.server, self.catalogue, self.horizon)

    @property
    def returns(self) -> Returns:
        """The table of returns."""
        return self.format.returns[self.horizon]

    @property
    def directory(self) -> Directory:
        """The table of names."""
        return Directory(self.server, self.format.names, self.catalogue)

    def vintage(self) -> str:
        """Return the table of returns and the last day of the release: the last day of any security's name.

        The query uses the table of names, because the table of returns has a hundred million rows. It runs once for
        each download of returns.
        """
        if self._vintage is None:
            end = self.format.names.end(self.catalogue)
            ((last,),) = self.server.fetch(f"SELECT max({end})::date FROM {self.format.names.table}", {})
            self._vintage = f"{self.returns.table} to {last}"
        return self._vintage

    def read(self, permnos: list[int], low: date, high: date) -> tuple[pd.DatetimeIndex, Array]:
        """Read all returns of some securities in a window.

        The dates are fetched first, so that the array is allocated once. The returns are then streamed into it, and
        nothing else of that size is held in memory.

        Returns
        -------
        DatetimeIndex, array of shape (dates, len(permnos))
            NaN where a return is missing.
        """
        self._vintage = None
        rows = self.returns.rows(self.catalogue, self.horizon)
        unique = list(dict.fromkeys(permnos))
        asked = {"low": low, "high": high}
        days, total = self._days(rows, asked | {"permnos": unique})
        values = np.empty((len(days), len(unique)))
        progress = Progress("WRDS", total, "rows")
        try:
            for batch in _batches(len(unique), len(days)):
                self._pull(rows, asked, unique[batch], (values[:, batch], days, progress))
        finally:
            progress.clear()
        if len(unique) < len(permnos):
            values = values[:, [unique.index(p) for p in permnos]]
        return pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]")), values

    def _days(self, rows: str, asked: dict[str, Any]) -> tuple[Any, int]:
        """Return the dates on which there are rows, in days since 1970, and how many rows there are."""
        counted = self.server.fetch(
            f"SELECT day - DATE '1970-01-01', count(*) FROM ({rows}) AS selected GROUP BY day ORDER BY day", asked
        )
        return np.array([d for d, _ in counted], dtype=np.int32), sum(n for _, n in counted)

    def _pull(self, rows: str, asked: dict[str, Any], permnos: list[int], into: tuple[Array, Any, Progress]) -> None:
        scatter = self.server.copy(
            COPIED.format(rows=rows), asked | {"permnos": permnos}, lambda: Scatter.of(permnos, *into)
        )
        scatter.finish()
        if scatter.conflict is not None:
            permno, day = scatter.conflict[0], _EPOCH + timedelta(days=scatter.conflict[1])
            raise DataError(
                f"expected one return of permno {permno} on {day} in {self.returns.table}, got several that differ; "
                "report it to WRDS support.",
                permno=permno,
                date=day,
            )


def _batches(n_permnos: int, n_dates: int) -> list[slice]:
    size = max(1, _ROWS_PER_BATCH // max(1, n_dates))
    return [slice(i, i + size) for i in range(0, n_permnos, size)]
