"""The report on a study and ``riskmodel study``: what they show is what the study found."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.cli import main as cli
from riskmodel.report.study import figures

FEW = {"long": rm.RandomLong(2), "minimum variance": rm.MinimumVariance(), "factors": rm.FactorPortfolios()}


def sample(returns):
    return returns.cov()


def seldom(returns):
    if returns.index[-1] > pd.Timestamp("2012-01-01"):
        raise ValueError("<b>not now</b>")
    return returns.cov()


def made(methods, **settings):
    panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2005-01")
    plain = {"window": rm.Horizon(36 * 21), "horizon": rm.MONTH, "every": 5, "portfolios": FEW}
    return rm.WalkForward(methods, **(plain | settings)).run(panel)


@pytest.fixture(scope="module")
def study():
    with pytest.warns(rm.FailedForecastWarning):
        return made({"OLS <1>": rm.OLS(), "sample": sample, "seldom": seldom})


@pytest.fixture(scope="module")
def report(study):
    return rm.StudyReport.of(study, source="the sample", caveats=("a caveat",))


def test_the_text_has_the_studys_figures(study, report):
    text = report.to_text()
    row = study.summary().loc[("minimum variance", "sample")]
    line = next(x for x in text.split("PORTFOLIOS: MINIMUM VARIANCE")[1].splitlines() if x.startswith("sample"))
    shown = [row["bias"], row["mrad"], row["qlike"], 100 * row["volatility"], row["turnover"], 100 * row["breaches"]]
    digits = (3, 3, 3, 2, 2, 1)
    assert line.split()[1:7] == [f"{v:.{d}f}" for v, d in zip(shown, digits, strict=True)]
    assert "a caveat" in text
    failed = study.by_method().loc["seldom", "failures"]
    assert f"seldom has no forecast on {failed} of {len(study.dates)} dates" in " ".join(text.split())


def test_differences_are_those_of_the_comparison(study, report):
    table = next(t for t in report.document().tables if t.title == "Differences from the best")
    compared = study.comparisons()
    assert len(table.rows) == len(compared)
    assert [row[3] for row in table.rows] == [f"{d:.4f}" for d in compared["difference"]]
    inside = study.confidence_set()
    assert "MCS p" in table.columns
    assert inside.loc["sample"].notna().sum() == 2


def test_the_json_has_every_table(study, report):
    got = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert got["n_dates"] == len(study.dates)
    assert (got["window"], got["horizon"]) == (36, 1)
    assert len(got["summary"]) == len(study.summary())
    first = study.summary().iloc[0]
    assert got["summary"][0]["bias"] == pytest.approx(first["bias"])
    assert got["failures"][0]["reason"] == "ValueError: <b>not now</b>"
    assert got["universe"][0]["used"] == 4
    assert got["qlike"][0]["date"] == str(study.dates[0].date())


def test_the_page_is_whole_and_escapes_labels(report):
    page = report.to_html()
    assert "OLS &lt;1&gt;" in page
    assert "<b>not now</b>" not in page
    plain = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r'(?:src|href)="https?:', plain)
    assert page.count('class="plot"') == len(report.pictures())


def test_pictures_draw_what_was_found(study):
    lines = figures.bias_through_time(study, "long")
    expected = study.rolling_bias()["long", "sample"].dropna()
    drawn = next(mark for mark in lines.marks if mark.name == "sample")
    np.testing.assert_allclose(drawn.y, expected)
    assert lines.marks[0].low[0] == pytest.approx(1 - (2 / 12) ** 0.5)
    (dots,) = figures.loss_differences(study, "minimum variance", against="sample").marks
    row = study.comparisons(against="sample").loc[("minimum variance", "OLS <1>")]
    at = dots.labels.index("OLS <1>")
    assert (dots.x[at], dots.high[at]) == (row["difference"], row["high"])
    marks = figures.breaches(study, 0.1).marks
    shares = study.breaches(0.1).loc["minimum variance", "sample", "0"]["share"]
    assert marks[1].x[1] == pytest.approx(shares)
    for wrong in (figures.bias_through_time, figures.loss_differences):
        with pytest.raises(rm.InvalidParameterError) as caught:
            wrong(study, "nothing")
        assert caught.value.details["got"] == "nothing"


def test_a_short_study_compares_nothing():
    short = rm.StudyReport.of(made({"OLS": rm.OLS(), "sample": sample}, every=40))
    titles = [t.title for t in short.document().tables]
    assert "Differences from the best" not in titles
    assert [p.heading for p in short.pictures()] == ["Losses beyond the 5% value at risk"]
    assert "comparisons" not in short.to_dict()
    with pytest.raises(rm.InvalidParameterError):
        rm.StudyReport.of("study")


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*argv):
        status = cli.main(["study", *argv])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2020-01-01", periods=160)
    market = rng.normal(0, 0.01, 160)
    table = pd.DataFrame(market[:, None] + rng.normal(0, 0.01, (160, 6)), days, list("ABCDEF"))
    table.to_csv(tmp_path / "returns.csv", index_label="date")
    factors = pd.DataFrame({"Mkt-RF": market, "RF": 0.0}, days)
    factors.to_csv(tmp_path / "factors.csv", index_label="date")
    return ("returns.csv", "--window", "60", "--ahead", "5")


def test_a_file_without_factors(run, file, tmp_path):
    status, out, err = run(*file, "--csv", "tables", "--folder", "kept")
    assert (status, err) == (0, "")
    assert "Methods          recommended, sample, pca\n" in out
    assert out.endswith("wrote study.html\n")
    assert "Study of risk models" in (tmp_path / "study.html").read_text(encoding="utf-8")
    table = pd.read_csv(tmp_path / "tables" / "summary.csv", index_col=[0, 1])
    assert table.loc[("long", "pca"), "dates"] == 20
    assert len(list((tmp_path / "kept").iterdir())) == 20


def test_factors_portfolios_and_models_of_ones_own(run, file, tmp_path):
    (tmp_path / "models_of_mine.py").write_text("def twice(returns):\n    return 4 * returns.cov()\n")
    (tmp_path / "book.csv").write_text("asset,weight\nA,0.7\nB,0.3\n")
    (tmp_path / "sectors.csv").write_text("asset,sector\nA,x\nB,x\nC,x\nD,x\nE,y\n")
    status, out, err = run(
        *file, "--factor-returns", "factors.csv", "--models", "ols", "sample", "models_of_mine:twice", "--weights",
        "book.csv", "--groups", "sectors.csv", "--draw", "5", "--steady", "--every", "10", "--json",
    )  # fmt: skip
    assert (status, err) == (0, "")
    got = json.loads(out)
    rows = {(r["family"], r["method"]): r for r in got["summary"]}
    assert rows["own", "sample"]["bias"] == pytest.approx(2 * rows["own", "models_of_mine:twice"]["bias"])
    assert {r["used"] for r in got["universe"]} == {5}
    assert ("groups", "ols") in rows
    assert rows["equal", "ols"]["turnover"] == 0.0
    assert not (tmp_path / "study.html").exists()


@pytest.mark.parametrize(
    ("argv", "about"),
    [
        (["--models", "nothing"], "recommended, sample, pca, ols, ewma"),
        (["--models", "no_such_module:name"], "no_such_module"),
        (["--models", "ols"], "--factor-returns"),
        (["--factors", "Mkt-RF"], "--factor-returns"),
        (["--returns", "other.csv"], "--returns"),
        (["--sample", "day"], "--sample"),
        (["--output", "returns.csv"], "--output"),
        (["--models", "recommended", "--data-horizon", "month"], "month"),
        (["--window", "500"], "505 dates"),
        (["--groups", "returns.csv"], "--groups"),
        (["--share", "2"], "--share"),
    ],
)
def test_what_cannot_be_used_is_told(run, file, argv, about):
    status, out, err = run(*file, *argv, *([] if "--output" in argv else ["--no-html"]))
    assert (status, out) == (2, "")
    assert err.startswith("riskmodel: ")
    assert about in err
    assert "Traceback" not in err


def test_the_sample(run):
    status, out, _ = run("--sample", "month", "--start", "2010", "--window", "36", "--ahead", "6", "--no-html")
    assert status == 0
    assert "Methods          sample, pca, ols, ewma\n" in out
