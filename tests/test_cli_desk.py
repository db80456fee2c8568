"""The command line of a desk: trades, changes of risk, tails, and what stands in for what has no returns."""

import json
import subprocess

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.cli import main as cli
from riskmodel.cli import terminal

PAIR = {"MSFT": 0.5, "JPM": 0.5}
TYPED = ["MSFT=0.5", "JPM=0.5"]


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
def told(run):
    """What a command says as JSON."""
    return lambda *argv: json.loads(run(*argv, "--json").out)


def held(*more, start="2014", weights=None):
    panel = rm.SampleData().panel([*PAIR, *more], ["Mkt-RF"], start=start)
    return rm.Strategy(weights or PAIR, rm.OLS().fit(panel)), panel


def frame(table):
    return pd.DataFrame(table).T


class TestWhatIf:
    def test_trades_in_weights(self, run, told):
        typed = [
            "what-if",
            *TYPED,
            "--start",
            "2014",
            "--trade",
            "MSFT=-0.1",
            "KO=0.1",
            "--best",
            "2",
            "--most",
            "0.05",
        ]
        out = told(*typed)
        expected = rm.WhatIf(held("KO")[0], {"MSFT": -0.1, "KO": 0.1})
        pd.testing.assert_frame_equal(frame(out["figures"]), expected.table)
        pd.testing.assert_frame_equal(frame(out["by_trade"]), expected.by_trade, check_names=False)
        pd.testing.assert_frame_equal(
            frame(out["best_for_volatility"]), expected.best_trades(2, 0.05), check_names=False
        )
        assert "EACH TRADE ALONE" in run(*typed).out

    def test_trades_in_dollars_of_what_is_held(self, told, tmp_path):
        (tmp_path / "book.csv").write_text("asset,dollars\nMSFT,5e6\nJPM,5e6\n")
        (tmp_path / "list.csv").write_text("asset,dollars\nMSFT,-1e6\nKO,1e6\n")
        out = told("what-if", "--positions", "book.csv", "--trades", "list.csv", "--start", "2014")
        expected = rm.WhatIf.of_dollars(held("KO")[0], {"MSFT": -1e6, "KO": 1e6}, 1e7)
        np.testing.assert_allclose(frame(out["figures"])["after"], expected.table["after"], rtol=1e-12)
        assert out["capital"] == 1e7
        assert frame(out["best_for_volatility"])["dollars"].tolist() == expected.best_trades(5)["dollars"].tolist()

    def test_candidates(self, told):
        assert "KO" not in told("what-if", *TYPED, "--start", "2014")["best_for_volatility"]
        out = told("what-if", *TYPED, "--start", "2014", "--candidates", "KO", "--best", "9")
        assert "KO" in out["best_for_volatility"]

    @pytest.mark.parametrize(
        ("argv", "said"),
        [
            (["--trade", "MSFT"], "--trade as ASSET=WEIGHT"),
            (["--trade", "NONE=0.1"], "NONE"),
            (["--trade", "KO=0.1", "--trades", "list.csv"], "got both"),
            (["--trades", "list.csv"], "give --capital"),
            (["--most", "-1"], "above zero"),
        ],
    )
    def test_what_is_no_trade(self, run, tmp_path, argv, said):
        (tmp_path / "list.csv").write_text("asset,dollars\nMSFT,-1e6\n")
        captured = run("what-if", *TYPED, "--start", "2017", *argv, status=2)
        assert captured.out == ""
        assert said in captured.err

    def test_a_budget_is_not_what_is_held(self, run, tmp_path):
        (tmp_path / "book.csv").write_text("asset,dollars\nMSFT,4e6\nJPM,-1e6\n")
        (tmp_path / "list.csv").write_text("asset,dollars\nMSFT,-1e6\n")
        for held in (["--positions", "book.csv", "--trade", "MSFT=-0.1"], [*TYPED, "--trades", "list.csv"]):
            assert "got --budget" in run("what-if", *held, "--budget", "1m", status=2).err

    def test_dollars_are_no_weights(self, run):
        assert "dollars are for the file of --trades" in run("what-if", *TYPED, "--trade", "MSFT=-500000", status=2).err

    def test_sizes_without_a_bound_are_said(self, run):
        assert "Of any size" in run("what-if", *TYPED, "--best", "2").out
        assert "Of any size" not in run("what-if", *TYPED, "--best", "2", "--most", "0.1").out

    def test_what_is_published_on_paper_is_said(self, run):
        month = ["--sample", "month", "--best", "9", "--most", "0.5"]
        said = " ".join(run("what-if", "BusEq=1", *month, "--factors", "Mkt-RF", "SMB", "HML").out.split())
        assert "cannot be traded: published on paper" in said
        assert "HML" in said.split("cannot be traded")[0].split("before")[-1]
        assert "on paper" not in run("what-if", "BusEq=1", *month, "--factors", "Mkt-RF").out


