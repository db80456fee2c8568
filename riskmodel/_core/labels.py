"""Labels: unique, known, and found by nearest name where they are not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.errors import DuplicateLabelsError, InvalidParameterError, RiskModelError


def asset_labels(labels: Any) -> pd.Index[Any]:
    """Read unique asset labels (an attrs converter)."""
    return unique(labels, "assets")


def factor_labels(labels: Any) -> pd.Index[Any]:
    """Read unique factor labels (an attrs converter)."""
    return unique(labels, "factors")


def unique(labels: Iterable[Any], what: str) -> pd.Index[Any]:
    """Return the labels as an Index, or raise if one occurs twice or if a lone label came."""
    given = labels if isinstance(labels, pd.Index) else list(require_list(labels, what))
    try:
        index = given if isinstance(given, pd.Index) else _index(given)
        if len(index) == 1:  # at which pandas does not look
            hash(index[0])
        is_unique = index.is_unique
    except TypeError as error:
        raise InvalidParameterError(
            f"{what} must be labels such as text or numbers, but {listing(given)} came: {error}."
        ) from error
    if not is_unique:
        twice = list(index[index.duplicated()].unique())
        raise DuplicateLabelsError(
            f"{what} must be unique, but {listing(twice)} came more than once; rename or drop the extra ones.",
            labels=twice,
        )
    return index


def require_list(labels: Iterable[Any], what: str) -> Iterable[Any]:
    """Return several labels, or raise for a single one."""
    if is_lone(labels):
        raise InvalidParameterError(f"{what} must be a list of labels, got {labels!r}; write [{labels!r}].")
    return labels


def _index(labels: list[Any], dtype: Any = None) -> pd.Index[Any]:
    index: pd.Index[Any]
    try:
        index = pd.Index(labels, dtype=dtype)
    except UnicodeEncodeError:  # bytes of a command line that are no text, which Arrow's strings cannot hold
        index = pd.Index(labels, dtype=object)
    return index


def is_lone(labels: object) -> bool:
    """Whether this is one label, such as ``"MSFT"``, 10107 or a date, and not several; a tuple may be either."""
    return isinstance(labels, str | bytes) or not isinstance(labels, Iterable)


def positions(
    wanted: Sequence[Any] | pd.Index[Any], known: pd.Index[Any], what: str, error: type[RiskModelError]
) -> NDArray[np.intp]:
    """Return where each wanted label stands among the known ones, or raise with the nearest names."""
    if wanted is known:
        return np.arange(len(known), dtype=np.intp)
    if not isinstance(wanted, pd.Index) or not len(wanted):
        wanted = _index(list(wanted), known.dtype if len(wanted) == 0 else None)
    found = known.get_indexer(wanted)
    if (found < 0).any():
        raise unknown([w for w, f in zip(wanted, found, strict=True) if f < 0], known, what, error)
    return found


def unknown(
    missing: Sequence[object], known: Iterable[object], what: str, error: type[RiskModelError]
) -> RiskModelError:
    """Build the error for labels that are not there, naming the nearest that are."""
    known = list(known)
    # 10107 and '10107' print the same
    alike = {str(m) for m in missing} & {str(k) for k in known}
    write = repr if alike else str
    names = [write(k) for k in known]
    near = {write(m): _nearest(write(m), names) for m in missing[:5]}
    hints = "; ".join(f"nearest to {m if alike else repr(m)}: {', '.join(n)}" for m, n in near.items() if n)
    there = f"there are {len(names)}: {listing(names)}" if names else "there are none"
    return error(
        f"unknown {what}: {listing(map(write, missing))}. {hints + '. ' if hints else ''}Known ({there}).",
        missing=list(missing),
        nearest=near,
    )


def _nearest(name: str, names: Sequence[str]) -> list[str]:
    """Return up to three known names, nearest first, whatever their case."""
    folded = {n.casefold(): n for n in reversed(names)}
    return [folded[m] for m in get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.5)]


def listing(items: Iterable[object], most: int = 6) -> str:
    """Write out the first few items, and how many more there are."""
    names = [str(i) for i in items]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# The market's excess return as sources spell it without a suffix that says so, spaces left out.
_MARKET = frozenset({"mkt", "market", "mktrf", "marketrf", "rmrf"})


def is_excess(name: object) -> bool:
    """Whether a factor's name says that it is an excess return, as the French library's ``Mkt-RF`` does.

    In any case, and spaces aside: what ends in ``-RF`` or ``_RF``, and ``Mkt``, ``Market``, ``MktRF``,
    ``MarketRF`` and ``RMRF``. Such a factor is *funded*: holding it costs cash, and shorting it raises cash.
    """
    text = "".join(str(name).casefold().split())
    return text.endswith(("-rf", "_rf")) or text in _MARKET
