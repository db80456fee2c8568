"""One request to a cache."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import pandas as pd
from attrs import define, field

from riskmodel._core import labels
from riskmodel._core.frames import ReturnFrame, as_pandas
from riskmodel._core.kinds import FactorReturns
from riskmodel.data.cache.entry import END, Entry
from riskmodel.data.cache.record import NO_ROWS
from riskmodel.data.cache.store import Kind, Store
from riskmodel.data.provider import DataProvider
from riskmodel.errors import (
    CoverageError,
    MixedVintagesWarning,
    StaleDataWarning,
    UnknownAssetError,
    UnknownFactorError,
)

RATE = "risk_free"
_A_DAY = pd.Timedelta(days=1)
# A source may publish a new vintage between two answers: fetch outdated series again, at most this often.
_ROUNDS = 4


@define(eq=False)
class Request:
    """Read series of one kind from the store and fetch missing parts.

    `newest` has the newest vintage seen of each file of the source, and when; requests share it.
    """

    provider: DataProvider
    store: Store
    kind: Kind
    wanted: list[Any]
    window: tuple[pd.Timestamp | None, pd.Timestamp | None]
    now: pd.Timestamp
    max_age: dt.timedelta | None
    newest: dict[str, tuple[pd.Timestamp, str]]
    _entries: dict[Any, Entry] = field(factory=dict, init=False)
    _changed: set[Any] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self._load()

    @property
    def is_complete(self) -> bool:
        """Whether the whole window is stored."""
        return not self._missing()

    def run(self) -> dict[Any, Entry]:
        """Return an entry for each label, up to the end of the window or of the available rows."""
        if not self.is_complete:
            with self.store.turn(self.kind):
                self._load()  # another process may have fetched it meanwhile
                try:
                    self._fetch_missing()
                except OSError as error:
                    self._require_stored(error)
                finally:
                    self._store_changed()
        warn_if_mixed(self.store.source, [(label, self._entries[label].provenance) for label in self.wanted])
        return self._entries

    def _load(self) -> None:
        for label in self.wanted:
            record = self.store.read(self.kind, key(label))
            if record is not None:
                entry = self._entries[label] = Entry.of(*record)
                for file, vintage in entry.provenance.items():
                    if file not in self.newest or self.newest[file][0] < entry.checked:
                        self.newest[file] = (entry.checked, vintage)

    @property
    def _end(self) -> pd.Timestamp:
        return END if self.window[1] is None else self.window[1]

    def _missing(self) -> dict[pd.Timestamp | None, list[Any]]:
        """Return the labels to fetch, by first missing day; None for the whole history."""
        missing: dict[pd.Timestamp | None, list[Any]] = {}
        for label in self.wanted:
            entry = self._entries.get(label)
            if entry is None or self._is_old(entry) or self._is_outdated(entry):
                missing.setdefault(None, []).append(label)
            elif entry.lacks(self._end, self.now):
                missing.setdefault(entry.last + _A_DAY, []).append(label)
        return missing

    def _is_old(self, entry: Entry) -> bool:
        return self.max_age is not None and self.now - entry.fetched > self.max_age

    def _is_outdated(self, entry: Entry) -> bool:
        newest = self.newest.copy()  # another thread may clear it
        return any(newest[file][1] != vintage for file, vintage in entry.provenance.items() if file in newest)

    def _fetch_missing(self) -> None:
        for _ in range(_ROUNDS):
            for start, wanted in self._missing().items():
                frame = self._ask(wanted, start)
                for i, label in enumerate(wanted):
                    self._add(label, frame.iloc[:, i], start)

    def _ask(self, wanted: list[Any], start: pd.Timestamp | None) -> pd.DataFrame:
        if start is None:
            return ask(self.provider, self.kind, wanted)
        try:
            return ask(self.provider, self.kind, wanted, start, self.window[1]).loc[start : self._end]
        except CoverageError:
            if self.window[1] is not None:
                raise
            # the source ends before this window: there are no rows to add
            return pd.DataFrame(dict.fromkeys(range(len(wanted)), NO_ROWS))

    def _add(self, label: Any, rows: pd.Series[float], start: pd.Timestamp | None) -> None:
        asset, factor = [label] * (self.kind == "assets"), [label] * (self.kind == "factors")
        provenance = self.provider.provenance(asset, factor)
        self.newest.update({file: (self.now, vintage) for file, vintage in provenance.items()})
        entry = Entry(self.now, self.now, END, provenance, rows)
        if start is not None:
            if self._is_outdated(self._entries[label]):
                return  # the next round fetches the whole history, so that no series has two vintages
            entry = self._entries[label].extended(rows, self._end, self.now)
        self._entries[label] = entry
        self._changed.add(label)

    def _store_changed(self) -> None:
        for label in self._changed:
            if len(self._entries[label].series):
                self.store.write(self.kind, key(label), *self._entries[label].record)

    def _require_stored(self, error: OSError) -> None:
        """Warn that stored data are served; raise if a label has none in the window."""
        entries = [self._entries[label] for label in self.wanted if label in self._entries]
        if len(entries) < len(self.wanted) or not all(len(e.series.loc[slice(*self.window)]) for e in entries):
            raise error
        age = (self.now - min(entry.fetched for entry in entries)).floor("s")
        last = min(entry.series.index[-1] for entry in entries)
        warnings.warn(
            f"cannot reach {self.store.source} ({str(error).strip()}); using data up to {last.date()}, fetched {age} "
            "ago.",
            StaleDataWarning,
            stacklevel=5,
        )


def ask(provider: DataProvider, kind: Kind, wanted: list[Any], low: Any = None, high: Any = None) -> pd.DataFrame:
    """Fetch series from a provider, check them and order the columns."""
    if kind == "rate":
        return ReturnFrame.read_rate(provider.risk_free(low, high), provider.horizon).frame().set_axis(wanted, axis=1)
    error = UnknownAssetError if kind == "assets" else UnknownFactorError
    returns = provider.asset_returns if kind == "assets" else provider.factor_returns
    whose = f"the {kind} of {type(provider).__name__}"
    frame = as_pandas(returns(wanted, low, high), whose)
    at = labels.positions(wanted, labels.unique(frame.columns, whose), kind.removesuffix("s"), error)
    return ReturnFrame.read(frame.iloc[:, at], FactorReturns(whose), provider.horizon).frame()


def key(label: Any) -> str:
    """Return a text key of a label: 10107 and "10107" differ, 10107 of numpy and of Python do not."""
    if isinstance(label, str):
        return label
    return f"{int(label)!r} (int)" if isinstance(label, Integral) else f"{label!r} ({type(label).__name__})"


def warn_if_mixed(source: str, provenances: Iterable[tuple[Any, Mapping[str, str]]]) -> dict[str, list[str]]:
    """Return the vintages of each file; warn if a file has several."""
    found: dict[str, dict[str, list[Any]]] = {}
    for label, provenance in provenances:
        for file, vintage in provenance.items():
            found.setdefault(file, {}).setdefault(vintage, []).append(label)
    for file, vintages in found.items():
        if len(vintages) > 1:
            those = "; ".join(f"{vintage} ({labels.listing(vintages[vintage])})" for vintage in sorted(vintages))
            warnings.warn(
                f"{source}: expected returns of one vintage, got several of {file}: {those}; fetch again when the "
                "source is reachable, or clear() the cache.",
                MixedVintagesWarning,
                stacklevel=5,
            )
    return {file: sorted(vintages) for file, vintages in found.items()}
