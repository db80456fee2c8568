"""The one pass over a panel: whichever dates are missing, wherever the blocks end, the sums are the naive ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import clean, panel_of, reference

import riskmodel as rm
from riskmodel.estimation.moments import sums
from riskmodel.estimation.moments.sums import Sums


def naive(returns, q):
    """Each asset's sums over its own dates, one asset at a time."""
    i, j = np.triu_indices(q.shape[1])
    for r in returns.T:
        own = ~np.isnan(r)
        x, y = q[own], r[own]
        yield y.sum(), x.T @ y, y @ y, np.concatenate([[own.sum()], x.sum(axis=0), (x.T @ x)[i, j]])


def assert_sums_are_naive(returns, q):
    found, k = Sums.of(returns, q), q.shape[1]
    for n, (r, qr, rr, terms) in enumerate(naive(returns, q)):
        close = {"rtol": 1e-12, "atol": 1e-13}
        np.testing.assert_allclose(found.cross[n, : k + 1], [r, *qr], **close)
        np.testing.assert_allclose(found.squares[n], rr, **close)
        if found.ragged[n]:
            np.testing.assert_allclose(found.terms[n, :-4], terms, **close)
        else:
            assert terms[0] == len(returns)


@given(
    seed=st.integers(0, 10_000),
    t=st.sampled_from([1, 5, 127, 128, 129, 300]),
    n=st.integers(1, 9),
    k=st.integers(0, 10),
    tile=st.tuples(st.integers(1, 4), st.sampled_from([1, 7, 128, 1_000])),
)
def test_any_holes_give_the_naive_sums(seed, t, n, k, tile):
    rng = np.random.default_rng(seed)
    returns, q = rng.normal(size=(t, n)), rng.normal(size=(t, k))
    for j in range(n):
        kind, at = rng.integers(5), rng.integers(t)
        holes = {0: slice(0, at), 1: slice(at, t), 2: rng.random(t) < 0.3, 3: slice(at, at + 1), 4: slice(0, 0)}
        returns[holes[kind], j] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "_tile_assets", lambda *_: tile[0])
        patch.setattr(sums, "_tile_dates", lambda _: tile[1])
        assert_sums_are_naive(np.array(returns, order="CF"[seed % 2]), q)


def test_rows_of_any_numbers_are_read():
    rng = np.random.default_rng(0)
    returns, q = rng.normal(size=(50, 3)).astype(np.float32), rng.normal(size=(50, 2))
    returns[4, 1] = np.nan
    found, expected = Sums.of(returns, q), Sums.of(returns.astype(np.float64), q)
    np.testing.assert_array_equal(found.cross, expected.cross)
    np.testing.assert_array_equal(found.squares, expected.squares)


def test_tiles_fit_in_cache_and_small_products_stay_small():
    for k in (1, 6, 20, 70):
        for t in (1, 60, 252, 2_520, 100_000):
            dates = min(t, sums._tile_dates(sums._width(k)))
            for width in (k + 1, sums._width(k)):
                assets = sums._tile_assets(dates, width)
                assert assets % sums._HEIGHT == 0
                assert assets * dates <= max(sums._CACHED, sums._HEIGHT * dates)
                least = sums._HEIGHT * dates * width
                assert assets * dates * width <= sums._SMALL or least > sums._SMALL


def test_holes_in_every_column_and_then_in_none():
    rng = np.random.default_rng(0)
    returns, q = rng.normal(size=(600, 4)), rng.normal(size=(600, 2))
    returns[:200][rng.random((200, 4)) < 0.3] = np.nan
    returns[500:, 1] = np.nan
    assert_sums_are_naive(returns, q)


def test_patterns_are_told_apart_by_a_single_date():
    r, f, _ = clean(n=4, t=300).arrays()
    r = r.copy()
    r[7, [0, 2]] = np.nan
    r[8, 1] = np.nan
    patterns = rm.Moments.of(panel_of(r, f)).regressions.pattern
    assert patterns[0] == patterns[2]
    assert len({patterns[0], patterns[1], patterns[3]}) == 3


def test_a_panel_wider_than_a_chunk():
    panel = clean(n=2_100, t=140)
    r, f, _ = panel.arrays()
    r = r.copy()
    r[::7, 1] = r[3, 1_500] = np.nan
    holed = panel_of(r, f)
    model = rm.OLS().fit(holed)
    for asset in ("A0", "A1", "A1500", "A2099"):
        fit = reference(holed.select([asset]))[asset]
        np.testing.assert_allclose(model.loadings.loc[asset], fit.params[1:], rtol=1e-11)
        np.testing.assert_allclose(model.regression.std_errors.loc[asset], fit.bse, rtol=1e-11)
