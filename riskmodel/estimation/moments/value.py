"""Moments: the sufficient statistics of a panel for least squares, which merge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from operator import add
from pathlib import Path
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, fields, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, by_constructor, floats, read_only
from riskmodel._core.dates import read_dates
from riskmodel._core.linalg import STILL
from riskmodel._core.listing import Listed
from riskmodel._core.paths import AnyPath, read_path
from riskmodel.errors import InvalidParameterError, UnreadableFileError
from riskmodel.estimation.moments.axes import FactorAxes, unweighted
from riskmodel.estimation.moments.concat import concat_regressions, in_basis_of, require_same_dates
from riskmodel.estimation.moments.merging import merge
from riskmodel.estimation.moments.reading import regress
from riskmodel.estimation.moments.regressions import Regressions, _set_read_only, effective
from riskmodel.estimation.moments.state import (
    ARRAYS,
    NUMBERS,
    VERSION,
    plain_labels,
    read_state,
    write_state,
)
from riskmodel.estimation.moments.weights import DateWeights
from riskmodel.horizon import Horizon, require_same
from riskmodel.panel.base import Panel
from riskmodel.panel.described import describe, describe_horizon, read_factors, read_horizon
from riskmodel.panel.factors import Factor, read_definitions

# Between its reciprocal and this, squares of weights and their sums neither overflow nor underflow.
_LARGEST_WEIGHT = 1e100


def _by_date(weights: Any, panel: Panel) -> Any:
    """Weights in the order of the panel's dates."""
    if not isinstance(weights, pd.Series):
        return weights
    dates = read_dates(weights.index, "weights", panel.horizon)
    at = dates.get_indexer(panel.dates)
    if len(dates) != len(panel.dates) or (at < 0).any():
        differ = dates.symmetric_difference(panel.dates)
        raise InvalidParameterError(
            f"expected weights on the {len(panel.dates)} dates of the panel, got {len(dates)}, which differ on "
            f"{labels.listing(d.date() for d in differ)}; reindex them to panel.dates.",
            expected=len(panel.dates),
            got=len(dates),
            differ=list(differ),
        )
    return weights.to_numpy()[at]


def _checked(weights: Array, t: int) -> Array:
    w = floats(weights)
    if w.shape != (t,) or not (np.isfinite(w) & (w > 0)).all():
        raise InvalidParameterError(
            f"expected weights as {t} positive numbers, one for each date, got shape {w.shape}, or others.",
            expected=(t,),
            got=w.shape,
        )
    if not 1 / _LARGEST_WEIGHT <= w.max() <= _LARGEST_WEIGHT:
        raise InvalidParameterError(
            f"expected the largest weight between {1 / _LARGEST_WEIGHT:g} and {_LARGEST_WEIGHT:g}, got {w.max():g}; "
            "divide all by it, which changes no estimate.",
            largest=float(w.max()),
        )
    return w


