"""The command line: which model, of which dates, from which file of options."""

import io
import json
import re
import subprocess

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.cli import main as cli
from riskmodel.cli import options, wording

DAYS = pd.bdate_range("2020-01-01", periods=300)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys):
    def run(*argv, status=0):
        assert cli.main([*argv]) == status
        return capsys.readouterr()

    return run


@pytest.fixture
def fit(run):
    """The table of ``riskmodel fit``, by asset."""

    def fit(*argv):
        return pd.DataFrame(json.loads(run("fit", *argv, "--json").out)["assets"]).T

    return fit


@pytest.fixture
def files():
    rng = np.random.default_rng(3)
    market = 0.01 * rng.standard_normal(300)
    returns = {name: b * market + 0.01 * rng.standard_normal(300) for name, b in (("CL=F", 0.5), ("GC=F", 0.1))}
    pd.DataFrame(returns, DAYS).rename_axis("date").to_csv("returns.csv")
    pd.DataFrame({"MKT": market, "RF": 0.0001}, DAYS).rename_axis("date").to_csv("factors.csv")
    return ["--returns", "returns.csv", "--factor-returns", "factors.csv"]


def sample(*assets, **window):
    return rm.SampleData().panel(list(assets), ["Mkt-RF"], **window)


class TestFit:
    def test_is_the_model(self, fit):
        model = rm.OLS().fit(sample("KO", "PEP"))
        table = fit("KO", "PEP")
        assert table["Mkt-RF"].to_dict() == model.loadings["Mkt-RF"].to_dict()
        assert table["alpha"].to_dict() == model.alpha.to_dict()
        errors = model.regression.std_errors["Mkt-RF"].to_dict()
        assert table["std_error Mkt-RF"].to_dict() == pytest.approx(errors, rel=1e-12)
        assert table["idio_volatility"].to_dict() == pytest.approx(np.sqrt(model.idio_variance).to_dict(), rel=1e-15)

    def test_errors(self, fit):
        panel = sample("KO")
        errors = rm.Inference.of(rm.OLS().fit(panel), panel, rm.HAC()).std_errors()
        assert fit("KO", "--errors", "hac").loc["KO", "std_error Mkt-RF"] == errors.loc["KO", "Mkt-RF"]

    def test_of_all_assets(self, fit):
        assert list(fit().index) == list(rm.SampleData().assets)

    def test_the_file_has_all_digits(self, run):
        assert "got one of KO" in run("fit", "KO=0.5", "--output", "betas.csv", status=2).err
        run("fit", "KO", "--output", "betas.csv")
        table = pd.read_csv("betas.csv", index_col="asset")
        assert table.loc["KO", "Mkt-RF"] == pytest.approx(rm.OLS().fit(sample("KO")).loadings.iloc[0, 0], rel=1e-14)

    def test_the_file_is_none_of_those_read(self, run, files):
        assert "another file" in run("fit", *files, "--output", "returns.csv", status=2).err

    def test_text_has_errors(self, run):
        model = rm.OLS().fit(sample("KO"))
        cell = f"{model.loadings.iloc[0, 0]:.3f} ±{model.regression.std_errors.loc['KO', 'Mkt-RF']:.3f}"
        assert cell in run("fit", "KO").out

    def test_a_short_asset_is_left_out_and_said(self, run, files):
        returns = pd.read_csv("returns.csv", index_col="date")
        returns.iloc[2:, 1] = np.nan
        returns.to_csv("returns.csv")
        said = run("fit", *files, "--json")
        assert "GC=F (2)" in said.err
        assert list(json.loads(said.out)["assets"]) == ["CL=F"]


def hedge_of(strategy, name):
    if name == "neutral":
        return rm.HedgedPortfolio.neutral(strategy)
    return strategy if name == "unhedged" else rm.HedgedPortfolio.with_factor_share(strategy, 0.2)


