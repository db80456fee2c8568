"""Open, high, low, close and volume: columns of one asset, not of several."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from riskmodel._core import labels
from riskmodel.errors import LayoutError

_ADJUSTED = frozenset({"adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjusted"})
# In this order: a close is a close; what is called a price or the last one is a close beside highs and lows.
_CLOSES = ("close", "closelast", "closeprice", "price", "last", "lastprice", "pxlast")
_OTHERS = {
    "open": "open", "openprice": "open", "pxopen": "open",
    "high": "high", "highprice": "high", "pxhigh": "high",
    "low": "low", "lowprice": "low", "pxlow": "low",
    "volume": "volume", "vol": "volume", "pxvolume": "volume",
}  # fmt: skip
_BESIDE = frozenset({"close", "volume", *_ADJUSTED})
# Of how many kinds columns must be, the close among them.
_ENOUGH = 3
# "1. open", "<CLOSE>", "Adj Close**", "Close/Last": as programs and pages write them
_NOT_LETTERS = re.compile(r"^[0-9]+\.|[^a-z]")


def _letters(name: Any) -> str:
    return _NOT_LETTERS.sub("", str(name).casefold())


def field_of(name: Any) -> str:
    """Return what a column of prices is: open, high, low, close, adjusted or volume; empty for another name."""
    text = _letters(name)
    if text in _ADJUSTED:
        return "adjusted"
    return "close" if text in _CLOSES else _OTHERS.get(text, "")


def are_bars(names: Iterable[Any]) -> bool:
    """Whether columns are those of one asset.

    These are at least three of open, high, low, close, adjusted close and volume, with a close; or two of the last
    three.
    """
    known = list(names)
    fields = {field_of(name) for name in known} - {""}
    has_close = bool(fields & {"close", "adjusted"})
    return has_close and (len(fields) >= _ENOUGH or len({_letters(name) for name in known} & _BESIDE) > 1)


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
    if are_bars(known):
        bars = [name for name in known if field_of(name)]
        raise LayoutError(
            f"expected one column for each asset in {what}, got {labels.listing(bars)}, which are of one asset; pass "
            "the return of its adjusted close alone, which rm.read_prices reads from such a file.",
            what=what,
            columns=bars,
        )
