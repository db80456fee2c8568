"""How many dollars of the portfolio figures are of: ``--capital``, ``--budget`` and ``--horizon``."""

from __future__ import annotations

import argparse
from typing import Self, final

from attrs import frozen

from riskmodel.cli import options as read
from riskmodel.cli.model import ModelOptions
from riskmodel.errors import InvalidParameterError
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.position import Position


def add_dollars(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add("--capital", metavar="DOLLARS", type=read.dollars, help="dollars that are held, for figures in dollars")
    add("--budget", metavar="DOLLARS", type=read.dollars, help="for figures of the dollars that this volatility allows")
    add("--horizon", choices=list(read.HORIZONS), help="what the budget refers to (default: month)")


@final
@frozen
class Dollars:
    """The dollars of a portfolio, and where they are from.

    Attributes
    ----------
    capital : float or None
        Dollars; None where none are known.
    said : str
        What they are, in words.
    """

    capital: float | None
    said: str

    @classmethod
    def of(cls, args: argparse.Namespace, options: ModelOptions, portfolio: Portfolio) -> Self:
        """Return those of the options, or else those of the file of positions.

        Raises
        ------
        InvalidParameterError
            For both ``--capital`` and ``--budget``, or a horizon without a budget.
        UnboundedPositionError
            For a budget of a portfolio without risk.
        """
        if args.capital is not None and args.budget is not None:
            raise InvalidParameterError("expected --capital or --budget, got both; give one of them.")
        if args.horizon is not None and args.budget is None:
            raise InvalidParameterError("expected --horizon with --budget, got it alone; leave it out.")
        if args.capital is not None:
            return cls(args.capital, "held")
        if args.budget is not None:
            budget = RiskBudget(args.budget, read.HORIZONS[args.horizon or "month"])
            return cls(
                float(budget.size(portfolio).capital),
                f"which {args.budget:,.0f} dollars of volatility per {budget.horizon} allow",
            )
        book = None if options.positions is None else options.positions.book
        return cls(None, "") if book is None else cls(book.capital, "held")

    def holding(self, portfolio: Portfolio) -> Portfolio | Position:
        """Return the portfolio at these dollars, or as it is without any."""
        return portfolio if self.capital is None else Position(portfolio, self.capital, portfolio.horizon)

    @property
    def title(self) -> str:
        """What a table of figures of them is of."""
        return "% of the portfolio" if self.capital is None else f"dollars of the {self.capital:,.0f} {self.said}"
