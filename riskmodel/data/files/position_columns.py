"""Which columns of a file of positions hold what, as the caller says or their names tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from attrs import field, fields, frozen

from riskmodel._core import labels
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, LayoutError

# Names of columns, in this order where several would do; case, spaces, points and underscores are ignored.
_CALLED = {
    "asset": ("asset", "ticker", "symbol", "permno", "security", "instrument", "isin", "cusip", "sedol"),
    "quantity": ("quantity", "qty", "shares", "units", "contracts"),
    "dollars": ("dollars", "marketvalue", "mv", "value", "notional", "usd"),
    "weight": ("weight", "weights", "wgt"),
    "price": ("price", "px", "pxlast", "lastprice", "close"),
    "group": ("group", "sector", "desk", "industry", "country"),
    "date": ("date", "asof", "asofdate", "positiondate", "day"),
}
_MEASURES = ("dollars", "weight", "quantity")


def _is_a_name(_columns: Any, part: Any, value: Any) -> None:
    if value is not None:
        labels.require_label(value, part.alias)


@final
@frozen
class PositionColumns(Listed):
    r"""The columns of a file of positions, one row for each asset, and date where there are several.

    Each is found by its name where it is not given: ``asset`` or ``ticker``, ``dollars`` or ``market value``,
    ``quantity`` or ``shares``, ``weight``, ``price``, ``group`` or ``sector``, ``date`` or ``as of``, among others.

    Parameters
    ----------
    asset, date, group : label, optional
        The names of these columns; files without dates or groups need none.
    dollars, weight, quantity : label, optional
        The one of them that says how much is held. A quantity is multiplied by `price`.
    price : label, optional
        Dollars for one share.

    Raises
    ------
    InvalidParameterError
        For what is no name of a column, or for two columns that say how much is held.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "book.csv"
    >>> _ = path.write_text("Sec,MV\nMSFT,5000000\nXOM,-2000000\n")
    >>> rm.read_positions(path, rm.PositionColumns(asset="Sec", dollars="MV"))
    <Book of 2 names: long 5,000,000, short 2,000,000 dollars>
    """

    asset: Any = field(default=None, validator=_is_a_name)
    dollars: Any = field(default=None, validator=_is_a_name)
    weight: Any = field(default=None, validator=_is_a_name)
    quantity: Any = field(default=None, validator=_is_a_name)
    price: Any = field(default=None, validator=_is_a_name)
    group: Any = field(default=None, validator=_is_a_name)
    date: Any = field(default=None, validator=_is_a_name)

    def __attrs_post_init__(self) -> None:
        told = [name for name in _MEASURES if getattr(self, name) is not None]
        if len(told) > 1:
            raise InvalidParameterError(
                f"expected one column that says how much is held, got {' and '.join(told)}; name one of them.",
                columns=told,
            )

    @property
    def is_stated(self) -> bool:
        """Whether a column is given."""
        return any(getattr(self, part.name) is not None for part in fields(PositionColumns))

    def among(self, path: Path, names: Sequence[Any]) -> dict[str, Any]:
        """Return the column of each role in a file.

        Raises
        ------
        LayoutError
            For a column that the file does not have, no asset, or nothing or two columns that say how much is held.
        """
        given = {role: getattr(self, role) for role in _CALLED if getattr(self, role) is not None}
        for role, name in given.items():
            if name not in names:
                raise LayoutError(
                    f"expected the column {name!r} of {role} in {path}, got {labels.listing(names)}.",
                    path=str(path),
                    missing=name,
                    columns=list(names),
                )
        found = given | {role: name for role in _CALLED if role not in given and (name := _found(role, names))}
        told = [role for role in _MEASURES if role in given]
        for role in _MEASURES:
            if told and role not in told:
                found.pop(role, None)
        _require_roles(path, names, found)
        return found


def _found(role: str, names: Sequence[Any]) -> Any:
    """Return the first column that is called so, or None."""
    bare = {"".join(c for c in str(name).casefold() if c.isalnum()): name for name in reversed(names)}
    return next((bare[called] for called in _CALLED[role] if called in bare), None)


def _require_roles(path: Path, names: Sequence[Any], found: dict[str, Any]) -> None:
    if "asset" not in found:
        raise LayoutError(
            f"expected a column of assets in {path}, called asset or ticker, got {labels.listing(names)}; name it with "
            "rm.PositionColumns(asset=...).",
            path=str(path),
            columns=list(names),
        )
    measures = [role for role in _MEASURES if role in found]
    if measures == ["dollars", "quantity"] and "price" in found:
        return
    if len(measures) != 1:
        got = " and ".join(str(found[role]) for role in measures) or labels.listing(names)
        raise LayoutError(
            f"expected one column in {path} that says how much is held, called dollars, quantity or weight, got {got}; "
            "name it, as in rm.PositionColumns(dollars='market value').",
            path=str(path),
            columns=[found[role] for role in measures],
        )
