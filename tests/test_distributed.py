"""Returns on Dask: the same model, the same errors, each chunk read once where it lies, and little traffic."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from itertools import pairwise

import attrs
import cluster
import numpy as np
import pandas as pd
import pytest
import strategies as our
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import HARD, ORDINARY, clean, nearly_collinear, panel_of, ragged
from test_moments import assert_same_model

import riskmodel as rm
from riskmodel.panel.dask import DaskPanel

dask = pytest.importorskip("dask")
Callback = pytest.importorskip("dask.callbacks").Callback
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

# each of these examples is a graph, which takes Dask some hundredths of a second
HALF, TENTH = (settings(max_examples=max(1, settings.default.max_examples // n)) for n in (2, 10))
OLS, EWMA = rm.OLS(), rm.EWMA(half_life=rm.QUARTER)


@pytest.fixture(autouse=True)
def _in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def spread(panel, chunks, rows=slice(None)):
    """A panel whose risk-free rate is zero, on Dask."""
    returns, _, _ = panel.arrays()
    return DaskPanel.from_array(
        da.from_array(returns[rows], chunks=chunks),
        dates=panel.dates[rows],
        assets=panel.assets,
        factors=panel.factor_returns,
        risk_free=0.0,
        horizon=panel.horizon,
    )


def assert_same(panel, whole, tolerance=1e-12, estimator=OLS):
    """Dask's model is that of memory."""
    ours, theirs = estimator.fit(panel), estimator.fit(whole)
    effective = theirs.regression.n_observations.to_numpy()  # a sum of weights, which has their rounding
    np.testing.assert_allclose(ours.regression.n_observations, effective, rtol=tolerance)
    assert_same_model(_with_regression(ours, n_observations=effective), theirs, tolerance)
    assert ours.definitions == theirs.definitions
    assert ours.funded == theirs.funded
    assert ours.horizon == theirs.horizon


def _with_regression(model, **changes):
    return attrs.evolve(model, regression=attrs.evolve(model.regression, **changes))


@st.composite
def cuts(draw, n, most=8):
    """Sizes of chunks, of one row and of none among them."""
    edges = sorted(draw(st.lists(st.integers(0, n), max_size=most)))
    return tuple(np.diff([0, *edges, n]).tolist())


# -- the same model --------------------------------------------------------------------------------


@HALF
@given(st.sampled_from(list(ORDINARY)), st.sampled_from([OLS, EWMA]), st.data())
def test_any_chunks_give_the_same_model(name, estimator, data):
    whole = ORDINARY[name]()
    t, n = whole.excess_returns.shape
    panel = spread(whole, (data.draw(cuts(t)), data.draw(cuts(n, most=3))))
    assert_same(panel, whole, estimator=estimator)


@pytest.mark.filterwarnings("ignore::riskmodel.errors.DoubtfulUnitWarning")  # of the badly scaled factors
@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("chunks", [(150, 5), ((3, 197), 3), (7, 4)], ids=["halves", "uneven", "weeks"])
def test_hard_panels_keep_the_digits_that_merging_keeps(name, chunks):
    whole = HARD[name]()
    rows, columns = chunks
    rows = rows if isinstance(rows, int) else (*rows, len(whole.dates) - sum(rows))
    assert_same(spread(whole, (rows, columns)), whole, 5e-9)


def test_far_more_chunks_than_one_task_merges():
    whole = clean(t=32 * 70, n=3)
    assert_same(spread(whole, (32, 2)), whole)


@st.composite
def misaligned(draw):
    """Returns, factors and a rate, each with dates that the others lack; some asset has a return on each date."""
    r, f, rate = draw(our.return_frames(max_dates=120))
    some = st.lists(st.integers(0, len(r) - 1), max_size=4)
    f.iloc[draw(some), 0] = np.nan
    rate.iloc[draw(some)] = np.nan
    r = r.dropna(how="all")
    missing = [i for i in draw(some) if i < len(r) - 1]
    return r.drop(r.index[missing]), f.drop(f.index[draw(some)]), rate


