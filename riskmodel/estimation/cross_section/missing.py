"""What becomes of an asset on a date on which one of its exposures is missing."""

from __future__ import annotations

from enum import Enum
from typing import final


@final
class MissingExposures(Enum):
    """What a missing exposure means on a date on which the asset has a return.

    ``rm.REFUSE``: an error that names the assets. ``rm.LEAVE_OUT``: the asset is no part of the regression of that
    date, and its residual is missing there; an asset whose exposures are missing at the end, such as a delisted one,
    has its last ones, and `CrossSectionFit.last_known` lists these.
    """

    REFUSE = "refuse"
    LEAVE_OUT = "leave out"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.value


REFUSE, LEAVE_OUT = MissingExposures.REFUSE, MissingExposures.LEAVE_OUT
