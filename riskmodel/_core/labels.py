"""Labels: read, checked for duplicates, found among known ones with suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel._core.arguments import shown
from riskmodel.errors import DuplicateLabelsError, InvalidParameterError, RiskModelError


def asset_labels(labels: Any) -> pd.Index[Any]:
    """Read unique asset labels (an attrs converter)."""
    return unique(labels, "assets")


def factor_labels(labels: Any) -> pd.Index[Any]:
    """Read unique factor labels (an attrs converter)."""
    return unique(labels, "factors")


def of_priors(labels: Iterable[Any]) -> tuple[Any, ...]:
    """The assets that have a prior, as a tuple without repeated ones."""
    return tuple(unique(labels, "priors"))


def unique(labels: Iterable[Any], what: str) -> pd.Index[Any]:
    """Return labels as an Index; raise for duplicates, and for a single label in place of a list."""
    given = labels if isinstance(labels, pd.Index) else list(require_list(labels, what))
    try:
        index = _plain(given) if isinstance(given, pd.Index) else _index(given)
        if index.dtype == object:  # pandas does not hash all labels at once
            for label in index:
                hash(label)
        is_unique = index.is_unique
    except TypeError as error:
        raise InvalidParameterError(
            f"expected {what} as labels such as text or numbers, got {listing(given)}: {error}.", what=what
        ) from error
    has_levels = isinstance(index, pd.MultiIndex) or (
        index.dtype == object and any(isinstance(x, tuple) for x in index)
    )
    if has_levels or index.hasnans:
        got = "a missing label (NaN, NaT or None); name it"
        if has_levels:
            got = "labels of several levels; join them, for instance with columns.map('_'.join)"
        raise InvalidParameterError(
            f"expected {what} with one label each, got {got}.",
            what=what,
            labels=list(index),
        )
    if not is_unique:
        twice = list(index[index.duplicated()].unique())
        raise DuplicateLabelsError(
            f"expected {what} without duplicates, got {listing(twice)} more than once; rename or drop the extra ones.",
            what=what,
            labels=twice,
        )
    return index


def _plain(index: pd.Index[Any]) -> pd.Index[Any]:
    """Return labels without a dtype of pandas's own, such as Int64 or categories: equal labels are then of one kind."""
    special = isinstance(index.dtype, pd.CategoricalDtype) or pd.api.types.is_numeric_dtype(index.dtype)
    return _index(index.tolist()) if special and pd.api.types.is_extension_array_dtype(index.dtype) else index


def require_list(labels: Iterable[Any], what: str) -> Iterable[Any]:
    """Return a list of labels, or raise for a single label."""
    if is_lone(labels):
        raise InvalidParameterError(
            f"expected {what} as a list of labels, got {shown(labels)}; write [{shown(labels)}].", what=what, got=labels
        )
    return labels


def _index(labels: list[Any], dtype: Any = None) -> pd.Index[Any]:
    index: pd.Index[Any]
    try:
        index = pd.Index(labels, dtype=dtype)
    except UnicodeEncodeError:  # undecodable bytes of a command line, which Arrow strings cannot hold
        index = pd.Index(labels, dtype=object)
    return index


def check_label(_instance: object, attribute: Any, label: Any) -> None:
    """Raise unless this is one label (an attrs validator)."""
    require_label(label, attribute.alias)


def require_label(label: Any, what: str) -> Any:
    """Return one label, such as text or a number; raise for lists, tables and what is missing."""
    try:
        hash(label)
        known = not isinstance(label, tuple | type) and pd.api.types.is_scalar(label) and not pd.isna(label)
    except TypeError:
        known = False
    if not known:
        raise InvalidParameterError(
            f"expected {what} as a label such as text or a number, got {shown(label)}.", what=what, got=label
        )
    return label


def is_lone(labels: object) -> bool:
    """Whether this is a single label, such as ``"MSFT"``, 10107 or a date; a tuple counts as a list."""
    return isinstance(labels, str | bytes) or not isinstance(labels, Iterable) or getattr(labels, "ndim", 1) == 0


def positions(
    wanted: Sequence[Any] | pd.Index[Any], known: pd.Index[Any], what: str, error: type[RiskModelError]
) -> NDArray[np.intp]:
    """Return the position of each label among the known ones, or raise with the nearest names."""
    if wanted is known:
        return np.arange(len(known), dtype=np.intp)
    if not isinstance(wanted, pd.Index) or not len(wanted):
        wanted = unique(wanted, f"{what}s") if len(wanted) else _index([], known.dtype)
    found = known.get_indexer(wanted)
    if (found < 0).any():
        raise unknown([w for w, f in zip(wanted, found, strict=True) if f < 0], known, what, error)
    return found


def unknown(
    missing: Sequence[object], known: Iterable[object], what: str, error: type[RiskModelError]
) -> RiskModelError:
    """Make the error for unknown labels, with the nearest known ones."""
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
    """Return up to three known names, nearest first, ignoring case."""
    folded = {n.casefold(): n for n in reversed(names)}
    return [folded[m] for m in get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.5)]


def listing(items: Iterable[object], most: int = 6) -> str:
    """Join the first few items, and the number of the rest, for a message."""
    names = [str(i) for i in items]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# Names of the market's excess return without the suffix -RF, in sources; spaces removed.
_MARKET = frozenset({"mkt", "market", "mktrf", "marketrf", "rmrf"})


def is_excess(name: object) -> bool:
    """Whether a factor's name is that of an excess return, such as the French library's ``Mkt-RF``.

    Ignoring case and spaces: names that end in ``-RF`` or ``_RF``, and ``Mkt``, ``Market``, ``MktRF``, ``MarketRF`` and
    ``RMRF``. Such a factor is *funded*: holding it costs cash, and shorting it raises cash.
    """
    text = "".join(str(name).casefold().split())
    return text.endswith(("-rf", "_rf")) or text in _MARKET


# Names of spreads of the literature, as sources write them; case and signs removed.
_SPREADS = frozenset({"smb", "hml", "rmw", "cma", "mom", "umd", "wml", "qmj", "bab", "strev", "ltrev", "hmldevil"})


def is_return(name: object) -> bool:
    """Whether a factor's name is that of an excess return, or of a spread such as ``SMB``."""
    text = "".join(c for c in str(name).casefold() if c.isalnum())
    return is_excess(name) or text in _SPREADS
