"""Panels outside memory: the moments of the same panel in memory, in bounded memory, and nothing read unseen."""

import os
import pickle
import re
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import HARD, ORDINARY, clean, nearly_explained, panel_of, ragged
from terminal import Terminal

import riskmodel as rm
from riskmodel._core import progress
from riskmodel.estimation.moments import refit
from riskmodel.panel.stored import array as array_module
from riskmodel.panel.stored import long as long_module
from riskmodel.panel.stored import source

SOME_RATE = 0.0001


def rate_of(panel):
    return pd.Series(SOME_RATE, panel.dates)


def total(panel):
    """Total returns of a panel whose excess returns they are made of."""
    return panel.excess_returns + SOME_RATE


def rows_of(panel, date="date", asset="asset"):
    """One row for each date and asset, by asset."""
    frame = total(panel).rename_axis(index=date)
    return frame.melt(ignore_index=False, var_name=asset, value_name="ret").reset_index()


def in_memory(panel):
    """The panel of the total returns, in memory; dates without any return stay."""
    excess = total(panel).to_numpy() - SOME_RATE
    return rm.ReturnPanel(
        panel.dates, panel.assets, panel.factors, excess, panel.factor_returns.to_numpy(), rate_of(panel).to_numpy(),
        rm.DAY, panel.definitions, panel.dropped,
    )  # fmt: skip


def beside(panel, **more):
    return {"factors": panel.factor_returns, "risk_free": rate_of(panel), "horizon": rm.DAY} | more


def as_memmap(panel, folder, dtype=np.float64, **more):
    path = folder / "r.npy"
    np.save(path, total(panel).to_numpy(dtype=dtype))
    mapped = np.load(path, mmap_mode="r")
    return rm.StoredPanel.array(mapped, dates=panel.dates, assets=panel.assets, **beside(panel, **more))


def as_columns(panel, folder, **more):
    """A memory map in which each asset's returns lie together."""
    mapped = np.memmap(folder / "r.bin", np.float64, "w+", shape=panel.excess_returns.shape[::-1])
    mapped[:] = total(panel).to_numpy().T
    return rm.StoredPanel.array(mapped.T, dates=panel.dates, assets=panel.assets, **beside(panel, **more))


def as_wide(panel, folder, cuts=(100, 101, 250), group=37, **more):
    whole = total(panel)
    edges = [0, *(c for c in cuts if c < len(whole)), len(whole)]
    for i, (start, stop) in enumerate(pairwise(edges)):
        # names do not tell the order
        whole[start:stop].to_parquet(folder / f"{(7 * i) % 11}.parquet", row_group_size=group)
    return rm.StoredPanel.parquet(folder, **beside(panel, **more))


def as_long(panel, folder, order=("date", "asset"), group=150, **more):
    rows = rows_of(panel).dropna().sample(frac=1, random_state=0).sort_values(list(order), kind="stable")
    half = len(rows) // 2
    rows[half:].to_parquet(folder / "a.parquet", row_group_size=group, index=False)
    rows[:half].to_parquet(folder / "b.parquet", row_group_size=group, index=False)
    # sorted by date, a file's rows come in another order of assets than the panel's
    return rm.StoredPanel.parquet(folder, layout=rm.Long(), assets=list(panel.assets), **beside(panel, **more))


def by_asset(panel, folder, **more):
    return as_long(panel, folder, order=("asset", "date"), **more)


def in_no_order(panel, folder, **more):
    return as_long(panel, folder, order=(), **more)


KINDS = {"memmap": as_memmap, "columns": as_columns, "wide": as_wide, "long": as_long, "by asset": by_asset}
ALL_KINDS = KINDS | {"no order": in_no_order}


def same_moments(a, b, tolerance=1e-12):
    """Equal to a share of what each is large beside."""
    assert list(a.assets) == list(b.assets)
    assert (a.n_dates, a.start, a.end, a.weight) == (b.n_dates, b.start, b.end, b.weight)
    np.testing.assert_array_equal(a.basis, b.basis)
    np.testing.assert_array_equal(a.factor_root, b.factor_root)
    one, other = a.regressions, b.regressions
    np.testing.assert_array_equal(one.n_observations(), other.n_observations())
    for name in ("q_mean", "q_gram"):
        left, right = (getattr(r, name)[r.pattern] for r in (one, other))
        np.testing.assert_allclose(left, right, rtol=0, atol=tolerance * np.abs(right).max(initial=1e-300))
    size = np.sqrt(other.fitted_squares() + other.rss + other.n_observations() * other.r_mean**2)
    size[size == 0] = 1.0
    np.testing.assert_allclose(one.coefficients / size[:, None], other.coefficients / size[:, None], atol=tolerance)
    np.testing.assert_allclose(one.r_mean / size, other.r_mean / size, atol=tolerance)
    np.testing.assert_allclose(one.rss / size**2, other.rss / size**2, atol=tolerance)


def exactly(a, b):
    for name in ("pattern", "count", "q_mean", "q_gram", "r_mean", "coefficients", "rss"):
        np.testing.assert_array_equal(getattr(a.regressions, name), getattr(b.regressions, name))


@pytest.fixture
def small_blocks(monkeypatch):
    """So small that hardly three assets of a panel of tests are read at a time."""
    monkeypatch.setattr(source, "BLOCK_BYTES", 600)
    monkeypatch.setattr(array_module, "_FEWEST_ROWS", 20)
    monkeypatch.setattr(long_module, "_BATCH_ROWS", 150)
    monkeypatch.setattr(refit, "_REFIT_SIZE", 500)


