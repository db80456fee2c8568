"""Attribution of realised returns: exact sums, naive formulas, published linking examples, statsmodels' errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS

import riskmodel as rm

LINKINGS = [rm.Carino(), rm.Menchero(), rm.Compounded(), rm.Added()]
DAYS = pd.bdate_range("2015-01-01", periods=40)
NAMES, FACTORS = ["A", "B", "C", "D"], ["Mkt-RF", "SMB", "VAL"]


def market(seed, holes=0, dates=40):
    """A panel of four assets, in which `holes` returns are missing."""
    rng, days = np.random.default_rng(seed), pd.bdate_range("2015-01-01", periods=dates)
    f = rng.normal(0.0005, 0.01, (dates, 3))
    r = pd.DataFrame(f @ rng.normal(0.8, 0.5, (3, 4)) + rng.normal(0, 0.02, (dates, 4)), days, NAMES)
    for _ in range(holes):
        r.iloc[rng.integers(dates), rng.integers(4)] = np.nan
    free = pd.Series(rng.uniform(0, 2e-4, dates), days)
    return rm.ReturnPanel.align(r, pd.DataFrame(f, days, FACTORS), free, horizon=rm.DAY)


def near(a, b, scale=1.0):
    return np.abs(np.asarray(a) - np.asarray(b)).max(initial=0.0) <= 1e-10 * scale


@st.composite
def attributions(draw):
    """Attributions of strategies, hedges and active portfolios, in all ways; and the panel."""
    seed = draw(SEEDS)
    rng = np.random.default_rng(seed)
    unknown = draw(st.sampled_from([rm.WHOLE_DATES, rm.NAMES_ALONE]))
    panel = market(seed, draw(st.sampled_from([0, 5])))
    model = rm.OLS().fit(panel)
    p = rm.Strategy(dict(zip(NAMES[:3], rng.normal(0.3, 0.5, 3), strict=True)), model)
    kind = draw(st.sampled_from(["strategy", "hedge", "active"]))
    if kind == "hedge":
        p = rm.HedgedPortfolio(p, {"Mkt-RF": rng.normal(), "SMB": rng.normal()})
    elif kind == "active":
        p = rm.ActivePortfolio(p, {"C": 0.5, "D": 0.5})
    options = {
        "weighting": draw(st.sampled_from([rm.REBALANCED, rm.BUY_AND_HOLD])),
        "linking": draw(st.sampled_from(LINKINGS)),
        "return_type": draw(st.sampled_from([rm.TOTAL, rm.EXCESS])),
        "groups": {"A": "x", "B": "y", "C": "x", "D": "z"},
        "factor_groups": {"Mkt-RF": "market", "SMB": "style", "VAL": "style"},
    }
    made = rm.ReturnAttribution.of
    if kind != "active" and draw(st.booleans()):
        history = rm.Expanding(rm.OLS(), minimum=15, every=draw(st.sampled_from([1, 6]))).fit(panel)
        return rm.ReturnAttribution.of_weights(p.weights, history, unknown=unknown, **options), p, panel
    return made(p, panel, unknown=unknown, **options), p, panel


@pytest.mark.filterwarnings("ignore::riskmodel.errors.RiskModelWarning")
@given(attributions())
def test_parts_sum_to_the_whole(drawn):
    a, p, _ = drawn
    scale = max(1.0, float(np.abs(a.by_asset.to_numpy()).sum()))
    assert near(a.by_date.sum(axis=1), a.returns, scale)
    assert near(a.parts.sum(), a.total, scale)
    assert near(a.by_asset.sum(), a.parts, scale)
    assert near(a.by_group.sum(), a.by_factor_group, scale)
    dated = a.by_date_and_group
    assert near(dated.T.groupby(level="part").sum().T[list(a.by_date)], a.by_date, scale)
    linked = dated.mul(a.coefficients, axis=0).sum().xs("specific", level="part")
    assert near(linked[a.by_group.index], a.by_group["specific"], scale)
    assert near(a.by_factor_group.sum(), a.total, scale)
    assert near(a.timing["total"], a.parts[FACTORS], scale)
    assert near(a.timing["tilt"] + a.timing["timing"], a.timing["total"], scale)
    if isinstance(a.linking, rm.Added):
        assert near(a.total, a.returns.sum(), scale)
    elif not isinstance(p, rm.ActivePortfolio):
        assert near(a.total, (1 + a.returns).prod() - 1, scale)


@given(SEEDS, st.sampled_from(LINKINGS), st.integers(1, 60), st.booleans())
def test_coefficients_link_any_returns(seed, linking, t, is_active):
    rng = np.random.default_rng(seed)
    r = rng.normal(0.0, rng.choice([1e-12, 1e-3, 0.2]), t).clip(-0.9)
    b = rng.normal(0.0, 0.1, t).clip(-0.9) if is_active else np.zeros(t)
    if rng.random() < 0.2:
        r = b.copy()
    c = linking.coefficients(r, b)
    whole = r.sum() - b.sum() if isinstance(linking, rm.Added) else np.prod(1 + r) - np.prod(1 + b)
    assert np.isfinite(c).all()
    assert abs(c @ (r - b) - whole) <= 1e-10 * max(1.0, np.abs(c).max())


# Bacon, C. (2008). Practical Portfolio Performance Measurement and Attribution, 2nd edition, tables 8.1 to 8.5.
HELD = np.array([[0.4, 0.3, 0.3], [0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.3, 0.5, 0.2]])
AGAINST = np.array([[0.4, 0.2, 0.4], [0.4, 0.3, 0.3], [0.5, 0.4, 0.1], [0.4, 0.4, 0.2]])
EARNED = np.array([[0.2, -0.05, 0.06], [-0.05, 0.03, -0.05], [-0.2, 0.08, -0.15], [0.1, -0.07, 0.25]])
INDEX = np.array([[0.1, -0.04, 0.08], [-0.07, 0.04, -0.1], [-0.25, 0.05, -0.2], [0.05, -0.05, 0.1]])
PUBLISHED = [
    (rm.Carino(), [0.0165, -0.0060, 0.0015], [0.0804, 0.0018, 0.0385]),
    (rm.Menchero(), [0.0156, -0.0078, 0.0014], [0.0838, 0.0005, 0.0391]),
    (rm.Compounded(), [0.0167, -0.0055, 0.0011], [0.0785, 0.0016, 0.0402]),
]


@pytest.mark.parametrize(("linking", "allocation", "selection"), PUBLISHED)
def test_linking_is_that_of_the_published_example(linking, allocation, selection):
    of_index = (AGAINST * INDEX).sum(axis=1)
    c = linking.coefficients((HELD * EARNED).sum(axis=1), of_index)
    np.testing.assert_allclose(c @ ((HELD - AGAINST) * (INDEX - of_index[:, None])), allocation, atol=1e-4)
    np.testing.assert_allclose(c @ (HELD * (EARNED - INDEX)), selection, atol=1e-4)


def test_every_part_by_hand():
    panel, w = market(1), pd.Series({"A": 0.6, "B": 0.4})
    model = rm.OLS().fit(panel)
    a = rm.ReturnAttribution.of(rm.Strategy(w, model), panel, "2015-01-12", "2015-01-30")
    e = panel.excess_returns.loc["2015-01-12":"2015-01-30", w.index]
    f, free = panel.factor_returns.loc[e.index], panel.risk_free.loc[e.index]
    b = model.loadings.loc[w.index]
    assert list(a.by_date) == ["risk_free", "alpha", *FACTORS, "specific"]
    np.testing.assert_allclose(a.by_date["risk_free"], free)
    np.testing.assert_allclose(a.by_date["alpha"], model.alpha[w.index] @ w)
    np.testing.assert_allclose(a.by_date[FACTORS], f * (b.T @ w))
    np.testing.assert_allclose(a.by_date["specific"], model.residuals(panel).loc[e.index, w.index] @ w, atol=1e-15)
    np.testing.assert_allclose(a.returns, e @ w + free)
    assert a.total == pytest.approx((1 + e @ w + free).prod() - 1)
    # by asset, of added parts
    added = rm.ReturnAttribution.of(rm.Strategy(w, model), panel, linking=rm.Added(), return_type=rm.EXCESS)
    np.testing.assert_allclose(added.by_asset["alpha"], 40 * w * model.alpha[w.index])
    np.testing.assert_allclose(added.by_asset[FACTORS], b.mul(w, axis=0) * panel.factor_returns.sum())
    np.testing.assert_allclose(added.by_asset.sum(axis=1), panel.excess_returns[w.index].sum() * w)


def test_the_cash_of_a_hedge():
    panel = market(2)
    model = rm.OLS().fit(panel)
    p = rm.HedgedPortfolio(rm.Strategy({"A": 1.0}, model), {"Mkt-RF": -0.8, "SMB": 0.3})
    a = rm.ReturnAttribution.of(p, panel, linking=rm.Added())
    np.testing.assert_allclose(a.returns, p.excess_returns(panel))
    assert a.parts["risk_free"] == pytest.approx(0.0, abs=1e-15)
    # the asset and the short funded leg, and the cash that pays for both; SMB costs none
    free = panel.risk_free.sum()
    table = a.by_asset["risk_free"]
    assert table.to_dict() == pytest.approx({"A": free, "Mkt-RF": -0.8 * free, "SMB": 0.0, "cash": -0.2 * free})
    assert a.by_asset.loc["SMB", "SMB"] == pytest.approx(0.3 * panel.factor_returns["SMB"].sum())
    excess = rm.ReturnAttribution.of(p, panel, linking=rm.Added(), return_type=rm.EXCESS)
    assert "risk_free" not in excess.parts
    assert excess.total == pytest.approx(a.total)


def test_what_is_bought_and_held_drifts():
    panel = market(3)
    w = pd.Series({"A": 0.5, "B": 0.3, "C": 0.2})
    a = rm.ReturnAttribution.of(rm.Strategy(w, rm.OLS().fit(panel)), panel, weighting=rm.BUY_AND_HOLD)
    total = panel.excess_returns[w.index].add(panel.risk_free, axis=0)
    value = (w * (1 + total).cumprod()).sum(axis=1)
    # the whole is worth what its parts have grown to
    assert a.total == pytest.approx(value.iloc[-1] - 1)
    grown = (w * (1 + total).cumprod()).shift(1).fillna(w)
    np.testing.assert_allclose(a.weights, grown.div(grown.sum(axis=1), axis=0))


def test_a_held_hedge_keeps_its_books():
    """Values in dollars: the asset, a funded leg and its financing, a spread whose profit is cash, and cash."""
    panel = market(4)
    p = rm.HedgedPortfolio(rm.Strategy({"A": 1.0}, rm.OLS().fit(panel)), {"Mkt-RF": -0.8, "SMB": 0.3})
    a = rm.ReturnAttribution.of(p, panel, weighting=rm.BUY_AND_HOLD)
    asset, funded, spread, cash, capital = 1.0, -0.8, 0.3, -0.2, 1.0
    e, f, free = (x.to_numpy() for x in (panel.excess_returns["A"], panel.factor_returns, panel.risk_free))
    for t in range(len(free)):
        profit = asset * (e[t] + free[t]) + funded * (f[t, 0] + free[t]) + spread * f[t, 1] + cash * free[t]
        cash = cash * (1 + free[t]) + spread * f[t, 1]
        asset *= 1 + e[t] + free[t]
        funded *= 1 + f[t, 0] + free[t]
        spread *= 1 + f[t, 1]
        capital += profit
    assert a.total == pytest.approx(capital - 1.0)


def test_active_parts_sum_to_the_difference_of_compounded_returns():
    panel = market(5)
    model = rm.OLS().fit(panel)
    p, b = rm.Strategy({"A": 0.7, "B": 0.3}, model), rm.Strategy(dict.fromkeys(NAMES, 0.25), model)
    for linking in LINKINGS[:3]:
        for weighting in (rm.REBALANCED, rm.BUY_AND_HOLD):
            made = [rm.ReturnAttribution.of(x, panel, linking=linking, weighting=weighting) for x in (p, b)]
            active = rm.ReturnAttribution.of(rm.ActivePortfolio(p, b), panel, linking=linking, weighting=weighting)
            assert active.total == pytest.approx(made[0].total - made[1].total, abs=1e-14)
            again = rm.ReturnAttribution.of_weights(
                p.weights, model, panel, benchmark=b.weights, linking=linking, weighting=weighting
            )
            pd.testing.assert_series_equal(again.parts, active.parts)


def test_a_history_is_that_of_the_day_before():
    panel, w = market(6), {"A": 0.5, "B": -0.2}
    history = rm.Rolling(rm.Horizon(20), every=3).fit(panel)
    a = rm.ReturnAttribution.of_weights(w, history, linking=rm.Added(), return_type=rm.EXCESS)
    walk = history.excess_returns(w)
    pd.testing.assert_series_equal(a.returns, walk["unhedged"], check_names=False, check_freq=False)
    np.testing.assert_allclose(a.by_date[FACTORS].sum(axis=1), walk["tracking"])
    for date in a.dates[[0, 4, -1]]:
        before = history.asof(panel.dates[panel.dates.get_loc(date) - 1])
        np.testing.assert_allclose(a.exposures.loc[date], before.loadings.loc[list(w)].T @ list(w.values()))
        np.testing.assert_allclose(a.by_date.loc[date, "alpha"], before.alpha[list(w)] @ list(w.values()))


def test_no_look_ahead():
    panel, w = market(7), {"A": 0.5, "B": 0.5}
    cut = DAYS[30]
    r, f = panel.excess_returns.copy(), panel.factor_returns.copy()
    r.loc[r.index > cut] *= -3.0
    f.loc[f.index > cut] *= 2.0
    changed = rm.ReturnPanel.align(r, f, panel.risk_free, horizon=rm.DAY, return_type=rm.EXCESS)
    weights = pd.DataFrame([w, {"A": 1.0, "B": 0.0}], [DAYS[5], DAYS[25]])
    made = []
    for each in (panel, changed):
        history = rm.Expanding(rm.OLS(), minimum=10).fit(each)
        made.append(rm.ReturnAttribution.of_weights(weights, history, weighting=rm.BUY_AND_HOLD))
    a, b = (x.by_date.loc[:cut] for x in made)
    assert len(a) > 15
    pd.testing.assert_frame_equal(a, b)


def test_weights_of_a_date_are_bought_at_its_end():
    panel = market(8)
    weights = pd.DataFrame({"A": [1.0, 0.0], "B": [0.0, 1.0]}, [DAYS[3], DAYS[10]])
    a = rm.ReturnAttribution.of_weights(weights, rm.OLS().fit(panel), panel, return_type=rm.EXCESS)
    assert a.dates[0] == DAYS[4]
    held = panel.excess_returns
    expected = pd.concat([held["A"].iloc[4:11], held["B"].iloc[11:]])
    np.testing.assert_allclose(a.returns, expected)
    with pytest.raises(rm.UnknownDateError):
        rm.ReturnAttribution.of_weights(weights, rm.OLS().fit(panel), panel, end=DAYS[3])


def test_what_has_no_return_is_left_out_and_said():
    full = market(9)
    r = full.excess_returns.copy()
    r.iloc[[3, 4], 0] = np.nan
    panel = rm.ReturnPanel.align(r, full.factor_returns, full.risk_free, horizon=rm.DAY, return_type=rm.EXCESS)
    p = rm.Strategy({"A": 0.5, "B": 0.5}, rm.OLS().fit(panel))
    with pytest.warns(rm.MissingDatesWarning) as caught:
        a = rm.ReturnAttribution.of(p, panel)
    assert dict(caught[0].message.details) == {"missing": 2, "dates": 40, "assets": ["A"]}
    assert not a.dates.isin(DAYS[[3, 4]]).any()
    assert a.missing.to_dict("records") == [
        {"asset": "A", "reason": "no return", "dates": 2, "first": DAYS[3], "last": DAYS[4]}
    ]
    mine = a.missing
    mine.loc[0, "dates"] = 9
    assert a.missing.loc[0, "dates"] == 2
    with pytest.warns(rm.LeftOutNamesWarning):
        alone = rm.ReturnAttribution.of(p, panel, unknown=rm.NAMES_ALONE)
    assert len(alone.dates) == 40
    assert alone.weights.loc[DAYS[3]].to_dict() == {"A": 0.0, "B": 0.5}
    assert alone.returns[DAYS[3]] == pytest.approx(0.5 * (r["B"].iloc[3] + full.risk_free.iloc[3]))
    np.testing.assert_allclose(alone.returns[a.dates], a.returns)
    # a name that no model has
    late = r.copy()
    late.iloc[:30, 0] = np.nan
    history = rm.Expanding(rm.OLS(), minimum=15).fit(
        rm.ReturnPanel.align(late, full.factor_returns, full.risk_free, horizon=rm.DAY, return_type=rm.EXCESS)
    )
    with pytest.warns(rm.LeftOutNamesWarning):
        a = rm.ReturnAttribution.of_weights({"A": 0.5, "B": 0.5}, history, unknown=rm.NAMES_ALONE)
    assert a.missing[["reason", "dates"]].to_numpy().tolist() == [["no return", 15], ["no estimate", 10]]
    with pytest.raises(rm.TooFewObservationsError):
        rm.ReturnAttribution.of_weights({"A": 0.5, "B": 0.5}, history)


def test_tilt_and_timing_are_a_product_of_means_and_a_covariance():
    panel = market(10)
    history = rm.Expanding(rm.OLS(), minimum=15).fit(panel)
    a = rm.ReturnAttribution.of_weights({"A": 1.0}, history, linking=rm.Added())
    x, f, t = a.exposures, a.factor_returns, len(a.dates)
    np.testing.assert_allclose(a.timing["tilt"], t * x.mean() * f.mean())
    expected = [t * np.cov(x[k], f[k], ddof=0)[0, 1] for k in FACTORS]
    np.testing.assert_allclose(a.timing["timing"], expected, atol=1e-15)


def test_errors_are_those_of_the_regression():
    panel, w = market(11), pd.Series({"A": 0.7, "B": -0.4})
    model = rm.OLS().fit(panel)
    a = rm.ReturnAttribution.of(rm.Strategy(w, model), panel, linking=rm.Added())
    inference = rm.Inference.of(model, panel, rm.HC3())
    got = a.std_errors(inference)
    fit = sm.OLS(panel.excess_returns[w.index] @ w, sm.add_constant(panel.factor_returns)).fit(cov_type="HC3")
    sums = np.append(40.0, panel.factor_returns.sum())
    np.testing.assert_allclose(got["std_error"].iloc[:-1], np.abs(sums) * fit.bse, rtol=1e-9)
    np.testing.assert_allclose(got["estimate"].iloc[:-1], sums * fit.params)
    assert got.loc["specific", "std_error"] == pytest.approx(float(np.sqrt(sums @ fit.cov_params() @ sums)))
    # a hedge that is held has no error
    hedged = rm.HedgedPortfolio(rm.Strategy(w, model), {"SMB": 0.5})
    again = rm.ReturnAttribution.of(hedged, panel, linking=rm.Added()).std_errors(inference)
    np.testing.assert_allclose(again["std_error"], got["std_error"])


def test_errors_of_weights_that_change_are_those_of_the_same_sum():
    """The numeric gradient of the part itself."""
    panel = market(12)
    model = rm.OLS().fit(panel)
    a = rm.ReturnAttribution.of(rm.Strategy({"A": 0.5, "B": 0.5}, model), panel, weighting=rm.BUY_AND_HOLD)
    inference = rm.Inference.of(model, panel)
    c, w, f = a.coefficients.to_numpy(), a.weights.to_numpy(), a.factor_returns["SMB"].to_numpy()
    by = pd.Series(w.T @ (c * f), a.weights.columns)
    interval = inference.interval(lambda m: float(m.loadings.loc[by.index, "SMB"] @ by))
    row = a.std_errors(inference).loc["SMB"]
    assert row["estimate"] == pytest.approx(interval.estimate)
    assert row["std_error"] == pytest.approx(interval.std_error, rel=1e-6)
    assert row["low"] == pytest.approx(interval.low, rel=1e-6)


def rolled(panel, window=60, every=20):
    return rm.Rolling(rm.Horizon(window), rm.OLS(), every=rm.Horizon(every)).fit(panel)


def test_errors_of_a_history_are_those_of_its_windows_added_up_by_date():
    """The naive sum: each window's regression of the portfolio, times what it was used for."""
    panel, w = market(21, dates=200), pd.Series({"A": 0.7, "B": -0.4})
    history = rolled(panel)
    a = rm.ReturnAttribution.of_weights(w, history, linking=rm.Added())
    got = a.std_errors(rm.RollingInference(history, rm.HC3()))
    y, f = (panel.excess_returns[w.index] @ w).to_numpy(), panel.factor_returns[FACTORS].to_numpy()
    errors = np.zeros((len(FACTORS) + 1, len(y)))
    ends = np.append(history._stops, len(y))
    for start, stop, until in zip(history._starts, ends[:-1], ends[1:], strict=True):
        x = sm.add_constant(f[start:stop])
        lever = np.linalg.solve(x.T @ x, x.T)
        residual = (y[start:stop] - x @ (lever @ y[start:stop])) / (1.0 - np.einsum("tk,kt->t", x, lever))
        used = np.append(until - stop, f[stop:until].sum(axis=0))
        errors[:, start:stop] += used[:, None] * lever * residual
    np.testing.assert_allclose(got["std_error"].iloc[:-1], np.sqrt((errors**2).sum(axis=1)), rtol=1e-9)
    assert got.loc["specific", "std_error"] == pytest.approx(np.sqrt((errors.sum(axis=0) ** 2).sum()), rel=1e-9)
    np.testing.assert_allclose(got["estimate"], a.parts[got.index])