class TestHedge:
    def test_figures_are_those_of_the_library(self, run):
        out = json.loads(run("hedge", "XOM", "--instruments", "CVX", "JPM", "--cap", "0.1", "--json").out)
        panel = sample("XOM", "CVX", "JPM")
        xom = rm.Strategy({"XOM": 1.0}, rm.OLS().fit(panel))
        tools = ["CVX", "JPM"]
        hedges = {
            "neutral": rm.HedgedPortfolio.neutral(xom, tools),
            "capped": rm.HedgedPortfolio.with_factor_share(xom, 0.1, instruments=tools),
            "minimum variance": rm.HedgedPortfolio.minimum_variance(xom, tools),
            "regression": rm.HedgedPortfolio.regression(xom, tools, panel),
        }
        budget = rm.RiskBudget(1e6, rm.MONTH)
        assert list(out["hedges"]) == ["unhedged", *hedges]
        for name, hedge in hedges.items():
            figures = out["hedges"][name]
            assert {leg: weights[name] for leg, weights in out["legs"].items()} == hedge.hedge_weights.to_dict()
            assert figures["volatility"] == float(hedge.volatility.at(rm.YEAR))
            assert figures["realised"] == float(hedge.realised(panel).at(rm.YEAR))
            assert figures["factor_share"] == hedge.decompose().factor_share
            assert figures["capacity"] == budget.size(hedge).capital
            realised = float(hedge.realised(panel).at(rm.MONTH))
            assert figures["realised_capacity"] == pytest.approx(1e6 / realised, rel=1e-12)
        assert out["volatility_per"] == "year"

    def test_intervals_in_factors(self, run):
        out = json.loads(run("hedge", "MSFT=0.5", "JPM=0.5", "--cap", "0.2", "--level", "0.9", "--json").out)
        panel = sample("MSFT", "JPM")
        pair = rm.Strategy(PAIR, rm.OLS().fit(panel))
        inference = rm.Inference.of(pair.model, panel)
        own, capped = inference.table(pair, 0.9), inference.capped(pair, 0.2, 0.9)
        year = np.sqrt(252.0)
        for name, table, row in (
            ("unhedged", own, "volatility"), ("neutral", own, "hedged volatility"), ("capped", capped, "volatility"),
        ):  # fmt: skip
            figures, ends = out["hedges"][name], [year * table.loc[row, end] for end in ("low", "high")]
            np.testing.assert_allclose([figures["volatility_low"], figures["volatility_high"]], ends, rtol=1e-12)
            # the larger volatility allows the fewer dollars
            allowed = [1e6 * np.sqrt(12.0) / end for end in reversed(ends)]
            np.testing.assert_allclose([figures["capacity_low"], figures["capacity_high"]], allowed, rtol=1e-12)
            assert figures["capacity_low"] < figures["capacity"] < figures["capacity_high"]
            realised = rm.RealisedRisk.of(hedge_of(pair, name), panel, 0.9).realised
            np.testing.assert_allclose(
                [figures["realised_low"], figures["realised_high"]], [year * realised.low, year * realised.high]
            )
        share = own.loc["factor share", ["low", "high"]].tolist()
        assert [out["hedges"]["unhedged"][f"factor_share_{end}"] for end in ("low", "high")] == share
        for name, table in (("neutral", own), ("capped", capped)):
            row = table.loc["hedge Mkt-RF", ["std_error", "low", "high"]].to_dict()
            assert out["leg_intervals"][name]["Mkt-RF"] == row

    def test_a_hedge_with_more_risk_than_none_is_said(self, run):
        long_short = ["KO=0.5", "PEP=-0.4", "XOM=0.1"]
        out = json.loads(run("hedge", *long_short, "--instruments", "AMD", "--json").out)
        hedges = out["hedges"]
        assert hedges["neutral"]["volatility"] > hedges["unhedged"]["volatility"] > hedges["regression"]["volatility"]
        (said,) = (note for note in out["notes"] if note.startswith("More risk than without a hedge"))
        assert "neutral" in said
        assert "regression" not in said
        plain = json.loads(run("hedge", "KO", "PEP", "--json").out)
        assert not any("More risk" in note for note in plain["notes"])

    def test_intervals_in_instruments(self, run):
        out = json.loads(run("hedge", "XOM", "--instruments", "CVX", "JPM", "--json").out)
        panel = sample("XOM", "CVX", "JPM")
        xom = rm.Strategy({"XOM": 1.0}, rm.OLS().fit(panel))
        table = rm.HedgeComparison.of(xom, ["CVX", "JPM"], panel).table()
        for name, compared in (("minimum variance", "model"), ("regression", "regression")):
            for leg, ends in out["leg_intervals"][name].items():
                assert list(ends.values()) == table.loc[leg, [f"{compared} {c}" for c in ends]].tolist()
        neutral = rm.Inference.of(xom.model, panel).neutral(xom, ["CVX", "JPM"])
        for leg, ends in out["leg_intervals"]["neutral"].items():
            assert list(ends.values()) == pytest.approx(neutral.loc[f"hedge {leg}", list(ends)].tolist())
        assert set(out["leg_intervals"]) == {"neutral", "minimum variance", "regression"}
        hedge = rm.HedgedPortfolio.regression(xom, ["CVX", "JPM"], panel)
        grown = hedge.optimised_volatility(2, len(panel.dates)) / hedge.volatility
        assert out["in_sample"]["regression"] == pytest.approx(grown * float(hedge.realised(panel).at(rm.YEAR)))
        assert "in sample" in " ".join(run("hedge", "XOM", "--instruments", "CVX", "JPM").out.split())

    def test_a_hedge_with_what_is_held_leaves_nothing(self, run):
        said = run("hedge", "XOM", "--instruments", "XOM", "--json")
        hedges = json.loads(said.out)["hedges"]
        for name in ("neutral", "minimum variance", "regression"):
            assert hedges[name]["capacity"] is hedges[name]["realised_capacity"] is hedges[name]["factor_share"] is None
        assert "XOM is what is held" in said.err
        assert "smaller holding" in run("hedge", "XOM", "JPM", "--instruments", "JPM", "KO").err

    def test_a_model_without_intervals_says_why(self, run):
        out = json.loads(run("hedge", "MSFT", "--estimator", "recommended", "--json").out)
        assert "rm." not in out["not_estimated"] != ""
        assert out["leg_intervals"] == {}
        assert out["hedges"]["neutral"]["realised_low"] < out["hedges"]["neutral"]["realised"]

    def test_factors_on_paper_are_said(self, run):
        on_paper = "The hedge in SMB cannot be traded as it is"
        assert on_paper in run("hedge", "BusEq", "--sample", "month", "--factors", "Mkt-RF", "SMB").err
        assert "cannot be traded" not in run("hedge", "BusEq", "--sample", "month", "--factors", "Mkt-RF").err

    def test_in_factors(self, run):
        out = run("hedge", "MSFT").out
        assert "-1.074" in out
        assert "15,318,726" in out

    def test_a_hedge_that_the_returns_contradict_is_said(self, run):
        err = run("hedge", "XOM", "--instruments", "CVX", "JPM").err
        assert "hedges-differ" in err
        assert "% per day" in err
        assert "HedgedPortfolio" not in err

    @pytest.mark.parametrize("command", ["hedge", "scenario", "attribute", "fit"])
    def test_few_dates_are_said(self, run, command):
        assert "8 dates" in run(command, "MSFT", "--start", "2018-11-20").err

    @pytest.mark.parametrize("tools", [["NONE"], [","], ["XOM", "XOM"]])
    def test_what_is_no_instrument(self, run, tools):
        assert run("hedge", "XOM", "--instruments", *tools, status=2).err.startswith("riskmodel: ")


