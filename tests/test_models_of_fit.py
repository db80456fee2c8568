"""What `fit` may return: `fit_available` and windows hold it, or say what is wrong; reasons are the estimator's own."""

import attrs
import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.testing import EstimatorContract

SAMPLE = rm.SampleData()


class Own(rm.Estimator):
    """An estimator of a function."""

    def __init__(self, fit):
        self.of = fit

    def fit(self, panel):
        return self.of(panel)


def parameters(model, **changed):
    own = {
        "assets": model.assets, "factors": model.definitions, "alpha": model.alpha, "loadings": model.loadings,
        "factor_covariance": model.factor_covariance, "factor_mean": model.factor_mean,
        "idio_variance": model.idio_variance, "horizon": model.horizon, "risk_free_mean": model.risk_free_mean,
    }  # fmt: skip
    return rm.FactorModel.from_parameters(**own | changed)


def with_market(panel):
    """A model with an asset more than the panel."""
    model = rm.OLS().fit(panel)
    return parameters(
        model, assets=[*model.assets, "MKT"], alpha=[*model.alpha, 0.0], idio_variance=[*model.idio_variance, 0.0],
        loadings=[*model.loadings.to_numpy(), [1.0]],
    )  # fmt: skip


@pytest.fixture(scope="module")
def panel():
    return SAMPLE.panel(["KO", "XOM", "JPM"], ["Mkt-RF"], start="2017")


def late(panel):
    """The first asset with its last 30 returns alone."""
    returns = panel.excess_returns.to_numpy(copy=True)
    returns[:-30, 0] = np.nan
    return attrs.evolve(panel, excess_returns=returns)


both = pytest.mark.parametrize(
    "estimate",
    [
        lambda e, p: e.fit_available(p),
        lambda e, p: rm.Rolling(rm.YEAR, e, every=rm.MONTH).fit(p),
        lambda e, p: rm.Expanding(e, every=rm.MONTH).fit(p),
    ],
    ids=["fit_available", "rolling", "expanding"],
)


# -- models that cannot be held --------------------------------------------------------------------


@both
def test_a_model_with_an_asset_more_is_refused(estimate, panel):
    with pytest.raises(rm.InvalidParameterError) as error:
        estimate(Own(with_market), panel)
    assert dict(error.value.details) == {"expected": ["KO", "XOM", "JPM"], "extra": ["MKT"]}


@both
@pytest.mark.parametrize("got", [None, 1.0, {}])
def test_what_is_no_model_is_refused(estimate, got, panel):
    with pytest.raises(rm.InvalidParameterError) as error:
        estimate(Own(lambda p: got), panel)
    assert dict(error.value.details) == {"got": got}


def test_models_of_several_horizons_are_no_history(panel):
    def either(p):
        model = rm.OLS().fit(p)
        return model.at(rm.YEAR) if p.dates[-1].month % 2 else model

    with pytest.raises(rm.HorizonMismatchError) as error:
        rm.Rolling(rm.YEAR, Own(either), every=rm.MONTH).fit(panel)
    assert set(error.value.details.values()) == {rm.DAY, rm.YEAR}


def test_a_history_of_annual_models_is_annual(panel):
    daily = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel)
    yearly = rm.Rolling(rm.YEAR, Own(lambda p: rm.OLS().fit(p).at(rm.YEAR)), every=rm.MONTH).fit(panel)
    assert yearly.horizon == rm.YEAR
    np.testing.assert_allclose(yearly.idio_variance, 252 * daily.idio_variance)
    np.testing.assert_allclose(yearly.unbiased_idio_variance, 252 * daily.unbiased_idio_variance)
    np.testing.assert_allclose(yearly.factor_covariance, 252 * daily.factor_covariance)
    np.testing.assert_allclose(yearly.alpha, 252 * daily.alpha)
    np.testing.assert_allclose(yearly.risk_free_mean, 252 * daily.risk_free_mean)
    np.testing.assert_allclose(yearly.loadings, daily.loadings)
    model = yearly.on(yearly.dates[-1])
    assert model.horizon == rm.YEAR
    np.testing.assert_allclose(model.idio_variance, 252 * daily.idio_variance.iloc[-1])
    pd.testing.assert_frame_equal(yearly.excess_returns({"KO": 1.0}), daily.excess_returns({"KO": 1.0}))


