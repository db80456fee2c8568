"""Priors of skfolio: its own numbers, its attribution, its cross-validation; assets that cannot be estimated."""

import numpy as np
import pandas as pd
import pytest
from interop_peers import peer, tables

import riskmodel as rm

peer("skfolio")

from skfolio import RiskMeasure  # noqa: E402
from skfolio.model_selection import WalkForward, cross_val_predict  # noqa: E402
from skfolio.optimization import MeanRisk, RiskBudgeting  # noqa: E402
from skfolio.prior import LoadingMatrixRegression, TimeSeriesFactorModel  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.linear_model import LinearRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402

from riskmodel.interop.skfolio import GivenPrior, LoadingMatrix, Prior  # noqa: E402

X, F = tables()
THEIRS = TimeSeriesFactorModel(LoadingMatrixRegression(LinearRegression())).fit(X, factors=F).return_distribution_


class TestPrior:
    def test_the_numbers_are_those_of_skfolio(self):
        ours = Prior().fit(X, factors=F).return_distribution_
        np.testing.assert_allclose(ours.mu, THEIRS.mu, atol=1e-15)
        np.testing.assert_allclose(ours.covariance, THEIRS.covariance, atol=1e-15)
        np.testing.assert_array_equal(ours.returns, X)
        for name in ("loading_matrix", "factor_covariance", "factor_mu", "idio_covariance", "idio_returns"):
            np.testing.assert_allclose(getattr(ours.factor_model, name), getattr(THEIRS.factor_model, name), atol=1e-13)
        assert list(ours.factor_model.factor_names) == list(F)

    def test_the_weights_are_those_of_skfolio(self):
        ours = MeanRisk(prior_estimator=Prior()).fit(X, factors=F)
        theirs = MeanRisk(prior_estimator=TimeSeriesFactorModel(LoadingMatrixRegression(LinearRegression())))
        np.testing.assert_allclose(ours.weights_, theirs.fit(X, factors=F).weights_, atol=1e-6)

    def test_attribution(self):
        prior = MeanRisk(prior_estimator=Prior()).fit(X, factors=F).prior_estimator_
        weights = np.full(12, 1 / 12)
        factor_model = prior.return_distribution_.factor_model
        expected = rm.Strategy(pd.Series(weights, X.columns), prior.model_)
        predicted = factor_model.predicted_attribution(weights=weights)
        assert predicted.total.vol == pytest.approx(float(expected.volatility.at(rm.YEAR)), rel=1e-10)
        realised = factor_model.realized_attribution(
            weights=weights, portfolio_returns=X.to_numpy() @ weights, compute_uncertainty=False
        )
        dates = X.index[1:]  # skfolio lags exposures by a date
        own = 252 * (F.loc[dates].mean() @ (prior.model_.loadings.T @ pd.Series(weights, X.columns)))
        assert realised.systematic.mu_contrib == pytest.approx(own, rel=1e-6)

    def test_an_asset_that_cannot_be_estimated_gets_no_weight(self):
        ragged = X.copy()
        ragged.iloc[:-2, 3] = np.nan
        ragged.iloc[:100, 5] = np.nan
        optimiser = MeanRisk(prior_estimator=Prior()).fit(ragged, factors=F)
        prior = optimiser.prior_estimator_
        assert optimiser.weights_[3] == 0.0
        assert optimiser.weights_.sum() == pytest.approx(1.0)
        assert list(prior.missing_["asset"]) == ["A03"]
        assert prior.filled_["A05"] == 100
        assert prior.filled_.sum() == 100
        found = prior.return_distribution_
        assert np.isnan(found.mu[3])
        assert np.isnan(found.covariance[3]).all()
        alone = rm.OLS().fit(
            rm.InMemory(ragged.iloc[100:, [5]], factors=F, risk_free=0.0, horizon=rm.DAY).panel(["A05"], list(F))
        )
        np.testing.assert_allclose(found.factor_model.loading_matrix[5], alone.loadings.loc["A05"], rtol=1e-9)
        filled = alone.alpha["A05"] + F.iloc[:100] @ alone.loadings.loc["A05"]
        np.testing.assert_allclose(found.returns[:100, 5], filled, rtol=1e-9)
        assert np.isnan(found.factor_model.idio_returns[:100, 5]).all()

    def test_measures_of_scenarios_and_budgets(self):
        ragged = X.copy()
        ragged.iloc[:-2, 3] = np.nan
        for optimiser in (
            MeanRisk(risk_measure=RiskMeasure.CVAR, prior_estimator=Prior()),
            RiskBudgeting(prior_estimator=Prior()),
        ):
            weights = optimiser.fit(ragged, factors=F).weights_
            assert weights[3] == 0.0
            assert weights.sum() == pytest.approx(1.0)

    def test_a_search_over_half_lives(self):
        lives = [rm.MONTH, rm.QUARTER, rm.YEAR]
        optimiser = MeanRisk(prior_estimator=Prior(rm.EWMA(rm.MONTH)))
        search = GridSearchCV(
            optimiser, {"prior_estimator__estimator__half_life": lives}, cv=WalkForward(test_size=40, train_size=200)
        ).fit(X, factors=F)
        assert search.best_params_["prior_estimator__estimator__half_life"] in lives
        assert search.best_estimator_.prior_estimator.estimator in [rm.EWMA(life) for life in lives]
        assert len(set(search.cv_results_["mean_test_score"])) == 3
        assert optimiser.prior_estimator.estimator == rm.EWMA(rm.MONTH)

    def test_cross_validation_sees_the_training_rows_only(self):
        cv = WalkForward(test_size=50, train_size=200)
        folds = cross_val_predict(MeanRisk(prior_estimator=Prior()), X, cv=cv, params={"factors": F})
        alone = MeanRisk(prior_estimator=Prior()).fit(X.iloc[:200], factors=F.iloc[:200])
        np.testing.assert_allclose(folds[0].weights, alone.weights_, atol=1e-6)

    def test_parameters(self):
        prior = Prior(rm.Assembled(rm.TimeSeries(rm.EWMA(rm.YEAR)), rm.SampleCovariance(), rm.SampleVariance()))
        path = "estimator__loadings__estimator__half_life"
        assert prior.get_params()[path] == rm.YEAR
        copy = clone(prior).set_params(**{path: rm.MONTH}, horizon=rm.WEEK)
        assert copy.estimator.loadings.estimator == rm.EWMA(rm.MONTH)
        assert copy.horizon == rm.WEEK
        assert prior.get_params()[path] == rm.YEAR
        # an estimator and one of its fields at once, in any order
        copy.set_params(estimator__half_life=rm.WEEK, estimator=rm.EWMA(rm.YEAR))
        assert copy.estimator == rm.EWMA(rm.WEEK)
        with pytest.raises(rm.InvalidParameterError) as error:
            prior.set_params(estimator__half_lives=1)
        assert error.value.details["parameter"] == "estimator__half_lives"

    def test_arrays_and_time_zones(self):
        plain = Prior().fit(X, factors=F).return_distribution_
        of_arrays = Prior().fit(X.to_numpy(), factors=F.to_numpy()).return_distribution_
        np.testing.assert_allclose(of_arrays.covariance, plain.covariance, atol=1e-18)
        zone = X.index.tz_localize("America/New_York")
        zoned = Prior().fit(X.set_axis(zone), factors=F.set_axis(zone)).return_distribution_
        np.testing.assert_array_equal(zoned.covariance, plain.covariance)
        assert list(zoned.factor_model.observations) == list(zone)

    @pytest.mark.parametrize(
        "horizon",
        [rm.WEEK, rm.MONTH, rm.QUARTER, rm.YEAR, rm.Horizon(10), rm.CALENDAR_DAY, rm.Horizon.of("1h", per_day=6.5)],
        ids=str,
    )
    def test_arrays_of_any_horizon(self, horizon):
        few = slice(0, 90)
        found = Prior(horizon=horizon).fit(X[few].to_numpy(), factors=F[few].to_numpy())
        expected = Prior().fit(X[few], factors=F[few]).return_distribution_.covariance
        np.testing.assert_allclose(found.return_distribution_.covariance, expected, atol=1e-18)
        assert found.model_.horizon == horizon

    def test_a_date_without_factors_is_left_out_of_the_fit_only(self):
        holes = F.copy()
        holes.iloc[7] = np.nan
        prior = Prior().fit(X, factors=holes)
        found = prior.return_distribution_
        expected = Prior().fit(X.drop(X.index[7]), factors=F.drop(F.index[7])).return_distribution_
        np.testing.assert_allclose(found.covariance, expected.covariance, atol=1e-18)
        assert np.isnan(found.factor_model.factor_returns[7]).all()
        assert np.isfinite(np.delete(found.factor_model.factor_returns, 7, axis=0)).all()
        np.testing.assert_array_equal(found.returns, X)

    def test_factors_made_of_the_assets(self):
        estimator = rm.Assembled(rm.PrincipalComponents(2), rm.SampleCovariance(), rm.SampleVariance())
        prior = Prior(estimator).fit(X)
        found = prior.return_distribution_.factor_model
        assert list(found.factor_names) == ["PC1", "PC2"]
        np.testing.assert_allclose(
            X - found.factor_returns @ found.loading_matrix.T - prior.model_.alpha.to_numpy(), found.idio_returns,
            atol=1e-15,
        )  # fmt: skip

    def test_rows_that_do_not_fit(self):
        for factors in (F.iloc[1:], F.set_axis(F.index + pd.Timedelta(days=1))):
            with pytest.raises(rm.InvalidParameterError) as error:
                Prior().fit(X, factors=factors)
            assert error.value.details["parameter"] == "factors"
        with pytest.raises(rm.InvalidParameterError):
            Prior().fit(X.iloc[::-1], factors=F.iloc[::-1])