class TestReportInInstruments:
    def test_compares_as_the_library_does(self, run):
        rows = json.loads(run("report", "XOM", "--instruments", "CVX,JPM", "--json").out)["hedges_in_instruments"]
        panel = sample("XOM", "CVX", "JPM")
        xom = rm.Strategy({"XOM": 1.0}, rm.OLS().fit(panel))
        expected = rm.HedgeComparison.of(xom, ["CVX", "JPM"], panel).table()
        for by in ("model", "regression", "difference"):
            assert [row[by] for row in rows] == expected[by].tolist()

    def test_leaves_the_portfolio_as_it_is(self, run):
        plain, beside = (
            json.loads(run("report", "XOM", *more, "--json").out) for more in ((), ("--instruments", "CVX", "JPM"))
        )
        assert plain["hedges_in_instruments"] == []
        assert [row["asset"] for row in beside["assets"]] == ["XOM"]
        capital = plain["positions"]["unhedged"]["capital"]
        assert beside["positions"]["unhedged"]["capital"] == pytest.approx(capital, rel=1e-9)

    def test_in_a_file_of_options(self, run, tmp_path):
        (tmp_path / "desk.toml").write_text('instruments = ["CVX", "JPM"]\n[report]\nassets = ["XOM"]\n')
        typed = run("report", "XOM", "--instruments", "CVX", "JPM", "--json").out
        assert run("report", "--config", "desk.toml", "--json").out == typed

    def test_in_whole_lots(self, run):
        typed = ("report", "XOM", "--instruments", "CVX", "JPM", "--lots", "CVX=1m", "--capital", "5m", "--json")
        rows = {row["figure"]: row for row in json.loads(run(*typed).out)["hedge_in_lots"]}
        held = 5e6 * rows["hold CVX"]["whole lots"]
        assert held == pytest.approx(1e6 * round(held / 1e6))
        assert held != pytest.approx(5e6 * rows["hold CVX"]["any size"])

    @pytest.mark.parametrize("lots", [["JPM=1m"], ["CVX=many"], ["CVX"], ["CVX=1m", "CVX=2m"], ["CVX=-1"]])
    def test_lots_of_what_is_no_instrument(self, run, lots):
        said = run("report", "XOM", "--instruments", "CVX", "--lots", *lots, status=2).err
        assert "--lots" in said

    @pytest.mark.parametrize("tools", [["NONE"], [","], ["CVX", "CVX"]])
    def test_what_is_no_instrument(self, run, tools):
        assert run("report", "XOM", "--instruments", *tools, status=2).err.startswith("riskmodel: ")