# -- assets that fit itself leaves out -------------------------------------------------------------


def test_what_fit_leaves_out_is_missing_with_its_own_reasons(panel):
    ragged = late(panel)
    half = Own(lambda p: rm.OLS().fit_available(p, 40))
    inner = half.fit(ragged).missing
    assert inner.to_numpy().tolist() == [["KO", 30, "too few observations"]]
    pd.testing.assert_frame_equal(half.fit_available(ragged).missing, inner, check_dtype=False)
    history = rm.Rolling(rm.Horizon(60), half, every=rm.MONTH).fit(ragged)
    assert set(history.missing["reason"]) == {"too few observations"}
    assert history.missing["asset"].unique().tolist() == ["KO"]
    silent = Own(lambda p: rm.OLS().fit(p.select(["XOM", "JPM"])))
    assert silent.fit_available(panel).missing["reason"].tolist() == ["not in the model that the estimator returned"]


@both
def test_the_reason_is_the_first_sentence_of_the_error(estimate, panel):
    def picky(p):
        if "KO" in p.assets:
            raise rm.EstimationError("KO has no book value; get one", assets=["KO"])
        return rm.OLS().fit(p)

    assert set(estimate(Own(picky), panel).missing["reason"]) == {"KO has no book value"}


def test_a_reason_may_be_given(panel):
    def picky(p):
        if "KO" in p.assets:
            raise rm.TooFewObservationsError(
                "expected 9 books, got 2 of KO. Buy some.", assets=["KO"], reason="no book"
            )
        return rm.OLS().fit(p)

    assert Own(picky).fit_available(panel).missing["reason"].tolist() == ["no book"]


def test_the_minimum_may_be_a_number_of_numpy(panel):
    assert rm.OLS().fit_available(late(panel), np.int64(60)).missing["asset"].tolist() == ["KO"]


# -- windows whose models differ -------------------------------------------------------------------


def test_unbiased_variances_use_the_parameters_of_each_window():
    def best(p):
        excess, factors = p.excess_returns["BusEq"], p.factor_returns
        return rm.OLS().fit(p.select(factors=list(factors.corrwith(excess).abs().nlargest(2).index)))

    panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF", "SMB", "HML", "Mom"], start="1990-01")
    history = rm.Rolling(rm.Horizon(252), Own(best), every=12).fit(panel)
    assert len(history.factors) > 2
    for date, model in history.items():
        expected = model.regression.unbiased_idio_variance
        np.testing.assert_allclose(history.unbiased_idio_variance.loc[date], expected, rtol=1e-12)
        assert expected["BusEq"] == pytest.approx(model.idio_variance["BusEq"] * 11 / 9)


def test_each_model_of_a_history_has_its_own_decay_factor(panel):
    def adaptive(p):
        return rm.EWMA(rm.MONTH if p.dates[-1].month % 2 else rm.YEAR).fit(p)

    history = rm.Rolling(rm.QUARTER, Own(adaptive), every=rm.MONTH).fit(panel)
    for date, model in history.items():
        life = 21 if date.month % 2 else 252
        assert model.regression.decay_factor == pytest.approx(0.5 ** (1 / life))
    assert rm.Rolling(rm.QUARTER, rm.EWMA(rm.MONTH)).fit(panel).on(date).regression.decay_factor == 0.5 ** (1 / 21)


# -- assets with few observations ------------------------------------------------------------------


class Prior(rm.Estimator):
    """Betas that are drawn to 1, so that an asset needs no observation."""

    def fit(self, panel):
        returns, market = panel.select().excess_returns, panel.select().factor_returns["Mkt-RF"]
        beta, idio = [], []
        for asset in returns:
            r = returns[asset].dropna()
            f = market[r.index]
            weight = 20 * market.var()
            beta.append(((f * r).sum() + weight) / ((f * f).sum() + weight))
            idio.append((((r - beta[-1] * f) ** 2).sum() + weight) / (len(r) + 20))
        return rm.FactorModel.from_parameters(
            assets=returns.columns, factors=panel.definitions, alpha=np.zeros(len(beta)),
            loadings=np.array(beta)[:, None], factor_covariance=market.var(), factor_mean=market.mean(),
            idio_variance=idio, horizon=panel.horizon, risk_free_mean=float(panel.risk_free.mean()),
        )  # fmt: skip