class TestSameAsInMemory:
    # of the badly scaled factors
    @pytest.mark.filterwarnings("ignore::riskmodel.errors.DoubtfulUnitWarning")
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("difficulty", ORDINARY | HARD)
    def test_moments(self, kind, difficulty, tmp_path, small_blocks):
        panel = (ORDINARY | HARD)[difficulty]()
        stored = KINDS[kind](panel, tmp_path)
        assert kind in {"wide", "long"} or len(stored.arrays()[0].readers()) > 1
        same_moments(rm.Moments.of(stored), rm.Moments.of(in_memory(panel)))

    @pytest.mark.filterwarnings("ignore::riskmodel.errors.DoubtfulUnitWarning")
    @pytest.mark.parametrize("difficulty", ORDINARY | HARD)
    def test_to_the_last_bit_where_all_assets_are_read_together(self, difficulty, tmp_path):
        panel = (ORDINARY | HARD)[difficulty]()
        expected = rm.Moments.of(in_memory(panel))
        for name in ("memmap", "wide", "long"):
            folder = tmp_path / name
            folder.mkdir()
            exactly(rm.Moments.of(KINDS[name](panel, folder)), expected)

    @pytest.mark.parametrize("kind", ALL_KINDS)
    def test_models(self, kind, tmp_path, small_blocks):
        panel = ragged()
        stored, there = ALL_KINDS[kind](panel, tmp_path), in_memory(panel)
        for estimator in (rm.OLS(), rm.EWMA(half_life=rm.QUARTER)):
            found, expected = estimator.fit(stored), estimator.fit(there)
            for name in ("loadings", "idio_variance"):
                np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-11, atol=1e-14)
            for name in ("std_errors", "rsquared", "n_observations"):
                one, other = (getattr(m.regression, name) for m in (found, expected))
                np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-14)

    def test_float32_and_integers_are_read_as_they_are(self, tmp_path):
        panel = clean()
        stored = as_memmap(panel, tmp_path, np.float32)
        as_stored = total(panel).astype(np.float32).astype(np.float64) - SOME_RATE
        np.testing.assert_array_equal(stored.select().excess_returns, as_stored)
        counts = np.random.default_rng(0).integers(-1, 2, (300, 2)) * 0
        zeros = rm.StoredPanel.array(counts, dates=panel.dates, **beside(panel, risk_free=0.0))
        assert (zeros.select().excess_returns == 0.0).all(axis=None)

    def test_dates_that_the_factors_lack_are_left_out_and_said(self, tmp_path):
        panel = ragged()
        f = panel.factor_returns.copy()
        f.iloc[[3, 77]] = np.nan
        f = f.drop(f.index[120:130])
        expected = rm.ReturnPanel.align(total(panel), f, rate_of(panel), horizon=rm.DAY)
        for kind, make in KINDS.items():
            folder = tmp_path / kind.replace(" ", "")
            folder.mkdir()
            stored = make(panel, folder, factors=f)
            pd.testing.assert_frame_equal(stored.dropped, expected.dropped)
            assert len(stored.dropped) == 12
            same_moments(rm.Moments.of(stored), rm.Moments.of(expected))
            pd.testing.assert_frame_equal(stored.select().excess_returns, expected.excess_returns)

    def test_a_single_date(self, tmp_path):
        panel = clean().select(end=clean().dates[0])
        exactly(rm.Moments.of(as_memmap(panel, tmp_path)), rm.Moments.of(in_memory(panel)))

    def test_a_state_is_updated_by_stored_days(self, tmp_path):
        panel = clean()
        stored, ewma = as_wide(panel, tmp_path), rm.EWMA(half_life=rm.QUARTER)
        middle, after = panel.dates[199], panel.dates[200]
        state = ewma.update(ewma.moments(stored.between(end=middle)), stored.between(start=after))
        np.testing.assert_allclose(ewma.estimate(state).loadings, ewma.fit(in_memory(panel)).loadings, rtol=1e-12)

    def test_no_factors(self, tmp_path):
        panel = clean()
        data = rm.InMemory(total(panel), factors=None, risk_free=rate_of(panel), horizon=rm.DAY)
        stored = rm.StoredPanel.array(
            total(panel).to_numpy(), dates=panel.dates, assets=panel.assets, **beside(panel, factors=None)
        )
        exactly(rm.Moments.of(stored), rm.Moments.of(data.panel(data.assets, [])))

    def test_many_assets_that_cancel_are_read_again_a_few_at_a_time(self, tmp_path, monkeypatch):
        panel = nearly_explained(n=40, ragged_too=True)
        whole = rm.Moments.of(in_memory(panel))
        stored, shapes = as_memmap(panel, tmp_path), []
        read = type(stored.arrays()[0]).read
        spy = lambda self, columns, dates: (shapes.append(len(columns)), read(self, columns, dates))[1]  # noqa: E731
        monkeypatch.setattr(type(stored.arrays()[0]), "read", spy)
        monkeypatch.setattr(refit, "_REFIT_SIZE", 7 * 300)
        same_moments(rm.Moments.of(stored), whole)
        assert max(shapes) == 7
        assert sum(shapes) == 40


@given(
    seed=st.integers(0, 10_000),
    t=st.integers(12, 120),
    n=st.integers(1, 6),
    k=st.integers(0, 3),
    kind=st.sampled_from(sorted(ALL_KINDS)),
    block=st.sampled_from([200, 2_000, 1 << 20]),
    split=st.tuples(st.integers(1, 90), st.sets(st.integers(1, 119), max_size=5)),
)
def test_any_split_any_block_any_holes(tmp_path_factory, seed, t, n, k, kind, block, split):  # noqa: PLR0917
    group, cuts = split
    rng = np.random.default_rng(seed)
    f, r = rng.normal(0, 0.01, (t, k)), rng.normal(0, 0.02, (t, n))
    for j in range(n):
        at = rng.integers(t)
        holes = (slice(0, at), slice(at, t), rng.random(t) < 0.4, slice(0, 0))[rng.integers(4)]
        r[holes, j] = np.nan
    r[:, 0] = rng.normal(0, 0.02, t)  # each date has a return, as in a panel in memory
    r[0] = np.where(np.isnan(r).all(axis=0), 0.01, r[0])  # a long file does not know of an asset without any
    panel = panel_of(r, f)
    options = {"wide": {"cuts": sorted(cuts), "group": group}, "long": {"group": group}, "no order": {"group": group}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "BLOCK_BYTES", block)
        patch.setattr(array_module, "_FEWEST_ROWS", 16)
        patch.setattr(long_module, "_BATCH_ROWS", 50)
        folder = tmp_path_factory.mktemp("any")
        make = as_long if kind == "no order" else ALL_KINDS[kind]
        stored = make(panel, folder, **({"order": ()} if kind == "no order" else {}) | options.get(kind, {}))
        there = in_memory(panel)
        np.testing.assert_array_equal(stored.select().excess_returns, there.excess_returns)
        same_moments(rm.Moments.of(stored), rm.Moments.of(there))
        seen = np.full(there.excess_returns.shape, -1.0)
        for part in stored.blocks():
            rows, columns = there.dates.get_indexer(part.dates), there.assets.get_indexer(part.assets)
            assert (seen[np.ix_(rows, columns)] == -1.0).all()  # nothing comes twice
            seen[np.ix_(rows, columns)] = part.excess_returns
        np.testing.assert_array_equal(seen, there.excess_returns)


