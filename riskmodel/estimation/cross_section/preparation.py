"""Preparations of style exposures: each changes the values of one style, date by date."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Abstract
from riskmodel.errors import CollinearFactorsError, InvalidParameterError
from riskmodel.estimation.cross_section.design import Design
from riskmodel.estimation.cross_section.sections import CrossSections
from riskmodel.estimation.weighting import require_positive

# The median absolute deviation of a normal variable, as a share of its standard deviation.
_NORMAL_MAD = 0.6744897501960817
# A standard deviation below this share of the largest value is rounding.
_STILL = 1e-12


class Preparation(Abstract):
    """A step that changes the values of a style. Subclass it and write `prepare`.

    Examples
    --------
    >>> import numpy as np, riskmodel as rm
    >>> class Logarithm(rm.Preparation):
    ...     def prepare(self, values, sections):
    ...         return np.log(values)
    >>> size = rm.Style("size", [Logarithm(), rm.Standardised()], characteristic="cap")
    """

    @abstractmethod
    def prepare(self, values: Array, sections: CrossSections) -> Array:
        """Return the changed values.

        Parameters
        ----------
        values : array, shape (T, N)
            One style before each of T times, after the steps before this one; NaN where missing.
        sections : CrossSections
            What else is known then.

        Returns
        -------
        array, shape (T, N)
            Each row must depend on that row alone.
        """


@final
@frozen
class WinsorisedByMAD(Preparation):
    r"""Values at most c robust standard deviations from the universe's median; larger ones are set to that limit.

    The robust standard deviation is the median absolute deviation over 0.6745, its share of :math:`\sigma` for a normal
    variable [1]_. Where it is zero, more than half of the universe have one value, and the row stays as it is.

    Parameters
    ----------
    limit : float
        c.

    References
    ----------
    .. [1] Hampel, F. R. (1974). The Influence Curve and Its Role in Robust Estimation. *Journal of the American
       Statistical Association* 69(346), 383-393.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> caps = np.array([[4.0, 2.0, 1.0, 1.0]])
    >>> sections = rm.CrossSections(caps, np.full((1, 4), True), exposures={}, known={}.get, codes={}.get)
    >>> rm.WinsorisedByMAD(3).prepare(np.array([[1.0, 2.0, 3.0, 99.0]]), sections).round(2).tolist()
    [[1.0, 2.0, 3.0, 6.95]]
    """

    limit: float = field(default=5.0, validator=require_positive)

    def prepare(self, values: Array, sections: CrossSections) -> Array:
        """Clip the values."""
        members = values if sections.universe.all() else np.where(sections.universe, values, np.nan)
        centre = _medians(members)
        deviations = members - centre
        spread = _medians(np.abs(deviations, out=deviations)) / _NORMAL_MAD
        reach = np.where(spread > 0, self.limit * spread, np.inf)
        clipped = np.maximum(values, centre - reach)
        return np.minimum(clipped, centre + reach, out=clipped)


@final
@frozen
class WinsorisedBySigma(Preparation):
    """Values at most c standard deviations from the universe's mean, equally weighted; larger ones are set to that.

    Parameters
    ----------
    limit : float
        c.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> caps = np.array([[4.0, 2.0, 1.0, 1.0]])
    >>> sections = rm.CrossSections(caps, np.full((1, 4), True), exposures={}, known={}.get, codes={}.get)
    >>> rm.WinsorisedBySigma(1).prepare(np.array([[1.0, 2.0, 3.0, 99.0]]), sections).round(2).tolist()
    [[1.0, 2.0, 3.0, 68.26]]
    """

    limit: float = field(default=3.0, validator=require_positive)

    def prepare(self, values: Array, sections: CrossSections) -> Array:
        """Clip the values."""
        centre, spread = _moments(values, sections)
        reach = self.limit * spread
        return np.asarray(np.clip(values, centre - reach, centre + reach))


@final
@frozen
class Standardised(Preparation):
    """Values with capitalisation-weighted mean 0 and equally weighted standard deviation 1 in the estimation universe.

    So the market portfolio has no exposure to any style ([1]_, page 19); the standard deviation is about the equally
    weighted mean, with ddof 0. Assets outside the universe are scaled by the same numbers.

    References
    ----------
    .. [1] Menchero, J., Orr, D. J. and Wang, J. (2011). *The Barra US Equity Model (USE4): Methodology Notes*. MSCI.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> caps = np.array([[4.0, 2.0, 1.0, 1.0]])
    >>> sections = rm.CrossSections(caps, np.full((1, 4), True), exposures={}, known={}.get, codes={}.get)
    >>> values = rm.Standardised().prepare(np.array([[1.0, 2.0, 3.0, 4.0]]), sections)
    >>> values.round(2).tolist(), float(np.round(values @ sections.caps.T, 12).item())
    ([[-0.78, 0.11, 1.01, 1.9]], 0.0)
    """

    def prepare(self, values: Array, sections: CrossSections) -> Array:
        """Subtract the mean, and divide by the standard deviation; a row that does not vary becomes zero."""
        centre = sections.cap_weighted_mean(values)
        mean, spread = _moments(values, sections)
        varies = spread > _STILL * np.abs(mean)
        # zero is then refused as an exposure that does not vary, with its name and dates
        scale = np.where(varies, 1.0 / np.where(varies, spread, 1.0), 0.0)
        scaled = values - centre
        scaled *= scale
        return scaled


@final
@frozen
class MeanFilled(Preparation):
    """Missing values are the capitalisation-weighted mean of the estimation universe: 0 after `Standardised`.

    Without this step, a missing style is an error, or leaves the asset out on that date, as `CrossSectional` is told.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> caps = np.array([[4.0, 2.0, 1.0, 1.0]])
    >>> sections = rm.CrossSections(caps, np.full((1, 4), True), exposures={}, known={}.get, codes={}.get)
    >>> rm.MeanFilled().prepare(np.array([[1.0, np.nan, 2.0, 3.0]]), sections).tolist()
    [[1.0, 1.5, 2.0, 3.0]]
    """

    def prepare(self, values: Array, sections: CrossSections) -> Array:
        """Fill what is missing; a row without any value stays missing."""
        centre = sections.cap_weighted_mean(values)
        return np.where(np.isnan(values), centre, values)


def _read_names(names: Any) -> tuple[Any, ...]:
    found = tuple(labels.unique(names, "names"))
    if not found:
        raise InvalidParameterError("expected one name or more to neutralise to, got none.", parameter="names")
    return found


@final
@frozen
class Neutralised(Preparation):
    """The part of a style that other exposures do not explain.

    The residual of the cross-sectional regression, with a constant, of the style on other exposures over the
    estimation universe, weighted by the square root of capitalisation, as non-linear size is orthogonal to size in
    commercial models ([1]_, page 15). Follow it by `Standardised`.

    Parameters
    ----------
    names : sequence of labels
        Styles that stand before this one in the model, or characteristics of groups.

    References
    ----------
    .. [1] Menchero, J., Orr, D. J. and Wang, J. (2011). *The Barra US Equity Model (USE4): Methodology Notes*. MSCI.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> size = np.array([[0.0, 1.0, 2.0, 3.0]])
    >>> sections = rm.CrossSections(
    ...     np.ones((1, 4)), np.full((1, 4), True), exposures={"size": size}, known={}.get, codes={}.get
    ... )
    >>> rm.Neutralised(["size"]).prepare(size**3, sections).round(2).tolist()
    [[4.2, -3.6, -5.4, 4.8]]
    """

    names: tuple[Any, ...] = field(converter=_read_names)

    def prepare(self, values: Array, sections: CrossSections) -> Array:
        """Return the residuals; missing where one of the other exposures is.

        Raises
        ------
        CollinearFactorsError
            If the other exposures are collinear on a date.
        """
        styles = [n for n in self.names if n in sections.exposures]
        groups = [sections.groups(n) for n in self.names if n not in sections.exposures]
        dense = np.stack([np.ones_like(values), *(sections.exposures[n] for n in styles)], axis=-1)
        left = np.full_like(values, np.nan)
        for t in range(len(values)):
            codes = np.array([g[t] for g in groups]).reshape(len(groups), values.shape[1])
            complete = ~(np.isnan(dense[t]).any(axis=1) | np.isnan(codes).any(axis=0))
            members = np.flatnonzero(complete & sections.universe[t] & ~np.isnan(values[t]))
            known = np.flatnonzero(complete & ~np.isnan(values[t]))
            sizes = [int(c[known].max(initial=-1)) + 1 for c in codes]
            whole = np.where(complete, codes, -1).astype(np.intp)
            caps = sections.caps[t, members]
            design = Design.of(dense[t, members], whole[:, members], sizes, caps=caps, smallest=[1] * len(groups))
            solved = design.solve(np.sqrt(caps), values[t, members])
            if solved is None:
                raise CollinearFactorsError(
                    f"expected exposures to neutralise to that are not collinear, got {labels.listing(self.names)}; "
                    "leave one out.",
                    factors=list(self.names),
                )
            left[t, known] = values[t, known] - design.fitted(dense[t, known], whole[:, known], solved.coefficients)
        return left


def _moments(values: Array, sections: CrossSections) -> tuple[Array, Array]:
    """Equally weighted mean and standard deviation (ddof 0) of each row over the universe, each of shape (T, 1)."""
    mean = sections.mean(values)
    squares = values - mean
    squares *= squares
    return mean, np.sqrt(sections.mean(squares))


def _medians(values: Array) -> Array:
    """Median of each row over its values, shape (T, 1); NaN for a row without any."""
    missing = np.isnan(values)
    if not missing.any():
        return _middle(values)[:, None]
    medians = np.full((len(values), 1), np.nan)
    for row, own, gone in zip(medians, values, missing, strict=True):
        known = own[~gone]
        if len(known):
            row[0] = _middle(known)
    return medians


def _middle(values: Array) -> Array:
    """Median over the last axis, none missing."""
    n = values.shape[-1]
    # a single position is four times faster than two
    parted = np.partition(values, n // 2, axis=-1)
    upper = parted[..., n // 2]
    return np.asarray(upper if n % 2 else 0.5 * (parted[..., : n // 2].max(axis=-1) + upper))
