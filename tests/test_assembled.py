"""Models assembled from parts keep the contract, are what their parts say, and say what wrappers changed."""

import attrs
import numpy as np
import pandas as pd
import pytest
from panels import clean, ragged

import riskmodel as rm
from riskmodel.testing.estimators import EstimatorContract

PLAIN = rm.Assembled(rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), rm.SampleVariance())


def adjusted(half_life=rm.MONTH, slow=rm.YEAR):
    return rm.Assembled(
        loadings=rm.Vasicek(rm.TimeSeries(rm.EWMA(slow))),
        factor_covariance=rm.EigenfactorAdjusted(
            rm.RegimeAdjusted(rm.NeweyWest(rm.EWMACovariance(half_life, slow), 1), half_life), simulations=3
        ),
        idio_variance=rm.ShrunkVariance(rm.RegimeAdjustedVariance(rm.EWMAVariance(half_life), half_life), 0.2),
    )


def near(got, expected, rtol=1e-10, atol=0.0):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=atol)


class _OnSample:
    def panel(self):
        return rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"], start="2018-01-01")


class TestPlain(_OnSample, EstimatorContract):
    def estimator(self):
        return PLAIN


class TestAdjusted(_OnSample, EstimatorContract):
    explains_sample_variance = False  # half-lives and shrinkage
    separable = False  # betas and variances are shrunk to the cross-section's

    def estimator(self):
        return adjusted()


class TestAdjustedOnMonths(EstimatorContract):
    explains_sample_variance = False
    separable = False

    def estimator(self):
        return rm.Assembled(
            rm.Vasicek(rm.TimeSeries(rm.OLS())),
            rm.RegimeAdjusted(rm.EWMACovariance(rm.Horizon(504), rm.Horizon(1260)), rm.YEAR),
            rm.ShrunkVariance(rm.EWMAVariance(rm.Horizon(756)), 0.2),
        )

    def panel(self):
        data = rm.SampleData(rm.MONTH)
        return data.panel(["BusEq", "Utils", "NoDur", "Durbl"], ["Mkt-RF", "SMB", "HML", "Mom"], start="2000-01")


class TestMixtures(EstimatorContract):
    explains_sample_variance = False

    def panel(self):
        data = rm.SampleData(rm.MONTH)
        return data.panel(["BusEq", "Utils", "NoDur"], ["Mkt-RF", "SMB", "HML"], start="2005-01")

    def estimator(self):
        slow = rm.EWMAVariance(rm.Horizon(756))
        return rm.Assembled(
            rm.TimeSeries(rm.EWMA(rm.Horizon(756))),
            rm.MixtureCovariance([rm.QIS(), rm.EMCovariance(), rm.EWMACovariance(rm.YEAR, rm.YEAR)], [0.5, 0.25, 0.25]),
            rm.NeweyWestVariance(rm.MixtureVariance([slow, rm.SampleVariance()], [0.5, 0.5]), 2),
        )


def figures(model):
    return model.alpha, model.loadings, model.factor_mean, model.factor_covariance, model.idio_variance


@pytest.mark.parametrize("panel", [clean(), ragged()], ids=["clean", "ragged"])
def test_the_plain_parts_of_least_squares_are_least_squares(panel):
    for assembled, estimator in (
        (PLAIN, rm.OLS()),
        (
            rm.Assembled(
                rm.TimeSeries(rm.EWMA(rm.QUARTER)),
                rm.EWMACovariance(rm.QUARTER, rm.QUARTER),
                rm.EWMAVariance(rm.QUARTER),
            ),
            rm.EWMA(rm.QUARTER),
        ),
    ):
        got, expected = assembled.fit(panel), estimator.fit(panel)
        for mine, theirs in zip(figures(got), figures(expected), strict=True):
            near(mine, theirs, rtol=1e-9, atol=1e-15)
        assert got.regression.tvalues.equals(expected.regression.tvalues)
        assert got.risk_free_mean == expected.risk_free_mean


def test_the_summary_is_that_of_the_regression():
    panel = clean()
    model = rm.Assembled(rm.Vasicek(rm.TimeSeries(rm.OLS())), rm.SampleCovariance(), rm.SampleVariance()).fit(panel)
    assert str(model.summary("A1", panel).tables[1]) == str(rm.OLS().fit(panel).summary("A1", panel).tables[1])


