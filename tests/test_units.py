"""Numbers keep their horizons, masks, dates and owners."""

import attrs
import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel._core.arrays import floats, read_only

PANEL = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2016-01-01", end="2016-12-31")
PARTS = {
    "assets": ["A", "B"],
    "factors": ["F", "G"],
    "alpha": [0.0, 0.0],
    "loadings": [[1.0, 0.1], [0.5, 0.2]],
    "factor_covariance": [[4e-4, 0.0], [0.0, 1e-4]],
    "factor_mean": [0.0, 0.0],
    "idio_variance": [1e-4, 1e-4],
    "horizon": rm.DAY,
}
V, M = rm.Variance(0.04, rm.YEAR), rm.Mean(0.04, rm.YEAR)
ANNUAL = {
    "covariance, nested": {"factor_covariance": [[V, 0.0], [0.0, 1e-4]]},
    "covariance, array": {"factor_covariance": np.array([[V, 0.0], [0.0, V]], dtype=object)},
    "covariance, frame": {"factor_covariance": pd.DataFrame([[V, 0], [0, V]], ["F", "G"], ["F", "G"], dtype=object)},
    "idio, list": {"idio_variance": [V, 1e-4]},
    "idio, mapping": {"idio_variance": {"A": V, "B": 1e-4}},
    "idio, Series": {"idio_variance": pd.Series([V, V], ["A", "B"], dtype=object)},
    "alpha, tuple": {"alpha": (M, 0.0)},
    "means": {"factor_mean": [0.0, M]},
    "rate": {"risk_free_mean": M},
}


@pytest.mark.parametrize("annual", ANNUAL.values(), ids=ANNUAL)
def test_annual_quantities_however_nested_are_no_parameters_of_a_daily_model(annual):
    with pytest.raises(rm.HorizonMismatchError) as error:
        rm.FactorModel.from_parameters(**PARTS | annual)
    assert error.value.details["left"] == rm.YEAR


@pytest.mark.parametrize(
    "wrong", [{"loadings": [[V, 0.1], [0.5, 0.2]]}, {"alpha": [V, 0.0]}, {"factor_covariance": [[M, 0.0], [0.0, 1e-4]]}]
)
def test_a_quantity_of_another_kind_is_no_parameter(wrong):
    with pytest.raises(rm.InvalidParameterError):
        rm.FactorModel.from_parameters(**PARTS | wrong)


def test_quantities_of_the_models_horizon_are_parameters():
    daily = [[V.at(rm.DAY), 0.0], [0.0, 1e-4]]
    model = rm.FactorModel.from_parameters(**PARTS | {"factor_covariance": daily})
    assert model.factor_covariance.loc["F", "F"] == pytest.approx(0.04 / 252)


# -- histories ---------------------------------------------------------------------------------------


@attrs.frozen
class Annual(rm.Estimator):
    mixed: int = 0

    def fit(self, panel):
        model = rm.OLS().fit(panel)
        return model if self.mixed and len(panel.dates) % 2 else model.at(rm.YEAR)


def test_a_history_of_annual_models_is_annual():
    history = rm.Rolling(rm.QUARTER, Annual(), every=60).fit(PANEL)
    daily = rm.Rolling(rm.QUARTER, every=60).fit(PANEL)
    assert history.horizon == rm.YEAR
    assert daily.horizon == rm.DAY
    date = history.dates[-1]
    assert history.on(date).horizon == rm.YEAR
    assert history.on(date).idio_variance["KO"] == pytest.approx(252 * daily.on(date).idio_variance["KO"])
    np.testing.assert_allclose(history.on(date).at(rm.DAY).factor_covariance, daily.on(date).factor_covariance)
    pd.testing.assert_frame_equal(history.excess_returns({"KO": 1.0}), daily.excess_returns({"KO": 1.0}))


def test_a_history_of_models_of_several_horizons_is_refused():
    with pytest.raises(rm.HorizonMismatchError):
        rm.Expanding(Annual(mixed=1), every=1).fit(PANEL.select(end="2016-02"))


# -- masks, dates, owners ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, int, object])
def test_masked_numbers_are_missing(dtype):
    values = np.ma.masked_equal(np.array([1, 99, 3]).astype(dtype), 99)
    for read in (floats, read_only):
        np.testing.assert_array_equal(read(values), [1.0, np.nan, 3.0])
    returns = np.array([[0.01, 99.0], [-0.01, 0.02], [0.02, 0.01]])
    given = PANEL.arrays()
    panel = rm.ReturnPanel(
        dates=PANEL.dates[:3],
        assets=["A", "B"],
        factors=["Mkt-RF"],
        excess_returns=np.ma.masked_equal(returns, 99.0),
        factor_returns=given[1][:3],
        risk_free=given[2][:3],
        horizon=rm.DAY,
        definitions=["Mkt-RF"],
        dropped=pd.DataFrame({"date": [], "reason": []}),
    )
    assert np.isnan(panel.excess_returns.iloc[0, 1])
    with pytest.raises(rm.InvalidParameterError):
        attrs.evolve(panel, factor_returns=np.ma.masked_less(given[1][:3], 1.0))


def test_weights_by_date_are_aligned_or_refused():
    weights = pd.Series(np.linspace(0.5, 1.0, len(PANEL.dates)), PANEL.dates)
    expected = rm.Moments.of(PANEL, weights.to_numpy())
    for given in (weights, weights[::-1], weights.sample(frac=1.0, random_state=0)):
        got = rm.Moments.of(PANEL, given)
        assert got.weight == expected.weight
        np.testing.assert_array_equal(got.factor_mean, expected.factor_mean)
    for wrong in (weights.iloc[1:], weights.set_axis(weights.index + pd.Timedelta(days=1000))):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.Moments.of(PANEL, wrong)
        assert error.value.details["differ"]
    with pytest.raises(rm.InvalidDatesError):
        rm.Moments.of(PANEL, weights.reset_index(drop=True))


@pytest.mark.parametrize("name", ["sample", "model", "residual_correlation", "common_dates"])
def test_a_comparison_cannot_be_written_to(name):
    comparison = rm.CovarianceComparison.of(rm.OLS().fit(PANEL), PANEL)
    before, error = getattr(comparison, name).to_numpy(copy=True), comparison.relative_error
    frame = getattr(comparison, name)
    frame.iloc[:] = 7
    np.testing.assert_array_equal(getattr(comparison, name), before)
    assert comparison.relative_error == error
    given = {n: getattr(comparison, n) for n in ("sample", "model", "residual_correlation", "common_dates")}
    own = rm.CovarianceComparison(**given, n_parameters=3, n_parameters_unrestricted=3)
    given[name].iloc[:] = 7
    np.testing.assert_array_equal(getattr(own, name), before)
