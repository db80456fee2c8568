"""Moments: any split of the dates merges to the same estimates."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import HARD, ORDINARY, clean, nearly_collinear, nearly_explained, panel_of, ragged, reference

import riskmodel as rm


def split(panel, *cuts):
    """The moments of consecutive stretches of a panel."""
    edges = [0, *cuts, len(panel.dates)]
    return [rm.Moments.of(panel.select(start=panel.dates[a], end=panel.dates[b - 1])) for a, b in pairwise(edges)]


def assert_same_model(ours, theirs, tolerance=1e-12):
    errors = np.asarray(theirs.regression.std_errors)
    estimates = np.column_stack([theirs.alpha, theirs.loadings])
    gap = np.abs(np.column_stack([ours.alpha, ours.loadings]) - estimates)
    assert (gap <= tolerance * (np.abs(estimates) + errors)).all()
    np.testing.assert_allclose(ours.regression.std_errors, errors, rtol=tolerance)
    np.testing.assert_allclose(ours.idio_variance, theirs.idio_variance, rtol=tolerance)
    np.testing.assert_allclose(ours.regression.total_variance, theirs.regression.total_variance, rtol=tolerance)
    np.testing.assert_allclose(ours.factor_covariance, theirs.factor_covariance, rtol=tolerance, atol=1e-20)
    np.testing.assert_allclose(ours.factor_mean, theirs.factor_mean, rtol=tolerance, atol=1e-20)
    assert ours.risk_free_mean == pytest.approx(theirs.risk_free_mean, rel=tolerance)
    assert ours.regression.n_observations.tolist() == theirs.regression.n_observations.tolist()


@given(cuts=st.lists(st.integers(1, 299), max_size=6, unique=True).map(sorted))
def test_any_split_of_a_full_panel_gives_the_same_estimates(cuts):
    panel = clean()
    assert_same_model(rm.OLS().estimate(sum_of(split(panel, *cuts))), rm.OLS().fit(panel))


@given(cuts=st.lists(st.integers(1, 299), max_size=6, unique=True).map(sorted))
def test_any_split_of_a_ragged_panel_gives_the_same_estimates(cuts):
    panel = ragged()
    assert_same_model(rm.OLS().estimate(sum_of(split(panel, *cuts))), rm.OLS().fit(panel), 1e-11)


@given(cut=st.integers(1, 299))
def test_merging_commutes(cut):
    first, second = split(ragged(), cut)
    assert_same_model(rm.OLS().estimate(first + second), rm.OLS().estimate(second + first), 1e-11)


def sum_of(parts):
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def test_day_by_day_gives_the_same_estimates():
    panel = clean(t=120)
    assert_same_model(rm.OLS().estimate(sum_of(split(panel, *range(1, 120)))), rm.OLS().fit(panel))


@pytest.mark.parametrize("make", [pytest.param(m, id=n) for n, m in {**ORDINARY, **HARD}.items()])
@pytest.mark.parametrize("cuts", [(150,), (3, 200), tuple(range(1, 290, 7))], ids=["halves", "thirds", "weeks"])
def test_merged_agrees_with_statsmodels(make, cuts):
    panel = make()
    model = rm.OLS().estimate(sum_of(split(panel, *cuts)))
    fits = reference(panel).values()
    bse = np.array([f.bse for f in fits])
    params = np.array([f.params for f in fits])
    assert (np.abs(np.column_stack([model.alpha, model.loadings]) - params) <= 1e-9 * (np.abs(params) + bse)).all()
    np.testing.assert_allclose(model.regression.std_errors, bse, rtol=1e-9)
    np.testing.assert_allclose(model.regression.unbiased_idio_variance, [f.mse_resid for f in fits], rtol=1e-9)


def test_a_stretch_in_which_a_factor_stands_still_merges():
    r, f, _ = clean(k=2).arrays()
    f = f.copy()
    f[:100, 1] = 0.0
    panel = panel_of(r, f)
    assert_same_model(rm.OLS().estimate(sum_of(split(panel, 100))), rm.OLS().fit(panel), 1e-11)


def test_a_stretch_in_which_factors_coincide_merges():
    r, f, _ = clean(k=2).arrays()
    f = f.copy()
    f[:100, 1] = f[:100, 0]
    panel = panel_of(r, f)
    for parts in (split(panel, 100), split(panel, 100)[::-1]):
        assert_same_model(rm.OLS().estimate(sum_of(parts)), rm.OLS().fit(panel), 1e-10)


def test_an_asset_that_is_absent_from_a_stretch_merges():
    r, f, _ = clean().arrays()
    r = r.copy()
    r[:150, 3] = np.nan
    r[150:, 5] = np.nan
    panel = panel_of(r, f)
    assert_same_model(rm.OLS().estimate(sum_of(split(panel, 150))), rm.OLS().fit(panel), 1e-11)


def test_assets_that_share_a_calendar_share_a_pattern():
    r, f, _ = clean(n=6).arrays()
    r = r.copy()
    r[:50, [1, 4]] = np.nan
    r[60:70, 2] = np.nan
    moments = rm.Moments.of(panel_of(r, f))
    assert len(moments.regressions.count) == 3
    assert moments.regressions.n_observations().tolist() == [300, 250, 290, 300, 250, 300]


def test_reading_in_blocks_covers_every_row():
    for t in (127, 128, 129, 256, 257):
        panel = clean(t=t, n=3)
        np.testing.assert_allclose(rm.Moments.of(panel).regressions.r_mean, panel.excess_returns.mean(), rtol=1e-10)


def test_moments_of_different_horizons_do_not_add():
    day = rm.Moments.of(rm.SampleData().panel(["KO"], ["Mkt-RF"]))
    data = rm.SampleData(rm.MONTH)
    month = rm.Moments.of(data.panel(["NoDur"], ["Mkt-RF"]))
    with pytest.raises(rm.HorizonMismatchError, match="DAY and MONTH"):
        day + month


def test_moments_of_different_assets_do_not_add():
    panel = clean(n=3)
    with pytest.raises(rm.InvalidParameterError) as caught:
        rm.Moments.of(panel) + rm.Moments.of(panel.select(["A1", "A0", "A2"]))
    assert caught.value.details["differ"] == "assets"
    with pytest.raises(TypeError):
        rm.Moments.of(panel) + 1


def test_moments_are_read_only():
    moments = rm.Moments.of(clean(n=3))
    with pytest.raises(ValueError, match="read-only"):
        moments.regressions.rss[0] = 0.0


def test_a_model_from_merged_moments_has_the_summary_of_the_panel():
    panel = clean()
    model = rm.OLS().estimate(sum_of(split(panel, 150)))
    assert str(model.summary("A0", panel).tables[1]) == str(rm.OLS().fit(panel).summary("A0", panel).tables[1])
    with pytest.raises(rm.NotEstimatedError) as error:
        model.summary("A0", panel.select(end=panel.dates[100]))
    assert error.value.details["asset"] == "A0"


def test_collinear_and_explained_at_once():
    panel = nearly_explained(unexplained=1e-9, ragged_too=True)
    parts = split(panel, 10, 100, 290)
    assert_same_model(rm.OLS().estimate(sum_of(parts)), rm.OLS().fit(panel), 1e-9)
    panel = nearly_collinear()
    # a condition number of 1e6 leaves ten digits of each figure, and either side has its own
    assert_same_model(rm.OLS().estimate(sum_of(split(panel, 10, 100, 290))), rm.OLS().fit(panel), 5e-9)


def test_a_stretch_in_which_a_factor_stands_at_a_number_merges():
    r, f, _ = clean(t=100, k=3).arrays()
    f = f.copy()
    f[:50, 1] = 0.003
    panel = panel_of(r, f)
    for cuts in ((50,), range(1, 100)):
        assert_same_model(rm.OLS().estimate(sum_of(split(panel, *cuts))), rm.OLS().fit(panel), 2e-12)


def test_moments_of_factors_that_are_not_funded_alike_do_not_add():
    data = rm.SampleData()
    like, unlike = (data.panel(["KO"], [rm.PublishedFactor("Mkt-RF", funding)]) for funding in rm.Funding)
    with pytest.raises(rm.InvalidParameterError, match="funded"):
        rm.Moments.of(like) + rm.Moments.of(unlike)


def beside(panel, *cuts):
    """The moments of some assets after the others, each read by themselves."""
    names = list(panel.assets)
    return [rm.Moments.of(panel.select(names[a:b])) for a, b in pairwise([0, *cuts, len(names)])]


@pytest.mark.parametrize("name", [*ORDINARY, *HARD])
@pytest.mark.parametrize("cuts", [(), (1,), (2, 3, 5)], ids=["whole", "two", "four"])
def test_assets_read_apart_and_put_beside_each_other_give_the_same_estimates(name, cuts):
    panel = (ORDINARY | HARD)[name]()
    first, *rest = beside(panel, *cuts)
    together = first.concat_assets(*rest)
    assert list(together.assets) == list(panel.assets)
    assert len(together.regressions.count) <= len(rm.Moments.of(panel).regressions.count) + 1
    # of other assets beside it, a product is rounded differently
    assert_same_model(rm.OLS().estimate(together), rm.OLS().fit(panel), 1e-12 if name in ORDINARY else 1e-10)


@given(cut=st.integers(1, 299), at=st.integers(1, 15))
def test_merging_along_dates_and_along_assets_may_come_in_either_order(cut, at):
    panel = ragged()
    old, new = panel.select(end=panel.dates[cut - 1]), panel.select(start=panel.dates[cut])
    (a, b), (c, d) = beside(old, at), beside(new, at)
    by_date = rm.OLS().estimate(a.concat_assets(b) + c.concat_assets(d))
    assert_same_model(by_date, rm.OLS().estimate((a + c).concat_assets(b + d)), 1e-11)
    assert_same_model(by_date, rm.OLS().fit(panel), 1e-11)


def test_moments_in_different_bases_are_put_beside_each_other():
    panel = ragged()
    some, rest = panel.select(["A0", "A1"]), panel.select(list(panel.assets[2:]))
    for make in (lambda p: sum_of(split(p, 30, 40)), lambda p: sum_of(split(p, 200)[::-1])):
        together = rm.Moments.of(some).concat_assets(make(rest))
        assert_same_model(rm.OLS().estimate(together), rm.OLS().fit(panel), 1e-11)


def test_without_factors_assets_are_put_beside_each_other():
    r, _, _ = ragged().arrays()
    panel = panel_of(r, np.empty((len(r), 0)))
    first, *rest = beside(panel, 4)
    np.testing.assert_allclose(
        rm.OLS().estimate(first.concat_assets(*rest)).alpha, np.nanmean(r, axis=0), rtol=1e-12, atol=1e-18
    )


def test_what_is_not_of_the_same_dates_is_not_put_beside_each_other():
    panel = clean(n=3)
    one, two = beside(panel, 1)
    r, f, _ = panel.arrays()
    days = panel.dates

    def of(**parts):
        return rm.Moments.of(panel_of(**{"returns": r, "factors": f} | parts))

    month = rm.SampleData(rm.MONTH).panel(["NoDur"], ["Mkt-RF"])
    with pytest.raises(rm.HorizonMismatchError, match="DAY and MONTH"):
        one.concat_assets(rm.Moments.of(month))
    with pytest.raises(rm.InvalidParameterError, match="different factors"):
        one.concat_assets(rm.Moments.of(panel.select(["A1"], factors=["F1", "F0", "F2"])))
    with pytest.raises(rm.InvalidParameterError, match="299 from"):
        one.concat_assets(two, rm.Moments.of(panel.select(["A2"], end=days[-2])))
    with pytest.raises(rm.InvalidParameterError, match="weights"):
        one.concat_assets(rm.EWMA(half_life=rm.QUARTER).moments(panel.select(["A1"])))
    with pytest.raises(rm.InvalidParameterError, match="weights"):
        one.concat_assets(of(factors=np.column_stack([2 * f[:, 0].mean() - f[:, 0], f[:, 1:]])))
    with pytest.raises(rm.InvalidParameterError, match="weights"):
        one.concat_assets(of(factors=f + 1e-6))
    with pytest.raises(rm.DuplicateLabelsError, match="A0"):
        one.concat_assets(one)
    with pytest.raises(rm.InvalidParameterError, match="Moments"):
        one.concat_assets(panel)


def test_patterns_of_assets_that_left_are_gone():
    """The three dates of an asset that left, which determine no regression, must not disturb those that stay."""
    returns, factors, _ = clean(n=4).arrays()
    returns = returns.copy()
    returns[3:, 2] = np.nan
    panel = panel_of(returns, factors)
    stay = ["A0", "A1", "A3"]
    state = rm.Moments.of(panel).reindex(stay)
    assert state.regressions.count.tolist() == [300]
    assert_same_model(rm.OLS().estimate(state), rm.OLS().fit(panel.select(stay)))


def test_least_squares_update_moments_that_were_read_with_equal_weights():
    panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2017-01-01")
    old, new = panel.select(end="2017-12-31"), panel.select(start="2018-01-01")
    state = rm.OLS().update(rm.Moments.of(old), new)
    np.testing.assert_allclose(rm.OLS().estimate(state).loadings, rm.OLS().fit(panel).loadings, rtol=1e-10)


def _of_two_moods(first, second, t=300):
    """A panel of two halves, each with the size of its returns, and the condition of its two factors."""
    rng = np.random.default_rng(0)
    f, noise = rng.normal(0, 0.01, (t, 2)), rng.normal(0, 0.01, (t, 4))
    for half, (size, condition) in ((slice(0, t // 2), first), (slice(t // 2, t), second)):
        f[half, 1] = f[half, 0] + f[half, 1] / condition
        f[half] *= size
        noise[half] *= size
    return panel_of(f @ rng.normal(1, 0.5, (4, 2)).T + noise, f)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param((1e-6, 1), (1, 1e6), id="quiet, then wild and collinear"),
        pytest.param((1, 1e7), (1e-7, 1), id="wild and collinear, then quiet"),
        pytest.param((1e-6, 1e5), (1, 1e5), id="both collinear"),
        pytest.param((1e-4, 1e7), (1, 1e2), id="quiet and collinear, then wild"),
    ],
)
@pytest.mark.parametrize("cuts", [(150,), tuple(range(1, 300, 7))], ids=["halves", "weeks"])
def test_quiet_and_wild_stretches_of_nearly_collinear_factors_merge(first, second, cuts):
    panel = _of_two_moods(first, second)
    parts = split(panel, *cuts)
    for one in (parts, parts[::-1]):
        model = rm.OLS().estimate(sum_of(one))
        for asset, fit in reference(panel).items():
            estimates = [model.alpha[asset], *model.loadings.loc[asset]]
            assert (np.abs(estimates - fit.params) <= 1e-7 * fit.bse).all()
            np.testing.assert_allclose(model.regression.std_errors.loc[asset], fit.bse, rtol=1e-7)
