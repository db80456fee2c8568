"""Resolve labels to securities: tickers to permnos as of the window, not as of today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from numbers import Integral
from typing import Any, final

from attrs import frozen

from riskmodel._core import labels
from riskmodel.data.wrds.server import Server
from riskmodel.data.wrds.tables import Catalogue, Names
from riskmodel.errors import AmbiguousAssetError, InvalidParameterError, UnknownAssetError

# The ends of an open window.
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)


@final
@frozen
class Name:
    """The ticker and company name of one security over a span of days."""

    permno: int
    ticker: str
    company: str
    share_class: str
    start: date
    end: date

    def within(self, low: date, high: date) -> bool:
        """Return whether the name was in use on some day of the window."""
        return self.start <= high and low <= self.end

    def is_called(self, label: str) -> bool:
        """Return whether a label is the ticker, or ticker and share class as in ``BRK.B``."""
        return label in (self.ticker, f"{self.ticker}.{self.share_class}" if self.share_class else self.ticker)

    def __str__(self) -> str:
        share = f" class {self.share_class}" if self.share_class else ""
        return f"permno {self.permno} ({self.company}{share}, {self.start} to {self.end})"


@final
@frozen
class Directory:
    """The server's table of names.

    Parameters
    ----------
    server : Server
        Server to query.
    names : Names
        Table of names.
    catalogue : Catalogue
        Tables of the server.
    """

    _server: Server
    _names: Names
    _catalogue: Catalogue

    def permnos(self, assets: Sequence[Any], low: date, high: date) -> list[int]:
        """Return the permno of each label: a whole number is a permno, text a ticker on some day of the window.

        Raises
        ------
        UnknownAssetError
            For a permno that CRSP does not have, or a ticker that no security had in the window. The message lists
            the securities that had it at other times.
        AmbiguousAssetError
            For a ticker that more than one security had in the window. The message lists them.
        InvalidParameterError
            For a label that is neither text nor a whole number.
        """
        _require_labels(assets)
        tickers = [a for a in assets if isinstance(a, str)]
        called = self._called(tickers)
        means = {t: self._one(t, called[t], low, high) for t in tickers if called[t]}
        self._require_known([t for t in tickers if not called[t]], low, high)
        numbers = [int(a) for a in assets if not isinstance(a, str)]
        self._require_permnos(numbers)
        return [means[a] if isinstance(a, str) else int(a) for a in assets]

    def history(self, permnos: Iterable[int]) -> list[Name]:
        """Return all names of securities, by permno and day."""
        return self._select("permno = ANY(%(permnos)s)", {"permnos": list(permnos)})

    def _select(self, condition: str, parameters: Mapping[str, Any]) -> list[Name]:
        n = self._names
        rows = self._server.fetch(
            f"SELECT permno::int4, trim(coalesce(ticker, '')), trim(coalesce({n.company}, '')), "
            f"trim(coalesce({n.share_class}, '')), {n.first_day()} AS first, {n.last_day(self._catalogue)} "
            f"FROM {n.table} WHERE {condition} ORDER BY permno, first",
            parameters,
        )
        return [Name(*row) for row in rows]

    def _called(self, tickers: Sequence[str]) -> dict[str, list[Name]]:
        """Return all names that match each label; a ticker has precedence over a ticker with a class."""
        wanted = {part for t in tickers if _can_be_ticker(t) for part in (t, t.rpartition(".")[0])} - {""}
        rows = self._select("trim(ticker) = ANY(%(tickers)s)", {"tickers": sorted(wanted)}) if wanted else []
        by_ticker: dict[str, list[Name]] = {}
        for name in rows:
            by_ticker.setdefault(name.ticker, []).append(name)
        found = {}
        for label in tickers:
            classes = [n for n in by_ticker.get(label.rpartition(".")[0], []) if n.is_called(label)]
            found[label] = by_ticker.get(label, classes)
        return found

    def _one(self, label: str, called: Sequence[Name], low: date, high: date) -> int:
        inside = _spans([n for n in called if n.within(low, high)])
        if not inside:
            raise UnknownAssetError(
                f"expected a security with the ticker {label!r} {_window(low, high)}, got none; at other times it was "
                f"{_listed(_spans(called))}. Give the permno, widen the window, or set as_of= to a day on which the "
                "security had the ticker: it keeps its permno and its history when it is renamed.",
                missing=[label],
                candidates=[n.permno for n in _spans(called)],
            )
        if len(inside) > 1:
            classes = [f"{label}.{n.share_class}" for n in inside if n.share_class and not label.endswith(".")]
            raise AmbiguousAssetError(
                f"expected one security with the ticker {label!r} {_window(low, high)}, got {len(inside)}: "
                f"{_listed(inside)}. Give the permno{' or a share class, ' + ' or '.join(classes) if classes else ''}, "
                "narrow the window, or set as_of= to a day on which only one had it.",
                label=label,
                candidates=[n.permno for n in inside],
            )
        return inside[0].permno

    def _require_known(self, missing: Sequence[str], low: date, high: date) -> None:
        if missing:
            n = self._names
            known = self._server.fetch(
                f"SELECT DISTINCT trim(ticker) FROM {n.table} WHERE trim(ticker) <> '' "
                f"AND {n.first_day()} <= %(high)s AND {n.last_day(self._catalogue)} >= %(low)s ORDER BY 1",
                {"low": low, "high": high},
            )
            error = labels.unknown(missing, [t for (t,) in known], "ticker", UnknownAssetError)
            raise UnknownAssetError(f"{error}{_advice(missing)}", **error.details)

    def _require_permnos(self, numbers: Sequence[int]) -> None:
        if numbers:
            known = {n.permno for n in self.history(numbers)}
            missing = [n for n in numbers if n not in known]
            if missing:
                raise UnknownAssetError(
                    f"unknown permno: {labels.listing(missing)}. Permnos start at 10000; write a ticker as text.",
                    missing=missing,
                )


def _require_labels(assets: Sequence[Any]) -> None:
    for asset in assets:
        if isinstance(asset, bool) or not isinstance(asset, str | Integral):
            raise InvalidParameterError(
                f"expected each asset as a ticker such as 'MSFT' or a permno such as 10107, got {asset!r} "
                f"({type(asset).__name__}).",
                parameter="assets",
                got=asset,
            )


def _advice(missing: Sequence[str]) -> str:
    """Return advice for labels in the wrong form."""
    numbers = [m for m in missing if m.strip().isdecimal()]
    classes = [m for m in missing if "-" in m or "/" in m]
    return (f" A permno is a whole number, not text: {int(numbers[0])}." if numbers else "") + (
        f" Share classes are written with a point: {classes[0].replace('-', '.').replace('/', '.')}." if classes else ""
    )


def _can_be_ticker(label: str) -> bool:
    """Return whether a label can be sent to the server: PostgreSQL text cannot have a zero byte."""
    return label.isascii() and label.isprintable()


def _spans(names: Iterable[Name]) -> list[Name]:
    """Return one name for each security, from its first to its last day with the ticker."""
    merged: dict[int, Name] = {}
    for n in names:
        seen = merged.get(n.permno)
        merged[n.permno] = n if seen is None else _joined(seen, n)
    return list(merged.values())


def _joined(first: Name, last: Name) -> Name:
    return Name(
        last.permno, last.ticker, last.company, last.share_class, min(first.start, last.start), max(first.end, last.end)
    )


def _listed(names: Iterable[Name]) -> str:
    return "; ".join(str(n) for n in names)


def _window(low: date, high: date) -> str:
    if low == high:
        return f"on {low}"
    ends = ([f"from {low}"] if low > EARLIEST else []) + ([f"to {high}"] if high < LATEST else [])
    return " ".join(ends) or "at any time"