def test_stages_say_what_each_wrapper_changed():
    panel = clean(n=4, k=2)
    estimator = adjusted()
    stages = estimator.stages(panel)
    assert list(stages.columns) == ["part", "stage", "label", "before", "after", "factor"]
    order = stages.drop_duplicates(["part", "stage"])[["part", "stage"]].to_numpy().tolist()
    assert order == [
        ["loadings", "Vasicek"],
        ["factor_covariance", "NeweyWest"],
        ["factor_covariance", "RegimeAdjusted"],
        ["factor_covariance", "EigenfactorAdjusted"],
        ["idio_variance", "RegimeAdjustedVariance"],
        ["idio_variance", "ShrunkVariance"],
    ]
    by_stage = {s: t.set_index("label") for s, t in stages.groupby("stage")}
    near(stages["factor"], stages["after"] / stages["before"])
    model = estimator.fit(panel)
    beta = by_stage["Vasicek"]
    assert beta.loc[[("A1", "F0")], "after"].iloc[0] == model.loadings.loc["A1", "F0"]
    near(beta["before"], rm.EWMA(rm.YEAR).fit(panel).loadings.to_numpy().ravel())
    near(by_stage["EigenfactorAdjusted"]["after"] ** 2, np.diag(model.factor_covariance))
    near(by_stage["RegimeAdjusted"]["before"], by_stage["NeweyWest"]["after"])
    near(by_stage["ShrunkVariance"]["after"] ** 2, model.idio_variance)
    assert by_stage["RegimeAdjusted"]["factor"].std() < 1e-12  # one number for all factors


def test_without_wrappers_there_are_no_stages():
    stages = PLAIN.stages(clean())
    assert stages.empty
    assert list(stages.columns) == ["part", "stage", "label", "before", "after", "factor"]


@attrs.frozen
class Doubled(rm.IdioVarianceEstimator):
    """A wrapper of a user's own."""

    inner: rm.IdioVarianceEstimator

    def fit(self, residuals, loadings):
        risk = self.inner.fit(residuals, loadings)
        return attrs.evolve(risk, variance=4 * risk.variance)


def test_a_wrapper_of_a_users_own_is_a_stage():
    estimator = attrs.evolve(PLAIN, idio_variance=Doubled(rm.SampleVariance()))
    stages = estimator.stages(clean())
    assert set(stages["stage"]) == {"Doubled"}
    near(stages["factor"], 2.0)


def test_short_assets_are_named_and_left_out():
    panel = clean()
    returns = panel.excess_returns.to_numpy(copy=True)
    returns[:-2, [3, 7]] = np.nan
    short = attrs.evolve(panel, excess_returns=returns)
    with pytest.raises(rm.TooFewObservationsError) as error:
        adjusted().fit(short)
    assert error.value.details["assets"] == ["A3", "A7"]
    model = adjusted().fit_available(short)
    assert list(model.missing["asset"]) == ["A3", "A7"]
    others = [a for a in panel.assets if a not in {"A3", "A7"}]
    near(model.idio_variance, adjusted().fit(panel.select(others)).idio_variance)


def test_a_stored_panel_is_read_into_memory():
    panel = clean()
    stored = rm.StoredPanel.array(
        panel.excess_returns.to_numpy(),
        dates=panel.dates,
        assets=panel.assets,
        factors=panel.factor_returns,
        risk_free=0.0,
        horizon=rm.DAY,
    )
    near(PLAIN.fit(stored).idio_variance, PLAIN.fit(panel).idio_variance)


class Elsewhere(rm.ReturnPanel.__mro__[1]):
    """A panel of a million assets that is nowhere."""

    dates = pd.bdate_range("2020-01-01", periods=500)
    assets = pd.RangeIndex(1_000_000)
    factors = pd.Index(["F"])
    horizon = rm.DAY
    definitions = ()

    def arrays(self):
        raise AssertionError("expected that nothing is read")

    def select(self, assets=None, factors=None, start=None, end=None):
        raise AssertionError("expected that nothing is read")


def test_a_panel_larger_than_memory_is_refused():
    with pytest.raises(rm.TooLargeError) as error:
        PLAIN.fit(Elsewhere())
    assert error.value.details["assets"] == 1_000_000


@attrs.frozen
class Wrong(rm.FactorCovarianceEstimator):
    answer: object

    def fit(self, factor_returns, horizon):
        return self.answer


@pytest.mark.parametrize("answer", [np.eye(2), pd.DataFrame(np.eye(3)), None, -np.eye(3)])
def test_what_a_part_returns_is_checked(answer):
    with pytest.raises(rm.InvalidParameterError):
        attrs.evolve(PLAIN, factor_covariance=Wrong(answer)).fit(clean())


@attrs.frozen
class OfOthers(rm.LoadingsEstimator):
    def fit(self, panel):
        return rm.TimeSeries(rm.OLS()).fit(panel.select(list(panel.assets[:2])))


def test_loadings_must_be_of_the_panels_assets():
    with pytest.raises(rm.InvalidParameterError):
        attrs.evolve(PLAIN, loadings=OfOthers()).fit(clean())


@pytest.mark.parametrize(
    "parts",
    [
        (rm.OLS(), rm.SampleCovariance(), rm.SampleVariance()),
        (rm.TimeSeries(rm.OLS()), rm.SampleVariance(), rm.SampleVariance()),
        (rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), rm.SampleCovariance()),
    ],
)
def test_parts_of_another_kind_are_errors(parts):
    with pytest.raises(rm.InvalidParameterError):
        rm.Assembled(*parts)
