"""Files of moments with other values in them: each is refused, and the part is named."""

import json
from multiprocessing import get_all_start_methods, get_context

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskmodel as rm

DAYS = pd.bdate_range("2020-01-01", periods=80)
RNG = np.random.default_rng(0)
FACTORS = pd.DataFrame(RNG.normal(0, 0.01, (80, 2)), DAYS, ["F", "G"])
RETURNS = pd.DataFrame(RNG.normal(0, 0.01, (80, 3)), DAYS, list("ABC"))
RETURNS.iloc[:9, 2] = np.nan
PANEL = rm.InMemory(RETURNS, factors=FACTORS, risk_free=0.0, horizon=rm.DAY).panel(list("ABC"), ["F", "G"])
FAST = rm.EWMA(rm.MONTH)
ARRAYS = ["pattern", "count", "scale", "weight", "weight_squares", "q_mean", "q_gram", "r_mean", "coefficients", "rss"]
ARRAYS += ["factor_mean", "factor_root", "origin", "basis"]


def saved(path):
    FAST.moments(PANEL).save(path)
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    return json.loads(str(parts.pop("head"))), parts


def write(path, head, parts):
    np.savez(path, head=np.array(json.dumps(head)), **parts)


def refusal(path):
    with pytest.raises(rm.InvalidParameterError) as caught:
        rm.Moments.load(path)
    assert caught.value.details["path"] == str(path)
    return caught.value.details.get("part")


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a[..., None],
        lambda a: a[:-1],
        lambda a: a.astype("U"),
        lambda a: a.astype(complex),
        lambda a: np.full_like(a, np.nan, dtype=float),
        lambda a: np.full_like(a, np.inf, dtype=float),
        lambda a: np.full_like(a, -1),
        lambda a: a > 0,
        lambda a: np.array(7),
    ],
    ids=["deeper", "shorter", "text", "complex", "NaN", "infinite", "negative", "bool", "one number"],
)
def test_other_arrays_are_refused(tmp_path, name, spoil, request):
    head, parts = saved(tmp_path / "state.npz")
    parts[name] = spoil(parts[name])
    write(tmp_path / "state.npz", head, parts)
    negative = "negative" in request.node.callspec.id
    if negative and name in {"scale", "q_mean", "r_mean", "coefficients", "factor_mean", "factor_root", "origin"}:
        assert rm.Moments.load(tmp_path / "state.npz").assets.tolist() == list("ABC")  # which may be negative
        return
    assert refusal(tmp_path / "state.npz") is not None


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("n_dates", -80), ("n_dates", 80.5), ("n_dates", 3), ("n_dates", "80"), ("n_dates", True), ("weight", 0.0),
        ("weight", -1.0), ("weight", float("nan")), ("weight", None), ("weight_squares", 1e9), ("weight_squares", 0.0),
        ("risk_free_mean", float("inf")), ("risk_free_mean", "0"), ("decay_factor", 1.5), ("decay_factor", 0),
        ("decay_factor", "x"), ("scale", float("nan")), ("days", 0), ("days", "1"), ("name", 7),
        ("assets", ["A", "B", None]), ("assets", ["A", "B", ["C"]]), ("assets", {"A": 1, "B": 2, "C": 3}),
        ("start", "x"), ("start", 7), ("start", None), ("start", "2999-01-01"), ("end", "NaT"), ("end", "20000-01-01"),
        ("definitions", [{"kind": "published", "name": "F"}, {"kind": "published", "name": "G"}]),
        ("definitions", [{"kind": "spread", "name": "F", "sides": 1}, {"kind": "asset", "name": "G"}]),
        ("definitions", [{"kind": "portfolio", "name": "F", "weights": [1]}, {"kind": "asset", "name": "G"}]),
        ("bar", "x"), ("bar", 1e300),
    ],
)  # fmt: skip
def test_other_heads_are_refused(tmp_path, part, value):
    path = tmp_path / "state.npz"
    head, parts = saved(path)
    head[part] = value
    write(path, head, parts)
    expected = {"bar": "horizon"}.get(part, part)
    if part == "n_dates" and value == 3:
        expected = "weight_squares"
    # the end is read along with the start
    assert refusal(path) in ({"start", "end"} if part == "end" else {expected})


def test_assets_that_occur_twice_are_refused(tmp_path):
    head, parts = saved(tmp_path / "state.npz")
    head["assets"] = ["A", "A", "B"]
    write(tmp_path / "state.npz", head, parts)
    with pytest.raises(rm.DuplicateLabelsError):
        rm.Moments.load(tmp_path / "state.npz")