class TestAsAPanel:
    @pytest.mark.parametrize("kind", KINDS)
    def test_parts_of_it_in_memory(self, kind, tmp_path, small_blocks):
        panel = ragged()
        stored, there = KINDS[kind](panel, tmp_path), in_memory(panel)
        window = {"start": panel.dates[70], "end": panel.dates[111]}
        names = ["A9", "A2", "A10"]
        for some in ({}, window, {"assets": names}, window | {"assets": names, "factors": ["F1"]}):
            found, expected = stored.select(**some), there.select(**some)
            pd.testing.assert_frame_equal(found.excess_returns, expected.excess_returns)
            pd.testing.assert_frame_equal(found.factor_returns, expected.factor_returns)
            pd.testing.assert_series_equal(found.risk_free, expected.risk_free)
        same_moments(rm.Moments.of(stored.between(**window)), rm.Moments.of(there.select(**window)))

    def test_its_parts(self, tmp_path):
        panel = clean()
        stored = as_wide(panel, tmp_path)
        assert repr(stored).startswith("<StoredPanel 300 dates (2010-01-01 to 2011-02-24, per day) × 12 assets, 3 fact")
        assert repr(stored).endswith("0 dates dropped, in 4 Parquet files>")
        assert list(stored.assets) == list(panel.assets)
        pd.testing.assert_frame_equal(stored.factor_returns, panel.factor_returns)
        pd.testing.assert_series_equal(stored.risk_free, in_memory(panel).risk_free)
        assert [f.name for f in stored.definitions] == ["F0", "F1", "F2"]
        assert stored.funded == (False,) * 3
        paid = rm.StoredPanel.parquet(tmp_path, **beside(panel, funded=["F1"]))
        assert paid.funded == (False, True, False)
        with pytest.raises(rm.UnknownFactorError, match="F7"):
            rm.StoredPanel.parquet(tmp_path, **beside(panel, funded=["F7"]))
        with pytest.raises(rm.UnknownAssetError, match="nearest"):
            stored.select(["A99"])
        with pytest.raises(rm.NoOverlapError):
            stored.between(start="2030")

    def test_its_part_in_memory_makes_a_summary(self, tmp_path):
        panel = ragged()
        stored, there = as_memmap(panel, tmp_path), in_memory(panel)
        model = rm.OLS().fit(stored)
        with pytest.raises(rm.InvalidParameterError):
            model.summary("A5", stored)
        expected = rm.OLS().fit(there).summary("A5", there)
        assert str(model.summary("A5", stored.select(["A5"])).tables[1]) == str(expected.tables[1])

    def test_residuals_block_by_block(self, tmp_path, small_blocks):
        panel = ragged()
        stored = by_asset(panel, tmp_path)
        model = rm.OLS().fit(stored)
        squares = pd.Series(0.0, model.assets)
        for block in stored.blocks():
            own = model.restrict(block.assets).residuals(block)
            squares = squares.add((own**2).sum(), fill_value=0.0)
        expected = model.idio_variance * (model.regression.n_observations - 1)
        np.testing.assert_allclose(squares[model.assets], expected, rtol=1e-10)
        with pytest.raises(rm.InvalidParameterError, match=r"got StoredPanel"):
            model.residuals(stored)

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_a_memory_map_is_pickled_as_where_it_lies(self, order, tmp_path):
        panel = clean()
        np.save(tmp_path / "r.npy", np.asarray(total(panel), order=order))
        mapped, more = np.load(tmp_path / "r.npy", mmap_mode="r"), beside(panel, assets=panel.assets)
        stored = rm.StoredPanel.array(mapped, dates=panel.dates, **more)
        sent = pickle.dumps(stored)
        rest = rm.StoredPanel.array(mapped[100:], dates=panel.dates[100:], **more)
        assert len(pickle.dumps(stored)) < len(pickle.dumps(rest)) - 200 * 8 * len(panel.assets) / 2
        for one in (stored, rest):
            again = pickle.loads(pickle.dumps(one))
            pd.testing.assert_frame_equal(again.select().excess_returns, one.select().excess_returns)
        assert pickle.loads(sent).select().excess_returns.equals(stored.select().excess_returns)
        mine = np.load(tmp_path / "r.npy", mmap_mode="c")
        mine[0, 0] = 0.123
        changed = pickle.loads(pickle.dumps(rm.StoredPanel.array(mine, dates=panel.dates, **more)))
        assert changed.select().excess_returns.iloc[0, 0] == pytest.approx(0.123 - SOME_RATE)
        (tmp_path / "r.npy").rename(tmp_path / "moved.npy")
        with pytest.raises(rm.SourceError, match=r"memory map of .*r\.npy"):
            pickle.loads(sent)

    def test_it_travels_to_another_process(self, tmp_path):
        panel = ragged()
        stored = as_wide(panel, tmp_path)
        again = pickle.loads(pickle.dumps(stored))
        exactly(rm.Moments.of(again), rm.Moments.of(stored))

    def test_rows_are_read_once_and_in_order(self, tmp_path):
        (reader,) = as_memmap(clean(), tmp_path).arrays()[0].readers()
        reader[slice(0, 5)]
        with pytest.raises(IndexError, match=r"5.* 0;"):
            reader[slice(0, 5)]


class TestMemory:
    @pytest.mark.parametrize("n", [40, 4_000])
    def test_it_is_bounded_by_a_block_however_many_dates(self, tmp_path, monkeypatch, n):
        monkeypatch.setattr(source, "BLOCK_BYTES", 1 << 18)
        peaks = []
        for i, t in enumerate((1_500, 15_000) if n == 40 else (150, 1_500)):
            panel = _large(t, n)
            mapped = np.lib.format.open_memmap(tmp_path / f"{i}.npy", "w+", np.float64, (t, n))
            for start in range(0, t, 500):
                mapped[start : start + 500] = 0.02 * np.random.default_rng(start).normal(
                    size=mapped[start : start + 500].shape
                )
            stored = rm.StoredPanel.array(np.load(tmp_path / f"{i}.npy", mmap_mode="r"), **panel)
            rm.OLS().fit(stored.between(end=stored.dates[50]))  # what is only made once
            tracemalloc.start()
            rm.OLS().fit(stored)
            peaks.append(tracemalloc.get_traced_memory()[1] - 8 * 40 * t)  # what there is by date
            tracemalloc.stop()
        assert peaks[1] < 1.5 * peaks[0]
        assert peaks[1] < 0.5 * mapped.nbytes


def _large(t, n):
    days = pd.bdate_range("1900-01-01", periods=t)
    factor = pd.Series(np.random.default_rng(1).normal(0, 0.01, t), days, name="F")
    return {"dates": days, "factors": factor, "risk_free": 0.0, "horizon": rm.DAY}


class _Sliced:
    """What slices by rows and knows nothing else of numpy."""

    def __init__(self, values, chunks=None):
        self.values, self.asked = values, []
        self.shape, self.dtype = values.shape, values.dtype
        if chunks:
            self.chunks = chunks

    def __getitem__(self, key):
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        assert isinstance(rows, slice)
        assert isinstance(columns, slice)
        self.asked.append((rows.start, rows.stop, columns.start, columns.stop))
        return self.values[key]


