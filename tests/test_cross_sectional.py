"""Cross-sectional models against statsmodels, linearmodels, constrained dense formulas, and known truth."""

import pickle

import attrs
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from linearmodels.panel import FamaMacBeth
from sections import INDUSTRIES, Market, constrained, panel_of

import riskmodel as rm
from riskmodel.testing.estimators import EstimatorContract

PARTS = {"factor_covariance": rm.SampleCovariance(), "idio_variance": rm.SampleVariance()}
STYLES = [rm.Style("value", []), rm.Style("size", [])]


def near(got, expected, rtol=1e-9, atol=1e-13):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=atol)


# -- oracles -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_factor_returns_are_the_regressions_of_statsmodels(missing):
    market = Market(missing=missing)
    fitted = market.estimator(groups=[]).fit(market.panel)
    for t in range(len(market.returns)):
        known = ~np.isnan(market.returns[t])
        x = sm.add_constant(np.column_stack([market.value[t], market.size[t]]))
        expected = sm.WLS(market.returns[t, known], x[known], np.sqrt(market.cap[t, known])).fit()
        near(fitted.factor_returns.iloc[t], expected.params)
        near(fitted.cross_section.std_errors.iloc[t], expected.bse)
        near(fitted.cross_section.tvalues.iloc[t], expected.tvalues, rtol=1e-7)
        near(fitted.cross_section.rsquared.iloc[t], expected.rsquared)
        near((fitted.residuals + fitted.alpha).iloc[t][known], expected.resid)
        assert fitted.cross_section.n_assets.iloc[t] == known.sum()
    assert fitted.residuals.isna().equals(market.panel.excess_returns.isna())
    assert fitted.residuals.mean().abs().max() < 1e-15
    near(fitted.loadings[["value", "size"]], np.column_stack([market.value[-1], market.size[-1]]))


def test_mean_factor_returns_are_those_of_fama_and_macbeth():
    market = Market()
    fitted = market.estimator(groups=[], weighting=rm.UnitWeights(), caps=None).fit(market.panel)
    long = pd.DataFrame({
        "r": market.returns.ravel(), "const": 1.0, "value": market.value[:-1].ravel(), "size": market.size[:-1].ravel(),
    })  # fmt: skip
    long.index = pd.MultiIndex.from_product([market.days[1:], market.assets]).swaplevel()
    expected = FamaMacBeth(long["r"], long[["const", "value", "size"]]).fit()
    near(fitted.factor_returns.mean(), expected.params)


@pytest.mark.parametrize("families", [("industry",), ("industry", "country")])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_groups_sum_to_zero_by_capitalisation(families, missing):
    market = Market(missing=missing)
    fitted = market.estimator(groups=families).fit(market.panel)
    order = ["Market", *(g for f in families for g in np.unique(getattr(market, f))), "value", "size"]
    assert list(fitted.factors) == order
    for t in range(len(market.returns)):
        known = np.flatnonzero(~np.isnan(market.returns[t]))
        x, c = market.design(t, families), market.constraints(t, known, families)
        expected = constrained(x[known], market.returns[t, known], np.sqrt(market.cap[t, known]), c)
        near(fitted.factor_returns.iloc[t], expected)
        assert np.abs(c @ fitted.factor_returns.iloc[t]).max() < 1e-15
        near((fitted.residuals + fitted.alpha).iloc[t, known], market.returns[t, known] - x[known] @ expected)


def test_standard_errors_of_groups_do_not_depend_on_the_group_that_is_solved_for():
    market = Market(n=60)
    fitted = market.estimator().fit(market.panel)
    for t in (0, 30):
        x = market.design(t)
        (c,) = market.constraints(t, slice(None))
        for dropped in range(1, 5):
            basis = np.delete(np.eye(7), dropped, axis=1)
            basis[dropped] = np.delete(-c / c[dropped], dropped)
            result = sm.WLS(market.returns[t], x @ basis, np.sqrt(market.cap[t])).fit()
            near(fitted.cross_section.std_errors.iloc[t], np.sqrt(np.diag(basis @ result.cov_params() @ basis.T)))
            near(fitted.cross_section.rsquared.iloc[t], result.rsquared)


