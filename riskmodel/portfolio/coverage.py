"""How much of a book a model covers, and what stands in for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, UncoveredPositionsError, UnknownAssetError
from riskmodel.horizon import Horizon
from riskmodel.model.model import FactorModel
from riskmodel.model.proxied import with_proxies
from riskmodel.panel.baskets import with_baskets
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.position import Position
from riskmodel.portfolio.strategy import Strategy
from riskmodel.portfolio.uncovered import Uncovered

if TYPE_CHECKING:
    from riskmodel.portfolio.book import Book

_LEFT_OUT = "left out"


@final
@frozen(eq=False, repr=False)
class Coverage(Listed):
    """A book seen through a model, with what stands in for positions that the model does not cover.

    Made by `Book.cover`.

    Attributes
    ----------
    strategy : Strategy
        The book per dollar of its capital, with the model of all that is covered or proxied.
    capital : float
        Dollars of the strategy: the book's.
    uncovered : Series by asset
        Dollars of the positions that the model does not cover.
    share : float
        Their share of the gross dollars, 0 to 1.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT"], ["Mkt-RF"]))
    >>> covered = rm.Book({"MSFT": 6e6, "USD": 1e6}).cover(model, rm.LeftOutPositions(["USD"]))
    >>> round(covered.share, 3)
    0.143
    """

    strategy: Strategy
    capital: float
    _uncovered: pd.DataFrame
    share: float
    _baskets: dict[Any, pd.Series[float]]

    @classmethod
    def _of(cls, book: Book, model: FactorModel, uncovered: Uncovered) -> Self:
        """See a book through a model; see `Book.cover`."""
        require(model, FactorModel, "model", "fit one, as in rm.OLS().fit(panel)")
        require(uncovered, Uncovered, "uncovered", "for instance rm.GroupProxies(sectors)")  # type: ignore[type-abstract]
        held = book.dollars[book.dollars != 0]
        missing = held[~held.index.isin(model.assets)]
        # what others stand in for stands in for nothing
        known = model.assets[~model.assets.isin(list(model._proxies))]
        baskets = _checked(uncovered.baskets(missing, book.groups, known), missing, model)
        share = float(missing.abs().sum() / held.abs().sum())
        refused = missing[~missing.index.isin(list(baskets))]
        if len(refused):
            raise refusal(refused, share)
        proxied = {asset: basket for asset, basket in baskets.items() if len(basket)}
        kept = held[held.index.isin(model.assets) | held.index.isin(list(proxied))]
        if kept.empty:
            raise refusal(missing, share)
        table = pd.DataFrame(
            {
                "dollars": missing,
                "share_of_gross": missing.abs() / held.abs().sum(),
                "peers": [len(baskets[asset]) for asset in missing.index],
                "proxied_by": [labels.listing(baskets[a].index) or _LEFT_OUT for a in missing.index],
            },
            index=missing.index,
        )
        return cls(Strategy(kept / book.capital, with_proxies(model, proxied)), book.capital, table, share, proxied)

    def __repr__(self) -> str:
        return f"<Coverage of {1.0 - self.share:.1%} of gross; {self.note or 'nothing is proxied'}>"

    @property
    def uncovered(self) -> pd.Series[float]:
        """Dollars of the positions that the model does not cover, by asset."""
        return self._uncovered["dollars"].copy()

    @property
    def proxies(self) -> pd.DataFrame:
        """What stands in for what: one row for each uncovered position.

        Columns: ``dollars``, ``share_of_gross``, ``peers`` (how many) and ``proxied_by`` (their names).
        """
        return self._uncovered.copy()

    @property
    def note(self) -> str:
        """What was proxied by what, in a sentence for a report; empty where the model covers all."""
        if self._uncovered.empty:
            return ""
        rows = [f"{asset} ({row.dollars:,.0f}): {row.proxied_by}" for asset, row in self._uncovered.iterrows()]
        return f"{self.share:.1%} of gross is not covered by the model: {labels.listing(rows)}"

    def panel(self, panel: ReturnPanel) -> ReturnPanel:
        """Return a panel in which proxied positions have the returns of their peers, for realised figures.

        The peers are rebalanced to equal weights, or those given, on every date; where one has no return, the others
        have its weight. Idio returns of several peers are diversified, and move with peers that are held, while
        `strategy` counts idio risk of the position's own.

        Parameters
        ----------
        panel : ReturnPanel
            Of the peers and of what else is held.

        Raises
        ------
        UnknownAssetError
            For a peer that the panel does not have.
        InvalidParameterError
            If the panel has returns of a proxied position itself.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["MSFT", "AAPL"], ["Mkt-RF"])
        >>> book = rm.Book({"MSFT": 6e6, "NEWCO": 2e6})
        >>> covered = book.cover(rm.OLS().fit(panel), rm.PeerProxies({"NEWCO": ["MSFT", "AAPL"]}))
        >>> round(float(covered.strategy.realised(covered.panel(panel)).at(rm.YEAR)), 3)
        0.293
        """
        return with_baskets(require(panel, ReturnPanel, "panel", "of the model"), self._baskets)

    def position(self, horizon: Horizon) -> Position:
        """Return the position as it is held, with its volatility per `horizon`."""
        return Position(self.strategy, self.capital, horizon)


def refusal(missing: pd.Series[float], share: float) -> UncoveredPositionsError:
    """Make the error of positions that the model does not cover, with their names and dollars."""
    named = labels.listing(f"{asset} ({dollars:,.0f})" for asset, dollars in missing.items())
    return UncoveredPositionsError(
        f"expected a model of all that is held, got none of {named}; {share:.1%} of gross is not covered. Fit a model "
        "of these too, or pass uncovered=rm.GroupProxies(groups), rm.PeerProxies(peers), or "
        "rm.LeftOutPositions(assets) for cash.",
        missing=list(missing.index),
        dollars=missing.to_dict(),
        share=share,
    )


def _checked(baskets: Any, missing: pd.Series[float], model: FactorModel) -> dict[Any, pd.Series[float]]:
    """Check the peers, which a user's class may have chosen."""
    found = {}
    for asset in missing.index:
        basket = baskets.get(asset)
        if basket is None:
            continue
        labels.positions(basket.index, model.assets, f"peer of {asset}", UnknownAssetError)
        total = float(np.sum(basket))
        if len(basket) and not abs(total - 1.0) <= 1e-9:
            raise InvalidParameterError(
                f"expected weights of the peers of {asset} whose sum is one, got {total:g}.", asset=asset, sum=total
            )
        found[asset] = basket[basket != 0]  # a peer without weight needs no returns
    return found
