"""What values show in a notebook: tables, every label escaped."""

import io

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm

NASTY = "<script>alert(1)</script>"
DAYS = pd.bdate_range("2020-01-01", periods=120)


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(2)
    names = [NASTY, *(f"A{i}" for i in range(20))]
    factors = pd.DataFrame(0.01 * rng.standard_normal((120, 14)), DAYS, ["<b>F</b>", *(f"F{k}" for k in range(13))])
    returns = pd.DataFrame(0.01 * rng.standard_normal((120, 21)), DAYS, names).add(factors["F1"], axis=0)
    panel = rm.InMemory(returns, factors=factors, risk_free=0.0, horizon=rm.DAY, funded=[]).panel(names, [*factors])
    model = rm.OLS().fit(panel)
    strategy = rm.Strategy({NASTY: 0.5, "A1": 0.5}, model)
    history = rm.Rolling(rm.QUARTER, every=10).fit(panel)
    return {
        "model": model,
        "covariance": model.covariance,
        "strategy": strategy,
        "hedged": rm.HedgedPortfolio.neutral(strategy),
        "position": rm.Position(strategy, 2e6, rm.MONTH),
        "book": rm.Book({NASTY: 5e6, "A1": -1e6}, groups={NASTY: "<i>", "A1": "b"}),
        "history": history,
        "strategy history": rm.StrategyHistory({NASTY: 0.5, "A1": 0.5}, history),
    }


@pytest.mark.parametrize(
    "name",
    ["model", "covariance", "strategy", "hedged", "position", "book", "history", "strategy history"],
)
def test_labels_are_escaped(values, name):
    page = values[name]._repr_html_()
    assert "<table" in page
    assert "<script" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    if name != "strategy history":
        assert "&lt;script&gt;alert(1)" in page
    # what repr says comes first
    assert page.startswith("<p>")
    assert type(values[name]).__name__ in page[:40]


def test_figures_are_those_of_the_value(values):
    page, hedged = values["hedged"]._repr_html_(), values["hedged"]
    (found,) = [t for t in pd.read_html(_text(page)) if "volatility" in t]
    assert found["volatility"].iloc[0] == pytest.approx(float(hedged.volatility), rel=1e-2)
    dollars = next(t for t in pd.read_html(_text(values["position"]._repr_html_())) if "capital" in t)
    assert dollars["capital"].iloc[0] == 2e6


def test_many_rows_and_columns_are_counted(values):
    page = values["model"]._repr_html_()
    assert "and 9 smaller rows" in page
    assert "and 4 more columns" in page


def test_a_model_without_factors(values):
    data = rm.InMemory(values["history"].panel.excess_returns[["A1"]], factors=None, risk_free=0.0, horizon=rm.DAY)
    alone = rm.OLS().fit(data.panel(["A1"], []))
    assert alone._repr_html_().count("<table") == 1
    assert "Exposures" not in rm.Strategy({"A1": 1.0}, alone)._repr_html_()


def _text(page):
    return io.StringIO(page)