def test_truth_is_recovered():
    market = Market(t=250, n=400, noise=0.002)
    model = rm.Assembled(market.estimator(), **PARTS).fit(market.panel)
    fitted = market.estimator().fit(market.panel)
    for name, column in (("value", 1), ("size", 2)):
        assert np.corrcoef(fitted.factor_returns[name], market.truth[:, column])[0, 1] > 0.999
        assert np.abs(fitted.factor_returns[name] - market.truth[:, column]).max() < 0.001
    t = (fitted.factor_returns[["value", "size"]] - market.truth[:, 1:]) / fitted.cross_section.std_errors[
        ["value", "size"]
    ]
    assert 0.8 < t.std().mean() < 1.25  # standard errors are of the right size
    relative = np.sqrt(model.idio_variance) / market.idio
    assert abs(relative.mean() - 1) < 0.02
    assert relative.std() < 0.06


# -- weights -------------------------------------------------------------------------------------------


def test_inverse_variances_are_of_earlier_residuals():
    market = Market(t=90)
    weighting = rm.InverseVariance(minimum=20, half_life=rm.Horizon(30), largest=4.0)
    fitted = market.estimator(weighting=weighting).fit(market.panel)
    first = market.estimator().fit(market.panel)
    variance = ((first.residuals + first.alpha) ** 2).ewm(halflife=30, min_periods=20).mean().shift(1)
    near(fitted.factor_returns.iloc[:20], first.factor_returns.iloc[:20])
    for t in (20, 50, 89):
        relative = variance.iloc[t] / variance.iloc[t].median()
        weights = 1 / np.maximum(relative.to_numpy(), 0.25)
        expected = constrained(market.design(t), market.returns[t], weights, market.constraints(t, slice(None)))
        near(fitted.factor_returns.iloc[t], expected)


def test_inverse_variances_are_more_precise():
    market = Market(t=200, n=300)
    market.idio *= np.where(np.arange(300) % 2, 5.0, 1.0)
    rng = np.random.default_rng(1)
    market.returns = (
        market.truth[:, [0]] + market.truth[:, [1]] * market.value[:-1] + market.idio * rng.normal(size=(200, 300))
    )
    errors = {}
    for name, weighting in (("equal", rm.UnitWeights()), ("inverse", rm.InverseVariance(rm.UnitWeights()))):
        fitted = market.estimator(weighting=weighting, groups=[]).fit(market.panel)
        errors[name] = (fitted.factor_returns["value"] - market.truth[:, 1]).iloc[63:].std()
    assert errors["inverse"] < 0.6 * errors["equal"]


# -- estimation universe -------------------------------------------------------------------------------


def test_assets_outside_the_universe_do_not_matter():
    market = Market(n=80)
    inside = np.arange(80) < 60
    flags = rm.Characteristics.static(pd.Series(inside, market.assets, name="inside"))
    known = market.characteristics.join(flags)
    estimator = rm.CrossSectional(
        known, styles=["value", "size"], groups=["industry"], caps="cap", universe=rm.Flagged("inside")
    )
    fitted = estimator.fit(market.panel)
    alone = attrs.evolve(estimator, universe=rm.EveryAsset()).fit(market.panel.select(market.assets[:60]))
    near(fitted.factor_returns, alone.factor_returns)
    near(fitted.cross_section.std_errors, alone.cross_section.std_errors)
    near(fitted.loadings.iloc[:60], alone.loadings)
    assert fitted.residuals.notna().all(axis=None)  # the others are covered
    held = {a for f in fitted.definitions for a in f.held.index}
    assert held == set(market.assets[:60])
    changed = attrs.evolve(market.panel, excess_returns=np.where(inside, market.returns, -market.returns))
    assert estimator.fit(changed).factor_returns.equals(fitted.factor_returns)


def test_the_largest_are_the_universe():
    market = Market()
    fitted = market.estimator(universe=rm.LargestCaps(30), groups=[]).fit(market.panel)
    assert (fitted.cross_section.n_assets == 30).all()
    for t in (0, 30):
        largest = np.argsort(-market.cap[t])[:30]
        x = sm.add_constant(np.column_stack([market.value[t], market.size[t]])[largest])
        near(
            fitted.factor_returns.iloc[t],
            sm.WLS(market.returns[t, largest], x, np.sqrt(market.cap[t, largest])).fit().params,
        )
    everyone = market.estimator(universe=rm.LargestCaps(1_000)).fit(market.panel)
    assert everyone.factor_returns.equals(market.estimator().fit(market.panel).factor_returns)


