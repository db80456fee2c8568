"""Models and histories with the lineage of what made them."""

from __future__ import annotations

from typing import Any, TypeVar

from riskmodel._core.arrays import replaced
from riskmodel.errors import InvalidParameterError
from riskmodel.model.history import ModelHistory
from riskmodel.model.lineage import Lineage
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel

M = TypeVar("M", FactorModel, ModelHistory)


def recorded(made: M, estimator: Any, panel: Panel) -> M:
    """Return what an estimator made of a panel, with its lineage; raise for anything but a model or a history."""
    if not isinstance(made, FactorModel | ModelHistory):
        raise InvalidParameterError(
            f"expected a FactorModel or a ModelHistory from {type(estimator).__name__}, got {type(made).__name__}.",
            got=made,
        )
    return replaced(made, lineage=Lineage.of(estimator, panel))
