"""The command line: what it prints and writes, and what it says of input that cannot be used."""

import errno
import gzip
import io
import itertools
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from french_server import factor_file, numbers

import riskmodel as rm
from riskmodel.cli import main as cli
from riskmodel.cli import options
from riskmodel.report import text as text_form
from riskmodel.report.report import RiskReport

DAYS = pd.bdate_range("2020-01-01", periods=60)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Whatever is written goes to a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys):
    """Run the command line: status, stdout, stderr."""

    def run(*argv):
        status = cli.main([*argv])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def fails(run):
    """Run what must fail: status 2, nothing on stdout, and one message, which is returned."""

    def fails(*argv):
        status, out, err = run(*argv)
        assert status == 2
        assert out == ""
        assert err.startswith("riskmodel: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        return err

    return fails


@pytest.fixture
def frames():
    rng = np.random.default_rng(5)
    market = 0.01 * rng.standard_normal(60)
    returns = pd.DataFrame(
        {
            "FUND": 1.2 * market + 0.005 * rng.standard_normal(60),
            "OTHER": 0.5 * market + 0.005 * rng.standard_normal(60),
        },
        DAYS,
    )
    factors = pd.DataFrame({"Mkt-RF": market, "SMB": 0.01 * rng.standard_normal(60), "RF": 0.0001}, DAYS)
    return returns.rename_axis("date"), factors.rename_axis("date")


@pytest.fixture
def files(frames):
    frames[0].to_csv("returns.csv")
    frames[1].to_csv("factors.csv")
    return ["--returns", "returns.csv", "--factor-returns", "factors.csv"]


def prices_of(returns):
    """Prices with these returns, from 100 on the business day before."""
    first = returns.index[0] - pd.offsets.BDay()
    prices = 100 * (1 + returns).cumprod()
    return pd.concat([pd.DataFrame(100.0, [first], returns.columns), prices]).rename_axis("date")


def long_of(wide, label):
    return wide.reset_index().melt("date", var_name=label, value_name="number")


def expected(weights, *, cap=None, data=None, factors=("Mkt-RF",), budget=None, **window):
    data = data or rm.SampleData()
    panel = data.panel(list(weights), list(factors), **window)
    budget = budget or rm.RiskBudget(1e6, rm.MONTH)
    return RiskReport.of(rm.Strategy(weights, rm.OLS().fit(panel)), panel, budget, cap=cap)


def figures_of(report):
    """What JSON must hold, less the words."""
    out = report.to_dict()
    return {k: v for k, v in out.items() if k not in {"source", "notes", "warnings"}}


def parsed(text):
    out = json.loads(text, parse_constant=pytest.fail)
    return {k: v for k, v in out.items() if k not in {"source", "notes", "warnings"}}


# -- what it does ----------------------------------------------------------------------------------


class TestReport:
    def test_default_is_the_sample_portfolio(self, run, tmp_path):
        status, out, err = run("report")
        assert (status, err) == (0, "")
        assert "MSFT 0.5, JPM 0.3, XOM 0.2" in out
        assert "survivors" in out
        assert out.endswith("wrote report.html\n")
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>")
        assert "survivors" in page

    def test_text_is_the_report(self, run):
        _, out, _ = run("report", "MSFT", "--no-html", "--full")
        table = expected({"MSFT": 1.0}).to_text()
        assert out.split("ALPHA")[1].split("NOTES")[0] == table.split("ALPHA")[1].split("NOTES")[0]

    def test_a_terminal_gets_the_short_report(self, run):
        _, out, _ = run("report", "MSFT", "JPM", "--start", "2016", "--no-html")
        _, full, _ = run("report", "MSFT", "JPM", "--start", "2016", "--no-html", "--full")
        for title in text_form._DETAILS:
            assert title.upper() not in out
            assert title.upper() in full
            assert title in " ".join(out.split()).split("Left out here")[1]
        assert "HOLDINGS" in out

    def test_held_dollars_come_before_what_may_be(self, run):
        _, out, _ = run("report", "MSFT", "--start", "2016", "--no-html", "--capital", "3m")
        assert "3,000,000" in out.split("HOLDINGS")[1].split("\n\n")[0]

    @pytest.mark.parametrize(("name", "errors"), [("hac", rm.HAC()), ("classical", rm.Classical()), ("hc3", rm.HC3())])
    def test_level_and_errors_of_intervals(self, run, name, errors):
        _, out, _ = run("report", "MSFT", "--start", "2015", "--json", "--level", "0.7", "--errors", name)
        panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"], start="2015-01-01")
        model = rm.OLS().fit(panel)
        table = rm.Inference.of(model, panel, errors).table(rm.Strategy({"MSFT": 1.0}, model), 0.7)
        rows = {r["figure"]: r for r in json.loads(out)["figures"] if r["portfolio"] == "unhedged"}
        for figure in ("alpha", "exposure Mkt-RF", "volatility"):
            assert rows[figure]["level"] == 0.7
            np.testing.assert_allclose(
                [rows[figure]["low"], rows[figure]["high"]], table.loc[figure, ["low", "high"]].astype(float)
            )

    def test_json_is_the_report_and_nothing_else(self, run, tmp_path):
        status, out, err = run("report", "MSFT=1", "JPM=-0.5", "--cap", "0.2", "--json")
        assert (status, err) == (0, "")
        assert parsed(out) == figures_of(expected({"MSFT": 1.0, "JPM": -0.5}, cap=0.2))
        assert list(tmp_path.iterdir()) == []

    def test_json_writes_a_page_where_asked(self, run, tmp_path):
        status, out, err = run("report", "KO", "--json", "--output", "ko.html")
        assert (status, err) == (0, "wrote ko.html\n")
        json.loads(out)
        assert 5e4 < (tmp_path / "ko.html").stat().st_size < 1.5e6
        assert not (tmp_path / "report.html").exists()

    def test_no_html(self, run, tmp_path):
        status, out, _ = run("report", "KO", "--no-html")
        assert status == 0
        assert "wrote" not in out
        assert list(tmp_path.iterdir()) == []

    def test_equal_weights(self, run):
        _, out, _ = run("report", "MSFT", "JPM", "XOM", "KO", "--json")
        assert [a["weight"] for a in json.loads(out)["assets"]] == [0.25] * 4

    def test_negative_weight(self, run):
        _, out, _ = run("report", "KO=-0.5", "--json")
        held = json.loads(out)
        assert held["assets"][0]["weight"] == -0.5
        assert held["exposures"][0]["unhedged"] < 0

    def test_monthly_sample(self, run):
        _, out, _ = run("report", "--sample", "month", "--factors", "Mkt-RF", "HML,Mom", "--json")
        weights = {"BusEq": 0.5, "Money": 0.3, "Enrgy": 0.2}
        data = rm.SampleData(rm.MONTH)
        assert parsed(out) == figures_of(expected(weights, data=data, factors=["Mkt-RF", "HML", "Mom"]))

    def test_all_factors_by_default(self, run):
        _, out, _ = run("report", "BusEq", "--sample", "month", "--json")
        assert json.loads(out)["factors"] == ["Mkt-RF", "SMB", "HML", "Mom"]

    def test_assets_after_options(self, run):
        _, out, _ = run("report", "--cap", "0.2", "KO", "--json", "PEP")
        assert [a["asset"] for a in json.loads(out)["assets"]] == ["KO", "PEP"]
        _, out, _ = run("report", "--json", "--factors", "Mkt-RF", "--", "KO")
        assert [a["asset"] for a in json.loads(out)["assets"]] == ["KO"]

    @pytest.mark.parametrize(
        ("window", "first", "last"),
        [
            (["--start", "2010", "--end", "2010"], "2010-01-04", "2010-12-31"),
            (["--start", "2010-02", "--end", "2010-06"], "2010-02-01", "2010-06-30"),
            (["--start", "2010-02-03", "--end", "2010-06-15"], "2010-02-03", "2010-06-15"),
        ],
    )
    def test_window(self, run, window, first, last):
        _, out, _ = run("report", "KO", "--json", *window)
        assert (json.loads(out)["start"], json.loads(out)["end"]) == (first, last)
        assert parsed(out) == figures_of(expected({"KO": 1.0}, start=first, end=last))

    @pytest.mark.parametrize(
        ("text", "dollars"),
        [("1e6", 1e6), ("1_000_000", 1e6), ("$2,500,000", 2.5e6), ("2.5m", 2.5e6), ("500K", 5e5), ("1bn", 1e9),
         ("7", 7.0), ("1.5E+6", 1.5e6), ("2,500k", 2.5e6), ("1,000.5", 1000.5)],
    )  # fmt: skip
    def test_budget(self, run, text, dollars):
        _, out, _ = run("report", "KO", "--json", "--budget", text, "--horizon", "week")
        got = json.loads(out)
        assert got["budget"] == {"volatility": dollars, "horizon": "week"}
        capital = dollars / (got["variance"][2]["day"] * math.sqrt(252 / 52))
        assert math.isclose(got["positions"]["unhedged"]["capital"], capital)

    def test_riskless_hedge(self, run):
        status, out, _ = run("report", "SPX", "--cap", "0.1", "--no-html")
        assert status == 0
        assert "No risk is left in capped and hedged" in out
        status, out, _ = run("report", "SPX", "--json")
        assert parsed(out)["positions"]["hedged"] is None

    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_a_full_disk_leaves_the_last_page_and_names_it(self, run, tmp_path, monkeypatch, step):
        page = tmp_path / "page.html"
        page.write_text("yesterday")

        def fails(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, step, fails)
        status, _, err = run("report", "KO", "--output", str(page))
        assert status == 2
        assert str(page) in err
        assert page.read_text() == "yesterday"
        assert [p.name for p in tmp_path.iterdir() if p.suffix != ".csv"] == ["page.html"]

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
    def test_a_full_disk_behind_the_tables_is_told(self):
        with open("/dev/full", "w") as full:
            command = [sys.executable, "-m", "riskmodel", "report", "KO", "--no-html"]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr == "riskmodel: standard output: No space left on device\n"

    def test_the_ending_says_what_is_written(self, run, tmp_path):
        for name in ("a.json", "a.csv", "a.xlsx"):
            status, out, _ = run("report", "KO", "--start", "2016", "--output", name)
            assert (status, out.splitlines()[-1]) == (0, f"wrote {name}")
        written = json.loads((tmp_path / "a.json").read_text())
        assert written["schema"] == "riskmodel.report"
        assert (tmp_path / "a.csv").read_text().startswith("table,row,column,value\n")
        assert (tmp_path / "a.xlsx").read_bytes()[:2] == b"PK"

    def test_a_page_on_standard_output(self, run, tmp_path):
        status, out, _ = run("report", "KO", "--start", "2016", "--output", "-")
        assert status == 0
        assert out.startswith("<!DOCTYPE html>")
        assert list(tmp_path.iterdir()) == []

    def test_what_changed_since_an_earlier_report(self, run, fails, tmp_path):
        run("report", "KO", "--start", "2016", "--output", "then.json")
        _, out, _ = run("report", "KO", "--start", "2016", "--previous", "then.json", "--capital", "5m", "--json")
        found = json.loads(out)
        assert {r["change"] for r in found["changes"]} == {0.0}
        assert found["capital"] == 5e6
        for text in ("{", "[]", "{}"):
            (tmp_path / "other.json").write_text(text)
            assert "expected" in fails("report", "KO", "--previous", "other.json")

    def test_output_elsewhere(self, run, tmp_path):
        (tmp_path / "there").mkdir()
        status, out, _ = run("report", "KO", "--output", "there/ko.html")
        assert status == 0
        assert out.endswith(f"wrote {os.path.join('there', 'ko.html')}\n")
        assert (tmp_path / "there" / "ko.html").exists()

    def test_characters_that_the_terminal_lacks(self, files, frames, monkeypatch):
        frames[0].rename(columns={"FUND": "Société"}).to_csv("returns.csv", encoding="utf-8")
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
        assert cli.main(["report", "--no-html", *files]) == 0
        assert b"Soci?t?" in raw.getvalue()

    def test_a_stdout_of_another_kind(self, monkeypatch):
        out = io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        assert cli.main(["report", "KO", "--no-html"]) == 0
        assert "RISK REPORT" in out.getvalue()


class TestFiles:
    def test_all_assets_at_equal_weights(self, run, files, frames):
        status, out, err = run("report", "--json", *files)
        assert (status, err) == (0, "")
        data = rm.InMemory(
            frames[0], factors=frames[1][["Mkt-RF", "SMB"]], risk_free=frames[1]["RF"], horizon=rm.DAY
        )  # fmt: skip
        weights = {"FUND": 0.5, "OTHER": 0.5}
        got, want = parsed(out), figures_of(expected(weights, data=data, factors=["Mkt-RF", "SMB"]))
        assert got == want
        assert json.loads(out)["source"] == "returns.csv and factors.csv"

    def test_numbers_survive_the_file(self, run, files, frames):
        _, out, _ = run("report", "FUND", "--json", "--factors", "Mkt-RF", *files)
        excess = frames[0]["FUND"] - frames[1]["RF"]
        slope = np.polyfit(frames[1]["Mkt-RF"], excess, 1)[0]
        assert math.isclose(json.loads(out)["exposures"][0]["unhedged"], slope, rel_tol=1e-9)

    def test_parquet(self, run, files, frames):
        pytest.importorskip("pyarrow")
        frames[0].to_parquet("returns.parquet")
        frames[1].reset_index().to_parquet("factors.pq")
        _, from_csv, _ = run("report", "--json", *files)
        status, out, _ = run("report", "--json", "--returns", "returns.parquet", "--factor-returns", "factors.pq")
        assert status == 0
        got, want = json.loads(out), json.loads(from_csv)
        assert [r["weight"] for r in got["legs"]] == pytest.approx([r["weight"] for r in want["legs"]], rel=1e-9)

    @pytest.mark.parametrize(
        "kind",
        [
            *itertools.product(
                ["decimal", "percent", "price"],
                ["wide", "long", "long by another name"],
                ["csv", "csv.gz", "parquet"],
            )
        ],
        ids=" ".join,
    )
    def test_every_kind_of_file_gives_the_same_report(self, run, files, frames, kind):
        """Assets of each unit, factors in decimals or percent, in each layout and format."""
        unit, shape, form = kind
        if form == "parquet":
            pytest.importorskip("pyarrow")
        _, out, _ = run("report", "--json", *files)
        mine = {"decimal": frames[0], "percent": 100 * frames[0], "price": prices_of(frames[0])}[unit]
        factor_unit = "decimal" if unit == "decimal" else "percent"
        theirs = frames[1] if unit == "decimal" else 100 * frames[1]
        labels = {"wide": None, "long": ("ticker", "factor"), "long by another name": ("id", "series")}[shape]
        columns = []
        if labels is not None:
            mine, theirs = long_of(mine, labels[0]), long_of(theirs, labels[1])
        if shape == "long by another name":
            columns = ["--columns", "date,id,number", "--factor-columns", "date,series"]
            mine["volume"] = 7
        for frame, name in ((mine, f"mine.{form}"), (theirs, f"theirs.{form}")):
            if form == "parquet":
                frame.to_parquet(name)
            else:
                frame.to_csv(name, index=labels is None)
        status, got, err = run(
            "report", "--json", "--returns", f"mine.{form}", "--unit", unit,
            "--factor-returns", f"theirs.{form}", "--factor-unit", factor_unit, *columns
        )  # fmt: skip
        assert (status, err) == (0, "")
        got, want = json.loads(got), json.loads(out)
        assert [a["asset"] for a in got["assets"]] == ["FUND", "OTHER"]
        assert got["factors"] == ["Mkt-RF", "SMB"]
        assert got["n_dates"] == want["n_dates"]
        for a, b in zip(got["legs"], want["legs"], strict=True):
            assert a["weight"] == pytest.approx(b["weight"], rel=1e-9)

    def test_names_with_commas(self, run, files, frames):
        frames[1].rename(columns={"SMB": "Value, US"}).to_csv("factors.csv")
        status, out, _ = run("report", *files, "--no-html", "--factors", "Value, US", "--funded", "Value, US")
        assert status == 0
        assert "Value, US" in out
        assert "Mkt-RF" not in out

    def test_factors_from_prices_are_excess_returns_that_cost_cash(self, run, files, frames):
        prices_of(frames[1][["Mkt-RF"]].rename(columns={"Mkt-RF": "SPY"})).to_csv("factors.csv")
        status, out, _ = run(
            "report", "FUND", "--json", *files, "--factor-unit", "price", "--risk-free", "0.0001"
        )  # fmt: skip
        assert status == 0
        got = json.loads(out)
        slope = np.polyfit(frames[1]["Mkt-RF"] - 0.0001, frames[0]["FUND"] - 0.0001, 1)[0]
        assert math.isclose(got["exposures"][0]["unhedged"], slope, rel_tol=1e-9)
        held = {r["leg"]: r["weight"] for r in got["legs"] if r["portfolio"] == "hedged"}
        assert math.isclose(held["cash"], -(1 + held["SPY"]))

    def test_dates_in_another_column(self, run, files, frames):
        frames[0].reset_index()[["FUND", "date", "OTHER"]].to_csv("returns.csv", index=False)
        status, out, _ = run("report", "--json", *files, "--columns", "date")
        assert status == 0
        assert [a["asset"] for a in json.loads(out)["assets"]] == ["FUND", "OTHER"]

    def test_permnos_however_a_file_has_them(self, run, files, frames):
        pytest.importorskip("pyarrow")
        for dtype in ("int64", "float64", "str"):
            long = long_of(frames[0].set_axis([10107, 14593], axis=1), "permno")
            long.astype({"permno": dtype}).to_parquet("returns.parquet")
            status, out, _ = run("report", "14593", "--json", *files[2:], "--returns", "returns.parquet")
            assert status == 0
            assert json.loads(out)["assets"][0]["asset"] == "14593"

    def test_numbered_assets(self, run, files, frames):
        pytest.importorskip("pyarrow")
        frames[0].set_axis(["10107", "47896"], axis=1).to_parquet("returns.parquet")
        _, out, _ = run("report", "10107", "--json", "--returns", "returns.parquet", "--factor-returns", "factors.csv")
        assert json.loads(out)["assets"][0]["asset"] == "10107"

    def test_risk_free_option(self, run, files, frames):
        frames[1].drop(columns="RF").to_csv("factors.csv")
        status, out, _ = run("report", "FUND", "--json", "--risk-free", "0", *files)
        assert status == 0
        slope = np.polyfit(frames[1]["Mkt-RF"], frames[0]["FUND"], 1)[0]
        _, out, _ = run("report", "FUND", "--json", "--risk-free", "0", "--factors", "Mkt-RF", *files)
        assert math.isclose(json.loads(out)["exposures"][0]["unhedged"], slope, rel_tol=1e-9)

    def test_funded_option(self, run, files, frames):
        frames[1].rename(columns={"Mkt-RF": "FUTURE"}).to_csv("factors.csv")
        cash = {}
        for names in (["FUTURE"], ["FUTURE,SMB"], []):
            status, out, _ = run("report", "FUND", "--json", "--funded", *names, *files)
            assert status == 0
            held = {r["leg"]: r["weight"] for r in json.loads(out)["legs"] if r["portfolio"] == "hedged"}
            cash[",".join(names)] = held["cash"], -(1 + sum(held[f] for f in ",".join(names).split(",") if f))
        assert all(math.isclose(got, want) for got, want in cash.values())
        assert len({got for got, _ in cash.values()}) == 3

    def test_months(self, run, frames):
        months = pd.period_range("2015-01", periods=60, freq="M").strftime("%Y%m")
        frames[0].set_axis(months).to_csv("returns.csv")
        frames[1].set_axis(pd.period_range("2015-01", periods=60, freq="M").strftime("%Y-%m")).to_csv("factors.csv")
        _, out, _ = run(
            "report", "--json", "--data-horizon", "month", "--returns", "returns.csv", "--factor-returns", "factors.csv"
        )  # fmt: skip
        got = json.loads(out)
        assert (got["horizon"], got["start"], got["end"]) == ("month", "2015-01-31", "2019-12-31")

    @pytest.mark.parametrize(
        "form", ["%Y%m%d", "%Y-%m-%d", "%Y-%m-%dT16:00:00", "%Y-%m-%d 16:00:00+01:00", " %Y-%m-%d"]
    )
    def test_dates(self, run, files, frames, form):
        frames[0].set_axis(DAYS.strftime(form)).to_csv("returns.csv")
        status, out, _ = run("report", "--json", *files)
        assert status == 0
        assert json.loads(out)["start"] == "2020-01-01"

    def test_gaps_blank_lines_and_a_byte_order_mark(self, run, files, frames, tmp_path):
        frames[0].iloc[3, 0] = np.nan
        text = frames[0].to_csv().replace("\n2020-01-10", "\n\n2020-01-10")
        (tmp_path / "returns.csv").write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\n,,\n")
        _, out, _ = run("report", "--json", *files)
        assert [a["n_observations"] for a in json.loads(out)["assets"]] == [59, 60]

    def test_compressed(self, run, files, frames):
        frames[0].to_csv("returns.csv.gz")
        status, _, _ = run("report", "--json", "--returns", "returns.csv.gz", "--factor-returns", "factors.csv")
        assert status == 0

    def test_nasty_names_are_escaped(self, run, files, frames, tmp_path):
        name = "</script><script>alert(1)</script>"
        frames[0].rename(columns={"FUND": name}).to_csv("returns.csv")
        status, _, _ = run("report", *files)
        assert status == 0
        assert "<script>alert(1)" not in (tmp_path / "report.html").read_text(encoding="utf-8")


class TestLeftOut:
    """Assets that cannot be estimated are left out of a whole file, and said; those that are named are an error."""

    @pytest.fixture
    def short(self, files, frames):
        returns = frames[0].assign(SHORT=frames[0]["FUND"], SHORTER=frames[0]["FUND"])
        returns.iloc[:-2, 2], returns.iloc[:-20, 3] = np.nan, np.nan
        returns.to_csv("returns.csv")
        return files

    def test_one_short_asset_does_not_refuse_the_file(self, run, short):
        status, out, err = run("report", "--json", *short)
        assert status == 0
        assert [a["asset"] for a in json.loads(out)["assets"]] == ["FUND", "OTHER", "SHORTER"]
        assert [a["weight"] for a in json.loads(out)["assets"]] == [1 / 3] * 3
        assert "Left out 1 asset(s)" in err
        assert "SHORT (2)" in err
        assert err.strip() in json.loads(out)["notes"]

    def test_a_minimum(self, run, short):
        _, out, err = run("report", "--json", *short, "--min-observations", "30")
        assert [a["asset"] for a in json.loads(out)["assets"]] == ["FUND", "OTHER"]
        assert "too few observations: SHORT (2), SHORTER (20)" in err

    @pytest.mark.parametrize("named", [["FUND", "SHORT"], ["FUND=1", "SHORT=-0.5"]])
    def test_a_named_asset_is_an_error(self, fails, short, named):
        assert "got SHORT with 2 observations" in fails("report", *named, *short, "--min-observations", "3")
        assert "SHORT" in fails("report", *named, *short)

    def test_a_weight_of_zero_is_no_part_of_the_portfolio(self, run, short):
        _, out, err = run("report", "FUND=1", "SHORT=0", "--json", *short, "--min-observations", "3")
        assert [a["asset"] for a in json.loads(out)["assets"]] == ["FUND"]
        assert "SHORT (2)" in err

    def test_no_asset_is_long_enough(self, fails, short):
        assert "none of 4" in fails("report", *short, "--min-observations", "99")


class TestHelp:
    @pytest.mark.parametrize(
        ("argv", "said"),
        [
            (["--version"], f"riskmodel {rm.__version__}\n"),
            (["--help"], "start here"),
            (["report", "--help"], "--factor-returns FILE"),
        ],
    )
    def test_help_and_version(self, capsys, argv, said):
        with pytest.raises(SystemExit) as stop:
            cli.main(argv)
        assert stop.value.code == 0
        assert said in capsys.readouterr().out

    def test_help_teaches(self, capsys, monkeypatch):
        monkeypatch.setenv("COLUMNS", "80")
        with pytest.raises(SystemExit):
            cli.main(["report", "--help"])
        out = capsys.readouterr().out
        for word in ("examples:", "files:", "exit status", "column named RF", "0.01 is one percent", "KO=1 PEP=-1"):
            assert word in out
        assert max(map(len, out.splitlines())) <= 80

    def test_arguments_of_the_process(self, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", ["riskmodel", "report", "KO", "--no-html"])
        assert cli.main() == 0
        assert "KO 1" in capsys.readouterr().out


# -- what it says of bad input ---------------------------------------------------------------------


class TestBadArguments:
    @pytest.mark.parametrize(
        ("argv", "said"),
        [
            ([], "the following arguments are required: command"),
            (["reprot"], "invalid choice: 'reprot'"),
            (["report", "--nonsense"], "unrecognized arguments: --nonsense"),
            (["report", "MSFTT"], "nearest to 'MSFTT': MSFT"),
            (["report", "--factors", "Mkt"], "unknown factor: Mkt. nearest to 'Mkt': Mkt-RF"),
            (["report", "--factors", "Mkt-RF", "KO=1"], "unknown factor: KO=1, which is an asset; write assets before"),
            (["report", "--factors", "Mkt-RF", "KO"], "unknown factor: KO, which is an asset; write assets before "
             "--factors, or -- in between"),
            (["report", "--factors", "Mkt-RF", "Mkt-RF"], "got Mkt-RF more than once"),
            (["report", "KO=1", "PEP"], "got PEP without"),
            (["report", "KO", "KO"], "got KO more than once"),
            (["report", "KO=half"], "the weight of KO as a number"),
            (["report", "KO=1e308"], "the weight of KO in dollars per dollar of strategy"),
            (["report", "KO=-inf"], "the weight of KO in dollars per dollar of strategy"),
            (["report", "KO=1e-300", "PEP=1"], "0, or between 1e-6 and 1e6 in size, got '1e-300'"),
            (["report", "KO=nan"], "finite"),
            (["report", "KO=0"], "a weight that is not zero"),
            (["report", "=1"], "expected an asset as NAME or NAME=WEIGHT"),
            (["report", "--start", "yesterday"], "expected --start as a date such as 2010-01-31"),
            (["report", "--start", "01/02/2010"], "expected --start as a date"),
            (["report", "--end", "2010-02-30"], "expected --end as a date"),
            (["report", "--start", "2012", "--end", "2010"], "2012-01-01 and 2010-12-31"),
            (["report", "--start", "2030"], "lies from 2030-01-01; widen the window"),
            (["report", "--start", "2018-11-29"], "at least 3 observations"),
            (["report", "--budget", "0"], "expected more than 0 dollars"),
            (["report", "--budget", "-5"], "expected more than 0 dollars"),
            (["report", "--budget", "-1e6"], "expected more than 0 dollars"),
            (["report", "--budget", "lots"], "expected dollars such as 1e6"),
            (["report", "--budget", "2,5m"], "a decimal point, as in 2.5m, got '2,5m'"),
            (["report", "--budget", "1,00,000"], "expected commas between thousands"),
            (["report", "--budget", "1000,000"], "expected commas between thousands"),
            (["report", "--budget", "5x"], "expected dollars such as 1e6"),
            (["report", "--budget", "1.2.3"], "expected dollars such as 1e6"),
            (["report", "--budget", "1e999"], "got inf"),
            (["report", "--horizon", "fortnight"], "invalid choice: 'fortnight'"),
            (["report", "--cap", "-0.1"], "a share from 0 to 1"),
            (["report", "--cap", "20"], "got 20.0; if it is a percentage, write 0.2"),
            (["report", "--level", "95"], "got 95.0; if it is a percentage, write 0.95"),
            (["report", "--level", "1"], "above 0 and below 1"),
            (["report", "--errors", "white"], "expected one of cosine, hac, hc3, classical, got 'white'"),
            (["report", "--cap", "some"], "expected a number such as 0.2, got 'some'"),
            (["report", "--cap", "nan"], "expected a finite number"),
            (["report", "--returns", "x.csv"], "got --returns alone; give --factor-returns too"),
            (["report", "--factor-returns", "x.csv"], "got --factor-returns alone; give --returns too"),
            (["report", "--returns", "x.csv", "--unit", "bps"], "invalid choice: 'bps'"),
            (["report", "--unit", "price"], "expected --unit with files of returns"),
            (["report", "--factor-unit", "price"], "expected --factor-unit with files of returns"),
            (["report", "--columns", "date"], "expected --columns with files of returns"),
            (["report", "--columns", "date,permno,ret,x"], "or those of dates, labels and numbers of a long"),
            (["report", "--columns", "date,,ret"], "got 'date,,ret'"),
            (["report", "--factor-columns", "date,date"], "got 'date,date'"),
            (["report", "--data-horizon", "month"], "expected --data-horizon with files of returns"),
            (["report", "--risk-free", "0"], "expected --risk-free with files of returns"),
            (["report", "--funded", "Mkt-RF"], "expected --funded with files of returns"),
            (["report", "--min-observations", "few"], "expected a whole number above 0 such as 60, got 'few'"),
            (["report", "--min-observations", "0"], "expected a whole number above 0"),
            (["report", "--no-html", "--output", "x.html"], "expected --output or --no-html, got both"),
            (["report", "--output", "nowhere/x.html"], "nowhere/x.html: No such file or directory"),
            (["report", "--output", "."], "with the ending .html, .htm, .json, .xlsx, .csv, or -"),
            (["report", "--output", "x.pdf"], "with the ending .html"),
            (["report", "--capital", "some"], "expected dollars"),
            (["report", "--previous", "nowhere.json"], "nowhere.json: No such file or directory"),
            (["report", "--previous", ""], "expected --previous as the path of a file"),
        ],
    )  # fmt: skip
    def test_is_said(self, fails, argv, said):
        assert said in fails(*argv)

    def test_jinja_missing(self, fails, monkeypatch):
        monkeypatch.setitem(sys.modules, "jinja2", None)
        assert "--no-html for the tables alone" in fails("report", "KO")


class TestFilesOfVendors:
    """Options say what readers must know; the notes of the report say what they chose."""

    @pytest.fixture
    def same(self, run, frames):
        """Check that the report is that of the frames."""

        def same(*argv):
            data = rm.InMemory(
                frames[0], factors=frames[1].drop(columns="RF"), risk_free=frames[1]["RF"], horizon=rm.DAY
            )
            status, out, err = run("report", "FUND=1", "OTHER=0.5", "--json", *argv)
            assert status == 0, err
            assert parsed(out) == figures_of(expected({"FUND": 1.0, "OTHER": 0.5}, data=data, factors=data.factors))
            return json.loads(out)["notes"]

        return same

    def test_codes_for_missing_numbers(self, same, fails, files, frames):
        frames[0].iloc[3, 0] = frames[0].iloc[9, 1] = np.nan
        Path("returns.csv").write_text(frames[0].to_csv(na_rep="n/m").replace("n/m", "-99.0", 1))
        assert "--missing" in fails("report", *files, "--missing", "n/m")
        same(*files, "--missing", "-99", "n/m")
        same(*files, "--missing", "-99,n/m")

    def test_formats_of_dates(self, same, files, frames):
        for frame, name in zip(frames, ("returns.csv", "factors.csv"), strict=True):
            frame.to_csv(name, date_format="%d/%m/%Y")
        same(*files, "--dates", "%d/%m/%Y", "--factor-dates", "%d/%m/%Y")
        same(*files, "--dates", "%d/%m/%Y", "--columns", "date", "--factor-dates", "%d/%m/%Y")

    def test_days_in_utc(self, same, fails, files, frames):
        stamps = frames[0].index.tz_localize("Europe/Berlin").tz_convert("UTC").rename("date")
        frames[0].set_axis(stamps).to_csv("returns.csv")
        assert "--time-zone" in fails("report", *files)
        same(*files, "--time-zone", "Europe/Berlin")

    def test_columns_are_chosen(self, same, files, frames):
        frames[0].assign(Name="x", Volume=0).to_csv("returns.csv")
        same(*files, "--columns", "date:FUND,OTHER")

    def test_forms_of_columns(self):
        assert options.layout("year+month:A") == rm.Wide(("year", "month"), ["A"])
        assert options.layout("y+m,permno,ret") == rm.Long(("y", "m"), "permno", "ret")
        assert options.layout("Date:Adj Close") == rm.Wide("Date", ["Adj Close"])

    def test_open_high_low_and_close(self, run, files, frames):
        fund = prices_of(frames[0][["FUND"]])
        fund.rename(columns={"FUND": "Close"}).assign(Open=1.0, High=1.0, Low=1.0).to_csv("FUND.csv")
        status, out, _ = run("report", "FUND", "--json", "--returns", "FUND.csv", "--unit", "price", *files[2:])
        assert status == 0
        assert any("'Close' is read" in note for note in json.loads(out)["notes"])

    def test_a_file_of_the_french_library(self, same, fails, files, frames):
        daily = 100 * frames[1]
        frames[1].iloc[:] = daily / 100
        rows = [
            f"{d:%Y%m%d},{','.join(map(repr, row))}"
            for d, row in zip(daily.index, daily.to_numpy().tolist(), strict=True)
        ]
        table = "\n".join([f",{','.join(daily)}", *rows, "", ""])
        prose = "This file was created using the 202412 CRSP database.\n\n"
        Path("factors.csv").write_text(f"{prose}{table}")
        assert "--unit percent" in fails("report", *files)
        same(*files, "--factor-unit", "percent")
        Path("factors.csv").write_text(f"{prose}Of one kind\n{table}Of another\n{table.replace('0,', '1,')}")
        assert "--table" in fails("report", *files, "--factor-unit", "percent")
        same(*files, "--factor-unit", "percent", "--factor-table", "one kind")

    def test_a_table_has_no_columns_to_name(self, fails, files):
        assert "got both" in fails("report", *files, "--table", "x", "--columns", "date")

    @pytest.mark.parametrize("option", ["--missing", "--time-zone", "--dates", "--table", "--factor-table"])
    def test_they_are_about_files(self, fails, option):
        assert f"expected {option} with files" in fails("report", option, "x")


class TestBadFiles:
    @pytest.mark.parametrize(
        ("old", "new", "place"),
        [
            ("FUND,OTHER", "FUND,FUND", "line 1"),
            ("FUND,OTHER", "FUND,", "line 1"),
            ("2020-01-06,", "06/01/2020,", "line 5, column 'date'"),
            ("2020-01-06,", "2020-02-31,", "line 5, column 'date'"),
            ("2020-01-06,", ",", "line 5, column 'date'"),
            ("2020-01-06,", "2020-01-06,abc", "line 5, column 'FUND'"),
            ("2020-01-06,", "2020-01-06,1,2,", "line 5"),
            ("2020-01-06,", "2020-01-03,", "line 5, column 'date'"),
            ("2020-01-06,", "2020-01-06,inf,0\n2019-12-31,", "line 5, column 'FUND'"),
        ],
    )
    def test_names_file_line_and_column(self, fails, files, old, new, place):
        text = Path("returns.csv").read_text()
        assert old in text
        Path("returns.csv").write_text(text.replace(old, new, 1))
        assert f"returns.csv, {place}: " in fails("report", *files)

    @pytest.mark.parametrize(
        ("content", "place"),
        [
            (b"", "returns.csv"),
            (b"date,A\n", "returns.csv"),
            (b"date\n2020-01-01\n", "line 1:"),
            (b"date,A,B\n2020-01-01,0,1,0,2\n", "line 2:"),
            (b'date,A\n2020-01-01,"0,1,2"\n', "line 2, column 'A':"),
            (b"date,A\n2020-01-01,\xff\xfe\n", "line 2, byte 12:"),
            ("date,A\n2020-01-01,0.1\n".encode("utf-16-le"), "line 1, byte 2:"),
            (b"date,id,r\n2020-01-01,A,0.1\n", "line 2, column 'id':"),
            (b"date,id,r\n2020-01-01,1,0\n2020-01-01,2,0\n", "line 3, column 'date':"),
            (b",date,A\n0,2020-01-01,0.1\n", "line 2, column 'date':"),
            (b"date,,A\n2020-01-01,0,0.1\n", "line 1:"),
            (b"date,A\n2020-01-01,True\n2020-01-02,False\n", "line 2, column 'A':"),
            (b"date,A\n2020-01-01,0.1,0.2\n2020-01-02,0.1,0.2\n", "line 2:"),
        ],
    )
    def test_not_a_table_of_returns(self, fails, files, tmp_path, content, place):
        (tmp_path / "returns.csv").write_bytes(content)
        message = fails("report", *files)
        assert "returns.csv" in message
        assert place in message

    @pytest.mark.parametrize(
        "content", [b"date,id,r\n2020-01-01,A,0.1\n", b"date,id,r\n2020-01-01,1,0\n2020-01-01,2,0\n"]
    )
    def test_a_long_file_with_other_names_needs_columns(self, fails, files, content):
        Path("returns.csv").write_bytes(content)
        assert "--columns" in fails("report", *files)

    def test_not_there(self, fails, files):
        assert (
            fails("report", *files[:3], "none.csv")
            == "riskmodel: none.csv cannot be opened: No such file or directory.\n"
        )

    def test_an_address_is_not_fetched(self, fails, files):
        message = fails("report", *files[:3], "https://example.invalid/factors.csv")
        assert "https://example.invalid/factors.csv; download it first" in message

    def test_not_gzip(self, fails, files, tmp_path):
        (tmp_path / "returns.csv.gz").write_bytes(gzip.compress(b"date,A\n2020-01-01,0.1\n")[:-5])
        assert "returns.csv.gz" in fails("report", "--returns", "returns.csv.gz", "--factor-returns", "factors.csv")

    def test_not_parquet(self, fails, files, tmp_path):
        pytest.importorskip("pyarrow")
        (tmp_path / "returns.parquet").write_bytes(b"date,A\n")
        message = fails("report", "--returns", "returns.parquet", "--factor-returns", "factors.csv")
        assert "returns.parquet" in message

    def test_empty_parquet(self, fails, files):
        pytest.importorskip("pyarrow")
        pd.DataFrame(index=DAYS).to_parquet("returns.parquet")
        message = fails("report", "--returns", "returns.parquet", "--factor-returns", "factors.csv")
        assert "returns.parquet" in message

    def test_parquet_without_pyarrow(self, fails, files, monkeypatch):
        def refuse(file, **options):
            raise ImportError

        Path("returns.parquet").write_bytes(b"PAR1")
        monkeypatch.setattr(pd, "read_parquet", refuse)
        message = fails("report", "--returns", "returns.parquet", "--factor-returns", "factors.csv")
        assert "returns.parquet: Parquet needs pyarrow, which is not installed" in message
        assert "pip install '.[cache]'" in message

    def test_no_risk_free(self, fails, files, frames):
        frames[1].drop(columns="RF").to_csv("factors.csv")
        message = fails("report", *files)
        assert "expected a column RF with the risk-free rate in factors.csv" in message
        assert "--risk-free" in message

    def test_two_risk_free(self, fails, files):
        assert "got the column RF of factors.csv and --risk-free" in fails("report", "--risk-free", "0", *files)

    def test_only_risk_free(self, fails, files, frames):
        frames[1][["RF"]].to_csv("factors.csv")
        assert "expected a factor beside RF in factors.csv" in fails("report", *files)

    def test_sample_beside_files(self, fails, files):
        assert "expected --sample or --returns, got both" in fails("report", "--sample", "day", *files)

    def test_percent(self, fails, files, frames):
        (100 * frames[0]).to_csv("returns.csv")
        message = fails("report", *files)
        assert "(returns.csv and factors.csv)" in message
        assert "--unit and --factor-unit: decimal, percent or price" in message

    def test_prices_as_returns(self, fails, files, frames):
        prices_of(frames[0]).to_csv("returns.csv")
        assert "--unit and --factor-unit: decimal, percent or price" in fails("report", *files)

    def test_returns_as_prices(self, fails, files):
        message = fails("report", *files, "--unit", "price")
        assert "returns.csv, line 2, column 'FUND': " in message

    def test_a_rate_among_prices(self, fails, files):
        message = fails("report", *files, "--factor-unit", "price")
        assert "factors.csv, line 2, column " in message
        Path("factors.csv").write_text("date,SPY,RF\n" + "".join(f"{d.date()},{100 + d.day},1\n" for d in DAYS))
        message = fails("report", *files, "--factor-unit", "price")
        assert "expected prices in factors.csv, got the column RF, which is a rate" in message

    def test_two_rates(self, fails, files, frames):
        frames[1].assign(rf=0.0).to_csv("factors.csv")
        assert "one risk-free rate in factors.csv, got the columns RF, rf" in fails("report", *files)

    def test_columns_that_are_not_there(self, fails, files):
        message = fails("report", *files, "--columns", "day,permno,ret")
        assert "returns.csv" in message
        assert "'day'" in message
        assert "--columns" in message

    def test_labels_that_print_the_same(self, fails, files, frames):
        pytest.importorskip("pyarrow")
        long = frames[0].set_axis([10107, 10107.5], axis=1).reset_index().melt("date")
        long["variable"] = long["variable"].map({10107: "10107", 10107.5: " 10107"})
        long.to_parquet("returns.parquet")
        message = fails("report", *files[2:], "--returns", "returns.parquet", "--columns", "date,variable,value")
        assert "the columns of returns.parquet" in message
        assert "10107" in message

    def test_wrong_horizon(self, fails, files):
        message = fails("report", "--data-horizon", "month", *files)
        assert "said with --data-horizon" in message
        assert "returns.csv" in message

    @pytest.mark.parametrize(
        ("names", "said"),
        [
            (["Mkt"], "unknown factor: Mkt. nearest to 'Mkt': Mkt-RF"),
            (["Mkt-RF", "FUND"], "unknown factor: FUND, which is an asset; write assets before --funded"),
        ],
    )
    def test_unknown_funded(self, fails, files, names, said):
        assert said in fails("report", *files, "--funded", *names)

    def test_unknown_asset(self, fails, files):
        assert "nearest to 'FUN': FUND" in fails("report", "FUN", *files)


class TestDecimalsGivenAsPercent:
    """They cannot be told from those of bills for certain, so the report says it, and where; --strict refuses."""

    def notes(self, run, *files):
        status, out, _ = run("report", "--json", *files)
        assert status == 0
        return [n for n in json.loads(out)["notes"] if "is read in percent" in n]

    def test_it_is_said_and_strict_refuses_it(self, run, fails, files):
        both = (*files, "--unit", "percent", "--factor-unit", "percent")
        of_assets, of_factors = self.notes(run, *both)
        assert of_assets.startswith("returns.csv")
        assert of_factors.startswith("factors.csv")
        assert "--unit decimal" in of_assets
        assert len(self.notes(run, *files, "--unit", "percent")) == 1
        assert "--allow doubtful-unit" in fails("report", "--strict", *both)
        status, _, err = run("report", "--strict", "--json", *both, "--allow", "doubtful-unit")
        assert status == 0
        assert err.count("riskmodel: warning (doubtful-unit): ") == 2

    def test_it_is_not_said_of_what_is_right(self, run, files, frames):
        (100 * frames[0]).to_csv("percent.csv")
        (100 * frames[1]).to_csv("factors_percent.csv")
        assert self.notes(run, *files) == []
        right = ("--returns", "percent.csv", "--unit", "percent")
        right += ("--factor-returns", "factors_percent.csv", "--factor-unit", "percent")
        assert self.notes(run, *right) == []
        (frames[0] / 1000).to_csv("bills.csv")
        assert self.notes(run, "--returns", "bills.csv", *files[2:]) == [], "decimals are what they are"


class TestOutput:
    @pytest.mark.parametrize("link", ["itself", "another way", "symlink", "hard link"])
    @pytest.mark.parametrize("which", ["returns.csv", "factors.csv"])
    def test_a_page_over_its_own_input_is_refused(self, fails, files, tmp_path, link, which):
        before = {name: Path(name).read_bytes() for name in ("returns.csv", "factors.csv")}
        page = {"itself": which, "another way": str(tmp_path / "." / which)}.get(link, "page.html")
        if link == "symlink":
            Path(page).symlink_to(which)
        elif link == "hard link":
            os.link(which, page)
        message = fails("report", *files, "--output", page)
        assert f"got {which}, which --" in message
        assert {name: Path(name).read_bytes() for name in before} == before

    def test_the_default_page_over_its_own_input_is_refused(self, fails, files):
        os.rename("returns.csv", "report.html")
        assert "got report.html, which --returns reads" in fails("report", "--returns", "report.html", *files[2:])
        assert Path("report.html").read_bytes().startswith(b"date,")

    def test_an_older_page_is_replaced(self, run, files):
        Path("page.html").write_text("old")
        assert run("report", *files, "--output", "page.html")[0] == 0
        assert Path("page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")

    def test_names_that_are_empty(self, fails, files):
        assert "expected --output to name a file such as report.html" in fails("report", *files, "--output", "")
        assert "expected --output or --no-html, got both" in fails("report", "--no-html", "--output", "")
        assert "expected --factors with at least one factor" in fails("report", *files, "--factors", ",")
        assert not Path("report.html").exists()

    @pytest.mark.skipif(sys.platform != "linux", reason="only there are names of files bytes")
    def test_a_file_whose_name_is_no_text(self, run, files):
        name = os.fsdecode(b"caf\xe9.csv")
        os.rename("returns.csv", name)
        status, out, _ = run("report", "--returns", name, *files[2:])
        assert status == 0
        assert "caf\ufffd.csv and factors.csv" in out
        assert "caf\ufffd.csv" in Path("report.html").read_text(encoding="utf-8")


# -- how it ends -----------------------------------------------------------------------------------


class TestFrench:
    @pytest.fixture
    def folder(self, tmp_path):
        days = pd.bdate_range("1963-06-03", periods=60)
        text = factor_file(numbers(days, ["Mkt-RF", "SMB", "HML", "RF"]))
        (tmp_path / "french").mkdir()
        (tmp_path / "french" / "F-F_Research_Data_Factors_daily.csv").write_text(text)
        returns = pd.DataFrame({"A": np.random.default_rng(0).normal(0, 0.01, 60)}, days)
        returns.to_csv("a.csv")
        return returns

    def test_factors_and_rate_are_those_of_the_library(self, run, folder):
        status, out, _ = run("report", "A=1", "--returns", "a.csv", "--french", "french", "--json")
        assert status == 0
        library = rm.FamaFrench(folder="french")
        mine = rm.InMemory(folder, factors=None, risk_free=0.0, horizon=rm.DAY)
        panel = rm.Joined(assets=mine, factors=library).panel(["A"], ["Mkt-RF", "SMB", "HML"])
        loadings = rm.OLS().fit(panel).loadings.loc["A"]
        found = {e["parameter"]: e["estimate"] for e in json.loads(out)["estimates"] if e["kind"] == "asset"}
        assert found == pytest.approx({"alpha": found["alpha"]} | loadings.to_dict(), rel=1e-12)

    @pytest.mark.parametrize("option", [["--risk-free", "0"], ["--factor-returns", "f.csv"], ["--funded", "SMB"]])
    def test_it_takes_the_place_of_a_file_of_factors(self, fails, folder, option):
        assert f"got --french and {option[0]}" in fails("report", "--returns", "a.csv", "--french", "french", *option)

    def test_an_asset_that_the_option_took(self, fails, folder):
        assert "got 'A'; write assets before --french" in fails("report", "--returns", "a.csv", "--french", "A")

    def test_a_folder_without_files_of_the_library(self, fails, folder, tmp_path):
        (tmp_path / "empty").mkdir()
        fails("report", "A", "--returns", "a.csv", "--french", "empty")

    def test_a_factor_whose_file_the_folder_lacks(self, fails, folder):
        said = fails("report", "A", "--returns", "a.csv", "--french", "french", "--factors", "Mkt-RF", "RMW", "CMA")
        assert "with RMW, CMA in french" in said
        assert "F-F_Research_Data_5_Factors_2x3_daily_CSV.zip" in said
        assert "unknown factor: NONE" in fails("report", "A", "--returns", "a.csv", "--french", "french", "--factors",
                                               "NONE")  # fmt: skip

    def test_without_a_file_of_assets(self, fails):
        assert "--returns" in fails("report", "--french")


class TestEndings:
    def test_interrupted(self, monkeypatch):
        def interrupt(argv):
            raise KeyboardInterrupt

        monkeypatch.setattr(cli, "_run", interrupt)
        assert cli.main(["report"]) == 130

    def test_broken_pipe(self, monkeypatch):
        def broken(argv):
            raise BrokenPipeError

        monkeypatch.setattr(cli, "_run", broken)
        monkeypatch.setattr(sys, "stdout", io.StringIO())
        assert cli.main(["report"]) == 141

    def test_reader_goes_away(self, tmp_path):
        """As in ``riskmodel report | head``: quiet, and the page is written all the same."""
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "riskmodel", "report", "KO"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
        )  # fmt: skip
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        assert process.wait() == 141
        assert err == b""
        assert (tmp_path / "report.html").exists()

    @pytest.mark.skipif(os.name != "posix", reason="of a POSIX shell")
    @pytest.mark.parametrize("command", ["data french", "report KO --no-html", "report KO --json", "report --help"])
    def test_closed_stdout(self, command):
        shell = f'"{sys.executable}" -m riskmodel {command} >&-'
        done = subprocess.run(["sh", "-c", shell], stderr=subprocess.PIPE, check=False)
        assert done.returncode == 0
        assert b"Traceback" not in done.stderr

    @pytest.mark.skipif(os.name != "posix", reason="of a POSIX shell")
    def test_closed_stderr(self):
        shell = f'"{sys.executable}" -m riskmodel report NOPE 2>&-'
        done = subprocess.run(["sh", "-c", shell], stdout=subprocess.PIPE, check=False)
        assert (done.returncode, done.stdout) == (2, b"")

    @pytest.mark.skipif(sys.platform != "linux", reason="only there are arguments bytes")
    def test_an_asset_that_is_no_text(self):
        done = subprocess.run([sys.executable, "-m", "riskmodel", "report", b"\xff"], capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.startswith(b"riskmodel: unknown asset: ")
        assert done.stderr.count(b"\n") == 1

    def test_as_a_module(self, tmp_path):
        done = subprocess.run(
            [sys.executable, "-m", "riskmodel", "report", "NOPE"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("riskmodel: unknown asset: NOPE")

    def test_command_is_installed(self):
        from importlib.metadata import entry_points

        (script,) = entry_points(group="console_scripts", name="riskmodel")
        assert script.load() is cli.main


class TestData:
    def test_french_lists_what_there_is(self, capsys):
        assert cli.main(["data", "french"]) == 0
        printed = capsys.readouterr().out
        assert "49_Industry_Portfolios" in printed
        assert "F-F_Momentum_Factor" in printed
        lines = printed.splitlines()
        (at,) = [i for i, line in enumerate(lines) if line.startswith("F-F_Research_Data_Factors ")]
        assert lines[at].split()[1:] == ["day", "week", "month"]
        assert lines[at + 1].strip() == "Three factors and the bill rate: Mkt-RF, SMB, HML, RF"
        assert max(map(len, lines)) < 80
        assert all(any(line.startswith(f"{name} ") for line in lines) for name in rm.FamaFrench.catalogue().index)

    def test_on_a_terminal_without_some_signs(self):
        done = subprocess.run(
            [sys.executable, "-m", "riskmodel", "data", "french"],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "cp1251"},
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"2 ? 3 by size" in done.stdout

    @pytest.mark.parametrize("arguments", [["data"], ["data", "bloomberg"], ["data", "french", "more"]])
    def test_other_sources_are_refused(self, capsys, arguments):
        assert cli.main(arguments) == 2
        assert "riskmodel" in capsys.readouterr().err


def test_the_demo_of_the_makefile_is_a_command_that_works(tmp_path, monkeypatch, capsys):
    makefile = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
    (demo,) = [line for line in makefile.splitlines() if line.startswith("\t@$(BIN)/riskmodel ")]
    monkeypatch.chdir(tmp_path)
    assert cli.main(demo.split()[1:]) == 0
    assert "wrote report.html" in capsys.readouterr().out
    assert (tmp_path / "report.html").exists()


def test_a_bad_print_is_told_and_strict_refuses_it(run, fails, frames):
    frames[0].iloc[30:32, 0] = 99.0, -0.99
    frames[0].to_csv("returns.csv")
    frames[1].to_csv("factors.csv")
    arguments = ["report", "--json", "--returns", "returns.csv", "--factor-returns", "factors.csv"]
    status, out, err = run(*arguments)
    assert status == 0
    assert json.loads(out)["source"]
    assert err.startswith("riskmodel: warning (suspect-return): asset returns: 2 look like errors")
    assert DAYS[30].date().isoformat() in err
    assert DAYS[30].date().isoformat() in fails(*arguments, "--strict")
    assert "--allow suspect-return" in fails(*arguments, "--strict")
    assert run(*arguments, "--strict", "--allow", "suspect-return", "chosen-column")[0] == 0
    assert DAYS[30].date().isoformat() in fails(*arguments, "--strict", "--allow", "chosen-column")
    assert "suspect-return" in fails(*arguments, "--strict", "--allow", "anything")


def test_an_asset_with_few_returns_beside_others_has_a_note(run, frames):
    frames[0].iloc[5:, 0] = np.nan
    frames[0].to_csv("returns.csv")
    frames[1].to_csv("factors.csv")
    status, out, _ = run("report", "--json", "--returns", "returns.csv", "--factor-returns", "factors.csv")
    assert status == 0
    (note,) = [n for n in json.loads(out)["notes"] if n.startswith("Estimated from few returns")]
    assert "FUND (5)" in note
    assert "OTHER" not in note


def _on(days, frames):
    return tuple(frame.iloc[: len(days)].set_axis(days).rename_axis("date") for frame in frames)


WARNED = {
    "left-out": lambda assets, factors: (assets + 0.01, factors[np.arange(60) % 4 > 0]),
    "seven-day-week": lambda *frames: _on(pd.date_range("2020-01-01", periods=60), frames),
    "high-rate": lambda assets, factors: (assets, factors.assign(RF=0.0004)),
    "doubtful-dates": lambda *frames: _on(DAYS[:5].tz_localize("Europe/Berlin").tz_convert("UTC"), frames),
    "doubtful-unit": lambda assets, factors: (assets, factors.assign(X=100.0 * (-1.0) ** np.arange(60))),
}


@pytest.mark.parametrize("name", WARNED)
def test_warnings_advise_options(run, frames, name):
    assets, factors = WARNED[name](*frames)
    assets.to_csv("returns.csv")
    factors.to_csv("factors.csv")
    _, _, err = run("report", "--json", "--returns", "returns.csv", "--factor-returns", "factors.csv")
    told = [line for line in err.splitlines() if f"warning ({name})" in line]
    assert told, err
    for line in told:
        assert "rm." not in line
        assert "--" in line
