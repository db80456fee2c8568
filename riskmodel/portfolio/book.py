"""The positions that are held, in dollars."""

from __future__ import annotations

import math
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require_count, require_positive
from riskmodel._core.callers import warn
from riskmodel._core.dates import window
from riskmodel._core.display import Table, page
from riskmodel._core.listing import Listed
from riskmodel._core.weights import read_weights
from riskmodel.errors import DoubtfulUnitWarning, InvalidParameterError, ProxiedPositionsWarning, UnknownAssetError
from riskmodel.estimation.groups import read_groups
from riskmodel.horizon import Horizon
from riskmodel.model.model import FactorModel
from riskmodel.portfolio.coverage import Coverage
from riskmodel.portfolio.limits import herfindahl
from riskmodel.portfolio.position import Position
from riskmodel.portfolio.strategy import Strategy
from riskmodel.portfolio.uncovered import NO_PROXIES, Uncovered

_DOLLARS = "a positive number of dollars"
# Gross positions of more than so many times the NAV are questioned.
_MOST_LEVERAGE = 50.0
# Weights whose net or gross is this near to 100 are in percent.
_PERCENT, _NEAR = 100.0, 1.0


@final
@frozen(init=False, eq=False, repr=False)
class Book(Listed):
    """The positions that are held: dollars by asset, on a date.

    Parameters
    ----------
    dollars : mapping or Series by asset
        Market values, negative for short positions. One at least is not zero.
    groups : mapping or Series by asset, optional
        The group of each asset held, such as its sector or desk.
    date : date-like, optional
        The date that the positions are of.
    nav : float, optional
        Net asset value, dollars, positive. The book's weights and its leverage refer to it; without it, weights
        refer to gross dollars.

    Raises
    ------
    InvalidParameterError
        For dollars that are not finite numbers by asset or are all zero, or a NAV that is not positive.
    DuplicateLabelsError
        For an asset that occurs twice.
    UnknownAssetError
        For a position without a group, where groups are given.

    Warns
    -----
    DoubtfulUnitWarning
        For gross positions of more than 50 times the NAV, which may be in thousands or millions.

    Examples
    --------
    >>> import riskmodel as rm
    >>> book = rm.Book({"MSFT": 6e6, "JPM": 2e6, "XOM": -4e6}, date="2018-11-30", nav=8e6)
    >>> book
    <Book of 3 names on 2018-11-30: long 8,000,000, short 4,000,000 dollars, NAV 8,000,000>
    >>> book.gross, book.net, book.leverage, round(book.effective_names, 2)
    (12000000.0, 4000000.0, 1.5, 2.57)
    >>> panel = rm.SampleData().panel(["MSFT", "JPM", "XOM"], ["Mkt-RF"])
    >>> held = book.position(rm.OLS().fit(panel), rm.MONTH)
    >>> budget = rm.RiskBudget(500_000, rm.MONTH, limits=[rm.GrossLimit(10e6)])
    >>> [str(breach) for breach in budget.check(held)]
    ['volatility per month: 578,181 used of 500,000', 'gross: 12,000,000 used of 10,000,000']
    """

    _dollars: pd.Series[float]
    _groups: pd.Series[Any] | None
    date: pd.Timestamp | None
    nav: float | None

    def __init__(self, dollars: Any, *, groups: Any = None, date: Any = None, nav: float | None = None) -> None:
        read = read_weights(dollars, "dollars", "asset").rename("dollars")
        if not read.any():
            raise InvalidParameterError(
                f"expected a position other than zero, got {len(read)} of zero dollars.", parameter="dollars", got=[]
            )
        if nav is not None:
            _question_leverage(float(read.abs().sum()), require_positive(nav, "nav", _DOLLARS))
        self.__attrs_init__(
            dollars=read,
            groups=_groups_of(read.index, groups),
            date=window(date, date, ("date", "date"))[1],
            nav=None if nav is None else require_positive(nav, "nav", _DOLLARS),
        )

    @classmethod
    def of_shares(cls, quantities: Any, prices: Any, *, groups: Any = None, date: Any = None, nav: Any = None) -> Self:
        """Return the book of numbers of shares, or of contracts, at their prices.

        Parameters
        ----------
        quantities : mapping or Series by asset
            Negative for short positions.
        prices : mapping or Series by asset
            Dollars for one share, positive, of each asset held; others are not used. For a contract, its price times
            its multiplier.
        groups, date, nav
            As in the class.

        Raises
        ------
        UnknownAssetError
            For an asset without a price.
        InvalidParameterError
            For a price that is not positive, or as in the class.

        Examples
        --------
        >>> import riskmodel as rm
        >>> rm.Book.of_shares({"MSFT": 100, "XOM": -50}, {"MSFT": 110.5, "XOM": 80.0}).dollars.to_dict()
        {'MSFT': 11050.0, 'XOM': -4000.0}
        """
        held, known = read_weights(quantities, "quantities", "asset"), read_weights(prices, "prices", "asset")
        at = known.iloc[labels.positions(held.index, known.index, "asset, without a price", UnknownAssetError)]
        wrong = at.index[at <= 0]
        if len(wrong):
            raise InvalidParameterError(
                f"expected positive prices, got {at[wrong[0]]:g} of {wrong[0]}; for a short position, negate its "
                "quantity.",
                parameter="prices",
                assets=list(wrong),
            )
        return cls(held * at, groups=groups, date=date, nav=nav)

    @classmethod
    def of_weights(cls, weights: Any, nav: Any, *, groups: Any = None, date: Any = None) -> Self:
        """Return the book of weights of a net asset value.

        Parameters
        ----------
        weights : mapping or Series by asset
            Dollars per dollar of NAV: 0.05 is five percent.
        nav : float
            Dollars, positive.
        groups, date
            As in the class.

        Raises
        ------
        InvalidParameterError
            For weights whose sum, or sum of sizes, is 100, as those in percent have, or as in the class.
        """
        read = require_not_percent(read_weights(weights, "weights", "asset"))
        return cls(read * require_positive(nav, "nav", _DOLLARS), groups=groups, date=date, nav=nav)

    def __repr__(self) -> str:
        day = "" if self.date is None else f" on {self.date.date()}"
        nav = "" if self.nav is None else f", NAV {self.nav:,.0f}"
        return f"<Book of {self.n_names} names{day}: long {self.long:,.0f}, short {self.short:,.0f} dollars{nav}>"

    def _repr_html_(self) -> str:
        held = pd.DataFrame({"share of gross": self._dollars.abs() / self.gross, "dollars": self._dollars})
        groups = pd.DataFrame() if self._groups is None else self.by_group()
        return page(self, Table("Positions", held, where="dollars"), Table("Groups", groups, where="by_group()"))

    # -- what is held --------------------------------------------------------------------------------

    @property
    def dollars(self) -> pd.Series[float]:
        """Dollars by asset, negative for short positions."""
        return self._dollars.copy()

    @property
    def groups(self) -> pd.Series[Any] | None:
        """The group of each asset, or None where they are not known."""
        return None if self._groups is None else self._groups.copy()

    @property
    def capital(self) -> float:
        """What `weights` refer to, dollars: the NAV, or gross dollars where it is not known."""
        return self.gross if self.nav is None else self.nav

    @property
    def weights(self) -> pd.Series[float]:
        """Dollars by asset per dollar of `capital`."""
        return (self._dollars / self.capital).rename("weight")

    @property
    def long(self) -> float:
        """Dollars of long positions."""
        return float(self._dollars.clip(lower=0.0).sum())

    @property
    def short(self) -> float:
        """Dollars of short positions, 0 or more."""
        return float(self._dollars.clip(upper=0.0).abs().sum())

    @property
    def gross(self) -> float:
        """Long plus short, dollars."""
        return float(self._dollars.abs().sum())

    @property
    def net(self) -> float:
        """Long less short, dollars."""
        return float(self._dollars.sum())

    @property
    def leverage(self) -> float:
        """Gross dollars per dollar of NAV.

        Raises
        ------
        InvalidParameterError
            If the NAV is not known.
        """
        if self.nav is None:
            raise InvalidParameterError(
                "expected a book with a NAV for its leverage, got one without; pass nav=...", parameter="nav", got=None
            )
        return self.gross / self.nav

    @property
    def n_names(self) -> int:
        """Number of assets with a position other than zero."""
        return int(np.count_nonzero(self._dollars))

    @property
    def concentration(self) -> float:
        """Herfindahl index of the shares of gross dollars, from 1 / names to 1."""
        return herfindahl(self._dollars)

    @property
    def effective_names(self) -> float:
        """One over the Herfindahl index: as many names of equal size are as concentrated."""
        return 1.0 / self.concentration

    # -- tables --------------------------------------------------------------------------------------

    def summary(self) -> pd.Series[float]:
        """Return the figures of the book by name.

        ``long``, ``short``, ``gross``, ``net``, ``nav`` (dollars), ``leverage``, ``names``, ``effective_names``,
        ``concentration`` and ``largest_share`` (of one name, of gross). NAV and leverage are NaN where not known.
        """
        figures = {
            "long": self.long, "short": self.short, "gross": self.gross, "net": self.net,
            "nav": math.nan if self.nav is None else self.nav,
            "leverage": math.nan if self.nav is None else self.leverage,
            "names": float(self.n_names), "effective_names": self.effective_names,
            "concentration": self.concentration, "largest_share": float(self._dollars.abs().max() / self.gross),
        }  # fmt: skip
        return pd.Series(figures, name="book")

    def top(self, n: int = 10) -> pd.DataFrame:
        """Return the largest positions: columns ``dollars``, ``share_of_gross`` and, where known, ``group``."""
        order = np.argsort(-self._dollars.abs().to_numpy(), kind="stable")[: require_count(n, "n", least=1)]
        largest = self._dollars.iloc[order]
        columns: dict[str, Any] = {"dollars": largest, "share_of_gross": largest.abs() / self.gross}
        if self._groups is not None:
            columns["group"] = self._groups.iloc[order]
        return pd.DataFrame(columns, largest.index)

    def by_group(self) -> pd.DataFrame:
        """Return dollars by group: columns ``long``, ``short``, ``gross``, ``net``, ``names``, ``share_of_gross``.

        Raises
        ------
        InvalidParameterError
            If the groups are not known.
        """
        if self._groups is None:
            raise InvalidParameterError(
                "expected a book with groups, got one without; pass groups=...", parameter="groups", got=None
            )
        d = self._dollars
        parts = pd.DataFrame(
            {
                "long": d.clip(lower=0.0),
                "short": d.clip(upper=0.0).abs(),
                "gross": d.abs(),
                "net": d,
                "names": (d != 0) * 1,
            }
        )
        table = parts.groupby(self._groups.rename("group"), sort=False).sum()
        return table.assign(share_of_gross=table["gross"] / self.gross)

    # -- through a model -----------------------------------------------------------------------------

    def cover(self, model: FactorModel, uncovered: Uncovered = NO_PROXIES) -> Coverage:
        """See the book through a model; say what the model does not cover, and what stands in for it.

        A position that is proxied has the mean loadings and the mean idio variance of its peers, idio risk of its
        own, and no alpha. One that is left out has no risk.

        Parameters
        ----------
        model : FactorModel
            A model of the assets held.
        uncovered : Uncovered, optional
            What stands in for positions of other assets: `NoProxies` (the default) refuses them; `GroupProxies`,
            `PeerProxies` or `LeftOutPositions`.

        Returns
        -------
        Coverage
            The strategy, and the share of gross that is not covered.

        Raises
        ------
        UncoveredPositionsError
            For positions that the model does not cover and for which nothing stands in, with names and dollars.
        UnknownAssetError
            For a peer that is not in the model.

        Examples
        --------
        >>> import riskmodel as rm
        >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "AAPL", "KO"], ["Mkt-RF"]))
        >>> book = rm.Book({"MSFT": 6e6, "NEWCO": 2e6})
        >>> covered = book.cover(model, rm.PeerProxies({"NEWCO": ["MSFT", "AAPL"]}))
        >>> covered
        <Coverage of 75.0% of gross; 25.0% of gross is not covered by the model: NEWCO (2,000,000): MSFT, AAPL>
        >>> covered.strategy.model.loadings.loc["NEWCO"].round(2).to_dict()
        {'Mkt-RF': 1.1}
        """
        return Coverage._of(self, model, uncovered)

    def strategy(self, model: FactorModel, uncovered: Uncovered = NO_PROXIES) -> Strategy:
        """Return the book as a strategy: dollars per dollar of `capital`.

        Parameters, errors: those of `cover`.

        Warns
        -----
        ProxiedPositionsWarning
            If positions were proxied or left out; it says which, by what, and their share of gross.
        """
        return self._covered(model, uncovered).strategy

    def position(self, model: FactorModel, horizon: Horizon, uncovered: Uncovered = NO_PROXIES) -> Position:
        """Return the book as a position: as it is held, with its volatility per `horizon`.

        A `RiskBudget` says its use of each limit, its headroom and its breaches. Errors and warnings: those of
        `strategy`.
        """
        return self._covered(model, uncovered).position(horizon)

    def _covered(self, model: FactorModel, uncovered: Uncovered) -> Coverage:
        covered = self.cover(model, uncovered)
        if covered.note:
            warn(
                ProxiedPositionsWarning(
                    f"{covered.note}; cover() has the table.",
                    share=covered.share,
                    proxied_by=covered.proxies["proxied_by"].to_dict(),
                    dollars=covered.uncovered.to_dict(),
                )
            )
        return covered


def require_not_percent(weights: pd.Series[float]) -> pd.Series[float]:
    """Return weights, or raise for those that are in percent."""
    net, gross = float(weights.sum()), float(weights.abs().sum())
    if min(abs(net - _PERCENT), abs(gross - _PERCENT)) <= _NEAR:
        raise InvalidParameterError(
            f"expected weights as decimals, 0.05 for five percent, got a sum of {net:g} and of sizes {gross:g}; if "
            "they are in percent, divide them by 100.",
            parameter="weights",
            net=net,
            gross=gross,
        )
    return weights


def _question_leverage(gross: float, nav: float) -> None:
    if gross > _MOST_LEVERAGE * nav:
        warn(
            DoubtfulUnitWarning(
                f"gross positions of {gross:,.0f} dollars are {gross / nav:,.0f} times the NAV of {nav:,.12g}; if that "
                "is in thousands or millions, give it in dollars.",
                gross=gross,
                nav=nav,
            )
        )


def _groups_of(assets: pd.Index[Any], groups: Any) -> pd.Series[Any] | None:
    read = read_groups(groups)
    if read is None:
        return None
    known = read.dropna()
    at = labels.positions(assets, known.index, "asset, without a group", UnknownAssetError)
    return known.iloc[at].rename("group")