def test_one_window_of_a_history_has_the_errors_of_its_model():
    panel = market(22, dates=120)
    history = rolled(panel, 100, 100)
    assert len(history) == 1
    walked = rm.ReturnAttribution.of_weights({"A": 1.0}, history, linking=rm.Added())
    model, first = history.on(history.dates[0]), panel.select(end=history.dates[0])
    alone = rm.ReturnAttribution.of_weights({"A": 1.0}, model, panel, start=walked.dates[0], linking=rm.Added())
    for covariance in (rm.Cosine(), rm.HC3(), rm.HAC(lags=3)):
        expected = alone.std_errors(rm.Inference.of(model, first, covariance))
        pd.testing.assert_frame_equal(walked.std_errors(rm.RollingInference(history, covariance)), expected)


def test_errors_of_a_history_cover_the_truth():
    """Constant loadings: what the true ones would have earned is within the interval in 95 of 100 draws."""
    covered, draws, beta, factors = np.zeros(2), 300, np.array([0.9, 0.4]), FACTORS[:2]
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        days = pd.bdate_range("2020-01-01", periods=240)
        f = pd.DataFrame(0.01 * rng.standard_normal((240, 2)), days, factors)
        r = pd.DataFrame({"A": f.to_numpy() @ beta + 0.01 * rng.standard_normal(240)}, days)
        panel = rm.ReturnPanel.align(r, f, pd.Series(0.0, days), horizon=rm.DAY, return_type=rm.EXCESS)
        history = rolled(panel, 120, 40)
        a = rm.ReturnAttribution.of_weights({"A": 1.0}, history, linking=rm.Added())
        got = a.std_errors(rm.RollingInference(history)).loc[factors]
        true = beta * a.factor_returns.sum().to_numpy()
        covered += (got["low"].to_numpy() <= true) & (true <= got["high"].to_numpy())
    # two Monte Carlo errors of 300 draws are 2.5 %
    assert (np.abs(covered / draws - 0.95) < 0.03).all()