def test_an_asset_without_capitalisation_is_outside_the_universe():
    market = Market()
    market.cap[:, 3] = np.nan
    fitted = market.estimator().fit(market.panel)
    assert (fitted.cross_section.n_assets == 79).all()
    assert fitted.residuals.notna().all(axis=None)
    assert fitted.loadings.notna().all(axis=None)


# -- no look-ahead -------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(cut=st.integers(5, 28), name=st.sampled_from(["value", "size", "cap"]), seed=st.integers(0, 5))
def test_what_becomes_known_on_a_date_does_not_change_its_figures(cut, name, seed):
    market = Market(seed, t=30, n=40, missing=0.1)
    estimator = market.estimator(styles=["value", "size"], weighting=rm.InverseVariance(minimum=5))
    before = estimator.fit(market.panel)
    changed = getattr(market, name).copy()
    changed[cut:] = changed[cut:][::-1] * 1.7
    setattr(market, name, changed)
    market.returns[cut:] *= -0.5
    after = market.estimator(styles=["value", "size"], weighting=rm.InverseVariance(minimum=5)).fit(market.panel)
    # the return of row t is that from days[t] to days[t + 1], which days[t] explains
    np.testing.assert_array_equal(after.factor_returns.iloc[:cut], before.factor_returns.iloc[:cut])
    residuals = after.residuals + after.alpha, before.residuals + before.alpha
    np.testing.assert_allclose(residuals[0].iloc[:cut], residuals[1].iloc[:cut], rtol=0, atol=1e-16)
    assert not np.array_equal(after.factor_returns.iloc[cut], before.factor_returns.iloc[cut])


@pytest.mark.parametrize(
    ("horizon", "dates", "too_late"),
    [
        (rm.DAY, ["2024-01-09", "2024-01-10"], ["2024-01-09", "2024-01-10"]),
        (rm.WEEK, ["2024-01-12", "2024-01-19"], ["2024-01-08", "2024-01-15"]),
        (rm.MONTH, ["2024-01-31", "2024-02-29"], ["2024-01-01", "2024-02-01"]),
        (rm.QUARTER, ["2024-03-31", "2024-06-30"], ["2024-01-01", "2024-04-01"]),
        (
            rm.Horizon.of("1h", per_day=7),
            ["2024-01-09 10:00", "2024-01-09 11:00"],
            ["2024-01-09 09:00", "2024-01-09 10:00"],
        ),
    ],
)
def test_a_value_must_be_known_when_the_row_begins(horizon, dates, too_late):
    rng = np.random.default_rng(0)
    index = pd.DatetimeIndex(dates)
    assets = list("ABCDEF")
    returns = pd.DataFrame(rng.normal(0, 0.01, (2, 6)), index, assets)
    panel = panel_of(returns, horizon)
    old, new = rng.normal(size=6), rng.normal(size=6)
    for late, expected in ((pd.Timestamp(too_late[1]), old), (pd.Timestamp(too_late[1]) - pd.Timedelta("1min"), new)):
        frame = pd.DataFrame([old, new], [pd.Timestamp("2023-12-20"), late], assets)
        known = rm.Characteristics.wide({"value": frame})
        estimator = rm.CrossSectional(known, styles=[rm.Style("value", [])], weighting=rm.UnitWeights(), oldest=rm.YEAR)
        fitted = estimator.fit(panel)
        params = np.linalg.lstsq(np.column_stack([np.ones(6), expected]), returns.iloc[1].to_numpy(), rcond=None)[0]
        near(fitted.factor_returns.iloc[1], params)
        near(fitted.loadings["value"], new)


def test_old_values_are_missing():
    market = Market()
    old = market.numbers.join(market.groups)
    frame = market.wide("value").iloc[[0]]
    known = rm.Characteristics.wide({"value": frame, "cap": market.wide("cap")})
    short = rm.CrossSectional(known, styles=[rm.Style("value", [])], caps="cap", oldest=rm.MONTH)
    with pytest.raises(rm.MissingExposuresError) as error:
        short.fit(market.panel)
    age = (error.value.details["dates"][0] - market.days[0]).days
    assert age == 31  # a month is 30.4 days
    assert error.value.details["characteristics"] == ["value"]
    assert "assets" not in error.value.details
    fitted = attrs.evolve(short, oldest=rm.YEAR).fit(market.panel)
    near(fitted.loadings["value"], market.value[0])
    assert old.names.tolist() == ["cap", "value", "size", "industry", "country"]


