"""Leave out the assets that cannot be estimated, and record why."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Self, final

import pandas as pd
from attrs import define, field

from riskmodel._core.arguments import require_count
from riskmodel.errors import EstimationError
from riskmodel.model.model import FactorModel
from riskmodel.model.window_estimates import require_model_of

TOO_FEW = "too few observations"
NOT_VARIED = "the factors do not vary independently over its own dates"
NO_REASON = "not in the model that the estimator returned"

# where the first sentence of a message ends, or its remedy begins
_END = re.compile(r"(?<=[.!?])\s|;\s")


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
        require_count(minimum, "minimum", 1)
        return cls(dict.fromkeys(counts.index[counts < minimum], TOO_FEW))

    def add(self, error: EstimationError) -> None:
        """Leave out the assets that an error names."""
        self.reasons |= dict.fromkeys(error.details.get("assets", ()), _reason(error))
        self.observations |= error.details.get("counts", {})

    def add_missing(self, model: FactorModel, asked: Sequence[Any]) -> None:
        """Leave out the assets that a model leaves out of those asked for, with the model's own reasons."""
        absent = set(asked).difference(model.assets)
        self.reasons |= {a: NO_REASON for a in asked if a in absent}
        for asset, observations, reason in model.missing.itertuples(index=False):
            if asset in absent:
                self.reasons[asset] = str(reason)
                if not pd.isna(observations):
                    self.observations[asset] = observations

    def table(self, counts: pd.Series[Any]) -> pd.DataFrame:
        """Make the table of `FactorModel.missing`, in the order of the assets."""
        assets = [a for a in counts.index if a in self.reasons]
        observations = [self.observations.get(a, counts[a]) for a in assets]
        return pd.DataFrame({"asset": assets, "observations": observations, "reason": [*map(self.reasons.get, assets)]})


def fit_remaining(
    assets: Sequence[Any], fit: Callable[[list[Any]], FactorModel], left_out: LeftOut
) -> FactorModel | None:
    """Fit the assets without those named by errors, which are added to `left_out`; None if no asset remains.

    Assets that the model itself leaves out are added too.

    Raises
    ------
    EstimationError
        If the model cannot be estimated and the error names no asset.
    InvalidParameterError
        If `fit` returns anything but a model of some of the assets.
    """
    remaining = list(assets)
    while remaining:
        try:
            model = require_model_of(remaining, fit(remaining))
        except EstimationError as error:
            before = len(remaining)
            left_out.add(error)
            remaining = [a for a in remaining if a not in left_out.reasons]
            if len(remaining) == before:
                raise
        else:
            left_out.add_missing(model, remaining)
            return model
    return None


def _reason(error: EstimationError) -> str:
    """The reason that an error gives, or the first sentence of its message, without the remedy."""
    given = error.details.get("reason")
    message = _END.split(str(error), maxsplit=1)[0].strip().rstrip(".")
    return str(given) if given else message or type(error).__name__