PAIR = {"MSFT": 0.5, "JPM": 0.5}


class TestAttribute:
    def test_of_one_model(self, run):
        out = json.loads(run("attribute", "MSFT=0.5", "JPM=0.5", "--from", "2018", "--json").out)
        panel = sample("MSFT", "JPM")
        held = rm.Strategy(PAIR, rm.OLS().fit(panel))
        expected = rm.ReturnAttribution.of(held, panel, "2018-01-01")
        assert {name: row["return"] for name, row in out["parts"].items()} == {
            **expected.parts.to_dict(),
            "total": expected.total,
        }
        assert out["by_asset"]["MSFT"] == expected.by_asset.loc["MSFT"].to_dict()

    def test_of_rolling_models(self, run, tmp_path):
        (tmp_path / "desks.csv").write_text("asset,desk\nMSFT,tech\nJPM,banks\n")
        typed = [
            "MSFT=0.5",
            "JPM=0.5",
            "--from",
            "2018",
            "--rolling",
            "year",
            "--groups",
            "desks.csv",
            "--buy-and-hold",
        ]
        out = json.loads(run("attribute", *typed, "--json").out)
        history = rm.Rolling(rm.YEAR).fit(sample("MSFT", "JPM"))
        expected = rm.ReturnAttribution.of_weights(
            PAIR, history, start="2018-01-01", weighting=rm.BUY_AND_HOLD,
            groups={"MSFT": "tech", "JPM": "banks"},
        )  # fmt: skip
        assert {k: v["return"] for k, v in out["parts"].items() if k != "total"} == expected.parts.to_dict()
        assert out["by_group"]["tech"] == expected.by_group.loc["tech"].to_dict()
        said = run("attribute", *typed).out
        assert "BY GROUP" in said

    def test_what_is_known_of_the_parts(self, run):
        typed = ["attribute", "MSFT=0.5", "JPM=0.5", "--from", "2018", "--level", "0.9"]
        out = json.loads(run(*typed, "--capital", "2m", "--json").out)
        panel = sample("MSFT", "JPM")
        held = rm.Strategy(PAIR, rm.OLS().fit(panel))
        expected = rm.ReturnAttribution.of(held, panel, "2018-01-01")
        errors = expected.std_errors(rm.Inference.of(held.model, panel), 0.9)
        for part in ("alpha", "Mkt-RF", "specific"):
            found = {column: out["parts"][part][column] for column in ("std_error", "low", "high")}
            assert found == errors.loc[part, list(found)].to_dict()
        assert (out["first"], out["last"], out["n_dates"]) == ("2018-01-02", "2018-11-30", 232)
        assert out["unit"].startswith("decimals")
        assert out["capital"] == 2e6
        rolling = json.loads(run(*typed, "--rolling", "year", "--json").out)
        assert not rolling["not_estimated"]
        history = rm.Rolling(rm.YEAR).fit(panel)
        walked = rm.ReturnAttribution.of_weights(PAIR, history, start="2018-01-01")
        alpha = walked.std_errors(rm.RollingInference(history), 0.9).loc["alpha"]
        assert rolling["parts"]["alpha"]["std_error"] == alpha["std_error"]
        assert "both upper ends" in " ".join(run(*typed).out.split())
        assert f"{2e6 * expected.total:,.0f}" in run(*typed, "--capital", "2m").out

    def test_a_window_without_dates(self, run):
        err = run("attribute", "MSFT", "--from", "2019", status=2).err
        assert "2019-01-01" in err
        assert "00:00" not in err
        assert "None" not in err

    def test_two_windows(self, run):
        assert "more than 0 dollars" in run("attribute", "KO", "--capital", "0", status=2).err
        assert "got both" in run("attribute", "KO", "--rolling", "252", "--window", "252", status=2).err