class TestArrays:
    def test_whatever_slices(self):
        panel = ragged()
        sliced = _Sliced(total(panel).to_numpy())
        stored = rm.StoredPanel.array(sliced, dates=panel.dates, assets=panel.assets, **beside(panel))
        assert "in an array (_Sliced)" in repr(stored)
        exactly(rm.Moments.of(stored), rm.Moments.of(in_memory(panel)))
        pd.testing.assert_frame_equal(
            stored.select(["A9", "A1"]).excess_returns, in_memory(panel).excess_returns[["A9", "A1"]]
        )

    def test_no_chunk_is_read_twice(self, monkeypatch):
        monkeypatch.setattr(source, "BLOCK_BYTES", 20_000)
        monkeypatch.setattr(array_module, "_FEWEST_ROWS", 100)
        panel = clean(t=400, n=30)
        sliced = _Sliced(total(panel).to_numpy(), chunks=(150, 5))
        stored = rm.StoredPanel.array(sliced, dates=panel.dates, assets=panel.assets, **beside(panel))
        same_moments(rm.Moments.of(stored), rm.Moments.of(in_memory(panel)))
        assert {a[0] % 150 for a in sliced.asked} == {0}
        assert len(sliced.asked) == len(set(sliced.asked))
        sliced.asked.clear()
        stored.select(start=panel.dates[160])
        assert {a[0] for a in sliced.asked} == {160, 300}

    def test_masked_values_are_missing(self):
        panel = clean()
        values = total(panel).to_numpy(copy=True)
        masked = np.ma.array(values, mask=np.isnan(ragged().excess_returns.to_numpy()[:, :12]))
        stored = rm.StoredPanel.array(masked, dates=panel.dates, **beside(panel))
        np.testing.assert_array_equal(np.isnan(stored.select().excess_returns.to_numpy()), masked.mask)

    @pytest.mark.parametrize(
        ("values", "error", "message"),
        [
            (np.zeros((300, 2), dtype=complex), rm.NonNumericError, "complex128"),
            (np.zeros((300, 2), dtype=bool), rm.NonNumericError, "bool"),
            (np.full((300, 2), "1"), rm.NonNumericError, "<U1"),
            (np.zeros(300), rm.InvalidParameterError, r"shape \(300,\)"),
            (np.zeros((300, 0)), rm.InvalidParameterError, "at least one asset"),
            ([[0.0]], rm.InvalidParameterError, "got list"),
            (pd.DataFrame(np.zeros((300, 2))), rm.InvalidParameterError, "InMemory"),
            (np.zeros((299, 2)), rm.InvalidParameterError, r"299 dates.*\(299, 2\), got 300"),
        ],
    )
    def test_bad_arrays_of_returns(self, values, error, message):
        panel = clean()
        with pytest.raises(error, match=message):
            rm.StoredPanel.array(values, dates=panel.dates, **beside(panel))

    def test_labels_and_dates_that_do_not_fit(self):
        panel = clean()
        values, more = total(panel).to_numpy(), beside(panel)
        with pytest.raises(rm.InvalidParameterError, match="12 assets") as caught:
            rm.StoredPanel.array(values, dates=panel.dates, assets=["A", "B"], **more)
        assert caught.value.details == {"what": "assets", "expected": 12, "got": 2}
        with pytest.raises(rm.DuplicateLabelsError):
            rm.StoredPanel.array(values, dates=panel.dates, assets=["A"] * 12, **more)
        with pytest.raises(rm.InvalidDatesError, match=r"array\[::-1\]") as caught:
            rm.StoredPanel.array(values, dates=panel.dates[::-1], **more)
        assert caught.value.details["row"] == 1
        with pytest.raises(rm.InvalidDatesError, match="without a date"):
            rm.StoredPanel.array(values, dates=panel.dates.insert(5, pd.NaT)[:300], **more)
        with pytest.raises(rm.DuplicateDatesError):
            rm.StoredPanel.array(values, dates=panel.dates.insert(5, panel.dates[4])[:300], **more)
        with pytest.raises(rm.SpacingError):
            rm.StoredPanel.array(values, dates=panel.dates, **more | {"horizon": rm.MONTH})
        zoned = rm.StoredPanel.array(values, dates=panel.dates.tz_localize("Asia/Tokyo"), **more)
        assert zoned.dates.equals(panel.dates)
        newest_first = rm.StoredPanel.array(values[::-1][::-1], dates=panel.dates[::-1][::-1], **more)
        exactly(rm.Moments.of(newest_first), rm.Moments.of(zoned))

    def test_rates(self):
        panel = clean()
        stored = rm.StoredPanel.array(total(panel).to_numpy(), dates=panel.dates, **beside(panel, risk_free=SOME_RATE))
        exactly(rm.Moments.of(stored), rm.Moments.of(in_memory(panel)))
        with pytest.raises(rm.InvalidParameterError, match="finite number"):
            rm.StoredPanel.array(total(panel).to_numpy(), dates=panel.dates, **beside(panel, risk_free=np.nan))
        with pytest.raises(rm.PercentReturnsError, match="risk-free"):
            rm.StoredPanel.array(total(panel).to_numpy(), dates=panel.dates, **beside(panel, risk_free=0.04))
        with pytest.raises(rm.InvalidParameterError, match="Horizon"):
            rm.StoredPanel.array(total(panel).to_numpy(), dates=panel.dates, **beside(panel, horizon="day"))

    def test_arrays_that_can_no_longer_be_read(self):
        class Broken(_Sliced):
            def __getitem__(self, key):
                raise OSError("the disk is gone")

        class Short(_Sliced):
            def __getitem__(self, key):
                return super().__getitem__(key)[:-1]

        panel = clean()
        for kind, message in ((Broken, "rows 0 to 300: the disk is gone"), (Short, r"got \(299, 12\)")):
            stored = rm.StoredPanel.array(kind(total(panel).to_numpy()), dates=panel.dates, **beside(panel))
            with pytest.raises(rm.SourceError, match=message):
                rm.OLS().fit(stored)

    def test_pages_of_a_copy_on_write_are_not_released(self, tmp_path):
        panel = clean()
        np.save(tmp_path / "r.npy", total(panel).to_numpy())
        mapped = np.load(tmp_path / "r.npy", mmap_mode="c")
        mapped[:, 0] = 0.5 * mapped[:, 1]
        stored = rm.StoredPanel.array(mapped, dates=panel.dates, **beside(panel))
        rm.OLS().fit(stored)
        assert (mapped[:, 0] == 0.5 * mapped[:, 1]).all()


