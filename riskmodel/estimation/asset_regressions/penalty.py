"""How strong a penalty is: given, or cross-validated."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require_finite
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.weighting import require_at_least


def _read(penalties: Any) -> tuple[float, ...]:
    values = tuple(require_finite(p, "penalties") for p in labels.require_list(penalties, "penalties"))
    if not values or min(values) <= 0:
        raise InvalidParameterError(
            f"expected penalties above 0, got {values!r}; pass some, such as (0.01, 0.1, 1.0).",
            parameter="penalties",
            got=penalties,
        )
    return tuple(sorted(values, reverse=True))


@final
@frozen
class CrossValidated(Listed):
    """A penalty chosen for each asset by its squared errors on later dates.

    An asset's dates are cut into `folds` + 1 blocks in the order of time. Each block but the first is forecast by
    regressions on the blocks before it ([1]_, section 5.10), and the penalty of the least sum of squared errors is
    used on all dates.

    Parameters
    ----------
    folds : int
        Blocks that are forecast.
    penalties : sequence of float
        Candidates, above 0.

    References
    ----------
    .. [1] Hyndman, R. J. and Athanasopoulos, G. (2021). *Forecasting: Principles and Practice*, 3rd edition. OTexts.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.CrossValidated(folds=3, penalties=[0.01, 0.1])
    CrossValidated(folds=3, penalties=(0.1, 0.01))
    """

    folds: int = field(default=5, validator=require_at_least(1))
    penalties: tuple[float, ...] = field(default=tuple(np.geomspace(1e-4, 1.0, 13).tolist()), converter=_read)
