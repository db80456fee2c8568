"""A number of components that depends on the number of assets alone."""

from __future__ import annotations

from typing import final

from attrs import field, frozen

from riskmodel._core.arrays import Array
from riskmodel.estimation.loadings.number import FactorNumber
from riskmodel.estimation.weighting import require_at_least


@final
@frozen
class AtMost(FactorNumber):
    """A number of components, or fewer where there are few assets.

    Parameters
    ----------
    most : int
        The number.
    assets_per_component : int
        One component for so many assets is enough; at least one.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.AtMost(10).known(500), rm.AtMost(10).known(12)
    (10, 4)
    """

    assets_per_component: int = field(default=3, validator=require_at_least(1))

    def known(self, assets: int) -> int:
        """Return the number for N assets."""
        return max(1, min(self.most, assets // self.assets_per_component))

    def choose(self, eigenvalues: Array, total: float, dates: float, assets: int) -> int:
        """Return the number for N assets, or the number of eigenvalues where these are fewer."""
        return min(self.known(assets), len(eigenvalues))