def assert_aligned(panel, r, known, estimator):
    """Dask's model, or its refusal, and what it leaves out, are those of memory."""
    provider = rm.InMemory(r, **known)
    whole = provider.panel(provider.assets, provider.factors)
    pd.testing.assert_frame_equal(panel.dropped, whole.dropped)
    try:
        estimator.fit(whole)
    except rm.EstimationError as error:
        with pytest.raises(type(error)):
            estimator.fit(panel)
    else:
        # of a dozen dates, an asset may have hardly more than there are factors
        assert_same(panel, whole, 1e-11, estimator)


@pytest.mark.filterwarnings("ignore::riskmodel.LeftOutWarning")
@HALF
@given(misaligned(), st.sampled_from([OLS, EWMA]), st.data())
def test_dates_align_as_in_memory(frames, estimator, data):
    r, f, rate = frames
    known = {"factors": f, "risk_free": rate, "horizon": rm.DAY}
    array = da.from_array(r.to_numpy(), chunks=(data.draw(cuts(len(r))), data.draw(cuts(r.shape[1], most=2))))
    assert_aligned(DaskPanel.from_array(array, dates=r.index, assets=r.columns, **known), r, known, estimator)


@pytest.mark.filterwarnings("ignore::riskmodel.LeftOutWarning")
@TENTH
@given(misaligned(), st.sampled_from([OLS, EWMA]), st.data())
def test_frames_align_as_in_memory(frames, estimator, data):
    r, f, rate = frames
    known = {"factors": f, "risk_free": rate, "horizon": rm.DAY}
    parts = [r.iloc[a:b] for a, b in pairwise(np.cumsum([0, *data.draw(cuts(len(r)))])) if a < b]
    order = data.draw(st.permutations(range(len(parts))))
    frame = dd.from_map(lambda i: parts[i], order, meta=r.iloc[:0])
    assert_aligned(DaskPanel.from_frame(frame, **known), r, known, estimator)


def test_dates_without_any_return_are_kept_as_in_a_stored_panel():
    r, f, _ = clean(n=6).arrays()
    r = r.copy()
    r[[40, 100, 101, 299]] = np.nan
    r[50:80, :3] = np.nan
    days = pd.bdate_range("2010-01-01", periods=300)
    known = {"dates": days, "assets": range(6), "factors": pd.DataFrame(f, days), "risk_free": 1e-4, "horizon": rm.DAY}
    panel, stored = DaskPanel.from_array(da.from_array(r, chunks=(64, 4)), **known), rm.StoredPanel.array(r, **known)
    for estimator in (OLS, EWMA):
        assert_same(panel, stored, estimator=estimator)
        assert estimator.moments(panel).n_dates == 300
    assert panel.dropped.empty
    pd.testing.assert_frame_equal(panel.dropped, stored.dropped)


def test_chunks_of_which_no_date_is_kept():
    returns, f, _ = clean(n=6).arrays()
    days = pd.bdate_range("2010-01-01", periods=300)
    factors = pd.DataFrame(f, days, [f"F{k}" for k in range(f.shape[1])]).iloc[120:280]
    data = rm.InMemory(pd.DataFrame(returns, days), factors=factors, risk_free=0.0, horizon=rm.DAY)
    whole = data.panel(data.assets, data.factors)
    panel = DaskPanel.from_array(
        da.from_array(returns, chunks=(50, 4)), dates=days, assets=range(6), factors=factors, risk_free=0.0,
        horizon=rm.DAY,
    )  # fmt: skip
    assert_same(panel, whole)
    assert_same(panel, whole, estimator=EWMA)
    pd.testing.assert_frame_equal(panel.dropped, whole.dropped)


def test_months_are_dated_and_aligned_as_in_memory():
    data = rm.SampleData(rm.MONTH)
    whole = data.panel(data.assets, ["Mkt-RF", "SMB", "HML"])
    total = whole.excess_returns.add(whole.risk_free, axis=0)
    panel = DaskPanel.from_array(
        da.from_array(total.to_numpy(), chunks=(100, 7)),
        dates=total.index.to_period("M"),
        assets=total.columns,
        factors=whole.factor_returns,
        risk_free=whole.risk_free,
        horizon=rm.MONTH,
    )
    model = OLS.fit(panel)
    assert model.funded == (True, False, False)
    assert_same_model(model, OLS.fit(whole), 1e-11)  # total less rate has the rounding of total


