"""Factors that a provider publishes on paper."""

from __future__ import annotations

from typing import Any

import pandas as pd

from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import PublishedFactor


def on_paper(model: FactorModel) -> pd.Index[Any]:
    """Return the factors of a model that are long-short portfolios of a provider: no one security is that."""
    return model.factors[
        [isinstance(f, PublishedFactor) and not f.funded and f.name not in model.assets for f in model.definitions]
    ]