@pytest.mark.parametrize(
    ("part", "spoil"),
    [
        ("q_gram", lambda a: a + np.triu(np.ones(a.shape[1:]), 1)),
        ("q_gram", lambda a: a - 5 * np.eye(a.shape[1])),
        ("q_gram", lambda a: 1e-6 * a + 1e-12 * np.triu(np.ones(a.shape[1:]), 1)),
        ("q_gram", lambda a: np.broadcast_to(1e-6 * np.diag([1.0, -1e-8]), a.shape)),
        ("rss", lambda a: np.array([*a[:-1], -1e-300])),
        ("basis", np.zeros_like),
        ("basis", lambda a: np.repeat(a[:, :1], 2, axis=1)),
        ("pattern", lambda a: a + 5),
        ("count", lambda a: a + 50),
        ("weight", lambda a: a * 100),
    ],
    ids=[
        "not symmetric",
        "not definite",
        "small, not symmetric",
        "small, not definite",
        "negative",
        "no basis",
        "no direction",
        "no pattern",
        "more dates",
        "more weight",
    ],
)
def test_figures_without_a_meaning_are_refused(tmp_path, part, spoil):
    head, parts = saved(tmp_path / "state.npz")
    parts[part] = spoil(parts[part])
    write(tmp_path / "state.npz", head, parts)
    assert refusal(tmp_path / "state.npz") == part


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_rounding_is_no_damage(tmp_path, size):
    head, parts = saved(tmp_path / "state.npz")
    gram = size * parts["q_gram"] + 1e-11 * size * np.triu(np.ones((2, 2)), 1)
    parts |= {"q_gram": gram, "weight": parts["weight"] * (1 - 1e-12), "rss": np.zeros_like(parts["rss"])}
    write(tmp_path / "state.npz", head, parts)
    np.testing.assert_array_equal(rm.Moments.load(tmp_path / "state.npz").regressions.q_gram, gram)


@settings(max_examples=40)
@given(data=st.data())
def test_damaged_bytes_are_refused_or_harmless(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("state") / "state.npz"
    saved(path)
    raw = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
        raw[at] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    try:
        rm.Moments.load(path)
    except rm.RiskModelError:
        return


def test_every_state_that_is_saved_loads(tmp_path):
    for name, moments in {
        "OLS": rm.OLS().moments(PANEL),
        "EWMA": FAST.moments(PANEL),
        "one date": rm.Moments.of(PANEL.select(start=DAYS[-1])),
        "reindexed": FAST.moments(PANEL).reindex(["NEW", "C"]),
        "no factors": rm.Moments.of(PANEL.select(factors=[])),
        "decayed": FAST.moments(PANEL).decay(1e-200),
        "updated": FAST.update(FAST.moments(PANEL.select(end=DAYS[40])), PANEL.select(start=DAYS[41])),
        "weights": rm.Moments.of(PANEL, np.linspace(1e-90, 1e90, 80)),
    }.items():
        moments.save(tmp_path / name)
        loaded = rm.Moments.load(tmp_path / name)
        np.testing.assert_array_equal(loaded.regressions.coefficients, moments.regressions.coefficients)
        assert (loaded.scale, loaded.n_effective) == (moments.scale, moments.n_effective)


def _save_often(path, asset, times):
    state = FAST.moments(PANEL.select([asset]))
    for _ in range(times):
        state.save(path)


def test_two_processes_that_save_to_one_path_leave_a_whole_state(tmp_path):
    path = tmp_path / "state.npz"
    context = get_context("fork" if "fork" in get_all_start_methods() else "spawn")
    writers = [context.Process(target=_save_often, args=(path, asset, 40)) for asset in "AB"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [w.exitcode for w in writers] == [0, 0]
    assert rm.Moments.load(path).assets.tolist() in (["A"], ["B"])
    assert [p.name for p in tmp_path.iterdir()] == ["state.npz"]


def test_saving_touches_no_other_file(tmp_path):
    path, mine, secret = (tmp_path / name for name in ("mine.npz", "mine.npz.part", "secret"))
    secret.write_text("theirs")
    mine.symlink_to(secret)
    FAST.moments(PANEL).save(path)
    assert secret.read_text() == "theirs"
    assert mine.is_symlink()
    assert rm.Moments.load(path).n_dates == 80
