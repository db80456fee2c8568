"""Rolling and expanding windows: against statsmodels, against a fit of each window, and blind to what comes later."""

import pickle

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import strategies as our
from hypothesis import given
from hypothesis import strategies as st
from panels import HARD, ORDINARY, clean, far_from_zero, nearly_collinear, nearly_explained, panel_of, ragged, reference
from statsmodels.regression.rolling import RollingOLS

import riskmodel as rm

PANELS = {**ORDINARY, **HARD}
FIGURES = ("alpha", "loadings", "idio_variance", "n_observations", "factor_mean", "factor_covariance", "risk_free_mean")
OF_REGRESSIONS = ("total_variance", "rsquared", "std_errors")


class Halfway(rm.MomentEstimator):
    """An estimator of a user's own, which has `estimate` alone: loadings halfway to 1."""

    def __repr__(self):
        return "Halfway()"

    def estimate(self, moments):
        ols = rm.OLS().estimate(moments)
        parts = ("alpha", "loadings", "factor_mean", "factor_covariance", "idio_variance")
        numbers = {name: getattr(ols, name).to_numpy() for name in parts}
        numbers["loadings"] = (numbers["loadings"] + 1.0) / 2.0
        return rm.FactorModel.from_parameters(
            assets=ols.assets, factors=ols.factors, horizon=ols.horizon, risk_free_mean=ols.risk_free_mean, **numbers
        )


class Plain(rm.MomentEstimator):
    """OLS by the general way."""

    def __repr__(self):
        return f"{type(self).__name__}()"

    def estimate(self, moments):
        return rm.OLS().estimate(moments)


class Fading(Plain):
    """EWMA by the general way."""

    def decay_factor(self, horizon):
        return 0.5 ** (1 / 60)


class Slow(rm.LeastSquares):
    """A user's own weights, by the fast way."""

    def decay_factor(self, horizon):
        return 0.5 ** (1 / 60)


def window_of(history, d):
    return history.panel.select(start=history.starts.iloc[d], end=history.dates[d])


def assert_same_model(ours, theirs, tolerance):
    fit = theirs.regression
    assert (ours.regression is None) == (fit is None)
    errors = 0.0 if fit is None else fit.std_errors.fillna(0.0).to_numpy()
    estimates = np.column_stack([theirs.alpha, theirs.loadings])
    gap = np.abs(np.column_stack([ours.alpha, ours.loadings]) - estimates)
    assert (gap <= tolerance * (np.abs(estimates) + errors)).all()
    for name in ("idio_variance", "factor_covariance"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=tolerance, err_msg=name)
    for name, least in {"std_errors": 0, "total_variance": 0, "n_observations": 0, "rsquared": tolerance / 10}.items():
        if fit is not None:
            one, other = (getattr(m.regression, name) for m in (ours, theirs))
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=least, err_msg=name)
    np.testing.assert_allclose(ours.factor_mean, theirs.factor_mean, rtol=tolerance, atol=1e-17)
    assert ours.risk_free_mean == pytest.approx(theirs.risk_free_mean, rel=1e-12, abs=1e-20)


def assert_as_fitted(history, estimator, tolerance, every=11, minimum=0):
    """Each date's model is what a fit of the window makes; assets left out have too few dates or cannot be fitted."""
    for d in range(0, len(history), every):
        window = window_of(history, d)
        model = history.on(history.dates[d])
        assert_same_model(model, estimator.fit(window.select(list(model.assets))), tolerance)
        for asset in window.assets.difference(model.assets)[:3]:
            if window.excess_returns[asset].count() >= minimum:
                with pytest.raises(rm.EstimationError):
                    estimator.fit(window.select([asset]))


@pytest.mark.parametrize("unexplained", [1e-14, 1e-10])
@pytest.mark.parametrize("ragged_too", [False, True])
def test_idio_variances_of_all_dates_are_those_of_each_dates_model(unexplained, ragged_too):
    history = rm.Rolling(rm.Horizon(60)).fit(nearly_explained(unexplained=unexplained, ragged_too=ragged_too))
    for date in history.dates[::20]:
        model = history.on(date)
        assert model.idio_variance.eq(history.idio_variance.loc[date, model.assets]).all()
        assert model.idio_variance.eq(0).all() == (unexplained < 1e-12)


# -- against statsmodels ---------------------------------------------------------------------------


