"""Idio variances against pandas, formulas written out, and simulations with known truth."""

import pickle

import attrs
import numpy as np
import pandas as pd
import pytest
from panels import clean, panel_of, ragged

import riskmodel as rm

SLOW = rm.SampleVariance()
FAST = rm.EWMAVariance(rm.MONTH)
ALL = {
    "sample": SLOW,
    "EWMA": FAST,
    "shrunk": rm.ShrunkVariance(SLOW, 0.3),
    "regime": rm.RegimeAdjustedVariance(FAST, rm.MONTH),
    "mixture": rm.MixtureVariance([SLOW, FAST], [0.25, 0.75]),
    "nested": rm.ShrunkVariance(rm.RegimeAdjustedVariance(FAST, rm.MONTH), 0.2),
}
each = pytest.mark.parametrize("estimator", ALL.values(), ids=list(ALL))


def fitted(panel=None):
    return rm.TimeSeries(rm.OLS()).fit(clean() if panel is None else panel)


def variance(estimator, f):
    return estimator.fit(f.residuals, f).variance


def near(got, expected, rtol=1e-10):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=0)


@pytest.mark.parametrize("panel", [clean(), ragged()], ids=["clean", "ragged"])
def test_plain_variances_are_those_of_pandas(panel):
    f = fitted(panel)
    near(variance(SLOW, f), f.residuals.var())
    near(variance(SLOW, f), rm.OLS().fit(panel).idio_variance)
    near(variance(FAST, f), f.residuals.ewm(halflife=21).var().apply(lambda s: s[s.last_valid_index()]))


def test_weighted_variances_are_those_of_ewma():
    panel = ragged()
    f = rm.TimeSeries(rm.EWMA(rm.MONTH)).fit(panel)
    near(variance(FAST, f), rm.EWMA(rm.MONTH).fit(panel).idio_variance)


def test_shrinkage_is_in_logs_towards_the_geometric_mean():
    f = fitted()
    logs = np.log(variance(SLOW, f))
    near(variance(rm.ShrunkVariance(SLOW, 0.3), f), np.exp(0.7 * logs + 0.3 * logs.mean()))
    near(variance(rm.ShrunkVariance(SLOW, 1.0), f), np.full(12, np.exp(logs.mean())))


def test_shrinkage_towards_groups():
    f = fitted()
    groups = pd.Series(["a", "b"] * 5 + ["a", "alone"], f.assets)
    logs = np.log(variance(SLOW, f))
    expected = np.exp(0.5 * logs + 0.5 * logs.groupby(groups).transform("mean"))
    got = variance(rm.ShrunkVariance(SLOW, 0.5, groups.iloc[::-1]), f)
    near(got, expected)
    near(got["A11"], variance(SLOW, f)["A11"])  # a group of one
    near(variance(rm.ShrunkVariance(SLOW, 0.5, groups.to_dict() | {"elsewhere": "a"}), f), expected)


def test_wrappers_without_effect_are_their_inner():
    f = fitted()
    near(variance(rm.ShrunkVariance(FAST, 0.0), f), variance(FAST, f), rtol=1e-14)


def test_a_mixture_is_the_mean_of_variances():
    f = fitted()
    mixed = variance(rm.MixtureVariance([SLOW, FAST], [0.25, 0.75]), f)
    near(mixed, 0.25 * variance(SLOW, f) + 0.75 * variance(FAST, f))
    near(variance(rm.MixtureVariance([SLOW, FAST], [1.0, 0.0]), f), variance(SLOW, f), rtol=1e-14)


def test_a_mixture_has_the_priors_of_all():
    f = fitted()
    residuals = f.residuals.copy()
    residuals.iloc[:-70, 3] = np.nan
    both = [rm.ShortHistoryVariance(SLOW, 60), rm.ShortHistoryVariance(SLOW, 100)]
    risk = rm.MixtureVariance(both, [0.5, 0.5]).fit(residuals, f)
    assert list(risk.assets[risk.prior]) == ["A3"]


def newey_west(x, lags):
    d = x - x.mean()
    gammas = [d @ d] + [2 * (1 - lag / (lags + 1)) * (d[lag:] @ d[:-lag]) for lag in range(1, lags + 1)]
    return sum(gammas) / len(x)


def test_newey_west_variances_are_the_formula_but_for_the_ends():
    f = fitted(clean(t=20_000, n=3))
    r = f.residuals
    r = r + 0.3 * r.shift(1, fill_value=0.0) - 0.2 * r.shift(2, fill_value=0.0)
    for lags in (1, 4):
        got = rm.NeweyWestVariance(SLOW, lags).fit(r, f).variance
        near(got, [newey_west(r[a].to_numpy(), lags) for a in r], rtol=2e-3)
    near(rm.NeweyWestVariance(SLOW, 0).fit(r, f).variance, SLOW.fit(r, f).variance, rtol=1e-14)


