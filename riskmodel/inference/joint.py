"""Levels of single intervals, so that all of a table cover at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel._core.listing import Abstract

# Draws from which the quantile of a maximum is taken: its error is a few thousandths.
_DRAWS = 20_000


class Joint(Abstract):
    """How the intervals of a table cover together. One hook: `marginal_level`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> class Doubled(rm.Joint):
    ...     def marginal_level(self, level, correlation):
    ...         return 1.0 - (1.0 - level) / 2.0
    >>> inference = rm.Inference.of(model, panel)
    >>> tables = [inference.table(held), inference.table(held, joint=Doubled())]
    >>> [[round(float(x), 2) for x in table.loc["exposure Mkt-RF", ["low", "high"]]] for table in tables]
    [[1.21, 1.3], [1.2, 1.31]]
    """

    @abstractmethod
    def marginal_level(self, level: float, correlation: Callable[[], Array]) -> float:
        """Return the level of each interval.

        Parameters
        ----------
        level : float
            Probability that all intervals cover.
        correlation : callable
            Returns the correlations of the M estimates, shape (M, M).
        """


@final
@frozen
class Pointwise(Joint):
    """Each interval alone covers with the probability.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> msft = rm.Strategy({"MSFT": 1.0}, model)
    >>> table = rm.Inference.of(model, panel).table(msft, joint=rm.Pointwise())
    >>> table.loc["exposure Mkt-RF", ["low", "high"]].astype(float).round(3).to_dict()
    {'low': 1.022, 'high': 1.126}
    """

    def marginal_level(self, level: float, correlation: Callable[[], Array]) -> float:
        """Return the level itself."""
        return level


@final
@frozen
class Bonferroni(Joint):
    """All intervals cover at once at least with the probability, whatever their correlations.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> msft = rm.Strategy({"MSFT": 1.0}, model)
    >>> table = rm.Inference.of(model, panel).table(msft, joint=rm.Bonferroni())
    >>> table.loc["exposure Mkt-RF", ["low", "high"]].astype(float).round(3).to_dict()
    {'low': 0.997, 'high': 1.151}
    """

    def marginal_level(self, level: float, correlation: Callable[[], Array]) -> float:
        """Return 1 - (1 - level)/M."""
        return 1.0 - (1.0 - level) / max(len(correlation()), 1)


@final
@frozen
class SupT(Joint):
    """All intervals cover at once with the probability: the quantile of the largest of the correlated errors [1]_.

    Figures that say nearly the same cost nothing, where `Bonferroni` counts each. The quantile is simulated from
    20,000 normal draws with a fixed seed.

    References
    ----------
    .. [1] Montiel Olea, J. L. and Plagborg-Møller, M. (2019). Simultaneous Confidence Bands: Theory, Implementation,
       and an Application to SVARs. *Journal of Applied Econometrics* 34(1), 1-17.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> msft = rm.Strategy({"MSFT": 1.0}, model)
    >>> table = rm.Inference.of(model, panel).table(msft, joint=rm.SupT())
    >>> table.loc["exposure Mkt-RF", ["low", "high"]].astype(float).round(3).to_dict()
    {'low': 1.006, 'high': 1.142}
    """

    def marginal_level(self, level: float, correlation: Callable[[], Array]) -> float:
        """Return the level whose critical value is the quantile of the largest error."""
        from scipy import special  # noqa: PLC0415 - slow to import

        matrix = correlation()
        if not len(matrix):
            return level
        values, vectors = np.linalg.eigh(matrix)
        half = vectors * np.sqrt(np.maximum(values, 0.0))
        draws = np.random.default_rng(0).standard_normal((_DRAWS, len(matrix)))
        largest = np.abs(draws @ half.T).max(axis=1)
        return float(2.0 * special.ndtr(np.quantile(largest, level)) - 1.0)