@final
@frozen(eq=False, repr=False)
class Moments(Listed):
    r"""Sufficient statistics of a panel for least squares: counts, means and centred cross-products.

    They are stored as the results of regressions, a form that merges without cancellation. The factors are
    expressed in a basis, :math:`q = (f - o) A^{-1}`, in which they are orthonormal over the panel's dates. For each
    asset, over its own dates, there are the mean return, the coefficients :math:`\gamma` on q, and the residual
    sum of squares; for each pattern of missing dates, which assets may share, the count, the mean and the centred
    Gram matrix G of q. Centred cross-products follow: :math:`f\!\cdot\!r = G\gamma` and
    :math:`r\!\cdot\!r = rss + \gamma^\top G \gamma`.

    Make them with `Moments.of`; merge periods with ``a + b``.

    Attributes
    ----------
    assets, factors : pandas.Index
        N and K labels.
    horizon : Horizon
        The span of one observation.
    definitions : tuple of Factor
        As in `ReturnPanel`.
    n_dates : int
        Number of dates, T.
    start, end : pandas.Timestamp
        The first and the last date.
    scale : float
        The weight that 1 stands for in all sums is 2 to this power; `decay` lowers it.
    weight, weight_squares : float
        Σ w and Σ w² over all dates; both are T for equal weights.
    risk_free_mean : float
        Mean risk-free rate over all dates.
    factor_mean : array, shape (K,)
        Mean of f over all dates.
    factor_root : array, shape (K, K)
        S with S'S = the centred cross-products of f over all dates.
    origin : array, shape (K,)
        o, in units of f.
    basis : array, shape (K, K)
        A, invertible.
    regressions : Regressions
        The statistics by asset.
    decay_factor : float, optional
        The ratio of the weight of a date to that of the next date, where an estimator made these moments.

    References
    ----------
    .. [1] Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for Computing the Sample Variance:
       Analysis and Recommendations. *The American Statistician* 37(3), 242-247 (the pairwise update).
    .. [2] Demmel, J., Grigori, L., Hoemmen, M. and Langou, J. (2012). Communication-optimal Parallel and
       Sequential QR and LU Factorizations. *SIAM J. Sci. Comput.* 34(1), A206-A239 (merging triangular factors).
    .. [3] Kish, L. (1965). *Survey Sampling*. Wiley, section 11.7 (effective observations).
    .. [4] Plackett, R. L. (1950). Some Theorems in Least Squares. *Biometrika* 37(1/2), 149-157 (one more date).

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> ewma = rm.EWMA(half_life=rm.QUARTER)
    >>> state = ewma.moments(panel.select(end="2018-11-29"))
    >>> state = ewma.update(state, panel.select(start="2018-11-30"))
    >>> ewma.estimate(state).loadings.round(3)
          Mkt-RF
    MSFT   1.534
    JPM    0.916
    """

    assets: pd.Index[Any]
    factors: pd.Index[Any]
    horizon: Horizon
    definitions: tuple[Factor, ...] = field(converter=read_definitions)
    n_dates: int
    start: pd.Timestamp
    end: pd.Timestamp
    weight: float
    weight_squares: float
    risk_free_mean: float
    factor_mean: Array = field(converter=read_only)
    factor_root: Array = field(converter=read_only)
    origin: Array = field(converter=read_only)
    basis: Array = field(converter=read_only)
    regressions: Regressions = field(converter=_set_read_only)
    decay_factor: float | None = None
    scale: float = 0.0

    __reduce__ = by_constructor

    @classmethod
    def of(cls, panel: Panel, weights: Array | None = None) -> Moments:
        """Read a panel once, in blocks of rows, or chunk by chunk where it lies on other machines.

        Parameters
        ----------
        panel : Panel
            T dates. Of a `StoredPanel` no more than a few blocks are held at any time.
        weights : array, shape (T,), or Series by date, optional
            The weight of each date, positive; by default 1. A Series is aligned by its dates, which must be those of
            the panel, in any order.

        Notes
        -----
        Assets that share a pattern of missing dates share a Gram matrix. Assets for which sums would cancel (almost
        perfectly explained, or with very few dates) are read again and solved by orthogonal factorisation.
        """
        if not isinstance(panel, Panel):
            raise InvalidParameterError(
                f"expected a panel, got {type(panel).__name__}; make one with a provider's panel(assets, factors)."
            )
        return cls._weighted(
            panel, None if weights is None else DateWeights.of(_checked(_by_date(weights, panel), len(panel.dates)))
        )

    @classmethod
    def _decaying(cls, panel: Panel, keep: float) -> Moments:
        """Read a panel whose dates have weights that decay, each `keep` times that of the next, by its estimator."""
        weights = None if keep == 1.0 else DateWeights.decaying(keep, len(panel.dates))
        return cls._weighted(panel, weights).with_decay_factor(keep)

    @classmethod
    def _weighted(cls, panel: Panel, weights: DateWeights | None) -> Moments:
        by_date = () if weights is None else (weights.fraction, weights.exponent.astype(np.float64))
        moments: Moments = panel.reduce(_of_piece, add, _concat, *by_date)
        return moments

    def with_decay_factor(self, decay_factor: float) -> Self:
        """Return the same moments with the decay factor of their weights noted."""
        return evolve(self, decay_factor=decay_factor)

    @property
    def funded(self) -> tuple[bool, ...]:
        """Whether holding each factor costs cash."""
        return tuple(bool(f.funded) for f in self.definitions)

    @property
    def n_effective(self) -> float:
        """(Σ w)²/Σ w² over all dates."""
        return float(effective(self.weight, self.weight_squares))

    def __repr__(self) -> str:
        return (
            f"<Moments of {self.n_dates} dates × {len(self.assets)} assets, {len(self.factors)} factors, "
            f"per {self.horizon}>"
        )

    # -- saving -----------------------------------------------------------------------------------

    def save(self, path: AnyPath) -> None:
        """Write to a file of numpy's ``npz`` format, atomically; `load` restores the same bits.

        Raises
        ------
        InvalidParameterError
            If labels are not text or numbers, or if `path` is not a path.
        OSError
            If the file cannot be written; an existing file is unchanged.
        """
        path = read_path(path, "path")
        head = {"version": VERSION, **describe_horizon(self.horizon)}
        head |= {n: getattr(self, n) for n in NUMBERS}
        head |= {"start": self.start.isoformat(), "end": self.end.isoformat()}
        head |= {"assets": plain_labels(self.assets, "assets"), "definitions": [*map(describe, self.definitions)]}
        arrays = {n: getattr(self, n) for n in ARRAYS}
        arrays |= {f.name: getattr(self.regressions, f.name) for f in fields(Regressions)}
        write_state(path, head, arrays)

    @classmethod
    def load(cls, path: AnyPath, factors: Sequence[Any] | None = None) -> Self:
        """Read a file of `save`.

        Parameters
        ----------
        path : path
            The file.
        factors : sequence of Factor or str, optional
            The factors, required where some are of your own class. Published factors, assets, spreads and portfolios
            of assets are read from the file.

        Raises
        ------
        InvalidParameterError
            If the file is damaged, of another version or of another kind, or if `factors` have other names.
        SourceError
            If there is no file, or it cannot be opened.
        """
        path = read_path(path, "path")
        head, arrays = read_state(path)
        definitions = read_factors(path, "Moments", head["definitions"], factors)
        return cls(
            assets=labels.unique(head["assets"], "assets"),
            factors=pd.Index([f.name for f in definitions]),
            horizon=_read_horizon(path, head),
            definitions=definitions,
            start=_read_date(path, head, "start"),
            end=_read_date(path, head, "end"),
            **{n: head[n] for n in NUMBERS},
            **{n: arrays[n] for n in ARRAYS},
            regressions=Regressions(**{f.name: arrays[f.name] for f in fields(Regressions)}),
        )

    # -- merging -----------------------------------------------------------------------------------

    def decay(self, keep: float) -> Self:
        """Multiply the weight of every date by `keep`, 0 < keep ≤ 1; means and loadings do not change.

        Raises
        ------
        InvalidParameterError
            If `keep` is not in (0, 1].
        """
        if not isinstance(keep, Real) or not 0.0 < keep <= 1.0:
            raise InvalidParameterError(f"expected keep above 0 and at most 1, got {keep!r}.", keep=keep)
        return self._aged(float(np.log2(float(keep))))

    def _aged(self, power: float) -> Self:
        """Multiply the weight of every date by 2 to this power."""
        return evolve(self, scale=self.scale + power)

    def __add__(self, other: Moments) -> Moments:
        """Merge two periods over the same assets and factors, exactly.

        A date in both counts twice; `MomentEstimator.update` requires later dates. Where dates are weighted by age,
        first `decay` the older moments by the dates of the newer ones, as `MomentEstimator.update` does.

        Raises
        ------
        HorizonMismatchError
            If the two are of different horizons.
        InvalidParameterError
            If they are not of the same assets and factors in the same order, or have different decay factors.
        """
        if not isinstance(other, Moments):
            return NotImplemented
        require_same(self.horizon, other.horizon, "moments to merge")
        for what in ("assets", "factors", "funded"):
            if not _same(getattr(self, what), getattr(other, what)):
                raise InvalidParameterError(
                    f"cannot merge moments with different {what}; select(...) the same assets and factors in the same "
                    "order from the panels.",
                    differ=what,
                )
        if len({self.decay_factor, other.decay_factor} - {None}) > 1:
            raise InvalidParameterError(
                f"cannot merge moments with different decay factors: {self.decay_factor:.6g} and "
                f"{other.decay_factor:.6g}; make both with one estimator.",
                differ="decay_factor",
            )
        return merge(self, other)

    def reindex(self, assets: Sequence[Any]) -> Self:
        """The moments of other assets over the same dates: new ones have no observations, others are dropped.

        Parameters
        ----------
        assets : sequence of labels
            In the order of the result; those that are not in the moments have no observations.

        Raises
        ------
        DuplicateLabelsError
            If an asset occurs twice.

        Examples
        --------
        >>> import riskmodel as rm
        >>> state = rm.Moments.of(rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"]))
        >>> state.reindex(["XOM", "NEW"]).regressions.n_observations().tolist()
        [4760, 0]
        """
        chosen = labels.unique(assets, "assets")
        at = self.assets.get_indexer(chosen)
        return evolve(self, assets=chosen, regressions=self.regressions.take(at))

    def concat_assets(self, *others: Moments) -> Moments:
        """Concatenate these moments and those of other assets over the same dates.

        Parameters
        ----------
        *others : Moments
            Of the same dates, weights, factors and horizon; no asset twice. The dates are compared by their number, the
            first, the last, and the sums of weights and factors.

        Raises
        ------
        HorizonMismatchError
            If horizons differ.
        DuplicateLabelsError
            If an asset occurs twice.
        InvalidParameterError
            If factors, dates or weights differ.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"])
        >>> some, rest = (rm.Moments.of(panel.select(assets)) for assets in (["KO"], ["XOM", "JPM"]))
        >>> some.concat_assets(rest)
        <Moments of 4760 dates × 3 assets, 1 factors, per day>
        """
        for other in others:
            if not isinstance(other, Moments):
                raise InvalidParameterError(f"expected Moments, got {type(other).__name__}; make them with Moments.of.")
            require_same_dates(self, other)
        return evolve(
            self,
            assets=labels.unique(self.assets.append([m.assets for m in others]), "concatenated assets"),
            regressions=concat_regressions([self.regressions, *(in_basis_of(self, m) for m in others)]),
        )


