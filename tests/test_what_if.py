"""What trades would do, and the best single ones, against a numeric search."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from strategies import models, weights

import riskmodel as rm


def panel():
    return rm.SampleData().panel(["MSFT", "AAPL", "JPM", "KO"], ["Mkt-RF", rm.Spread("XOM", "PG")], start="2010-01-01")


PANEL = panel()
MODEL = rm.OLS().fit(PANEL)
HELD = rm.Strategy({"MSFT": 0.5, "AAPL": 0.5}, MODEL)


def test_before_and_after():
    what_if = rm.WhatIf(HELD, {"AAPL": -0.2, "JPM": 0.2, "Mkt-RF": -0.3})
    after = rm.HedgedPortfolio(rm.Strategy({"MSFT": 0.5, "AAPL": 0.3, "JPM": 0.2}, MODEL), {"Mkt-RF": -0.3})
    table = what_if.table
    for column, p in (("before", HELD), ("after", after)):
        assert table.loc["volatility", column] == pytest.approx(p.volatility)
        assert table.loc["factor share", column] == pytest.approx(p.decompose().factor_share)
        assert table.loc["idio volatility", column] == pytest.approx(np.sqrt(p.decompose().idio_variance))
        assert table.loc["alpha", column] == pytest.approx(p.alpha)
        np.testing.assert_allclose(what_if.exposures[column], p.exposures)
    np.testing.assert_allclose(table["change"], table["after"] - table["before"])
    assert table["after"][["gross", "net", "traded"]].to_list() == pytest.approx([1.3, 0.7, 0.7])
    alone = what_if.by_trade
    for name, trade in what_if.trades.items():
        p = rm.WhatIf(HELD, {name: trade}).after
        assert alone.loc[name, "volatility"] == pytest.approx(p.volatility)
        assert alone.loc[name, "factor_share"] == pytest.approx(p.decompose().factor_share)


def test_dollars():
    what_if = rm.WhatIf.of_dollars(HELD, {"JPM": 2e5, "AAPL": -1e5}, 1e6)
    assert what_if.trades.to_dict() == {"JPM": 0.2, "AAPL": -0.1}
    pd.testing.assert_frame_equal(what_if.table, rm.WhatIf(HELD, {"JPM": 0.2, "AAPL": -0.1}).table)
    best = what_if.best_trades(3)
    np.testing.assert_allclose(best["dollars"], 1e6 * best["trade"])


def test_assets_alone_leave_a_strategy():
    after = rm.WhatIf(HELD, {"AAPL": -0.5, "KO": 0.5}).after
    assert isinstance(after, rm.Strategy)
    assert after.weights.to_dict() == {"MSFT": 0.5, "AAPL": 0.0, "KO": 0.5}
    active = rm.ActivePortfolio(HELD, {"MSFT": 1.0})
    traded = rm.WhatIf(active, {"AAPL": -0.5, "MSFT": 0.5})
    assert traded.after.is_riskless
    assert traded.before is active


@st.composite
def trials(draw):
    model = draw(models(min_factors=1, max_factors=3))
    strategy = rm.Strategy(draw(weights(model.assets)), model)
    most = draw(st.sampled_from([None, 0.3]))
    return strategy, most


def parabolas(strategy, name):
    """Coefficients of the factor and the total variance after a trade t in one instrument: a + b t + c t²."""
    m, w = strategy.model, strategy.weights
    f, b = m.factor_covariance.to_numpy(), m.loadings
    unit = b.loc[name].to_numpy() if name in b.index else (m.factors == name).astype(float)
    x, own = b.loc[w.index].T.to_numpy() @ w, m.idio_variance.get(name, 0.0)
    factor = np.array([x @ f @ x, 2 * unit @ f @ x, unit @ f @ unit])
    idio = np.array([(w**2) @ m.idio_variance[w.index], 2 * own * w.get(name, 0.0), own])
    return factor, factor + idio


@given(trials())
def test_no_trade_is_better_than_the_best(drawn):
    strategy, most = drawn
    what_if = rm.WhatIf(strategy, {})
    grid = np.concatenate([-np.logspace(-4, 3, 40), np.logspace(-4, 3, 40), [0.0]])
    grid = grid if most is None else grid[np.abs(grid) <= most]
    powers = grid ** np.arange(3)[:, None]
    split = strategy.decompose()
    before = {"volatility": float(strategy.volatility), "factor_share": split.factor_share}
    for best, of in (
        (what_if.best_trades(50, most), "volatility"),
        (what_if.best_trades_for_share(50, most), "factor_share"),
    ):
        assert (np.diff(best[of]) >= -1e-11 * before[of]).all()
        assert (best[of] < before[of]).all()
        assert most is None or (best["trade"].abs() <= most).all()
        for name in [*strategy.model.assets, *strategy.model.factors]:
            found = best.loc[name, of] if name in best.index else before[of]
            of_factor, of_total = parabolas(strategy, name)
            # the share of ever larger trades is that of the instrument alone
            if most is None and of == "factor_share" and of_factor[2] <= found * of_total[2]:
                continue
            factor, total = (np.maximum(c @ powers, 0.0) for c in (of_factor, of_total))
            # near a variance of zero, rounding decides
            large = total > 1e-6 * total[-1]
            after = np.sqrt(total) if of == "volatility" else np.divide(factor, total, where=large, out=0.0 * total)
            rounding = 1e-7 * before[of] + (1e-12 if of == "factor_share" else 0.0)
            assert found <= after[large].min(initial=np.inf) * (1 + 1e-7) + rounding


@pytest.mark.parametrize("most", [None, 0.2])
def test_against_a_numeric_search(most):
    what_if = rm.WhatIf(HELD, {"JPM": 0.1})
    bound = 5.0 if most is None else most
    for best, figure in (
        (what_if.best_trades(10, most), lambda p: float(p.volatility)),
        (what_if.best_trades_for_share(10, most), lambda p: p.decompose().factor_share),
    ):
        assert len(best) >= 3
        for name, row in best.head(2).iterrows():
            result = optimize.minimize_scalar(
                lambda t, name=name, figure=figure: figure(rm.WhatIf(what_if.after, {name: t}).after),
                bounds=(-bound, bound), method="bounded", options={"xatol": 1e-6},
            )  # fmt: skip
            value = row["volatility"] if "volatility" in str(figure.__code__.co_names) else row["factor_share"]
            assert value <= result.fun + 1e-9


def test_linked_names_count():
    linked = rm.FactorModel.from_parameters(
        assets=["A", "B"], factors=["M"], alpha=[0, 0], loadings=[[0], [0]], factor_covariance=0.04, factor_mean=0,
        idio_variance=[0.04, 0.04], horizon=rm.YEAR,
    )  # fmt: skip
    share = rm.FactorModel(
        linked.assets, linked.factors, [0, 0], [[0.0], [0.0]], [0.0], [[0.04]], [0.04, 0.04], 0.0, rm.YEAR, ["M"],
        links=[[np.sqrt(0.02)], [np.sqrt(0.02)]],
    )  # fmt: skip
    # half of the idio variance is common, so half a short of the other name is best
    best = rm.WhatIf(rm.Strategy({"A": 1.0}, share), {}).best_trades()
    assert best.loc["B", "trade"] == pytest.approx(-0.5)
    assert "B" not in rm.WhatIf(rm.Strategy({"A": 1.0}, linked), {}).best_trades().index


def test_a_hundred_thousand_names():
    n, k = 100_000, 10
    rng = np.random.default_rng(0)
    model = rm.FactorModel.from_parameters(
        assets=range(n), factors=[f"F{i}" for i in range(k)], alpha=np.zeros(n), loadings=rng.normal(size=(n, k)),
        factor_covariance=np.eye(k) * 0.01, factor_mean=np.zeros(k), idio_variance=rng.uniform(0.01, 0.1, n),
        horizon=rm.YEAR,
    )  # fmt: skip
    p = rm.Strategy(dict.fromkeys(range(50), 0.02), model)
    best = rm.WhatIf(p, {}).best_trades(5, most=0.05)
    assert len(best) == 5
    name = best.index[0]
    assert rm.WhatIf(p, {name: best["trade"].iloc[0]}).after.volatility == pytest.approx(best["volatility"].iloc[0])
    assert (rm.WhatIf(p, {}).best_trades_for_share(5)["factor_share_change"] < 0).all()


@pytest.mark.parametrize(
    ("call", "error", "details"),
    [
        (lambda: rm.WhatIf(HELD, {"ZZZ": 1.0}), rm.UnknownAssetError, {"missing": ["ZZZ"]}),
        (lambda: rm.WhatIf(HELD, [1.0]), rm.InvalidParameterError, {"parameter": "trades"}),
        (lambda: rm.WhatIf(MODEL, {}), rm.InvalidParameterError, {"parameter": "portfolio"}),
        (lambda: rm.WhatIf.of_dollars(HELD, {}, 0.0), rm.InvalidParameterError, {"parameter": "capital"}),
        (lambda: rm.WhatIf(HELD, {}).best_trades(most=-0.1), rm.InvalidParameterError, {"parameter": "most"}),
        (lambda: rm.WhatIf(HELD, {}).best_trades(-1), rm.InvalidParameterError, {"parameter": "n"}),
    ],
)
def test_bad_arguments_are_refused(call, error, details):
    with pytest.raises(error) as caught:
        call()
    assert details.items() <= dict(caught.value.details).items()