class TestGivenPrior:
    MODEL = Prior().fit(X, factors=F).model_

    def test_it_is_the_model_of_the_columns(self):
        some = ["A07", "A02", "A09"]
        found = GivenPrior(self.MODEL).fit(X[some], factors=F).return_distribution_
        expected = self.MODEL.restrict(some)
        np.testing.assert_allclose(found.covariance, expected.covariance.to_dense(), atol=1e-18)
        np.testing.assert_allclose(found.mu, expected.expected_returns.sum(axis=1), atol=1e-18)
        panel = rm.InMemory(X, factors=F, risk_free=0.0, horizon=rm.DAY).panel(some, list(F))
        np.testing.assert_allclose(found.factor_model.idio_returns, expected.residuals(panel), atol=1e-16)

    def test_another_horizon_is_scaled(self):
        found = GivenPrior(self.MODEL.at(rm.YEAR)).fit(X).return_distribution_
        np.testing.assert_allclose(found.covariance, self.MODEL.covariance.to_dense(), rtol=1e-12)
        assert found.factor_model.factor_returns is None

    def test_what_the_model_left_out_gets_no_weight_and_others_are_unknown(self):
        ragged = X.copy()
        ragged.iloc[:-2, 3] = np.nan
        model = Prior().fit(ragged, factors=F).model_
        optimiser = MeanRisk(prior_estimator=GivenPrior(model)).fit(ragged, factors=F)
        assert optimiser.weights_[3] == 0.0
        with pytest.raises(rm.UnknownAssetError) as error:
            GivenPrior(model).fit(X.rename(columns={"A00": "XYZ"}))
        assert error.value.details["missing"] == ["XYZ"]

    def test_links(self):
        c = np.zeros((12, 1))
        c[:2] = 0.005
        linked = rm.FactorModel(
            assets=self.MODEL.assets, factors=self.MODEL.factors, alpha=self.MODEL.alpha.to_numpy(),
            loadings=self.MODEL.loadings.to_numpy(), factor_mean=self.MODEL.factor_mean.to_numpy(),
            factor_covariance=self.MODEL.factor_covariance.to_numpy(),
            idio_variance=self.MODEL.idio_variance.to_numpy(), risk_free_mean=0.0, horizon=rm.DAY,
            definitions=self.MODEL.definitions, links=c,
        )  # fmt: skip
        found = GivenPrior(linked).fit(X).return_distribution_
        root = found.covariance_sqrt
        square = sum(part @ part.T for part in root.components)
        np.testing.assert_allclose(square, linked.covariance.to_dense(), atol=1e-15)
        np.testing.assert_allclose(found.covariance, linked.covariance.to_dense(), atol=1e-18)


class TestLoadingMatrix:
    def test_skfolios_own_model_with_our_loadings(self):
        ours = TimeSeriesFactorModel(loading_matrix_estimator=LoadingMatrix()).fit(X, factors=F).return_distribution_
        np.testing.assert_allclose(ours.covariance, THEIRS.covariance, atol=1e-15)
        np.testing.assert_allclose(ours.mu, THEIRS.mu, atol=1e-15)

    def test_all_assets_are_needed(self):
        ragged = X.copy()
        ragged.iloc[:-2, 3] = np.nan
        with pytest.raises(rm.InvalidParameterError) as error:
            LoadingMatrix().fit(ragged, F)
        assert error.value.details["assets"] == ["A03"]