def _read_horizon(path: Path, head: Mapping[str, Any]) -> Horizon:
    try:
        return read_horizon(head)
    except (TypeError, ValueError, OverflowError) as error:
        raise _unreadable(path, "horizon") from error


def _read_date(path: Path, head: Mapping[str, Any], part: str) -> pd.Timestamp:
    try:
        date, end = pd.Timestamp(head[part]), pd.Timestamp(head["end"])
    except (TypeError, ValueError, OverflowError) as error:
        raise _unreadable(path, part) from error
    if not isinstance(head[part], str) or pd.isna(date) or date > end:
        raise _unreadable(path, part)
    return date


def _unreadable(path: Path, part: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"expected a file of Moments.save, got {path}, whose {part} cannot be read; save it again.",
        path=str(path),
        part=part,
    )


def _of_piece(panel: Panel, fraction: Array | None = None, exponent: Array | None = None) -> Moments:
    """Moments of one piece of a panel."""
    returns, factors, free = panel.arrays()
    weights = None if fraction is None or exponent is None else DateWeights.joined(fraction, exponent)
    w = np.ones(len(factors)) if weights is None else weights.numbers()
    share = w / w.sum()
    mean = share @ factors
    root_weights = np.sqrt(w)[:, None]
    centred = factors - mean
    # what is left of a constant is rounding, and not a direction
    still = np.abs(centred).max(axis=0, initial=0.0) <= STILL * np.abs(mean)
    axes = FactorAxes.of(np.where(still, 0.0, centred) * root_weights)
    return Moments(
        assets=panel.assets,
        factors=panel.factors,
        horizon=panel.horizon,
        definitions=panel.definitions,
        n_dates=len(factors),
        start=panel.dates[0],
        end=panel.dates[-1],
        weight=float(w.sum()),
        weight_squares=float(w @ w),
        risk_free_mean=float(share @ free),
        factor_mean=mean,
        factor_root=axes.root,
        origin=mean,
        basis=axes.basis,
        regressions=regress(returns, axes.q if weights is None else unweighted(axes, centred, w), weights),
        scale=0.0 if weights is None else float(weights.scale),
    )


def _concat(parts: Sequence[Moments]) -> Moments:
    first, *others = parts
    return first.concat_assets(*others)


def _same(a: Any, b: Any) -> bool:
    return a is b or (a.equals(b) if isinstance(a, pd.Index) else a == b)


def are_still(m: Moments, share: float) -> Flags:
    """Whether each factor varies by no more than a share of its mean, shape (K,)."""
    spread = np.sqrt((m.factor_root * m.factor_root).sum(axis=0))
    return np.asarray(spread <= share * np.sqrt(m.weight) * np.abs(m.factor_mean))
