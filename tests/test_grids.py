"""Files whose cells are no table of dates × assets, or that hold more than one: read rightly, or refused."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from files import refused

import riskmodel as rm
from riskmodel.cli.main import main

DAYS = ["2020-01-02", "2020-01-03", "2020-01-06"]


def returns(read):
    """Returns by asset, what is missing left out."""
    return {a: read[a].dropna().round(9).tolist() for a in read}


def quietly(reader, path, *kinds, **options):
    """Read a file, and check that it gives warnings of these kinds and no other."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read = reader(path, **options)
    assert [w.category for w in caught] == list(kinds)
    return read


BLOCKS = {
    "a line of tickers": ",AAPL US,,,MSFT US\nDate,PX_LAST,,Date,PX_LAST\n",
    "tickers over dates": "AAPL US,,,MSFT US,\nDate,PX_LAST,,Date,PX_LAST\n",
    "a caption": "Ticker,AAPL US,,Ticker,MSFT US\nDate,PX_LAST,,Date,PX_LAST\n",
    "tickers as names": "Start Date,2020-01-02,,,\nDate,AAPL US,,Date,MSFT US\n",
}


@pytest.mark.parametrize("head", BLOCKS.values(), ids=list(BLOCKS))
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_blocks_side_by_side_have_dates_of_their_own(file, head, sign):
    rows = f"{DAYS[0]},100,,{DAYS[1]},10\n{DAYS[1]},110,,{DAYS[2]},11\n{DAYS[2]},99,,,\n"
    read = quietly(rm.read_prices, file((head + rows).replace(",", sign)))
    assert read.index.tolist() == [pd.Timestamp(d) for d in DAYS[1:]]
    assert returns(read) == {"AAPL US": [0.1, -0.1], "MSFT US": [0.1]}


def test_a_cell_of_a_block_is_named_by_its_line(file):
    path = file(BLOCKS["a caption"] + f"{DAYS[0]},100,,{DAYS[0]},10\n{DAYS[1]},x1,,{DAYS[1]},11\n")
    with refused(rm.LayoutError, path=str(path), line=4, got="x1"):
        rm.read_prices(path)


@pytest.mark.parametrize("names", ["Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec,YTD", None])
def test_a_track_record_is_read_by_month(file, names):
    names = names or ",".join(f"{m:%B}" for m in pd.date_range("2020-01-31", periods=12, freq="ME"))
    extra = ",9" if names.endswith("YTD") else ""
    rows = f"2019{',' * 10},0.5%,(0.65%){extra}\n2020,1.5%,-2%{',' * 10}{extra}\n"
    read = quietly(rm.read_percent_returns, file(f"Year,{names}\n{rows}", "FUND.csv"), rm.ChosenColumnWarning)
    assert returns(read) == {"FUND": [0.005, -0.0065, 0.015, -0.02]}
    assert [f"{d:%Y-%m}" for d in read.index] == ["2019-11", "2019-12", "2020-01", "2020-02"]


def test_empty_columns_of_a_spreadsheet_are_no_assets(file):
    rows = f"date,A,,B,,\n{DAYS[0]},0.01,,0.02,,\n{DAYS[1]},0.03,,0.01,,\n"
    assert returns(quietly(rm.read_returns, file(rows))) == {"A": [0.01, 0.03], "B": [0.02, 0.01]}
    with refused(rm.LayoutError, position=3):
        rm.read_returns(file(rows.replace("0.03,,", "0.03,7,")))


@pytest.mark.parametrize(
    "last", ["Copyright MSCI 2020. All rights reserved.\n", "Total,.03,.03\n", "\nSource: X\nAverage:,1,2\n"]
)
def test_lines_below_the_table_are_left_out_and_said(file, last):
    text = f"date,A,B\n{DAYS[0]},0.01,0.02\n{DAYS[1]},0.03,0.01\n"
    read = quietly(rm.read_returns, file(text + last), rm.RowsLeftOutWarning)
    assert returns(read) == {"A": [0.01, 0.03], "B": [0.02, 0.01]}
    with pytest.raises(rm.LayoutError):  # among the rows they may hide some
        rm.read_returns(file(text + last + f"{DAYS[2]},0.01,0.02\n"))


def test_the_address_above_a_table_is_left_out_and_its_dates_are_found(file):
    text = (
        "https://www.CryptoDataDownload.com\nunix,date,symbol,open,high,low,close,Volume BTC\n"
        "1586995200000,2020-04-16 00:00:00,BTC/USDT,1,2,1,100,3\n"
        "1587081600000,2020-04-17 00:00:00,BTC/USDT,1,2,1,110,3\n"
    )
    read = quietly(rm.read_prices, file(text), rm.RowsLeftOutWarning, rm.ChosenColumnWarning)
    assert returns(read) == {"BTC/USDT": [0.1]}
    assert read.index.tolist() == [pd.Timestamp("2020-04-17")]


