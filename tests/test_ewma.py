"""Exponential weights: against statsmodels WLS, the naive formulas, and refitting."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import example, given, settings
from hypothesis import strategies as st
from panels import HARD, ORDINARY, clean, panel_of, ragged
from strategies import return_frames

import riskmodel as rm
from riskmodel.panel.stored import array, source

CASES = [pytest.param(make, 1e-11, id=name) for name, make in ORDINARY.items()]
CASES += [pytest.param(make, 1e-9, id=name) for name, make in HARD.items()]
LIFE = rm.Horizon(60)


def naive(panel, days=60):
    """Each asset's WLS by statsmodels, its weights and its effective observations."""
    weights = 0.5 ** (np.arange(len(panel.dates) - 1, -1, -1) / days)
    for asset in panel.excess_returns:
        own = panel.excess_returns[asset].notna().to_numpy()
        r, x, w = panel.excess_returns[asset].to_numpy()[own], panel.factor_returns.to_numpy()[own], weights[own]
        fit = sm.WLS(r, np.column_stack([np.ones(len(x)), x]), weights=w).fit()
        yield fit, w, w.sum() ** 2 / (w @ w), r


@pytest.mark.parametrize(("make", "tolerance"), CASES)
def test_agrees_with_weighted_least_squares(make, tolerance):
    panel = make()
    model = rm.EWMA(half_life=LIFE).fit(panel)
    k = len(model.factors)
    for i, (fit, w, n, r) in enumerate(naive(panel)):
        ours = np.append(model.alpha.iloc[i], model.loadings.iloc[i])
        assert (np.abs(ours - fit.params) <= tolerance * (np.abs(fit.params) + fit.bse)).all()
        wider = np.sqrt(fit.df_resid / (n - k - 1))
        np.testing.assert_allclose(model.regression.std_errors.iloc[i], fit.bse * wider, rtol=tolerance)
        rss = fit.ssr
        np.testing.assert_allclose(model.idio_variance.iloc[i], rss / w.sum() * n / (n - 1), rtol=tolerance)
        np.testing.assert_allclose(
            model.regression.unbiased_idio_variance.iloc[i], rss / w.sum() * n / (n - k - 1), rtol=tolerance
        )
        total = np.cov(r, aweights=w, ddof=1)
        np.testing.assert_allclose(model.regression.total_variance.iloc[i], total, rtol=10 * tolerance)
        np.testing.assert_allclose(model.regression.n_observations.iloc[i], n, rtol=1e-12)


def test_factor_moments_are_weighted_as_numpy_weights_them():
    panel = ragged()
    model = rm.EWMA(half_life=LIFE).fit(panel)
    w = 0.5 ** (np.arange(len(panel.dates) - 1, -1, -1) / 60)
    np.testing.assert_allclose(model.factor_covariance, np.cov(panel.factor_returns.T, aweights=w, ddof=1), rtol=1e-11)
    np.testing.assert_allclose(model.factor_mean, np.average(panel.factor_returns, axis=0, weights=w), rtol=1e-11)


def test_total_variance_is_factor_plus_idio_exactly():
    model = rm.EWMA(half_life=LIFE).fit(clean())
    np.testing.assert_allclose(model.covariance.diagonal(), model.regression.total_variance, rtol=1e-12)


def test_without_forgetting_it_is_ols():
    panel = ragged()
    slow, ols = rm.EWMA(half_life=rm.Horizon(1e15)).fit(panel), rm.OLS().fit(panel)
    np.testing.assert_allclose(slow.loadings, ols.loadings, rtol=1e-10)
    np.testing.assert_allclose(slow.regression.std_errors, ols.regression.std_errors, rtol=1e-10)
    np.testing.assert_allclose(slow.idio_variance, ols.idio_variance, rtol=1e-10)


