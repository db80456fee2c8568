"""The positions of a file on the command line: their weights, and what they use of a budget."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Self, final

import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel.cli.proxies import Proxies, ProxyRule
from riskmodel.data.files.position_columns import PositionColumns
from riskmodel.data.files.positions import Measure, PositionTable, read_position_table
from riskmodel.errors import InvalidParameterError, UncoveredPositionsError
from riskmodel.portfolio.book import Book, require_not_percent
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.position import Position
from riskmodel.portfolio.strategy import Strategy
from riskmodel.portfolio.strategy_history import shares_of_gross

# What a row of cash is called.
_CASH = frozenset({"CASH", "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD"})


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
    proxies : Proxies
        What stands in for positions without returns.
    """

    weights: dict[str, float | None]
    book: Book | None
    proxies: Proxies
    _proxied: str
    _table: PositionTable
    _end: pd.Timestamp | None
    _known: Sequence[str]
    _nav: float | None
    _rule: ProxyRule | None

    @classmethod
    def given(cls, args: argparse.Namespace, known: Sequence[str], end: pd.Timestamp | None) -> Self | None:
        """Read the file of ``--positions``, or return None without it; of several dates, the latest until `end`.

        Raises
        ------
        InvalidParameterError
            For assets beside it, or ``--nav`` or ``--proxies`` without it.
        UncoveredPositionsError
            For positions without returns.
        """
        rule = ProxyRule.given(args, known)
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
        return cls._of(table, latest, args.nav, known, rule)

    def at(self, date: pd.Timestamp | None) -> Self:
        """Return the positions of the latest date of the file on or before a date; of a file without dates, the same.

        Raises
        ------
        UnknownDateError
            If all dates of the file are later.
        """
        return self if self._table.dates is None else self._of(self._table, date, self._nav, self._known, self._rule)

    @classmethod
    def _of(
        cls,
        table: PositionTable,
        latest: pd.Timestamp | None,
        nav: float | None,
        known: Sequence[str],
        rule: ProxyRule | None,
    ) -> Self:
        sizes, groups, date = table.at(latest)
        sizes.index = pd.Index([str(asset) for asset in sizes.index])
        groups = None if groups is None else groups.set_axis(sizes.index)
        proxies = _proxies(table, sizes, known, rule)
        _require_covered(sizes, [*known, *proxies.baskets], str(table.path), rule)
        rest = (proxies, proxies.note(sizes), table, latest, known, nav, rule)
        if table.measure is Measure.DOLLARS:
            book = Book(sizes, groups=groups, date=date, nav=nav)
        elif nav is not None:
            book = Book.of_weights(sizes, nav, groups=groups, date=date)
        else:
            weights = require_not_percent(sizes)
            return cls(_other_than_zero(weights), None, *rest)
        return cls(_other_than_zero(book.weights), book, *rest)

    @property
    def history(self) -> pd.DataFrame | None:
        """The weights of each date of the file until the end, dates × assets; None for one date, or none.

        Of dollars, per dollar of the NAV, which is the same on all dates, or of each date's gross positions.

        Raises
        ------
        UncoveredPositionsError
            For positions of some date without returns.
        """
        sizes = self._sizes
        if sizes is None:
            return None
        # a name is said with its largest size
        _require_covered(sizes.abs().max(), [*self._known, *self.proxies.baskets], str(self._table.path), self._rule)
        if self._table.measure is Measure.DOLLARS:
            return shares_of_gross(sizes) if self._nav is None else sizes / self._nav
        sizes.apply(require_not_percent, axis=1)
        return sizes

    @property
    def capitals(self) -> pd.Series[float] | None:
        """By date of the file until the end, the dollars that weights of `history` are per dollar of."""
        sizes = self._sizes
        if sizes is None or (self._nav is None and self._table.measure is not Measure.DOLLARS):
            return None
        gross = sizes.abs().sum(axis=1)
        return gross if self._nav is None else 0.0 * gross + self._nav

    @property
    def _sizes(self) -> pd.DataFrame | None:
        """Positions as the file has them, dates × assets; None for one date, or none."""
        if self._end is None:
            return None
        sizes = self._table.wide().loc[: self._end].rename(columns=str)
        sizes = sizes.loc[:, (sizes != 0).any()]
        return sizes if len(sizes) >= 2 else None

    @property
    def basis(self) -> tuple[str, ...]:
        """What weights and results are per dollar of, where dollars are known, and what stands in for what."""
        proxied = (self._proxied,) if self._proxied else ()
        if self.book is None:
            return proxied
        of = "gross positions" if self.book.nav is None else "net asset value"
        return (
            *proxied,
            f"Weights and results are per dollar of {of}: the portfolio is {self.book.capital:,.0f} dollars.",
        )

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


def _proxies(table: PositionTable, sizes: pd.Series[float], known: Sequence[str], rule: ProxyRule | None) -> Proxies:
    """Return what stands in for positions without returns, of all dates of a file."""
    if rule is None:
        return Proxies({})
    every = sizes if table.dates is None else table.wide().rename(columns=str).abs().max()
    missing = every[(every != 0) & ~every.index.isin(list(known))]
    if missing.empty:
        return rule.nothing
    alike = {name.casefold(): name for name in known}
    misspelt = [
        f"{asset} (did you mean {alike[asset.casefold()]}?)" for asset in missing.index if asset.casefold() in alike
    ]
    if misspelt:
        raise InvalidParameterError(
            f"expected names as the returns have them in {table.path}, got {labels.listing(misspelt)}; correct them, "
            "as --proxies is for what has no returns.",
            assets=misspelt,
        )
    groups = None if table.groups is None else pd.Series(table.groups, [str(asset) for asset in table.assets])
    latest = None if groups is None else groups[~groups.index.duplicated(keep="last")]
    return rule.proxies(missing, latest, known)


def _require_covered(sizes: pd.Series[float], known: Sequence[str], path: str, rule: ProxyRule | None) -> None:
    """Raise for positions without returns, with their names and sizes."""
    missing = sizes[(sizes != 0) & ~sizes.index.isin(list(known))]
    if len(missing):
        share = float(missing.abs().sum() / sizes.abs().sum())
        named = labels.listing(f"{asset} ({size:,g})" for asset, size in missing.items())
        advice = "or give --proxies" if rule is None else f"or let others stand in: {rule.why_none()}"
        if any(asset.upper() in _CASH for asset in missing.index):
            advice += "; cash has no row of its own, as it is the NAV less the positions (--nav)"
        raise UncoveredPositionsError(
            f"expected returns of all that is held in {path}, got none of {named}, {share:.1%} of gross; add their "
            f"returns, take the rows out of the file, {advice}.",
            missing=list(missing.index),
            dollars=missing.to_dict(),
            share=share,
        )