@pytest.mark.parametrize("expanding", [False, True])
@pytest.mark.parametrize("make", [clean, lambda: clean(k=1), lambda: clean(k=9), ragged])
def test_every_window_agrees_with_rolling_ols(make, expanding):
    panel = make()
    panel = panel.select(list(panel.assets[:5]))
    k = len(panel.factors)
    # statsmodels forms X'X, so that windows of hardly more dates than parameters are its own worst
    least = 40
    window = rm.Expanding(minimum=least) if expanding else rm.Rolling(rm.Horizon(60), minimum=least)
    history = window.fit(panel)
    design = sm.add_constant(panel.factor_returns)
    for asset in panel.excess_returns:
        fit = RollingOLS(
            panel.excess_returns[asset], design, window=None if expanding else 60, min_nobs=least, missing="drop",
            expanding=True,
        ).fit()  # fmt: skip
        dates = history.dates
        theirs = fit.params.loc[dates]
        there = theirs.notna().all(axis=1).to_numpy()
        assert history.idio_variance[asset].notna().to_numpy().tolist() == there.tolist()
        ours = np.column_stack([history.alpha[asset], history.loadings.xs(asset, axis=1, level="asset")])[there]
        errors = history.std_errors.xs(asset, axis=1, level="asset").to_numpy()[there]
        bse = fit.bse.loc[dates].to_numpy()[there]
        assert (np.abs(ours - theirs[there]) <= 1e-11 * (np.abs(theirs[there]) + bse)).all(axis=None)
        np.testing.assert_allclose(errors, bse, rtol=1e-10)
        np.testing.assert_allclose(history.tvalues.xs(asset, axis=1, level="asset").to_numpy()[there], ours / errors)
        np.testing.assert_allclose(history.rsquared[asset][there], fit.rsquared.loc[dates][there], rtol=1e-9)
        unbiased = history.unbiased_idio_variance[asset][there]
        np.testing.assert_allclose(unbiased, fit.mse_resid.loc[dates][there], rtol=1e-10)
        n = history.n_observations[asset][there]
        np.testing.assert_array_equal(n, np.asarray(fit.nobs)[-len(dates) :][there])
        np.testing.assert_allclose(history.idio_variance[asset][there] * (n - 1), unbiased * (n - k - 1), rtol=1e-12)


@pytest.mark.parametrize("kind", ["rolling", "expanding"])
@pytest.mark.parametrize("make", PANELS.values(), ids=PANELS)
def test_windows_of_hard_panels_agree_with_ols_of_statsmodels(make, kind):
    panel = make()
    window = rm.Rolling(rm.Horizon(60)) if kind == "rolling" else rm.Expanding(minimum=30)
    history = window.fit(panel)
    for d in range(0, len(history), 40):
        model = history.on(history.dates[d])
        fits = reference(window_of(history, d).select(list(model.assets)))
        for asset, fit in fits.items():
            if fit.nobs < 20:  # statsmodels itself has no ten digits then
                continue
            ours = np.append(model.alpha[asset], model.loadings.loc[asset])
            # against fifty digits, statsmodels is off by 1.2e-9 where factors are nearly collinear, and we by 2e-10
            assert (np.abs(ours - fit.params) <= 3e-9 * (np.abs(fit.params) + fit.bse)).all()
            np.testing.assert_allclose(model.regression.std_errors.loc[asset], fit.bse, rtol=1e-9)
            np.testing.assert_allclose(model.regression.unbiased_idio_variance[asset], fit.mse_resid, rtol=1e-9)


# -- against a fit of each window ------------------------------------------------------------------


@pytest.mark.parametrize("estimator", [rm.OLS(), rm.EWMA(half_life=rm.Horizon(60))], ids=["OLS", "EWMA"])
@pytest.mark.parametrize("make", PANELS.values(), ids=PANELS)
def test_each_model_is_what_a_fit_of_its_window_makes(make, estimator):
    tolerance = 1e-10 if make in ORDINARY.values() else 5e-9
    panel = make()
    few = max(14, len(panel.factors) + 12)
    for window in (rm.Rolling(rm.Horizon(60), estimator), rm.Rolling(rm.Horizon(few), estimator)):
        assert_as_fitted(window.fit(panel), estimator, tolerance, every=61)
    # how many digits a handful of nearly collinear dates has is not ours to choose
    assert_as_fitted(rm.Expanding(estimator, minimum=few).fit(panel), estimator, tolerance, every=61, minimum=few)