def assert_same(ours, theirs, tolerance):
    errors = theirs.regression.std_errors.to_numpy()
    estimates = np.column_stack([theirs.alpha, theirs.loadings])
    gap = np.abs(np.column_stack([ours.alpha, ours.loadings]) - estimates)
    assert (gap <= tolerance * (np.abs(estimates) + errors)).all()
    for name in ("idio_variance", "factor_mean"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=tolerance, err_msg=name)
    for name in ("std_errors", "total_variance", "n_observations"):
        one, other = (getattr(m.regression, name) for m in (ours, theirs))
        np.testing.assert_allclose(one, other, rtol=tolerance, err_msg=name)
    np.testing.assert_allclose(ours.factor_covariance, theirs.factor_covariance, rtol=tolerance, atol=1e-20)


@pytest.mark.parametrize("estimator", [rm.OLS(), rm.EWMA(half_life=LIFE)], ids=["OLS", "EWMA"])
@settings(max_examples=20)
@given(cuts=st.lists(st.integers(80, 299), min_size=1, max_size=12, unique=True), seed=st.integers(0, 50))
def test_updated_equals_refitted(estimator, cuts, seed):
    panel = ragged(seed)
    edges = [0, *sorted(cuts), 300]
    parts = [panel.select(start=panel.dates[a], end=panel.dates[b - 1]) for a, b in pairwise(edges)]
    state = estimator.moments(parts[0])
    for part in parts[1:]:
        state = estimator.update(state, part)
    assert_same(estimator.estimate(state), estimator.fit(panel), 1e-10)


def test_a_hundred_days_one_by_one():
    panel, ewma = clean(), rm.EWMA(half_life=rm.MONTH)
    state = ewma.moments(panel.select(end=panel.dates[199]))
    for day in panel.dates[200:]:
        state = ewma.update(state, panel.select(start=day, end=day))
    assert_same(ewma.estimate(state), ewma.fit(panel), 1e-10)


@pytest.mark.parametrize("make", [*ORDINARY.values(), *HARD.values()], ids=[*ORDINARY, *HARD])
def test_thirty_days_one_by_one_on_any_panel(make):
    panel, ewma = make(), rm.EWMA(half_life=LIFE)
    state = ewma.moments(panel.select(end=panel.dates[-31]))
    for day in panel.dates[-30:]:
        state = ewma.update(state, panel.select(start=day, end=day))
    assert_same(ewma.estimate(state), ewma.fit(panel), 1e-10 if make in ORDINARY.values() else 5e-9)


def test_a_day_on_which_some_are_missing():
    panel, ewma = ragged(), rm.EWMA(half_life=LIFE)
    r, f, _ = panel.arrays()
    r = r.copy()
    r[-1, ::2] = np.nan
    panel = panel_of(r, f)
    state = ewma.update(ewma.moments(panel.select(end=panel.dates[-2])), panel.select(start=panel.dates[-1]))
    assert_same(ewma.estimate(state), ewma.fit(panel), 1e-10)


def test_old_dates_of_negligible_weight_do_no_harm():
    panel, ewma = clean(t=2_600), rm.EWMA(half_life=rm.Horizon(2))
    recent = panel.select(start=panel.dates[-400])
    wide = rm.EWMA(half_life=rm.Horizon(20))
    assert_same(wide.fit(panel), wide.fit(recent), 1e-5)
    with pytest.raises(rm.TooFewObservationsError, match=r"5\.83 for A0"):
        rm.EWMA(half_life=rm.Horizon(2)).fit(clean(k=9))
    assert ewma.fit(panel).regression.n_observations.iloc[0] == pytest.approx(5.83, abs=0.01)


def test_update_requires_later_dates():
    panel = clean()
    state = rm.OLS().moments(panel)
    with pytest.raises(rm.InvalidParameterError, match="dates after"):
        rm.OLS().update(state, panel.select(start=panel.dates[-1]))


