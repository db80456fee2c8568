"""What stands in for positions that a model does not cover. Users subclass `Uncovered`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, final

import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.listing import Abstract
from riskmodel._core.weights import read_weights
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.groups import read_groups

# For each position that is not covered, the weights of its peers; none for one that is left out.
Baskets = Mapping[Any, "pd.Series[float]"]


class Uncovered(Abstract):
    """What stands in for positions that a model does not cover (abstract: subclass it with `baskets`).

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> import pandas as pd
    >>> class Market(rm.Uncovered):
    ...     def baskets(self, positions, groups, covered):
    ...         return {asset: pd.Series(1.0 / len(covered), covered) for asset in positions.index}
    >>> rm.Book({"MSFT": 6e6, "NEWCO": 1e6}).cover(model, Market()).note
    '14.3% of gross is not covered by the model: NEWCO (1,000,000): MSFT, JPM'
    """

    @abstractmethod
    def baskets(self, positions: pd.Series[float], groups: pd.Series[Any] | None, covered: pd.Index[Any]) -> Baskets:
        """Return the peers of each position, by their weights.

        Parameters
        ----------
        positions : Series by asset
            Dollars of the positions that are not covered.
        groups : Series by asset or None
            The groups of what is held, where the book knows them.
        covered : Index
            The assets of the model.

        Returns
        -------
        mapping of asset to Series
            Weights of covered assets, whose sum is one; an empty Series for a position that is left out. A position
            that is not in the mapping is refused.
        """


def _read(positions: Any, groups: Any, covered: Any) -> tuple[pd.Series[float], pd.Series[Any] | None, pd.Index[Any]]:
    """Check the arguments of `Uncovered.baskets`."""
    return read_weights(positions, "positions", "asset"), read_groups(groups), labels.unique(covered, "covered")


@final
@frozen
class NoProxies(Uncovered):
    """Nothing stands in: a book with positions that the model does not cover is refused.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> book = rm.Book({"MSFT": 6e6, "NEWCO": 1e6})
    >>> try:
    ...     book.cover(model, rm.NoProxies())
    ... except rm.UncoveredPositionsError as error:
    ...     print(error.details["missing"], round(error.details["share"], 3))
    ['NEWCO'] 0.143
    """

    def baskets(self, positions: pd.Series[float], groups: pd.Series[Any] | None, covered: pd.Index[Any]) -> Baskets:
        """No position has peers."""
        return {}


# The default of the methods of a book.
NO_PROXIES = NoProxies()


@final
@frozen(eq=False)
class GroupProxies(Uncovered):
    """A position has the figures of its group: the mean over the covered assets of the group.

    Parameters
    ----------
    groups : mapping or Series by asset
        The group of each asset, such as its sector. A position without one has the group that the book says.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "AAPL"], ["Mkt-RF"]))
    >>> book = rm.Book({"MSFT": 6e6, "NEWCO": 1e6})
    >>> book.cover(model, rm.GroupProxies({"MSFT": "tech", "AAPL": "tech", "NEWCO": "tech"})).note
    '14.3% of gross is not covered by the model: NEWCO (1,000,000): MSFT, AAPL'
    """

    _groups: pd.Series[Any] = field(converter=read_groups)

    @_groups.validator
    def _check(self, _attribute: Any, value: Any) -> None:
        if value is None or not len(value.dropna()):
            raise InvalidParameterError(
                "expected groups as a group for each asset, got none; pass a Series such as sectors by asset.",
                parameter="groups",
                got=value,
            )

    def baskets(self, positions: pd.Series[float], groups: pd.Series[Any] | None, covered: pd.Index[Any]) -> Baskets:
        """Return equal weights of the covered assets of each position's group."""
        positions, groups, covered = _read(positions, groups, covered)
        known = self._groups.dropna()
        if groups is not None:
            known = pd.concat([known, groups[~groups.index.isin(known.index)]])
        members = known[known.index.isin(covered)]
        found = {}
        for asset in positions.index[positions.index.isin(known.index)]:
            peers = members.index[members == known[asset]]
            if len(peers):
                found[asset] = pd.Series(1.0 / len(peers), peers)
        return found


