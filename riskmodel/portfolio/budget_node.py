"""Budgets as a tree: desks under a fund, with limits at every node."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_positive
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Listed
from riskmodel.errors import DuplicateLabelsError, InvalidParameterError, UnboundedPositionError
from riskmodel.model.holdings import Holdings
from riskmodel.portfolio.breach import Breach
from riskmodel.portfolio.budget import ROUNDING, RiskBudget
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.position import Position
from riskmodel.portfolio.strategy import Strategy
from riskmodel.quantities import Volatility


def _is_name(_node: Any, attribute: Any, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidParameterError(
            f"expected {attribute.alias} as text, got {type(value).__name__}.", parameter=attribute.alias, got=value
        )


def _read_children(children: Any) -> tuple[Any, ...]:
    return tuple(labels.require_list(children, "children"))


@final
@frozen(eq=False, repr=False)
class BudgetNode(Listed):
    r"""A desk with a position, or a fund of desks; limits may stand at every node.

    A fund holds what its desks hold: positions of desks in one asset are netted, and its volatility is that of the sum,
    from the covariance that the desks share, not the sum of their volatilities.

    Parameters
    ----------
    name : str
        Its label, unique in the tree.
    budget : RiskBudget, optional
        The limits of this node; without one, only those above and below it count.
    position : Position, optional
        What a desk holds. All desks are seen through one model.
    children : sequence of BudgetNode, optional
        The nodes below a fund. A node has either a position or children.

    Raises
    ------
    InvalidParameterError
        For a node with neither or both, or desks of different models.
    DuplicateLabelsError
        For a name that occurs twice.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "JPM", "XOM", "CVX"], ["Mkt-RF"]))
    >>> tech, oil = rm.Book({"MSFT": 9e6, "JPM": -4e6}), rm.Book({"XOM": 6e6, "CVX": -5e6})
    >>> fund = rm.BudgetNode("fund", rm.RiskBudget(800_000, rm.MONTH), children=[
    ...     rm.BudgetNode("tech", rm.RiskBudget(1e6, rm.MONTH), position=tech.position(model, rm.MONTH)),
    ...     rm.BudgetNode("oil", rm.RiskBudget(400_000, rm.MONTH), position=oil.position(model, rm.MONTH)),
    ... ])
    >>> print(fund)
    node   limit                used    allowed   headroom utilisation  binds  breached
    fund   volatility per month 815,981   800,000 -15,981  102.0%      True    True
      tech volatility per month 689,651 1,000,000 310,349   69.0%      True   False
      oil  volatility per month 418,787   400,000 -18,787  104.7%      True    True
    >>> round(fund.scale, 3), fund.binding
    (0.955, ('oil', 'volatility per month'))
    >>> fund.contributions()["share"].round(2).to_dict()
    {'tech': 0.73, 'oil': 0.27}
    """

    name: str = field(validator=_is_name)
    budget: RiskBudget | None = None
    _position: Position | None = field(default=None, kw_only=True)
    children: tuple[BudgetNode, ...] = field(default=(), converter=_read_children, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.budget is not None:
            require(self.budget, RiskBudget, "budget", "such as rm.RiskBudget(1e6, rm.MONTH)")
        if self._position is not None:
            require(self._position, Position, "position", "such as book.position(model, rm.MONTH)")
        for child in self.children:
            require(child, BudgetNode, "children")
        if (self._position is None) == (not self.children):
            raise InvalidParameterError(
                f"expected a position or children of node {self.name!r}, got {'both' if self.children else 'neither'}.",
                node=self.name,
                children=len(self.children),
            )
        names = [node.name for node in self.walk()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DuplicateLabelsError(
                f"expected the name of a node once in a tree, got {labels.listing(twice)} more than once.", labels=twice
            )
        models = {id(desk.position.portfolio.model) for desk in self.desks}
        if len(models) > 1:
            raise InvalidParameterError(
                f"expected desks that are seen through one model, got {len(models)} models below {self.name!r}; fit "
                "one model of all that is held, and make each desk's position with it.",
                node=self.name,
                models=len(models),
            )

    def __repr__(self) -> str:
        kind = "desk" if not self.children else f"fund of {len(self.desks)} desks"
        return f"<BudgetNode {self.name!r}: {kind}, {self.position.capital:,.0f} dollars>"

    def __str__(self) -> str:
        """The table of limits, as text."""
        table = self.table()
        depths = dict(self._depths(0))
        nodes = ["  " * depths[name] + name for name in table["node"]]
        width = max(map(len, nodes), default=0)
        shown = table.assign(node=[node.ljust(width) for node in nodes])
        forms = dict.fromkeys(("used", "allowed", "headroom"), "{:,.0f}".format)
        text = str(shown.to_string(index=False, formatters={**forms, "utilisation": "{:.1%}".format}, justify="left"))
        return "\n".join(line.rstrip() for line in text.splitlines())

    # -- the tree ------------------------------------------------------------------------------------

    def walk(self) -> Iterator[BudgetNode]:
        """Yield this node, then all below it, each before its children."""
        yield self
        for child in self.children:
            yield from child.walk()

    def _depths(self, depth: int) -> Iterator[tuple[str, int]]:
        yield self.name, depth
        for child in self.children:
            yield from child._depths(depth + 1)

    @cached_property
    def desks(self) -> tuple[BudgetNode, ...]:
        """The nodes that have a position, in order."""
        return tuple(node for node in self.walk() if not node.children)

    @cached_property
    def position(self) -> Position:
        """What is held: of a fund, the sum over its desks, with assets and legs netted."""
        if self._position is not None:
            return self._position
        held = [desk.position for desk in self.desks]
        horizon = held[0].horizon if self.budget is None else self.budget.horizon
        return Position(_summed(held), sum(p.capital for p in held), horizon)

    @property
    def volatility(self) -> Volatility:
        """Standard deviation of the PnL over the horizon of `position`, dollars."""
        return self.position.volatility

    # -- limits --------------------------------------------------------------------------------------

    def table(self) -> pd.DataFrame:
        """Return the use of each limit of each node: one row a limit.

        Columns ``node``, ``limit``, ``used``, ``allowed``, ``headroom`` (in the limit's own unit), ``utilisation``,
        ``binds`` (whether it is the most used one of its node) and ``breached``.
        """
        parts = [self._limits_of(node) for node in self.walk() if node.budget is not None]
        columns = ["node", "limit", "used", "allowed", "headroom", "utilisation", "binds", "breached"]
        return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)

    @staticmethod
    def _limits_of(node: BudgetNode) -> pd.DataFrame:
        assert node.budget is not None
        budget, position = node.budget, node.position
        used, share = budget.used(position), budget.utilisation(position).to_numpy()
        return pd.DataFrame(
            {
                "node": node.name,
                "limit": used.index,
                "used": used.to_numpy(),
                "allowed": [float(limit.amount) for limit in budget.all_limits],
                "headroom": budget.headroom(position).to_numpy(),
                "utilisation": share,
                "binds": np.arange(len(share)) == int(share.argmax()),
                "breached": share > 1.0 + ROUNDING,
            }
        )

    def breaches(self) -> Mapping[str, tuple[Breach, ...]]:
        """Return the limits that are exceeded, by the name of their node; empty if all are kept."""
        budgets = [(node, node.budget) for node in self.walk() if node.budget is not None]
        found = {node.name: budget.check(node.position) for node, budget in budgets}
        return {name: broken for name, broken in found.items() if broken}

    @cached_property
    def _most(self) -> tuple[float, str, str]:
        """The largest common factor, and the node and the limit that bind."""
        best = (math.inf, "", "")
        for node in self.walk():
            for limit in () if node.budget is None else node.budget.all_limits:
                largest = _factor(limit, node.position)
                if largest < best[0]:
                    best = (largest, node.name, limit.name)
        if not math.isfinite(best[0]):
            raise UnboundedPositionError(
                f"expected a tree that uses a limit, got {self!r}, which uses none; give a node a budget.",
                node=self.name,
            )
        return best

    @property
    def scale(self) -> float:
        """The largest factor by which all positions can be multiplied so that every limit of every node is kept.

        Below 1 where a limit is exceeded.

        Raises
        ------
        UnboundedPositionError
            If no limit is used.
        """
        return self._most[0]

    @property
    def binding(self) -> tuple[str, str]:
        """The node and the limit that bind at `scale`."""
        return self._most[1:]

    def scaled(self, factor: float) -> Self:
        """Return the tree with all positions multiplied by a positive number, such as `scale`."""
        factor = require_positive(factor, "factor")
        if self._position is not None:
            return evolve(self, position=evolve(self._position, capital=self._position.capital * factor, binding=None))
        return evolve(self, children=[child.scaled(factor) for child in self.children])

    # -- where the risk comes from -------------------------------------------------------------------

    def contributions(self) -> pd.DataFrame:
        r"""Return what each child adds to the volatility, in dollars over the horizon of `position`.

        Returns
        -------
        DataFrame by child
            ``volatility`` (alone), ``correlation`` with this node, ``contribution`` (volatility times correlation,
            which sum to the node's volatility) and ``share`` of it. NaN where nothing is at risk.

        Raises
        ------
        InvalidParameterError
            For a desk, which has no children.
        """
        matrix = self._covariances
        alone = np.sqrt(np.diag(matrix))
        total = math.sqrt(max(float(matrix.sum()), 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            contribution = matrix.sum(axis=1) / total
            columns = {
                "volatility": alone,
                "correlation": contribution / alone,
                "contribution": contribution,
                "share": contribution / total,
            }
        return pd.DataFrame(columns, pd.Index([child.name for child in self.children], name="node"))

    def correlations(self) -> pd.DataFrame:
        """Return the correlations of the children's PnL, children × children; NaN where nothing is at risk.

        Raises
        ------
        InvalidParameterError
            For a desk, which has no children.
        """
        matrix = self._covariances
        alone = np.sqrt(np.diag(matrix))
        names = pd.Index([child.name for child in self.children], name="node")
        with np.errstate(divide="ignore", invalid="ignore"):
            return pd.DataFrame(matrix / np.outer(alone, alone), names, names)

    @cached_property
    def _covariances(self) -> Array:
        """Covariances of the children's PnL over the horizon of the position, dollars²."""
        if not self.children:
            raise InvalidParameterError(
                f"expected a node with children, got the desk {self.name!r}; RiskDecomposition has its holdings.",
                node=self.name,
            )
        held = [_holdings(child.position) for child in self.children]
        matrix = np.array([[a.covariance_with(b) for b in held] for a in held])
        model = self.position.portfolio.model
        return np.asarray(model.horizon.scale_variance(matrix, to=self.position.horizon))


def _factor(limit: Any, position: Position) -> float:
    """Return the factor at which a limit binds: none or any where it does not scale."""
    use, amount = float(limit.use(position.portfolio)), float(limit.amount)
    if not limit.scales:
        return math.inf if use <= amount * (1 + ROUNDING) or not position.capital else 0.0
    used = use * position.capital
    return amount / used if used > 0 else math.inf


def _holdings(position: Position) -> Holdings:
    """What a position holds, in dollars."""
    portfolio = position.portfolio
    legs = portfolio.legs[portfolio.legs != 0] * position.capital
    return Holdings.of(portfolio.model.covariance, portfolio.weights * position.capital, legs)


def _summed(held: list[Position]) -> Portfolio:
    """Return the portfolio of several positions, per dollar of their capital."""
    capital = sum(p.capital for p in held)
    shares = [p.capital / capital if capital else 1.0 / len(held) for p in held]
    model = held[0].portfolio.model
    weights = pd.concat([p.portfolio.weights * share for p, share in zip(held, shares, strict=True)])
    legs = pd.concat([p.portfolio.legs * share for p, share in zip(held, shares, strict=True)])
    legs = legs.groupby(level=0, sort=False).sum()
    strategy = Strategy(weights.groupby(level=0, sort=False).sum(), model)
    return HedgedPortfolio(strategy, legs[legs != 0]) if (legs != 0).any() else strategy
