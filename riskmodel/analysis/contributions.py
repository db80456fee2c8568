"""Contributions to a portfolio's risk by holding, factor, and groups of both."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel._core.display import Table
from riskmodel._core.listing import Listed
from riskmodel.analysis.active import beta_to, holdings_of
from riskmodel.analysis.grouping import FACTORS, Grouping, require_given
from riskmodel.horizon import Horizon
from riskmodel.model.decomposition import IDIO
from riskmodel.model.holdings import Holdings
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.quantities import Volatility


@final
@frozen(eq=False, repr=False)
class Contributions(Listed):
    r"""Where a portfolio's risk comes from: by holding, by factor, by groups of them, and by both at once.

    A contribution is Euler's: the size x of a holding or factor exposure times the derivative of the volatility
    ([1]_, chapter 3). It equals :math:`x\,\sigma\,\rho` ([2]_): size, times the volatility of one unit, times the
    correlation of that unit with the portfolio. Contributions sum to the volatility; a negative one reduces risk.

    Made by `of`. All figures are per the model's horizon. Holdings are assets, then positions in factors ("legs",
    such as a hedge); a factor with the label of an asset held is that asset. ``idio`` is the risk that factors do not
    explain, with what the model links between assets.

    Attributes
    ----------
    portfolio : Portfolio
        What is held.
    volatility : Volatility
        The sum of each table's column ``contribution``.

    References
    ----------
    .. [1] Litterman, R. (1996). Hot Spots and Hedges. *Journal of Portfolio Management* 23 (special issue), 52-75.
    .. [2] Menchero, J. and Davis, B. (2011). Risk Contribution is Exposure Times Volatility Times Correlation:
       Decomposing Risk Using the X-Sigma-Rho Formula. *Journal of Portfolio Management* 37(2), 97-106.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "AAPL", "JPM"], ["Mkt-RF", rm.Spread("XOM", "KO")])
    >>> held = rm.Strategy({"MSFT": 0.4, "AAPL": 0.3, "JPM": 0.3}, rm.OLS().fit(panel))
    >>> split = rm.Contributions.of(held, groups={"MSFT": "tech", "AAPL": "tech", "JPM": "banks"})
    >>> split.by_group.round(4)
           weight  volatility  correlation  contribution   share
    tech      0.7      0.0127       0.9367        0.0119  0.6664
    banks     0.3      0.0074       0.8014        0.0060  0.3336
    >>> split.table.round(5)
           Mkt-RF   XOM-KO     idio
    MSFT  0.00433 -0.00005  0.00181
    AAPL  0.00341 -0.00004  0.00243
    JPM   0.00461 -0.00003  0.00138
    """

    portfolio: Portfolio
    _held: Holdings
    _groups: Grouping | None
    _factor_groups: Grouping | None

    @classmethod
    def of(cls, portfolio: Portfolio, groups: Any = None, factor_groups: Any = None) -> Self:
        """Split the risk of a portfolio.

        Parameters
        ----------
        portfolio : Portfolio
            A `Strategy`, a `HedgedPortfolio`, or an `ActivePortfolio` for risk against a benchmark.
        groups : Series or mapping from asset to group, optional
            Sectors, countries, desks. It may name legs and assets that are not held. Legs that it does not name are
            the group ``"factors"``.
        factor_groups : Series or mapping from factor to group, optional
            Styles, industries. It may name other factors.

        Raises
        ------
        UnknownAssetError
            For an asset held that has no group.
        UnknownFactorError
            For a factor of the model that has no group.
        InvalidParameterError
            For groups that are not labels by asset or factor, or called ``"idio"`` (of factors) or ``"factors"``
            (of assets, where legs are held).
        """
        p = require_portfolio(portfolio, "portfolio")
        held = holdings_of(p)
        legs = [(leg, FACTORS) for leg in held.legs.index]
        return cls(
            p,
            held,
            None if groups is None else Grouping.of_holdings(groups, held.covariance.assets, legs),
            None if factor_groups is None else Grouping.of_factors(factor_groups, held.covariance.factors, [IDIO]),
        )

    # -- the tables --------------------------------------------------------------------------------

    @property
    def horizon(self) -> Horizon:
        """The horizon of all figures: the model's."""
        return self.portfolio.horizon

    @property
    def volatility(self) -> Volatility:
        """Volatility of the portfolio."""
        return self.portfolio.volatility

    @property
    def by_asset(self) -> pd.DataFrame:
        """By holding: assets, then legs.

        Columns ``weight``, ``volatility`` and ``correlation`` of one unit (NaN without risk), ``marginal`` (change of
        the portfolio's volatility per unit of weight), ``contribution`` = weight × volatility × correlation =
        weight × marginal, and ``share`` of the variance.
        """
        held, names = self._held, self._instruments
        covariances = held.covariances
        if names is None:
            return self._split(held.names, "weight", held.sizes, held.volatilities, covariances)
        # a leg and an asset of one name are one instrument: per unit, their mean
        first = np.unique(names.codes, return_index=True)[1]
        weight, total = names.sums(held.sizes), names.sums(held.sizes * covariances)
        per_unit = np.divide(total, weight, out=covariances[first].copy(), where=weight != 0)
        table = self._split(names.names, "weight", weight, held.volatilities[first], per_unit)
        table["contribution"], table["share"] = total * self._scale, total * self._scale**2
        return table

    @property
    def by_factor(self) -> pd.DataFrame:
        """By factor, then ``idio``.

        Columns ``exposure`` (1 for ``idio``), ``volatility`` of the factor, its ``correlation`` with the portfolio,
        ``marginal`` (change of the portfolio's volatility per unit of exposure), ``contribution`` =
        exposure × volatility × correlation, and ``share`` of the variance.
        """
        held, own = self._held, self._held.specific_variance
        names = pd.Index([*held.covariance.factors, IDIO])
        variances = np.append(np.diag(held.covariance._factor_covariance), own)
        exposures, towards = np.append(held.exposures, 1.0), np.append(held.towards, own)
        return self._split(names, "exposure", exposures, np.sqrt(variances), towards)

    @property
    def by_group(self) -> pd.DataFrame:
        """By group of holdings, in order of occurrence.

        Columns ``weight`` (net), ``volatility`` of the group alone at its weights, its ``correlation`` with the
        portfolio, ``contribution`` = volatility × correlation, and ``share`` of the variance.

        Raises
        ------
        InvalidParameterError
            If no groups were given.
        """
        held, groups = self._held, self._given_groups
        covariance = groups.sums(held.sizes * held.covariances)
        table = self._alone(groups.names, self._group_volatilities(groups), covariance)
        table.insert(0, "weight", groups.sums(held.sizes))
        return table

    @property
    def by_factor_group(self) -> pd.DataFrame:
        """By group of factors, in order of occurrence, then ``idio``.

        Columns ``volatility`` of the group's exposures alone, its ``correlation`` with the portfolio,
        ``contribution`` = volatility × correlation, and ``share`` of the variance.

        Raises
        ------
        InvalidParameterError
            If no groups of factors were given.
        """
        held, groups = self._held, self._given_factor_groups
        own, scaled = held.specific_variance, held.exposures[:, None] * held.covariance._factor_root
        variances = np.append(np.square(groups.sums(scaled)).sum(axis=1), own)
        covariance = np.append(groups.sums(held.exposures * held.towards), own)
        return self._alone(pd.Index([*groups.names, IDIO]), np.sqrt(variances), covariance)

    @property
    def table(self) -> pd.DataFrame:
        """Contributions to the volatility, holdings × (factors, ``idio``); all together sum to the volatility.

        Rows sum to those of `by_asset`, columns to those of `by_factor`.
        """
        held = self._held
        return self._by_both(held.names if self._instruments is None else self._instruments.names, self._instruments)

    @property
    def group_table(self) -> pd.DataFrame:
        """Contributions to the volatility, groups × (factors, or groups of factors where given; ``idio``).

        Raises
        ------
        InvalidParameterError
            If no groups were given.
        """
        table = self._by_both(self._given_groups.names, self._given_groups)
        if self._factor_groups is None:
            return table
        by_group = self._factor_groups.sums(table.to_numpy()[:, :-1].T).T
        names = pd.Index([*self._factor_groups.names, IDIO])
        return pd.DataFrame(np.column_stack([by_group, table[IDIO]]), table.index, names)

    def to_frame(self) -> pd.DataFrame:
        """Return `by_factor`, as `repr` prints it."""
        return self.by_factor

    # -- single figures ----------------------------------------------------------------------------

    @property
    def betas(self) -> pd.Series[float]:
        """Predicted beta to each factor alone: covariance with it over its variance; NaN for a riskless factor.

        Unlike exposures, which hold the other factors fixed, it says how the portfolio moves on average where the
        factor moves by one and the others as they are correlated with it.
        """
        held = self._held
        variances = np.diag(held.covariance._factor_covariance)
        unknown = np.full(len(variances), np.nan)
        betas = np.divide(held.towards, variances, out=unknown, where=variances > 0)
        return pd.Series(betas, held.covariance.factors.copy(), name="beta")

    def beta(self, benchmark: Any) -> float:
        """Return the predicted beta to a benchmark: covariance with it over its variance.

        Parameters
        ----------
        benchmark : Portfolio, or mapping or Series by asset
            In the same model.

        Raises
        ------
        InvalidParameterError
            For a benchmark without risk, or of another model.
        UnknownAssetError
            For an asset that is not in the model.
        """
        return beta_to(self.portfolio, benchmark)

    @property
    def undiversified_volatility(self) -> Volatility:
        """The sum of the volatilities of all holdings, ``Σ |w| σ``: the risk if all moved together."""
        table = self.by_asset
        return Volatility(float(np.abs(table["weight"].to_numpy()) @ table["volatility"].to_numpy()), self.horizon)

    @property
    def diversification_benefit(self) -> Volatility:
        """How much of `undiversified_volatility` is not there, because holdings are not perfectly correlated."""
        return Volatility(float(self.undiversified_volatility) - float(self.volatility), self.horizon)

    @property
    def diversification_ratio(self) -> float:
        """Undiversified volatility over volatility, 1 or more; NaN for a riskless portfolio [1]_.

        References
        ----------
        .. [1] Choueifaty, Y. and Coignard, Y. (2008). Toward Maximum Diversification. *Journal of Portfolio
           Management* 35(1), 40-51.
        """
        return float(self.undiversified_volatility) * self._scale if self._scale else np.nan

    # -- parts -------------------------------------------------------------------------------------

    @cached_property
    def _scale(self) -> float:
        """One over the volatility; 0 for a portfolio without risk, whose contributions are zero."""
        volatility = float(np.sqrt(self._held.variance))
        return 1.0 / volatility if volatility > 0 else 0.0

    @cached_property
    def _instruments(self) -> Grouping | None:
        """Rows by label, where a leg has the label of an asset held."""
        names = self._held.names
        return None if names.is_unique else Grouping.of_labels(names.to_list())

    def _split(self, names: Any, size: str, sizes: Array, volatilities: Array, covariances: Array) -> pd.DataFrame:
        marginal = covariances * self._scale
        parts = self._alone(names, volatilities, covariances)
        parts["contribution"], parts["share"] = sizes * marginal, sizes * marginal * self._scale
        parts.insert(0, size, sizes)
        parts.insert(3, "marginal", marginal if self._scale else np.nan)
        return parts

    def _alone(self, names: Any, volatilities: Array, covariances: Array) -> pd.DataFrame:
        contribution = covariances * self._scale
        known = (volatilities > 0) & (self._scale > 0)
        correlation = np.divide(contribution, volatilities, out=np.full(len(names), np.nan), where=known)
        columns = {"volatility": volatilities, "correlation": correlation, "contribution": contribution}
        return pd.DataFrame(columns | {"share": contribution * self._scale}, names.copy())

    def _by_both(self, names: pd.Index[Any], groups: Grouping | None) -> pd.DataFrame:
        held = self._held
        factors = held.sizes[:, None] * held.units
        own = held.by_row(held.weights * held.specific, np.zeros(len(held.covariance.factors)))
        if groups is not None:
            factors, own = groups.sums(factors), groups.sums(own)
        values = np.column_stack([factors * held.towards, own]) * self._scale
        return pd.DataFrame(values, names.copy(), pd.Index([*held.covariance.factors, IDIO]))

    def _group_volatilities(self, groups: Grouping) -> Array:
        """Volatility of each group alone, at its weights."""
        held = self._held
        k, j = len(held.covariance.factors), held.covariance._links.shape[1]
        own = held.by_row(held.covariance._own_variance, np.zeros(k)) * held.sizes**2
        exposures = groups.sums(held.sizes[:, None] * held.units) @ held.covariance._factor_root
        padded = np.zeros((len(held.sizes), j))
        padded[: len(held.weights)] = held.covariance._links * held.weights[:, None]
        linked = groups.sums(padded)
        return np.asarray(np.sqrt(np.square(exposures).sum(axis=1) + np.square(linked).sum(axis=1) + groups.sums(own)))

    @property
    def _given_groups(self) -> Grouping:
        return require_given(self._groups, "groups")

    @property
    def _given_factor_groups(self) -> Grouping:
        return require_given(self._factor_groups, "factor_groups")

    @property
    def _table(self) -> Table:
        volatility, p = float(self.volatility), self.portfolio
        title = f"Contributions to a volatility of {volatility:.3g} per {self.horizon}, {len(p.instruments)} holdings"
        return Table(title, self.to_frame(), last=1)

    def __repr__(self) -> str:
        return self._table.text()

    def _repr_html_(self) -> str:
        return self._table.html()
