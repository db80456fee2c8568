"""Standard errors by resampling blocks of dates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from riskmodel._core.arguments import require_count
from riskmodel._core.arrays import Array
from riskmodel.errors import InvalidParameterError, MissingExtraError
from riskmodel.horizon import is_number
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance


def _require_block(_: StationaryBootstrap, __: Any, block: Any) -> None:
    if block is not None and (not is_number(block) or not float(block) >= 1.0):
        raise InvalidParameterError(
            f"expected block as a mean length of 1 date or more, got {block!r}.", parameter="block", got=block
        )


def _require_replications(_: StationaryBootstrap, __: Any, value: Any) -> None:
    require_count(value, "replications", 2)


def _require_seed(_: StationaryBootstrap, __: Any, value: Any) -> None:
    require_count(value, "seed")


@final
@frozen
class StationaryBootstrap(LongRunCovariance):
    """Covariance over resamples of blocks of dates of random length [1]_, through ``arch`` (extra ``evaluation``).

    A check of the other estimators: it is slow, and its answer depends on the seed.

    Parameters
    ----------
    replications : int
        Number of resamples.
    seed : int
        Of the random numbers.
    block : float, optional
        Mean length of a block, dates; by default the optimal one of [2]_ for each figure, and for several at once the
        largest of theirs.

    Raises
    ------
    MissingExtraError
        If ``arch`` is not installed.

    References
    ----------
    .. [1] Politis, D. N. and Romano, J. P. (1994). The Stationary Bootstrap. *Journal of the American Statistical
       Association* 89(428), 1303-1313.
    .. [2] Patton, A., Politis, D. N. and White, H. (2009). Correction to "Automatic Block-Length Selection for the
       Dependent Bootstrap". *Econometric Reviews* 28(4), 372-375.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> inference = rm.Inference.of(model, panel, rm.StationaryBootstrap())
    >>> inference.std_errors().loc["MSFT"].round(4).to_dict()
    {'alpha': 0.0002, 'Mkt-RF': 0.0297}
    """

    leverage_power = 1.0

    replications: int = field(default=1_000, validator=_require_replications)
    seed: int = field(default=0, validator=_require_seed)
    block: float | None = field(default=None, validator=_require_block)

    def of_sums(self, terms: DateTerms) -> Array:
        """Return the covariance of the sums over resampled dates."""
        x = terms.by_date
        each = [self._resampled(rows) for rows in x.reshape(-1, *x.shape[-2:])]
        return np.reshape(each, (*x.shape[:-1], x.shape[-2]))

    def counts(self, rows: Array) -> Array:
        """Return how often each resample takes each date, shape (replications, T).

        Parameters
        ----------
        rows : array, shape (M, T)
            Terms of the figures, from which the length of blocks is taken where it is not given.
        """
        drawn = self._draw(rows, np.arange(rows.shape[1]))
        return np.array([np.bincount(x, minlength=rows.shape[1]) for x in drawn], dtype=np.float64)

    def _resampled(self, rows: Array) -> Array:
        used = rows[:, (rows != 0).any(axis=0)]
        sums = np.array([x.sum(axis=0) for x in self._draw(used, used.T)])
        return np.atleast_2d(np.cov(sums, rowvar=False))

    def _draw(self, rows: Array, dates: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield resamples of the dates."""
        try:
            from arch import bootstrap  # noqa: PLC0415 - an extra, and used only here
        except ImportError as error:
            raise MissingExtraError.of("rm.StationaryBootstrap", "arch", "evaluation") from error
        block: Any = self.block or max(1.0, float(np.nanmax(bootstrap.optimal_block_length(rows.T)["stationary"])))
        for (x,), _ in bootstrap.StationaryBootstrap(block, dates, seed=self.seed).bootstrap(self.replications):
            yield np.asarray(x)
