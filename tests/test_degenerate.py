"""What says nothing is said to say nothing: still factors, still assets, too few dates, models of something else."""

import copy
import pickle

import attrs
import numpy as np
import pandas as pd
import pytest
from panels import clean, panel_of

import riskmodel as rm

ESTIMATORS = [rm.OLS(), rm.EWMA(half_life=rm.Horizon(40))]


def still_for_one(k=1, at=0.0, t=80, until=30):
    """A panel whose factors do not vary on the only dates of the first asset."""
    rng = np.random.default_rng(0)
    f = rng.normal(0, 0.01, (t, k))
    f[:until] = at
    r = f @ np.ones((k, 3)) + rng.normal(0, 0.01, (t, 3))
    r[until:, 0] = np.nan
    return panel_of(r, f)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=["OLS", "EWMA"])
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("at", [0.0, 0.01])
class TestFactorsThatAreStillForOneAsset:
    def test_are_an_error_that_names_it(self, estimator, k, at):
        with pytest.raises(rm.CollinearFactorsError, match="A0") as error:
            estimator.fit(still_for_one(k, at))
        assert error.value.details["assets"] == ["A0"]

    def test_are_an_error_in_merged_moments(self, estimator, k, at):
        panel = still_for_one(k, at)
        state = estimator.moments(panel.select(end=panel.dates[44]))
        with pytest.raises(rm.CollinearFactorsError, match="A0"):
            estimator.estimate(estimator.update(state, panel.select(start=panel.dates[45])))

    def test_are_told_by_a_history(self, estimator, k, at):
        history = rm.Expanding(estimator, minimum=40).fit(still_for_one(k, at))
        last = history.on(history.dates[-1])
        assert list(last.assets) == ["A1", "A2"]
        assert "A0" in set(history.missing["asset"])


def test_windows_of_still_factors_have_as_many_observations_as_dates():
    rng = np.random.default_rng(0)
    f = rng.normal(0, 0.01, (60, 2))
    f[:40, 0] = 0.0
    r = rng.normal(0, 0.01, (60, 2))
    history = rm.Rolling(rm.Horizon(30)).fit(panel_of(r, f))
    assert history.n_observations.eq(30).all(axis=None)
    r[5, 1] = np.nan
    fading = rm.Rolling(rm.Horizon(30), rm.EWMA(half_life=rm.Horizon(20))).fit(panel_of(r, f))
    weights = 0.5 ** (np.arange(29, -1, -1) / 20)
    whole = weights.sum() ** 2 / (weights**2).sum()
    estimated = fading.idio_variance["A0"].notna()
    np.testing.assert_allclose(fading.n_observations["A0"][estimated], whole, rtol=1e-12)
    assert fading.n_observations.iloc[0].tolist() == [30, 29]


@pytest.mark.parametrize("value", [0.01, -1e-4, 1 / 3 - 0.3])
class TestAnAssetThatIsAlwaysAlike:
    def panel(self, value):
        r, f, _ = clean(n=3, t=200).arrays()
        r = r.copy()
        r[:, 1] = value
        return panel_of(r, f)

    def check(self, model, value):
        assert model.idio_variance["A1"] == model.regression.total_variance["A1"] == 0.0
        assert (model.loadings.loc["A1"] == 0.0).all()
        assert model.alpha["A1"] == pytest.approx(value, rel=1e-12)
        assert np.isnan(model.regression.rsquared["A1"])
        assert (model.regression.rsquared.drop("A1") > 0.1).all()

    @pytest.mark.parametrize("estimator", ESTIMATORS, ids=["OLS", "EWMA"])
    def test_has_no_variance(self, estimator, value):
        panel = self.panel(value)
        self.check(estimator.fit(panel), value)
        with pytest.raises(rm.SingularCovarianceError, match="A1"):
            estimator.fit(panel).covariance.solve(np.ones(3))

    def test_has_none_in_windows(self, value):
        history = rm.Rolling(rm.Horizon(60)).fit(self.panel(value))
        for date in history.dates[::50]:
            self.check(history.on(date), value)

    def test_has_none_after_merging(self, value):
        panel = self.panel(value)
        first, second = panel.select(end=panel.dates[70]), panel.select(start=panel.dates[71])
        self.check(rm.OLS().estimate(rm.Moments.of(first) + rm.Moments.of(second)), value)


