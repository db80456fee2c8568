"""Provider that stores the returns of another on disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import pandas as pd
from attrs import field, frozen

from riskmodel._core import dates, labels
from riskmodel._core.paths import read_path
from riskmodel.data.cache.entry import Entry
from riskmodel.data.cache.names import Names
from riskmodel.data.cache.record import NO_ROWS
from riskmodel.data.cache.request import RATE, Request, ask, key, warn_if_mixed
from riskmodel.data.cache.store import Kind, Store, extra
from riskmodel.data.provider import DataProvider, horizon_of, require_list, return_type_of
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon
from riskmodel.panel.funding import Funding
from riskmodel.panel.return_type import EXCESS, ReturnType

Window = tuple[pd.Timestamp | None, pd.Timestamp | None]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _user_cache() -> Any:
    return extra("platformdirs").user_cache_dir("riskmodel", appauthor=False)


def _read_folder(folder: Any) -> Path:
    return read_path(folder, "folder")


@final
@frozen(eq=False)
class Cached(DataProvider):
    """Provider that stores the returns of another in a folder, as Parquet (extra ``cache``).

    There is one file for each asset, each factor and the risk-free rate, with its whole history. Histories that are
    not stored are fetched together; after that only the rows after the last one, if a window ends later, and at most
    once a day. Assets are stored by permanent identifier (`DataProvider.identities`), so the histories of two
    companies that had the same ticker are never joined.

    Parameters
    ----------
    provider : DataProvider
        The source.
    folder : path, optional
        Several sources and processes may share it. By default the user's cache folder.
    name : str, optional
        Identifier of the source in the folder; by default the provider's ``source``.
    max_age : timedelta, optional
        Older histories are fetched again, because sources revise them. By default no limit.
    clock : callable, optional
        Returns the time, with time zone.

    Raises
    ------
    InvalidParameterError
        If the provider has no ``source`` and no `name` is given.
    MissingExtraError
        If a package of the extra ``cache`` is not installed.
    SourceError
        If the folder cannot be read or written. Errors of the provider are raised if no stored data can be served.

    Warns
    -----
    StaleDataWarning
        If the provider raises an `OSError` (as `SourceError` is) and stored data are served.
    DamagedEntryWarning
        If a file is damaged; its series is fetched again.
    MixedVintagesWarning
        If returns of different vintages are served together, because the source is unreachable, or because it
        published a new vintage between the requests of one panel.

    Notes
    -----
    `DataProvider.provenance` gives the vintages. A stored series of an older vintage than the newest seen is fetched
    again as a whole, so all series of one request have one vintage. A source without vintages may revise the past
    between two fetches; `max_age` limits this.

    A process that is killed leaves the old file or the new one. One thread or process at a time fetches series of one
    kind; the others wait and read the stored result. A request without stored rows in its window goes to the
    provider. Files are readable by their owner only, because the data may be under a licence.

    Examples
    --------
    >>> import tempfile, riskmodel as rm
    >>> folder = tempfile.mkdtemp()
    >>> data = rm.Cached(rm.SampleData(), folder, name="sample")
    >>> _ = data.panel(["MSFT"], ["Mkt-RF"], start="2015", end="2017")
    >>> data.info()[["kind", "label", "first", "last", "rows"]]
          kind      label      first       last  rows
    0   assets       MSFT 2000-01-03 2018-11-30  4760
    1  factors     Mkt-RF 2000-01-03 2018-11-30  4760
    2     rate  risk_free 2000-01-03 2018-11-30  4760
    >>> data.clear()
    3
    """

    provider: DataProvider
    folder: Path = field(factory=_user_cache, converter=_read_folder)
    name: str | None = field(default=None, kw_only=True)
    max_age: dt.timedelta | None = field(default=None, kw_only=True)
    clock: Callable[[], dt.datetime] = field(default=_now, kw_only=True, repr=False)
    # memoised, not part of the value: the newest vintages, and the vintages served under each name
    _newest: dict[str, tuple[pd.Timestamp, str]] = field(factory=dict, init=False, repr=False)
    _served: dict[tuple[Kind, str], Mapping[str, str]] = field(factory=dict, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.provider, DataProvider):
            raise InvalidParameterError(
                f"expected a DataProvider such as rm.FamaFrench(), got {self.provider!r}.",
                parameter="provider",
                got=self.provider,
            )
        if self.name is None and getattr(self.provider, "source", None) is None:
            raise InvalidParameterError(
                f"expected a provider with the attribute source, got {type(self.provider).__name__} without; give "
                "name='...', a different one for each configuration of the provider.",
                parameter="name",
                provider=type(self.provider).__name__,
            )
        if self.name is not None and not (isinstance(self.name, str) and self.name):
            raise InvalidParameterError(f"expected a name such as 'vendor X, adjusted closes', got {self.name!r}.")
        age = self.max_age
        if age is not None and (not isinstance(age, dt.timedelta) or age < dt.timedelta(0)):
            raise InvalidParameterError(f"expected max_age as a timedelta, such as timedelta(days=30), got {age!r}.")
        if isinstance(getattr(self.provider, "horizon", None), Horizon) and self.provider.horizon.bar is not None:
            raise InvalidParameterError(
                f"expected a provider of days or longer spans, which a cache stores by day, got rows of "
                f"{self.provider.horizon}; use the provider itself.",
                parameter="provider",
                horizon=self.provider.horizon,
            )
        if not callable(self.clock):
            raise InvalidParameterError(
                f"expected clock as a function that returns the time, got {self.clock!r}.",
                parameter="clock",
                got=self.clock,
            )

    @property
    def horizon(self) -> Horizon:
        """Span of one row."""
        return horizon_of(self.provider)

    @property
    def return_type(self) -> ReturnType:
        """What the asset returns are, from the provider."""
        return return_type_of(self.provider)

    @property
    def source(self) -> str:
        """Identifier of the source in the folder."""
        return self.name if self.name is not None else str(self.provider.source)  # type: ignore[attr-defined]

    @property
    def assets(self) -> list[Any]:
        """The labels of all assets, if the provider lists them."""
        return list(self.provider.assets)  # type: ignore[attr-defined]

    @property
    def factors(self) -> list[Any]:
        """The labels of all factors, if the provider lists them."""
        return list(self.provider.factors)  # type: ignore[attr-defined]

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return simple returns of the provider, dates × assets; unknown ones raise `UnknownAssetError`."""
        wanted = list(labels.unique(require_list(assets, "assets"), "assets"))
        window = dates.window(start, end)
        names = Names(self.provider, self._store, window, self._time(), self.max_age)
        means = names.stored(wanted)
        request = self._request("assets", [] if means is None else means.values(), window)
        if means is None or not request.is_complete:
            # returns must be fetched anyway, so request the current identifiers too
            means = names.ask(wanted)
            request = self._request("assets", means.values(), window)
        return self._frame(request, means)

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return factor returns, dates × names; unknown ones raise `UnknownFactorError`."""
        wanted = labels.unique(require_list(names, "factors"), "factors")
        request = self._request("factors", wanted, dates.window(start, end))
        return self._frame(request, dict(zip(wanted, wanted, strict=True)))

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Return the risk-free rate by date."""
        return self._frame(self._request("rate", [RATE], dates.window(start, end)), {RATE: RATE})[RATE]

    def funding(self, name: Any) -> Funding | None:
        """Return whether holding a factor costs cash, from the provider."""
        return self.provider.funding(name)

    def identities(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> list[Any]:
        """Return the permanent identifier of each asset, from the provider."""
        return self.provider.identities(assets, start, end)

    def provenance(self, assets: Sequence[Any] = (), factors: Sequence[Any] = ()) -> dict[str, str]:
        """Return the vintages served, by file of the source; warn if a file has several."""
        asked: list[tuple[Kind, Any]] = [("assets", a) for a in assets]
        asked += [("factors", f) for f in factors] + [("rate", RATE)]
        found = warn_if_mixed(self.source, [(label, self._vintages(kind, label)) for kind, label in asked])
        return {file: ", ".join(vintages) for file, vintages in found.items()}

    def info(self) -> pd.DataFrame:
        """List the stored series of this source, one row per file.

        Returns
        -------
        DataFrame
            ``kind``, ``label``, ``first`` and ``last`` date, ``rows``, ``fetched`` (time of the oldest fetch),
            ``age``, ``vintage``, ``bytes`` and ``file``. A damaged file has only the last two.
        """
        now = self._time()
        columns = ["kind", "label", "first", "last", "rows", "fetched", "age", "vintage", "bytes", "file"]
        rows = [
            ({} if record is None else _row(*record, now)) | {"bytes": size, "file": str(path)}
            for path, size, record in self._store.records("assets", "factors", "rate")
        ]
        return pd.DataFrame(rows, columns=columns)

    def clear(self) -> int:
        """Remove the stored series of this source, nothing else in the folder; return their number."""
        self._newest.clear()
        self._served.clear()
        return self._store.clear()

    def _span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        return self.provider._span()

    @property
    def _store(self) -> Store:
        excess = "in excess of the rate" if self.return_type is EXCESS else ""
        return Store(self.folder, self.source, self.horizon.days, excess)

    def _time(self) -> pd.Timestamp:
        now = self.clock()
        if not isinstance(now, dt.datetime) or now.tzinfo is None:
            raise InvalidParameterError(
                f"expected clock to return a datetime with a time zone, got {now!r}.", parameter="clock", got=now
            )
        return pd.Timestamp(now)

    def _request(self, kind: Kind, wanted: Iterable[Any], window: Window) -> Request:
        unique = list(dict.fromkeys(wanted))
        return Request(self.provider, self._store, kind, unique, window, self._time(), self.max_age, self._newest)

    def _frame(self, request: Request, means: Mapping[Any, Any]) -> pd.DataFrame:
        """Return the stored returns of names; without a row or a name, the provider's answer."""
        entries = request.run()
        self._served.update({(request.kind, key(name)): entries[i].provenance for name, i in means.items()})
        series = [entries[i].series for i in means.values()]
        frame = pd.concat(series or [NO_ROWS], axis=1, sort=True).loc[slice(*request.window)]
        if frame.empty or not series:
            return ask(self.provider, request.kind, list(means), *request.window)
        return frame.set_axis(labels.unique(list(means), request.kind), axis=1)

    def _vintages(self, kind: Kind, label: Any) -> Mapping[str, str]:
        if (kind, key(label)) in self._served:
            return self._served[kind, key(label)]
        record = self._store.read(kind, key(label))
        return {} if record is None else Entry.of(*record).provenance


def _row(facts: Mapping[str, Any], series: pd.Series[float], now: pd.Timestamp) -> dict[str, Any]:
    entry = Entry.of(facts, series)
    return {
        "kind": facts["kind"],
        "label": facts["label"],
        "first": series.index[0],
        "last": series.index[-1],
        "rows": len(series),
        "fetched": entry.fetched,
        "age": now - entry.fetched,
        "vintage": ", ".join(f"{file}: {vintage}" for file, vintage in sorted(entry.provenance.items())),
    }
