"""Everything a least-squares estimator needs of a panel, as one value that merges."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from operator import add
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, fields, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, by_constructor, floats, read_only
from riskmodel._core.linalg import STILL
from riskmodel._core.paths import AnyPath, read_path
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.moments.axes import FactorAxes, unweighted
from riskmodel.estimation.moments.concat import concat_regressions, in_basis_of, require_same_dates
from riskmodel.estimation.moments.merging import merge
from riskmodel.estimation.moments.reading import regress
from riskmodel.estimation.moments.regressions import Regressions, _set_read_only, effective
from riskmodel.estimation.moments.state import (
    ARRAYS,
    NUMBERS,
    VERSION,
    describe,
    plain_labels,
    read_factors,
    read_state,
    write_state,
)
from riskmodel.horizon import Horizon, require_same
from riskmodel.panel.base import Panel
from riskmodel.panel.factors import Factor, read_definitions

# Up to here, and down to its reciprocal, squares of weights and sums of them are numbers with all their digits.
_LARGEST_WEIGHT = 1e100


def _checked(weights: Array, t: int) -> Array:
    w = floats(weights)
    if w.shape != (t,) or not (np.isfinite(w) & (w > 0)).all():
        raise InvalidParameterError(f"weights must be {t} positive numbers, one for each date.")
    if not 1 / _LARGEST_WEIGHT <= w.max() <= _LARGEST_WEIGHT:
        raise InvalidParameterError(
            f"the largest weight must be between {1 / _LARGEST_WEIGHT:g} and {_LARGEST_WEIGHT:g}, but {w.max():g} "
            "came; divide all by it, which changes no estimate."
        )
    return w


@final
@frozen(eq=False, repr=False)
class Moments:
    r"""Sufficient statistics of a panel for least squares: counts, means and centred cross-products.

    Held as what a regression makes of them, because that form adds up without cancellation. The factors are
    expressed in a basis, :math:`q = (f - o) A^{-1}`, in which they are orthonormal over the panel's dates. For each
    asset, over its own dates, there are the mean return, the coefficients :math:`\gamma` on q, and the residual
    sum of squares; for each pattern of missing dates, which assets may share, the count, the mean and the centred
    Gram matrix G of q. Centred cross-products follow: :math:`f\!\cdot\!r = G\gamma` and
    :math:`r\!\cdot\!r = rss + \gamma^\top G \gamma`.

    Make it with `Moments.of`; merge stretches of time with ``a + b``.

    Attributes
    ----------
    assets, factors : pandas.Index
        N and K labels.
    horizon : Horizon
        What one observation spans.
    definitions : tuple of Factor
        As in `ReturnPanel`.
    n_dates : int
        Dates seen, T.
    start, end : pandas.Timestamp
        The first and the last of them.
    weight, weight_squares : float
        Σ w and Σ w² over all dates; both are T where nothing is forgotten.
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
        What there is by asset.
    decay_factor : float, optional
        The share of its weight that a date keeps with each date that follows, where an estimator made these moments.

    References
    ----------
    .. [1] Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for Computing the Sample Variance:
       Analysis and Recommendations. *The American Statistician* 37(3), 242-247 (the pairwise update).
    .. [2] Demmel, J., Grigori, L., Hoemmen, M. and Langou, J. (2012). Communication-optimal Parallel and
       Sequential QR and LU Factorizations. *SIAM J. Sci. Comput.* 34(1), A206-A239 (merging triangular factors).
    .. [3] Kish, L. (1965). *Survey Sampling*. Wiley, section 11.7 (effective observations).
    .. [4] Plackett, R. L. (1950). Some Theorems in Least Squares. *Biometrika* 37(1/2), 149-157 (one date more).
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

    __reduce__ = by_constructor

    @classmethod
    def of(cls, panel: Panel, weights: Array | None = None) -> Moments:
        """Read a panel once, in blocks of rows, or chunk by chunk where it lies on other machines.

        Parameters
        ----------
        panel : Panel
            T dates. Of a `StoredPanel` no more than a few blocks are held at any time.
        weights : array, shape (T,), optional
            How much each date counts, positive; by default 1.

        Notes
        -----
        Assets that share a pattern of missing dates share a Gram matrix. The few for which sums would cancel
        (almost perfectly explained, or hardly any dates) are read again and solved by orthogonal factorisation.
        """
        if not isinstance(panel, Panel):
            raise InvalidParameterError(
                f"expected a panel, got {type(panel).__name__}; make one with a provider's panel(assets, factors)."
            )
        by_date = () if weights is None else (_checked(weights, len(panel.dates)),)
        moments: Moments = panel.reduce(_of_piece, add, _concat, *by_date)
        return moments

    def with_decay_factor(self, decay_factor: float) -> Self:
        """The same moments, with the decay factor that weighted their dates."""
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

    # -- keeping ----------------------------------------------------------------------------------

    def save(self, path: AnyPath) -> None:
        """Write to a file of numpy's ``npz`` format, from which `load` reads the same bits; it replaces what is there.

        Raises
        ------
        InvalidParameterError
            If labels are anything but text and numbers, or if `path` is no path.
        OSError
            If the file cannot be written; what was there is left as it was.
        """
        path = read_path(path, "path")
        head = {"version": VERSION, "days": self.horizon.days, "name": self.horizon.name}
        head |= {n: getattr(self, n) for n in NUMBERS}
        head |= {"start": self.start.isoformat(), "end": self.end.isoformat()}
        head |= {"assets": plain_labels(self.assets, "assets"), "definitions": [*map(describe, self.definitions)]}
        arrays = {n: getattr(self, n) for n in ARRAYS}
        arrays |= {f.name: getattr(self.regressions, f.name) for f in fields(Regressions)}
        write_state(path, head, arrays)

    @classmethod
    def load(cls, path: AnyPath, factors: Sequence[Any] | None = None) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        path : path
            The file.
        factors : sequence of Factor or str, optional
            The factors themselves, needed where some are of a class of your own, which a file does not hold. Published
            factors, assets, spreads and portfolios of assets are read back.

        Raises
        ------
        InvalidParameterError
            If the file is damaged, of another version or no such file, or if `factors` have other names.
        FileNotFoundError
            If there is none.
        """
        path = read_path(path, "path")
        head, arrays = read_state(path)
        definitions = read_factors(path, head["definitions"], factors)
        return cls(
            assets=pd.Index(head["assets"]),
            factors=pd.Index([f.name for f in definitions]),
            horizon=Horizon(head["days"], head["name"]),
            definitions=definitions,
            start=pd.Timestamp(head["start"]),
            end=pd.Timestamp(head["end"]),
            **{n: head[n] for n in NUMBERS},
            **{n: arrays[n] for n in ARRAYS},
            regressions=Regressions(**{f.name: arrays[f.name] for f in fields(Regressions)}),
        )

    # -- merging -----------------------------------------------------------------------------------

    def decay(self, keep: float) -> Self:
        """Let every date count `keep` times as much as it does, 0 < keep ≤ 1; means and loadings stay.

        Raises
        ------
        InvalidParameterError
            If `keep` is not such a number.
        """
        if not isinstance(keep, Real) or not 0.0 < keep <= 1.0:
            raise InvalidParameterError(f"what is kept must be above 0 and at most 1, but {keep!r} came.")
        r = self.regressions
        return evolve(
            self,
            weight=self.weight * keep,
            weight_squares=self.weight_squares * keep**2,
            factor_root=self.factor_root * np.sqrt(keep),
            regressions=evolve(
                r,
                weight=r.weight * keep,
                weight_squares=r.weight_squares * keep**2,
                q_gram=r.q_gram * keep,
                rss=r.rss * keep,
            ),
        )

    def __add__(self, other: Moments) -> Moments:
        """Merge two stretches of time over the same assets and factors, exactly.

        A date that is in both counts twice; `MomentEstimator.update` requires later ones. Where moments are weighted by
        age, `decay` the older ones over the dates of the newer ones first, as `MomentEstimator.update` does.

        Raises
        ------
        HorizonMismatchError
            If the two are of different horizons.
        InvalidParameterError
            If they are not of the same assets and factors in the same order, or have different decay factors.
        """
        if not isinstance(other, Moments):
            return NotImplemented
        require_same(self.horizon, other.horizon, "moments to be merged")
        for what in ("assets", "factors", "funded"):
            if not _same(getattr(self, what), getattr(other, what)):
                raise InvalidParameterError(
                    "moments to be merged must be of the same assets and factors in the same order, but their "
                    f"{what} differ; select(...) the panels first."
                )
        if len({self.decay_factor, other.decay_factor} - {None}) > 1:
            raise InvalidParameterError(
                f"cannot merge moments with different decay factors: {self.decay_factor:.6g} and "
                f"{other.decay_factor:.6g}."
            )
        return merge(self, other)

    def reindex(self, assets: Sequence[Any]) -> Self:
        """The moments of another universe over the same dates: a listing starts empty, a delisting leaves.

        Parameters
        ----------
        assets : sequence of labels
            In the order wanted; those that are not in the moments have no observations yet.

        Raises
        ------
        DuplicateLabelsError
            If an asset comes twice.

        Examples
        --------
        >>> import riskmodel as rm
        >>> state = rm.Moments.of(rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"]))
        >>> state.reindex(["XOM", "NEW"]).regressions.n_observations().tolist()
        [4760, 0]
        """
        wanted = labels.unique(assets, "assets")
        at = self.assets.get_indexer(wanted)
        return evolve(self, assets=wanted, regressions=self.regressions.take(at))

    def concat_assets(self, *others: Moments) -> Moments:
        """Put moments of other assets over the same dates beside these.

        Parameters
        ----------
        *others : Moments
            Of the same dates, weights, factors and horizon; no asset twice. Whether the dates are the same is told by
            how many, the first, the last, and what the weights and the factors over them sum to.

        Raises
        ------
        HorizonMismatchError
            If horizons differ.
        DuplicateLabelsError
            If an asset comes twice.
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
            assets=labels.unique(self.assets.append([m.assets for m in others]), "assets put beside each other"),
            regressions=concat_regressions([self.regressions, *(in_basis_of(self, m) for m in others)]),
        )


def _of_piece(panel: Panel, weights: Array | None = None) -> Moments:
    """Moments of one piece of a panel."""
    returns, factors, free = panel.arrays()
    w = np.ones(len(factors)) if weights is None else weights
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
    )


def _concat(parts: Sequence[Moments]) -> Moments:
    first, *others = parts
    return first.concat_assets(*others)


def _same(a: Any, b: Any) -> bool:
    return a is b or (a.equals(b) if isinstance(a, pd.Index) else a == b)


def are_still(m: Moments, share: float) -> Flags:
    """Which factors vary by no more than a share of their mean, shape (K,)."""
    spread = np.sqrt((m.factor_root * m.factor_root).sum(axis=0))
    return np.asarray(spread <= share * np.sqrt(m.weight) * np.abs(m.factor_mean))
