"""Columns with names of two parts, a field such as Close and a ticker, as yfinance and quantmod write them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodel._core.bars import are_bars, field_of
from riskmodel.data.files.numbers import is_number

Fields = dict[str, tuple[str, str]]
# Fields beside prices and volume, letters alone.
_OTHERS = frozenset({"dividends", "stocksplits", "capitalgains", "repaired"})
# What stands above the dates in a second line of names.
_CORNERS = frozenset({"", "ticker", "tickers", "symbol", "symbols", "price", "field", "attributes", "date", "none"})
# "AAPL.Open", "AAPL Close", "AAPL_Adj Close"; "Close_AAPL", "Adj Close AAPL"
_JOINED = (
    re.compile(r"(?P<ticker>.+?)[._ ](?P<field>(?:Adj[ ._]?)?[A-Za-z]+)"),
    re.compile(r"(?P<field>(?:Adj[ ._]?)?[A-Za-z]+)[._ ](?P<ticker>.+)"),
)


def is_field(name: Any) -> bool:
    """Whether this is the name of a field of prices."""
    return bool(field_of(name)) or re.sub("[^a-z]", "", str(name).casefold()) in _OTHERS


def joined(field: str, ticker: str) -> str:
    """Name the column of a field and a ticker."""
    return f"{field} {ticker}"


def from_rows(rows: Sequence[Sequence[str]]) -> tuple[list[str], Fields, int] | None:
    """Read the header of a file with a line of fields and a line of tickers, in any order, and perhaps one for dates.

    Returns
    -------
    tuple or None
        Names of the columns, their fields, and the number of lines; None where the header is of another kind.
    """
    if len(rows) < 3 or len(rows[0]) != len(rows[1]):
        return None
    first, second = ([cell.strip() for cell in row] for row in rows[:2])
    if second[0].casefold() not in _CORNERS or not all(first[1:]) or not all(second[1:]):
        return None
    if all(map(is_number, second[1:])):  # a row of prices without a date
        return None
    if all(map(is_field, first[1:])):
        pairs = list(zip(first[1:], second[1:], strict=True))
    elif all(map(is_field, second[1:])):
        pairs = list(zip(second[1:], first[1:], strict=True))
    else:
        return None
    third = [cell.strip() for cell in rows[2]]
    has_dates_name = not any(third[1:])
    date = third[0] if has_dates_name else first[0]
    names = [joined(*pair) for pair in pairs]
    return [date or "Date", *names], dict(zip(names, pairs, strict=True)), 2 + has_dates_name


def from_names(names: Sequence[Any]) -> Fields:
    """Read names such as ``AAPL.Close`` or ``('Close', 'AAPL')``; empty where not all are of one such kind."""
    for read in (_from_tuple, *(_from_joined(form) for form in _JOINED)):
        pairs = [read(name) for name in names]
        found = [pair for pair in pairs if pair is not None]
        if len(found) == len(names) and found and are_bars(field for field, _ in found):
            return dict(zip(map(str, names), found, strict=True))
    return {}


def from_levels(names: Sequence[Any]) -> Fields:
    """Read the column names of a table with two levels; empty where neither is one of fields."""
    for at in (0, 1):
        if all(is_field(name[at]) for name in names):
            return {joined(str(n[at]), str(n[1 - at])): (str(n[at]), str(n[1 - at])) for n in names}
    return {}


def _from_tuple(name: Any) -> tuple[str, str] | None:
    text = str(name)
    if not text.startswith("("):
        return None
    try:
        pair = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(pair, tuple) or len(pair) != 2:
        return None
    one, other = map(str, pair)
    return (one, other) if is_field(one) else (other, one) if is_field(other) else None


def _from_joined(form: re.Pattern[str]) -> Any:
    def read(name: Any) -> tuple[str, str] | None:
        found = form.fullmatch(str(name))
        return (found["field"], found["ticker"]) if found and is_field(found["field"]) else None

    return read


def by_field(fields: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, str]]:
    """Return, for each field, the column of each ticker."""
    found: dict[str, dict[str, str]] = {}
    for name, (field, ticker) in fields.items():
        found.setdefault(field, {})[ticker] = name
    return found
