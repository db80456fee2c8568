"""The positions of a file on the command line: their weights, and what they use of a budget."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Self, final

import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel.data.files.position_columns import PositionColumns
from riskmodel.data.files.positions import Measure, PositionTable, read_position_table
from riskmodel.errors import InvalidParameterError, UncoveredPositionsError
from riskmodel.portfolio.book import Book, require_not_percent
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.position import Position
from riskmodel.portfolio.strategy import Strategy
from riskmodel.portfolio.strategy_history import shares_of_gross


@final
@frozen(eq=False)
class Held:
    """The positions of ``--positions``.

    Attributes
    ----------
    weights : dict
        By asset, without those of zero.
    book : Book or None
        Their dollars; None for weights without ``--nav``.
    """

    weights: dict[str, float | None]
    book: Book | None
    _table: PositionTable
    _end: pd.Timestamp | None
    _known: Sequence[str]
    _nav: float | None

    @classmethod
    def given(cls, args: argparse.Namespace, known: Sequence[str], end: pd.Timestamp | None) -> Self | None:
        """Read the file of ``--positions``, or return None without it; of several dates, the latest until `end`.

        Raises
        ------
        InvalidParameterError
            For assets beside it, or ``--nav`` without it.
        UncoveredPositionsError
            For positions without returns.
        """
        if args.positions is None:
            if args.nav is not None:
                raise InvalidParameterError("expected --nav with --positions, got it alone; leave it out.")
            return None
        if args.assets:
            raise InvalidParameterError(
                f"expected assets or --positions, got {args.assets[0]} and --positions; give one of them."
            )
        table = read_position_table(args.positions, PositionColumns())
        latest = None if table.dates is None else end or table.dates.max()
        return cls._of(table, latest, args.nav, known)

    def at(self, date: pd.Timestamp | None) -> Self:
        """Return the positions of the latest date of the file on or before a date; of a file without dates, the same.

        Raises
        ------
        UnknownDateError
            If all dates of the file are later.
        """
        return self if self._table.dates is None else self._of(self._table, date, self._nav, self._known)

    @classmethod
    def _of(cls, table: PositionTable, latest: pd.Timestamp | None, nav: float | None, known: Sequence[str]) -> Self:
        sizes, groups, date = table.at(latest)
        sizes.index = pd.Index([str(asset) for asset in sizes.index])
        groups = None if groups is None else groups.set_axis(sizes.index)
        _require_covered(sizes, known, str(table.path))
        if table.measure is Measure.DOLLARS:
            book = Book(sizes, groups=groups, date=date, nav=nav)
        elif nav is not None:
            book = Book.of_weights(sizes, nav, groups=groups, date=date)
        else:
            weights = require_not_percent(sizes)
            return cls(_other_than_zero(weights), None, table, latest, known, nav)
        return cls(_other_than_zero(book.weights), book, table, latest, known, nav)

    @property
    def history(self) -> pd.DataFrame | None:
        """The weights of each date of the file until the end, dates × assets; None for one date, or none.

        Raises
        ------
        UncoveredPositionsError
            For positions of some date without returns.
        """
        if self._end is None:
            return None
        sizes = self._table.wide().loc[: self._end].rename(columns=str)
        sizes = sizes.loc[:, (sizes != 0).any()]
        if len(sizes) < 2:
            return None
        # a name is said with its largest size
        _require_covered(sizes.abs().max(), self._known, str(self._table.path))
        if self._table.measure is Measure.DOLLARS:
            return shares_of_gross(sizes)
        sizes.apply(require_not_percent, axis=1)
        return sizes

    @property
    def basis(self) -> tuple[str, ...]:
        """What weights and results are per dollar of, where dollars are known."""
        if self.book is None:
            return ()
        of = "gross positions" if self.book.nav is None else "net asset value"
        return (f"Weights and results are per dollar of {of}: the portfolio is {self.book.capital:,.0f} dollars.",)

    def notes(self, strategy: Strategy, budget: RiskBudget) -> tuple[str, ...]:
        """Say what is held, and what it uses of each limit."""
        if self.book is None:
            return ()
        position = Position(strategy, self.book.capital, budget.horizon)
        used = budget.utilisation(position)
        shares = ", ".join(f"{share:.1%} of {name}" for name, share in used.items())
        b = self.book
        day = "" if b.date is None else f" on {b.date:%Y-%m-%d}"
        names = "1 name" if b.n_names == 1 else f"{b.n_names} names"
        leverage = "" if b.nav is None else f", {b.leverage:.2f} times the NAV"
        return (
            f"Held{day}: {names} ({b.effective_names:.1f} effective), long {b.long:,.0f}, short "
            f"{b.short:,.0f}, gross {b.gross:,.0f}{leverage}, net {b.net:,.0f} dollars; volatility "
            f"{position.volatility:,.0f} dollars per {budget.horizon}, which uses {shares}.",
        )


def _other_than_zero(weights: pd.Series[float]) -> dict[str, float | None]:
    return {str(asset): float(weight) for asset, weight in weights.items() if weight != 0}


def _require_covered(sizes: pd.Series[float], known: Sequence[str], path: str) -> None:
    """Raise for positions without returns, with their names and sizes."""
    missing = sizes[(sizes != 0) & ~sizes.index.isin(list(known))]
    if len(missing):
        share = float(missing.abs().sum() / sizes.abs().sum())
        named = labels.listing(f"{asset} ({size:,g})" for asset, size in missing.items())
        raise UncoveredPositionsError(
            f"expected returns of all that is held in {path}, got none of {named}, {share:.1%} of gross; add their "
            "returns, or take the rows out of the file.",
            missing=list(missing.index),
            dollars=missing.to_dict(),
            share=share,
        )
