"""Whether a risk model read in some units has risks that assets have."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
from attrs import evolve, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel._core.linalg import as_correlation
from riskmodel.data.model_files.units import FileUnits, RiskForm, RiskUnit
from riskmodel.errors import DoubtfulUnitWarning, UnitsError, UnreadableFileError
from riskmodel.horizon import DAY, MONTH, WEEK, YEAR
from riskmodel.model.model import FactorModel

# Stated total risks that differ from those of the parts by more than this, at the median, are in other units.
_ROUNDED = 0.02
# Two computations of a variance from K factors differ by less than so many times K + 1 roundings of its largest term.
_ROUNDINGS = 16.0
# Between a third and three times: specific over factor volatility of the median asset.
_USUAL = 3.0


@frozen(eq=False)
class StatedRisk:
    """The risk of N assets as a file states it: numbers, whatever their units.

    Attributes
    ----------
    factor : array, shape (N,)
        Variances by the factors.
    specific : array, shape (N,)
        Volatilities or variances.
    """

    factor: Array
    specific: Array

    def medians(self, units: FileUnits) -> tuple[float, float, float]:
        """The median annual volatility in total, by the factors, and specific, in decimals, if these are the units."""
        scale = 10.0 ** (-2 * units.unit.power)
        per_year = YEAR.in_units_of(units.horizon)
        factor = self.factor * (scale * per_year)
        own = self.specific**2 if units.form is RiskForm.VOLATILITY else self.specific
        specific = own * (scale * per_year)
        total, by_factor, alone = (float(np.sqrt(np.median(v))) for v in (factor + specific, factor, specific))
        return total, by_factor, alone


def check(risk: StatedRisk, units: FileUnits, stated_total: Array | None, total: Array, where: str) -> None:
    """Raise where the units cannot be right.

    Parameters
    ----------
    risk : StatedRisk
        What the files state.
    units : FileUnits
        What the caller says of it.
    stated_total, total : array, shape (M,)
        Total variances of some assets by a column of the files, and by B F B' + D, in the same units.
    where : str
        The files, for messages.
    """
    if not len(risk.specific):
        return
    if stated_total is not None and len(total):
        _require_total(stated_total, total, where, units)
    median = risk.medians(units)[0]
    low, high = units.plausible
    if not low <= median <= high:
        fitting = [str(u) for u in _others(units) if low <= risk.medians(u)[0] <= high]
        hint = f"; it would be plausible in: {'; '.join(fitting)}" if fitting else ""
        raise UnitsError(
            f"expected a median volatility between {low:.3g} and {high:.3g} a year, got {median:.3g} from {where}, "
            f"read in {units}{hint}; say the units of the files, or plausible=(low, high) where this is right.",
            median=median,
            plausible=units.plausible,
            units=units,
            fitting=fitting,
        )


def _require_total(stated: Array, total: Array, where: str, units: FileUnits) -> None:
    known = (total > 0) & (stated > 0)
    ratio = float(np.median(np.sqrt(stated[known] / total[known]))) if known.any() else 1.0
    if abs(ratio - 1.0) > _ROUNDED:
        raise UnitsError(
            f"expected the total risk stated in {where} to be that of its parts, got {ratio:.3g} times as much for the "
            f"median asset, read in {units}; the units of some of the files are others.",
            ratio=ratio,
            units=units,
        )


def require_parts(stated: Array, model: FactorModel, at: Index, where: str) -> None:
    """Raise for an asset whose total variance, stated in full precision, is not that of its parts.

    Parameters
    ----------
    stated : array, shape (M,)
        Total variances by the file, in decimals.
    model : FactorModel
        With the parts.
    at : array of int, shape (M,)
        The positions of these assets in the model.
    where : str
        The file, for messages.
    """
    own = model._idio_variance[at]
    total = model.covariance._systematic[at] + own
    # The root of F, by which this is computed, is exact relative to the norm of the correlations.
    f = model._factor_covariance
    largest = model._loadings[at] ** 2 @ np.diag(f) * np.linalg.norm(as_correlation(f)[0]) + own
    rounding = _ROUNDINGS * (len(model.factors) + 1) * np.finfo(np.float64).eps * largest
    wrong = model.assets[at][np.abs(stated - total) > rounding + np.finfo(np.float64).tiny]
    if len(wrong):
        raise UnreadableFileError(
            f"expected the total risk in {where} to be that of its parts, got another for {labels.listing(wrong)}; "
            "write the model again.",
            path=where,
            assets=list(wrong),
        )


def warn_of_form(risk: StatedRisk, units: FileUnits, where: str) -> None:
    """Warn where specific risk has a usual size in the other form only; nothing is said for a model without assets."""
    if not len(risk.specific):
        return
    other = RiskForm.VARIANCE if units.form is RiskForm.VOLATILITY else RiskForm.VOLATILITY
    likely, unlikely = (_ratio(risk, u) for u in (evolve(units, form=other), units))
    if _is_usual(likely) and not _is_usual(unlikely):
        warnings.warn(
            DoubtfulUnitWarning(
                f"The specific risk of the median asset in {where} is {unlikely:.3g} times its factor risk, read as a "
                f"{units.form}; read as a {other} it would be {likely:.3g} times. Look whether {units.form} is right.",
                form=units.form,
                ratio=unlikely,
            ),
            stacklevel=3,
        )


def _ratio(risk: StatedRisk, units: FileUnits) -> float:
    _, factor, specific = risk.medians(units)
    return specific / factor if factor > 0 else np.nan


def _is_usual(ratio: float) -> bool:
    return bool(1.0 / _USUAL <= ratio <= _USUAL)


def _others(units: FileUnits) -> list[Any]:
    choices = itertools.product(RiskUnit, (YEAR, MONTH, WEEK, DAY), RiskForm)
    every = [evolve(units, unit=u, horizon=h, form=f) for u, h, f in choices]
    return [u for u in every if u != units]