@pytest.mark.parametrize("days", [5.0, 1e5, 1e9, 1e15])
@pytest.mark.parametrize(("t", "k"), [(3, 2), (1, 0), (4, 3)])
def test_weights_do_not_make_too_few_dates_enough(days, t, k):
    rng = np.random.default_rng(0)
    factors = rng.normal(0, 0.01, (t, k))
    panel = panel_of(rng.normal(0, 0.01, (t, 1)), factors) if k else clean(t=t, n=1).select(factors=[])
    with pytest.raises(rm.TooFewObservationsError):
        rm.EWMA(half_life=rm.Horizon(days)).fit(panel)


class _SomeOnly(rm.MomentEstimator):
    def estimate(self, moments):
        return rm.OLS().estimate(moments).restrict(["A1"])


class _Others(rm.MomentEstimator):
    def estimate(self, moments):
        return rm.OLS().fit(clean(n=1).select(["A0"]))


@pytest.mark.parametrize("estimator", [_SomeOnly(), _Others()])
def test_a_model_of_other_assets_is_refused(estimator):
    for fit in (estimator.fit, rm.Rolling(rm.Horizon(60), estimator).fit, rm.Expanding(estimator).fit):
        with pytest.raises(rm.InvalidParameterError, match=r"of the moments' assets, A0, A1, A2, from .*, got"):
            fit(clean(n=3))


class TestStates:
    def test_know_how_fast_they_forget(self, tmp_path):
        panel = clean()
        old, new = panel.select(end=panel.dates[200]), panel.select(start=panel.dates[201])
        state = rm.EWMA(half_life=rm.Horizon(40)).moments(old)
        state.save(tmp_path / "state.npz")
        for kept in (state, rm.Moments.load(tmp_path / "state.npz"), pickle.loads(pickle.dumps(state))):
            for other in (rm.OLS(), rm.EWMA(half_life=rm.Horizon(41))):
                with pytest.raises(rm.InvalidParameterError, match=r"decay factor 0\.98"):
                    other.update(kept, new)
        assert rm.EWMA(half_life=rm.Horizon(40)).update(state, new).n_dates == 300
        assert rm.OLS().update(rm.Moments.of(old), new).n_dates == 300  # whoever made these weighed them

    def test_are_read_only_again_when_they_come_back(self):
        moments = rm.Moments.of(clean())
        for back in (pickle.loads(pickle.dumps(moments)), copy.deepcopy(moments), copy.copy(moments)):
            for array in (back.regressions.coefficients, back.regressions.rss, back.factor_mean, back.basis):
                assert not array.flags.writeable
            assert rm.OLS().estimate(back).loadings.equals(rm.OLS().estimate(moments).loadings)

    @pytest.mark.parametrize("without", ["rss", "basis", "count"])
    def test_a_file_without_a_part_is_damaged(self, tmp_path, without):
        rm.Moments.of(clean()).save(tmp_path / "state.npz")
        with np.load(tmp_path / "state.npz") as file:
            arrays = {name: file[name] for name in file.files}
        short = arrays | {without: arrays[without][:-1]}
        np.savez(tmp_path / "short.npz", **short)
        del arrays[without]
        np.savez(tmp_path / "less.npz", **arrays)
        for name in ("short.npz", "less.npz"):
            with pytest.raises(rm.InvalidParameterError, match="save it again"):
                rm.Moments.load(tmp_path / name)

    def test_labels_of_numpy_can_be_saved(self, tmp_path):
        panel = clean(n=2)
        data = pd.DataFrame(panel.arrays()[0], panel.dates, pd.Index([np.int64(10107), "B"], dtype=object))
        mine = rm.InMemory(data, factors=panel.factor_returns, risk_free=0.0, horizon=rm.DAY)
        rm.Moments.of(mine.panel([10107, "B"], list(panel.factors))).save(tmp_path / "state.npz")
        assert list(rm.Moments.load(tmp_path / "state.npz").assets) == [10107, "B"]