class TestEstimator:
    def test_half_life(self, fit):
        model = rm.EWMA(rm.QUARTER).fit(sample("KO"))
        assert fit("KO", "--half-life", "quarter").loc["KO", "Mkt-RF"] == model.loadings.iloc[0, 0]
        assert fit("KO", "--half-life", "63").loc["KO", "Mkt-RF"] == pytest.approx(model.loadings.iloc[0, 0], rel=1e-12)
        year = rm.EWMA(rm.YEAR).fit(sample("KO")).loadings.iloc[0, 0]
        assert fit("KO", "--estimator", "ewma").loc["KO", "Mkt-RF"] == year

    def test_window(self, fit):
        panel = sample("KO")
        model = rm.OLS().fit(panel.select(start=panel.dates[-252]))
        for text in ("252", "year"):
            assert fit("KO", "--window", text).loc["KO", "Mkt-RF"] == model.loadings.iloc[0, 0]

    def test_a_window_that_is_not_there(self, run, files):
        assert "got 300" in run("fit", *files, "--window", "301", status=2).err

    def test_recommended_takes_all_assets_of_the_last_rows(self, fit):
        provider = rm.SampleData()
        panel = provider.panel(list(provider.assets), [])
        model = rm.recommended().fit(panel.select(start=panel.dates[-504]))
        table = fit("KO", "PEP", "--estimator", "recommended")
        assert list(table.index) == ["KO", "PEP"]
        np.testing.assert_allclose(table[list(model.factors)], model.loadings.loc[["KO", "PEP"]], rtol=1e-12)

    def test_recommended_after_named_factors(self, fit):
        table = fit("KO", "PEP", "WMT", "XOM", "--estimator", "recommended", "--factors", "Mkt-RF")
        # all assets that there are make the components
        panel = sample(*rm.SampleData().assets)
        model = rm.recommended(observed=rm.TimeSeries(rm.OLS())).fit_available(panel.select(start=panel.dates[-504]))
        np.testing.assert_allclose(table["Mkt-RF"], model.loadings.loc[table.index, "Mkt-RF"], rtol=1e-12)

    def test_of_your_own(self, fit, tmp_path):
        (tmp_path / "my_estimators.py").write_text("import riskmodel as rm\nmine = rm.EWMA(rm.MONTH)\n")
        expected = rm.EWMA(rm.MONTH).fit(sample("KO")).loadings.iloc[0, 0]
        assert fit("KO", "--estimator", "my_estimators:mine").loc["KO", "Mkt-RF"] == expected

    @pytest.mark.parametrize(
        "argv",
        [
            ["--estimator", "olz"],
            ["--estimator", "math:pi"],
            ["--estimator", "nowhere:mine"],
            ["--estimator", "ols", "--half-life", "60"],
            ["--half-life", "0"],
            ["--half-life", "-5"],
            ["--half-life", "soon"],
            ["--window", "day", "--sample", "month"],
        ],
    )
    def test_what_is_none_of_these(self, run, argv):
        said = run("fit", *argv, status=2)
        assert said.out == ""
        assert said.err.startswith("riskmodel: ")