# -- missing exposures ---------------------------------------------------------------------------------


def ragged():
    """The first asset has no value on ten dates, the second none from the fortieth on, the third none at all."""
    market = Market()
    market.value[10:20, 0] = np.nan
    market.value[40:, 1] = np.nan
    market.value[:, 2] = np.nan
    return market


def test_missing_exposures_are_refused_by_name():
    market = ragged()
    estimator = market.estimator(oldest=rm.Horizon(3))
    with pytest.raises(rm.MissingExposuresError) as error:
        estimator.fit(market.panel)
    assert error.value.details["assets"] == market.assets[:3]
    model = rm.Assembled(estimator, **PARTS).fit_available(market.panel)
    assert list(model.missing["asset"]) == market.assets[:3]
    expected = rm.Assembled(estimator, **PARTS).fit(market.panel.select(market.assets[3:]))
    near(model.loadings, expected.loadings)
    near(model.factor_covariance, expected.factor_covariance)


def test_missing_exposures_leave_an_asset_out_of_a_date():
    market = ragged()
    known = rm.Characteristics.wide({"value": market.wide("value"), "cap": market.wide("cap")})
    estimator = rm.CrossSectional(
        known, styles=[rm.Style("value", [])], caps="cap", missing=rm.LEAVE_OUT, oldest=rm.Horizon(3)
    )
    fitted = estimator.fit(market.panel.select([a for a in market.assets if a != market.assets[2]]))
    gaps = fitted.residuals.isna()
    assert gaps.iloc[:, 2:].sum().sum() == 0
    assert gaps.iloc[:, 0].sum() in range(6, 9)
    assert gaps.iloc[-16:, 1].all()
    assert list(fitted.cross_section.last_known.index) == [market.assets[1]]
    near(fitted.loadings.loc[market.assets[1], "value"], market.value[39, 1])
    assert fitted.cross_section.n_assets.iloc[-1] == 78
    with pytest.raises(rm.MissingExposuresError) as error:
        estimator.fit(market.panel)
    assert error.value.details["assets"] == [market.assets[2]]


def test_missing_styles_can_be_the_mean():
    market = ragged()
    steps = [rm.Standardised(), rm.MeanFilled()]
    fitted = market.estimator(styles=[rm.Style("value", steps)]).fit(market.panel)
    near(fitted.loadings["value"].iloc[2], 0.0, atol=1e-14)
    assert fitted.residuals.notna().all(axis=None)


def test_assets_without_characteristics_are_named():
    market = Market()
    panel = panel_of(market.panel.excess_returns.assign(NEW=0.01))
    with pytest.raises(rm.MissingExposuresError) as error:
        market.estimator().fit(panel)
    assert error.value.details["assets"] == ["NEW"]
    # characteristics of assets that the panel does not have are not used
    few = market.estimator().fit(market.panel.select(market.assets[:50]))
    assert list(few.assets) == market.assets[:50]


def test_characteristics_of_other_dates_are_refused():
    market = Market()
    later = attrs.evolve(market.panel, dates=market.panel.dates - pd.Timedelta(days=700))
    with pytest.raises(rm.MissingExposuresError) as error:
        market.estimator().fit(later)
    assert len(error.value.details["dates"]) == 60
    assert error.value.details["characteristics"] == ["value", "size"]


# -- degenerate exposures ------------------------------------------------------------------------------


def test_collinear_styles_are_named_with_their_dates():
    market = Market()
    market.size = np.where(np.arange(61)[:, None] < 30, 2 * market.value + 1, market.size)
    with pytest.raises(rm.CollinearFactorsError) as error:
        market.estimator(groups=[]).fit(market.panel)
    assert error.value.details["factors"] == ["Market", "value", "size"]
    assert error.value.details["dates"] == list(market.days[1:31])


def test_a_style_of_zeros_is_named():
    market = Market()
    market.size[20:22] = 0.0
    with pytest.raises(rm.CollinearFactorsError) as error:
        market.estimator(styles=["value", "size"]).fit(market.panel)
    assert error.value.details["factors"] == ["size"]
    assert error.value.details["dates"] == list(market.days[21:23])
    market.size[20:22] = 7.0  # does not vary, so it is zero after standardisation
    with pytest.raises(rm.CollinearFactorsError) as error:
        market.estimator(styles=["value", "size"]).fit(market.panel)
    assert error.value.details["factors"] == ["size"]


