"""Open, high, low, close and volume: columns of one asset, not of several."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from riskmodel._core import labels
from riskmodel.errors import LayoutError

_ADJUSTED = frozenset({"adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjusted"})
# In this order: a close is a close; what is called a price or the last one is a close beside highs and lows.
_CLOSES = (
    "close", "closelast", "closeprice", "settle", "settlement", "price", "last", "lastprice", "pxlast", "mid",
    "zamkniecie", "schluss", "schlusskurs", "cloture", "dernier",
)  # fmt: skip
_OTHERS = {
    "open": "open", "openprice": "open", "pxopen": "open", "otwarcie": "open", "eroffnung": "open", "ouverture": "open",
    "high": "high", "highprice": "high", "pxhigh": "high", "najwyzszy": "high", "hoch": "high", "haut": "high",
    "low": "low", "lowprice": "low", "pxlow": "low", "najnizszy": "low", "tief": "low", "bas": "low",
    "plushaut": "high", "plusbas": "low", "bid": "bid", "ask": "ask",
    "volume": "volume", "vol": "volume", "pxvolume": "volume", "totalvolume": "volume", "turnover": "volume",
    "wolumen": "volume", "volumen": "volume", "umsatz": "volume", "openinterest": "volume", "marketcap": "volume",
}  # fmt: skip
_FIELDS = {**_OTHERS, **dict.fromkeys(_CLOSES, "close"), **dict.fromkeys(_ADJUSTED, "adjusted")}
# Two of these are enough: a price beside a volume, a bid beside an ask.
_PAIRS = ({"close", "volume"}, {"adjusted", "volume"}, {"close", "adjusted"}, {"open", "close"}, {"bid", "ask"})
# Of how many kinds columns must be otherwise, the close among them.
_ENOUGH = 3
# Beside more than so many other columns, LOW, OPEN and LAST are tickers, unless they are of more kinds.
_MANY = 12
# Between low and high, this is a portfolio, and no price.
_MID = frozenset({"low", "mid", "high"})
# Alone they may be tickers.
_INITIALS = frozenset("ohlcv")
# "1. open", "<CLOSE>", "Adj Close**", "Close/Last": as programs and pages write them
_NOT_LETTERS = re.compile(r"^[0-9]+\.|[^a-z]")
_SEPARATORS = re.compile(r"[_|:/ -]+")


def _letters(name: Any) -> str:
    text = str(name).casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).replace("ł", "l")
    elif text.isalpha():
        return text
    return _NOT_LETTERS.sub("", text)


def field_of(name: Any) -> str:
    """Return what a column of prices is: open, high, low, close, adjusted or volume; empty for another name."""
    return _FIELDS.get(_letters(name), "")


def are_bars(names: Iterable[Any]) -> bool:
    """Whether columns are those of one asset.

    These are at least three of open, high, low, close, adjusted close and volume, with a close; a price beside a
    volume or an open, or a bid beside an ask; or the initials o, h, l, c, v alone. Among many others, some of which
    may be tickers such as LOW and OPEN, they are four kinds or more. Low, Mid and High are portfolios.
    """
    known = list(names)
    if len(known) > _ENOUGH and set(known) <= _INITIALS:
        return True
    spelled = [_letters(name) for name in known]
    letters = set(spelled)
    if letters & set(_FIELDS) <= _MID:
        return False
    is_among_many = sum(text not in _FIELDS for text in spelled) > _MANY
    fields = {_FIELDS[text] for text in letters if text in _FIELDS}
    has_close = bool(fields & {"close", "adjusted"})
    if is_among_many:
        return has_close and len(fields) > _ENOUGH
    # VOL alone may be a volatility
    plain = {_FIELDS[text] for text in letters - {"vol"} if text in _FIELDS}
    return (has_close and len(fields) >= _ENOUGH) or any(pair <= plain for pair in _PAIRS)


def close_of(names: Iterable[Any]) -> Any:
    """Return the column of the adjusted close, else of the close; None where there is neither."""
    known = list(names)
    adjusted = [name for name in known if field_of(name) == "adjusted"]
    closes = [name for name in known if field_of(name) == "close"]
    closes.sort(key=lambda name: _CLOSES.index(_letters(name)))
    return next(iter(adjusted + closes), None)


def require_assets(names: Iterable[Any], what: str) -> None:
    """Raise where labels are not those of assets, but open, high, low and close of one."""
    known = list(names)
    bars = [name for name in known if field_of(name)] or known if are_bars(known) else _bars_of_an_asset(known)
    if bars:
        raise LayoutError(
            f"expected one column for each asset in {what}, got {labels.listing(bars)}, which are of one asset; pass "
            "the returns of adjusted closes alone, as table['Adj Close'].pct_change() of a frame with levels, or as "
            "rm.read_prices reads them from a file.",
            what=what,
            columns=bars,
        )


def _bars_of_an_asset(names: Sequence[Any]) -> list[Any]:
    """Return the columns of an asset whose label is part of theirs: Close_AAPL, AAPL Close, (Close, AAPL)."""
    by_asset: dict[tuple[str, ...], list[Any]] = {}
    for name in names:
        parts = [str(p) for p in name] if isinstance(name, tuple) else _SEPARATORS.split(str(name))
        if len(parts) < 2:
            continue
        for field, asset in _fields_and_assets(parts):
            by_asset.setdefault(asset, []).append((field, name))
    for found in by_asset.values():
        fields = [field for field, _ in found]
        if len(fields) >= _ENOUGH and are_bars(fields):
            return [name for _, name in found]
    return []


def _fields_and_assets(parts: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Split what stands at the beginning or the end of a label, of two words or one, from the rest."""
    for n in range(min(2, len(parts) - 1), 0, -1):
        for field, rest in ((parts[:n], parts[n:]), (parts[-n:], parts[:-n])):
            if field_of(" ".join(field)):
                yield " ".join(field), tuple(rest)
                return