class TestAsOf:
    def test_is_an_end(self, fit):
        assert fit("KO", "--as-of", "2010-06").equals(fit("KO", "--end", "2010-06"))

    def test_old_returns_are_said(self, run):
        said = json.loads(run("report", "KO", "--as-of", "2019-06-30", "--json").out)["notes"]
        assert any("2018-11-30, 212 days before --as-of" in note for note in said)
        said = json.loads(run("report", "KO", "--as-of", "2018-12-02", "--json").out)["notes"]
        assert not any("--as-of" in note for note in said)

    def test_old_returns_are_warned_of(self, run):
        assert (
            "warning (doubtful-dates): The last returns" in run("report", "KO", "--as-of", "2019-06-30", "--json").err
        )
        run("report", "KO", "--as-of", "2019-06-30", "--json", "--strict", status=2)

    def test_a_window_after_the_data_is_said_in_dates(self, run):
        said = run("attribute", "KO", "--from", "2021", status=2).err
        assert "2000-01-03 to 2018-11-30" in said
        assert "<" not in said

    def test_beside_an_end(self, run):
        assert "got both" in run("report", "KO", "--as-of", "2010", "--end", "2010", status=2).err


class TestTickersWithEqualsSigns:
    def test_they_are_assets(self, fit, files):
        assert list(fit("CL=F", "GC=F", *files).index) == ["CL=F", "GC=F"]

    def test_with_weights(self):
        assert options.weights(["CL=F=0.5", "GC=F=-0.5"], ["CL=F", "GC=F"]) == {"CL=F": 0.5, "GC=F": -0.5}
        assert options.weights(["CL=F", "GC=F"], ["CL=F", "GC=F"]) == {"CL=F": None, "GC=F": None}

    def test_others_are_no_weights(self):
        with pytest.raises(rm.InvalidParameterError, match="the weight of CL"):
            options.weights(["CL=F"], ["CL"])