def test_half_life_and_decay_are_checked():
    with pytest.raises(rm.InvalidParameterError, match="Horizon"):
        rm.EWMA(half_life=60)
    with pytest.raises(rm.InvalidParameterError, match="above 0"):
        rm.Moments.of(clean()).decay(1.5)
    with pytest.raises(rm.InvalidParameterError, match="300"):
        rm.Moments.of(clean(), np.zeros(300))


def test_summary_prints_the_weighted_regression_of_the_model():
    panel = ragged()
    model = rm.EWMA(half_life=LIFE).fit(panel)
    table = model.summary("A5", panel).tables[1].data
    own = model.regression
    for row in table[1:]:
        name = row[0].strip()
        estimate = model.alpha["A5"] if name == "alpha" else model.loadings.loc["A5", name]
        assert float(row[1]) == pytest.approx(estimate, abs=6e-5)
        assert float(row[2]) == pytest.approx(own.std_errors.loc["A5", name], abs=6e-4)
    plain = rm.OLS().fit(panel)
    assert abs(plain.loadings.loc["A5", "F0"] - model.loadings.loc["A5", "F0"]) > 1e-3
    with pytest.raises(rm.NotEstimatedError):
        plain.summary("A5", panel.select(start=panel.dates[100]))


class TestFiles:
    def test_saved_and_loaded_are_the_same_bits(self, tmp_path):
        ewma = rm.EWMA(half_life=LIFE)
        state = ewma.moments(ragged())
        state.save(tmp_path / "state.npz")
        again = rm.Moments.load(tmp_path / "state.npz")
        one, other = ewma.estimate(again), ewma.estimate(state)
        for name in ("alpha", "loadings", "idio_variance", "factor_covariance"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        np.testing.assert_array_equal(one.regression.std_errors, other.regression.std_errors)
        assert (again.start, again.end, again.horizon, again.funded) == (
            state.start, state.end, state.horizon, state.funded,
        )  # fmt: skip
        assert [p.name for p in tmp_path.iterdir()] == ["state.npz"]

    def test_a_loaded_state_goes_on(self, tmp_path):
        panel = clean()
        rm.OLS().moments(panel.select(end=panel.dates[250])).save(tmp_path / "s")
        state = rm.OLS().update(rm.Moments.load(tmp_path / "s"), panel.select(start=panel.dates[251]))
        assert_same(rm.OLS().estimate(state), rm.OLS().fit(panel), 1e-11)

    def test_factors_that_can_be_told_are_read_back(self, tmp_path):
        basket = rm.PortfolioFactor("basket", {"KO": 0.5, "XOM": 0.5})
        factors = [
            rm.Spread("KO", "XOM"),
            rm.AssetFactor("PG"),
            rm.PublishedFactor("Mkt-RF", funding=rm.SELF_FINANCING),
            basket,
        ]
        rm.Moments.of(rm.SampleData().panel(["MSFT"], factors)).save(tmp_path / "s")
        again = rm.Moments.load(tmp_path / "s").definitions
        assert list(again[:3]) == factors[:3]
        pd.testing.assert_series_equal(again[3].weights, basket.weights)

    def test_factors_of_ones_own_are_given_again(self, tmp_path):
        class Own(rm.Factor):
            name, funded = "own", False

            def returns(self, data, start, end):
                return data.asset_returns(["KO"], start, end)["KO"]

        own = Own()
        rm.Moments.of(rm.SampleData().panel(["MSFT"], [own])).save(tmp_path / "s")
        assert rm.Moments.load(tmp_path / "s", factors=[own]).definitions == (own,)
        for wrong in (None, ["SMB"]):
            with pytest.raises(rm.InvalidParameterError) as error:
                rm.Moments.load(tmp_path / "s", factors=wrong)
            assert error.value.details["expected"] == ["own"]

    @pytest.mark.parametrize("keep", [0, 10, 2_000])
    def test_damaged_files_are_told(self, tmp_path, keep):
        path = tmp_path / "s"
        rm.Moments.of(clean()).save(path)
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(rm.InvalidParameterError, match="damaged"):
            rm.Moments.load(path)

    def test_a_changed_byte_is_told(self, tmp_path):
        path = tmp_path / "s"
        rm.Moments.of(clean()).save(path)
        whole = bytearray(path.read_bytes())
        at = whole.index(b"rss.npy") + 200
        whole[at] ^= 1
        path.write_bytes(whole)
        with pytest.raises(rm.InvalidParameterError, match="damaged"):
            rm.Moments.load(path)

    def test_other_versions_are_told(self, tmp_path):
        np.savez(tmp_path / "s.npz", head=np.array(json.dumps({"version": 99})))
        with pytest.raises(rm.InvalidParameterError, match="version 99"):
            rm.Moments.load(tmp_path / "s.npz")

    def test_other_labels_are_refused(self, tmp_path):
        panel = clean(n=1)
        odd = rm.Moments.of(panel_of(panel.arrays()[0], panel.arrays()[1]))
        import attrs
        import pandas as pd

        odd = attrs.evolve(odd, assets=pd.Index([pd.Timestamp("2020")]))
        with pytest.raises(rm.InvalidParameterError, match="text or numbers"):
            odd.save(tmp_path / "s")

    def test_no_file_is_no_file(self, tmp_path):  # nor is a folder one
        with pytest.raises(rm.SourceError):
            rm.Moments.load(tmp_path / "none")
        with pytest.raises(rm.SourceError) as caught:
            rm.Moments.load(tmp_path)
        assert caught.value.details["path"] == str(tmp_path)


class TestUpdates:
    """A state that is added to, and kept in a file in between, is the state of all dates at once."""

    @settings(max_examples=30)
    @given(
        name=st.sampled_from([*ORDINARY, *HARD]),
        estimator=st.sampled_from([rm.OLS(), rm.EWMA(half_life=LIFE)]),
        cuts=st.lists(st.integers(1, 299), min_size=1, max_size=6, unique=True),
    )
    def test_updated_equals_refitted_on_any_panel(self, tmp_path_factory, name, estimator, cuts):
        panel = {**ORDINARY, **HARD}[name]()
        at = tmp_path_factory.mktemp("states")
        edges = [0, *sorted(cuts), len(panel.dates)]
        parts = [panel.select(start=panel.dates[a], end=panel.dates[b - 1]) for a, b in pairwise(edges)]
        state = estimator.moments(parts[0])
        for part in parts[1:]:
            state.save(at / "state")
            state = estimator.update(rm.Moments.load(at / "state"), part)
        # what nearly collinear factors, or parts of few dates beside many factors, leave of the digits, either side
        # loses in its own way
        plain = name in ORDINARY and "twenty" not in name
        assert_same(estimator.estimate(state), estimator.fit(panel), 1e-10 if plain else 1e-8)

    @given(frames=return_frames(), cut=st.integers(1, 10), fading=st.booleans())
    def test_updated_equals_refitted_on_hostile_panels(self, frames, cut, fading):
        returns, factors, rate = frames
        data = rm.InMemory(returns, factors=factors, risk_free=rate, horizon=rm.DAY)
        panel = data.panel(data.assets, data.factors)
        estimator = rm.EWMA(half_life=rm.Horizon(30)) if fading else rm.OLS()
        try:
            whole = estimator.fit(panel)
        except rm.TooFewObservationsError:
            return
        cut = min(cut, len(panel.dates) - 1)
        state = estimator.moments(panel.select(end=panel.dates[-1 - cut]))
        for day in panel.dates[-cut:]:
            state = estimator.update(state, panel.select(start=day, end=day))
        assert_same(estimator.estimate(state), whole, 1e-7)

    @pytest.mark.parametrize("make", [*ORDINARY.values(), *HARD.values()], ids=[*ORDINARY, *HARD])
    def test_updating_changes_no_state_and_a_file_holds_every_bit(self, tmp_path, make):
        panel, ewma = make(), rm.EWMA(half_life=LIFE)
        state = ewma.moments(panel.select(end=panel.dates[-2]))
        before = self.held(state, tmp_path)
        once, again = (ewma.update(state, panel.select(start=panel.dates[-1])) for _ in range(2))
        assert self.held(state, tmp_path) == before
        kept = self.held(once, tmp_path)
        assert kept == self.held(rm.Moments.load(tmp_path / "state"), tmp_path) == self.held(again, tmp_path)

    @staticmethod
    def held(state, folder):
        """All that a state's file holds."""
        state.save(folder / "state")
        with np.load(folder / "state") as file:
            return {name: (file[name].dtype.str, file[name].shape, file[name].tobytes()) for name in file.files}


# -- an asset that ended long ago ----------------------------------------------------------------------

FAST = rm.EWMA(half_life=rm.Horizon(5))


def ended_panel(length, own, seed=0, gaps=False):
    """Two assets beside two factors: one on all dates, one on the first few alone."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("1980-01-01", periods=length)
    factors = pd.DataFrame(rng.normal(0, 0.01, (length, 2)), days, ["F", "G"])
    returns = pd.DataFrame({
        "LIVE": 1.2 * factors["F"] + rng.normal(0, 0.01, length),
        "ENDED": 0.5 * factors["F"] - factors["G"] + rng.normal(0, 0.012, length),
    })  # fmt: skip
    if gaps:
        returns.iloc[rng.integers(0, own, own // 5), 1] = np.nan
    returns.iloc[own:, 1] = np.nan
    data = rm.InMemory(returns, factors=factors, risk_free=0.0, horizon=rm.DAY)
    return data.panel(["LIVE", "ENDED"], ["F", "G"])


def assert_as_its_own_rows_alone(model, panel, own, estimator=FAST):
    alone = estimator.fit(panel.select(["ENDED"], end=panel.dates[own - 1]))
    for name, got in (
        ("alpha", model.alpha["ENDED"]),
        ("loadings", model.loadings.loc["ENDED"]),
        ("idio_variance", model.idio_variance["ENDED"]),
    ):
        np.testing.assert_allclose(got, getattr(alone, name).loc["ENDED"], rtol=1e-8, err_msg=name)
    for name in ("n_observations", "std_errors", "total_variance", "rsquared"):
        got, expected = (getattr(m.regression, name).loc["ENDED"] for m in (model, alone))
        np.testing.assert_allclose(got, expected, rtol=1e-8, err_msg=name)


@pytest.mark.parametrize("length", [600, 2_680, 4_000, 12_000])
def test_an_asset_that_ended_long_ago_is_weighted_by_its_own_last_date(length):
    panel = ended_panel(length, 100)
    model = FAST.fit(panel)
    assert model.regression.n_observations["ENDED"] == pytest.approx(14.45, abs=0.005)
    assert_as_its_own_rows_alone(model, panel, 100)
    assert model.regression.n_observations["LIVE"] == pytest.approx(14.45, abs=0.005)


@settings(max_examples=20)
@given(
    length=st.integers(300, 6_000),
    own=st.integers(40, 200),
    cuts=st.lists(st.integers(1, 5_999), max_size=4),
    seed=st.integers(0, 99),
)
@example(length=5_150, own=40, cuts=[], seed=0)  # the square of the reciprocal of its weights is no number
@example(length=5_300, own=40, cuts=[], seed=0)
def test_updates_and_merges_keep_an_asset_that_ended(length, own, cuts, seed):
    panel = ended_panel(length, own, seed, gaps=True)
    edges = sorted({0, own, length, *(c for c in cuts if own < c < length)})
    pieces = [panel.select(start=panel.dates[a], end=panel.dates[b - 1]) for a, b in pairwise(edges)]
    state = FAST.moments(pieces[0])
    for piece in pieces[1:]:
        state = FAST.update(state, piece)
    assert_as_its_own_rows_alone(FAST.estimate(state), panel, own)
    assert_as_its_own_rows_alone(FAST.estimate(state.reindex(["NEW", "ENDED"]).reindex(["ENDED"])), panel, own)
    np.testing.assert_allclose(FAST.estimate(state).loadings, FAST.fit(panel).loadings, rtol=1e-8)
    first, *rest = (FAST.moments(p) for p in pieces)
    for piece, moments in zip(pieces[1:], rest, strict=True):
        first = first.decay(max(FAST.decay_factor(rm.DAY) ** len(piece.dates), 1e-300)) + moments
    if max(np.diff(edges)) < 4_900:  # or else a factor of 1e-300 was not enough
        assert_as_its_own_rows_alone(FAST.estimate(first), panel, own)


def test_a_state_on_disk_keeps_an_asset_that_ended(tmp_path):
    panel = ended_panel(4_000, 100)
    FAST.moments(panel.select(end=panel.dates[3_000])).save(tmp_path / "state.npz")
    state = FAST.update(rm.Moments.load(tmp_path / "state.npz"), panel.select(start=panel.dates[3_001]))
    assert_as_its_own_rows_alone(FAST.estimate(state), panel, 100)


@pytest.mark.parametrize("rows", [1 << 20, 130], ids=["one block", "blocks of 130 dates"])
def test_stored_returns_of_an_asset_that_ended(monkeypatch, rows):
    monkeypatch.setattr(source, "BLOCK_BYTES", 16 * rows)
    monkeypatch.setattr(array, "_FEWEST_ROWS", rows)
    panel = ended_panel(4_000, 100)
    stored = rm.StoredPanel.array(
        np.ascontiguousarray(panel.excess_returns),  # rows after rows, so that few can be read
        dates=panel.dates,
        assets=list(panel.assets),
        factors=panel.factor_returns,
        risk_free=0.0,
        horizon=rm.DAY,
    )
    model = FAST.fit(stored)
    assert_as_its_own_rows_alone(model, panel, 100)
    np.testing.assert_allclose(model.loadings, FAST.fit(panel).loadings, rtol=1e-9)


def test_weights_of_any_size_and_order():
    panel = ended_panel(300, 100)
    weights = FAST.weights(panel)
    plain = FAST.estimate(rm.Moments.of(panel, weights))
    for odd in (weights * 1e-80, weights * 1e90):
        model = FAST.estimate(rm.Moments.of(panel, odd))
        pd.testing.assert_frame_equal(model.loadings, plain.loadings)
        np.testing.assert_allclose(model.regression.n_observations, plain.regression.n_observations)
    apart = np.where(np.arange(300) < 100, 1e-180, 1.0)
    model = rm.OLS().estimate(rm.Moments.of(panel, apart))
    assert_as_its_own_rows_alone(model, panel, 100, rm.OLS())


@pytest.mark.parametrize("keep", [0.5, 1e-100, 1e-170, 5e-324])
def test_any_decay_changes_no_estimate(keep):
    moments = FAST.moments(ended_panel(300, 100))
    decayed = FAST.estimate(moments.decay(keep))
    plain = FAST.estimate(moments)
    pd.testing.assert_frame_equal(decayed.loadings, plain.loadings)
    np.testing.assert_allclose(decayed.factor_covariance, plain.factor_covariance)
    assert moments.decay(keep).n_effective == moments.n_effective


@pytest.mark.parametrize(
    ("windows", "first"), [(rm.Expanding(FAST, every=1), 0), (rm.Rolling(rm.Horizon(1_890), FAST), 10)]
)
def test_windows_keep_an_asset_that_ended(windows, first):
    panel = ended_panel(1_900, 100)
    model = windows.fit(panel).on(panel.dates[-1])
    assert_as_its_own_rows_alone(model, panel.select(start=panel.dates[first]), 100 - first)


def test_the_summary_of_an_asset_that_ended():
    panel = ended_panel(2_680, 100)
    model = FAST.fit(panel)
    alone = FAST.fit(panel.select(["ENDED"], end=panel.dates[99]))
    own = panel.select(end=panel.dates[99])
    printed = [m.summary("ENDED", p).tables[1].as_text() for m, p in ((model, panel), (alone, own))]
    assert printed[0] == printed[1]


def test_the_summary_of_a_weighted_regression_is_of_the_effective_dates():
    rng = np.random.default_rng(0)
    f = rng.normal(0, 0.01, (500, 1))
    panel = panel_of(f + rng.normal(0, 0.01, (500, 3)), f)
    model = rm.EWMA(rm.MONTH).fit(panel)
    summary = model.summary("A0", panel)
    cells = [cell.strip() for t in (0, 2) for row in summary.tables[t].data for cell in row]
    printed = dict(zip(cells[::2], cells[1::2], strict=True))
    n, r2 = model.regression.n_observations["A0"], model.regression.rsquared["A0"]
    assert float(printed["Adj. R-squared:"]) == pytest.approx(1 - (1 - r2) * (n - 1) / (n - 2), abs=6e-4)
    w = 0.5 ** (np.arange(499, -1, -1) / 21)
    e = model.residuals(panel)["A0"].to_numpy()
    z = e / np.sqrt(w @ e**2 / w.sum())
    skew, kurtosis = w @ z**3 / w.sum(), w @ z**4 / w.sum()
    assert float(printed["Skew:"]) == pytest.approx(skew, abs=6e-4)
    assert float(printed["Kurtosis:"]) == pytest.approx(kurtosis, abs=6e-4)
    assert float(printed["Jarque-Bera (JB):"]) == pytest.approx(n / 6 * (skew**2 + (kurtosis - 3) ** 2 / 4), abs=6e-4)
    change = w[1:] @ np.diff(e) ** 2 / (w @ e**2)
    assert float(printed["Durbin-Watson:"]) == pytest.approx(change, abs=6e-4)
    assert not {"AIC:", "BIC:", "Log-Likelihood:", "Omnibus:"} & set(printed)


def test_moments_without_a_decay_factor_are_no_state_of_an_estimator_that_decays():
    panel = clean()
    old, new = panel.select(end=panel.dates[199]), panel.select(start=panel.dates[200])
    ewma = rm.EWMA(half_life=LIFE)
    with pytest.raises(rm.InvalidParameterError) as error:
        ewma.update(rm.Moments.of(old), new)
    keep = ewma.decay_factor(rm.DAY)
    assert dict(error.value.details) == {"expected": keep, "got": None}
    # moments that are said to decay so, and equal weights
    stated = rm.Moments.of(old, ewma.weights(old)).with_decay_factor(keep)
    np.testing.assert_allclose(ewma.estimate(ewma.update(stated, new)).loadings, ewma.fit(panel).loadings, rtol=1e-10)
    plain = rm.OLS().update(rm.Moments.of(old), new)
    np.testing.assert_allclose(rm.OLS().estimate(plain).loadings, rm.OLS().fit(panel).loadings, rtol=1e-10)
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.OLS().update(ewma.moments(old), new)
    assert dict(error.value.details) == {"expected": 1.0, "got": keep}


def test_an_update_with_a_listing_says_which_assets_differ():
    panel = clean()
    ewma = rm.EWMA(half_life=LIFE)
    state = ewma.moments(panel.select(["A0", "A1"], end=panel.dates[199]))
    new = panel.select(["A0", "A1", "A2"], start=panel.dates[200])
    with pytest.raises(rm.InvalidParameterError) as error:
        ewma.update(state, new)
    assert dict(error.value.details) == {"differ": "assets", "assets": ["A2"]}
    assert ewma.update(state.reindex(new.assets), new).n_dates == 300
