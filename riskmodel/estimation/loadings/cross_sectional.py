"""Loadings that are characteristics of assets, with factor returns from cross-sectional regressions."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import Attribute, field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, set_read_only
from riskmodel._core.threads import one_blas_thread
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.cross_section.exposures import Exposures, require_names
from riskmodel.estimation.cross_section.fit import CrossSectionFit
from riskmodel.estimation.cross_section.kinds import Groups, Style, read_groups, read_styles
from riskmodel.estimation.cross_section.missing import REFUSE, MissingExposures
from riskmodel.estimation.cross_section.regressions import Ending, Regressions, Runner
from riskmodel.estimation.cross_section.timing import starts_of
from riskmodel.estimation.cross_section.universe import EstimationUniverse, EveryAsset
from riskmodel.estimation.cross_section.weights import RegressionWeights, SquareRootCap
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import require_half_life, require_instance, weighted_mean
from riskmodel.horizon import QUARTER, Horizon
from riskmodel.panel.base import Panel
from riskmodel.panel.characteristics.value import Characteristics, age
from riskmodel.panel.factors import PortfolioFactor
from riskmodel.panel.memory import ReturnPanel


def _is_label_or_none(_: Any, attribute: Attribute[Any], value: Any) -> None:
    if value is not None:
        labels.require_label(value, attribute.name)


@final
@frozen(eq=False)
class CrossSectional(LoadingsEstimator):
    r"""Loadings that are known, and factor returns from a regression across assets on each date.

    The fundamental factor model of [1]_ and [2]_. On each date, the excess returns of the estimation universe are
    regressed, with weights, on the exposures that were known before the return began:

    .. math:: r_{it} = f_{mt} + \sum_g I_{ig,t-1} f_{gt} + \sum_s x_{is,t-1} f_{st} + \varepsilon_{it}.

    Each family of groups sums to zero by capitalisation, exactly: :math:`\sum_g W_g f_g = 0`, as in [3]_. The loadings
    of the result are the exposures known at the end of the panel, which a forecast needs; residuals are those of each
    date's own exposures, less the asset's mean, which is its alpha. So they are not :math:`r - \alpha - B f` with the
    last B.

    Each factor of the result is a `PortfolioFactor`: the portfolio of assets whose return the regression would be with
    the last exposures. It has exposure 1 to its own factor and 0 to the other styles. On other dates than the last its
    return differs a little from the factor's, and is missing where an asset that it holds is.

    **No look-ahead.** An exposure explains a return only if it became known before the row began: before the date of a
    daily row, before the first day of a month. The last known value of each asset counts, up to an age of `oldest`.

    Parameters
    ----------
    characteristics : Characteristics
        Of the panel's assets; those of other assets are not used. An asset without any is one whose exposures are
        missing.
    styles : sequence of Style or label
        A bare label is a `Style`: winsorised and standardised.
    groups : sequence of Groups or label
        Families of groups, such as industries and countries.
    market : label, optional
        The name of the factor to which each asset has exposure 1; None for a model without it, which has no groups.
    caps : label, optional
        The characteristic that is market capitalisation, in one currency. Without it, assets weigh alike in
        constraints and standardisation.
    universe : EstimationUniverse, optional
        The assets that decide factor returns: by default `EveryAsset`; `LargestCaps`, `Flagged`.
    weighting : RegressionWeights, optional
        By default `SquareRootCap`; `UnitWeights`, `InverseVariance`.
    oldest : Horizon, optional
        Values older than this are missing; by default a quarter, 91 calendar days.
    missing : MissingExposures, optional
        ``rm.REFUSE`` (the default) or ``rm.LEAVE_OUT``.

    References
    ----------
    .. [1] Grinold, R. C. and Kahn, R. N. (2000). *Active Portfolio Management*, 2nd edition, chapter 3. McGraw-Hill.
    .. [2] Menchero, J. and Davis, B. (2011). Risk Contribution Is Exposure Times Volatility Times Correlation.
       *Journal of Portfolio Management* 37(2), 97-106.
    .. [3] Heston, S. L. and Rouwenhorst, K. G. (1994). Does Industrial Structure Explain the Benefits of International
       Diversification? *Journal of Financial Economics* 36(1), 3-27.

    Examples
    --------
    >>> import pandas as pd, riskmodel as rm
    >>> sector = {"KO": "staples", "PEP": "staples", "PG": "staples", "XOM": "energy", "CVX": "energy", "JPM": "banks",
    ...           "BAC": "banks"}
    >>> panel = rm.SampleData().panel(list(sector), [], start="2018-01-01")
    >>> known = rm.Characteristics.static(pd.Series(sector, name="sector"))
    >>> estimator = rm.CrossSectional(known, groups=["sector"], weighting=rm.UnitWeights())
    >>> fitted = estimator.fit(panel)
    >>> fitted.loadings.loc["XOM"].tolist(), list(fitted.factors)
    ([1.0, 0.0, 1.0, 0.0], ['Market', 'banks', 'energy', 'staples'])
    >>> fitted.cross_section.tvalues.shape == fitted.factor_returns.shape
    True
    """

    characteristics: Characteristics = field(
        validator=require_instance(Characteristics, "rm.Characteristics.long(frame)")
    )
    styles: tuple[Style, ...] = field(default=(), converter=read_styles, kw_only=True)
    groups: tuple[Groups, ...] = field(default=(), converter=read_groups, kw_only=True)
    market: Any = field(default="Market", validator=_is_label_or_none, kw_only=True)
    caps: Any = field(default=None, validator=_is_label_or_none, kw_only=True)
    universe: EstimationUniverse = field(
        factory=EveryAsset, validator=require_instance(EstimationUniverse, "rm.LargestCaps(1_000)"), kw_only=True
    )
    weighting: RegressionWeights = field(
        factory=SquareRootCap, validator=require_instance(RegressionWeights, "rm.UnitWeights()"), kw_only=True
    )
    oldest: Horizon = field(default=QUARTER, validator=require_half_life, kw_only=True)
    missing: MissingExposures = field(
        default=REFUSE, validator=require_instance(MissingExposures, "rm.LEAVE_OUT"), kw_only=True
    )

    def __attrs_post_init__(self) -> None:
        names = [*(s.characteristic for s in self.styles), *(g.name for g in self.groups)]
        require_names(self.characteristics, names if self.caps is None else [*names, self.caps])
        if self.market is None and (self.groups or not self.styles):
            raise InvalidParameterError(
                "expected a market, to which groups are relative, got None; pass its name, or styles without groups.",
                parameter="market",
            )
        if self.caps is None and self.weighting.needs_caps:
            raise InvalidParameterError(
                f"expected the characteristic that is market capitalisation for {self.weighting!r}, got none; pass "
                "caps=..., or weighting=rm.UnitWeights().",
                parameter="caps",
            )
        numeric = [*(s.characteristic for s in self.styles), *([] if self.caps is None else [self.caps])]
        wrong = [name for name in numeric if self.characteristics.series(name).levels is not None]
        if wrong:
            raise InvalidParameterError(
                f"expected numbers for styles and capitalisation, got groups in {labels.listing(wrong)}; pass them as "
                "groups=[...].",
                characteristics=wrong,
            )

    @one_blas_thread()
    def fit(self, panel: Panel) -> FittedLoadings:
        """Regress the panel's returns on the exposures, date by date.

        Returns
        -------
        FittedLoadings
            Its `cross_section` has standard errors, t values and R² by date.

        Raises
        ------
        MissingExposuresError
            If exposures are missing: ``details["assets"]`` names the assets, or ``details["dates"]`` the dates on which
            no asset has any.
        TooFewObservationsError
            If a date has no more assets than factors; ``details["dates"]``.
        CollinearFactorsError
            If exposures are collinear or zero on a date; ``details["factors"]`` and ``details["dates"]``.
        DataError
            For a capitalisation of zero or less; ``details["assets"]``.
        """
        memory = in_memory(panel)
        exposures = Exposures(
            self.characteristics,
            memory.assets,
            starts_of(memory.dates, memory.horizon),
            age(self.oldest),
            self.styles,
            self.groups,
            self.market,
            self.caps,
            self.universe,
        )
        returns = np.ascontiguousarray(memory.arrays()[0])
        weights = self._weights(exposures, memory, returns)
        runner = Runner(exposures, returns, weights, memory.dates, self.missing)
        found, ending = runner.run(), runner.end()
        return _fitted(memory, runner, found, ending)

    def _weights(self, exposures: Exposures, panel: ReturnPanel, returns: Array) -> Array:
        caps = exposures.capitalisations()
        residuals = None
        if self.weighting.first is not None:
            first = _checked(self.weighting.first.weights(caps, None, panel.horizon), caps)
            run = Runner(exposures, returns, first, panel.dates, self.missing).run()
            residuals = pd.DataFrame(run.residuals, panel.dates, panel.assets, copy=False)
        return _checked(self.weighting.weights(caps, residuals, panel.horizon), caps)


def _checked(weights: Any, caps: Array) -> Array:
    """Return weights, or raise where they are not positive; NaN where an asset has no capitalisation."""
    values = np.where(np.isnan(caps), np.nan, weights) if np.shape(weights) == caps.shape else None
    if values is None or not (np.isnan(caps) | ((values > 0) & np.isfinite(values))).all():
        raise InvalidParameterError(
            f"expected positive weights of shape {caps.shape}, got others, of shape {np.shape(weights)}.",
            parameter="weights",
            expected=caps.shape,
            got=np.shape(weights),
        )
    return values


def _fitted(panel: ReturnPanel, runner: Runner, found: Regressions, ending: Ending) -> FittedLoadings:
    """Put the result together, the market first, then groups, then styles."""
    order = _order(runner, found.seen)
    names = labels.factor_labels([runner.names[k] for k in order])
    ones = np.ones(len(panel.dates))
    # an asset without a return in the panel has no mean
    alpha = np.nan_to_num(weighted_mean(found.residuals, ones))
    residuals = found.residuals
    residuals -= alpha
    cross_section = CrossSectionFit(
        panel.dates,
        names,
        found.coefficients[:, order],
        found.std_errors[:, order],
        found.rsquared,
        found.n_assets,
        _thin(panel, runner, found, ending),
        pd.Series(
            [panel.dates[row] for row in ending.last_known.values()],
            panel.assets[list(ending.last_known)],
            name="last_known",
            dtype=panel.dates.dtype,
        ),
    )
    return FittedLoadings(
        assets=panel.assets,
        definitions=[_portfolio(n, ending.portfolios[:, k], panel) for n, k in zip(names, order, strict=True)],
        dates=panel.dates,
        horizon=panel.horizon,
        alpha=alpha,
        loadings=ending.loadings[:, order],
        factor_returns=found.coefficients[:, order],
        residuals=set_read_only(residuals),
        weights=ones,
        risk_free_mean=float(panel.arrays()[2].mean()),
        cross_section=cross_section,
    )


def _order(runner: Runner, seen: Flags) -> list[int]:
    """The columns that are factors: groups that no asset of the panel is ever in are none."""
    market, styles = int(runner.exposures.market is not None), len(runner.exposures.styles)
    groups = range(market + styles, len(runner.names))
    return [*range(market), *(k for k in groups if seen[k]), *range(market, market + styles)]


def _portfolio(name: Any, weights: Array, panel: ReturnPanel) -> PortfolioFactor:
    held = weights != 0
    if not held.any():  # a group without a return of its own at the end
        held[0] = True
    return PortfolioFactor(name, pd.Series(weights[held], panel.assets[held]))


def _thin(panel: ReturnPanel, runner: Runner, found: Regressions, ending: Ending) -> pd.DataFrame:
    rows: list[tuple[Any, int, int]] = [(panel.dates[row], column, count) for row, column, count in found.thin]
    rows += [(pd.NaT, column, count) for column, count in ending.thin]
    shown = [(date, runner.names[column], count) for date, column, count in rows if found.seen[column]]
    table = pd.DataFrame(shown, columns=["date", "group", "members"])
    return table.astype({"date": panel.dates.dtype, "members": np.intp})
