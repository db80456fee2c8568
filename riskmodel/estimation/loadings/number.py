"""How many components: criteria that choose by the eigenvalues."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arguments import require_finite
from riskmodel._core.arrays import Array, floats
from riskmodel._core.listing import Abstract
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.weighting import require_at_least

# A remainder of variance below this share of the total is rounding.
NOTHING_LEFT = 1e-12


@frozen
class FactorNumber(Abstract):
    """A criterion for the number of components in `PrincipalComponents`. Subclass it and write `choose`.

    Parameters
    ----------
    most : int
        The largest number it may choose.

    Examples
    --------
    >>> import attrs, numpy as np, riskmodel as rm
    >>> @attrs.frozen
    ... class HalfOfTheVariance(rm.FactorNumber):
    ...     def choose(self, eigenvalues, total, dates, assets):
    ...         return 1 + int(np.argmax(np.cumsum(eigenvalues) >= total / 2))
    >>> HalfOfTheVariance().choose(np.array([4.0, 2.0, 1.0]), 10.0, 100, 10)
    2
    """

    most: int = field(default=20, validator=require_at_least(1))

    def known(self, assets: int) -> int | None:
        """Return the number where it does not depend on the returns; by default it does, which is None."""
        return None

    @property
    def needed(self) -> int:
        """How many eigenvalues `choose` reads; by default one more than `most`."""
        return self.most + 1

    @abstractmethod
    def choose(self, eigenvalues: Array, total: float, dates: float, assets: int) -> int:
        """Choose the number of components.

        Parameters
        ----------
        eigenvalues : array, shape (`needed`,) or less
            The largest eigenvalues of X'X, decreasing, for X of shape (T, N), whose columns have mean zero. Fewer where
            T or N is less.
        total : float
            The sum of all eigenvalues.
        dates : float
            T, or the effective number of dates where they are weighted.
        assets : int
            N.

        Returns
        -------
        int
            From 0 to `most`.
        """


def read_spectrum(eigenvalues: Any, total: Any, dates: Any, assets: Any) -> Array:
    """Return eigenvalues as an array, or raise for arguments that are no spectrum."""
    for value, name in ((total, "total"), (dates, "dates"), (assets, "assets")):
        if require_finite(value, name) < 0:
            raise InvalidParameterError(f"expected {name} of 0 or more, got {value!r}.", parameter=name, got=value)
    values = floats(eigenvalues)
    if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any():
        raise InvalidParameterError(
            f"expected eigenvalues as an array of numbers of 0 or more, got shape {values.shape}.",
            parameter="eigenvalues",
        )
    return values


def _left(eigenvalues: Array, total: float) -> Array:
    """V(k), the sum of the eigenvalues after the first k, for k = 0, 1, ...; only where something is left."""
    left = float(total) - np.concatenate([[0.0], np.cumsum(eigenvalues)])
    return np.asarray(left[left > NOTHING_LEFT * total])


def _log_smaller(assets: float, dates: float) -> float:
    """The logarithm of the smaller of N and T, which are 2 or more for this purpose."""
    return float(np.log(max(2.0, min(assets, dates))))


@final
@frozen
class BaiNg(FactorNumber):
    r"""The criterion :math:`IC_{p2}` of Bai and Ng [1]_.

    It minimises :math:`\ln V(k) + k \frac{N + T}{N T} \ln \min(N, T)` over k = 0 to `most`, where V(k) is the mean
    squared residual of k components. It is meant for N and T of 40 or more, and for errors that are little correlated:
    correlated ones, such as those of industries, count as factors.

    Parameters
    ----------
    most : int
        The largest number it may choose.

    References
    ----------
    .. [1] Bai, J. and Ng, S. (2002). Determining the Number of Factors in Approximate Factor Models. *Econometrica*
       70(1), 191-221.

    Examples
    --------
    >>> import numpy as np, riskmodel as rm
    >>> rm.BaiNg(most=3).choose(np.array([900.0, 400.0, 9.0, 8.0]), 2_000.0, 250, 100)
    2
    """

    def choose(self, eigenvalues: Array, total: float, dates: float, assets: int) -> int:
        """Choose the number that minimises the criterion."""
        left = _left(read_spectrum(eigenvalues, total, dates, assets), total)[: self.most + 1]
        penalty = (assets + dates) / max(assets * dates, 1.0) * _log_smaller(assets, dates)
        return int(np.argmin(np.log(left) + penalty * np.arange(len(left)))) if len(left) else 0


@final
@frozen
class EigenvalueRatio(FactorNumber):
    r"""The eigenvalue ratio ER of Ahn and Horenstein [1]_.

    It maximises :math:`\mu_k / \mu_{k+1}` over k = 0 to `most`, with the mock eigenvalue :math:`\mu_0 = \sum_j \mu_j /
    \ln \min(N, T)` for no factor. Where one factor is much stronger than the others, as the market is, it tends to
    choose 1; see `GrowthRatio`.

    Parameters
    ----------
    most : int
        The largest number it may choose.

    References
    ----------
    .. [1] Ahn, S. C. and Horenstein, A. R. (2013). Eigenvalue Ratio Test for the Number of Factors. *Econometrica*
       81(3), 1203-1227.

    Examples
    --------
    >>> import numpy as np, riskmodel as rm
    >>> rm.EigenvalueRatio(most=3).choose(np.array([900.0, 400.0, 9.0, 8.0]), 2_000.0, 250, 100)
    2
    """

    def choose(self, eigenvalues: Array, total: float, dates: float, assets: int) -> int:
        """Choose the number after which eigenvalues fall most."""
        read = read_spectrum(eigenvalues, total, dates, assets)
        positive = read[read > NOTHING_LEFT * total]
        if not len(positive):
            return 0
        padded = np.concatenate([[total / _log_smaller(assets, dates)], positive])[: self.most + 2]
        return int(np.argmax(padded[:-1] / padded[1:]))


@final
@frozen
class GrowthRatio(FactorNumber):
    r"""The growth ratio GR of Ahn and Horenstein [1]_, which a single strong factor misleads less.

    It maximises :math:`\ln(1 + \mu^*_k) / \ln(1 + \mu^*_{k+1})` over k = 0 to `most`, where
    :math:`\mu^*_k = \mu_k / V(k)` and V(k) is the sum of the eigenvalues after the first k;
    :math:`\mu^*_0 = 1 / \ln \min(N, T)`.

    Parameters
    ----------
    most : int
        The largest number it may choose.

    References
    ----------
    .. [1] Ahn, S. C. and Horenstein, A. R. (2013). Eigenvalue Ratio Test for the Number of Factors. *Econometrica*
       81(3), 1203-1227.

    Examples
    --------
    >>> import numpy as np, riskmodel as rm
    >>> rm.GrowthRatio(most=3).choose(np.array([900.0, 400.0, 9.0, 8.0]), 2_000.0, 250, 100)
    2
    """

    def choose(self, eigenvalues: Array, total: float, dates: float, assets: int) -> int:
        """Choose the number after which the shares of what is left fall most."""
        left = _left(read_spectrum(eigenvalues, total, dates, assets), total)
        if len(left) < 2:
            return 0
        growth = np.log(left[:-1] / left[1:])
        padded = np.concatenate([[np.log1p(1 / _log_smaller(assets, dates))], growth])[: self.most + 2]
        return int(np.argmax(padded[:-1] / padded[1:]))
