"""``--positions``: a file of what is held, in place of assets and weights."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.cli.main import main


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def command(text, *args, name="report"):
        (tmp_path / "book.csv").write_text(text)
        status = main([name, "--positions", "book.csv", *args])
        out, err = capsys.readouterr()
        return status, out, err

    return command


def expected(book, budget):
    panel = rm.SampleData().panel(["MSFT", "XOM"], ["Mkt-RF"])
    position = book.position(rm.OLS().fit(panel), rm.MONTH)
    return budget.utilisation(position).iloc[0], position.portfolio.decompose().factor_share


def test_dollars_are_held(run):
    status, out, _ = run("asset,dollars\nMSFT,6000000\nXOM,-2000000\nJPM,0\n", "--json", "--budget", "1m")
    book = rm.Book({"MSFT": 6e6, "XOM": -2e6})
    used, _ = expected(book, rm.RiskBudget(1e6, rm.MONTH))
    assert status == 0
    assert {row["asset"]: row["weight"] for row in json.loads(out)["assets"]} == pytest.approx(
        {"MSFT": 0.75, "XOM": -0.25}
    )
    assert f"{used:.1%} of volatility per month" in out
    assert "gross 8,000,000" in out
    assert "What is held exceeds" not in out
    assert "portfolio is 8,000,000 dollars" in out
    limits = json.loads(out)["limits"]
    assert limits[0]["used"] == pytest.approx(used * 1e6, rel=1e-9)


def test_a_breach_is_said(run):
    status, out, _ = run("ticker,shares,price\nMSFT,60000,100\n", "--no-html", "--budget", "100k")
    assert status == 0
    assert out.startswith("WARNING: What is held exceeds 1 of 1 limits: volatility per month")


def test_weights_with_and_without_a_nav(run):
    text = "asset,weight\nMSFT,1.2\nXOM,-0.4\n"
    _, out, _ = run(text, "--json")
    assert {row["asset"]: row["weight"] for row in json.loads(out)["assets"]} == {"MSFT": 1.2, "XOM": -0.4}
    assert "Held" not in out
    _, out, _ = run(text, "--json", "--nav", "10m")
    assert "gross 16,000,000, 1.60 times the NAV" in out


def test_the_latest_positions_of_several_dates(run):
    text = "date,asset,dollars\n2017-12-29,MSFT,5\n2018-06-29,XOM,7\n"
    _, out, _ = run(text, "--json")
    assert "Held on 2018-06-29" in out
    _, out, _ = run(text, "--json", "--end", "2018-03-01")
    assert "Held on 2017-12-29" in out


@pytest.mark.parametrize("rolling", [False, True])
def test_positions_of_several_dates_are_attributed_each_in_its_time(run, rolling):
    text = "date,asset,dollars\n2017-12-29,MSFT,5\n2018-06-29,XOM,7\n2018-06-29,MSFT,-7\n"
    options = ["--start", "2017", "--json", *(["--rolling", "month"] if rolling else [])]
    status, out, _ = run(text, *options, name="attribute")
    panel = rm.SampleData().panel(["MSFT", "XOM"], ["Mkt-RF"], start="2017")
    weights = pd.DataFrame({"MSFT": [1.0, -0.5], "XOM": [0.0, 0.5]}, pd.to_datetime(["2017-12-29", "2018-06-29"]))
    own = (rm.Rolling(rm.MONTH).fit(panel), None) if rolling else (rm.OLS().fit(panel), panel)
    parts = rm.ReturnAttribution.of_weights(weights, *own).to_frame()["return"]
    got = {part: row["return"] for part, row in json.loads(out)["parts"].items()}
    assert status == 0
    assert got == pytest.approx(parts.to_dict(), rel=1e-9)


def test_only_an_attribution_needs_returns_of_what_is_no_longer_held(run):
    text = "date,asset,dollars\n2017-12-29,GONE,5\n2018-06-29,XOM,7\n"
    assert run(text, "--json", name="hedge")[0] == 0
    status, _, err = run(text, "--json", name="attribute")
    assert status != 0
    assert "GONE (5)" in err


def test_other_commands_read_positions_too(run):
    status, out, _ = run("asset,dollars\nMSFT,3\nXOM,-1\n", "--json", name="hedge")
    assert status == 0
    assert json.loads(out)["portfolio_dollars"] == 4.0
    _, out, err = run("asset,dollars\nMSFT,3e6\nXOM,-1e6\n", name="hedge")
    model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "XOM"], ["Mkt-RF"]))
    beta = rm.Book({"MSFT": 3e6, "XOM": -1e6}).position(model, rm.MONTH).portfolio.exposures["Mkt-RF"]
    assert f"{-4e6 * beta:,.0f}" in out
    assert "portfolio is 4,000,000 dollars" in err


PROXIED = "asset,dollars,group\nMSFT,6e6,tech\nAAPL,2e6,tech\nXOM,-3e6,oil\nNEWCO,2e6,tech\n"


def test_peers_stand_in(run, tmp_path):
    (tmp_path / "peers.csv").write_text("asset,peer\nNEWCO,JPM\nNEWCO,MSFT\n")
    status, out, _ = run(PROXIED, "--json", "--proxies", "peers.csv", name="report")
    assert status == 0
    model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "AAPL", "XOM", "JPM"], ["Mkt-RF"]))
    book = rm.Book({"MSFT": 6e6, "AAPL": 2e6, "XOM": -3e6, "NEWCO": 2e6})
    strategy = book.cover(model, rm.PeerProxies({"NEWCO": ["JPM", "MSFT"]})).strategy
    assert json.loads(out)["exposures"][0]["unhedged"] == pytest.approx(strategy.exposures["Mkt-RF"])
    assert "NEWCO (2,000,000) by JPM, MSFT" in out
    assert "15.4% of gross" in out


@pytest.mark.parametrize(
    ("name", "more"),
    [("report", ["--no-html"]), ("attribute", []), ("tails", []), ("scenario", []), ("what-if", ["--best", "2"])],
)
def test_the_group_stands_in_for_all_commands(run, name, more):
    status, out, err = run(PROXIED, "--proxies", "group", "--start", "2014", *more, name=name)
    assert status == 0
    if name != "report":
        told = json.loads(run(PROXIED, "--proxies", "group", "--start", "2014", *more, "--json", name=name)[1])
        assert any("NEWCO (2,000,000) by MSFT, AAPL" in note for note in told["notes"])
    # a report wraps its notes
    assert "NEWCO (2,000,000) by MSFT, AAPL" in " ".join((out + err).split())


def test_groups_of_a_file_stand_in(run, tmp_path):
    (tmp_path / "groups.csv").write_text("asset,group\nJPM,banks\nMSFT,tech\nNEWCO,banks\n")
    text = "asset,dollars\nMSFT,6e6\nNEWCO,2e6\n"
    status, _, err = run(text, "--proxies", "group", "--groups", "groups.csv", name="tails")
    assert status == 0
    assert "NEWCO (2,000,000) by JPM" in err


@pytest.mark.parametrize(
    ("peers", "args", "said"),
    [
        (None, ["--proxies", "group"], "expected --proxies group with groups"),
        ("NEWCO,MSFT\n", ["--proxies", "peers.csv"], "with the columns asset and peer"),
        ("asset,peer\nNEWCO,\n", ["--proxies", "peers.csv"], "with the columns asset and peer"),
        ("asset,peer\nOTHER,MSFT\n", ["--proxies", "peers.csv"], "peers.csv has no peers of them"),
        ("asset,peer\nNEWCO,NOBODY\n", ["--proxies", "peers.csv"], "in --proxies peers.csv, got NOBODY without"),
        (None, ["--proxies", "sector"], "as the word group, or as a CSV file"),
    ],
)
def test_bad_proxies(run, tmp_path, peers, args, said):
    if peers:
        (tmp_path / "peers.csv").write_text(peers)
    status, _, err = run("asset,dollars\nMSFT,6e6\nNEWCO,2e6\n", "--no-html", *args)
    assert status == 2
    assert said in err


def test_peers_stand_in_for_names_of_earlier_dates(run, tmp_path):
    (tmp_path / "peers.csv").write_text("asset;peer\nNEWCO;MSFT\n")
    text = "date,asset,dollars\n2016-06-30,MSFT,5e6\n2016-06-30,NEWCO,5e6\n2018-06-29,MSFT,4e6\n2018-06-29,KO,6e6\n"
    status, out, _ = run(text, "--proxies", "peers.csv", "--from", "2017", "--json", name="attribute")
    assert status == 0
    assert "NEWCO" in json.loads(out)["by_asset"]
    assert any("NEWCO (on other dates) by MSFT" in note for note in json.loads(out)["notes"])


def test_proxies_need_positions(capsys):
    assert main(["report", "MSFT", "--proxies", "group", "--no-html"]) == 2
    assert "--proxies with --positions" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "args", "said"),
    [
        ("asset,dollars\nMSFT,3\nNEWCO,-1\n", [], "NEWCO (-1), 25.0% of gross"),
        ("asset,dollars\nMSFT,3\n", ["XOM"], "XOM and --positions"),
        ("asset,dollars\nMSFT,many\n", [], "line 2, column 'dollars'"),
        ("asset,weight\nMSFT,60\nXOM,40\n", [], "divide them by 100"),
        ("asset,dollars\nMSFT,0\n", [], "other than zero"),
    ],
)
def test_bad_positions(run, text, args, said):
    status, _, err = run(text, "--no-html", *args)
    assert status == 2
    assert said in err


def test_a_nav_needs_positions(capsys):
    assert main(["report", "MSFT", "--nav", "1m", "--no-html"]) == 2
    assert "--positions" in capsys.readouterr().err


def test_columns_that_are_not_read_are_said_in_options(run):
    _, _, err = run("asset,dollars,trader\nMSFT,3,Ann\n", "--json")
    assert "warning (chosen-column)" in err
    assert "rm." not in err


def test_a_factor_of_which_nobody_says_what_it_costs(run, tmp_path):
    panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"], start="2016-01-01")
    panel.excess_returns.to_csv(tmp_path / "returns.csv", index_label="date")
    panel.factor_returns.set_axis(["R_MKT"], axis=1).to_csv(tmp_path / "factors.csv", index_label="date")
    files = ["--returns", "returns.csv", "--factor-returns", "factors.csv", "--risk-free", "0", "--no-html"]
    _, out, err = run("asset,dollars\nMSFT,3\n", *files)
    assert err.count("warning (unstated-funding)") == 1
    assert "--funded" in err
    assert "rm." not in err
    assert "nobody says whether R_MKT costs cash" in " ".join(out.split())
    _, out, err = run("asset,dollars\nMSFT,3\n", *files, "--funded", "R_MKT")
    assert err == ""
    assert "R_MKT (told by the provider)" in out


def test_peers_that_are_not_used_are_said(run, tmp_path):
    (tmp_path / "peers.csv").write_text("asset,peer\nNEWCO,JPM\nKO,PEP\nMSFT,AAPL\n")
    _, out, _ = run(PROXIED, "--json", "--proxies", "peers.csv", name="tails")
    assert any("Rows of KO, MSFT are not used" in note for note in json.loads(out)["notes"])
    _, out, _ = run("asset,dollars\nMSFT,6e6\n", "--json", "--proxies", "peers.csv", name="tails")
    assert any("Rows of NEWCO, KO, MSFT are not used" in note for note in json.loads(out)["notes"])


def test_what_is_known_stays_beside_proxies(run):
    _, out, _ = run(PROXIED, "--proxies", "group", "--json", name="fit")
    table = json.loads(out)["assets"]
    assert table["MSFT"]["std_error Mkt-RF"] > 0
    assert (table["NEWCO"]["alpha"], table["NEWCO"]["std_error Mkt-RF"]) == (None, None)
    _, out, _ = run(PROXIED, "--proxies", "group", name="fit")
    assert "nan" not in out
    _, out, _ = run(PROXIED, "--proxies", "group", "--json", name="hedge")
    assert json.loads(out)["hedges"]["unhedged"]["factor_share_low"] is not None
    _, out, _ = run(PROXIED, "--proxies", "group", "--json", name="attribute")
    assert json.loads(out)["parts"]["alpha"]["low"] is not None


def test_a_book_has_groups_of_its_own(run):
    text = "asset,dollars,group\nMSFT,6e6,tech\nAAPL,2e6,tech\nXOM,-3e6,oil\n"
    for name, more in (("tails", []), ("scenario", []), ("attribute", ["--from", "2018"])):
        _, out, _ = run(text, "--start", "2014", "--json", *more, name=name)
        assert json.loads(out)["by_group"] is not None, name


def test_groups_without_a_header(run, tmp_path):
    (tmp_path / "groups.csv").write_text("MSFT,tech\nAAPL,tech\nXOM,oil\n")
    text = "asset,dollars\nMSFT,6e6\nAAPL,2e6\nXOM,-3e6\n"
    status, _, err = run(text, "--groups", "groups.csv", name="tails")
    assert status == 2
    assert "first line MSFT,tech" in err


def test_a_nav_of_another_unit_is_questioned(run):
    text = "asset,dollars\nMSFT,6e6\nXOM,-3e6\n"
    _, _, err = run(text, "--nav", "50", "--no-html")
    assert "warning (doubtful-unit): gross positions of 9,000,000 dollars are 180,000 times the NAV of 50" in err
    assert run(text, "--nav", "50", "--no-html", "--strict")[0] == 2
    assert "doubtful" not in run(text, "--nav", "2m", "--no-html")[2]


def test_all_holdings_are_in_a_full_report(run):
    names = rm.SampleData().assets[:20]
    text = "asset,dollars\n" + "".join(f"{name},{(-1) ** i * (20 - i)}e6\n" for i, name in enumerate(names))
    _, brief, _ = run(text, "--no-html")
    assert f"... and {len(names) - 12} smaller" in brief
    # the largest, long or short, are shown
    legs = brief.split("HOLDINGS, HEDGE AND CASH")[1].split("smaller")[0]
    assert [name for name in names if f"\n{name} " in legs] == names[:12]
    _, full, _ = run(text, "--no-html", "--full")
    assert "smaller (--json" not in full
    for title in ("HOLDINGS, HEDGE AND CASH", "BETAS OF ASSETS", "ALPHAS OF ASSETS"):
        rest = full.split(title)[1]
        assert all(f"\n{name} " in rest for name in names), title


DATED = "date,asset,dollars\n2018-06-29,MSFT,10e6\n2018-09-28,MSFT,1e6\n2018-09-28,KO,-5e5\n"


@pytest.mark.parametrize("nav", [None, "5m"])
@pytest.mark.parametrize("drifts", [False, True])
def test_dollars_of_dated_positions_are_those_held(run, nav, drifts):
    typed = [*(["--nav", nav] if nav else []), *(["--buy-and-hold"] if drifts else [])]
    out = json.loads(run(DATED, "--json", *typed, name="attribute")[1])
    panel = rm.SampleData().panel(["MSFT", "KO"], ["Mkt-RF"], start="2018-07")
    r = panel.excess_returns.add(panel.risk_free, axis=0)
    earned = 0.0
    held = [({"MSFT": 10e6}, r.loc[:"2018-09-28"]), ({"MSFT": 1e6, "KO": -5e5}, r.loc["2018-09-29":])]
    for sizes, dates in held:
        for asset, size in sizes.items():
            earned += size * (float((1.0 + dates[asset]).prod() - 1.0) if drifts else float(dates[asset].sum()))
    assert out["dollars"]["total"] == pytest.approx(earned, rel=1e-9)
    assert sum(x for part, x in out["dollars"].items() if part != "total") == pytest.approx(earned, rel=1e-9)
    text = run(DATED, *typed, name="attribute")[1]
    assert f"{earned:,.0f}" in text
    if nav and not drifts:
        # per dollar of the NAV
        by_date = 2.0 * r["MSFT"].loc[:"2018-09-28"]
        assert out["parts"]["total"]["return"] == pytest.approx(
            float((1 + by_date).prod() * (1 + (0.2 * r["MSFT"] - 0.1 * r["KO"]).loc["2018-09-29":]).prod() - 1)
        )


def test_a_misspelt_name_is_no_proxy(run, tmp_path):
    status, _, err = run("asset,dollars,group\nMSFT,6e6,tech\naapl,2e6,tech\n", "--proxies", "group", name="tails")
    assert status == 2
    assert "aapl (did you mean AAPL?)" in err


def test_proxies_are_no_instruments(run):
    for name in ("hedge", "report"):
        status, _, err = run(PROXIED, "--proxies", "group", "--instruments", "NEWCO", name=name)
        assert status == 2
        assert "--instruments with returns of their own, got NEWCO" in err


def test_a_budget_that_nobody_gave_is_said(run):
    text = "asset,dollars\nMSFT,6e6\nXOM,-3e6\n"
    assert "which is a default and no limit of yours" in " ".join(run(text, "--no-html")[1].split())
    assert "is a default" not in " ".join(run(text, "--no-html", "--budget", "1m")[1].split())


def test_what_is_held_is_not_the_nav(run):
    text = "asset,dollars\nMSFT,6e6\nXOM,-3e6\n"
    _, out, _ = run(text, "--no-html", "--nav", "5m")
    held = " ".join(next(line for line in out.splitlines() if line.startswith("Held")).split())
    assert "$9.00m in 2 names" in held
    assert "of $5.00m" in " ".join(out.split())


def test_cash_has_no_row(run):
    status, _, err = run("asset,dollars\nMSFT,6e6\nUSD,300000\n", "--no-html")
    assert status == 2
    assert "cash has no row of its own" in err
    assert "cash" not in run("asset,dollars\nMSFT,6e6\nNEWCO,300000\n", "--no-html")[2]
