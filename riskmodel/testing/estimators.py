"""The contract of an `Estimator`, as tests to inherit."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import attrs
import numpy as np
import pandas as pd

from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError
from riskmodel.estimation.base import Estimator, MomentEstimator
from riskmodel.estimation.rolling import Expanding, Rolling
from riskmodel.horizon import MONTH, YEAR, Horizon
from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import PortfolioFactor
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.strategy import Strategy
from riskmodel.report.report import RiskReport


class EstimatorContract(ABC):
    """Tests that every estimator must pass. Inherit it in a test class with two hooks.

    Attributes
    ----------
    rounding : float
        Tolerance between two ways to compute a figure, relative to the largest figure of its kind.
    look_ahead_rounding : float
        Tolerance for the effect of later returns on earlier figures: 0 by default; larger for an estimator whose
        rounding depends on the size of the panel.
    explains_sample_variance : bool
        Whether the model's variance of an asset without missing returns, B F B' + D, is the sample's with ddof 1.
    separable : bool
        Whether an asset's figures do not depend on other assets' returns, as in a time-series regression.
    estimates_short_assets : bool
        Whether an asset with a single return is estimated, from a prior, alone and in windows; otherwise `fit` raises.

    Examples
    --------
    In your ``test_mine.py``, for pytest to collect:

    >>> import riskmodel as rm
    >>> from riskmodel.testing import EstimatorContract
    >>> class TestOLS(EstimatorContract):
    ...     def estimator(self):
    ...         return rm.OLS()
    ...     def panel(self):
    ...         return rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"], start="2018-01-01")
    >>> TestOLS().test_assets_may_come_in_any_order()
    """

    rounding: ClassVar[float] = 1e-8
    look_ahead_rounding: ClassVar[float] = 0.0
    explains_sample_variance: ClassVar[bool] = True
    separable: ClassVar[bool] = True
    estimates_short_assets: ClassVar[bool] = False

    @abstractmethod
    def estimator(self) -> Estimator:
        """Return the estimator under test."""

    @abstractmethod
    def panel(self) -> ReturnPanel:
        """Return a panel for it: 3 assets or more, 100 dates or more, no return missing.

        Where a factor is a `PortfolioFactor`, the panel has the assets that it holds, as a hedge is in these.
        """

    # -- the model -----------------------------------------------------------------------------------

    def test_fit_gives_a_model_of_the_panel(self) -> None:
        """A `FactorModel` of the panel's assets in their order, at its horizon, finite."""
        panel, model = self._panel(), self._fit()
        assert isinstance(model, FactorModel), f"expected a FactorModel, got {type(model).__name__}"
        assert list(model.assets) == list(panel.assets), f"expected the panel's assets, got {list(model.assets)}"
        assert model.horizon == panel.horizon, f"expected the panel's horizon, got {model.horizon!r}"
        assert [f.name for f in model.definitions] == list(model.factors)
        assert model.missing.empty, "fit must estimate all assets or raise"

    def test_fitting_twice_gives_the_same(self) -> None:
        """The same panel gives the same bits."""
        for name, values in _figures(self._fit()).items():
            np.testing.assert_array_equal(values, _figures(self._fit())[name], err_msg=name)

    def test_the_panel_is_left_alone(self) -> None:
        """`fit` changes no number of the panel."""
        panel = self._panel()
        before = [a.copy() for a in panel.arrays()]
        self.estimator().fit(panel)
        for was, now in zip(before, panel.arrays(), strict=True):
            np.testing.assert_array_equal(was, now)

    def test_the_model_cannot_be_written_to(self) -> None:
        """The model is immutable: no attribute and no array can be set."""
        model = self._fit()
        for change in (lambda: setattr(model, "horizon", YEAR), lambda: _first(model).__setitem__(0, 1.0)):
            try:
                change()
            except (attrs.exceptions.FrozenInstanceError, ValueError):
                continue
            raise AssertionError("expected a frozen model with read-only arrays")

    def test_estimator_and_model_can_be_pickled(self) -> None:
        """A pickled estimator or model has the same figures."""
        expected = _figures(self._fit())
        again = pickle.loads(pickle.dumps(self.estimator())).fit(self._panel())
        for model in (again, pickle.loads(pickle.dumps(self._fit()))):
            for name, values in _figures(model).items():
                np.testing.assert_array_equal(values, expected[name], err_msg=name)

    def test_the_risk_free_mean_is_the_panels(self) -> None:
        """`risk_free_mean` is within the panel's rates; of a `MomentEstimator`, their mean with its weights."""
        panel = self._panel()
        rate = np.linspace(1.0, 2.0, len(panel.dates)) * 1e-4
        panel = attrs.evolve(panel, risk_free=rate)
        estimator = self.estimator()
        got = estimator.fit(panel).risk_free_mean
        if isinstance(estimator, MomentEstimator):
            self._near(got, np.average(rate, weights=estimator.weights(panel)), "risk_free_mean")
        inside = rate[0] <= got * (1 + self.rounding) and got <= rate[-1] * (1 + self.rounding)
        assert inside, f"expected risk_free_mean from {rate[0]:g} to {rate[-1]:g}, the panel's rates, got {got:g}"

    def test_residuals_are_what_the_factors_leave(self) -> None:
        """ε = r - α - B f, with the factors' returns on the panel."""
        panel, model = self._panel(), self._fit()
        fitted = panel.returns_of(model.definitions) @ model.loadings.to_numpy().T + model.alpha.to_numpy()
        residuals = model.residuals(panel)
        self._near(residuals.to_numpy() + fitted, panel.excess_returns.to_numpy(), "residuals")

    # -- permutations, horizons ----------------------------------------------------------------------

    def test_assets_may_come_in_any_order(self) -> None:
        """Permuted assets give the permuted model."""
        panel = self._panel()
        turned = self.estimator().fit(panel.select(list(panel.assets[::-1])))
        self._same(turned.restrict(list(panel.assets)), self._fit())

    def test_factors_may_come_in_any_order(self) -> None:
        """Permuted factors of the panel give the same loadings by name."""
        panel, model = self._panel(), self._fit()
        if len(panel.factors) < 2 or not model.factors.isin(panel.factors).all():
            return  # factors made of the assets have no order to permute
        turned = self.estimator().fit(panel.select(factors=list(panel.factors[::-1])))
        self._near(turned.loadings[model.factors], model.loadings, "loadings")
        self._near(turned.alpha, model.alpha, "alpha")
        self._near(turned.idio_variance, model.idio_variance, "idio_variance")
        self._near(turned.factor_covariance.loc[model.factors, model.factors], model.factor_covariance, "F")

    def test_variances_scale_with_the_horizon(self) -> None:
        """Means and variances scale with h; loadings are unchanged."""
        model = self._fit()
        yearly, h = model.at(YEAR), YEAR.in_units_of(model.horizon)
        self._near(yearly.covariance.diagonal(), h * model.covariance.diagonal(), "variance")
        self._near(yearly.alpha, h * model.alpha, "alpha")
        self._near(yearly.loadings, model.loadings, "loadings")

    # -- the covariance ------------------------------------------------------------------------------

    def test_the_covariance_is_positive_semidefinite(self) -> None:
        """No portfolio variance and no idio variance is negative."""
        model = self._fit()
        assert (model.idio_variance >= 0).all(), "expected idio variances of zero or more"
        values = np.linalg.eigvalsh(model.covariance.to_dense().to_numpy())
        assert values[0] >= -self.rounding * values[-1], f"expected eigenvalues of zero or more, got {values[0]:g}"

    def test_the_variance_is_the_samples(self) -> None:
        """B F B' + D has the sample's variances on its diagonal, if the estimator promises it."""
        if not self.explains_sample_variance:
            return
        returns = self._panel().excess_returns
        self._near(self._fit().covariance.diagonal(), returns.var(), "variance")

    # -- ragged panels -------------------------------------------------------------------------------

    def test_fit_available_is_fit_of_the_assets_that_remain(self) -> None:
        """Omitted assets are listed and do not change the model of the others."""
        panel = self._short_asset()
        model = self.estimator().fit_available(panel)
        left = list(model.missing["asset"])
        assert sorted(map(str, [*model.assets, *left])) == sorted(map(str, panel.assets))
        assert model.missing["reason"].map(bool).all(), "expected a reason for each asset that is left out"
        self._same(model, self.estimator().fit(panel.select(list(model.assets))))

    def test_an_asset_that_cannot_be_estimated_is_named(self) -> None:
        """`fit` raises `EstimationError` with that asset in ``details["assets"]``; `fit_available` lists it."""
        if self.estimates_short_assets:
            return
        panel = self._short_asset()
        try:
            self.estimator().fit(panel)
        except EstimationError as error:
            named = list(error.details.get("assets", ()))
            assert named == [panel.assets[1]], f"expected details['assets'] of [{panel.assets[1]!r}], got {named}"
        else:
            raise AssertionError("expected an EstimationError for an asset with one return")
        assert list(self.estimator().fit_available(panel).missing["asset"]) == [panel.assets[1]]

    def test_a_ragged_asset_does_not_matter_to_others(self) -> None:
        """Missing returns of one asset do not change the figures of others, for a separable estimator."""
        if not self.separable:
            return
        panel = self._panel()
        returns = panel.excess_returns.to_numpy(copy=True)
        returns[: len(returns) // 3, 0] = np.nan
        model = self.estimator().fit(attrs.evolve(panel, excess_returns=returns))
        others = list(panel.assets[1:])
        self._same(model.restrict(others), self._fit().restrict(others))

    # -- windows -------------------------------------------------------------------------------------

    def test_windows_are_fits(self) -> None:
        """Each model of a history equals the fit of its window."""
        panel = self._panel()
        history = self._rolling(panel, every=7)
        for date, model in history.items():
            window = panel.select(start=history.starts[date], end=date)
            self._same(model, self.estimator().fit_available(window))

    def test_windows_are_fits_of_a_ragged_panel(self) -> None:
        """A window estimates the assets that `fit_available` of it does, one with a single return among others."""
        panel = self._short_asset()
        history = self._rolling(panel, every=7)
        for date in history.dates[[0, -1]]:
            window = panel.select(start=history.starts[date], end=date)
            self._same(history.on(date), self.estimator().fit_available(window))
        rows = len(panel.dates) // 2
        last = self._rolling(panel.select(start=panel.dates[-rows - 1]), every=1, rows=rows)
        estimated = panel.assets[1] in last.on(panel.dates[-1]).assets
        assert estimated == self.estimates_short_assets, "expected windows to estimate an asset as fit does"

    def test_later_returns_change_no_earlier_model(self) -> None:
        """No look-ahead: returns after a date do not change models up to that date."""
        panel = self._panel()
        cut = 3 * len(panel.dates) // 4
        returns, factors, free = (a.copy() for a in panel.arrays())
        returns[cut:], factors[cut:] = -0.5 * returns[cut:][::-1], 0.7 * factors[cut:][::-1]
        changed = attrs.evolve(panel, excess_returns=returns, factor_returns=factors, risk_free=free)
        for window in (lambda p: self._rolling(p, every=10), self._expanding):
            before, after = window(panel), window(changed)
            for date in before.dates[before.dates < panel.dates[cut]]:
                self._unmoved(before.on(date), after.on(date))

    def test_walking_forward_uses_yesterdays_model(self) -> None:
        """`ModelHistory.excess_returns` is the return of a hedge with the model of the day before."""
        panel = self._panel()
        history, asset = self._rolling(panel, every=9), panel.assets[0]
        walked = history.excess_returns({asset: 1.0})
        for date in walked.index[::11]:
            known = history.asof(panel.dates[panel.dates < date][-1])
            hedged = HedgedPortfolio.neutral(Strategy({asset: 1.0}, known))
            earned = hedged.excess_returns(panel, start=date, end=date).iloc[0]
            self._near(walked.loc[date, "hedged"], earned, f"hedged return of {date.date()}", size=0.01)

    # -- what a model is for -------------------------------------------------------------------------

    def test_a_portfolio_can_be_hedged_sized_and_reported(self) -> None:
        """A strategy goes through `HedgedPortfolio`, `RiskBudget` and `RiskReport`."""
        panel, model = self._panel(), self._fit()
        weights = {panel.assets[0]: 1.0, panel.assets[1]: -0.5}
        strategy = Strategy(weights, model)
        neutral = HedgedPortfolio.neutral(strategy)
        self._near(neutral.exposures.to_numpy(), np.zeros(len(model.factors)), "exposures left", size=1.0)
        assert np.isfinite(neutral.excess_returns(panel)).all()
        budget = RiskBudget(1e6, MONTH)
        position = budget.size(strategy)
        self._near(float(position.volatility.at(MONTH)), 1e6, "volatility of the position")
        report = RiskReport.of(strategy, panel, budget)
        assert str(panel.assets[0]) in report.to_text()
        assert report.to_dict()["factors"] == [str(f) for f in model.factors]

    # -- helpers -------------------------------------------------------------------------------------

    def _panel(self) -> ReturnPanel:
        panel = self.panel()
        complete = len(panel.assets) >= 3 and len(panel.dates) >= 100 and panel.excess_returns.notna().all(axis=None)
        assert complete, f"expected 3 assets or more on 100 dates or more, none missing, got {panel!r}"
        held = {a for f in panel.definitions if isinstance(f, PortfolioFactor) for a in f.held.index}
        outside = sorted(map(str, held.difference(panel.assets)))
        assert not outside, f"expected a panel with the assets of its portfolio factors, for hedges, got no {outside}"
        return panel

    def _fit(self) -> FactorModel:
        return self.estimator().fit(self._panel())

    def _short_asset(self) -> ReturnPanel:
        """Return the panel with a single return of the second asset."""
        panel = self._panel()
        returns = panel.excess_returns.to_numpy(copy=True)
        returns[:-1, 1] = np.nan
        return attrs.evolve(panel, excess_returns=returns)

    def _rolling(self, panel: ReturnPanel, every: int, rows: int | None = None) -> Any:
        days = panel.horizon.days * (rows or len(panel.dates) // 2)
        return Rolling(Horizon(days), self.estimator(), every=every).fit(panel)

    def _expanding(self, panel: ReturnPanel) -> Any:
        return Expanding(self.estimator(), minimum=len(panel.dates) // 2, every=10).fit(panel)

    def _same(self, got: FactorModel, expected: FactorModel) -> None:
        assert list(got.assets) == list(expected.assets)
        for name, values in _figures(expected).items():
            self._near(_figures(got)[name], values, name)

    def _unmoved(self, got: FactorModel, expected: FactorModel) -> None:
        for name, values in _figures(expected).items():
            size = np.abs(values).max(initial=0.0)
            gap = np.abs(_figures(got)[name] - values).max(initial=0.0)
            assert gap <= self.look_ahead_rounding * size, f"later returns moved {name} by {gap:g} of {size:g}"

    def _near(self, got: Any, expected: Any, what: str, size: float = 0.0) -> None:
        """Compare numbers of one kind, relative to the largest or to a size."""
        got, expected = np.asarray(got, dtype=np.float64), np.asarray(expected, dtype=np.float64)
        size = max(np.abs(expected).max(initial=0.0), size)
        gap = np.abs(got - expected).max(initial=0.0)
        assert gap <= self.rounding * size, f"{what} are {gap:g} apart, at a size of {size:g}"


def _figures(model: FactorModel) -> dict[str, Array]:
    """Return all numbers of a model."""
    return {
        "alpha": model.alpha.to_numpy(),
        "loadings": model.loadings.to_numpy(),
        "factor_mean": model.factor_mean.to_numpy(),
        "factor_covariance": model.factor_covariance.to_numpy(),
        "idio_variance": model.idio_variance.to_numpy(),
        "risk_free_mean": np.array([model.risk_free_mean]),
    }


def _first(model: FactorModel) -> Any:
    values: pd.Series[float] = model.alpha
    return values.to_numpy()
