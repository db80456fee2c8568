"""Estimation universes: the assets that decide what factor returns are."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Flags
from riskmodel._core.listing import Abstract
from riskmodel.estimation.cross_section.sections import CrossSections
from riskmodel.estimation.weighting import require_at_least


class EstimationUniverse(Abstract):
    """Which assets standardise styles and decide factor returns. Subclass it and write `members`.

    All others are covered: they have exposures and residuals. An asset without a market capitalisation is no member,
    whatever the rule, where the model uses capitalisations.

    Examples
    --------
    >>> import riskmodel as rm
    >>> class Liquid(rm.EstimationUniverse):
    ...     def members(self, sections):
    ...         return sections.known("volume") > 1e6
    >>> import numpy as np
    >>> sections = rm.CrossSections(
    ...     caps=np.ones((1, 3)), universe=np.ones((1, 3), bool), exposures={},
    ...     known={"volume": np.array([[5e6, 2e5, 3e6]])}.get, codes={}.get
    ... )
    >>> Liquid().members(sections).tolist()
    [[True, False, True]]
    """

    @abstractmethod
    def members(self, sections: CrossSections) -> Flags:
        """Return the members before each time, shape (T, N).

        Parameters
        ----------
        sections : CrossSections
            What is known then; its own `universe` is all assets with a capitalisation. Each row must depend on that
            row alone.
        """


@final
@frozen
class EveryAsset(EstimationUniverse):
    """All assets of the panel.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> caps = np.array([[4.0, 2.0, 1.0, 1.0]])
    >>> sections = rm.CrossSections(caps, np.full((1, 4), True), exposures={}, known={}.get, codes={}.get)
    >>> rm.EveryAsset().members(sections).tolist()
    [[True, True, True, True]]
    """

    def members(self, sections: CrossSections) -> Flags:
        """Return all assets with a capitalisation."""
        return sections.universe


@final
@frozen
class Flagged(EstimationUniverse):
    """The assets that a characteristic flags, such as the members of an index.

    Parameters
    ----------
    name : label
        A characteristic of flags or numbers: a member has one other than zero. Missing is no member.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> sections = rm.CrossSections(
    ...     caps=np.ones((1, 3)), universe=np.ones((1, 3), bool), exposures={},
    ...     known={"in_index": np.array([[1.0, 0.0, np.nan]])}.get, codes={}.get
    ... )
    >>> rm.Flagged("in_index").members(sections).tolist()
    [[True, False, False]]
    """

    name: Any = field(validator=labels.check_label)

    def members(self, sections: CrossSections) -> Flags:
        """Return the flags."""
        values = sections.known(self.name)
        return np.asarray(~np.isnan(values) & (values != 0))


@final
@frozen
class LargestCaps(EstimationUniverse):
    """The assets of the largest market capitalisation.

    Parameters
    ----------
    number : int
        How many; where several have the smallest capitalisation among them, all of these.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> caps = np.array([[4.0, 2.0, 1.0, 1.0]])
    >>> sections = rm.CrossSections(caps, np.full((1, 4), True), exposures={}, known={}.get, codes={}.get)
    >>> rm.LargestCaps(2).members(sections).tolist()
    [[True, True, False, False]]
    """

    number: int = field(validator=require_at_least(2))

    def members(self, sections: CrossSections) -> Flags:
        """Return the largest of the assets with a capitalisation."""
        caps = np.where(sections.universe, sections.caps, -np.inf)
        n = caps.shape[1]
        if self.number >= n:
            return sections.universe
        smallest = np.partition(caps, n - self.number, axis=1)[:, [n - self.number]]
        return np.asarray(sections.universe & (caps >= smallest))