def test_a_family_that_repeats_another_is_collinear():
    market = Market()
    market.country = market.industry.astype(object) + "2"
    with pytest.raises(rm.CollinearFactorsError) as error:
        market.estimator(groups=["industry", "country"]).fit(market.panel)
    assert len(error.value.details["factors"]) == 8


def test_too_few_assets_are_refused():
    market = Market(n=7)
    market.industry = np.array([*INDUSTRIES, *INDUSTRIES[:3]])
    with pytest.raises(rm.TooFewObservationsError) as error:
        market.estimator(groups=[rm.Groups("industry", smallest=1)]).fit(market.panel.select(market.assets[:6]))
    assert error.value.details["needed"] == 7
    assert len(error.value.details["dates"]) == 60


def test_a_date_without_returns_is_refused():
    market = Market()
    market.returns[7] = np.nan
    panel = Market().panel
    panel = attrs.evolve(panel, excess_returns=market.returns)
    with pytest.raises(rm.TooFewObservationsError) as error:
        market.estimator().fit(panel)
    assert error.value.details["dates"] == [market.days[8]]
    assert error.value.details["counts"] == {market.days[8]: 0}


def test_a_group_of_one_has_no_return_of_its_own():
    market = Market()
    market.industry[0] = "alone"
    market.industry[1:][market.industry[1:] == "tech"] = "retail"
    fitted = market.estimator().fit(market.panel)
    assert (fitted.factor_returns["alone"] == 0).all()
    assert fitted.cross_section.std_errors["alone"].isna().all()
    assert (fitted.loadings["alone"] == 0).all()
    thin = fitted.cross_section.thin
    assert len(thin) == 61
    assert set(thin["group"]) == {"alone"}
    assert set(thin["members"]) == {1}
    assert thin["date"].isna().sum() == 1
    near(fitted.residuals.var().iloc[0], fitted.residuals.var().mean(), rtol=2)
    assert fitted.residuals.iloc[:, 0].abs().min() > 0
    alone = market.estimator(groups=[rm.Groups("industry", smallest=1)]).fit(market.panel)
    assert (alone.residuals + alone.alpha).iloc[:, 0].abs().max() < 1e-15  # it explains itself
    assert alone.cross_section.thin.empty
    # the other factors are those of a market in which the asset has no industry
    for t in (0, 30):
        x, known = market.design(t), slice(None)
        c = market.constraints(t, known)
        at = 1 + list(np.unique(market.industry)).index("alone")
        x = np.delete(x, at, axis=1)
        c = np.delete(c, at, axis=1)
        expected = constrained(x, market.returns[t], np.sqrt(market.cap[t]), c)
        near(fitted.factor_returns.drop(columns="alone").iloc[t], expected)


def test_a_group_that_is_empty_for_a_while_is_zero_there():
    market = Market()
    industry = pd.DataFrame([market.industry] * 61, market.days, market.assets)
    industry.iloc[10:20] = industry.iloc[10:20].replace("tech", "retail")
    known = market.numbers.join(rm.Characteristics.wide({"industry": industry}))
    fitted = rm.CrossSectional(known, styles=STYLES, groups=["industry"], caps="cap").fit(market.panel)
    zero = fitted.factor_returns["tech"] == 0
    assert list(zero[zero].index) == list(market.days[11:21])
    assert list(fitted.cross_section.thin["members"]) == [0] * 10
    # a group that no asset of the panel is in is no factor
    few = [a for a, i in zip(market.assets, market.industry, strict=True) if i != "tech"]
    assert "tech" not in market.estimator().fit(market.panel.select(few)).factors


# -- laws ----------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(seed=st.integers(0, 20), factor=st.sampled_from([1e-3, 1e3]))
def test_scales_do_not_matter(seed, factor):
    market = Market(seed, t=6, n=40, missing=0.1)
    plain = market.estimator(styles=["value", "size"]).fit(market.panel)
    market.value, market.cap = market.value * factor + 1, market.cap * factor
    scaled = market.estimator(styles=["value", "size"]).fit(market.panel)
    near(scaled.loadings, plain.loadings, atol=1e-8)
    near(scaled.factor_returns, plain.factor_returns, rtol=1e-7, atol=1e-11)
    returns = attrs.evolve(market.panel, excess_returns=2 * market.returns)
    near(market.estimator(styles=["value", "size"]).fit(returns).factor_returns, 2 * scaled.factor_returns)