class TestParquet:
    def test_files_of_other_assets_are_joined_and_it_is_told(self, tmp_path):
        panel = clean()
        whole = total(panel)
        whole[:100].drop(columns=["A3"]).to_parquet(tmp_path / "2.parquet")
        whole[100:200].rename(columns={"A0": "A0 "}).to_parquet(tmp_path / "1.parquet")
        whole[200:].iloc[:, ::-1].to_parquet(tmp_path / "0.parquet")
        stored = rm.StoredPanel.parquet(tmp_path, **beside(panel))
        assert sorted(stored.assets) == sorted([*panel.assets, "A0 "])
        assert stored.files["assets"].tolist() == [11, 12, 12]
        assert stored.files["appeared"].tolist() == [[], ["A0 ", "A3"], ["A0"]]
        assert stored.files["vanished"].tolist() == [[], ["A0"], ["A0 "]]
        assert stored.files["start"].tolist() == [panel.dates[i] for i in (0, 100, 200)]
        found = stored.select(["A3", "A0", "A0 ", "A7"]).excess_returns
        excess = whole - SOME_RATE
        assert found["A3"][:100].isna().all()
        pd.testing.assert_series_equal(found["A3"][100:], excess["A3"][100:])
        assert found["A0"][100:200].isna().all()
        np.testing.assert_array_equal(found["A0 "][100:200], excess["A0"][100:200])
        pd.testing.assert_series_equal(found["A7"], excess["A7"])
        some = rm.StoredPanel.parquet(tmp_path, assets=["A7", "A3"], **beside(panel))
        assert list(some.assets) == ["A7", "A3"]
        pd.testing.assert_frame_equal(some.select().excess_returns, found[["A7", "A3"]])
        with pytest.raises(rm.UnknownAssetError, match="A33"):
            rm.StoredPanel.parquet(tmp_path, assets=["A7", "A33"], **beside(panel))

    def test_labels_with_points_numbers_and_one_inside_another(self, tmp_path):
        panel = clean(n=3)
        whole = total(panel).set_axis(["BRK", "BRK.B", "BRK.A"], axis=1)
        whole.to_parquet(tmp_path / "a.parquet")
        stored = rm.StoredPanel.parquet(tmp_path / "a.parquet", **beside(panel))
        pd.testing.assert_frame_equal(
            stored.select(["BRK.A", "BRK"]).excess_returns, (whole - SOME_RATE)[["BRK.A", "BRK"]]
        )
        whole.set_axis([10107, 14593, 7], axis=1).to_parquet(tmp_path / "b.parquet")
        numbers = rm.StoredPanel.parquet(tmp_path / "b.parquet", **beside(panel))
        assert numbers.assets.tolist() == [10107, 14593, 7]
        assert numbers.select([7]).excess_returns[7].tolist() == (whole - SOME_RATE)["BRK.A"].tolist()

    @pytest.mark.parametrize("kind", ["date32", "text", "number", "zone", "period", "column"])
    def test_ways_to_write_dates(self, kind, tmp_path):
        panel = clean(n=2)
        days, whole = panel.dates, total(panel).reset_index(drop=True)
        written = {
            "date32": pd.Index(days.date), "text": days.strftime("%Y-%m-%d"),
            "number": days.strftime("%Y%m%d").astype(int), "zone": days.tz_localize("America/New_York"),
            "period": days.to_period("D"), "column": days,
        }[kind]  # fmt: skip
        if kind == "column":
            whole.insert(1, "when", written)
            whole.to_parquet(tmp_path / "a.parquet", index=False)
            with pytest.raises(rm.InvalidDatesError, match=r"a\.parquet"):
                rm.StoredPanel.parquet(tmp_path, **beside(panel))
        else:
            whole.set_axis(pd.Index(written, name="day")).to_parquet(tmp_path / "a.parquet")
        layout = rm.Wide(date="when" if kind == "column" else "day")
        stored = rm.StoredPanel.parquet(tmp_path, layout=layout, **beside(panel))
        pd.testing.assert_frame_equal(stored.select().excess_returns, in_memory(panel).excess_returns)

    def test_dates_in_a_dictionary(self, tmp_path):
        panel = clean(n=2)
        days = pa.array(panel.dates.strftime("%Y-%m-%d")).dictionary_encode()
        table = pa.table({"day": days} | {name: pa.array(total(panel)[name]) for name in panel.assets})
        pq.write_table(table, tmp_path / "a.parquet")
        stored = rm.StoredPanel.parquet(tmp_path / "a.parquet", **beside(panel))
        pd.testing.assert_frame_equal(stored.select().excess_returns, in_memory(panel).excess_returns)

    def test_row_numbers_are_neither_dates_nor_assets(self, tmp_path):
        panel = clean(n=2)
        numbers = [*range(100), *range(101, 301)]
        wide = total(panel).rename_axis("date").reset_index().set_axis(numbers)
        wide.to_parquet(tmp_path / "wide.parquet")
        rows = rows_of(panel)
        rows.set_axis(np.random.default_rng(0).permutation(len(rows))).to_parquet(tmp_path / "long.parquet")
        for name, layout in (("wide", rm.Wide()), ("wide", rm.Wide("date")), ("long", rm.Long())):
            path = tmp_path / f"{name}.parquet"
            stored = rm.StoredPanel.parquet(path, layout=layout, **beside(panel))
            pd.testing.assert_frame_equal(stored.select().excess_returns, in_memory(panel).excess_returns)
            pd.testing.assert_frame_equal(rm.read_returns(path, layout), total(panel), check_freq=False)

    @pytest.mark.parametrize("path", ["~nosuchuser/a", "a\0b", b"a", ["a", 1], "\ud800", None, 3])
    def test_bad_paths(self, path):
        with pytest.raises(rm.InvalidParameterError):
            rm.StoredPanel.parquet(path, **beside(clean(n=2)))

    def test_bad_layouts_and_lists(self, tmp_path):
        panel = clean(n=2)
        total(panel).to_parquet(tmp_path / "a.parquet")
        for more in ({"assets": "A"}, {"assets": 3}, {"layout": "long"}):
            with pytest.raises(rm.InvalidParameterError):
                rm.StoredPanel.parquet(tmp_path / "a.parquet", **beside(panel, **more))
        for make in (lambda: rm.Wide(["date"]), lambda: rm.Long(None), lambda: rm.Long("a", "b", ["c"])):
            with pytest.raises(rm.InvalidParameterError, match="name of one column"):
                make()

    def test_labels_that_are_lists_and_columns_of_levels(self, tmp_path):
        panel = clean(n=2)
        rows = rows_of(panel)
        rows.assign(asset=[[a] for a in rows["asset"]]).to_parquet(tmp_path / "long.parquet")
        with pytest.raises(rm.LayoutError, match="got list") as caught:
            rm.StoredPanel.parquet(tmp_path / "long.parquet", layout=rm.Long(), **beside(panel))
        assert caught.value.details["column"] == "asset"
        levels = total(panel).set_axis(pd.MultiIndex.from_tuples([("A", "x"), ("B", "y")]), axis=1)
        levels.to_parquet(tmp_path / "wide.parquet")
        with pytest.raises(rm.LayoutError, match=r"wide\.parquet") as caught:
            rm.StoredPanel.parquet(tmp_path / "wide.parquet", **beside(panel))
        assert caught.value.details["levels"] == 2

    def test_months_are_labelled_by_their_last_day(self, tmp_path):
        months = pd.date_range("2000-01-31", periods=40, freq="ME")
        rng = np.random.default_rng(0)
        r = pd.DataFrame(rng.normal(0, 0.05, (40, 2)), months, ["A", "B"])
        r.set_axis(months - pd.offsets.BDay(1)).to_parquet(tmp_path / "wide.parquet")
        rows = r.set_axis(months - pd.offsets.BDay(1)).rename_axis("date").melt(ignore_index=False, var_name="asset")
        (tmp_path / "long").mkdir()
        rows.reset_index().to_parquet(tmp_path / "long" / "a.parquet")
        f = pd.Series(rng.normal(0, 0.05, 40), months.to_period("M"), name="F")
        more = {"factors": f, "risk_free": 0.0, "horizon": rm.MONTH}
        for path, layout in ((tmp_path / "wide.parquet", rm.Wide()), (tmp_path / "long", rm.Long())):
            stored = rm.StoredPanel.parquet(path, layout=layout, **more)
            pd.testing.assert_frame_equal(stored.select().excess_returns, r, check_freq=False)

    def test_other_kinds_of_numbers(self, tmp_path):
        panel = clean(n=4)
        table = pa.table({
            "day": pa.array(panel.dates),
            "half": pa.array(np.full(300, 0.03125), pa.float32()),
            "whole": pa.array([None, *([0] * 299)], pa.int64()),
            "exact": pa.array([None, *([0.0625] * 299)], pa.float64()).cast(pa.decimal128(10, 4)),
            "nothing": pa.nulls(300),
        })  # fmt: skip
        pq.write_table(table, tmp_path / "a.parquet")
        found = (
            rm.StoredPanel.parquet(tmp_path, **beside(panel, risk_free=0.0)).select(start=panel.dates[1]).excess_returns
        )
        assert found.iloc[-1, :3].tolist() == [0.03125, 0.0, 0.0625]
        assert found["nothing"].isna().all()

    def test_partitions_and_what_writers_leave_behind(self, tmp_path):
        panel = clean()
        for year, part in total(panel).groupby(panel.dates.year):
            (tmp_path / f"year={year}").mkdir()
            part.to_parquet(tmp_path / f"year={year}" / "part-0.parquet")
        (tmp_path / "_SUCCESS").touch()
        (tmp_path / "_metadata.parquet").write_bytes(b"nothing")
        (tmp_path / ".part.parquet").write_bytes(b"nothing")
        (tmp_path / "notes.txt").touch()
        exactly(rm.Moments.of(rm.StoredPanel.parquet(tmp_path, **beside(panel))), rm.Moments.of(in_memory(panel)))
        files = sorted(tmp_path.rglob("part-0.parquet"))
        one = rm.StoredPanel.parquet(files[:1], **beside(panel))
        assert one.dates[-1].year == 2010
        assert len(one.dropped) == (panel.dates.year == 2011).sum()

    def test_errors_of_a_folder(self, tmp_path):
        panel = clean()
        more = beside(panel)
        with pytest.raises(rm.SourceError, match="Parquet"):
            rm.StoredPanel.parquet(tmp_path, **more)
        with pytest.raises(rm.SourceError, match=r"gone.parquet cannot be opened: No such file"):
            rm.StoredPanel.parquet(tmp_path / "gone.parquet", **more)
        total(panel)[:200].to_parquet(tmp_path / "a.parquet")
        total(panel)[199:].to_parquet(tmp_path / "b.parquet")
        with pytest.raises(rm.DuplicateDatesError, match=r"(?s)a\.parquet.*b\.parquet"):
            rm.StoredPanel.parquet(tmp_path, **more)
        with pytest.raises(rm.InvalidParameterError, match="more than once"):
            rm.StoredPanel.parquet([tmp_path / "a.parquet"] * 2, **more)
        with pytest.raises(rm.InvalidParameterError, match="layout"):
            rm.StoredPanel.parquet(tmp_path, layout="wide", **more)

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            (lambda r: r[::-1], rm.InvalidDatesError, r"a\.parquet.* in row 2"),
            (lambda r: pd.concat([r[:5], r[4:]]), rm.DuplicateDatesError, "a.parquet"),
            (lambda r: r.set_axis([pd.NaT, *r.index[1:]]), rm.InvalidDatesError, "without a date"),
            (lambda r: r.assign(A1="x"), rm.NonNumericError, r"column 'A1' of .*a\.parquet"),
            (lambda r: r.assign(A1=True), rm.NonNumericError, r"column 'A1' of .* got bool"),
            (lambda r: r[:0], rm.LayoutError, r"rows in .*a\.parquet"),
            (lambda r: r[[]], rm.LayoutError, "at least one of returns"),
            (lambda r: r.set_index("A1", append=True), rm.LayoutError, r"rm\.Long"),
            (lambda r: r.reset_index(drop=True), rm.InvalidDatesError, "a.parquet indexed by dates"),
        ],
    )
    def test_bad_wide_files(self, change, error, message, tmp_path):
        panel = clean()
        change(total(panel)).to_parquet(tmp_path / "a.parquet")
        with pytest.raises(error, match=message):
            rm.StoredPanel.parquet(tmp_path, **beside(panel))

    def test_a_date_column_that_is_not_there(self, tmp_path):
        panel = clean()
        total(panel).to_parquet(tmp_path / "a.parquet")
        with pytest.raises(rm.LayoutError, match=r"column 'when'.* rm\.Wide"):
            rm.StoredPanel.parquet(tmp_path, layout=rm.Wide(date="when"), **beside(panel))

    def test_columns_of_one_name(self, tmp_path):
        panel = clean()
        table = pa.table([pa.array(panel.dates), pa.array(np.zeros(300)), pa.array(np.zeros(300))], ["day", "A", "A"])
        pq.write_table(table, tmp_path / "a.parquet")
        with pytest.raises(rm.DuplicateLabelsError, match=r"a.parquet"):
            rm.StoredPanel.parquet(tmp_path, **beside(panel))

    def test_a_column_that_is_not_wanted_may_be_anything(self, tmp_path):
        panel = clean()
        total(panel).assign(note="x").to_parquet(tmp_path / "a.parquet")
        names = list(panel.assets)
        stored = rm.StoredPanel.parquet(tmp_path, assets=names, **beside(panel))
        exactly(rm.Moments.of(stored), rm.Moments.of(in_memory(panel)))

    def test_no_whole_file(self, tmp_path):
        panel = clean()
        whole = as_wide(panel, tmp_path)
        path = tmp_path / "7.parquet"
        good = path.read_bytes()
        for bad in (b"", b"PAR1", good[:-100], b"date,A\n2020-01-01,1\n"):
            path.write_bytes(bad)
            with pytest.raises(rm.LayoutError, match=r"7.parquet, which is damaged"):
                rm.StoredPanel.parquet(tmp_path, **beside(panel))
        with pytest.raises(rm.SourceError, match=r"7.parquet unchanged since the panel was made"):
            rm.OLS().fit(whole)
        path.unlink()
        with pytest.raises(rm.SourceError, match=r"7.parquet cannot be opened"):
            rm.OLS().fit(whole)

    def test_a_page_that_was_damaged_later(self, tmp_path):
        panel = clean(n=1)
        path = tmp_path / "a.parquet"
        total(panel).to_parquet(path, write_page_checksum=True, compression="none", use_dictionary=False)
        stored = rm.StoredPanel.parquet(path, **beside(panel))
        content, state = bytearray(path.read_bytes()), path.stat()
        first = content.index(total(panel).to_numpy()[5].tobytes())
        content[first + 3] ^= 1
        path.write_bytes(content)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        with pytest.raises(rm.LayoutError, match="damaged"):
            rm.OLS().fit(stored)

    def test_without_pyarrow(self, tmp_path, monkeypatch):
        panel = clean()
        as_wide(panel, tmp_path)
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(rm.MissingExtraError, match=r"riskmodel\[cache\]"):
            rm.StoredPanel.parquet(tmp_path, **beside(panel))