def test_sums_with_a_missing_residual_are_missing():
    f = fitted(ragged())
    got = rm.NeweyWestVariance(FAST, 2).fit(f.residuals, f).variance
    near(got, FAST.fit(f.residuals.rolling(3).sum().iloc[2:] / np.sqrt(3), f).variance)


def test_newey_west_forecasts_before_each_row_use_the_rows_before_it():
    f = fitted()
    r = f.residuals.iloc[:70]
    estimator = rm.NeweyWestVariance(FAST, 2)
    before = estimator.variances_before(r, f)
    assert before.index.equals(r.index)
    changed = r.copy()
    changed.iloc[50:] *= -3.0
    pd.testing.assert_frame_equal(before.iloc[:51], estimator.variances_before(changed, f).iloc[:51])
    near(before.iloc[60], estimator.fit(r.iloc[:60], f).variance)


def test_newey_west_variances_need_rows_and_name_assets_without_sums():
    f = fitted()
    with pytest.raises(rm.EstimationError) as error:
        rm.NeweyWestVariance(SLOW, 5).fit(f.residuals.iloc[:6], f)
    assert error.value.details["expected"] == 7
    residuals = f.residuals.copy()
    residuals.iloc[::2, 4] = np.nan
    with pytest.raises(rm.TooFewObservationsError) as error:
        rm.NeweyWestVariance(SLOW, 1).fit(residuals, f)
    assert error.value.details["assets"] == ["A4"]


def test_shrunk_variances_are_nearer_to_the_truth():
    rng = np.random.default_rng(0)
    true = np.exp(rng.normal(-8.0, 0.3, 500))
    panel = clean(t=30, n=500, k=1)
    residuals = pd.DataFrame(rng.normal(size=(30, 500)) * np.sqrt(true), panel.dates, panel.assets)
    f = attrs.evolve(fitted(panel), residuals=residuals.to_numpy())

    def error(v):
        return float(((np.log(v) - np.log(true)) ** 2).mean())

    assert error(variance(rm.ShrunkVariance(SLOW, 0.4), f)) < 0.8 * error(variance(SLOW, f))


def test_variances_of_zero_stay_and_are_no_part_of_the_mean():
    f = fitted()
    residuals = f.residuals.copy()
    residuals["A3"] = 0.0
    others = f.residuals.drop(columns="A3").var()
    got = rm.ShrunkVariance(SLOW, 1.0).fit(residuals, f).variance
    assert got["A3"] == 0.0
    near(got.drop("A3"), np.full(11, np.exp(np.log(others).mean())))


def test_assets_without_a_group_are_named():
    f = fitted()
    groups = {a: "x" for a in f.assets if a not in {"A2", "A5"}} | {"A5": None}
    with pytest.raises(rm.UnknownAssetError) as error:
        variance(rm.ShrunkVariance(SLOW, 0.5, groups), f)
    assert error.value.details["missing"] == ["A2", "A5"]


def test_the_regime_multiplier_is_the_weighted_mean_of_the_bias_statistic():
    f = fitted(ragged())
    r = f.residuals
    squares, weights = [], []
    for t in range(20, len(r)):
        known = (r.iloc[:t].count() >= 20) & r.iloc[t].notna()
        if known.any():
            squares.append((r.iloc[t] ** 2 / r.iloc[:t].var())[known].mean())
            weights.append(0.5 ** ((len(r) - 1 - t) / 21))
    expected = np.average(squares, weights=weights)
    near(variance(rm.RegimeAdjustedVariance(SLOW, rm.MONTH), f), expected * variance(SLOW, f))


def test_the_regime_adjustment_finds_a_jump_of_volatility():
    rng = np.random.default_rng(0)
    panel = clean(t=504, n=60, k=1)
    residuals = rng.normal(0, 0.01, (504, 60))
    residuals[-63:] *= 2.0
    f = attrs.evolve(fitted(panel), residuals=residuals)
    assert np.sqrt(variance(SLOW, f).mean()) < 0.0125
    got = variance(rm.RegimeAdjustedVariance(SLOW, rm.MONTH), f)
    assert np.sqrt(got.mean()) == pytest.approx(0.02, rel=0.12)


@each
def test_forecasts_before_each_row_use_the_rows_before_it(estimator):
    f = fitted(ragged())
    r = f.residuals.iloc[:70]
    before = estimator.variances_before(r, f)
    changed = r.copy()
    changed.iloc[50:] *= -3.0
    pd.testing.assert_frame_equal(before.iloc[:51], estimator.variances_before(changed, f).iloc[:51])
    known = r.iloc[:60].count() >= 20
    assert before.iloc[60].notna().equals(known)
    near(before.iloc[60][known], estimator.fit(r.iloc[:60].loc[:, known], f).variance)