@settings(max_examples=20)
@given(seed=st.integers(0, 20))
def test_order_does_not_matter(seed):
    market = Market(seed, t=6, n=40, missing=0.1)
    rng = np.random.default_rng(seed)
    order = list(rng.permutation(market.assets))
    long = market.numbers
    table = (
        pd.concat(
            [
                long.frame(n)
                .rename_axis("date")
                .melt(ignore_index=False, var_name="asset", value_name=n)
                .set_index("asset", append=True)
                for n in long.names
            ],
            axis=1,
        )
        .reset_index()
        .sample(frac=1, random_state=seed)
    )
    known = rm.Characteristics.long(table).join(market.groups)
    turned = rm.CrossSectional(known, styles=STYLES, groups=["industry"], caps="cap").fit(market.panel.select(order))
    fitted = market.estimator().fit(market.panel)
    near(turned.factor_returns, fitted.factor_returns)
    near(turned.loadings.loc[market.assets], fitted.loadings)
    near(turned.residuals[market.assets], fitted.residuals)


def test_dates_are_independent():
    market = Market(missing=0.1)
    fitted = market.estimator(styles=["value", "size"]).fit(market.panel)
    part = market.estimator(styles=["value", "size"]).fit(
        market.panel.select(start=market.days[20], end=market.days[40])
    )
    np.testing.assert_array_equal(part.factor_returns, fitted.factor_returns.iloc[19:40])


def test_portfolios_mimic_the_factors():
    market = Market()
    fitted = market.estimator().fit(market.panel)
    weights = pd.DataFrame({f.name: f.weights for f in fitted.definitions}).reindex(market.assets).fillna(0.0)
    exposures = fitted.loadings.T @ weights
    styles = ["value", "size"]
    near(exposures.loc[styles, styles], np.eye(2), atol=1e-12)
    near(exposures.loc["Market"], [1, 0, 0, 0, 0, 0, 0], atol=1e-12)
    assert [f.funded for f in fitted.definitions] == [True] + 6 * [False]
    # their returns on the next date would be the regression's
    again = Market(t=61)
    assert np.array_equal(again.assets, market.assets)
    x, c = market.design(-1), market.constraints(-1, slice(None))
    r = np.random.default_rng(0).normal(0, 0.01, 80)
    near(weights.T @ r, constrained(x, r, np.sqrt(market.cap[-1]), c))


def test_with_loadings_keeps_the_laws():
    market = Market(missing=0.1)
    fitted = market.estimator().fit(market.panel)
    changed = fitted.with_loadings(fitted.loadings * 0.9)
    assert changed.residuals.mean().abs().max() < 1e-15
    near(
        changed.residuals + changed.alpha - 0.1 * fitted.factor_returns @ fitted.loadings.T,
        fitted.residuals + fitted.alpha,
    )
    assert changed.cross_section is fitted.cross_section
    assert fitted.regression is None
    with pytest.raises(rm.NotEstimatedError):
        rm.Vasicek(market.estimator()).fit(market.panel)


def test_fits_can_be_pickled_and_not_written_to():
    market = Market(t=10)
    fitted = pickle.loads(pickle.dumps(market.estimator())).fit(market.panel)
    again = pickle.loads(pickle.dumps(fitted))
    assert again.cross_section.tvalues.equals(fitted.cross_section.tvalues)
    with pytest.raises(ValueError, match="read-only"):
        fitted.cross_section.std_errors.iloc[:, 0].to_numpy()[0] = 1.0
    assert "10 dates × 7 factors" in repr(fitted.cross_section)


# -- preparation ---------------------------------------------------------------------------------------


def sections(values, caps, universe):
    values = np.asarray(values, dtype=float)
    return rm.CrossSections(np.asarray(caps, float), np.asarray(universe), {}, lambda n: values, lambda n: values)


