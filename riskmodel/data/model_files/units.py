"""The units of the numbers in files of a risk model."""

from __future__ import annotations

from enum import Enum
from typing import Any, final

from attrs import field, frozen

from riskmodel._core.arguments import require, require_finite
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon


@final
class RiskUnit(Enum):
    """Of returns and volatilities in a file: ``rm.RiskUnit.DECIMALS`` (0.2), or ``rm.RiskUnit.PERCENT`` (20).

    Variances and covariances are then in decimals squared (0.04), or percent squared (400).

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.FileUnits(rm.RiskUnit.PERCENT, rm.YEAR, rm.RiskForm.VOLATILITY)
    FileUnits(unit=RiskUnit.PERCENT, horizon=YEAR, form=RiskForm.VOLATILITY, plausible=(0.08, 2.0))
    """

    DECIMALS = "decimals"
    PERCENT = "percent"

    def __repr__(self) -> str:
        return f"RiskUnit.{self.name}"

    def __str__(self) -> str:
        return self.value

    @property
    def power(self) -> int:
        """The power of ten by which a return is larger than in decimals."""
        return 2 if self is RiskUnit.PERCENT else 0


@final
class RiskForm(Enum):
    """How the risk of an asset is stated: ``rm.RiskForm.VOLATILITY`` or ``rm.RiskForm.VARIANCE``.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.FileUnits(rm.RiskUnit.PERCENT, rm.YEAR, rm.RiskForm.VARIANCE)
    FileUnits(unit=RiskUnit.PERCENT, horizon=YEAR, form=RiskForm.VARIANCE, plausible=(0.08, 2.0))
    """

    VOLATILITY = "volatility"
    VARIANCE = "variance"

    def __repr__(self) -> str:
        return f"RiskForm.{self.name}"

    def __str__(self) -> str:
        return self.value


def _read_range(value: Any) -> tuple[float, float]:
    """Read two numbers, the lower one first (an attrs converter)."""
    try:
        low, high = value
    except (TypeError, ValueError):
        low, high = None, None
    if low is None or require_finite(low, "plausible") < 0 or require_finite(high, "plausible") <= low:
        raise InvalidParameterError(
            f"expected plausible as two annual volatilities in decimals, the lower one first, got {value!r}.",
            parameter="plausible",
            got=value,
        )
    return float(low), float(high)


@final
@frozen
class FileUnits(Listed):
    """What the numbers in files of a risk model are. Files seldom tell; their documentation does.

    Parameters
    ----------
    unit : RiskUnit
        Percent or decimals.
    horizon : Horizon
        The span of variances and means, such as ``rm.YEAR``.
    form : RiskForm
        Whether the risk of an asset, specific or total, is a volatility or a variance. Covariances of factors are
        variances.
    plausible : tuple of float
        The annual volatilities, in decimals, between which that of the median asset must lie. The default is for
        stocks and funds of them; give ``(0.001, 0.3)`` for bonds.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.FileUnits(rm.RiskUnit.PERCENT, rm.YEAR, rm.RiskForm.VOLATILITY)
    FileUnits(unit=RiskUnit.PERCENT, horizon=YEAR, form=RiskForm.VOLATILITY, plausible=(0.08, 2.0))
    """

    unit: RiskUnit
    horizon: Horizon
    form: RiskForm
    plausible: tuple[float, float] = field(default=(0.08, 2.0), converter=_read_range)

    def __attrs_post_init__(self) -> None:
        require(self.unit, RiskUnit, "unit", "rm.RiskUnit.PERCENT or rm.RiskUnit.DECIMALS")
        require(self.horizon, Horizon, "horizon", "such as rm.YEAR")
        require(self.form, RiskForm, "form", "rm.RiskForm.VOLATILITY or rm.RiskForm.VARIANCE")

    def __str__(self) -> str:
        return f"{self.unit}, per {self.horizon}, specific risk as {self.form}"
