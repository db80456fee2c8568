"""Keep what a provider gave, and ask it again only for what is missing."""

from __future__ import annotations

import datetime as dt
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, final

import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.checks import FactorReturns
from riskmodel._core.dates import window
from riskmodel._core.frames import ReturnFrame, as_pandas
from riskmodel._core.paths import read_path
from riskmodel.data.meanings import Meaning, Meanings
from riskmodel.data.provider import DataProvider, horizon_of, require_list
from riskmodel.data.store import DamagedError, Entry, Kind, Store, decode, extended
from riskmodel.errors import (
    CoverageError,
    InvalidParameterError,
    SourceError,
    StaleDataWarning,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.horizon import MONTH, QUARTER, YEAR, Horizon

Window = tuple[pd.Timestamp | None, pd.Timestamp | None]

_RATE = "risk_free"
_CALENDAR = {MONTH: "M", QUARTER: "Q", YEAR: "Y"}
_A_DAY = pd.Timedelta(days=1)
# A window that ends on a weekend or a holiday has no row on its last day, and never will: so much of a gap is one, if
# the window ended so long ago that what comes late has come.
_HOLIDAYS = pd.Timedelta(days=7)
_LATE = pd.Timedelta(days=60)
_BEFORE_ALL = pd.Timestamp("1700-01-01")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _read_folder(folder: str | os.PathLike[str]) -> Path:
    return read_path(folder, "folder")


def _is_provider(_: Any, __: Any, value: Any) -> None:
    if not isinstance(value, DataProvider):
        raise InvalidParameterError(f"Cached needs a DataProvider such as rm.FamaFrench(), but {value!r} came.")


def _has_a_name(self: Any, _: Any, value: Any) -> None:
    if value is not None and not (isinstance(value, str) and value):
        raise InvalidParameterError(f"name must be a text such as 'vendor X, adjusted closes', but {value!r} came.")
    if value is None and getattr(self.provider, "source", None) is None:
        raise InvalidParameterError(
            f"{type(self.provider).__name__} does not say what tells its returns from those of another (it has no "
            "attribute source); say it with name='...', and use another name where the provider would answer otherwise."
        )


def _is_a_clock(_: Any, __: Any, value: Any) -> None:
    if not callable(value):
        raise InvalidParameterError(f"clock must be a function that returns the time, but {value!r} came.")


def _is_an_age(_: Any, __: Any, value: Any) -> None:
    if value is not None and (not isinstance(value, dt.timedelta) or value < dt.timedelta(0)):
        raise InvalidParameterError(f"max_age must be a timedelta such as timedelta(days=30), but {value!r} came.")


@final
@frozen(eq=False)
class Cached(DataProvider):
    """A provider whose answers are kept in a folder, as Parquet (extra ``cache``).

    Each asset, each factor and the risk-free rate has a file of its own. Asked for a longer window, the provider is
    asked only for what is missing; for the end of an open window, once a day.

    Assets are kept under what means them at any time (`DataProvider.identities`): those of `WRDS` by permno, so a
    ticker that passes from one company to another never continues the history of the first with that of the second.

    Parameters
    ----------
    provider : DataProvider
        The source. It is asked for whole windows of all labels that lack them, never label by label.
    folder : path
        Several sources, and several processes, may share it.
    name : str, optional
        What tells this source's returns from any other's in the folder; by default the provider's ``source``.
    max_age : timedelta, optional
        What was fetched longer ago is fetched again, because sources revise their history. By default never.
    clock : callable, optional
        Returns the time, with its zone: ``lambda: datetime.now(UTC)``.

    Raises
    ------
    InvalidParameterError
        If the provider has no ``source`` and no `name` is given.
    MissingExtraError
        When data are asked for and pyarrow is not installed.
    SourceError
        When the folder cannot be written; and whatever the provider raises, if nothing is kept that could be served.

    Warns
    -----
    StaleDataWarning
        Where the provider raises an `OSError` (as `SourceError` is), so that what was kept is served; it says how old
        that is, and how much of the window it covers.
    DamagedEntryWarning
        Where a file is not what was written; it is fetched again.

    Notes
    -----
    Vintages are not mixed: where the provider says (`DataProvider.provenance`) that what it now gives is of another
    vintage than what was kept, the whole of it is fetched again. A source that states no vintages may have revised
    the past between two fetches, which `max_age` limits.

    A file is written beside its place and moved there when it is on the disk, so a process that is killed leaves the
    old file or the new one. Of two processes that write the same file, the last one counts; what the other had
    beyond it is fetched again when it is asked for. Each file has a SHA-256 over all that it says. An asset of which
    the source has no row in all of a window has no file, and is asked for again.

    Files are readable by their owner only: what they hold may be under a licence.

    Examples
    --------
    >>> import tempfile, riskmodel as rm
    >>> folder = tempfile.mkdtemp()
    >>> data = rm.Cached(rm.SampleData(), folder, name="sample")
    >>> _ = data.panel(["MSFT"], ["Mkt-RF"], start="2015", end="2017")
    >>> data.info()[["kind", "label", "first", "last", "rows"]]
          kind      label      first       last  rows
    0   assets       MSFT 2015-01-02 2017-12-29   755
    1  factors     Mkt-RF 2015-01-02 2017-12-29   755
    2     rate  risk_free 2015-01-02 2017-12-29   755
    >>> data.clear()
    3
    """

    provider: DataProvider = field(validator=_is_provider)
    folder: Path = field(converter=_read_folder)
    name: str | None = field(default=None, kw_only=True, validator=_has_a_name)
    max_age: dt.timedelta | None = field(default=None, kw_only=True, validator=_is_an_age)
    clock: Callable[[], dt.datetime] = field(default=_now, kw_only=True, repr=False, validator=_is_a_clock)
    # the vintages behind what was served, and what names meant there: a memory of answers, not part of the value
    _vintages: dict[tuple[Kind, str], Mapping[str, str]] = field(factory=dict, init=False, repr=False)
    _meant: dict[Any, Any] = field(factory=dict, init=False, repr=False)

    @property
    def horizon(self) -> Horizon:
        """What one row spans."""
        return horizon_of(self.provider)

    @property
    def source(self) -> str:
        """What tells this source's returns from any other's in the folder."""
        return self.name if self.name is not None else str(self.provider.source)  # type: ignore[attr-defined]

    @property
    def assets(self) -> list[Any]:
        """The labels of all assets, where the provider lists them."""
        return list(self.provider.assets)  # type: ignore[attr-defined]

    @property
    def factors(self) -> list[Any]:
        """The labels of all factors, where the provider lists them."""
        return list(self.provider.factors)  # type: ignore[attr-defined]

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Total simple returns, dates × assets; unknown ones raise `UnknownAssetError`."""
        wanted = list(labels.unique(require_list(assets, "assets"), "assets"))
        asked = window(start, end)
        means = self._kept_meanings(wanted, asked)
        query = None if means is None else self._query("assets", means.values(), asked)
        if means is None or query is None or not query.is_complete:
            # the source must be asked anyway, and names are read as it reads them now
            means = self._asked_meanings(wanted, asked)
            query = self._query("assets", means.values(), asked)
        self._meant.update(means)
        at = {identity: i for i, identity in enumerate(query.wanted)}
        frame = self._served(query, asked).iloc[:, [at[means[a]] for a in wanted]]
        return frame.set_axis(labels.unique(wanted, "assets"), axis=1)

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Factor returns, dates × names; unknown ones raise `UnknownFactorError`."""
        wanted = list(labels.unique(require_list(names, "factors"), "factors"))
        asked = window(start, end)
        return self._served(self._query("factors", wanted, asked), asked)

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Risk-free rate by date."""
        asked = window(start, end)
        return self._served(self._query("rate", [_RATE], asked), asked)[_RATE]

    def is_funded(self, name: Any) -> bool:
        """Whether holding a factor costs cash, as the provider says."""
        return self.provider.is_funded(name)

    def identities(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> list[Any]:
        """For each asset, the label that means it at any time, as the provider says."""
        return self.provider.identities(assets, start, end)

    def provenance(self, assets: Sequence[Any] = (), factors: Sequence[Any] = ()) -> dict[str, str]:
        """By source, the vintage of what is kept; several, where they were kept at different times."""
        asked: list[tuple[Kind, Any]] = [("assets", self._meant.get(a, a)) for a in assets]
        asked += [("factors", f) for f in factors]
        asked.append(("rate", _RATE))
        found: dict[str, set[str]] = {}
        for kind, label in asked:
            for file, vintage in self._kept_provenance(kind, _key(label)).items():
                found.setdefault(file, set()).add(vintage)
        return {file: ", ".join(sorted(vintages)) for file, vintages in found.items()}

    def info(self) -> pd.DataFrame:
        """List what is kept of this source: one row a file.

        Returns
        -------
        DataFrame
            ``kind``, ``label``, ``first`` and ``last`` date, ``rows``, ``fetched`` (when the oldest part came),
            ``age``, ``vintage``, ``bytes`` and ``file``. Of a damaged file only the last two are known.
        """
        now = self._time()
        columns = ["kind", "label", "first", "last", "rows", "fetched", "age", "vintage", "bytes", "file"]
        rows = [_facts(path, self._store.source, now) for path in self._store.files()]
        return pd.DataFrame([row for row in rows if row is not None], columns=columns)

    def clear(self) -> int:
        """Remove what is kept of this source, and nothing else in the folder; return how many files it was."""
        self._vintages.clear()
        return self._store.clear()

    def _span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        return self.provider._span()

    @property
    def _store(self) -> Store:
        return Store(self.folder, f"{self.source}, per {self.horizon.days:g} days")

    def _time(self) -> dt.datetime:
        now = self.clock()
        if not isinstance(now, dt.datetime) or now.tzinfo is None:
            raise InvalidParameterError(f"clock must return a datetime with its zone, but {now!r} came.")
        return now

    def _query(self, kind: Kind, wanted: Iterable[Any], asked: Window) -> _Query:
        return _Query(self, kind, list(dict.fromkeys(wanted)), _whole_spans(asked, self.horizon), self._time())

    @property
    def _meanings(self) -> Meanings:
        return Meanings(self._store.home, self._store.source)

    def _kept_meanings(self, names: Sequence[Any], asked: Window) -> dict[Any, Any] | None:
        """What names meant when the source was asked about this very window; None where it must be asked about one."""
        means = {name: name for name in names if not isinstance(name, str)}
        for name in [name for name in names if isinstance(name, str)]:
            kept = [m for m in self._meanings.read(name) if (m.low, m.high) == asked and not self._is_old(m)]
            if not kept:
                return None
            means[name] = kept[0].identity
        return means

    def _is_old(self, meaning: Meaning) -> bool:
        return self.max_age is not None and self._time() - meaning.said > self.max_age

    def _asked_meanings(self, names: list[Any], asked: Window) -> dict[Any, Any]:
        """Ask what names mean in a window; where the source does not answer, what they meant in one around it."""
        try:
            said = self.provider.identities(names, *asked)
        except OSError as error:
            return self._remembered(names, asked, error)
        means = _read_identities(names, said, self.provider)
        for name, identity in means.items():
            if isinstance(name, str) and identity != name:
                self._meanings.write(name, Meaning(identity, *asked, self._time()))
        return means

    def _remembered(self, names: Sequence[Any], asked: Window, error: OSError) -> dict[Any, Any]:
        means: dict[Any, Any] = {}
        for name in names:
            said = self._meanings.read(str(name))
            kept = [m for m in said if m.contains(asked)]
            if not kept and isinstance(name, str):
                raise self._beyond(name, said, error) from error
            means[name] = max(kept, key=lambda m: m.said).identity if kept else name
        told = "; ".join(f"{name} for {identity}" for name, identity in means.items() if name != identity)
        warnings.warn(
            f"{self.source} could not be reached ({str(error).strip()}); taken, as it last said, is {told}.",
            StaleDataWarning,
            stacklevel=4,
        )
        return means

    def _beyond(self, name: str, said: Sequence[Meaning], error: OSError) -> OSError:
        """The error of a source that cannot be reached, and what there is of a name in other windows."""
        if not said:
            return error
        there = "; ".join(f"{m.identity} in the window {m.window}, {self._kept_rows(m.identity)}" for m in said)
        kind = type(error) if isinstance(error, SourceError) else SourceError
        return kind(
            f"{str(error).strip().rstrip('.')}. What {name!r} meant in this window was not kept; it meant {there}. Ask "
            "within that window, or for what it meant, which no window changes.",
            label=name,
            meanings=[m.identity for m in said],
        )

    def _kept_rows(self, identity: Any) -> str:
        entry = self._store.read("assets", _key(identity))
        if entry is None:
            return "of which no returns are kept"
        return f"with returns from {entry.series.index[0].date()} to {entry.series.index[-1].date()}"

    def _kept_provenance(self, kind: Kind, key: str) -> Mapping[str, str]:
        if (kind, key) not in self._vintages:
            entry = self._store.read(kind, key)
            return {} if entry is None else entry.provenance
        return self._vintages[kind, key]

    def _served(self, query: _Query, asked: Window) -> pd.DataFrame:
        if not query.wanted:
            ask = self.provider.asset_returns if query.kind == "assets" else self.provider.factor_returns
            return ask([], *asked)
        entries = query.run()
        self._vintages.update({(query.kind, _key(label)): entry.provenance for label, entry in entries.items()})
        series = [entry.series for entry in entries.values()]
        frame: pd.DataFrame = pd.concat(series, axis=1, sort=True)
        return frame.loc[asked[0] : asked[1]].set_axis(labels.unique(query.wanted, query.kind), axis=1)

    def _ask(self, kind: Kind, wanted: list[Any], asked: Window) -> ReturnFrame:
        """Ask the provider."""
        error = UnknownAssetError if kind == "assets" else UnknownFactorError
        if kind == "rate":
            frame: Any = (
                ReturnFrame.read_rate(self.provider.risk_free(*asked), self.horizon).frame().set_axis(wanted, axis=1)
            )
        elif kind == "assets":
            frame = self.provider.asset_returns(wanted, *asked)
        else:
            frame = self.provider.factor_returns(wanted, *asked)
        whose = f"what {type(self.provider).__name__} gave as {kind}"
        frame = as_pandas(frame, whose)
        at = labels.positions(wanted, labels.unique(frame.columns, whose), kind.removesuffix("s"), error)
        return ReturnFrame.read(frame.iloc[:, at], FactorReturns(whose), self.horizon)

    def _provenance_of(self, kind: Kind, label: Any) -> dict[str, str]:
        if kind == "assets":
            return self.provider.provenance([label], ())
        return self.provider.provenance((), [label] if kind == "factors" else ())


@frozen(eq=False)
class _Query:
    """One question to a cache: what is there, what is missing, and what to do where the source does not answer."""

    cache: Cached
    kind: Kind
    wanted: list[Any]
    asked: Window
    now: dt.datetime
    entries: dict[Any, Entry] = field(factory=dict, init=False)
    looked_up: set[Any] = field(factory=set, init=False)
    changed: set[Any] = field(factory=set, init=False)
    fresh: dict[str, str] = field(factory=dict, init=False)

    @property
    def is_complete(self) -> bool:
        """Whether all of the window is there, so that the source need not be asked."""
        self._load()
        return all(label in self.entries and not self._missing(label) for label in self.wanted)

    def run(self) -> dict[Any, Entry]:
        """Return an entry for each label, that covers the window or all that can be had."""
        self._load()
        try:
            self._fetch_all({label: self._missing(label) for label in self.wanted})
            self._fetch_all({label: [self._hull(label)] for label in self.wanted if self._is_of_another_vintage(label)})
        except OSError as error:
            self._serve_what_there_is(error)
        for label in self.wanted:
            if label in self.changed and len(self.entries[label].series):
                self.cache._store.write(self.entries[label])
        return {label: self.entries[label] for label in self.wanted}

    def _load(self) -> None:
        for label in self.wanted:
            entry = None if label in self.looked_up else self.cache._store.read(self.kind, _key(label))
            self.looked_up.add(label)
            if entry is not None:
                self.entries[label] = entry

    def _fetch_all(self, missing: Mapping[Any, Sequence[Window]]) -> None:
        """Fetch windows: those that several labels lack together."""
        together: dict[Window, list[Any]] = {}
        for label, windows in missing.items():
            for lacking in windows:
                together.setdefault(lacking, []).append(label)
        for lacking, wanted in together.items():
            self._fetch(wanted, lacking)

    def _fetch(self, wanted: list[Any], lacking: Window) -> None:
        frame = self._answer(wanted, lacking).loc[lacking[0] : lacking[1]]
        found = {label: self.cache._provenance_of(self.kind, label) for label in wanted}
        for label in wanted:
            self.entries[label] = self._put_in(label, frame[label], lacking, found[label])
            self.changed.add(label)
            self.fresh.update(found[label])

    def _answer(self, wanted: list[Any], lacking: Window) -> pd.DataFrame:
        """Ask; a source that has come to its end, and says so, has nothing to add to an open window."""
        try:
            return self.cache._ask(self.kind, wanted, lacking).frame()
        except CoverageError:
            if lacking[1] is not None or not all(label in self.entries for label in wanted):
                raise
            return pd.DataFrame(index=pd.DatetimeIndex([]), columns=labels.unique(wanted, self.kind), dtype=float)

    def _put_in(self, label: Any, rows: pd.Series[float], lacking: Window, found: Mapping[str, str]) -> Entry:
        low, high = lacking
        old = self.entries.get(label)
        if old is None or _covers(lacking, old):
            end = self._settled(high, rows)
            before = _BEFORE_ALL if low is None else low - _A_DAY
            kept_to = before if end is None else end
            return Entry(self.kind, _key(label), low, kept_to, self.now, self.now, high, rows, found)
        new = extended(old, rows, low, high)
        if old.low is not None and (low is None or low < old.low):
            return evolve(new, low=low)
        end = self._settled(high, new.series)
        return evolve(new, high=old.high if end is None else max(end, old.high), checked=self.now, asked=high)

    def _settled(self, high: pd.Timestamp | None, rows: pd.Series[float]) -> pd.Timestamp | None:
        """Up to where no more rows will come: the last row, or the end of the window if all that is late has come."""
        if not len(rows):
            return None
        last = _last(rows)
        if high is None or last >= high:
            return last
        few = high - last <= _HOLIDAYS * max(1.0, self.cache.horizon.days)
        return high if few and high <= pd.Timestamp(self.now.date()) - _LATE else last

    def _missing(self, label: Any) -> list[Window]:
        """What of the window must be fetched for a label."""
        entry = self.entries.get(label)
        low, high = self.asked
        if entry is None:
            return [(low, high)]
        if self.cache.max_age is not None and self.now - entry.fetched > self.cache.max_age:
            return [self._hull(label)]
        missing: list[Window] = []
        if entry.low is not None and (low is None or low < entry.low):
            missing.append((low, entry.low - _A_DAY))
        if (high is None or high > entry.high) and not self._was_checked_today(entry):
            missing.append((entry.high + _A_DAY, high))
        return missing

    def _was_checked_today(self, entry: Entry) -> bool:
        return entry.checked.date() == self.now.date() and _reaches(entry.asked, self.asked[1])

    def _hull(self, label: Any) -> Window:
        """The window from the first to the last of what is kept and what was asked for."""
        entry, (low, high) = self.entries[label], self.asked
        return (
            None if low is None or entry.low is None else min(low, entry.low),
            None if high is None else max(high, entry.high),
        )

    def _is_of_another_vintage(self, label: Any) -> bool:
        kept = self.entries[label].provenance
        return any(kept[file] != vintage for file, vintage in self.fresh.items() if file in kept)

    def _serve_what_there_is(self, error: OSError) -> None:
        low, high = self.asked
        for label in self.wanted:
            if label not in self.entries or not len(self.entries[label].series.loc[low:high]):
                raise error
        oldest = min(self.entries.values(), key=lambda e: e.fetched)
        last = min(e.series.index[-1] for e in self.entries.values())
        warnings.warn(
            f"{self.cache.source} could not be reached ({str(error).strip()}); served is what was fetched "
            f"{_age(self.now - oldest.fetched)} ago, which reaches to {last.date()}.",
            StaleDataWarning,
            stacklevel=5,
        )


def _read_identities(names: Sequence[Any], said: Any, provider: DataProvider) -> dict[Any, Any]:
    """By name, what a provider says it means: whole numbers as those of Python, whatever they came as."""
    whose = f"{type(provider).__name__}.identities"
    if not isinstance(said, Sequence) or isinstance(said, str) or len(said) != len(names):
        raise InvalidParameterError(f"{whose} must return a list of one label for each of {names}, but {said!r} came.")
    wrong = [i for n, i in zip(names, said, strict=True) if i is not n and not _can_be_kept(i)]
    if wrong:
        raise InvalidParameterError(f"{whose} must return text or whole numbers, but {wrong[0]!r} came.")
    return {n: int(i) if isinstance(i, Integral) else i for n, i in zip(names, said, strict=True)}


def _can_be_kept(identity: object) -> bool:
    return isinstance(identity, str | Integral) and not isinstance(identity, bool)


def _last(rows: pd.Series[float]) -> pd.Timestamp:
    """The last row that counts: missing ones at the end may still come, unless they are so many that it is over."""
    last: pd.Timestamp = rows.index[-1]
    there = rows.last_valid_index()
    return last if there is None or last - there > _LATE else there  # type: ignore[operator,return-value]


def _reaches(asked: pd.Timestamp | None, high: pd.Timestamp | None) -> bool:
    """Whether asking up to one day, or for all there is, answers for another.

    Asked for all there is, a source does not say what it would refuse: an end beyond its own.
    """
    return asked is high if asked is None or high is None else high <= asked


def _covers(fetched: Window, entry: Entry) -> bool:
    low, high = fetched
    return (low is None or (entry.low is not None and low <= entry.low)) and (high is None or high >= entry.high)


def _whole_spans(asked: Window, horizon: Horizon) -> Window:
    """Widen a window to whole months, quarters or years, whose rows sources date differently."""
    if horizon not in _CALENDAR:
        return asked
    low, high = asked
    freq = _CALENDAR[horizon]
    return (
        None if low is None else low.to_period(freq).start_time.normalize(),
        None if high is None else high.to_period(freq).end_time.normalize(),
    )


def _key(label: Any) -> str:
    """Write a label so that 10107 and "10107" differ, and 10107 of numpy and of Python do not."""
    if isinstance(label, str):
        return label
    return f"{int(label)!r} (int)" if isinstance(label, Integral) else f"{label!r} ({type(label).__name__})"


def _age(age: dt.timedelta) -> str:
    seconds = age.total_seconds()
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {name}{'' if number == 1 else 's'}"
    return "less than a minute"


def _facts(path: Path, source: str, now: dt.datetime) -> dict[str, Any] | None:
    """What is known of one file; None where it has gone since it was listed."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}.", path=str(path)) from error
    known: dict[str, Any] = {"bytes": len(content), "file": str(path)}
    try:
        entry = decode(content, source)
    except DamagedError:
        return known
    if entry is None:
        return known
    return known | {
        "kind": entry.kind,
        "label": entry.label,
        "first": entry.series.index[0],
        "last": entry.series.index[-1],
        "rows": len(entry.series),
        "fetched": entry.fetched,
        "age": now - entry.fetched,
        "vintage": ", ".join(f"{file}: {vintage}" for file, vintage in sorted(entry.provenance.items())),
    }
