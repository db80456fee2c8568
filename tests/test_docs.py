"""The examples of the pages run as they are printed: the French library's against a library on the loopback."""

import functools
import re

import numpy as np
import pandas as pd
import pytest
from french_server import SETS, Library, factor_file, numbers, published
from pages import ROOT, blocks, run_page

import riskmodel as rm
from riskmodel.cli.main import main

DAYS = pd.bdate_range("2010-01-01", periods=120)


def table(columns, seed):
    return pd.DataFrame(np.random.default_rng(seed).normal(0, 0.01, (len(DAYS), len(columns))), DAYS, columns)


class Mine(rm.DataProvider):
    """A provider of the reader's own, that says what tells it from others."""

    horizon, source, sample = rm.DAY, "mine", rm.SampleData()

    def asset_returns(self, assets, start=None, end=None):
        return self.sample.asset_returns(assets, start, end)

    def factor_returns(self, names, start=None, end=None):
        return self.sample.factor_returns(names, start, end)

    def risk_free(self, start=None, end=None):
        return self.sample.risk_free(start, end)


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def french(monkeypatch):
    library = Library()
    published(library)
    monkeypatch.setattr(rm, "FamaFrench", functools.partial(rm.FamaFrench, url=library.url))
    yield library
    library.close()


def test_the_first_page(capsys):
    run_page("docs/index.md")
    assert capsys.readouterr().out.startswith("15,318,726 of MSFT")