class TestPrior(EstimatorContract):
    explains_sample_variance = False
    estimates_short_assets = True

    def estimator(self):
        return Prior()

    def panel(self):
        return SAMPLE.panel(["KO", "XOM", "JPM"], ["Mkt-RF"], start="2018-01-01")


def test_windows_take_the_assets_that_the_estimator_takes(panel):
    ragged = late(panel)
    history = rm.Rolling(rm.YEAR, Prior(), every=rm.MONTH).fit(ragged)
    assert history.missing.empty
    for date, model in history.items():
        window = ragged.select(start=history.starts[date], end=date)
        pd.testing.assert_frame_equal(model.loadings, Prior().fit_available(window).loadings)
    assert history.loadings["Mkt-RF"]["KO"].iloc[0] == 1.0
    strict = rm.Rolling(rm.YEAR, Prior(), minimum=20, every=rm.MONTH).fit(ragged)
    assert strict.missing["asset"].unique().tolist() == ["KO"]
    assert len(rm.Rolling(rm.YEAR, Prior(), minimum=1, every=rm.MONTH).fit(panel)) > len(history)


def test_an_estimator_states_the_fewest_observations(panel):
    class Stating(Own):
        def fewest_observations(self, panel):
            return 25

    def strict(p):
        assert p.excess_returns.count().min() >= 25
        return rm.OLS().fit(p)

    history = rm.Rolling(rm.YEAR, Stating(strict), every=rm.MONTH).fit(late(panel))
    assert history.missing[["asset", "reason"]].drop_duplicates().to_numpy().tolist() == [
        ["KO", "too few observations"]
    ]
    assert "KO" in history.on(panel.dates[-1]).assets
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.Rolling(rm.YEAR, Stating(strict), minimum=24).fit(panel)
    assert dict(error.value.details) == {"parameter": "minimum", "least": 25, "got": 24}
    assert rm.OLS().fewest_observations(panel) == 3


# -- the contract ----------------------------------------------------------------------------------


def contract(estimator, panel):
    class Contract(EstimatorContract):
        def estimator(self):
            return estimator

        def panel(self):
            return panel

    return Contract()


def test_the_contract_notices_a_lost_risk_free_rate(panel):
    lost = Own(lambda p: parameters(rm.OLS().fit(p), risk_free_mean=0.0))
    with pytest.raises(AssertionError, match="risk_free_mean"):
        contract(lost, panel).test_the_risk_free_mean_is_the_panels()

    class Equal(rm.MomentEstimator):
        def estimate(self, moments):
            return parameters(rm.OLS().estimate(moments), risk_free_mean=1.5e-4)

        def decay_factor(self, horizon):
            return 0.99

    with pytest.raises(AssertionError, match="risk_free_mean"):
        contract(Equal(), panel).test_the_risk_free_mean_is_the_panels()


def test_the_contract_asks_for_the_assets_of_portfolio_factors():
    tech = rm.PortfolioFactor("tech", {"AAPL": 0.5, "MSFT": 0.5})
    outside = SAMPLE.panel(["AMD", "KO", "XOM"], [tech], start="2018-01-01")
    with pytest.raises(AssertionError, match="AAPL"):
        contract(rm.OLS(), outside).test_fit_gives_a_model_of_the_panel()


def test_the_example_of_an_estimator_keeps_the_risk_free_rate(panel):
    page = rm.Estimator.__doc__
    code = [line.strip()[4:] for line in page.splitlines() if line.strip().startswith((">>>", "..."))]
    scope = {}
    exec("\n".join(code[: next(i for i, line in enumerate(code) if line.startswith("panel"))]), scope)
    assert scope["ZeroAlpha"]().fit(panel).risk_free_mean == rm.OLS().fit(panel).risk_free_mean


def test_no_weight_is_not_weights_of_zero(panel):
    history = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel)
    with pytest.raises(rm.InvalidParameterError) as error:
        history.excess_returns({})
    assert dict(error.value.details) == {"parameter": "weights"}
    assert "no weight" in str(error.value)