class TestConfiguration:
    @pytest.fixture
    def desk(self, tmp_path):
        def desk(text):
            (tmp_path / "desk.toml").write_text(text)
            return ["--config", "desk.toml"]

        return desk

    def figures(self, run, *argv):
        return json.loads(run("report", *argv, "--json").out)

    def test_is_as_if_typed(self, run, desk):
        config = desk('start = 2010-01-01\n[report]\nassets = {KO = 1, PEP = -1}\nbudget = "2.5m"\ncap = 0.2\n')
        typed = self.figures(run, "KO=1", "PEP=-1", "--start", "2010-01-01", "--budget", "2.5m", "--cap", "0.2")
        assert self.figures(run, *config) == typed

    def test_what_is_typed_overrides(self, run, desk):
        config = desk('factors = ["Mkt-RF"]\n[report]\nassets = ["KO", "PEP"]\nbudget = 2e6\n')
        assert self.figures(run, *config, "MSFT", "--budget", "3e6") == self.figures(run, "MSFT", "--budget", "3e6")
        assert self.figures(run, "MSFT", *config, "--budget", "3e6") == self.figures(run, "MSFT", "--budget", "3e6")

    def test_options_of_other_commands_are_passed_over_before_the_first_table(self, run, desk):
        config = desk("draw = 10\nno-html = false\n[study]\nahead = 5\n")
        assert self.figures(run, *config, "KO") == self.figures(run, "KO")

    @pytest.mark.parametrize(
        ("text", "got"),
        [
            ("buget = 1", "buget"),
            ("[report]\ndraw = 10", "draw"),
            ("config = 'other.toml'", "config"),
            ("[repotr]\ncap = 0.1", "repotr"),
            ("report = 5", 5),
            ("[report]\nassets = 'KO'", "KO"),
            ("start = {year = 2010}", {"year": 2010}),
            ("start = []", []),
        ],
    )
    def test_what_it_cannot_hold(self, desk, text, got):
        desk(text)
        from riskmodel.cli import configuration, report, study

        parsers = {"report": report.parser(), "study": study.parser()}
        with pytest.raises(rm.InvalidParameterError) as error:
            configuration.parsed("report", parsers, ["--config", "desk.toml"])
        assert error.value.details["path"] == "desk.toml"
        assert error.value.details["got"] == got

    def test_no_toml(self, run, desk):
        assert "TOML in desk.toml" in run("report", *desk("start ="), status=2).err

    def test_not_there(self, run):
        assert "none.toml" in run("report", "--config=none.toml", status=2).err


class TestCompletion:
    @pytest.mark.parametrize(
        ("command", "typed", "found"), [("fit", "--half", "--half-life"), ("report", "--instr", "--instruments")]
    )
    def test_bash_completes_options(self, run, command, typed, found):
        script = run("completion", "bash").out
        words = f"COMP_WORDS=(riskmodel {command} {typed})"
        asked = f'{script}\n{words}\nCOMP_CWORD=2\n_shtab_riskmodel\necho "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [found]

    def test_other_shells(self, run):
        assert run("completion", "zsh").out.startswith("#compdef riskmodel")

    def test_without_the_package(self, run, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "shtab", None)
        assert "completion" in run("completion", "bash", status=2).err