def test_what_is_no_panel_no_state_and_no_weights_is_refused():
    panel = clean()
    for call in (
        lambda: rm.OLS().moments(panel.excess_returns),
        lambda: rm.OLS().update(None, panel),
        lambda: rm.OLS().update(rm.Moments.of(panel), panel.excess_returns),
        lambda: rm.Moments.of(panel, ["a"] * len(panel.dates)),
        lambda: rm.Moments.of(panel.excess_returns),
        lambda: rm.Moments.of(panel).decay("a"),
        lambda: rm.OLS().estimate(None),
        lambda: rm.Rolling(rm.Horizon(60)).fit(panel.excess_returns),
        lambda: rm.Rolling(rm.Horizon(60)).fit(panel.select(assets=[])),
        lambda: rm.OLS().fit(panel).covariance.sample(-1, np.random.default_rng(0)),
        lambda: rm.OLS().fit(panel).covariance.sample(2.5, np.random.default_rng(0)),
        lambda: rm.StoredPanel.parquet(None, factors=panel.factor_returns, risk_free=0.0, horizon=rm.DAY),
    ):
        with pytest.raises(rm.InvalidParameterError):
            call()
    weights = pd.Series(np.linspace(1, 2, 300), panel.dates)
    labelled, plain = (rm.OLS().estimate(rm.Moments.of(panel, w)) for w in (weights, weights.to_numpy()))
    assert labelled.loadings.equals(plain.loadings)


@pytest.mark.parametrize("size", [1e155, np.inf])
def test_a_number_without_a_square_is_no_return_wherever_it_lies(size, tmp_path):
    from dask import array

    from riskmodel.panel.dask import DaskPanel

    panel = clean()
    wild = panel.excess_returns.copy()
    wild.iloc[7, 1] = size
    more = {"factors": panel.factor_returns, "risk_free": 0.0, "horizon": rm.DAY}
    wild.to_parquet(tmp_path / "wild.parquet")
    on_a_cluster = DaskPanel.from_array(
        array.from_array(wild.to_numpy(), chunks=(100, 5)), dates=wild.index, assets=wild.columns, **more
    )
    for fit in (
        lambda: rm.OLS().fit(rm.InMemory(wild, **more).panel(list(wild), list(panel.factors))),
        lambda: rm.OLS().fit(rm.StoredPanel.array(wild.to_numpy(), dates=wild.index, assets=wild.columns, **more)),
        lambda: rm.OLS().fit(rm.StoredPanel.parquet(tmp_path, **more)),
        lambda: rm.OLS().fit(on_a_cluster),
    ):
        with pytest.raises(rm.InfiniteReturnsError, match=r"larger than 1e\+150") as caught:
            fit()
        assert caught.value.details["label"] == wild.columns[1]


@pytest.mark.parametrize("size", [1e152, 1e200])
def test_a_factor_whose_variance_is_no_number_is_refused(size):
    panel = clean()
    name = panel.factors[-1]

    def scaled(by):
        return panel.factor_returns.assign(**{name: panel.factor_returns[name] * by})

    own_scale = [*panel.factors[:-1], rm.PublishedFactor(name, tradable=False)]

    def fit(factors):
        free = panel.risk_free * 0
        aligned = rm.ReturnPanel.align(panel.excess_returns, factors, free, horizon=rm.DAY, definitions=own_scale)
        return rm.OLS().fit(aligned)

    with pytest.raises(rm.InfiniteReturnsError, match=r"larger than 1e\+150") as caught:
        fit(scaled(size))
    assert caught.value.details["label"] == name
    with pytest.raises(rm.InvalidParameterError, match=r"factor_returns finite.* at most 1e\+150"):
        attrs.evolve(panel, factor_returns=scaled(size).to_numpy())
    np.testing.assert_allclose(
        fit(scaled(1e140)).loadings[name] * 1e140, fit(panel.factor_returns).loadings[name], rtol=1e-12
    )


def test_windows_whose_variance_is_no_number_are_said():
    panel = clean()
    wild = panel.arrays()[0].copy()
    wild[20, 1] = 1e155  # which only the constructor takes
    with np.errstate(all="ignore"):
        history = rm.Rolling(rm.Horizon(60)).fit(attrs.evolve(panel, excess_returns=wild))
    gone = history.idio_variance[panel.assets[1]].isna()
    assert gone.iloc[:21].all()
    assert history.missing.loc[history.missing["asset"] == panel.assets[1], "windows"].sum() == gone.sum()