@pytest.mark.parametrize("name", ["ragged", "nearly collinear and ragged"])
def test_weights_that_fade_within_days(name):
    panel, estimator = PANELS[name](), rm.EWMA(half_life=rm.Horizon(12))
    for window in (rm.Rolling(rm.Horizon(60), estimator), rm.Expanding(estimator, minimum=14)):
        assert_as_fitted(window.fit(panel), estimator, 5e-9, every=61, minimum=14)


@pytest.mark.parametrize("length", [5, 6, 7, 8, 9, 16, 17, 100, 299, 300])
def test_windows_of_any_length(length):
    panel = ragged()
    history = rm.Rolling(rm.Horizon(length)).fit(panel)
    assert len(history) == 301 - length
    assert_as_fitted(history, rm.OLS(), 1e-9, every=max(1, len(history) // 9))


@given(frames=our.return_frames(max_assets=4), window=st.data())
def test_each_window_of_any_panel(frames, window):
    panel = panel_from(*frames)
    k = len(panel.factors)
    length = window.draw(st.integers(k + 2, len(panel.dates)))
    estimator = window.draw(st.sampled_from([rm.OLS(), rm.EWMA(half_life=rm.Horizon(20))]))
    kind = window.draw(st.sampled_from([rm.Rolling(rm.Horizon(length), estimator), rm.Expanding(estimator)]))
    history = kind.fit(panel)
    estimated = [date for date, _ in history.items()]
    for d, date in list(enumerate(history.dates))[::3]:
        if date not in estimated:
            with pytest.raises(rm.EstimationError, match="no asset could be estimated"):
                history.on(date)
            continue
        model = history.on(date)
        alone = estimator.fit(window_of(history, d).select(list(model.assets)))
        # a window with a date or two to spare has lost digits before anybody computes
        spare = np.asarray(alone.regression.n_observations).min() - k - 1
        assert_same_model(model, alone, 1e-8 if spare > 0.5 else 1e-5)


def panel_from(returns, factors, rate):
    data = rm.InMemory(returns, factors=factors, risk_free=rate, horizon=rm.DAY)
    return data.panel(data.assets, data.factors)


@pytest.mark.parametrize("window", [rm.Rolling(rm.Horizon(50), Halfway()), rm.Expanding(Halfway())], ids=repr)
@pytest.mark.parametrize("make", [clean, ragged])
def test_an_estimator_with_estimate_alone_is_asked_for_each_window(make, window):
    history = window.fit(make().select(start="2010-05-01", end="2010-09-30"))
    assert_as_fitted(history, Halfway(), 1e-9, every=19)
    with pytest.raises(rm.NotEstimatedError):
        _ = history.std_errors


@pytest.mark.parametrize("name", ["clean", "ragged", "nearly collinear and ragged", "nearly explained and ragged"])
def test_the_general_way_and_the_fast_one_agree(name):
    make = PANELS[name]
    panel = make().select(start="2010-05-01", end="2010-08-15")
    for slow, fast in ((Plain(), rm.OLS()), (Fading(), Slow())):
        for kind in (lambda e: rm.Rolling(rm.Horizon(40), e), lambda e: rm.Expanding(e, minimum=30)):
            one, two = kind(slow).fit(panel), kind(fast).fit(panel)
            tolerance = 1e-10 if make in ORDINARY.values() else 5e-9
            np.testing.assert_allclose(one.idio_variance, two.idio_variance, rtol=tolerance)
            np.testing.assert_allclose(one.std_errors, two.std_errors, rtol=tolerance)
            np.testing.assert_allclose(one.n_observations, two.n_observations, rtol=1e-12)
            np.testing.assert_allclose(one.factor_covariance, two.factor_covariance, rtol=1e-11, atol=1e-20)
            pd.testing.assert_frame_equal(one.missing, two.missing)


# -- no look-ahead ---------------------------------------------------------------------------------


def _of_regressions(history):
    return OF_REGRESSIONS if next(model for _, model in history.items()).regression is not None else ()


def bits(history, last):
    """Every figure up to a date, as bytes."""
    frames = [getattr(history, name).loc[:last] for name in (*FIGURES, *_of_regressions(history))]
    return [frame.to_numpy(dtype=float).tobytes() for frame in frames]


KINDS = st.sampled_from(
    [
        rm.Rolling(rm.Horizon(10)),
        rm.Rolling(rm.Horizon(7), minimum=6),
        rm.Rolling(rm.Horizon(11), rm.EWMA(half_life=rm.Horizon(9))),
        rm.Expanding(),
        rm.Expanding(rm.EWMA(half_life=rm.Horizon(9)), minimum=8),
        rm.Rolling(rm.Horizon(10), Halfway()),
        rm.Expanding(Halfway()),
    ]
)


@given(frames=our.return_frames(), window=KINDS, data=st.data())
def test_what_comes_later_changes_no_bit(frames, window, data):
    r, f, rate = frames
    last = data.draw(st.integers(10, len(r) - 2))
    rng = np.random.default_rng(data.draw(our.SEEDS))
    later, factors, free = r.copy(), f.copy(), rate.copy()
    coming = slice(last + 1, None)
    later.iloc[coming] = rng.normal(0, 10.0 ** rng.integers(-9, 0), later.iloc[coming].shape)
    gone = rng.random(later.shape) < data.draw(st.sampled_from([0.0, 0.3, 0.9]))
    gone[: last + 1] = False
    later = later.mask(gone)
    factors.iloc[coming] *= data.draw(st.sampled_from([0.0, -3.0, 1e-9, 1e6]))
    free.iloc[coming] = 0.0
    try:
        as_of = window.fit(_without_checks(r.iloc[: last + 1], f.iloc[: last + 1], rate.iloc[: last + 1]))
    except rm.EstimationError:
        return  # nothing was known then
    for panel in (_without_checks(r, f, rate), _without_checks(later, factors, free)):
        assert bits(window.fit(panel), r.index[last]) == bits(as_of, r.index[last])


def _without_checks(r, f, rate):
    """A panel whose numbers need not look like returns."""
    return rm.ReturnPanel(
        dates=r.index, assets=r.columns, factors=f.columns, excess_returns=r.sub(rate, axis=0), factor_returns=f,
        risk_free=rate, horizon=rm.DAY, definitions=f.columns,
        dropped=pd.DataFrame({"date": pd.DatetimeIndex([]), "reason": []}),
    )  # fmt: skip


@pytest.mark.parametrize("make", [ragged, nearly_collinear, lambda: nearly_explained(ragged_too=True), far_from_zero])
@pytest.mark.parametrize("window", [rm.Rolling(rm.Horizon(60)), rm.Expanding()], ids=repr)
def test_what_comes_later_changes_no_bit_of_hard_panels(make, window):
    panel = make()
    for last in (115, 130, 171):  # on two of them, the window that a stretch of 60 begins with ends
        r, f, _ = (a.copy() for a in panel.arrays())
        r[last + 1 :: 2], f[last + 1 :] = np.nan, f[last + 1 :][::-1] * 100.0
        changed = panel_of(r, f) if f.std() < 0.1 else None
        date = panel.dates[last]
        as_of = bits(window.fit(panel.select(end=date)), date)
        assert bits(window.fit(panel), date) == as_of
        if changed is not None:
            assert bits(window.fit(changed), date) == as_of


# -- what could not be estimated is said -----------------------------------------------------------


def test_assets_with_too_few_observations_are_left_out_and_said():
    r, f, _ = clean(t=100, n=4, k=2).arrays()
    r = r.copy()
    r[:60, 1] = np.nan
    r[70:, 2] = np.nan
    history = rm.Rolling(rm.Horizon(30), minimum=10).fit(panel_of(r, f))
    dates = history.panel.dates
    assert history.missing.to_numpy().tolist() == [
        ["A1", dates[9], dates[68], 60, 0, 9, "too few observations"],
        ["A2", dates[90], dates[99], 10, 0, 9, "too few observations"],
    ]
    assert history.on(dates[68]).assets.tolist() == ["A0", "A2", "A3"]
    assert history.on(dates[69]).assets.tolist() == ["A0", "A1", "A2", "A3"]
    assert history.loadings["F0", "A1"].isna().tolist() == [True] * 60 + [False] * 31
    assert history.n_observations["A1"].tolist() == [*[0] * 51, *range(1, 31), *[30] * 10]


def test_an_asset_whose_own_dates_do_not_identify_the_factors():
    r, f, _ = clean(t=80, n=3, k=2).arrays()
    r, f = r.copy(), f.copy()
    f[::2, 1] = 0.001
    r[1::2, 1] = np.nan
    for window in (rm.Rolling(rm.Horizon(40)), rm.Rolling(rm.Horizon(40), Plain())):
        history = window.fit(panel_of(r, f))
        assert history.missing["asset"].tolist() == ["A1"]
        assert history.missing["windows"].tolist() == [41]
        assert "do not vary independently" in history.missing["reason"].iloc[0]
        assert history.on(history.dates[0]).assets.tolist() == ["A0", "A2"]


@pytest.mark.parametrize("estimator", [rm.OLS(), Plain(), rm.EWMA(half_life=rm.Horizon(60))], ids=repr)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: np.full(50, 0.003), "F1"),
        (lambda f: 2.0 * f, "F0, F1"),
    ],
    ids=["constant", "collinear"],
)
def test_a_window_whose_factors_do_not_identify_a_model(estimator, change, message):
    r, f, _ = clean(t=120, n=3, k=2).arrays()
    f = f.copy()
    f[30:80, 1] = change(f[30:80, 0])
    history = rm.Rolling(rm.Horizon(20), estimator).fit(panel_of(r, f))
    dates = history.panel.dates
    (row,) = history.missing.itertuples(index=False)
    assert (row.asset, row.start, row.end, row.windows) == (None, dates[49], dates[79], 31)
    assert message in row.reason
    with pytest.raises(rm.EstimationError, match=message):
        history.on(dates[60])
    assert [date for date, _ in history.items()] == [*dates[19:49], *dates[80:]]
    assert history.loadings.loc[dates[49] : dates[79]].isna().all(axis=None)
    assert_same_model(history.on(dates[80]), estimator.fit(window_of(history, 61)), 1e-9)


