"""Which assets a study holds on a date."""

from __future__ import annotations

from abc import abstractmethod
from hashlib import sha256
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Index
from riskmodel._core.listing import Abstract, Listed
from riskmodel.estimation.weighting import require_at_least, require_share

USED, SHORT, CONSTANT, ENDED, NOT_DRAWN = range(5)
REASONS = (
    "",
    "too few known returns in the window",
    "returns that do not vary in the window",
    "unknown returns after the window",
    "not drawn",
)


def seed_of(seed: int, date: pd.Timestamp) -> np.random.Generator:
    """A generator of random numbers that depends on a seed and a date, not on other dates of a study."""
    return np.random.default_rng([seed, date.value // 10**9 + 2**40])


class Draw(Abstract):
    """A choice of some of the assets that can be used on a date.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> class EvenPositions(rm.Draw):
    ...     def choose(self, assets, date):
    ...         return np.arange(0, len(assets), 2)
    >>> import pandas as pd
    >>> EvenPositions().choose(pd.Index(["A", "B", "C"]), pd.Timestamp("2020-01-31")).tolist()
    [0, 2]
    """

    @abstractmethod
    def choose(self, assets: pd.Index[Any], date: pd.Timestamp) -> Index:
        """The positions of the chosen assets, increasing."""


@final
@frozen
class RandomDraw(Draw):
    """At most n assets, drawn anew on each date.

    Parameters
    ----------
    n : int
        The most assets.
    seed : int
        Of the random numbers.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.RandomDraw(150)
    RandomDraw(n=150, seed=0)
    """

    n: int = field(validator=require_at_least(1))
    seed: int = field(default=0, validator=require_at_least(0))

    def choose(self, assets: pd.Index[Any], date: pd.Timestamp) -> Index:
        """The positions of the chosen assets, increasing."""
        if len(assets) <= self.n:
            return np.arange(len(assets), dtype=np.intp)
        return np.sort(seed_of(self.seed, date).choice(len(assets), self.n, replace=False)).astype(np.intp)


@final
@frozen
class SteadyDraw(Draw):
    """At most n assets, the same ones on each date as far as they can be used, so that turnover can be compared.

    Parameters
    ----------
    n : int
        The most assets.
    seed : int
        Another seed draws others.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.SteadyDraw(150)
    SteadyDraw(n=150, seed=0)
    """

    n: int = field(validator=require_at_least(1))
    seed: int = field(default=0, validator=require_at_least(0))

    def choose(self, assets: pd.Index[Any], date: pd.Timestamp) -> Index:
        """The positions of the chosen assets, increasing."""
        # the order of digests does not depend on which other assets there are
        digests = [sha256(f"{self.seed}:{a!s}".encode(errors="surrogateescape")).digest() for a in assets]
        order = sorted(range(len(assets)), key=digests.__getitem__)
        return np.sort(np.array(order[: self.n], dtype=np.intp))


@final
@frozen
class EveryAsset(Draw):
    """All assets that can be used."""

    def choose(self, assets: pd.Index[Any], date: pd.Timestamp) -> Index:
        """All positions."""
        return np.arange(len(assets), dtype=np.intp)


def _draw(_: Any, __: Any, draw: Any) -> None:
    kind: Any = Draw
    require(draw, kind, "draw", "such as rm.RandomDraw(150)")


@final
@frozen
class KnownAssets(Listed):
    """The rule by which a study chooses assets on each date.

    An asset is used if a share of its returns in the window is known, these vary, and all of its returns after the
    window, up to the horizon of the forecast, are known. The last is looked up in the future, so an asset that is
    delisted within the horizon is not evaluated there; forecasts of the others do not see it.

    Parameters
    ----------
    share : float
        The smallest share of known returns in the window, from 0 to 1.
    draw : Draw
        Which of these assets are used: all by default, or `RandomDraw`, `SteadyDraw`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.KnownAssets(0.98, rm.RandomDraw(150))
    KnownAssets(share=0.98, draw=RandomDraw(n=150, seed=0))
    """

    share: float = field(default=0.98, validator=require_share)
    draw: Draw = field(factory=EveryAsset, validator=_draw)

    def select(self, past: Array, future: Array, assets: pd.Index[Any], date: pd.Timestamp) -> Index:
        """What becomes of each asset, as a position in `REASONS`, shape (N,); 0 is used.

        Parameters
        ----------
        past, future : array, shape (T, N) and (h, N)
            Returns of the window, and after it.
        assets : pandas.Index
            N labels.
        date : Timestamp
            The last date of the window.
        """
        reason = np.zeros(len(assets), dtype=np.intp)
        known = ~np.isnan(past)
        reason[np.isnan(future).any(axis=0)] = ENDED
        low = np.where(known, past, np.inf).min(axis=0, initial=np.inf)
        high = np.where(known, past, -np.inf).max(axis=0, initial=-np.inf)
        reason[~(high > low)] = CONSTANT
        reason[known.mean(axis=0) < self.share] = SHORT
        usable = np.flatnonzero(reason == USED)
        chosen = self.draw.choose(assets[usable], date)
        reason[np.setdiff1d(usable, usable[chosen])] = NOT_DRAWN
        return reason
