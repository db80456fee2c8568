"""What wrappers of loadings share."""

from __future__ import annotations

from typing import Any

from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.loadings.base import LoadingsEstimator


def require_loadings(self: Any, attribute: Any, value: Any) -> None:
    """Raise unless a field is a `LoadingsEstimator` (an attrs validator)."""
    if not isinstance(value, LoadingsEstimator):
        raise InvalidParameterError(
            f"expected {attribute.name} of {type(self).__name__} as a LoadingsEstimator such as "
            f"rm.TimeSeries(rm.OLS()), got {value!r}.",
            parameter=attribute.name,
            got=value,
        )