def test_rows_come_in_any_order():
    whole = ragged()
    order = np.random.default_rng(0).permutation(300)
    assert_same(spread(whole, (70, 5), order), whole)
    assert_same(spread(whole, (70, 5), order), whole, estimator=EWMA)


def test_chunks_of_other_kinds_of_numbers():
    whole = ragged()
    returns, _, _ = whole.arrays()
    known = {"factors": whole.factor_returns, "risk_free": 0.0, "horizon": rm.DAY}
    labelled = {"dates": whole.dates, "assets": whole.assets}
    masked = da.ma.masked_invalid(da.from_array(np.where(np.isnan(returns), np.inf, returns), chunks=(90, 6)))
    assert_same(DaskPanel.from_array(masked, **labelled, **known), whole)
    single = da.from_array(returns.astype(np.float32), chunks=(90, 6))
    narrow = DaskPanel.from_array(single, **labelled, **known)
    assert_same(narrow, panel_of(returns.astype(np.float32).astype(float), whole.arrays()[1]))
    frame = DaskPanel.from_frame(dd.from_pandas(whole.excess_returns.astype("Float64"), npartitions=3), **known)
    assert repr(frame) == (
        "<DaskPanel 300 dates (2010-01-01 to 2011-02-24, per day) × 16 assets, 3 factors, 0 dates dropped, "
        "in 3 × 1 chunks>"
    )
    assert_same(frame, whole)


def test_without_factors():
    whole = ragged()
    returns, _, _ = whole.arrays()
    panel = DaskPanel.from_array(
        da.from_array(returns, chunks=(90, 6)), dates=whole.dates, assets=whole.assets, factors=None,
        risk_free=0.0, horizon=rm.DAY,
    )  # fmt: skip
    np.testing.assert_allclose(OLS.fit(panel).alpha, np.nanmean(returns, axis=0), rtol=1e-12)


def test_funded_says_which_factors_cost_cash():
    whole = clean(n=3)
    returns, _, _ = whole.arrays()
    known = {"dates": whole.dates, "assets": whole.assets, "factors": whole.factor_returns, "risk_free": 0.0}
    array = da.from_array(returns, chunks=(100, 2))
    panel = DaskPanel.from_array(array, **known, horizon=rm.DAY, funded=["F1"])
    assert panel.funded == OLS.fit(panel).funded == (False, True, False)
    with pytest.raises(rm.UnknownFactorError, match="F7"):
        DaskPanel.from_array(array, **known, horizon=rm.DAY, funded=["F7"])


def test_moments_from_dask_are_updated_and_saved(tmp_path):
    whole = clean()
    old, new = whole.select(end=whole.dates[199]), whole.select(start=whole.dates[200])
    state = EWMA.moments(spread(old, (60, 5)))
    assert state.decay_factor == EWMA.decay_factor(rm.DAY)
    state.save(tmp_path / "state.npz")
    loaded = rm.Moments.load(tmp_path / "state.npz", old.definitions)
    for later in (new, spread(new, (40, 5))):
        ours, theirs = EWMA.estimate(EWMA.update(loaded, later)), EWMA.fit(whole)
        np.testing.assert_allclose(ours.loadings, theirs.loadings, rtol=1e-10)
    with pytest.raises(ValueError, match="read-only"):
        state.regressions.rss[0] = 0.0


def test_weights_of_the_caller_go_with_their_dates():
    whole = ragged()
    weights = np.random.default_rng(0).uniform(0.1, 3.0, 300)
    order = np.random.default_rng(0).permutation(300)
    ours, theirs = rm.Moments.of(spread(whole, (70, 5), order), weights), rm.Moments.of(whole, weights)
    np.testing.assert_allclose(OLS.estimate(ours).loadings, OLS.estimate(theirs).loadings, rtol=1e-10)