def test_a_constant_asset_has_no_variance_and_says_so():
    r, f, _ = clean(t=60, n=2, k=1).arrays()
    r = r.copy()
    r[:, 1] = 0.0
    history = rm.Rolling(rm.Horizon(20)).fit(panel_of(r, f))
    assert (history.idio_variance["A1"] == 0).all()
    assert history.rsquared["A1"].isna().all()
    assert not len(history.missing)


def test_nothing_to_be_estimated_is_an_error():
    r, f, _ = clean(t=60, n=2, k=2).arrays()
    f = f.copy()
    f[:, 1] = f[:, 0]
    for estimator in (rm.OLS(), Plain()):
        with pytest.raises(rm.EstimationError, match="41 windows"):
            rm.Rolling(rm.Horizon(20), estimator).fit(panel_of(r, f))
    forgetful = rm.EWMA(half_life=rm.Horizon(1))
    with pytest.raises(rm.EstimationError, match="at least 4 observations"):
        rm.Rolling(rm.Horizon(20), forgetful).fit(clean(k=2))


# -- the history -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def history():
    panel = rm.SampleData().panel(["KO", "XOM", "MSFT"], ["Mkt-RF"], start="2017-01-01")
    return rm.Rolling(rm.YEAR).fit(panel)


def test_frames_are_labelled_and_are_the_models(history):
    assert history.dates[-1] == pd.Timestamp("2018-11-30")
    assert history.starts.iloc[0] == history.panel.dates[0]
    model = history.on("2018-11-30")
    for name in ("alpha", "idio_variance", "factor_mean"):
        pd.testing.assert_series_equal(getattr(history, name).iloc[-1], getattr(model, name), check_names=False)
    for name in ("total_variance", "rsquared", "n_observations"):
        own = getattr(model.regression, name)
        pd.testing.assert_series_equal(getattr(history, name).iloc[-1], own, check_names=False)
    assert np.array_equal(history.loadings["Mkt-RF"].iloc[-1], model.loadings["Mkt-RF"])
    assert np.array_equal(history.std_errors["alpha"].iloc[-1], model.regression.std_errors["alpha"])
    assert np.array_equal(history.tvalues["Mkt-RF"].iloc[-1], model.regression.tvalues["Mkt-RF"])
    assert np.array_equal(history.factor_covariance.loc[history.dates[-1]], model.factor_covariance)
    assert history.risk_free_mean.iloc[-1] == model.risk_free_mean