class TestLong:
    def test_categories_that_no_row_has_are_no_assets(self, tmp_path):
        panel = clean(n=4)
        rows = rows_of(panel)
        rows["asset"] = pd.Categorical(rows["asset"])
        some = rows[rows["asset"].isin(["A0", "A2"])]
        some.to_parquet(tmp_path / "some.parquet", index=False)
        stored = rm.StoredPanel.parquet(tmp_path / "some.parquet", layout=rm.Long(), **beside(panel))
        assert list(stored.assets) == ["A0", "A2"]
        same_moments(rm.Moments.of(stored), rm.Moments.of(panel.select(["A0", "A2"])))

    @pytest.mark.parametrize(("column", "error"), [("asset", rm.LayoutError), ("date", rm.InvalidDatesError)])
    def test_a_missing_category_is_refused(self, tmp_path, column, error):
        panel = clean(n=2)
        rows = rows_of(panel)
        rows[column] = rows[column].astype("category")
        rows.loc[rows.index[7], column] = None
        rows.to_parquet(tmp_path / "a.parquet", index=False)
        with pytest.raises(error, match="drop"):
            rm.StoredPanel.parquet(tmp_path / "a.parquet", layout=rm.Long(), **beside(panel))

    def test_how_often_it_is_read(self, tmp_path, small_blocks):
        panel = clean(n=12)
        reads = {}
        for name, order in (("date", ("date", "asset")), ("asset", ("asset", "date")), ("none", ())):
            (tmp_path / name).mkdir()
            stored = as_long(panel, tmp_path / name, order=order, group=64)
            returns = stored.arrays()[0]
            cells = returns.source._cells
            groups = returns.source.groups(np.arange(12))
            reads[name] = sum(len(c[1][2]) for g in groups for c in cells(g, range(300))) / (300 * 12)
        assert reads["date"] == 1.0
        assert 1.0 <= reads["asset"] < 3.0  # the batches at the edges of groups
        assert reads["none"] > 3.0

    def test_labels_in_a_category_an_index_and_as_numbers(self, tmp_path):
        panel = clean(n=3)
        rows = rows_of(panel, "day", "who").set_index(["day", "who"])["ret"]
        layout = rm.Long(date="day", asset="who")
        rows.to_frame().to_parquet(tmp_path / "index.parquet")
        category = rows.reset_index().astype({"who": "category"}).assign(other=1.0)
        category.to_parquet(tmp_path / "category.parquet")
        numbers = rows.reset_index()
        numbers["who"] = numbers["who"].str[1:].astype(int)
        numbers.to_parquet(tmp_path / "numbers.parquet")
        expected = in_memory(panel).excess_returns
        for name, value in (("index", None), ("category", "ret"), ("numbers", None)):
            long = rm.Long(date="day", asset="who", value=value)
            found = (
                rm.StoredPanel.parquet(tmp_path / f"{name}.parquet", layout=long, **beside(panel))
                .select()
                .excess_returns
            )
            labels = expected.columns if name != "numbers" else [0, 1, 2]
            pd.testing.assert_frame_equal(found, expected.set_axis(labels, axis=1), check_column_type=False)
        with pytest.raises(rm.LayoutError, match="ret, other") as caught:
            rm.StoredPanel.parquet(tmp_path / "category.parquet", layout=layout, **beside(panel))
        assert caught.value.details["columns"] == ["ret", "other"]
        same = rm.Long(date="day", asset="who", value="who")
        with pytest.raises(rm.InvalidParameterError, match="different columns"):
            rm.StoredPanel.parquet(tmp_path / "category.parquet", layout=same, **beside(panel))

    def test_files(self, tmp_path):
        stored = as_long(clean(), tmp_path)
        assert [p.rsplit("/", 1)[-1] for p in stored.files["file"]] == ["b.parquet", "a.parquet"]
        assert stored.files["rows"].sum() == 300 * 12
        assert stored.files["start"].tolist() == [stored.dates[0], stored.dates[150]]
        assert rm.StoredPanel.array(np.zeros((300, 1)), dates=clean().dates, **beside(clean())).files.empty

    def test_some_assets(self, tmp_path, small_blocks):
        panel = ragged()
        as_long(panel, tmp_path)
        names = ["A7", "A0", "A3"]
        stored = rm.StoredPanel.parquet(tmp_path, layout=rm.Long(), assets=names, **beside(panel))
        pd.testing.assert_frame_equal(stored.select().excess_returns, in_memory(panel).excess_returns[names])
        with pytest.raises(rm.UnknownAssetError, match="A77"):
            rm.StoredPanel.parquet(tmp_path, layout=rm.Long(), assets=["A77", "A0"], **beside(panel))

    @pytest.mark.parametrize("far", [False, True])
    def test_a_row_that_comes_twice(self, far, tmp_path, monkeypatch):
        monkeypatch.setattr(long_module, "_BATCH_ROWS", 64)
        panel = clean()
        rows = rows_of(panel)
        extra = rows[500:501].assign(ret=np.nan if far else rows["ret"][500])
        pd.concat([rows[:501], extra, rows[501:]] if not far else [extra, rows]).to_parquet(tmp_path / "a.parquet")
        stored = rm.StoredPanel.parquet(tmp_path, layout=rm.Long(value="ret"), **beside(panel))
        asset, day = rows["asset"][500], rows["date"][500].date()
        with pytest.raises(rm.DuplicateDatesError, match=f"{asset} on {day}"):
            rm.OLS().fit(stored)

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            (lambda r: r.assign(asset=[None, *r["asset"][1:]]), rm.LayoutError, "missing label"),
            (lambda r: r.assign(asset=["", *r["asset"][1:]]), rm.LayoutError, "missing label"),
            (lambda r: r.assign(date=[pd.NaT, *r["date"][1:]]), rm.InvalidDatesError, "without a date"),
            (lambda r: r.assign(ret="x"), rm.NonNumericError, "column 'ret'"),
            (lambda r: r.rename(columns={"asset": "permno"}), rm.LayoutError, "column 'asset'"),
            (lambda r: r[:0], rm.LayoutError, "rows in"),
        ],
    )
    def test_bad_long_files(self, change, error, message, tmp_path):
        panel = clean()
        rows = rows_of(panel)
        change(rows).to_parquet(tmp_path / "a.parquet")
        with pytest.raises(error, match=message):
            rm.StoredPanel.parquet(tmp_path, layout=rm.Long(), **beside(panel))