def test_dividends_among_prices_are_left_out_and_said(file):
    text = (
        'Date,Close,Adj Close,Volume\n"May 13, 2024",100,99,5\n"May 10, 2024",0.25 Dividend,,\n'
        '"May 10, 2024",90,90,5\n"May 9, 2024",4:1 Stock Splits,,\n"May 9, 2024",80,75,5\n'
    )
    read = quietly(rm.read_prices, file(text), rm.ChosenColumnWarning, rm.RowsLeftOutWarning)
    assert returns(read) == {"AAPL": [0.2, 0.1]}


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (("1577923200", "1578009600"), "unix-s"),
        (("1577923200000", "1578009600000"), "unix-ms"),
        (("1577923200000000", "1578009600000000"), "unix-us"),
        (("43832", "43833"), "excel"),
        (("43832.0", "43833.0"), "excel"),
    ],
)
def test_counted_dates_are_read_where_the_layout_says_so(file, texts, form, tmp_path):
    path = file(f"t,A\n{texts[0]},0.01\n{texts[1]},0.02\n")
    with refused(rm.LayoutError, formats=[form]):
        rm.read_returns(path)
    assert rm.read_returns(path, rm.Wide(dates=form)).index.tolist() == [pd.Timestamp(d) for d in DAYS[:2]]
    stored = tmp_path / "stored.parquet"
    pd.DataFrame({"t": [float(t) for t in texts], "A": [0.01, 0.02]}).to_parquet(stored)
    assert rm.read_returns(stored, rm.Wide(date="t", dates=form)).index.tolist() == [pd.Timestamp(d) for d in DAYS[:2]]
    with refused(rm.InvalidParameterError, got="unix"):
        rm.Wide(dates="unix")


def test_counted_midnights_of_berlin_are_brought_to_their_days(file):
    days = pd.bdate_range("2020-01-01", periods=60, tz="Europe/Berlin")
    path = file("t,A\n" + "".join(f"{d.timestamp():.0f},0.01\n" for d in days))
    with pytest.raises(rm.InvalidDatesError):
        rm.read_returns(path, rm.Wide(dates="unix-s"))
    read = rm.read_returns(path, rm.Wide(dates="unix-s"), time_zone="Europe/Berlin")
    assert read.index.tolist() == days.tz_localize(None).tolist()


@pytest.mark.parametrize("text", ["(0.65)", "( 0.65 )", "(0.65%)", "(.65)%"])
def test_numbers_in_parentheses_are_negative(file, text):
    read = rm.read_percent_returns(file(f"date,A\n{DAYS[0]},{text}\n{DAYS[1]},1.2\n"))
    assert returns(read) == {"A": [-0.0065, 0.012]}


def test_years_and_months_beside_dates_are_no_factors(file):
    text = (
        "date,mktrf,smb,rf,year,month,dateff\n1926-07-01,0.0296,-0.0256,0.0022,1926,7,1926-07-31\n"
        "1926-08-01,0.0264,-0.0117,0.0025,1926,8,1926-08-31\n"
    )
    read = quietly(rm.read_returns, file(text), rm.ChosenColumnWarning)
    assert list(read) == ["mktrf", "smb", "rf"]
    chosen = rm.Wide("date", columns=["mktrf"])
    assert list(quietly(rm.read_returns, file(text), layout=chosen)) == ["mktrf"]


@pytest.mark.parametrize("name", ["PX", "Price", "PX_LAST"])
def test_the_only_price_of_a_file_is_called_like_the_file(file, name):
    read = rm.read_prices(file(f"Date,{name}\n{DAYS[0]},100\n{DAYS[1]},110\n", "SPX.csv"))
    assert returns(read) == {"SPX": [0.1]}


def test_remedies_for_codes_can_be_pasted_into_a_shell(file, capsys, tmp_path, monkeypatch):
    import shlex

    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(0, 0.01, (60, 2)), pd.bdate_range("2020-01-01", periods=60), ["A", "F"])
    table[["F"]].to_csv("factors.csv")
    (tmp_path / "returns.csv").write_text(table[["A"]].to_csv().replace(str(table["A"].iloc[3]), "#VALUE!"))
    command = ["report", "--json", "--returns", "returns.csv", "--factor-returns", "factors.csv", "--risk-free", "0"]
    assert main(command) == 2
    advised = capsys.readouterr().err.split("on the command line ")[1].split(", or leave")[0]
    assert main([*command, *shlex.split(advised, comments=True)]) == 0
    assert json.loads(capsys.readouterr().out)["source"]