@given(seed=st.integers(0, 50), shift=st.sampled_from([0.0, 1e3]))
def test_preparations_are_the_formulas(seed, shift):
    rng = np.random.default_rng(seed)
    x = shift + rng.standard_t(2, (3, 30))
    x[rng.random(x.shape) < 0.2] = np.nan
    caps, universe = np.exp(rng.normal(size=x.shape)), rng.random(x.shape) < 0.7
    s = sections(x, caps, universe)
    got = {type(p).__name__: p.prepare(x, s) for p in (
        rm.WinsorisedByMAD(3.0), rm.WinsorisedBySigma(1.5), rm.Standardised(), rm.MeanFilled()
    )}  # fmt: skip
    for t in range(3):
        inside = universe[t] & ~np.isnan(x[t])
        own, weight = x[t, inside], caps[t, inside]
        centre = np.median(own)
        reach = 3 * np.median(np.abs(own - centre)) * 1.482602218505602
        near(got["WinsorisedByMAD"][t], np.clip(x[t], centre - reach, centre + reach))
        near(
            got["WinsorisedBySigma"][t],
            np.clip(x[t], own.mean() - 1.5 * own.std(), own.mean() + 1.5 * own.std()),
            rtol=1e-8,
        )
        mean = np.average(own, weights=weight)
        near(got["Standardised"][t], (x[t] - mean) / own.std(), rtol=1e-7, atol=1e-8)
        near(got["MeanFilled"][t], np.where(np.isnan(x[t]), mean, x[t]))


@pytest.mark.parametrize("names", [["size"], ["size", "industry"], ["industry"]])
def test_neutralised_styles_are_residuals(names):
    market = Market()
    neutral = rm.Style("value", [rm.Neutralised(names)])
    fitted = market.estimator(styles=[rm.Style("size", []), neutral], universe=rm.LargestCaps(60)).fit(market.panel)
    design = [np.ones((80, 1))]
    if "size" in names:
        design.append(market.size[-1][:, None])
    if "industry" in names:
        design.append((market.industry[:, None] == np.array(INDUSTRIES[:3])).astype(float))
    x = np.column_stack(design)
    largest = np.argsort(-market.cap[-1])[:60]
    expected = sm.WLS(market.value[-1, largest], x[largest], np.sqrt(market.cap[-1, largest])).fit()
    near(fitted.loadings["value"], market.value[-1] - x @ expected.params, atol=1e-12)


def test_neutralising_to_what_is_not_there_is_an_error():
    market = Market()
    with pytest.raises(rm.InvalidParameterError):
        market.estimator(styles=[rm.Style("value", [rm.Neutralised(["growth"])])]).fit(market.panel)
    steps = [rm.Neutralised(["size", "twin"])]
    twin = rm.Style("twin", [], characteristic="size")
    with pytest.raises(rm.CollinearFactorsError):
        market.estimator(styles=[rm.Style("size", []), twin, rm.Style("value", steps)]).fit(market.panel)


# -- wrong arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"styles": ["growth"]}, {"styles": "value"}, {"groups": ["sector"]}, {"caps": "price"}, {"caps": None},
        {"market": None}, {"market": None, "groups": [], "styles": []}, {"styles": ["industry"]},
        {"caps": "industry"}, {"universe": 500}, {"universe": rm.LargestCaps}, {"weighting": "cap"}, {"oldest": 30},
        {"missing": "drop"}, {"market": ["Market"]},
    ],
)  # fmt: skip
def test_wrong_parameters_are_errors(changes):
    with pytest.raises(rm.InvalidParameterError):
        Market(t=3, n=20).estimator(**changes)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rm.Style("a", rm.Standardised()), lambda: rm.Style("a", ["standardise"]), lambda: rm.Style(["a"]),
        lambda: rm.Groups("a", smallest=0), lambda: rm.WinsorisedByMAD(0), lambda: rm.WinsorisedBySigma(np.nan),
        lambda: rm.Neutralised([]), lambda: rm.Neutralised("size"), lambda: rm.LargestCaps(1),
        lambda: rm.Flagged(None), lambda: rm.InverseVariance(largest=0.5), lambda: rm.InverseVariance(rm.OLS()),
        lambda: rm.InverseVariance(half_life=20), lambda: rm.CrossSectional(pd.DataFrame()),
    ],
)  # fmt: skip
def test_wrong_parts_are_errors(make):
    with pytest.raises(rm.InvalidParameterError):
        make()


@pytest.mark.parametrize("cap", [0.0, -3.0])
def test_capitalisations_must_be_positive(cap):
    market = Market()
    market.cap[7, 4] = cap
    with pytest.raises(rm.DataError) as error:
        market.estimator().fit(market.panel)
    assert error.value.details["assets"] == [market.assets[4]]
    assert error.value.details["dates"] == [market.days[8].date()]