@pytest.mark.parametrize("weight", [1e-90, 1e-3, 1e6, 1e90])
def test_no_scale_of_the_weights_makes_a_factor_still_or_moving(weight):
    panel = clean()
    weights = np.full(len(panel.dates), weight)
    model, same = rm.OLS().fit(panel), rm.OLS().estimate(rm.Moments.of(panel, weights))
    np.testing.assert_allclose(same.loadings, model.loadings, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(same.idio_variance, model.idio_variance, rtol=1e-11)
    mean = 1.0 + 1e-13 * np.random.default_rng(0).normal(size=len(panel.dates))
    still = attrs.evolve(
        panel, factor_returns=panel.factor_returns.assign(**{panel.factors[0]: 1e-3 * mean}).to_numpy()
    )
    with pytest.raises(rm.ConstantFactorError):
        rm.OLS().estimate(rm.Moments.of(still, weights))


def test_weights_of_absurd_size_are_refused():
    for size in (1e-150, 1e150):
        with pytest.raises(rm.InvalidParameterError, match="divide all by it"):
            rm.Moments.of(clean(), np.full(300, size))


@pytest.mark.parametrize("keep", [-1.0, 0.0, 2.0, np.nan, "x", None])
def test_decay_factors_outside_0_to_1_are_refused(keep):
    class Odd(rm.LeastSquares):
        def decay_factor(self, horizon):
            return keep

    panel = clean()
    for call in (Odd().fit, Odd().moments, rm.Rolling(rm.Horizon(60), Odd()).fit):
        with pytest.raises(rm.InvalidParameterError, match=r"expected Odd\.decay_factor above 0 and at most 1"):
            call(panel)


def test_moments_with_different_decay_factors_do_not_merge():
    panel = clean()
    old, new = panel.select(end=panel.dates[149]), panel.select(start=panel.dates[150])
    fast, slow = rm.EWMA(half_life=rm.MONTH), rm.EWMA(half_life=rm.YEAR)
    for one, other in ((fast, slow), (fast, rm.OLS()), (rm.OLS(), slow)):
        with pytest.raises(rm.InvalidParameterError, match="different decay factors"):
            one.moments(old) + other.moments(new)
    state = fast.moments(old).decay(fast.decay_factor(rm.DAY) ** 150)
    for plain in (state + rm.Moments.of(new, fast.weights(new)), rm.Moments.of(new, fast.weights(new)) + state):
        assert plain.decay_factor == fast.decay_factor(rm.DAY)


def test_states_are_kept_or_nothing_is(tmp_path):
    state = rm.Moments.of(clean())
    (tmp_path / "folder").mkdir()
    for path in (None, 5, b"x", "a\0b"):
        with pytest.raises(rm.InvalidParameterError, match="path"):
            state.save(path)
        with pytest.raises(rm.InvalidParameterError, match="path"):
            rm.Moments.load(path)
    for path in (tmp_path / "folder", tmp_path / "none" / "state.npz"):
        with pytest.raises(OSError, match=path.parent.name):
            state.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
    state.save(tmp_path / "state.npz")
    with pytest.raises(rm.InvalidParameterError, match=r"factors.*\[5\]"):
        rm.Moments.load(tmp_path / "state.npz", factors=5)


def test_errors_speak_of_what_was_asked(tmp_path):
    panel = clean()
    more = {"factors": panel.factor_returns, "risk_free": 0.0, "horizon": rm.DAY}
    stored = rm.StoredPanel.array(panel.excess_returns.to_numpy(), dates=panel.dates, assets=panel.assets, **more)
    with pytest.raises(rm.NoOverlapError, match=rf"from 2130 on, got none among the {len(panel.dates)} dates"):
        stored.between("2130")
    with pytest.raises(rm.InvalidParameterError, match=r"dates.*\[None\]"):
        rm.StoredPanel.array(panel.excess_returns.to_numpy(), dates=None, **more)
    with pytest.raises(rm.InvalidParameterError, match=r"date.* 5"):
        rm.Rolling(rm.Horizon(60)).fit(panel).on(5)
    for wanted in ([["A0"]], slice(0, 2)):
        with pytest.raises((rm.InvalidParameterError, rm.UnknownAssetError)):
            panel.select(wanted)


def test_no_factors_leave_the_terminal_alone(capfd):
    rm.Rolling(rm.Horizon(60)).fit(clean().select(factors=[]))
    assert capfd.readouterr() == ("", "")