def test_means_have_errors_of_means():
    panel = market(13)
    a = rm.ReturnAttribution.of(rm.Strategy({"A": 1.0}, rm.OLS().fit(panel)), panel)
    got = a.means(rm.HAC(lags=3))
    for name in ("SMB", "specific"):
        x = a.by_date[name]
        fit = sm.OLS(x, np.ones(40)).fit(cov_type="HAC", cov_kwds={"maxlags": 3})
        assert got.loc[name, "estimate"] == pytest.approx(x.mean(), abs=1e-15)
        assert got.loc[name, "std_error"] == pytest.approx(fit.bse.iloc[0], rel=1e-6)
    x = a.by_date["alpha"] + a.by_date["specific"]
    assert got.loc["alpha + specific", "estimate"] == pytest.approx(x.mean())
    assert got.loc["total", "estimate"] == pytest.approx(a.returns.mean())


@pytest.mark.filterwarnings("ignore::riskmodel.errors.RiskModelWarning")
def test_statistical_factors_of_each_window():
    panel = rm.SampleData().panel(["MSFT", "JPM", "KO", "XOM", "PG", "AAPL"], [], start="2017-01-01")
    estimator = rm.Assembled(rm.PrincipalComponents(2), rm.SampleCovariance(), rm.SampleVariance())
    history = rm.Rolling(rm.YEAR, estimator, every=rm.MONTH).fit(panel)
    w = {"MSFT": 0.5, "KO": 0.5}
    a = rm.ReturnAttribution.of_weights(w, history)
    assert a.by_date.sum(axis=1).to_numpy() == pytest.approx(a.returns.to_numpy(), abs=1e-14)
    assert (1 + a.returns).prod() - 1 == pytest.approx(a.total)
    date = a.dates[100]
    before = history.asof(panel.dates[panel.dates.get_loc(date) - 1])
    f = panel.returns_of(before.definitions)[panel.dates.get_loc(date)]
    np.testing.assert_allclose(
        a.by_date.loc[date, list(before.factors)], f * (before.loadings.loc[list(w)].T @ [0.5, 0.5])
    )