def test_weights_far_too_small_to_matter():
    """Chunks of dates that count for nothing: 0.5 ** 1,200 is no number."""
    whole, estimator = clean(t=6000, n=3), rm.EWMA(half_life=rm.WEEK)
    assert_same(spread(whole, (500, 2)), whole, estimator=estimator)


def test_fit_available_leaves_out_the_same_assets():
    r, f, _ = clean().arrays()
    r = r.copy()
    r[3:, 4] = np.nan
    whole = panel_of(r, f)
    for minimum in (None, 200):
        ours, theirs = OLS.fit_available(spread(whole, (70, 5)), minimum), OLS.fit_available(whole, minimum)
        assert_same_model(ours, theirs)
        pd.testing.assert_frame_equal(ours.missing, theirs.missing)
        assert ours.missing["asset"].tolist() == ["A4"]


def test_select_computes_the_panel_in_memory():
    whole = ragged()
    order = np.random.default_rng(0).permutation(300)
    panel = spread(whole, (70, 5), order)
    for choice in (
        {},
        {"assets": ["A7", "A2"], "factors": ["F1"], "start": whole.dates[20], "end": whole.dates[130]},
        {"assets": "A3"},
        {"assets": []},
    ):
        ours, theirs = panel.select(**choice), whole.select(**choice)
        pd.testing.assert_frame_equal(ours.excess_returns, theirs.excess_returns)
        pd.testing.assert_frame_equal(ours.factor_returns, theirs.factor_returns)
        assert ours.definitions == theirs.definitions
    for ours, theirs in zip(panel.arrays(), whole.arrays(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    model, some = OLS.fit(whole), panel.select(["A7", "A2"])
    np.testing.assert_array_equal(model.restrict(some.assets).residuals(some), model.residuals(whole)[some.assets])
    with pytest.raises(rm.InvalidParameterError):
        model.residuals(panel)
    with pytest.raises(rm.UnknownAssetError):
        panel.select(["A99"])


def test_estimators_that_need_the_whole_panel_compute_it():
    class FromPanel(rm.Estimator):
        def fit(self, panel):
            return OLS.fit(panel.select())

    whole = clean(n=4)
    panel = spread(whole, (100, 3))
    for fit in (FromPanel().fit, FromPanel().fit_available):
        assert fit(panel).loadings.equals(OLS.fit(whole).loadings)


def test_what_is_known_of_the_dates_needs_no_computation():
    whole = ragged()
    panel = spread(whole, (70, 5))
    with dask.config.set(scheduler=None), pytest.MonkeyPatch.context() as patch:
        patch.setattr(dask.base, "compute", None)
        for name in ("dates", "assets", "factors", "horizon", "definitions", "funded"):
            assert np.all(getattr(panel, name) == getattr(whole, name)), name
        pd.testing.assert_frame_equal(panel.factor_returns, whole.factor_returns)
        pd.testing.assert_series_equal(panel.risk_free, whole.risk_free)


# -- the same errors -----------------------------------------------------------------------------


def _percent(r):
    r[:, [1, 8]] *= 100.0 * 20


def _prices(r):
    r[:, 4] = 100.0 + np.arange(300) / 100


def _infinite(r):
    r[200, 9] = np.inf


def _minus_infinite(r):
    r[20, 9] = -np.inf


def _below_all(r):
    r[150, 3] = -1.2


def _after_all(r):
    r[10, 2] = -1.0  # and returns in the chunks that follow


def _twice_all(r):
    r[60:, 2] = np.nan
    r[10, 2] = r[59, 2] = -1.0


@pytest.mark.parametrize("spoil", [_percent, _prices, _infinite, _minus_infinite, _below_all, _after_all, _twice_all])
@pytest.mark.parametrize("estimator", [OLS, EWMA], ids=["ols", "ewma"])
def test_what_is_refused_in_memory_is_refused_on_a_cluster(spoil, estimator):
    r, f, _ = clean().arrays()
    r = r.copy()
    spoil(r)
    days = pd.bdate_range("2010-01-01", periods=300)
    names = [f"A{i}" for i in range(12)]
    known = {"factors": pd.DataFrame(f, days, ["F0", "F1", "F2"]), "risk_free": 0.0, "horizon": rm.DAY}
    with pytest.raises(rm.DataError) as theirs:
        rm.InMemory(pd.DataFrame(r, days, names), **known).panel(names, ["F0"])
    panel = DaskPanel.from_array(da.from_array(r, chunks=(50, 5)), dates=days, assets=names, **known)
    for compute in (estimator.fit, DaskPanel.select):
        with pytest.raises(rm.DataError) as ours:
            compute(panel)
        assert type(ours.value) is type(theirs.value)
        assert ours.value.details == theirs.value.details


def test_what_a_chunk_alone_would_be_refused_for_is_accepted():
    """Few days of wild returns in decimals, and the last return of a security that ended worthless."""
    r, f, _ = clean().arrays()
    r = r.copy()
    r[100:140, 5] = np.random.default_rng(0).uniform(0.3, 0.9, 40)
    r[170:, 7] = np.nan
    r[169, 7] = -1.0
    r[:, 3] = 0.0
    r[7, 3] = 0.5  # a typical size of one return
    whole = panel_of(np.where(np.arange(12) == 3, np.nan, r), f).select([f"A{i}" for i in range(12) if i != 3])
    assert_same(spread(whole, (40, 5)), whole)


def test_a_column_that_looks_wrong_but_is_refused_in_memory_for_nothing_is_accepted():
    r, f, _ = clean().arrays()
    r = r.copy()
    r[::2, 5] = 0.21 * np.sign(r[::2, 5])  # half of them above 20 %, half below
    whole = panel_of(r, f)
    assert_same(spread(whole, (40, 5)), whole)


@pytest.mark.parametrize(
    ("dates", "error"),
    [
        (pd.bdate_range("2010-01-01", periods=299).append(pd.DatetimeIndex(["2010-01-01"])), rm.DuplicateDatesError),
        (pd.date_range("2010-01-31", periods=300, freq="ME"), rm.SpacingError),
        (pd.RangeIndex(300), rm.InvalidDatesError),
    ],
)
def test_dates_are_checked_when_they_are_given(dates, error):
    returns, _, _ = clean().arrays()
    with pytest.raises(error):
        DaskPanel.from_array(
            da.from_array(returns), dates=dates, assets=range(12), factors=None, risk_free=0.0, horizon=rm.DAY
        )


def test_dates_of_a_frame_are_checked_when_it_is_given():
    whole = clean()
    known = {"factors": whole.factor_returns, "risk_free": 0.0, "horizon": rm.DAY}
    twice = dd.concat([dd.from_pandas(whole.excess_returns, npartitions=2)] * 2)
    with pytest.raises(rm.DuplicateDatesError):
        DaskPanel.from_frame(twice, **known)
    later = dd.from_pandas(whole.excess_returns.shift(4000, freq="B"), npartitions=2)
    with pytest.raises(rm.NoOverlapError):
        DaskPanel.from_frame(later, **known)


def test_what_is_no_number_is_told_from_where_it_lies():
    whole = clean()
    text = whole.excess_returns.astype(object)
    text.iloc[250, 2] = "n.m."
    with dask.config.set({"dataframe.convert-string": False}):
        panel = DaskPanel.from_frame(
            dd.from_pandas(text, npartitions=3), factors=whole.factor_returns, risk_free=0.0, horizon=rm.DAY
        )
        with pytest.raises(rm.NonNumericError, match="A2"):
            OLS.fit(panel)


def test_arrays_and_frames_that_do_not_fit():
    whole = clean()
    returns, _, _ = whole.arrays()
    array = da.from_array(returns, chunks=(100, 5))
    known = {"factors": whole.factor_returns, "risk_free": 0.0, "horizon": rm.DAY}
    labelled = {"dates": whole.dates, "assets": whole.assets, **known}
    with pytest.raises(rm.InvalidParameterError, match="ndarray"):
        DaskPanel.from_array(returns, **labelled)
    with pytest.raises(rm.InvalidParameterError) as caught:
        DaskPanel.from_array(array[1:], **labelled)
    assert caught.value.details == {"expected": (300, 12), "got": (299, 12)}
    with pytest.raises(rm.InvalidParameterError, match="compute_chunk_sizes"):
        DaskPanel.from_array(array[array[:, 0] > 0.0], **labelled)
    with pytest.raises(rm.InvalidParameterError):
        DaskPanel.from_array(array[:, :0], **labelled | {"assets": []})
    with pytest.raises(rm.DuplicateLabelsError) as caught:
        DaskPanel.from_array(array, **labelled | {"assets": ["X"] * 12})
    assert caught.value.details["labels"] == ["X"]
    for dtype in (str, complex, bool):
        with pytest.raises(rm.NonNumericError):
            DaskPanel.from_array(array.astype(dtype), **labelled)
    with pytest.raises(rm.InvalidParameterError, match=r"dask\.dataframe"):
        DaskPanel.from_frame(whole.excess_returns, **known)
    with pytest.raises(rm.InvalidParameterError):
        DaskPanel.from_frame(dd.from_pandas(whole.excess_returns[[]], npartitions=2), **known)
    with pytest.raises(rm.NonNumericError):
        DaskPanel.from_array(array, **labelled | {"factors": dd.from_pandas(whole.factor_returns, npartitions=2)})
    for shape in ((100, 12), (300, 11)):
        wrong = da.from_delayed(dask.delayed(np.zeros)(shape), (300, 12), dtype=float)
        with pytest.raises(rm.InvalidParameterError) as caught:
            OLS.fit(DaskPanel.from_array(wrong, **labelled))
        assert caught.value.details == {"expected": (300, 12), "got": shape}


def test_too_few_dates_and_collinear_factors_are_estimation_errors():
    with pytest.raises(rm.CollinearFactorsError):
        OLS.fit(spread(nearly_collinear(condition=1e15), (100, 5)))
    with pytest.raises(rm.TooFewObservationsError):
        OLS.fit(spread(clean(t=4), (2, 5)))


# -- when, and how often ---------------------------------------------------------------------------


def loaded(folder, panel, make, rows=50, columns=5):
    """A Dask panel whose chunks are made from files by a function, and how they are named."""
    returns, _, _ = panel.arrays()
    blocks = []
    for i in range(0, len(returns), rows):
        blocks.append([])
        for j in range(0, returns.shape[1], columns):
            chunk, path = returns[i : i + rows, j : j + columns], folder / f"{i}_{j}.npy"
            np.save(path, chunk)
            blocks[-1].append(da.from_delayed(dask.delayed(make, pure=False)(path), chunk.shape, dtype=float))
    return DaskPanel.from_array(
        da.block(blocks), dates=panel.dates, assets=panel.assets, factors=panel.factor_returns, risk_free=0.0,
        horizon=rm.DAY,
    )  # fmt: skip


def reads(folder):
    return sorted(path.name.split("-")[1] for path in folder.glob("read-*"))


def test_nothing_is_read_before_it_is_asked_for_and_then_once(tmp_path):
    whole = ragged()
    panel = loaded(tmp_path, whole, cluster.logged)
    assert len(panel.dates) == 300
    assert reads(tmp_path) == []
    assert_same(panel, whole)
    assert reads(tmp_path) == sorted(path.stem for path in tmp_path.glob("*.npy"))


class _Chunks(Callback):
    """Results that are arrays of returns, which Dask holds and might send, while it computes."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def _posttask(self, key, result, *_):
        self.seen += isinstance(result, np.ndarray)


def test_no_chunk_is_a_result_that_could_travel(tmp_path):
    panel = loaded(tmp_path, clean(t=100, n=4), cluster.logged, 50, columns=2)
    with _Chunks() as chunks:
        OLS.fit(panel)
    assert len(reads(tmp_path)) == 4
    assert chunks.seen == 0


def test_what_several_chunks_come_from_is_made_once(tmp_path):
    whole = clean(n=6)
    np.save(tmp_path / "all.npy", whole.arrays()[0])
    source = da.from_delayed(dask.delayed(cluster.logged)(tmp_path / "all.npy"), (300, 6), dtype=float)
    panel = DaskPanel.from_array(
        source.rechunk((50, 2)), dates=whole.dates, assets=whole.assets, factors=whole.factor_returns, risk_free=0.0,
        horizon=rm.DAY,
    )  # fmt: skip
    assert_same(panel, whole)
    assert reads(tmp_path) == ["all"]


def test_tiny_chunks_are_read_once_too(tmp_path):
    whole = clean(t=90, n=4)
    assert_same(loaded(tmp_path, whole, cluster.logged, rows=1, columns=3), whole)
    assert len(reads(tmp_path)) == 180


def test_what_the_caller_changes_later_changes_nothing():
    whole = clean()
    factors = whole.factor_returns.copy()
    returns, _, _ = whole.arrays()
    panel = DaskPanel.from_array(
        da.from_array(returns), dates=whole.dates, assets=whole.assets, factors=factors, risk_free=0.0,
        horizon=rm.DAY,
    )  # fmt: skip
    factors.iloc[:] = 0.0
    assert_same(panel, whole)


def test_chunks_are_left_as_they_are():
    rng, days = np.random.default_rng(0), pd.bdate_range("2010-01-01", periods=300)
    chunks = [rng.normal(0, 0.01, (150, 3)) for _ in range(2)]
    before = [chunk.copy() for chunk in chunks]
    blocks = [da.from_delayed(dask.delayed(chunks.__getitem__)(i), (150, 3), dtype=float) for i in range(2)]
    panel = DaskPanel.from_array(
        da.concatenate(blocks),
        dates=days,
        assets=["A", "B", "C"],
        factors=pd.Series(rng.normal(0, 0.01, 300), days, name="F"),
        risk_free=1e-4,
        horizon=rm.DAY,
    )
    OLS.fit(panel)
    np.testing.assert_array_equal(chunks, before)


def test_threads_give_the_same():
    whole = ragged()
    with dask.config.set(scheduler="threads", num_workers=4):
        assert_same(spread(whole, (50, 3)), whole)


# -- the extra -------------------------------------------------------------------------------------


def test_importing_costs_no_dask():
    code = (
        "import riskmodel, riskmodel.panel.dask, sys; sys.exit(any(m in sys.modules for m in ('dask', 'distributed')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("part", ["array", "dataframe"])
def test_without_dask_the_extra_is_named(monkeypatch, part):
    monkeypatch.setitem(sys.modules, f"dask.{part}", None)
    known = {"factors": None, "risk_free": 0.0, "horizon": rm.DAY}
    make = {"array": lambda: DaskPanel.from_array(None, dates=[], assets=[], **known)}
    make["dataframe"] = lambda: DaskPanel.from_frame(None, **known)
    with pytest.raises(rm.MissingExtraError) as caught:
        make[part]()
    assert caught.value.details == {"package": "dask", "extra": "dask"}


# -- a cluster -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    with cluster.cluster(tmp_path_factory.mktemp("cluster")) as machines:
        yield machines


@pytest.fixture
def client(machines):
    client, _ = machines
    with dask.config.set(scheduler=client):
        yield client


def transfers(client):
    """The sizes of what workers were sent by each other since they started, by key."""
    log = client.run(lambda dask_worker: [dict(entry["keys"]) for entry in dask_worker.transfer_incoming_log])
    return [size for entries in log.values() for keys in entries for size in keys.values()]


def test_dates_of_a_study_may_be_computed_on_a_cluster(client):
    panel = clean(t=200, n=5)
    study = rm.WalkForward({"OLS": rm.OLS()}, window=rm.Horizon(100), horizon=rm.Horizon(5), every=40)
    there = study.run(panel, executor=client.get_executor())
    pd.testing.assert_frame_equal(there.records, study.run(panel).records)


def test_on_a_cluster_chunks_do_not_travel(client, tmp_path):
    whole = clean(t=1200, n=60)
    panel = loaded(tmp_path, whole, cluster.logged, rows=200, columns=30)
    assert_same(panel, whole)
    pids = {path.name.split("-")[2] for path in tmp_path.glob("read-*")}
    assert len(pids) > 1
    assert str(os.getpid()) not in pids
    assert len(reads(tmp_path)) == 12
    sent = transfers(client)
    # of 30 assets: their moments, what is known of their returns, and what does not grow with them
    assert max(sent, default=0) < 30 * 8 * (3 + 3 + 13) + 25_000 < 200 * 30 * 8
    assert_same(panel, whole, estimator=EWMA)


@pytest.mark.usefixtures("client")
def test_an_error_on_a_worker_is_the_library_s_own():
    whole = clean(t=100)
    text = whole.excess_returns.astype(object)
    text.iloc[70, 2] = "n.m."
    with dask.config.set({"dataframe.convert-string": False}):
        frame = dd.from_pandas(text, npartitions=2)
        panel = DaskPanel.from_frame(frame, factors=whole.factor_returns, risk_free=0.0, horizon=rm.DAY)
        with pytest.raises(rm.NonNumericError, match="A2") as caught:
            OLS.fit(panel)
    assert caught.value.details["column"] == "A2"


@pytest.mark.usefixtures("client")
def test_returns_in_the_memory_of_a_cluster():
    whole = ragged()
    returns, _, _ = whole.arrays()
    for lasting in (da.from_array(returns, chunks=(75, 6)).persist(), da.from_array(returns, chunks=(9, 6)).persist()):
        panel = DaskPanel.from_array(
            lasting, dates=whole.dates, assets=whole.assets, factors=whole.factor_returns, risk_free=0.0, horizon=rm.DAY
        )
        assert_same(panel, whole)
    frame = dd.from_pandas(whole.excess_returns, npartitions=4).persist()
    assert_same(DaskPanel.from_frame(frame, factors=whole.factor_returns, risk_free=0.0, horizon=rm.DAY), whole)


def test_a_worker_killed_midway_changes_nothing(machines, client, tmp_path):
    whole = ragged()
    panel = loaded(tmp_path, whole, cluster.fatal, rows=50, columns=4)
    assert_same(panel, whole)
    killed = int((tmp_path / "killed").read_text())
    _, workers = machines
    assert workers[killed].wait(60) == -signal.SIGKILL
    assert len(client.scheduler_info(n_workers=-1)["workers"]) == len(workers) - 1
    assert len(list(tmp_path.glob(f"read-*-{killed}-*"))) == 3
    # the third, which it never handed over, and what else of its own was still needed were read again elsewhere
    assert len(reads(tmp_path)) > 24
    assert set(reads(tmp_path)) == {path.stem for path in tmp_path.glob("*.npy")}
    assert_same(panel, whole, estimator=EWMA)


def test_errors_come_back_whole():
    error = pickle.loads(pickle.dumps(rm.NonNumericError("no number", column="A")))
    assert (str(error), dict(error.details)) == ("no number", {"column": "A"})


def test_an_asset_that_ended_long_ago():
    rng = np.random.default_rng(0)
    days = pd.bdate_range("1990-01-01", periods=3_000)
    factor = pd.Series(rng.normal(0, 0.01, 3_000), days, name="F")
    returns = pd.DataFrame({"LIVE": 1.1 * factor, "ENDED": 0.7 * factor}) + rng.normal(0, 0.01, (3_000, 2))
    returns.iloc[100:, 1] = np.nan
    whole = rm.InMemory(returns, factors=factor, risk_free=0.0, horizon=rm.DAY).panel(["LIVE", "ENDED"], ["F"])
    fast = rm.EWMA(half_life=rm.Horizon(5))
    expected = fast.fit(whole.select(["ENDED"], end=days[99]))
    for panel in (spread(whole, (700, 1)), spread(whole, (64, 2), rng.permutation(3_000))):
        model = fast.fit(panel)
        np.testing.assert_allclose(model.loadings.loc["ENDED"], expected.loadings.loc["ENDED"], rtol=1e-8)
        np.testing.assert_allclose(model.idio_variance["ENDED"], expected.idio_variance["ENDED"], rtol=1e-8)
        np.testing.assert_allclose(
            model.regression.n_observations["ENDED"], expected.regression.n_observations["ENDED"], rtol=1e-8
        )
