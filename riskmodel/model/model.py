"""Factor models: the immutable values that estimators return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_finite, shown
from riskmodel._core.arrays import Array, by_constructor, floats
from riskmodel._core.display import Table, page
from riskmodel._core.listing import Listed
from riskmodel._core.paths import AnyPath, read_path
from riskmodel._core.weights import read_weights
from riskmodel.errors import (
    InvalidParameterError,
    NotEstimatedError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.horizon import Horizon, require_same
from riskmodel.model.covariance import FactorCovariance
from riskmodel.model.files import read_model, write_model
from riskmodel.model.lineage import Lineage
from riskmodel.model.parts import PART, require_shapes
from riskmodel.model.regression import RegressionFit
from riskmodel.panel.base import Panel
from riskmodel.panel.factors import Factor, PublishedFactor, read_definitions, require_defined
from riskmodel.panel.funding import FUNDED, SELF_FINANCING
from riskmodel.panel.memory import ReturnPanel
from riskmodel.quantities import Mean, Quantity, Variance, quantities_in

# How many factors a notebook shows.
_MOST_COLUMNS = 10

RESERVED = frozenset({"alpha", "idio", "risk_free", "cash"})


def _check(self: FactorModel, _attribute: Any, _value: Any) -> None:
    require_shapes(self, {"alpha": (len(self.assets),), "factor_mean": (len(self.factors),)})
    require_finite(self.risk_free_mean, "risk_free_mean")
    finite = {"alpha": self._alpha, "factor_mean": self._factor_mean}
    for name, values in finite.items():
        if not np.isfinite(values).all():
            raise InvalidParameterError(f"expected finite {name}, got NaN or infinity.", name=name)
    require_defined(self.definitions, self.factors)
    _require_same_regression(self)
    labels.positions(list(self._priors), self.assets, "asset with a prior", UnknownAssetError)
    taken = RESERVED.intersection(self.factors)
    if taken:
        raise InvalidParameterError(
            f"expected factors without the reserved names of results, got {labels.listing(sorted(taken))}; rename it.",
            factors=sorted(taken),
        )


def _is_lineage(_instance: object, _attribute: Any, value: Any) -> None:
    require(value, Lineage, "lineage", "such as rm.Lineage.of(estimator, panel)")


def _read_proxies(value: Any) -> dict[Any, pd.Series[float]]:
    """Read the weights of peers by asset (an attrs converter)."""
    if not isinstance(value, Mapping):
        raise InvalidParameterError(
            f"expected proxies as a mapping from assets to weights of their peers, got {shown(value)}.",
            parameter="proxies",
            got=value,
        )
    return {asset: read_weights(peers, f"the peers of {asset}", "asset") for asset, peers in value.items()}


def _are_proxies(self: FactorModel, _attribute: Any, value: Mapping[Any, pd.Series[float]]) -> None:
    for asset, peers in value.items():
        labels.positions([asset], self.assets, "proxy", UnknownAssetError)
        among = [peer for peer in peers.index if peer in value]
        if among:
            raise InvalidParameterError(
                f"expected peers of {asset} with figures of their own, got {labels.listing(among)}, for which others "
                "stand in too; name their peers.",
                asset=asset,
                peers=among,
            )


def _nothing_missing() -> pd.DataFrame:
    return pd.DataFrame({"asset": [], "observations": [], "reason": []})


@final
@frozen(eq=False, repr=False)
class FactorModel(Listed):
    r"""Returns explained by factors: :math:`r_i - r_f = \alpha_i + \beta_i^\top f + \varepsilon_i`.

    An `Estimator` returns it; `FactorModel.from_parameters` makes it from given numbers. The constructor takes arrays
    in label order.

    Parameters
    ----------
    assets, factors : pandas.Index
        N and K labels.
    alpha : array, shape (N,)
        Intercepts, decimals per `horizon`.
    loadings : array, shape (N, K)
        Betas, dimensionless.
    factor_mean : array, shape (K,)
        E f, decimals per `horizon`.
    factor_covariance : array, shape (K, K)
        F = Var f, return² per `horizon`.
    idio_variance : array, shape (N,)
        Var ε, return² per `horizon`.
    risk_free_mean : float
        Mean risk-free rate per `horizon`.
    horizon : Horizon
        The horizon of all figures.
    definitions : sequence of Factor or str
        The definition of each factor, in the order of `factors`; a bare name is a `PublishedFactor`.
    regression : RegressionFit, optional
        Standard errors, R² and more, for the same assets and factors; None without a regression.
    missing : DataFrame, optional
        The assets that were left out, and why: see the attribute.
    links : array, shape (N, J), optional
        Of residuals that are correlated: see `FactorCovariance`.
    priors : sequence of labels, optional
        The assets whose figures lean on a prior, because their history is too short; by default none.
    lineage : Lineage, optional
        The data, the estimator and the version of the code that made the model; by default the version alone.
    proxies : mapping, optional
        For each asset whose figures are means of others', the weights of these by asset, whose sum is one; by default
        none.

    Raises
    ------
    InvalidParameterError
        For shapes that do not fit, NaN, a negative variance, or a factor called ``alpha``, ``idio``,
        ``risk_free`` or ``cash``.
    UnknownAssetError
        For a prior or a proxy of an asset that is not in the model.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> model
    <FactorModel 2 assets × 1 factors, per day>
    >>> model.loadings.round(2)
          Mkt-RF
    MSFT    1.07
    JPM     1.53
    >>> f"{model.covariance.volatility({'MSFT': 0.5, 'JPM': 0.5}).at(rm.YEAR):.1%}"
    '30.3%'
    """

    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    factors: pd.Index[Any] = field(converter=labels.factor_labels)
    # mypy cannot read a Converter that sees the other fields
    _alpha: Array = field(converter=PART)  # type: ignore[misc]
    _loadings: Array = field(converter=PART)  # type: ignore[misc]
    _factor_mean: Array = field(converter=PART)  # type: ignore[misc]
    _factor_covariance: Array = field(converter=PART)  # type: ignore[misc]
    _idio_variance: Array = field(converter=PART)  # type: ignore[misc]
    risk_free_mean: float
    horizon: Horizon
    definitions: tuple[Factor, ...] = field(converter=read_definitions)
    regression: RegressionFit | None = None
    _missing: Any = field(factory=_nothing_missing)
    _links: Any = None
    _priors: tuple[Any, ...] = field(default=(), converter=labels.of_priors, validator=_check)
    lineage: Lineage = field(factory=Lineage, validator=_is_lineage)
    _proxies: Mapping[Any, pd.Series[float]] = field(factory=dict, converter=_read_proxies, validator=_are_proxies)
    covariance: FactorCovariance = field(init=False)

    __reduce__ = by_constructor

    @covariance.default
    def _make_covariance(self) -> FactorCovariance:
        return FactorCovariance(
            self.assets,
            self.factors,
            self._loadings,
            self._factor_covariance,
            self._idio_variance,
            self.horizon,
            self._links,
        )

    def __attrs_post_init__(self) -> None:
        # the covariance decides which idio variances are zero
        object.__setattr__(self, "_idio_variance", self.covariance._idio_variance)
        object.__setattr__(self, "_links", self.covariance._links)

    @classmethod
    def from_parameters(
        cls,
        *,
        assets: Sequence[Any],
        factors: Sequence[Any],
        alpha: Any,
        loadings: Any,
        factor_covariance: Any,
        factor_mean: Any,
        idio_variance: Any,
        horizon: Horizon,
        risk_free_mean: float = 0.0,
        funded: Sequence[bool] | None = None,
    ) -> Self:
        """Make a model from given numbers; it has no `regression`.

        Parameters
        ----------
        assets : sequence of labels
            N of them.
        factors : sequence of str or Factor
            K of them.
        alpha, idio_variance : Series by asset, mapping, array of shape (N,), or a number if N = 1
            Decimals, and return², per `horizon`.
        loadings : DataFrame assets × factors, array of shape (N, K), or a number if N = K = 1
            Dimensionless.
        factor_covariance : DataFrame factors × factors, array of shape (K, K), or a number if K = 1
            Return² per `horizon`.
        factor_mean : Series by factor, mapping, array of shape (K,), or a number if K = 1
            Decimals per `horizon`.
        horizon : Horizon
            The horizon of the numbers.
        risk_free_mean : float
            Mean risk-free rate per `horizon`; 0 for a model of excess returns only.
        funded : sequence of bool, optional
            By default as the factors say, or their names, see `PublishedFactor`.

        Raises
        ------
        InvalidParameterError
            For numbers that do not fit the labels, or a matrix that is not a covariance.
        HorizonMismatchError
            For a `Quantity` of another horizon.
        UnknownAssetError, UnknownFactorError
            For labels that are not among `assets` or `factors`, or labels without a number.

        Examples
        --------
        >>> import riskmodel as rm
        >>> model = rm.FactorModel.from_parameters(
        ...     assets=["FUND"], factors=["Mkt-RF"], alpha=0.002, loadings=1.1, factor_covariance=0.0016,
        ...     factor_mean=0.006, idio_variance=0.0009, horizon=rm.MONTH)
        >>> model.covariance.volatility({"FUND": 1.0}).at(rm.YEAR)
        Volatility(0.184...YEAR)
        """
        definitions = _define(factors, funded)
        a, f = labels.unique(assets, "assets"), labels.unique([d.name for d in definitions], "factors")
        dated: dict[str, tuple[Any, type[Quantity] | None]] = {
            "alpha": (alpha, Mean), "factor_mean": (factor_mean, Mean), "risk_free_mean": (risk_free_mean, Mean),
            "factor_covariance": (factor_covariance, Variance), "idio_variance": (idio_variance, Variance),
            "loadings": (loadings, None),
        }  # fmt: skip
        for name, (values, kind) in dated.items():
            _require_kind(values, kind, horizon, name)
        return cls(
            assets=a,
            factors=f,
            alpha=_vector(alpha, a, "alpha", UnknownAssetError),
            loadings=_table(loadings, a, f, "loadings"),
            factor_mean=_vector(factor_mean, f, "factor_mean", UnknownFactorError),
            factor_covariance=_table(factor_covariance, f, f, "factor_covariance"),
            idio_variance=_vector(idio_variance, a, "idio_variance", UnknownAssetError),
            risk_free_mean=require_finite(risk_free_mean, "risk_free_mean"),
            horizon=horizon,
            definitions=definitions,
        )

    def __repr__(self) -> str:
        n, k = self._loadings.shape
        left_out = f", {len(self._missing)} assets left out" if len(self._missing) else ""
        short = f", {len(self._priors)} assets with a prior" if self._priors else ""
        return f"<FactorModel {n} assets × {k} factors, per {self.horizon}{left_out}{short}>"

    def _repr_html_(self) -> str:
        own = pd.DataFrame({"alpha": self._alpha, "idio volatility": np.sqrt(self._idio_variance)}, self.assets)
        volatility = np.sqrt(np.diag(self._factor_covariance))
        factors = pd.DataFrame({"mean": np.asarray(self.factor_mean), "volatility": volatility}, self.factors)
        return page(
            self,
            Table("Assets", own, where="alpha, idio_variance"),
            Table("Loadings", self.loadings, where="loadings", most_columns=_MOST_COLUMNS),
            Table("Factors", factors, where="factor_mean, factor_covariance"),
        )

    # -- its parts ---------------------------------------------------------------------------------

    @property
    def alpha(self) -> pd.Series[float]:
        """Intercept by asset, decimals per horizon."""
        return self._by_asset(self._alpha, "alpha")

    @property
    def loadings(self) -> pd.DataFrame:
        """B, assets × factors, dimensionless."""
        return self.covariance.loadings

    @property
    def factor_mean(self) -> pd.Series[float]:
        """E f by factor, decimals per horizon."""
        return pd.Series(self._factor_mean, self.factors.copy(), name="factor_mean", copy=False)

    @property
    def factor_covariance(self) -> pd.DataFrame:
        """F, factors × factors, return² per horizon."""
        return self.covariance.factor_covariance

    @property
    def idio_variance(self) -> pd.Series[float]:
        """Residual variance by asset with ddof 1, return² per horizon: total = B F B' + idio in sample."""
        return self.covariance.idio_variance

    @property
    def links(self) -> pd.DataFrame:
        """C, assets × J, return per horizon: residuals have the covariance C C' + a diagonal; J = 0 without links."""
        return self.covariance.links

    @property
    def funded(self) -> tuple[bool, ...]:
        """Whether holding each factor costs cash."""
        return tuple(bool(f.funded) for f in self.definitions)

    @property
    def funding(self) -> pd.DataFrame:
        """Whether holding each factor costs cash, and who says so: factors × (``funded``, ``told_by``)."""
        columns = {"funded": self.funded, "told_by": [str(f.told_by) for f in self.definitions]}
        return pd.DataFrame(columns, self.factors.copy())

    @property
    def missing(self) -> pd.DataFrame:
        """The assets that could not be estimated and were left out, by `Estimator.fit_available`.

        Columns ``asset``, ``observations`` (dates on which the asset has a return, or their effective
        number where an estimator with weights found too few; NaN where not counted) and ``reason``.
        """
        left: pd.DataFrame = self._missing.copy()
        return left

    @property
    def prior(self) -> pd.Series[bool]:
        """By asset, whether its loadings or its idio variance lean on a prior, because its history is too short.

        All False, except where an estimator such as `ShortHistories` says so.
        """
        return pd.Series(self.assets.isin(list(self._priors)), self.assets.copy(), name="prior")

    @property
    def _counts_dates_alike(self) -> bool:
        """Whether it is of regressions in which each date has the same weight."""
        return self.regression is not None and self.regression.decay_factor == 1.0

    @property
    def proxies(self) -> dict[Any, pd.Series[float]]:
        """For each asset whose figures are means of those of others, the weights of these; empty for most models.

        `Book.cover` makes them. `Inference` knows what errors of the peers do to such an asset.
        """
        return {asset: peers.copy() for asset, peers in self._proxies.items()}

    @property
    def expected_returns(self) -> pd.DataFrame:
        """E r = rf + α + β E f, assets × (``risk_free``, ``alpha``, factors), decimals per horizon.

        A row's sum is the asset's expected total return.
        """
        parts = np.column_stack(
            [np.full(len(self.assets), self.risk_free_mean), self._alpha, self._loadings * self._factor_mean]
        )
        return pd.DataFrame(parts, self.assets.copy(), pd.Index(["risk_free", "alpha", *self.factors]), copy=False)

    def _by_asset(self, values: Array, name: str) -> pd.Series[float]:
        return pd.Series(values, self.assets.copy(), name=name, copy=False)

    # -- other forms -------------------------------------------------------------------------------

    def at(self, horizon: Horizon) -> Self:
        """The same model at another horizon: means and variances by h, loadings and t values not at all."""
        to_mean, to_variance = self.horizon.scale_mean, self.horizon.scale_variance
        return evolve(
            self,
            alpha=to_mean(self._alpha, to=horizon),
            factor_mean=to_mean(self._factor_mean, to=horizon),
            factor_covariance=to_variance(self._factor_covariance, to=horizon),
            idio_variance=to_variance(self._idio_variance, to=horizon),
            risk_free_mean=to_mean(self.risk_free_mean, to=horizon),
            horizon=horizon,
            regression=None if self.regression is None else self.regression.at(horizon),
            links=self.covariance.at(horizon)._links,
        )

    def restrict(self, assets: Sequence[Any]) -> Self:
        """The model of some of the assets, in the order given; unknown ones raise `UnknownAssetError`.

        An asset whose figures are means of others' (`proxies`) keeps the figures, but without its peers its errors are
        not known.
        """
        chosen = labels.unique(assets, "assets")
        at = labels.positions(chosen, self.assets, "asset", UnknownAssetError)
        return evolve(
            self,
            assets=chosen,
            alpha=self._alpha[at],
            loadings=self._loadings[at],
            idio_variance=self._idio_variance[at],
            regression=None if self.regression is None else self.regression.take(at),
            links=self._links[at],
            priors=[a for a in self._priors if a in chosen],
            proxies={a: p for a, p in self._proxies.items() if a in chosen},
        )

    def _with_peers(self, assets: Sequence[Any]) -> Self:
        """The model of some of the assets, and of those whose means stand in for some of them."""
        peers = [peer for a in assets if a in self._proxies for peer in self._proxies[a].index]
        return self.restrict([a for a in dict.fromkeys([*assets, *peers]) if a in self.assets])

    # -- files -------------------------------------------------------------------------------------

    def save(self, path: AnyPath) -> None:
        """Write to a file, atomically; `load` restores the same bits.

        The file begins with lines that people can read: kind, version, checksum, horizon, lineage, labels. Nothing in
        it is pickled. Of factors of your own classes it holds the names only.

        Parameters
        ----------
        path : path
            The file; an existing one is replaced.

        Raises
        ------
        InvalidParameterError
            If a label is of a class that a file cannot hold, or if `path` is not a path.
        OSError
            If the file cannot be written; an existing file is unchanged.

        Examples
        --------
        >>> import riskmodel as rm
        >>> from tempfile import TemporaryDirectory
        >>> model = rm.OLS().fit(rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"]))
        >>> with TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/us.model")
        ...     again = rm.FactorModel.load(f"{folder}/us.model")
        >>> again.loadings.equals(model.loadings), again.lineage == model.lineage
        (True, True)
        """
        write_model(read_path(path, "path"), self)

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
        UnreadableFileError
            If the file is damaged, cut short or of another kind; its subclass `NewerFileError` if a newer version
            wrote it.
        InvalidParameterError
            If `factors` have other names, or are required.
        SourceError
            If there is no file, or it cannot be opened.
        """
        return cls(**read_model(read_path(path, "path"), factors))

    # -- back to the data --------------------------------------------------------------------------

    def residuals(self, panel: ReturnPanel) -> pd.DataFrame:
        """ε = r - α - B f on a panel, dates × assets; NaN where the return is missing.

        Parameters
        ----------
        panel : ReturnPanel
            At the model's horizon, with its assets, and with its factors: columns of their names, or the assets of a
            `PortfolioFactor`. Its dates may differ from those of the estimation.

        Raises
        ------
        HorizonMismatchError
            If the panel is of another horizon.
        UnknownAssetError, UnknownFactorError
            If the panel lacks some of the assets or factors.
        """
        if not isinstance(panel, ReturnPanel):
            hint = "; bring some assets into memory with its select(...)" if isinstance(panel, Panel) else ""
            raise InvalidParameterError(f"expected a ReturnPanel, got {type(panel).__name__}{hint}.")
        require_same(self.horizon, panel.horizon, "a model and its panel")
        returns = panel.select(self.assets, []).arrays()[0]
        residuals = returns - self._alpha - panel.returns_of(self.definitions) @ self._loadings.T
        return pd.DataFrame(residuals, panel.dates.copy(), self.assets.copy(), copy=False)

    def summary(self, asset: Any, panel: ReturnPanel) -> Any:
        """Return the model's regression of one asset, with its weights, as statsmodels prints it.

        Coefficients with standard errors, t and p values and confidence intervals, R², F, Durbin-Watson,
        Jarque-Bera, condition number. All per period of the panel, whatever the model's horizon. Where dates are
        weighted, all use the weights and the effective number of dates, and likelihood, AIC and BIC are left out.
        Errors are classical; `Inference.summary` prints robust ones.

        Parameters
        ----------
        asset : label
            One of `assets`.
        panel : ReturnPanel
            The panel that the model was fitted on, with its factors, or what these are computed of.

        Returns
        -------
        statsmodels.iolib.summary.Summary
            To ``print``.

        Raises
        ------
        UnknownAssetError
            If the asset is not in the model.
        NotEstimatedError
            If the model has no regression, or none of this asset, or if the panel is not the one that it was fitted on.
        """
        labels.positions([asset], self.assets, "asset", UnknownAssetError)
        if self.regression is None:
            raise NotEstimatedError(
                "expected a model with a regression, got one without; estimate it with rm.OLS() or rm.EWMA(...)."
            )
        if asset in self._proxies:
            raise NotEstimatedError(
                f"expected an asset with a regression of its own, got {asset}, which others stand in for; take one of "
                f"{labels.listing(self._proxies[asset].index)}.",
                asset=asset,
            )
        return self.regression._summary(asset, panel, lambda whole: whole.returns_of(self.definitions))


def _define(factors: Sequence[Any], funded: Sequence[bool] | None) -> tuple[Factor, ...]:
    """Read factors; `funded` applies to bare names."""
    if funded is None:
        return read_definitions(factors)
    factors = list(labels.require_list(factors, "factors"))
    flags = list(labels.require_list(funded, "funded"))
    if len(flags) != len(factors) or not all(isinstance(w, bool | np.bool_) for w in flags):
        raise InvalidParameterError(
            f"expected funded with True or False for each of the {len(factors)} factors, got {shown(funded)}.",
            parameter="funded",
            got=funded,
        )
    objects = [f.name for f in factors if isinstance(f, Factor)]
    if objects:
        raise InvalidParameterError(
            f"expected factors as names where funded is given, got the Factor objects {labels.listing(objects)}, which "
            "have their own; omit funded."
        )
    said = [FUNDED if costs_cash else SELF_FINANCING for costs_cash in flags]
    return tuple(PublishedFactor(f, funding) for f, funding in zip(factors, said, strict=True))


def _require_same_regression(model: FactorModel) -> None:
    if model.regression is None:
        return
    fit = require(model.regression, RegressionFit, "regression")
    same = fit.assets.equals(model.assets) and fit.factors.equals(model.factors) and fit.horizon == model.horizon
    if not same:
        raise InvalidParameterError(
            f"expected a regression of the model's assets, factors and horizon, got {fit!r} for {len(model.assets)} "
            f"assets on {len(model.factors)} factors, per {model.horizon}."
        )


def _require_kind(values: Any, kind: type[Quantity] | None, horizon: Horizon, name: str) -> None:
    """Raise for quantities of another kind or horizon, however nested, which would become plain numbers."""
    for value in quantities_in(values):
        if kind is None or not isinstance(value, kind):
            expected = "plain numbers" if kind is None else f"a {kind.__name__} or a plain number"
            raise InvalidParameterError(f"expected {name} as {expected}, got {value!r}.", name=name, got=value)
        require_same(value.horizon, horizon, f"{name} and the model")


def _vector(values: Any, index: pd.Index[Any], name: str, error: type[UnknownAssetError | UnknownFactorError]) -> Array:
    """Read one number per label, from a Series, a mapping, an array or a single number."""
    if isinstance(values, Mapping):
        values = pd.Series(list(values.values()), list(values))
    if isinstance(values, pd.Series):
        return floats(_aligned(values, index, name, error))
    array = floats(values)
    return _shaped(array.reshape(1) if array.ndim == 0 else array, (len(index),), name)


def _table(values: Any, rows: pd.Index[Any], columns: pd.Index[Any], name: str) -> Array:
    """Read one number per pair of labels, from a frame, an array or a single number."""
    if isinstance(values, pd.DataFrame):
        row_error = UnknownFactorError if rows is columns else UnknownAssetError
        aligned = _aligned(values, rows, name, row_error)
        return floats(_aligned(aligned.T, columns, name, UnknownFactorError).T)
    array = floats(values)
    if array.ndim == 0:
        array = array.reshape(1, 1)
    return _shaped(array, (len(rows), len(columns)), name)


def _aligned(values: Any, index: pd.Index[Any], name: str, error: type[UnknownAssetError | UnknownFactorError]) -> Any:
    own = labels.unique(values.index, f"the labels of {name}")
    extra = own.difference(index, sort=False)
    if len(extra):
        raise labels.unknown(list(extra), index, f"label in {name}", error)
    return values.iloc[labels.positions(index, own, f"label, without a value in {name}", error)]


def _shaped(array: Array, shape: tuple[int, ...], name: str) -> Array:
    if array.shape != shape:
        raise InvalidParameterError(
            f"expected {name} of shape {shape}, one entry per label, got shape {array.shape}; pass a Series or frame "
            "to match by label.",
            name=name,
            expected=shape,
            got=array.shape,
        )
    return array