def test_a_model_of_the_history_goes_where_any_model_goes(history):
    model = history.asof("2018-11")
    hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"MSFT": 1.0, "KO": -1.0}, model))
    assert hedged.exposures["Mkt-RF"] == pytest.approx(0.0, abs=1e-12)
    window = window_of(history, len(history) - 1)
    assert "MSFT" in str(model.summary("MSFT", window))
    assert model.residuals(window).mean().abs().max() < 1e-15


def test_dates_are_exact_or_as_of(history):
    friday = history.on("2018-11-16")
    assert history.asof("2018-11-18").alpha.equals(friday.alpha)
    assert history.asof("2030").alpha.equals(history.on(history.dates[-1]).alpha)
    with pytest.raises(rm.UnknownDateError, match="2018-11-16, 2018-11-19"):
        history.on("2018-11-18")
    with pytest.raises(rm.UnknownDateError, match=r"2018-11.*21"):
        history.on("2018-11")
    with pytest.raises(rm.UnknownDateError, match="first window"):
        history.asof("2017-02-01")
    for nonsense in (None, "soon"):
        with pytest.raises(rm.InvalidParameterError, match="date"):
            history.on(nonsense)
    assert pd.Timestamp("2018-11-16") in history
    assert pd.Timestamp("2018-11-18") not in history


