"""Which columns of a file hold dates, labels and numbers, as its layout says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from attrs import frozen

from riskmodel._core import labels
from riskmodel.errors import InvalidParameterError, LayoutError
from riskmodel.panel.layout import Layout, Long, Wide


@final
@frozen
class Choice:
    """The columns to read.

    Attributes
    ----------
    date : label
        The column of dates.
    asset : label or None
        The column of labels; None in wide files.
    numbers : list of labels
        The columns of numbers.
    """

    date: Any
    asset: Any
    numbers: list[Any]

    @classmethod
    def of(cls, path: Path, names: Sequence[Any], layout: Layout, index: Sequence[Any]) -> Choice:
        """Choose the columns of a file; columns of its index hold numbers only where the layout names them.

        Raises
        ------
        LayoutError
            If the file does not have the columns of the layout.
        InvalidParameterError
            If the layout names one column twice.
        """
        wanted = _wanted(names, layout)
        missing = [w for w in wanted if w not in names]
        if missing:
            raise LayoutError(
                f"expected a column {missing[0]!r} in {path}, got {labels.listing(names)}; name the column in "
                f"layout=rm.{type(layout).__name__}(...), on the command line in --columns.",
                path=str(path),
                column=missing[0],
                columns=list(names),
            )
        if len(set(wanted)) < len(wanted):
            raise InvalidParameterError(
                f"expected different columns for date, asset and value, got {layout!r}; name three.", layout=layout
            )
        others = [n for n in names if n not in wanted and n not in index]
        if isinstance(layout, Wide):
            return cls(wanted[0], None, others)
        return cls(wanted[0], wanted[1], wanted[2:] or _one_value(path, wanted, others))


def _wanted(names: Sequence[Any], layout: Layout) -> list[Any]:
    if isinstance(layout, Wide):
        return [names[0] if layout.date is None else layout.date]
    assert isinstance(layout, Long)
    return [layout.date, layout.asset] + ([] if layout.value is None else [layout.value])


def _one_value(path: Path, wanted: Sequence[Any], others: list[Any]) -> list[Any]:
    if len(others) != 1:
        raise LayoutError(
            f"expected one column of numbers beside {wanted[0]!r} and {wanted[1]!r} in {path}, got "
            f"{labels.listing(others) or 'none'}; say which: layout=rm.Long(value=...), on the command line a third "
            "name in --columns.",
            path=str(path),
            columns=others,
        )
    return others