def test_what_is_printed():
    panel = market(16)
    a = rm.ReturnAttribution.of(rm.Strategy({"A": 1.0}, rm.OLS().fit(panel)), panel)
    frame = a.to_frame()
    assert list(frame.index) == ["risk_free", "alpha", *FACTORS, "specific", "total"]
    assert frame.loc["total", "return"] == a.total
    assert frame.loc["SMB", "exposure"] == pytest.approx(a.exposures["SMB"].mean())
    assert [line.split()[0] for line in repr(a).splitlines()[2:]] == list(frame.index)
    assert a._repr_html_().count("<tr") == 8


def test_bad_arguments_are_refused():
    panel = market(14)
    model = rm.OLS().fit(panel)
    p, other = rm.Strategy({"A": 1.0}, model), rm.OLS().fit(market(15))
    a = rm.ReturnAttribution.of(p, panel)
    history = rm.Expanding(rm.OLS(), minimum=15).fit(panel)
    walk = rm.ReturnAttribution.of_weights({"A": 1.0}, history)
    cases = [
        (lambda: rm.ReturnAttribution.of(p, panel, weighting="drift"), rm.InvalidParameterError, "parameter"),
        (lambda: rm.ReturnAttribution.of(p, panel, linking="carino"), rm.InvalidParameterError, "parameter"),
        (lambda: rm.ReturnAttribution.of(p, panel, unknown=None), rm.InvalidParameterError, "parameter"),
        (lambda: rm.ReturnAttribution.of(p, panel, groups={"B": 1}), rm.UnknownAssetError, "missing"),
        (lambda: rm.ReturnAttribution.of_weights({"A": 1.0}, history, panel), rm.InvalidParameterError, "parameter"),
        (lambda: rm.ReturnAttribution.of_weights({"A": 1.0}, model), rm.InvalidParameterError, "parameter"),
        (lambda: a.by_group, rm.InvalidParameterError, "parameter"),
        (lambda: a.by_factor_group, rm.InvalidParameterError, "parameter"),
        (lambda: a.std_errors(rm.Inference.of(other, market(15))), rm.InvalidParameterError, "parameter"),
        (lambda: walk.std_errors(rm.Inference.of(model, panel)), rm.InvalidParameterError, "parameter"),
        (
            lambda: walk.std_errors(rm.RollingInference(rm.Expanding(rm.OLS(), minimum=20).fit(panel))),
            rm.InvalidParameterError,
            "parameter",
        ),
        (lambda: rm.ReturnAttribution.of(rm.Strategy({"A": -300.0}, model), panel), rm.ImpossibleReturnsError, "least"),
    ]
    for call, error, detail in cases:
        with pytest.raises(error) as caught:
            call()
        assert detail is None or detail in caught.value.details
    twice = pd.DataFrame({"A": [1.0, 1.0]}, [DAYS[0], DAYS[0]])
    with pytest.raises(rm.DuplicateDatesError):
        rm.ReturnAttribution.of_weights(twice, model, panel)
    with pytest.raises(rm.InvalidParameterError):
        rm.ReturnAttribution.of_weights(pd.DataFrame({"A": [np.nan]}, [DAYS[0]]), model, panel)
    with pytest.raises(rm.ImpossibleReturnsError):
        rm.ReturnAttribution.of(rm.Strategy({"A": -300.0}, model), panel, weighting=rm.BUY_AND_HOLD, linking=rm.Added())


def test_a_book_is_attributed_from_its_date_on():
    panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"], start="2017-01-01")
    model = rm.OLS().fit(panel)
    for date in (None, "2018-03-29"):
        book = rm.Book({"MSFT": 3e6, "JPM": -1e6}, date=date, nav=4e6)
        found = rm.ReturnAttribution.of_weights(book, model, panel)
        first = None if date is None else "2018-04-01"
        expected = rm.ReturnAttribution.of_weights({"MSFT": 0.75, "JPM": -0.25}, model, panel, first)
        pd.testing.assert_series_equal(found.parts, expected.parts, rtol=1e-12)
