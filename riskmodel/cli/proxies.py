"""What stands in for positions without returns, on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, final

import pandas as pd
from attrs import evolve, frozen

from riskmodel._core import labels
from riskmodel._core.paths import read_path
from riskmodel.cli.groups import groups_of
from riskmodel.errors import InvalidParameterError
from riskmodel.model.model import FactorModel
from riskmodel.model.proxied import with_proxies
from riskmodel.panel.baskets import with_baskets
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.uncovered import GroupProxies, PeerProxies, Uncovered

BY_GROUP = "group"


def add_proxies(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--proxies``."""
    parser.add_argument(
        "--proxies",
        metavar="group|FILE",
        help="what stands in for --positions without returns: others of their group (of --groups, or of the column "
        "group), or the peers of a CSV file with columns asset and peer",
    )


@final
@frozen(eq=False)
class ProxyRule:
    """What ``--proxies`` says."""

    option: str
    _peers: Mapping[str, list[str]]
    _groups: pd.Series[Any] | None

    @classmethod
    def given(cls, args: argparse.Namespace, known: Sequence[str]) -> Self | None:
        """Read the option, or return None without it; `known` are the assets that have returns.

        Raises
        ------
        InvalidParameterError
            For a file that is none of peers.
        """
        option = getattr(args, "proxies", None)
        if option is None:
            return None
        if args.positions is None:
            raise InvalidParameterError(
                "expected --proxies with --positions, got it alone; leave it out.", option="--proxies"
            )
        if option == BY_GROUP:
            groups = groups_of(args, known) if getattr(args, "groups", None) is not None else None
            return cls(option, {}, groups)
        return cls(option, _read_peers(option), None)

    def proxies(self, missing: pd.Series[float], groups: pd.Series[Any] | None, known: Sequence[str]) -> Proxies:
        """Return what stands in for some positions, by their sizes, among the assets that have returns."""
        uncovered: Uncovered
        if self.option == BY_GROUP:
            every = [g for g in (self._groups, groups) if g is not None]
            if not every:
                raise InvalidParameterError(
                    "expected --proxies group with groups of the positions, got none; give --groups, or a column group "
                    "in the file of --positions.",
                    option="--proxies",
                )
            together = pd.concat(every)
            uncovered = GroupProxies(together[~together.index.duplicated()])
        else:
            uncovered = PeerProxies(self._peers)
        found = Proxies(dict(uncovered.baskets(missing, groups, pd.Index(list(known)))))
        absent = [peer for peer in found.peers if peer not in known]
        if absent:
            raise InvalidParameterError(
                f"expected peers with returns in --proxies {self.option}, got {labels.listing(absent)} without; take "
                "them out, or add their returns.",
                option="--proxies",
                missing=absent,
            )
        return evolve(found, unused=tuple(asset for asset in self._peers if asset not in found.baskets))

    @property
    def nothing(self) -> Proxies:
        """What stands in where all positions have returns."""
        return Proxies({}, tuple(self._peers))

    def why_none(self) -> str:
        """Say why nothing stands in for a position."""
        if self.option == BY_GROUP:
            return "no asset of their group has returns, or they have no group; give --groups, or a file of peers"
        return f"{self.option} has no peers of them; add a row for each"


@final
@frozen(eq=False)
class Proxies:
    """For each position without returns that has some, the weights of its peers."""

    baskets: dict[Any, pd.Series[float]]
    unused: tuple[str, ...] = ()  # of a file

    @property
    def peers(self) -> list[str]:
        """All peers."""
        return list(dict.fromkeys(str(peer) for basket in self.baskets.values() for peer in basket.index))

    def of(self, assets: Iterable[Any]) -> Proxies:
        """Those of some assets."""
        return Proxies({asset: self.baskets[asset] for asset in assets if asset in self.baskets})

    def panel(self, panel: ReturnPanel) -> ReturnPanel:
        """Add the positions, with the returns of their peers."""
        return with_baskets(panel, self.baskets)

    def model(self, model: FactorModel) -> FactorModel:
        """Add the positions, with the means of loadings and idio variances of their peers, and no alpha."""
        return with_proxies(model, self.baskets)

    def note(self, sizes: pd.Series[float]) -> str:
        """Say what stands in for what, and what that means; empty where nothing does."""
        if not self.baskets:
            return self._of_unused.strip()
        held = sizes.reindex(list(self.baskets), fill_value=0.0)
        share = float(held.abs().sum() / sizes.abs().sum())
        size = {asset: f"{held[asset]:,.12g}" if held[asset] else "on other dates" for asset in self.baskets}
        rows = [f"{asset} ({size[asset]}) by {labels.listing(b.index)}" for asset, b in self.baskets.items()]
        return (
            f"{share:.1%} of gross has no returns, and others stand in: {labels.listing(rows)}. The model has the "
            "means of their betas and idio variances, and no alpha; what was realised, and regressions of windows, "
            "have the mean return of the peers, whose own risk is not that of another asset." + self._of_unused
        )

    @property
    def _of_unused(self) -> str:
        names = labels.listing(self.unused)
        return f" Rows of {names} are not used: it has returns of its own, or is not held." if self.unused else ""


def _read_peers(path: str) -> dict[str, list[str]]:
    file = read_path(path, "--proxies")
    if not file.exists():
        raise InvalidParameterError(
            "expected --proxies as the word group, or as a CSV file with the columns asset and peer, got "
            f"{path}, which is no file.",
            option="--proxies",
        )
    # any separator; NA is a ticker
    table = pd.read_csv(
        file, dtype=str, keep_default_na=False, sep=None, engine="python", skipinitialspace=True, encoding="utf-8-sig"
    )
    table.columns = [str(column).strip().lower() for column in table.columns]
    if list(table.columns) != ["asset", "peer"] or table.empty or (table == "").to_numpy().any():
        raise InvalidParameterError(
            f"expected --proxies as the word group, or as a CSV file with the columns asset and peer, one row for each "
            f"peer, got {path} with the columns {', '.join(table.columns)} and {len(table)} rows, "
            "or with an empty cell.",
            option="--proxies",
        )
    return {str(asset): list(peers) for asset, peers in table.groupby("asset", sort=False)["peer"]}