@each
def test_results_scale_and_assets_may_come_in_any_order(estimator):
    f = fitted()
    expected = variance(estimator, f)
    near(estimator.fit(f.residuals * 1e3, f).variance, expected * 1e6)
    near(estimator.fit(f.residuals.iloc[:, ::-1], f).variance[f.assets], expected)


@each
def test_assets_without_enough_residuals_are_named(estimator):
    f = fitted()
    residuals = f.residuals.copy()
    residuals.iloc[:-1, [2, 4]] = np.nan
    with pytest.raises(rm.TooFewObservationsError) as error:
        estimator.fit(residuals, f)
    assert error.value.details["assets"] == ["A2", "A4"]


def test_idio_risk_is_checked_and_frozen():
    risk = rm.IdioRisk(["A", "B"], [1.0, 2.0], rm.DAY, priors=["B"])
    assert pickle.loads(pickle.dumps(risk)).prior.to_list() == [False, True]
    with pytest.raises(ValueError, match="read-only"):
        risk.variance.to_numpy()[0] = 3.0
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.IdioRisk(["A", "B"], [1.0, -2.0], rm.DAY)
    assert error.value.details["assets"] == ["B"]
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.IdioRisk(["A", "B"], [1.0], rm.DAY)
    assert error.value.details["expected"] == (2,)
    with pytest.raises(rm.UnknownAssetError):
        rm.IdioRisk(["A", "B"], [1.0, 2.0], rm.DAY, priors=["C"])


def test_shrinkage_can_be_pickled_and_leaves_its_groups_alone():
    groups = pd.Series("x", clean().assets)
    shrunk = rm.ShrunkVariance(SLOW, 0.5, groups)
    groups.iloc[0] = "y"
    assert shrunk.groups.iloc[0] == "x"
    f = fitted()
    near(variance(pickle.loads(pickle.dumps(shrunk)), f), variance(shrunk, f))


@pytest.mark.parametrize(
    "make",
    [
        lambda: rm.EWMAVariance(21),
        lambda: rm.ShrunkVariance(SLOW, 1.5),
        lambda: rm.ShrunkVariance(SLOW, "half"),
        lambda: rm.ShrunkVariance(rm.SampleCovariance(), 0.5),
        lambda: rm.ShrunkVariance(SLOW, 0.5, ["a", "b"]),
        lambda: rm.RegimeAdjustedVariance(SLOW, 42),
        lambda: rm.NeweyWestVariance(SLOW, -1),
        lambda: rm.NeweyWestVariance(rm.SampleCovariance(), 1),
        lambda: rm.MixtureVariance([SLOW, FAST], [0.5, 0.6]),
        lambda: rm.MixtureVariance([rm.SampleCovariance()], [1.0]),
    ],
)
def test_wrong_parameters_are_errors(make):
    with pytest.raises(rm.InvalidParameterError):
        make()


def test_groups_of_an_asset_must_be_one():
    with pytest.raises(rm.DuplicateLabelsError):
        rm.ShrunkVariance(SLOW, 0.5, pd.Series(["a", "b"], ["A0", "A0"]))


@pytest.mark.parametrize(
    "estimator",
    [
        rm.ShrunkVariance(rm.SampleVariance(), 0.5),
        rm.ShrunkVariance(rm.SampleVariance(), 0.5, unit=rm.TotalVariance()),
        rm.RegimeAdjustedVariance(rm.SampleVariance(), rm.QUARTER),
        rm.PooledVariance(),
        rm.Structural(rm.SampleVariance(), least=60, full=180),
    ],
    ids=lambda e: type(e).__name__,
)
def test_an_asset_that_is_a_factor_does_not_change_the_others(estimator):
    rng = np.random.default_rng(0)
    f = rng.normal(0, 0.01, (300, 2))
    r = f @ rng.normal(1, 0.3, (2, 20)) + rng.normal(0, 0.01, (300, 20))
    r[:250, 7] = np.nan
    panel = panel_of(np.column_stack([r, f @ [1.0, 0.7]]), f)  # its residuals are rounding
    loadings = rm.TimeSeries(rm.OLS())
    model = rm.Assembled(loadings, rm.SampleCovariance(), estimator)
    with_it, alone = model.fit(panel).idio_variance, model.fit(panel.select(list(panel.assets[:-1]))).idio_variance
    assert with_it.iloc[-1] == 0.0
    np.testing.assert_allclose(with_it.iloc[:-1], alone, rtol=1e-9)
    fitted = loadings.fit(panel)
    changed = fitted.with_loadings(fitted.loadings * (1 + 1e-15))
    assert [not f.residuals.iloc[:, -1].any() for f in (fitted, changed)] == [True, True]