def test_links_of_the_readme_lead_to_files():
    links = re.findall(r"\]\((?!http)([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_french_library_among_the_sources_of_data(french):
    (block,) = [b for b in blocks("docs/how-to/your-data.md") if "rm.FamaFrench(" in b]
    space = {"rm": rm}
    exec(block, space)
    assert space["panel"].assets.tolist() == ["Agric", "Food"]
    assert set(space["panel"].provenance.values()) == {"202407 CRSP"}


def test_the_page_on_the_french_library(french):
    for seed, (name, columns) in enumerate(SETS.items()):
        french.publish(f"{name}_daily", factor_file(numbers(DAYS, columns, seed)))
    space = {"returns": table(["MSFT", "JPM"], 0)}
    for block in blocks("docs/how-to/french-library.md"):
        exec(block, space)
    assert space["panel"].horizon == rm.MONTH
    assert space["factors"].risk_free().notna().all()


def test_the_page_on_files(tmp_path):
    (100 * table(["Mkt-RF", "SMB"], 1)).assign(RF=0.01).to_csv("factors.csv", index_label="date")
    returns = table(["MSFT", "JPM"], 0)
    returns.to_csv("returns.csv", index_label="date")
    returns.reset_index(names="date").melt("date", var_name="permno", value_name="ret").to_csv("crsp.csv", index=False)
    space = {"rm": rm, "provider": Mine(), "Mine": Mine}
    for block in blocks("docs/how-to/your-own-files.md"):
        exec(block, space)
    assert space["panel"].excess_returns.shape == (120, 2)
    space["TestMine"]().test_a_panel_can_be_made()


def test_the_page_on_time():
    space = run_page("docs/how-to/time.md")
    assert space["panel"].excess_returns.loc["2024-01-08", "COIN"] == pytest.approx(1.01**3 - 1)
    assert space["excess"].return_type is rm.EXCESS


def test_the_page_on_windows():
    space = run_page("docs/how-to/rolling.md")
    assert len(space["short"].missing) == 1


def test_the_page_on_how_sure():
    space = run_page("docs/explanation/how-sure.md")
    table, likely = space["table"], space["likely"]
    wide = table.loc["volatility", "high"] / table.loc["volatility", "low"]
    assert 1.1 < wide < 1.2
    assert likely.high / likely.low > 1.5
    assert set(table["of"]) | {str(likely.of)} == {"long run", "this window", "next month"}
    assert (space["together"]["high"] > space["inference"].table(space["book"])["high"]).all()
    assert space["scaling"].variance_ratio == pytest.approx(0.64, abs=0.01)
    assert space["record"].needed / 252 == pytest.approx(3, abs=0.5)


def test_the_page_on_scenarios_and_tails():
    space = run_page("docs/how-to/scenarios-and-tails.md")
    outcome, risk = space["outcome"], space["risk"]
    assert outcome.by_factor.loc["Mkt-RF", "move"] == pytest.approx(-0.2)
    assert outcome.by_factor["pnl"].sum() == pytest.approx(outcome.pnl)
    assert risk.by_asset["expected_shortfall"].sum() == pytest.approx(risk.expected_shortfall)
    assert {"crash", "financial crisis 2007-09", "as in 2008"} <= set(space["scenarios"].table(space["book"]).index)
    assert space["test"].n_missing == 0


def test_the_page_on_the_book_that_is_held():
    space = run_page("docs/how-to/your-book.md")
    assert space["covered"].share == pytest.approx(0.5e6 / space["book"].gross)
    assert {b.limit.name for b in space["budget"].check(space["held"])} == {"volatility per month", "largest name"}
    assert round(space["fund"].scale, 2) == 1.1
    assert len(space["through"].missing) == 0
    assert space["model"].funding.loc["Mkt-RF"].tolist() == [True, "the provider"]


def test_the_page_on_parts():
    space = run_page("docs/how-to/assemble-a-risk-model.md")
    assert space["hedged"].exposures.abs().max() < 1e-12
    assert space["shrunk"].loc[[("PG", "Mkt-RF")], "factor"].iloc[0] == pytest.approx(1.010, abs=5e-4)
    assert set(space["stages"]["stage"]) == {"Vasicek", "ShrunkVariance"}
    assert list(space["both"].factors) == ["Mkt-RF", "PC1", "PC2"]
    assert list(space["listed"].assets[space["listed"].prior]) == ["PEP"]
    assert space["floored"].fit(space["panel"]).idio_variance.min() * 252 == pytest.approx(0.04)


def test_the_page_on_fundamental_models():
    space = run_page("docs/how-to/fundamental-model.md")
    assert list(space["fitted"].factors)[:2] == ["Market", "energy"]
    assert (space["fitted"].factor_returns[["energy", "health", "industry", "technology"]] != 0).all(axis=None)
    assert space["missing"] == ["A007"]
    assert space["hedged"].exposures.abs().max() < 1e-12
    assert 0.25 < space["model"].idio_variance["A003"] ** 0.5 * 252**0.5 < 0.4


def test_the_page_on_studies():
    space = run_page("docs/how-to/compare-risk-models.md")
    study = space["study"]
    assert len(study.dates) == 49
    assert study.summary().loc[("minimum variance", "OLS"), "bias"] == pytest.approx(1.514, abs=5e-4)
    assert set(space["mine"].families) == {"mine", "minimum variance"}
    assert len(space["defensive"].summary()) == 1
    assert "industries" in space["page"]


def test_the_page_on_where_risk_comes_from():
    space = run_page("docs/how-to/where-risk-comes-from.md")
    assert space["split"].by_group.loc["tech", "share"] == pytest.approx(0.5548, abs=5e-5)
    assert f"{space['active'].tracking_error.at(rm.YEAR):.1%}" == "4.9%"
    assert space["earned"].total == pytest.approx(0.1231, abs=5e-5)
    assert space["earned"].by_group.loc["oil", "alpha"] == pytest.approx(-0.0042, abs=5e-5)
    assert space["walk"].timing.loc["Mkt-RF", "timing"] == pytest.approx(-0.0060, abs=5e-5)
    assert space["change"].parts.loc["factor volatilities", "volatility"] == pytest.approx(0.0050, abs=5e-5)
    assert space["what_if"].table.loc["volatility", "after"] == pytest.approx(0.0095, abs=5e-5)


def test_the_page_on_hedges():
    space = run_page("docs/how-to/hedge-with-instruments.md")
    assert space["neutral"].exposures.abs().max() < 1e-12
    assert space["half"].exposures["Mkt-RF"] == pytest.approx(0.5)
    assert list(space["on_paper"].index) == ["SMB", "HML"]
    assert space["traded"].exposures.abs().max() < 1e-12
    assert space["by_model"].hedge_weights["CVX"] == pytest.approx(-0.41, abs=5e-3)
    assert space["by_returns"].hedge_weights["CVX"] == pytest.approx(-0.79, abs=5e-3)
    assert space["comparison"].differs
    assert not space["again"].differs
    assert space["comparison"].volatilities()["realised"].round(4).tolist() == [0.0152, 0.0104, 0.0085]
    assert space["capped"].hedged.decompose().factor_share <= 0.10 + 1e-6
    assert set(space["conflict"]) == {"position in CVX", "exposure to Mkt-RF"}
    assert (space["trades"] != 0).any()


def test_files_of_models(capsys):
    space = run_page("docs/how-to/model-files.md")
    assert capsys.readouterr().out.splitlines()[0] == "True"
    assert space["again"].lineage == space["model"].lineage
    assert space["lineage"].fingerprint == space["panel"].fingerprint()
    assert space["vendor"].covariance.to_dense().equals(space["model"].at(rm.YEAR).covariance.to_dense())


def test_the_page_on_clusters():
    space = run_page("docs/how-to/cluster.md")
    assert space["model"].loadings.shape == (1_000, 1)
    assert np.isclose(space["model"].loadings["Mkt-RF"].mean(), 1.0, atol=0.01)
    assert space["client"].status == "closed"


def test_the_page_on_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = (ROOT / "docs/how-to/command-line.md").read_text(encoding="utf-8")
    for name, content in re.findall(r"`(\w+\.csv)`:\n\n```text\n(.*?)```", text, re.DOTALL):
        (tmp_path / name).write_text(content)
    printed = re.findall(r"```console\n\$ riskmodel (.*?)\n(.*?)\.\.\.\n```", text, re.DOTALL)
    assert len(printed) == 6
    for typed, expected in printed:
        assert main(typed.split()) == 0
        assert capsys.readouterr().out.startswith(expected)