def test_names_of_factors_must_differ():
    market = Market()
    market.country = np.where(market.country == "DE", "energy", market.country)
    with pytest.raises(rm.DuplicateLabelsError):
        market.estimator(groups=["industry", "country"]).fit(market.panel)


def test_own_parts_are_checked():
    @attrs.frozen
    class Wrong(rm.Preparation):
        def prepare(self, values, sections):
            return values[:, :2]

    @attrs.frozen
    class Infinite(rm.Preparation):
        def prepare(self, values, sections):
            return values / 0.0

    @attrs.frozen
    class Everything(rm.EstimationUniverse):
        def members(self, sections):
            return np.ones(sections.caps.shape)

    @attrs.frozen
    class Negative(rm.RegressionWeights):
        def weights(self, caps, residuals, horizon):
            return -caps

    market = Market(t=5)
    for changes in (
        {"styles": [rm.Style("value", [Wrong()])]},
        {"universe": Everything()},
        {"weighting": Negative()},
    ):
        with pytest.raises(rm.InvalidParameterError):
            market.estimator(**changes).fit(market.panel)
    with pytest.raises(rm.EstimationError) as error:
        market.estimator(styles=[rm.Style("value", [Infinite()])]).fit(market.panel)
    assert error.value.details["factor"] == "value"


# -- a whole model -------------------------------------------------------------------------------------


class TestContract(EstimatorContract):
    explains_sample_variance = False
    separable = False

    def panel(self):
        return Market(t=100, n=24).panel

    def estimator(self):
        market = Market(t=100, n=24)
        loadings = market.estimator(styles=["value", "size"])
        return rm.Assembled(loadings, rm.EWMACovariance(rm.MONTH, rm.QUARTER), rm.EWMAVariance(rm.QUARTER))


class TestContractOnMonths(EstimatorContract):
    explains_sample_variance = False
    separable = False

    def panel(self):
        data = rm.SampleData(rm.MONTH)
        names = ["BusEq", "Utils", "NoDur", "Durbl", "Manuf", "Enrgy", "Chems", "Telcm"]
        return data.panel(names, [], start="2008-12")

    def estimator(self):
        cyclical = {"BusEq": "a", "Utils": "b", "NoDur": "b", "Durbl": "a", "Manuf": "a", "Enrgy": "a", "Chems": "a"}
        kinds = rm.Characteristics.static(pd.Series(cyclical | {"Telcm": "b"}, name="kind"))
        loadings = rm.CrossSectional(kinds, groups=["kind"], weighting=rm.InverseVariance(rm.UnitWeights(), rm.YEAR))
        return rm.Assembled(loadings, **PARTS)


def test_a_strategy_is_hedged_under_a_fundamental_model():
    market = Market(t=120, n=60)
    model = rm.Assembled(market.estimator(styles=["value", "size"]), **PARTS).fit(market.panel)
    strategy = rm.Strategy({market.assets[0]: 1.0, market.assets[5]: -0.4}, model)
    hedged = rm.HedgedPortfolio.neutral(strategy)
    assert hedged.exposures.abs().max() < 1e-12
    before = model.covariance.volatility(strategy.weights)
    assert float(hedged.volatility.at(rm.DAY)) < float(before.at(rm.DAY))
    report = rm.RiskReport.of(strategy, market.panel, rm.RiskBudget(1e6, rm.MONTH))
    assert report.to_dict()["factors"] == list(map(str, model.factors))
    stages = rm.Assembled(
        market.estimator(), rm.SampleCovariance(), rm.ShrunkVariance(rm.SampleVariance(), 0.5)
    ).stages(market.panel)
    assert set(stages["stage"]) == {"ShrunkVariance"}


def test_statistical_factors_find_what_characteristics_miss():
    market = Market(t=200, n=60)
    rng = np.random.default_rng(5)
    market.returns += rng.normal(0, 0.02, (200, 1)) * rng.normal(0, 1, 60)
    hybrid = rm.Hybrid(market.estimator(), rm.PrincipalComponents(1)).fit(market.panel)
    assert list(hybrid.factors)[-1] == "PC1"
    assert hybrid.before.cross_section is not None
    assert hybrid.residuals.var().mean() < 0.6 * hybrid.before.residuals.var().mean()
