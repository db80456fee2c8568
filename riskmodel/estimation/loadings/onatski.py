"""The number of components by differences of eigenvalues."""

from __future__ import annotations

from typing import final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError
from riskmodel.estimation.loadings.number import FactorNumber, read_spectrum

# The eigenvalues whose decline tells what a difference without a factor is.
_POINTS = 5
_ROUNDS = 4


@final
@frozen
class Onatski(FactorNumber):
    r"""The edge distribution criterion ED of Onatski [1]_.

    It is the largest i up to `most` for which :math:`\lambda_i - \lambda_{i+1} \ge \delta`: eigenvalues of factors
    diverge, the others cluster. δ is twice the slope of the five eigenvalues from the j-th on :math:`(j-1)^{2/3},
    \ldots, (j+3)^{2/3}`, first with j = `most` + 1, then with j one more than the number found, four times. Errors may
    be correlated over assets or over time, not much over both; factors may be weaker than those that `BaiNg` needs.

    Parameters
    ----------
    most : int
        The largest number it may choose. It must be at most five less than the assets and than the dates less one;
        where it is not, it is lowered to that.

    References
    ----------
    .. [1] Onatski, A. (2010). Determining the Number of Factors from Empirical Distribution of Eigenvalues. *Review of
       Economics and Statistics* 92(4), 1004-1016.

    Examples
    --------
    >>> import numpy as np, riskmodel as rm
    >>> eigenvalues = np.array([900.0, 400.0, 19.0, 18.2, 17.5, 17.0, 16.4, 16.0])
    >>> rm.Onatski(most=3).choose(eigenvalues, 2_000.0, 250, 100)
    2
    """

    @property
    def needed(self) -> int:
        """How many eigenvalues `choose` reads."""
        return self.most + _POINTS

    def choose(self, eigenvalues: Array, total: float, dates: float, assets: int) -> int:
        """Choose the number after which differences are small.

        Raises
        ------
        EstimationError
            For fewer than six eigenvalues.
        """
        values = read_spectrum(eigenvalues, total, dates, assets)
        most = min(self.most, len(values) - _POINTS)
        if most < 1:
            raise EstimationError(
                f"expected {_POINTS + 1} eigenvalues or more, got {len(values)}; use more assets and dates, or pass a "
                "number.",
                eigenvalues=len(values),
            )
        gaps, number = values[:most] - values[1 : most + 1], most
        for _ in range(_ROUNDS):
            wide = np.flatnonzero(gaps >= _threshold(values, number + 1))
            number, last = (int(wide[-1]) + 1 if len(wide) else 0), number
            if number == last:
                break
        return number


def _threshold(values: Array, j: int) -> float:
    """Twice the slope of five eigenvalues from the j-th, counted from 1."""
    positions = np.arange(j - 1, j - 1 + _POINTS) ** (2.0 / 3.0)
    centred = positions - positions.mean()
    return float(2.0 * abs(centred @ values[j - 1 : j - 1 + _POINTS]) / (centred @ centred))