def test_the_overview_names_each_command(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    out = capsys.readouterr().out
    for command in (*cli._COMMANDS, "data", "completion"):
        assert f"riskmodel {command}" in io.StringIO(out).getvalue()


def test_messages_advise_options_that_there_are():
    known = {
        option for name in cli._COMMANDS for a in cli._command(name).parser()._actions for option in a.option_strings
    }
    advised = {option for _, said in wording._ROWS for option in re.findall(r"--[a-z][a-z-]*", said)}
    assert "--instruments" in advised
    assert advised <= known


class TestScenario:
    def held(self):
        panel = sample("MSFT", "JPM")
        return rm.Strategy(PAIR, rm.OLS().fit(panel)), panel

    def test_without_options_every_factor_and_episode(self, run):
        out = json.loads(run("scenario", "MSFT=0.5", "JPM=0.5", "--json").out)["scenarios"]
        held, panel = self.held()
        scenarios = rm.Scenarios([*rm.Scenarios.of_factors(held.model), *rm.Scenarios.historical(panel)])
        every, crisis = scenarios.table(held), scenarios.of(held)["financial crisis 2007-09"]
        assert out["financial crisis 2007-09"]["realised"] == crisis.realised
        assert out["Mkt-RF -3 sd"]["realised"] is None
        assert pd.DataFrame(out).T.loc[every.index, "pnl"].tolist() == every["pnl"].tolist()

    def test_shocks(self, run, tmp_path):
        (tmp_path / "desks.csv").write_text("asset,desk\nMSFT,tech\nJPM,banks\n")
        typed = ["scenario", "MSFT=0.5", "JPM=0.5", "--shock", "Mkt-RF=-0.1", "--shock", "Mkt-RF=-2sd", "--groups"]
        out = json.loads(run(*typed, "desks.csv", "--json").out)
        held, _ = self.held()
        crash, down = rm.Shocks("a", {"Mkt-RF": -0.1}), rm.Shocks("b", {"Mkt-RF": -2}, unit=rm.STANDARD_DEVIATIONS)
        assert out["scenarios"]["Mkt-RF=-0.1"]["pnl"] == crash.of(held).pnl
        assert out["scenarios"]["Mkt-RF=-2sd"]["pnl"] == down.of(held).pnl
        assert out["by_group"]["tech"]["Mkt-RF=-0.1"] == crash.of(held).by_asset.loc["MSFT", "pnl"]
        assert "BY GROUP" in run(*typed, "desks.csv").out

    def test_in_dollars(self, run):
        typed = ["scenario", "MSFT=0.5", "JPM=0.5", "--shock", "Mkt-RF=-0.1", "--level", "0.8"]
        held, _ = self.held()
        outcome = rm.Shocks("a", {"Mkt-RF": -0.1}).of(rm.Position(held, 2e6, rm.DAY))
        row = json.loads(run(*typed, "--capital", "2m", "--json").out)["scenarios"]["Mkt-RF=-0.1"]
        assert (row["pnl"], row["low"], row["high"]) == (outcome.pnl, *outcome.interval(0.8))
        out = json.loads(run(*typed, "--budget", "1m", "--horizon", "day", "--json").out)
        assert out["capital"] == rm.RiskBudget(1e6, rm.DAY).size(held).capital
        for both in (["--capital", "1m", "--budget", "1m"], ["--horizon", "day"]):
            assert "expected --" in run(*typed, *both, status=2).err

    def test_factors_that_stay(self, run):
        typed = ["scenario", "Enrgy", "--sample", "month", "--shock", "Mkt-RF=-0.2", "--unmoved", "--json"]
        row = json.loads(run(*typed).out)["scenarios"]["Mkt-RF=-0.2"]
        assert row["pnl"] == row["Mkt-RF"] != 0

    def test_an_episode_outside_the_window(self, run):
        typed = [
            "scenario",
            "MSFT=0.5",
            "JPM=0.5",
            "--episode",
            "2007-10-09",
            "2009-03-09",
            "--window",
            "year",
            "--json",
        ]
        row = json.loads(run(*typed).out)["scenarios"]["2007-10-09 to 2009-03-09"]
        panel = sample("MSFT", "JPM")
        held = rm.Strategy(PAIR, rm.OLS().fit(panel.select(start=panel.dates[-252])))
        assert row["pnl"] == rm.Replay(rm.Episode("crisis", "2007-10-09", "2009-03-09"), panel).of(held).pnl

    @pytest.mark.parametrize(
        "shock",
        [
            ["Mkt-RF"],
            ["Mkt-RF=x"],
            ["=0.1"],
            ["Mkt-RF=1", "Mkt-RF=2"],
            ["Mkt-RF=-10%"],
            ["Mkt-RF=nan"],
            ["Mkt-RF=-0.1", "KO=-2sd"],
            ["OTHER=-0.1"],
        ],
    )
    def test_what_is_no_shock(self, run, shock):
        said = run("scenario", "KO", "--shock", *shock, status=2)
        assert said.out == ""
        assert said.err.startswith("riskmodel: ")


@pytest.mark.parametrize(
    "argv",
    [
        ["report", "XOM", "CVX", "--start", "2012", "--no-html"],
        ["report", "BusEq", "Utils", "--sample", "month", "--no-html"],
        ["report", "KO", "PEP", "--estimator", "recommended", "--no-html"],
        ["hedge", "KO", "--estimator", "recommended"],
    ],
    ids=" ".join,
)
def test_no_names_of_python(run, argv):
    said = run(*argv)
    assert "rm." not in said.out + said.err


def test_factors_that_a_statistical_model_does_not_use(run, files):
    assert "MKT, none is used" in run("fit", *files, "--estimator", "recommended", "--window", "200").err
    named = ["--estimator", "recommended", "--window", "200", "--factors", "MKT"]
    assert "none is used" not in run("fit", *files, *named).err


def test_estimands_are_explained_where_nothing_has_an_interval(run):
    out = run("report", "KO", "PEP", "--estimator", "recommended", "--no-html").out
    assert "long run: the number" in out