def test_a_month_is_a_date_of_a_monthly_history():
    panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01", end="2014-12")
    history = rm.Rolling(rm.YEAR).fit(panel)
    assert history.starts["2010-12-31"] == pd.Timestamp("2010-01-31")
    assert history.on("2012-05").alpha.equals(history.on("2012-05-31").alpha)


def test_iterating_gives_dates_and_items_the_models(history):
    assert list(history) == list(history.dates)
    assert len(history) == len(history.dates)
    date, model = list(history.items())[-1]
    assert date == history.dates[-1]
    assert model.loadings.equals(history.on(date).loadings)


def test_what_a_history_holds_is_read_only_and_shared_not_copied(history):
    frame = history.loadings
    with pytest.raises(ValueError, match="read-only"):
        frame.to_numpy()[0, 0] = 1.0
    again = pickle.loads(pickle.dumps(history))
    assert bits(again, history.dates[-1]) == bits(history, history.dates[-1])
    assert again.on(again.dates[0]).loadings.equals(history.on(history.dates[0]).loadings)
    assert repr(again) == repr(history)


def test_a_history_without_factors():
    r, f, _ = clean(t=40, n=3).arrays()
    panel = panel_of(r, f).select(factors=[])
    history = rm.Rolling(rm.Horizon(10)).fit(panel)
    pd.testing.assert_frame_equal(
        history.idio_variance,
        panel.excess_returns.rolling(10).var().iloc[9:].rename_axis("date").rename_axis("asset", axis=1),
        check_exact=False,
        rtol=1e-10,
        check_freq=False,
    )
    assert history.loadings.shape == (31, 0)


# -- what is refused -------------------------------------------------------------------------------


def test_windows_that_do_not_fit_are_refused():
    panel = clean(t=50, k=2)
    with pytest.raises(rm.InvalidParameterError, match="Horizon"):
        rm.Rolling(252)
    with pytest.raises(rm.InvalidParameterError, match="estimator"):
        rm.Rolling(rm.YEAR, rm.OLS)
    with pytest.raises(rm.InvalidParameterError, match="minimum"):
        rm.Expanding(minimum=10.5)
    with pytest.raises(rm.InvalidParameterError, match="at least 4"):
        rm.Expanding(minimum=3).fit(panel)
    with pytest.raises(rm.InvalidParameterError, match="ReturnPanel"):
        rm.Rolling(rm.YEAR).fit(panel.excess_returns)
    with pytest.raises(rm.TooFewObservationsError, match="panel of 252 dates or more"):
        rm.Rolling(rm.YEAR).fit(panel)
    with pytest.raises(rm.TooFewObservationsError, match="window of 4 dates or more"):
        rm.Rolling(rm.Horizon(3)).fit(panel)
    with pytest.raises(rm.TooFewObservationsError, match="an asset with 60 observations"):
        rm.Expanding(minimum=60).fit(panel)
    weekly = rm.ReturnPanel.align(
        panel.excess_returns.set_axis(pd.date_range("2010-01-01", periods=50, freq="W-FRI")),
        panel.factor_returns.set_axis(pd.date_range("2010-01-01", periods=50, freq="W-FRI")),
        pd.Series(0.0, pd.date_range("2010-01-01", periods=50, freq="W-FRI")),
        horizon=rm.WEEK,
    )
    with pytest.raises(
        rm.InvalidParameterError, match=r"MONTH, which is 4\.3\d* rows of one week; rm.Horizon\(4 \* 4\.8\d*\) is 4"
    ):
        rm.Rolling(rm.MONTH).fit(weekly)
    assert len(rm.Rolling(rm.Horizon(20 * rm.WEEK.days)).fit(weekly)) == 31
    assert len(rm.Rolling(rm.QUARTER).fit(weekly)) == 50 - 13 + 1


