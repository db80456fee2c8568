"""A state lives through listings and delistings: updated by the day, it equals a fit of all days."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import panel_of, ragged

import riskmodel as rm

ESTIMATORS = st.sampled_from([rm.OLS(), rm.EWMA(half_life=rm.Horizon(20)), rm.EWMA(half_life=rm.Horizon(300))])


def assert_same_model(ours, theirs, tolerance):
    assert list(ours.assets) == list(theirs.assets)
    errors = theirs.regression.std_errors.to_numpy()
    estimates = np.column_stack([theirs.alpha, theirs.loadings])
    gap = np.abs(np.column_stack([ours.alpha, ours.loadings]) - estimates)
    assert (gap <= tolerance * (np.abs(estimates) + errors)).all()
    np.testing.assert_allclose(ours.idio_variance, theirs.idio_variance, rtol=tolerance, atol=1e-300)
    np.testing.assert_allclose(ours.factor_covariance, theirs.factor_covariance, rtol=tolerance, atol=1e-20)
    np.testing.assert_allclose(ours.regression.n_observations, theirs.regression.n_observations, rtol=tolerance)


@given(seed=st.integers(0, 2**32 - 1), estimator=ESTIMATORS, n=st.integers(2, 6), k=st.integers(0, 2))
def test_updated_over_a_changing_universe_equals_refitted(seed, estimator, n, k):
    rng = np.random.default_rng(seed)
    t = 60
    f = rng.normal(0, 0.01, (t, k))
    r = f @ rng.normal(1, 0.5, (n, k)).T + rng.normal(0, 0.01, (t, n))
    listed, delisted = rng.integers(0, 30, n), rng.integers(31, 90, n)
    listed[0], delisted[0] = 0, t  # some asset has a return on every date
    days = np.arange(t)[:, None]
    r[(days < listed) | (days >= delisted)] = np.nan
    whole = panel_of(r, f)
    cut = int(rng.integers(10, 30))
    known = [whole.assets[j] for j in range(n) if listed[j] < cut]
    state = estimator.moments(whole.select(known, end=whole.dates[cut - 1]))
    while cut < t:
        step = int(rng.integers(1, 9))
        new = whole.select(start=whole.dates[cut], end=whole.dates[min(cut + step, t) - 1])
        known += [whole.assets[j] for j in range(n) if cut <= listed[j] < cut + step]
        state = estimator.update(state.reindex(known), new.select(known))
        cut += step
    alive = [whole.assets[j] for j in range(n) if delisted[j] >= t]
    ours, theirs = estimator.estimate(state.reindex(alive)), estimator.fit(whole.select(alive))
    assert_same_model(ours, theirs, 1e-8)


def test_reindex_keeps_what_is_known_and_starts_the_rest_empty():
    panel = ragged()
    state = rm.OLS().moments(panel)
    turned = state.reindex(["A3", "NEW", "A0"])
    assert turned.regressions.n_observations().tolist() == [
        int(panel.excess_returns["A3"].count()), 0, int(panel.excess_returns["A0"].count()),
    ]  # fmt: skip
    listed = turned.regressions
    assert not listed.coefficients[1].any()
    assert listed.r_mean[1] == listed.rss[1] == listed.fitted_squares()[1] == 0
    assert listed.n_effective()[listed.pattern[1]] == 0
    some = rm.OLS().estimate(state.reindex(["A3", "A0"]))
    assert_same_model(some, rm.OLS().fit(panel.select(["A3", "A0"])), 1e-10)
    with pytest.raises(rm.TooFewObservationsError) as error:
        rm.OLS().estimate(turned)
    assert error.value.details["assets"] == ["NEW"]
    with pytest.raises(rm.DuplicateLabelsError):
        state.reindex(["A0", "A0"])
    with pytest.raises(rm.InvalidParameterError):
        state.reindex("A0")
    assert state.reindex([]).assets.empty
    assert list(state.reindex([]).reindex(["A1"]).assets) == ["A1"]


def test_a_universe_that_is_all_new_starts_empty():
    panel = ragged()
    state = rm.OLS().moments(panel.select(end=panel.dates[99])).reindex(["B0"])
    frame = panel.excess_returns[["A0"]].iloc[100:200].set_axis(["B0"], axis=1).fillna(0.01)
    new = rm.ReturnPanel.align(
        frame, panel.factor_returns.iloc[100:200], panel.risk_free.iloc[100:200] * 0, horizon=rm.DAY
    )
    model = rm.OLS().estimate(rm.OLS().update(state, new))
    alone = rm.OLS().fit(new)
    np.testing.assert_allclose(model.loadings, alone.loadings, rtol=1e-9)
    np.testing.assert_allclose(model.idio_variance, alone.idio_variance, rtol=1e-9)


def test_a_listing_takes_its_first_stretch_as_it_is():
    panel = ragged()
    old, new = panel.select(end=panel.dates[199]), panel.select(start=panel.dates[200])
    state = rm.Moments.of(old.select(["A1"])).reindex(["A1", "A6"])
    joined, alone = (state + rm.Moments.of(new.select(["A1", "A6"]))).regressions, rm.Moments.of(new).regressions
    at = new.assets.get_loc("A6")
    assert joined.r_mean[1] == alone.r_mean[at]
    assert joined.rss[1] == pytest.approx(alone.rss[at], rel=1e-12)
    assert joined.n_observations()[1] == new.excess_returns["A6"].count()