class TestVetting:
    """What a panel in memory would refuse when it is made is refused when it is read."""

    def of(self, values, **more):
        days = pd.bdate_range("2000-01-03", periods=values.shape[0])
        factor = pd.Series(np.random.default_rng(9).normal(0, 0.01, len(days)), days, name="F")
        names = [f"A{i}" for i in range(values.shape[1])]
        return rm.StoredPanel.array(
            values, dates=days, assets=names, **{"factors": factor, "risk_free": 0.0, "horizon": rm.DAY} | more
        )

    def returns(self, t=900, n=6, seed=0):
        return np.random.default_rng(seed).normal(0, 0.02, (t, n))

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch):
        monkeypatch.setattr(source, "BLOCK_BYTES", 8 * 6 * 128)

    def test_percent_in_all_is_told_early(self):
        sliced = _Sliced(100 * self.returns())
        with pytest.raises(rm.PercentReturnsError) as caught:
            rm.OLS().fit(self.of(sliced))
        assert caught.value.details["labels"][:2] == ["A0", "A1"]
        assert sliced.asked[-1][1] < 300

    def test_percent_and_prices_in_one(self):
        percent, prices, gross = self.returns(), self.returns(), self.returns()
        percent[:, 4] *= 100
        prices[:, 2] = 50 * np.cumprod(1 + prices[:, 2])
        gross[:, 1] += 1
        with pytest.raises(rm.PercentReturnsError, match="divide by 100") as caught:
            rm.OLS().fit(self.of(percent))
        assert caught.value.details["labels"] == ["A4"]
        for values, name in ((prices, "A2"), (gross, "A1")):
            with pytest.raises(rm.ImpossibleReturnsError, match="never negative") as refused:
                rm.OLS().fit(self.of(values))
            assert refused.value.details["labels"] == [name]

    def test_a_few_wild_days_are_no_percent(self):
        values = self.returns()
        values[5:, 3] = np.nan
        values[:5, 3] = [0.4, 0.5, -0.3, 0.6, 0.5]
        assert rm.OLS().fit(self.of(values)).loadings.shape == (6, 1)

    def test_short_panels_are_judged_by_the_assets_that_have_returns_on_half_of_the_dates(self):
        values = self.returns(t=10)
        values[:4, 0], values[4:, 0] = 0.7, np.nan
        assert len(self.of(values).select().dates) == 10
        values[4, 0] = 0.7
        with pytest.raises(rm.PercentReturnsError):
            self.of(values).select()
        with pytest.raises(rm.PercentReturnsError):
            self.of(100 * values).select()

    def test_infinite_values(self):
        for bad in (np.inf, -np.inf):
            values = self.returns()
            values[700, 2] = bad
            with pytest.raises(rm.InfiniteReturnsError) as caught:
                rm.OLS().fit(self.of(values))
            assert caught.value.details["label"] == "A2"
            assert caught.value.details["date"] == pd.Timestamp("2002-09-09")

    def test_losses_of_everything(self):
        values = self.returns()
        values[400, 2], values[401:, 2] = -1.0, np.nan
        assert rm.OLS().fit(self.of(values)).regression.n_observations["A2"] == 401
        values[850, 2] = 0.01  # many blocks later
        with pytest.raises(rm.ImpossibleReturnsError, match="A2 on 2001-07-16"):
            rm.OLS().fit(self.of(values))
        values[401, 2] = 0.01  # in the same block
        with pytest.raises(rm.ImpossibleReturnsError, match="A2 on 2001-07-16"):
            rm.OLS().fit(self.of(values))
        values[3, 1] = -1.5
        with pytest.raises(rm.ImpossibleReturnsError, match=r"A1 on 2000-01-06 .*-1.5"):
            rm.OLS().fit(self.of(values))