def _read_peers(peers: Any) -> dict[Any, pd.Series[float]]:
    if not isinstance(peers, Mapping | pd.Series) or not len(peers):
        raise InvalidParameterError(
            f"expected peers as the peers of each asset, such as {{'NEW': ['MSFT', 'AAPL']}}, got {peers!r}.",
            parameter="peers",
            got=peers,
        )
    assets = labels.unique(list(peers.keys()), "the assets that have peers")
    return {asset: _basket(asset, peers[asset]) for asset in assets}


def _basket(asset: Any, peers: Any) -> pd.Series[float]:
    """Return the weights of the peers of an asset, equal ones for a list."""
    if not isinstance(peers, Mapping | pd.Series):
        names = labels.unique(peers, f"the peers of {asset}")
        peers = pd.Series(1.0 / max(len(names), 1), names)
    read = read_weights(peers, f"the peers of {asset}", "asset")
    if read.empty or (read < 0).any() or abs(float(read.sum()) - 1.0) > 1e-9:
        raise InvalidParameterError(
            f"expected the peers of {asset} as a list, or with weights from 0 to 1 whose sum is one, got a sum of "
            f"{float(read.sum()):g} over {len(read)}; divide them by their sum.",
            parameter="peers",
            asset=asset,
            sum=float(read.sum()),
        )
    return read


@final
@frozen(eq=False)
class PeerProxies(Uncovered):
    """A position has the figures of peers that the caller names.

    Parameters
    ----------
    peers : mapping
        For each position, a list of covered assets, or their weights, whose sum is one.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "AAPL"], ["Mkt-RF"]))
    >>> book = rm.Book({"MSFT": 6e6, "NEWCO": 1e6})
    >>> book.cover(model, rm.PeerProxies({"NEWCO": ["MSFT", "AAPL"]})).note
    '14.3% of gross is not covered by the model: NEWCO (1,000,000): MSFT, AAPL'
    """

    _peers: dict[Any, pd.Series[float]] = field(converter=_read_peers)

    def baskets(self, positions: pd.Series[float], groups: pd.Series[Any] | None, covered: pd.Index[Any]) -> Baskets:
        """Return the peers that were named."""
        positions, _, _ = _read(positions, groups, covered)
        return {asset: self._peers[asset] for asset in positions.index if asset in self._peers}


@final
@frozen(eq=False)
class LeftOutPositions(Uncovered):
    """Positions that the caller names are left out, such as cash.

    Parameters
    ----------
    assets : sequence of labels
        What to leave out, where the model does not cover it.
    otherwise : Uncovered, optional
        What becomes of other positions that are not covered; by default they are refused.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT"], ["Mkt-RF"]))
    >>> rm.Book({"MSFT": 6e6, "USD": 1e6}).cover(model, rm.LeftOutPositions(["USD"])).note
    '14.3% of gross is not covered by the model: USD (1,000,000): left out'
    """

    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    otherwise: Uncovered = field(factory=NoProxies)

    @otherwise.validator
    def _check(self, _attribute: Any, value: Any) -> None:
        require(value, Uncovered, "otherwise", "for instance rm.GroupProxies(sectors)")  # type: ignore[type-abstract]

    def baskets(self, positions: pd.Series[float], groups: pd.Series[Any] | None, covered: pd.Index[Any]) -> Baskets:
        """Return no peers for what is left out."""
        positions, groups, covered = _read(positions, groups, covered)
        out = positions.index.isin(self.assets)
        nothing = pd.Series(dtype=float)
        return {
            **self.otherwise.baskets(positions[~out], groups, covered),
            **dict.fromkeys(positions.index[out], nothing),
        }
