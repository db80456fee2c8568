"""The hedge on the page: its arithmetic in a real browser against the library's hedges and budgets."""

import json
import re
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from browser import dom, printed_pages

import riskmodel as rm
from riskmodel.report.hedge_form import HedgeForm

BUDGET = rm.RiskBudget(2e6, rm.MONTH)


def simulated(n=12, k=4, seed=1):
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2020-01-01", periods=400)
    f = pd.DataFrame(0.01 * rng.standard_normal((400, k)), days, [f"F{j}" for j in range(k)])
    returns = f.to_numpy() @ rng.normal(0.6, 0.5, (k, n)) + 0.01 * rng.standard_normal((400, n))
    returns = pd.DataFrame(returns, days, [f"A{i}" for i in range(n)])
    return rm.InMemory(returns, factors=f, risk_free=0.00005, horizon=rm.DAY).panel(list(returns), list(f))


def cases():
    """Strategies with instruments: factors, assets that are held and others, portfolio factors, linked residuals."""
    panel = simulated()
    model = rm.OLS().fit(panel)
    yield "assets", rm.Strategy({"A0": 0.6, "A1": 0.7, "A2": -0.2}, model), ["A2", "A5", "A6", "A7"]
    linked = rm.Assembled(
        rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), rm.Linked(rm.SampleVariance(), threshold=0.05)
    ).fit(panel)
    yield "linked", rm.Strategy({"A0": 1.0, "A3": 0.5}, linked), ["A5", "A6"]
    components = rm.Assembled(rm.PrincipalComponents(2), rm.SampleCovariance(), rm.SampleVariance()).fit(panel)
    yield "components", rm.Strategy({"A0": 0.5, "A4": 0.5}, components), ["A9"]


FORMS = {name: HedgeForm.of(strategy, tools, BUDGET, 0.2) for name, strategy, tools in cases()}
STATES = [
    (name, kind, cap, budget, at, chosen)
    for name, form in FORMS.items()
    for kind, cap in [("none", 0.2), ("neutral", 0.2), ("minimum", 0.2), ("capped", 0.0), ("capped", 0.1),
                      ("capped", 0.35), ("capped", 1.0)]
    for budget, at, chosen in [(1e6, 0, range(len(form.names))), (3e5, 4, (0, 1)), (1e6, 2, (0, len(form.names) - 1))]
]  # fmt: skip


def python(form, kind, cap, chosen):
    """The same hedge by the library; None where it says that there is none."""
    tools = [form.held.labels[i] for i in chosen]
    try:
        if kind == "none":
            return rm.HedgedPortfolio(form.strategy, dict.fromkeys(tools, 0.0))
        if kind == "neutral":
            return rm.HedgedPortfolio.neutral(form.strategy, tools)
        if kind == "minimum":
            return rm.HedgedPortfolio.minimum_variance(form.strategy, tools)
        return rm.HedgedPortfolio.with_factor_share(form.strategy, cap, instruments=tools)
    except rm.InvalidParameterError:
        return None


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """All states, solved by the script of the page in one browser."""
    script = resources.files("riskmodel.report").joinpath("templates", "hedge.js").read_text(encoding="utf-8")
    states = [
        {"form": name, "kind": kind, "cap": cap, "budget": budget, "units": FORMS[name].data()["horizons"][at]["units"],
         "chosen": list(chosen)}
        for name, kind, cap, budget, at, chosen in STATES
    ]  # fmt: skip
    given = json.dumps({"forms": {name: form.data() for name, form in FORMS.items()}, "states": states})
    page = tmp_path_factory.mktemp("hedge") / "page.html"
    page.write_text(
        f"<pre></pre><script>{script}var given = {given};"
        "document.querySelector('pre').textContent = JSON.stringify(given.states.map(function (state) {"
        "return riskmodelHedge.solve(given.forms[state.form], state); }));</script>",
        encoding="utf-8",
    )
    return json.loads(re.search(r"<pre>(.*?)</pre>", dom(page.as_uri()), re.DOTALL)[1].replace("&amp;", "&"))