class TestProgress:
    @pytest.mark.parametrize("is_terminal", [True, False])
    def test_a_bar_on_long_runs_and_on_terminals_only(self, tmp_path, monkeypatch, small_blocks, is_terminal):
        terminal = Terminal(is_terminal)
        monkeypatch.setattr("sys.stderr", terminal)
        stored = as_long(clean(), tmp_path)
        rm.OLS().fit(stored)
        assert terminal.text == ""
        monkeypatch.setattr(progress, "_DELAY_SECONDS", 0.0)
        monkeypatch.setattr(progress, "_INTERVAL_SECONDS", 0.0)
        rm.OLS().fit(stored)
        assert ("Reading: 100%" in terminal.text) is is_terminal
        assert ("3.60k/3.60k" in terminal.text) is is_terminal
        assert terminal.is_clean()
        rm.StoredPanel.parquet(tmp_path, layout=rm.Long(), **beside(clean()))
        assert ("Scanning: 100%" in terminal.text) is is_terminal

    def test_the_terminal_is_left_clean_when_reading_fails(self, monkeypatch):
        terminal = Terminal(True)
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setattr(progress, "_DELAY_SECONDS", 0.0)
        monkeypatch.setattr(progress, "_INTERVAL_SECONDS", 0.0)
        panel = clean()
        values = np.ascontiguousarray(total(panel))
        values[290, 3] = np.inf
        monkeypatch.setattr(source, "BLOCK_BYTES", 8 * 12 * 128)
        monkeypatch.setattr(array_module, "_FEWEST_ROWS", 128)
        stored = rm.StoredPanel.array(values, dates=panel.dates, **beside(panel))
        with pytest.raises(rm.InfiniteReturnsError):
            rm.OLS().fit(stored)
        assert "Reading: " in terminal.text
        assert terminal.is_clean()


def test_the_how_to_page_runs(tmp_path, monkeypatch):
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "larger-than-memory.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    for block in blocks:
        exec(block, space)
    assert len(blocks) == 3
    assert space["model"].loadings.shape == (300, 2)
    assert space["panel"].files["assets"].eq(300).all()
    np.testing.assert_allclose(space["recent"].excess_returns, space["frame"]["2005":], rtol=1e-15)
    assert space["state"].n_dates == 5_000


def test_what_is_no_panel():
    with pytest.raises(rm.InvalidParameterError, match="expected a panel, got ndarray"):
        rm.OLS().fit(np.zeros((3, 3)))