class TestChange:
    def test_the_same_weights(self, run, told):
        out = told("change", *TYPED, "--since", "2007", "--as-of", "2008")
        panel = rm.SampleData().panel([*PAIR], ["Mkt-RF"])
        models = [
            rm.OLS().fit(part.select(start=part.dates[-252]))
            for part in (panel.select(end="2007-12-31"), panel.select(end="2008-12-31"))
        ]
        expected = rm.RiskChange.of(*(rm.Strategy(PAIR, model) for model in models))
        np.testing.assert_allclose(frame(out["parts"]), expected.to_frame(), rtol=1e-12)
        assert (out["before"], out["after"]) == ("2007-12-31", "2008-12-31")
        said = run("change", *TYPED, "--since", "2007", "--as-of", "2008").out
        assert "these sum to the difference" in said
        # nothing is held that these would be of
        assert not any(part in said for part in ("entered", "left", "legs"))

    def test_positions_of_each_date(self, run, told, tmp_path):
        rows = ["2016-06-30,MSFT,5e6", "2016-06-30,JPM,5e6", "2018-06-29,MSFT,4e6", "2018-06-29,KO,6e6"]
        (tmp_path / "history.csv").write_text("\n".join(["date,asset,dollars", *rows]))
        out = told("change", "--positions", "history.csv", "--since", "2017")
        assert out["names"] == {"JPM": {"before": 0.5, "after": 0.0}, "KO": {"before": 0.0, "after": 0.6}}
        said = run("change", "--positions", "history.csv", "--since", "2017").out
        assert "Entered: names that are held on the later date alone." in said
        assert "Legs" not in said

    @pytest.mark.parametrize(
        ("argv", "said"),
        [
            ([], "--since"),
            (["--since", "2019"], "got 2019, until which the last date is 2018-11-30"),
            (["--since", "1990"], "1990"),
        ],
    )
    def test_dates_that_cannot_be_compared(self, run, argv, said):
        assert said in run("change", *TYPED, *argv, status=2).err


