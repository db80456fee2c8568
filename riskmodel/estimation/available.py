"""Leave out the assets that cannot be estimated, and record why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, final

import pandas as pd
from attrs import define, field

from riskmodel.errors import CollinearFactorsError, EstimationError, InvalidParameterError, TooFewObservationsError
from riskmodel.model.model import FactorModel

TOO_FEW = "too few observations"
NOT_VARIED = "the factors do not vary independently over its own dates"


@final
@define(eq=False)
class LeftOut:
    """The assets that were left out, with reasons.

    Attributes
    ----------
    reasons : dict
        By asset, the reason.
    observations : dict
        By asset, its effective observations where these were too few and the error has them.
    """

    reasons: dict[Any, str] = field(factory=dict)
    observations: dict[Any, float] = field(factory=dict)

    @classmethod
    def short(cls, counts: pd.Series[Any], minimum: int | None) -> Self:
        """Leave out the assets with fewer observations than a minimum; None means no minimum."""
        if minimum is None:
            return cls()
        if isinstance(minimum, bool) or not isinstance(minimum, int) or minimum < 1:
            raise InvalidParameterError(
                f"expected minimum as a whole number of observations, 1 or more, got {minimum!r}."
            )
        return cls(dict.fromkeys(counts.index[counts < minimum], TOO_FEW))

    def add(self, error: EstimationError) -> None:
        """Leave out the assets that an error names."""
        self.reasons |= dict.fromkeys(error.details.get("assets", ()), _reason(error))
        self.observations |= error.details.get("counts", {})

    def table(self, counts: pd.Series[Any]) -> pd.DataFrame:
        """Make the table of `FactorModel.missing`, in the order of the assets."""
        assets = [a for a in counts.index if a in self.reasons]
        observations = [self.observations.get(a, counts[a]) for a in assets]
        return pd.DataFrame({"asset": assets, "observations": observations, "reason": [*map(self.reasons.get, assets)]})


def fit_remaining(
    assets: Sequence[Any], fit: Callable[[list[Any]], FactorModel], left_out: LeftOut
) -> FactorModel | None:
    """Fit the assets without those named by errors, which are added to `left_out`; None if no asset remains.

    Raises
    ------
    EstimationError
        If the model cannot be estimated and the error names no asset.
    """
    remaining = list(assets)
    while remaining:
        try:
            return fit(remaining)
        except EstimationError as error:
            before = len(remaining)
            left_out.add(error)
            remaining = [a for a in remaining if a not in left_out.reasons]
            if len(remaining) == before:
                raise
    return None


def _reason(error: EstimationError) -> str:
    """The reason as a constant text, the same for all assets and windows."""
    if isinstance(error, TooFewObservationsError):
        return TOO_FEW
    return NOT_VARIED if isinstance(error, CollinearFactorsError) else type(error).__name__