# -- windows that end with a period --------------------------------------------------------------------------------

_HOURS = [pd.Timedelta(hours=hour, minutes=30) for hour in (10, 11, 12)]
_SUNDAY_TO_THURSDAY = pd.bdate_range("2020-04-05", periods=80, freq="C", weekmask="Sun Mon Tue Wed Thu")
CALENDARS = {
    "weekdays": (pd.bdate_range("2020-04-01", periods=80), rm.DAY, rm.MONTH),
    "weeks of weekdays": (pd.bdate_range("2020-04-01", periods=80), rm.DAY, rm.WEEK),
    "seven days": (pd.date_range("2020-04-01", periods=100), rm.CALENDAR_DAY, rm.MONTH),
    "seven trading days": (pd.date_range("2020-04-01", periods=100), rm.DAY, rm.MONTH),
    "weeks of seven days": (pd.date_range("2020-04-01", periods=100), rm.CALENDAR_DAY, rm.WEEK),
    "Sunday to Thursday": (_SUNDAY_TO_THURSDAY, rm.DAY, rm.MONTH),
    "weekly": (pd.date_range("2019-01-04", periods=80, freq="W-FRI"), rm.WEEK, rm.MONTH),
    "monthly": (pd.date_range("2010-01-31", periods=80, freq=pd.offsets.MonthEnd()), rm.MONTH, rm.QUARTER),
    "hours": (
        pd.DatetimeIndex([day + time for day in pd.bdate_range("2020-04-01", periods=30) for time in _HOURS]),
        rm.Horizon.of("1h", per_day=3),
        rm.DAY,
    ),
}


def _panel_on(dates, horizon):
    values = np.random.default_rng(6).normal(0.0, 0.01, (len(dates), 2))
    return rm.ReturnPanel(
        dates=dates, assets=["A"], factors=["F"], excess_returns=values[:, :1], factor_returns=values[:, 1:],
        risk_free=np.zeros(len(dates)), horizon=horizon, definitions=["F"],
        dropped=pd.DataFrame({"date": dates[:0], "reason": []}),
    )  # fmt: skip


@pytest.mark.parametrize(("dates", "horizon", "every"), CALENDARS.values(), ids=CALENDARS)
def test_no_later_row_takes_a_model_away(dates, horizon, every):
    panel = _panel_on(dates, horizon)
    rolling = rm.Expanding(minimum=10, every=every)
    whole, before = set(rolling.fit(panel).dates), set()
    for end in dates[-45:]:
        known = set(rolling.fit(panel.select(end=end)).dates)
        assert before <= known <= whole
        before = known


def test_a_month_of_weekdays_ends_on_its_last_and_one_of_seven_days_on_the_31st():
    friday, sunday = pd.Timestamp("2020-05-29"), pd.Timestamp("2020-05-31")
    for name, end in (("weekdays", friday), ("seven days", sunday), ("seven trading days", sunday)):
        dates, horizon, every = CALENDARS[name]
        panel = _panel_on(dates, horizon)
        rolling = rm.Expanding(minimum=10, every=every)
        assert friday not in rolling.fit(panel.select(end="2020-05-28")).dates
        assert rolling.fit(panel.select(end=friday)).dates[-1] == (
            friday if end == friday else pd.Timestamp("2020-04-30")
        )
        assert rolling.fit(panel.select(end=end)).dates[-1] == end
        assert rolling.fit(panel.select(end="2020-06-15")).dates[-1] == end


def test_a_day_of_hours_ends_with_its_last_hour():
    dates, horizon, every = CALENDARS["hours"]
    panel = _panel_on(dates, horizon)
    rolling = rm.Expanding(minimum=10, every=every)
    noon, close = dates[dates.hour == 11][-1], dates[-1]
    assert rolling.fit(panel.select(end=noon)).dates[-1] == dates[-4]
    assert rolling.fit(panel.select(end=close)).dates[-1] == close