class TestTails:
    def test_a_longer_span_is_said_to_be_scaled(self, run):
        said = " ".join(run("tails", *TYPED, "--start", "2014", "--over", "month", "--methods", "normal").out.split())
        assert "those of a day, times the root of 21" in said
        assert "times the root" not in run("tails", *TYPED, "--start", "2014", "--methods", "normal").out

    def test_methods(self, run, told):
        typed = ["tails", *TYPED, "--start", "2014", "--tail", "0.975", "--over", "week", "--level", "0.9"]
        out = told(*typed, "--capital", "2m")
        strategy, panel = held()
        position = rm.Position(strategy, 2e6, rm.DAY)
        for name, method in (
            ("historical", rm.HistoricalSimulation()), ("filtered", rm.FilteredHistoricalSimulation()),
            ("student", rm.StudentTails()), ("normal", rm.NormalTails()),
        ):  # fmt: skip
            risk = method.of(position, panel, 0.975, rm.WEEK)
            at_risk, shortfall = risk.intervals(0.9)
            found = out["tails"][name]
            assert [found[f"value_at_risk{end}"] for end in ("", "_low", "_high")] == [
                at_risk.estimate, at_risk.low, at_risk.high,
            ]  # fmt: skip
            assert found["expected_shortfall"] == shortfall.estimate
            assert out["by_factor"][name]["idio"] == risk.by_factor.loc["idio"].to_dict()
        assert out["unit"] == "dollars"
        assert "BY NAME, filtered" in run(*typed).out

    def test_groups_and_backtests(self, run, told, tmp_path):
        (tmp_path / "desks.csv").write_text("asset,desk\nMSFT,tech\nJPM,banks\n")
        typed = [
            "tails",
            *TYPED,
            "--start",
            "2014",
            "--methods",
            "normal",
            "--groups",
            "desks.csv",
            "--backtest",
            "year",
        ]
        out = told(*typed)
        _, panel = held()
        history = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel)
        test = rm.TailBacktest.of(PAIR, rm.NormalTails(), history, 0.99, rm.YEAR)
        assert out["backtests"]["normal"]["breaches"] == test.breaches
        assert out["backtests"]["normal"]["coverage"] == test.table().loc["coverage", "pvalue"]
        assert list(out["by_group"]) == ["tech", "banks"]
        assert "Kupiec" in run(*typed).out

    @pytest.mark.parametrize(
        "argv", [["--tail", "0.2"], ["--tail", "1"], ["--methods", "none"], ["--backtest", "1000"], ["--over", "none"]]
    )
    def test_what_is_no_tail(self, run, argv):
        said = run("tails", *TYPED, "--start", "2016", *argv, status=2)
        assert said.out == ""
        assert said.err.startswith("riskmodel: ")


class TestEverywhere:
    def test_configuration(self, told, tmp_path):
        (tmp_path / "desk.toml").write_text(
            'start = 2014-01-01\n[what-if]\nassets = {MSFT = 0.5, JPM = 0.5}\ntrade = ["KO=0.1"]\n'
            "[tails]\ntail = 0.95\n"
        )
        assert told("what-if", "--config", "desk.toml") == told(
            "what-if", *TYPED, "--start", "2014", "--trade", "KO=0.1"
        )
        assert told("tails", "--config", "desk.toml", *TYPED)["tail"] == 0.95

    @pytest.mark.parametrize(("word", "found"), [("what-if --candid", "--candidates"), ("tails --backt", "--backtest")])
    def test_completion(self, run, word, found):
        script = run("completion", "bash").out
        asked = f'{script}\nCOMP_WORDS=(riskmodel {word})\nCOMP_CWORD=2\n_shtab_riskmodel\necho "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [found]

    @pytest.mark.parametrize("columns", [60, 80, 140])
    def test_nothing_is_wider_than_the_terminal(self, run, monkeypatch, columns):
        monkeypatch.setattr(terminal, "width", lambda stream=None: columns - 1)
        for command in (
            ["scenario", "BusEq", "--sample", "month", "--capital", "2m"],
            ["tails", "BusEq", "Utils", "--sample", "month"],
            ["hedge", "BusEq", "--sample", "month", "--cap", "0.1"],
            ["attribute", "BusEq", "--sample", "month", "--from", "2016"],
            ["hedge", "BusEq", "--sample", "month", "--instruments", "Utils", "--cap", "0.5"],
        ):
            out = run(*command).out
            assert max(map(len, out.splitlines())) < columns
            assert "\\" not in out


class TestFewDates:
    def test_the_largest_loss_is_called_that(self, told):
        few = told("tails", "MSFT", "--start", "2018-10-01")
        assert few["worst_loss_alone"] == ["filtered", "historical"]
        historical = few["tails"]["historical"]
        assert historical["value_at_risk"] == historical["expected_shortfall"]
        assert told("tails", "MSFT", "--start", "2018")["worst_loss_alone"] == []