@pytest.mark.filterwarnings("ignore::riskmodel.ExposureLeftWarning")
@pytest.mark.parametrize("i", range(len(STATES)))
def test_the_browser_hedges_as_the_library(solved, i):
    name, kind, cap, budget, at, chosen = STATES[i]
    form, found = FORMS[name], solved[i]
    hedged = python(form, kind, cap, chosen)
    if hedged is None:
        assert found["weights"] is None
        assert found["said"]
        return
    tools, horizon = [form.held.labels[j] for j in chosen], form.horizons[at]
    weights = hedged.hedge_weights.reindex(tools, fill_value=0.0)
    np.testing.assert_allclose(found["weights"], weights, rtol=1e-9, atol=1e-9 * np.abs(weights).max())
    position = rm.RiskBudget(budget, horizon).size(hedged)
    assert found["share"] == pytest.approx(hedged.decompose().factor_share, rel=1e-9, abs=1e-12)
    assert found["volatility"] == pytest.approx(float(hedged.volatility.at(horizon)), rel=1e-9)
    assert found["capital"] == pytest.approx(float(position.capital), rel=1e-9)
    size = position.capital * float(hedged.volatility.at(horizon))
    assert found["pnl"] == pytest.approx(float(position.expected_pnl(horizon)), rel=1e-9, abs=1e-9 * size)
    assert found["adjusted"] == pytest.approx(float(position.factor_adjusted_pnl(horizon)), rel=1e-9, abs=1e-9 * size)
    assert found["cash"] == pytest.approx(hedged.cash_weight, rel=1e-9, abs=1e-12)


def test_a_riskless_hedge_has_no_limit():
    panel = simulated(k=1)
    market = rm.Strategy({"A0": 1.0}, rm.OLS().fit(panel))
    data = HedgeForm.of(market, [], BUDGET, None).data()
    assert data["size_own"] == pytest.approx(float(market.volatility))
    assert data["names"] == ["F0"]


def test_the_page_shows_it(tmp_path):
    panel = simulated()
    strategy = rm.Strategy({"A0": 0.6, "A1": 0.7}, rm.OLS().fit(panel))
    report = rm.RiskReport.of(strategy, panel, BUDGET, cap=0.2, instruments=["A5", "A6"])
    page = tmp_path / "report.html"
    page.write_text(report.to_html(), encoding="utf-8")
    shown = dom(f"{page.as_uri()}#hedge&kind=capped&cap=10&budget=1000000&horizon=0&instruments=0.1.4")
    tools = ["F0", "F1", "A5"]
    hedged = rm.HedgedPortfolio.with_factor_share(strategy, 0.1, instruments=tools)
    values = dict(re.findall(r'data-figure="(\w+)" data-value="([^"]+)"', shown))
    assert float(values["share"]) == pytest.approx(0.1, rel=1e-9)
    assert float(values["volatility"]) == pytest.approx(float(hedged.volatility), rel=1e-9)
    capital = float(rm.RiskBudget(1e6, rm.DAY).size(hedged).capital)
    assert float(values["capital"]) == pytest.approx(capital, rel=1e-9)
    weights = [float(w) for w in re.findall(r'data-weight="([^"]+)"', shown)]
    np.testing.assert_allclose([weights[i] for i in (0, 1, 4)], hedged.hedge_weights[tools], rtol=1e-9)
    assert np.isnan([weights[i] for i in (2, 3, 5)]).all()
    assert 'data-ready="yes"' in shown


def test_eighty_names_print_on_six_pages(tmp_path):
    panel = simulated(80, 6)
    strategy = rm.Strategy(dict.fromkeys(panel.assets, 1 / 80), rm.OLS().fit(panel))
    page = tmp_path / "report.html"
    page.write_text(rm.RiskReport.of(strategy, panel, BUDGET, cap=0.2).to_html(), encoding="utf-8")
    assert page.stat().st_size < 1.5e6
    assert 2 <= printed_pages(page.as_uri(), tmp_path) <= 6
