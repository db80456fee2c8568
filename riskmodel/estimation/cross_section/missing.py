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

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> names = ["KO", "PEP", "XOM", "CVX", "JPM"]
    >>> panel = rm.SampleData().panel(names, [], start="2018-01-01")
    >>> value = pd.DataFrame({name: float(i) for i, name in enumerate(names)}, panel.dates - pd.offsets.BDay())
    >>> value.iloc[100:, 4] = float("nan")
    >>> parts = {"styles": ["value"], "weighting": rm.UnitWeights()}
    >>> known = rm.Characteristics.wide({"value": value})
    >>> try:
    ...     rm.CrossSectional(known, missing=rm.REFUSE, **parts).fit(panel)
    ... except rm.MissingExposuresError as error:
    ...     print(type(error).__name__)
    MissingExposuresError
    >>> fit = rm.CrossSectional(known, missing=rm.LEAVE_OUT, **parts).fit(panel).cross_section
    >>> fit.n_assets.iloc[[0, -1]].tolist(), fit.last_known.index.tolist()
    ([5, 4], ['JPM'])
    """

    REFUSE = "refuse"
    LEAVE_OUT = "leave out"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.value


REFUSE, LEAVE_OUT = MissingExposures.REFUSE, MissingExposures.LEAVE_OUT
