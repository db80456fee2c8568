"""Files as vendors write them, read rightly or refused with a remedy."""

import bz2
import contextlib
import gzip
import io
import lzma
import tempfile
import warnings
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from files import refused
from hypothesis import given
from hypothesis import strategies as st

import riskmodel as rm
from riskmodel.data.files import content as file_content
from riskmodel.panel.layout import Either

DAYS = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])


@contextmanager
def told(kind=None, *words):
    """Check that there is one warning, with these words, from this file; or none."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    assert [type(w.message) for w in caught] == ([] if kind is None else [kind])
    for warning in caught:
        assert warning.filename == __file__
        assert all(word in str(warning.message) for word in words)


def returns(frame):
    """The numbers by asset."""
    return {asset: np.round(column.tolist(), 12).tolist() for asset, column in frame.items()}


YFINANCE = {
    "one ticker": (
        "Price,Adj Close,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,,\n"
        "2024-01-02,100,1,1,1,1,0\n2024-01-03,110,1,1,1,1,9\n2024-01-04,99,1,1,1,1,9\n",
        "'Adj Close'",
        {"AAPL": [0.1, -0.1]},
    ),
    "several tickers": (
        "Price,Close,Close,High,High\nTicker,AAPL,MSFT,AAPL,MSFT\nDate,,,,\n"
        "2024-01-02,100,50,1,1\n2024-01-03,110,50,1,1\n2024-01-04,99,55,1,1\n",
        "'Close'",
        {"AAPL": [0.1, -0.1], "MSFT": [0.0, 0.1]},
    ),
    "by ticker": (
        "Ticker,AAPL,AAPL,MSFT,MSFT\nPrice,Open,Close,Open,Close\nDate,,,,\n"
        "2024-01-02,1,100,1,50\n2024-01-03,1,110,1,50\n2024-01-04,1,99,1,55\n",
        "'Close'",
        {"AAPL": [0.1, -0.1], "MSFT": [0.0, 0.1]},
    ),
    "levels without names": (
        ",Adj Close,Adj Close,Close,Close\n,AAPL,MSFT,AAPL,MSFT\nDate,,,,\n"
        "2024-01-02,100,50,1,1\n2024-01-03,110,50,1,1\n2024-01-04,99,55,1,1\n",
        "'Adj Close'",
        {"AAPL": [0.1, -0.1], "MSFT": [0.0, 0.1]},
    ),
    "an index without a name": (
        ",Adj Close,Adj Close,Close,Close\n,AAPL,MSFT,AAPL,MSFT\n"
        "2024-01-02,100,50,1,1\n2024-01-03,110,50,1,1\n2024-01-04,99,55,1,1\n",
        "'Adj Close'",
        {"AAPL": [0.1, -0.1], "MSFT": [0.0, 0.1]},
    ),
    "tuples": (
        "Date,\"('Close', 'AAPL')\",\"('Open', 'AAPL')\",\"('Volume', 'AAPL')\"\n"
        "2024-01-02,100,1,1\n2024-01-03,110,1,1\n2024-01-04,99,1,1\n",
        "'Close'",
        {"AAPL": [0.1, -0.1]},
    ),
    "quantmod": (
        '"","AAPL.Open","AAPL.High","AAPL.Low","AAPL.Close","AAPL.Volume","AAPL.Adjusted"\n'
        '"2024-01-02",1,1,1,1,1,100\n"2024-01-03",1,1,1,1,1,110\n"2024-01-04",1,1,1,1,1,99\n',
        "'Adjusted'",
        {"AAPL": [0.1, -0.1]},
    ),
}
BARS = {
    "Yahoo": ("Date,Open,High,Low,Close,Adj Close,Volume", "'Adj Close'", "{d},1,1,1,1,{p},0"),
    "Stooq": ("Date,Open,High,Low,Close,Volume", "'Close'", "{d},1,1,1,{p},0"),
    "Stooq in bulk": (
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        "'<CLOSE>'",
        "AAPL,D,{d},000000,1,1,1,{p},0,0",
    ),
    "Alpha Vantage": (
        "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
        "'adjusted_close'",
        "{d},1,1,1,1,{p},0,0,1",
    ),
    "Tiingo": (
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor",
        "'adjClose'",
        "{d}T00:00:00.000Z,1,1,1,1,1,{p},1,1,1,1,0,1",
    ),
    "Quandl": (
        "Date,Open,High,Low,Close,Volume,Ex-Dividend,Split Ratio,Adj. Open,Adj. High,Adj. Low,Adj. Close,Adj. Volume",
        "'Adj. Close'",
        "{d},1,1,1,1,1,0,1,1,1,1,{p},1",
    ),
    "investing.com": (
        '"Date","Price","Open","High","Low","Vol.","Change %"',
        "'Price'",
        '"{d}","{p}","1","1","1","1.2M","0.5%"',
    ),
    "Nasdaq": ("Date,Close/Last,Volume,Open,High,Low", "'Close/Last'", "{d},${p},49897100,$320.93,$322.68,$308.29"),
    "two of them": ("date,Close,Volume", "'Close'", "{d},{p},0"),
    "two closes": ("date,Close,Adj Close", "'Adj Close'", "{d},1,{p}"),
    "three of them": ("date,LOW,HIGH,CLOSE", "'CLOSE'", "{d},1,1,{p}"),
    "with row numbers": (",Date,Open,High,Low,Close", "'Close'", "0,{d},1,1,1,{p}"),
}


def bars(kind):
    header, column, row = BARS[kind]
    rows = [row.format(d=d.date(), p=p) for d, p in zip(DAYS, (100, 110, 99), strict=True)]
    return "\n".join([header, *rows, ""]), column


class TestBars:
    """Open, high, low, close and volume are one asset."""

    @pytest.mark.parametrize("kind", BARS)
    def test_the_close_of_one_asset_which_the_file_names(self, file, kind):
        text, column = bars(kind)
        with told(rm.ChosenColumnWarning, f"{column} is read"):
            read = rm.read_prices(file(text))
        assert returns(read) == {"AAPL": [0.1, -0.1]}

    @pytest.mark.parametrize("kind", BARS)
    def test_they_are_no_returns(self, file, kind):
        for reader in (rm.read_returns, rm.read_percent_returns):
            with refused(rm.LayoutError) as caught:
                reader(file(bars(kind)[0]))
            assert "rm.read_prices" in str(caught.value)

    @pytest.mark.parametrize(("text", "column", "expected"), YFINANCE.values(), ids=YFINANCE)
    def test_fields_and_tickers(self, file, text, column, expected):
        with told(rm.ChosenColumnWarning, f"{column} is read"):
            read = rm.read_prices(file(text, "prices.csv"))
        assert returns(read) == expected
        with refused(rm.LayoutError):
            rm.read_returns(file(text))

    def test_a_field_and_a_ticker_are_chosen(self, file):
        text = YFINANCE["levels without names"][0]
        with told():
            read = rm.read_prices(file(text), rm.Wide(columns=["Close", "MSFT"]))
        assert returns(read) == {"MSFT": [0.0, 0.0]}
        with refused(rm.LayoutError, column="TSLA"):
            rm.read_prices(file(text), rm.Wide(columns=["Close", "TSLA"]))

    def test_parquet_with_fields_and_tickers(self, file):
        columns = pd.MultiIndex.from_product([["Adj Close", "Close"], ["A", "B"]], names=["Price", "Ticker"])
        frame = pd.DataFrame([[100.0, 50, 1, 1], [110, 50, 1, 1], [99, 55, 1, 1]], DAYS, columns)
        with told(rm.ChosenColumnWarning, "'Adj Close' is read"):
            read = rm.read_prices(file(frame, "f.parquet"))
        assert returns(read) == {"A": [0.1, -0.1], "B": [0.0, 0.1]}

    def test_several_assets_with_a_column_of_tickers(self, file):
        text = "date,symbol,open,close,low,high,volume\n" + "".join(
            f"2024-01-0{d},{s},1,{p},1,1,5\n" for s, d, p in [("A", 2, 1), ("A", 3, 2), ("B", 2, 4), ("B", 3, 5)]
        )
        for layout in (rm.Wide(), rm.Long(asset="symbol"), Either(("symbol",))):
            with told(rm.ChosenColumnWarning, "'close' is read"):
                read = rm.read_prices(file(text), layout)
            assert returns(read) == {"A": [1.0], "B": [0.25]}

    def test_a_chosen_column(self, file):
        with told():
            read = rm.read_prices(file(bars("Yahoo")[0]), rm.Wide(columns=["Adj Close"]))
        assert returns(read) == {"Adj Close": [0.1, -0.1]}

    @pytest.mark.parametrize("ticker", ["LOW", "OPEN", "CLOSE"])
    def test_a_ticker_is_no_field(self, file, ticker):
        with told():
            read = rm.read_returns(file(f"date,{ticker},HIG\n2024-01-02,0.1,0.2\n"))
        assert list(read) == [ticker, "HIG"]


class TestFields:
    """Names of two parts that have no close, or are no names."""

    text = "Price,Open,High\nTicker,A,A\nDate,,\n2024-01-02,100,1\n2024-01-03,110,1\n"

    def test_without_a_close_one_is_chosen(self, file):
        with refused(rm.LayoutError, columns=["Open", "High"]):
            rm.read_prices(file(self.text))
        assert returns(rm.read_prices(file(self.text), rm.Wide(columns=["Open"]))) == {"A": [0.1]}
        with refused(rm.InvalidParameterError, columns=["Open", "High"]):
            rm.read_prices(file(self.text), rm.Wide(columns=["Open", "High"]))

    def test_prices_without_a_date_are_no_tickers(self, file):
        with refused(rm.LayoutError, line=2, column="Date"):
            rm.read_prices(file("Date,Open,High,Close\n,1,2,3\n2024-01-03,1,2,3\n"))

    def test_other_levels_are_refused(self, file):
        columns = pd.MultiIndex.from_product([["x", "y"], ["A", "B"]])
        with refused(rm.LayoutError, levels=2):
            rm.read_prices(file(pd.DataFrame(np.ones((3, 4)), DAYS, columns), "f.parquet"))

    @pytest.mark.parametrize("name", ["(broken", "('Close', 'A', 'B')", "('x', 'y')"])
    def test_text_in_parentheses_is_a_label(self, file, name):
        assert list(rm.read_returns(file(f'date,"{name}"\n2024-01-02,0.1\n'))) == [name]

    def test_parquet_is_no_file_of_the_french_library(self, file):
        with refused(rm.LayoutError, columns=["index 0", "A"]):
            rm.read_percent_returns(file(pd.DataFrame({"A": [0.1]}, DAYS[:1]), "f.parquet"), rm.French())


class TestCrsp:
    """Exports of CRSP from WRDS."""

    def text(self, *rows, header="PERMNO,date,TICKER,RET,DLRET"):
        return "\n".join([header, *rows, ""])

    @pytest.mark.parametrize("layout", [rm.Crsp(), rm.Long("date", "PERMNO", "RET"), Either(("permno",))])
    @pytest.mark.parametrize("code", ["B", "C", "b", "-66.0", "-99", ""])
    def test_codes_are_missing(self, file, layout, code):
        text = self.text(f"10001,2024-01-02,X,{code},", "10001,2024-01-03,X,0.1,")
        with told():
            read = rm.read_returns(file(text), layout)
        np.testing.assert_equal(read["10001"].tolist(), [np.nan, 0.1])

    def test_other_letters_are_not(self, file):
        with refused(rm.LayoutError, line=2, column="RET", got="Q"):
            rm.read_returns(file(self.text("10001,2024-01-02,X,Q,")), rm.Crsp())

    def test_a_footer(self, file):
        text = self.text("10001,2024-01-02,X,0.1,") + "Downloaded from WRDS, on a day\n\nThe end\n"
        with told(rm.RowsLeftOutWarning, "line 3", "2 line(s)"):
            read = rm.read_returns(file(text), rm.Crsp())
        assert returns(read) == {"10001": [0.1]}

    def test_a_line_that_is_cut_off_is_no_footer(self, file):
        with refused(rm.LayoutError, line=3, got=2):
            rm.read_returns(file(self.text("10001,2024-01-02,X,0.1,") + "10001,2024-01"), rm.Crsp())

    def test_equal_rows_of_several_distributions(self, file):
        text = self.text("10001,2024-01-02,X,0.1,", "10001.0,20240103.0,X,0.2,", "10001,20240103.0,X,0.2,")
        with told(rm.RowsLeftOutWarning, "1 row(s)", "10001"):
            read = rm.read_returns(file(text), rm.Crsp())
        assert returns(read) == {"10001": [0.1, 0.2]}

    def test_unequal_rows_are_refused(self, file):
        with refused(rm.DuplicateDatesError, asset="10001", line=3):
            rm.read_returns(file(self.text("10001,2024-01-02,X,0.1,", "10001,2024-01-02,X,0.2,")), rm.Crsp())

    @pytest.mark.parametrize(("ret", "expected"), [("0.1", 1.1 * 0.7 - 1), ("", -0.3), ("C", -0.3)])
    def test_a_delisting_return_is_compounded(self, file, ret, expected):
        text = self.text("10001,2024-01-02,X,0.1,S", f"10001,2024-01-03,X,{ret},-0.3")
        with told(rm.ChosenColumnWarning, "1 return(s)", "DLRET"):
            read = rm.read_returns(file(text), rm.Crsp())
        np.testing.assert_allclose(read["10001"], [0.1, expected], rtol=1e-15)

    def test_the_current_format_has_it_already(self, file):
        text = self.text("10001,2024-01-02,0.1,-0.3", header="PERMNO,DlyCalDt,DlyRet,DlRet")
        with told():
            assert returns(rm.read_returns(file(text), rm.Crsp())) == {"10001": [0.1]}

    def test_without_dividends(self, file):
        text = self.text("10001,2024-01-02,0.1,0.05", header="permno,date,ret,retx")
        assert returns(rm.read_returns(file(text), rm.Crsp("RETX"))) == {"10001": [0.05]}

    def test_prices_are_midpoints_where_they_are_negative(self, file):
        rows = ["10001,2024-01-02,-50,1", "10001,2024-01-03,60,1", "10001,2024-01-04,30,0.5", "10001,2024-01-05,0,1"]
        with told(rm.ChosenColumnWarning, "CFACPR"):
            read = rm.read_prices(file(self.text(*rows, header="PERMNO,date,PRC,CFACPR")), rm.Crsp())
        np.testing.assert_allclose(read["10001"], [0.2, 0.0, np.nan], rtol=1e-15)

    def test_a_price_without_its_factor(self, file):
        with refused(rm.LayoutError, columns=["PERMNO", "date", "PRC"]):
            rm.read_prices(file(self.text("10001,2024-01-02,5", header="PERMNO,date,PRC")), rm.Crsp())

    def test_it_is_not_wide(self, file):
        with refused(rm.LayoutError) as caught:
            rm.read_returns(file(self.text("10001,2024-01-02,X,0.1,")))
        assert "rm.Crsp()" in str(caught.value)

    def test_parquet(self, file):
        frame = pd.DataFrame(
            {
                "permno": [10001.0, 10001.0, 10001.0],
                "date": [20240102.0, 20240103.0, 20240103.0],
                "RET": ["C", "0.1", "0.1"],
            }
        )
        with told(rm.RowsLeftOutWarning, "1 row(s)"):
            read = rm.read_returns(file(frame, "f.parquet"), rm.Crsp())
        assert read.columns.tolist() == [10001]
        np.testing.assert_equal(read[10001].tolist(), [np.nan, 0.1])

    def test_numbers_that_are_stored(self, file):
        frame = pd.DataFrame({"permno": [10001, 10002], "date": [20240102] * 2, "RET": [0.1, -99.0]})
        read = rm.read_returns(file(frame, "f.parquet"), rm.Crsp())
        np.testing.assert_equal(read.to_numpy().tolist(), [[0.1, np.nan]])

    def test_a_permno_that_is_missing(self, file):
        frame = pd.DataFrame({"permno": [10001, None], "date": [20240102] * 2, "RET": [0.1, 0.2]})
        with refused(rm.LayoutError, row=2, column="permno"):
            rm.read_returns(file(frame, "f.parquet"), rm.Crsp())

    def test_two_spellings_of_one_label(self, file):
        text = "date,asset,x\n2024-01-02,10001,0.1\n2024-01-03,10001.0,0.1\n"
        with refused(rm.DuplicateLabelsError, labels=["10001"]):
            rm.read_returns(file(text), rm.Long())


class TestMissingCodes:
    """Codes for missing numbers are named to the reader."""

    @pytest.mark.parametrize("text", ["-99.0", "-99", "n/m", "N/M", " -99.00 ", "-9.9e1"])
    def test_numbers_and_text(self, file, text):
        for reader, scale in [(rm.read_returns, 1.0), (rm.read_percent_returns, 100.0)]:
            with told():
                read = reader(file(f"date,A,B\n2024-01-02,{text},0.5\n2024-01-03,0.5,0.5\n"), missing=(-99.0, "n/m"))
            np.testing.assert_equal(read["A"].tolist(), [np.nan, 0.5 / scale])

    def test_a_code_as_text_is_a_number(self, file):
        read = rm.read_returns(file("date,A\n2024-01-02,-99.0\n"), missing=["-99"])
        assert read["A"].isna().all()

    def test_in_single_precision(self, file):
        for dtype in ("float32", "Float32", "float64"):
            frame = pd.DataFrame({"A": pd.array([-99.99, 0.5], dtype=dtype)}, DAYS[:2])
            np.testing.assert_equal(
                rm.read_returns(file(frame, "f.parquet"), missing=[-99.99])["A"].tolist(), [np.nan, 0.5]
            )

    def test_text_that_is_stored(self, file):
        frame = pd.DataFrame({"A": ["n/m", "N/M "], "B": [None, "n/m"]}, DAYS[:2])
        assert rm.read_returns(file(frame, "f.parquet"), missing=["n/m"]).isna().all(axis=None)
        with refused(rm.LayoutError, row=1, column="A", got="n/m"):
            rm.read_returns(file(frame, "f.parquet"))

    def test_prices(self, file):
        read = rm.read_prices(file("date,A\n2024-01-02,1\n2024-01-03,-99\n2024-01-04,2\n"), missing=[-99])
        assert read["A"].isna().all()

    @pytest.mark.parametrize(("price", "remedy"), [("-99", "missing=(-99,)"), ("0", "missing=(0,)")])
    def test_a_well_known_code_among_prices_names_the_remedy(self, file, price, remedy):
        with refused(rm.ImpossibleReturnsError, line=3, column="A", got=float(price)) as caught:
            rm.read_prices(file(f"date,A\n2024-01-02,1\n2024-01-03,{price}\n"))
        assert remedy in str(caught.value)
        assert f"--missing {price}" in str(caught.value)

    def test_a_negative_price_is_not_made_positive(self, file):
        with refused(rm.ImpossibleReturnsError, got=-37.63) as caught:
            rm.read_prices(file("date,A\n2020-04-17,18.27\n2020-04-20,-37.63\n"))
        assert "absolute" not in str(caught.value)

    @pytest.mark.parametrize("codes", ["NA", -99.0, [None], [float("nan")], [True], [b"NA"], None])
    def test_what_is_no_code(self, file, codes):
        with refused(rm.InvalidParameterError):
            rm.read_returns(file("date,A\n2024-01-02,1\n"), missing=codes)


class TestProse:
    """Prose above a table, and the codes that it declares."""

    table = "date,A,B\n2024-01-02,-99.9,0.5\n2024-01-03,0.5,-8\n"

    @pytest.mark.parametrize(
        ("prose", "codes"),
        [
            ("A title\n", ()),
            ("A title, with a comma\nSource: us, 2024\n\n", ()),
            ("Missing data are indicated by -99.9 or -8.\n", (-99.9, -8.0)),
            ("Daily returns.\nMissing values are coded as -8\n", (-8.0,)),
            ("Missing observations marked with -8.00; see page 5 of 7\n", (-8.0,)),
        ],
    )
    def test_above(self, file, prose, codes):
        with told(rm.RowsLeftOutWarning, *(f"{code:g}" for code in codes)):
            read = rm.read_returns(file(prose + self.table))
        expected = pd.DataFrame({"A": [-99.9, 0.5], "B": [0.5, -8.0]}, DAYS[:2]).replace(dict.fromkeys(codes, np.nan))
        np.testing.assert_equal(read.to_numpy(), expected.to_numpy())

    def test_above_dates_with_the_day_first(self, file):
        with told(rm.RowsLeftOutWarning):
            read = rm.read_returns(file("A title\nDatum;A\n31.01.2024;0,5\n"), rm.Wide(dates="%d.%m.%Y"))
        assert returns(read) == {"A": [0.5]}

    def test_a_broken_header_is_no_prose(self, file):
        for header in ("date,A", "date,A,B,C"):
            with refused(rm.LayoutError):
                rm.read_returns(file(self.table.replace("date,A,B", header)))

    def test_numbers_are_no_names(self, file):
        with refused(rm.LayoutError, line=2):
            rm.read_returns(file("date,A,B\nx,0.1\n2024-01-02,0.2\n"))


class TestTimeZones:
    """Days stamped in UTC are a day early."""

    def rows(self, stamps):
        return "date,A\n" + "".join(f"{t},0.0{i % 9}1\n" for i, t in enumerate(stamps))

    @pytest.fixture
    def days(self):
        return pd.bdate_range("2024-02-01", "2024-05-31")

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo", "Australia/Sydney", "Asia/Kolkata"])
    @pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M"])
    def test_midnights_in_utc(self, file, days, zone, form):
        stamps = days.tz_localize(zone).tz_convert("UTC").strftime(form)
        path = file(self.rows(stamps))
        with refused(rm.InvalidDatesError, path=str(path), column="date") as caught:
            rm.read_returns(path)
        assert "--time-zone" in str(caught.value)
        assert rm.read_returns(path, time_zone=zone).index.tolist() == days.tolist()
        # the zone that the error names has the same midnights
        assert rm.read_returns(path, time_zone=caught.value.details["time_zone"]).index.tolist() == days.tolist()

    def test_parquet(self, file, days):
        utc = days.tz_localize("Europe/Berlin").tz_convert("UTC")
        for stamps in (utc, utc.tz_localize(None)):
            path = file(pd.DataFrame({"A": np.arange(len(days)) / 1e4}, stamps), "f.parquet")
            with refused(rm.InvalidDatesError, path=str(path)):
                rm.read_returns(path)
            assert rm.read_returns(path, time_zone="Europe/Berlin").index.tolist() == days.tolist()

    def test_closes_of_the_market_stay(self, file, days):
        stamps = (days + pd.Timedelta(hours=21)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for zone in (None, "America/New_York"):
            assert rm.read_returns(file(self.rows(stamps)), time_zone=zone).index.tolist() == days.tolist()

    def test_a_market_that_is_open_on_sundays(self, file):
        days = pd.DatetimeIndex(
            [d for d in pd.date_range("2024-01-01", periods=60) if d.day_of_week in {6, 0, 1, 2, 3}]
        )
        path = file(self.rows((days + pd.Timedelta(hours=15)).strftime("%Y-%m-%d %H:%M")))
        with refused(rm.InvalidDatesError):
            rm.read_returns(path)
        assert rm.read_returns(path, time_zone="Asia/Riyadh").index.tolist() == days.tolist()

    @pytest.mark.parametrize("form", ["%Y-%m-%dT00:00:00Z", "%Y-%m-%d 00:00:00+01:00"])
    def test_days_that_are_written_as_midnights_stay(self, file, days, form):
        path = file(self.rows(days.strftime(form)))
        assert rm.read_returns(path).index.tolist() == days.tolist()
        with refused(rm.InvalidDatesError, line=2, time_zone="America/New_York"):
            rm.read_returns(path, time_zone="America/New_York")
        assert rm.read_returns(path, time_zone="Asia/Tokyo").index.tolist() == days.tolist()

    def test_stored_days_that_are_midnights_stay(self, file, days):
        path = file(pd.DataFrame({"A": np.arange(len(days)) / 1e4}, days.tz_localize("UTC")), "f.parquet")
        assert rm.read_returns(path).index.tolist() == days.tolist()
        with refused(rm.InvalidDatesError, row=1, time_zone="America/New_York"):
            rm.read_returns(path, time_zone="America/New_York")

    def test_dates_without_a_time_have_no_zone(self, file, days):
        path = file(self.rows(days.strftime("%Y-%m-%d")))
        assert rm.read_returns(path, time_zone="Asia/Tokyo").index.tolist() == days.tolist()

    @pytest.mark.parametrize(
        ("stamp", "day"),
        [
            ("2024-01-02 23:30 Europe/London", "2024-01-03"),
            ("2024-01-02T23:30:00+00:00[Europe/London]", "2024-01-03"),
            ("2024-01-02 23:30 CET", "2024-01-02"),
            ("2024-01-02 11:30 PM UTC-05:00", "2024-01-03"),
            ("2024-01-02 12:30 AM", "2024-01-02"),
        ],
    )
    def test_times_are_brought_to_the_zone(self, file, stamp, day):
        read = rm.read_returns(file(f"date,A\n{stamp},0.1\n"), time_zone="Europe/Berlin")
        assert read.index.tolist() == [pd.Timestamp(day)]

    @pytest.mark.parametrize("stamp", ["2024-01-02 13:30 PM", "2024-01-02 0:30 AM", "1500-01-02"])
    def test_what_is_no_time(self, file, stamp):
        with refused(rm.LayoutError, line=2, got=stamp):
            rm.read_returns(file(f"date,A\n{stamp},0.1\n"))

    def test_a_zone_that_many_places_share(self, file):
        with refused(rm.LayoutError, line=2, got="CST"):
            rm.read_returns(file("date,A\n2024-01-02 16:00 CST,0.1\n"), time_zone="Asia/Tokyo")

    @pytest.mark.parametrize("zone", ["Europe/Berln", "", 3, "../etc"])
    def test_what_is_no_zone(self, file, zone):
        with refused(rm.InvalidParameterError, time_zone=zone):
            rm.read_returns(file("date,A\n2024-01-02,0.1\n"), time_zone=zone)


class TestBarsOfHours:
    """Rows of hours and minutes keep their times."""

    stamps = pd.to_datetime(["2024-01-02 10:00", "2024-01-02 11:00", "2024-01-03 10:00"])

    def test_wide_and_long(self, file):
        wide = "time,A,B\n" + "".join(f"{t},0.1,0.2\n" for t in self.stamps)
        long = "date,asset,r\n" + "".join(f"{t.isoformat()},{a},0.1\n" for t in self.stamps for a in "AB")
        for read in (rm.read_returns(file(wide)), rm.read_returns(file(long), rm.Long())):
            assert read.index.tolist() == self.stamps.tolist()
            assert list(read) == ["A", "B"]

    def test_parquet_and_a_zone(self, file):
        utc = self.stamps.tz_localize("America/New_York").tz_convert("UTC")
        read = rm.read_returns(file(pd.DataFrame({"A": 0.1}, utc), "f.parquet"), time_zone="America/New_York")
        assert read.index.tolist() == self.stamps.tolist()

    def test_a_time_twice(self, file):
        with refused(rm.DuplicateDatesError, line=4, date=self.stamps[0]):
            rm.read_returns(file("time,A\n2024-01-02 10:00,1\n2024-01-02 11:00,1\n2024-01-02 10:00,1\n"))

    def test_they_are_bars_in_memory(self, file):
        times = pd.DatetimeIndex(
            [d + pd.Timedelta(hours=h) for d in pd.bdate_range("2024-01-01", periods=20) for h in (10, 11, 12)]
        )
        path = file("time,A,F\n" + "".join(f"{t},{'-'[: i % 2]}0.0{i % 7}1,0.0{i % 5}2\n" for i, t in enumerate(times)))
        read = rm.read_returns(path)
        data = rm.InMemory(read[["A"]], factors=read["F"], risk_free=0.0, horizon=rm.Horizon.of("1h", per_day=3))
        assert data.panel(["A"], ["F"]).dates.tolist() == times.tolist()


class TestDates:
    """Dates."""

    @pytest.mark.parametrize(
        ("texts", "expected"),
        [
            (("31DEC2019", "31JAN2020"), ("2019-12-31", "2020-01-31")),
            (("2019Q4", "2020Q1"), ("2019-10-01", "2020-01-01")),
            (("Q4 2019", "Q1 2020"), ("2019-10-01", "2020-01-01")),
            (("2019-Q4", "2020-Q1"), ("2019-10-01", "2020-01-01")),
            (("2019M12", "2020M01"), ("2019-12-01", "2020-01-01")),
            (("201912", "202001"), ("2019-12-01", "2020-01-01")),
            (("201912.0", "202001.0"), ("2019-12-01", "2020-01-01")),
            (("Dec 2019", "Jan-2020"), ("2019-12-01", "2020-01-01")),
            (("2020-W05", "2020-W06"), ("2020-02-02", "2020-02-09")),
            (("2020-W05-5", "2020-W06-5"), ("2020-01-31", "2020-02-07")),
            (("2019-Dec-31", "2020-Jan-31"), ("2019-12-31", "2020-01-31")),
            (('"Dec 31, 2019"', '"January 31, 2020"'), ("2019-12-31", "2020-01-31")),
            (("2019.12.31", "2020.01.31 00:00"), ("2019-12-31", "2020-01-31")),
        ],
    )
    def test_forms_that_mean_one_day(self, file, texts, expected):
        read = rm.read_returns(file(f"date,A\n{texts[0]},0.1\n{texts[1]},0.2\n"))
        assert read.index.tolist() == pd.to_datetime(list(expected)).tolist()

    @pytest.mark.parametrize(
        ("texts", "formats"),
        [
            (("02/03/2020", "03/03/2020"), ["%d/%m/%Y", "%m/%d/%Y"]),
            (("02/03/2020", "13/03/2020"), ["%d/%m/%Y"]),
            (("01/31/2020", "02/03/2020"), ["%m/%d/%Y"]),
            (("31.01.2020", "03.02.2020"), ["%d.%m.%Y"]),
            (("1/31/20", "2/3/20"), ["%m/%d/%y"]),
            (("31-Jan-20", "03-Feb-20"), ["%d-%b-%y"]),
        ],
    )
    def test_an_order_is_never_guessed(self, file, texts, formats):
        path = file(f"date,A\n{texts[0]},0.1\n{texts[1]},0.2\n")
        with refused(rm.LayoutError, line=2, column="date", formats=formats):
            rm.read_returns(path)
        for form in formats:
            read = rm.read_returns(path, rm.Wide(dates=form))
            assert read.index.tolist() == sorted(pd.to_datetime(list(texts), format=form))
            long = file(f"date,asset,r\n{texts[0]},A,0.1\n{texts[1]},A,0.2\n", "long.csv")
            assert rm.read_returns(long, rm.Long(dates=form)).index.tolist() == read.index.tolist()

    @pytest.mark.parametrize(
        ("text", "form", "day"),
        [
            ("31/01/2024 16:00", "%d/%m/%Y %H:%M", "2024-01-31"), ("01.2024", "%m.%Y", "2024-01-01"),
            ("'24", "'%y", "2024-01-01"), ("31/01/2024 23:30 +0000", "%d/%m/%Y %H:%M %z", "2024-01-31"),
        ],
    )  # fmt: skip
    def test_formats_of_other_spans(self, file, text, form, day):
        read = rm.read_returns(file(f"date,A\n{text},0.1\n"), rm.Wide(dates=form))
        assert read.index.tolist() == [pd.Timestamp(day)]

    def test_a_year_out_of_reach(self, file):
        with refused(rm.LayoutError, got="31/01/1492"):
            rm.read_returns(file("date,A\n31/01/1492,0.1\n"), rm.Wide(dates="%d/%m/%Y"))

    @pytest.mark.parametrize("date", [(), ("a",), ("a", "b", "c", "d"), ["year", "month"]])
    def test_what_is_no_column_of_dates(self, date):
        with refused(rm.InvalidParameterError, name="date", got=date):
            rm.Wide(date)

    def test_a_format_that_does_not_fit(self, file):
        with refused(rm.LayoutError, line=3, column="date", got="13/03/2020"):
            rm.read_returns(file("date,A\n12/03/2020,0.1\n13/03/2020,0.2\n"), rm.Wide(dates="%m/%d/%Y"))

    @pytest.mark.parametrize("form", ["%d/%m", "", "day", "%Q", 3, "%Y%"])
    def test_what_is_no_format(self, form):
        with refused(rm.InvalidParameterError, name="dates", got=form):
            rm.Wide(dates=form)

    @pytest.mark.parametrize(
        ("header", "layout"),
        [
            ("year,month", rm.Wide()), ("YYYY,MM", rm.Wide()), ("y,m", rm.Wide(date=("y", "m"))),
            ("Year,Month", Either(())),
        ],
    )  # fmt: skip
    def test_year_and_month(self, file, header, layout):
        read = rm.read_returns(file(f"{header},A\n2019,12,0.1\n2020,1,0.2\n"), layout)
        assert read.index.tolist() == pd.to_datetime(["2019-12-01", "2020-01-01"]).tolist()
        assert returns(read) == {"A": [0.1, 0.2]}

    def test_year_month_and_day(self, file):
        read = rm.read_returns(file("Year,Month,Day,A\n2019,12,31,0.1\n2020,1,2,0.2\n"))
        assert read.index.tolist() == pd.to_datetime(["2019-12-31", "2020-01-02"]).tolist()

    def test_year_and_month_of_long_and_stored_files(self, file):
        text = "year,month,asset,r\n2019,12,A,0.1\n2020,1,A,0.2\n"
        for layout in (rm.Long(), rm.Long(date=("year", "month"))):
            assert returns(rm.read_returns(file(text), layout)) == {"A": [0.1, 0.2]}
        frame = pd.DataFrame({"year": [2019.0, 2020.0], "month": [12, 1], "A": [0.1, 0.2]})
        read = rm.read_returns(file(frame, "f.parquet"))
        assert read.index.tolist() == pd.to_datetime(["2019-12-01", "2020-01-01"]).tolist()

    def test_a_month_that_is_none(self, file):
        with refused(rm.LayoutError, line=2, column="year, month", got="2019-13"):
            rm.read_returns(file("year,month,A\n2019,13,0.1\n"))


class TestColumns:
    """Columns are chosen."""

    text = "date,name,Volume,Close\n2024-01-02,x,0,1\n2024-01-03,y,0,2\n"

    def test_others_do_not_matter(self, file):
        read = rm.read_prices(file(self.text), rm.Wide(columns=["Close"]))
        assert returns(read) == {"Close": [1.0]}

    def test_they_keep_their_order(self, file):
        read = rm.read_returns(file("date,A,B,C\n2024-01-02,1,2,3\n"), rm.Wide(columns=["C", "A"]))
        assert read.columns.tolist() == ["C", "A"]

    def test_in_parquet(self, file):
        frame = pd.DataFrame({"name": ["x", "y"], "A": [0.1, 0.2]}, DAYS[:2])
        assert returns(rm.read_returns(file(frame, "f.parquet"), rm.Wide(columns=["A"]))) == {"A": [0.1, 0.2]}

    @pytest.mark.parametrize(("columns", "kind"), [
        ("A", rm.InvalidParameterError), (["A", "A"], rm.DuplicateLabelsError),
    ])  # fmt: skip
    def test_what_is_no_choice(self, columns, kind):
        with refused(kind):
            rm.Wide(columns=columns)

    def test_a_column_that_is_not_there_or_twice(self, file):
        with refused(rm.LayoutError, column="Q"):
            rm.read_returns(file(self.text), rm.Wide(columns=["Q"]))
        with refused(rm.InvalidParameterError):
            rm.read_returns(file(self.text), rm.Wide("date", columns=["date"]))

    @pytest.mark.parametrize("label", ["NA", "RF", "nan", "None", "inf", "TRUE"])
    def test_a_ticker_that_looks_like_something_else(self, file, label):
        assert list(rm.read_returns(file(f"date,{label}\n2024-01-02,0.1\n"))) == [label]
        assert list(rm.read_returns(file(f"date,asset,r\n2024-01-02,{label},0.1\n"), rm.Long())) == [label]


class TestNumbers:
    """Decimals, thousands, percent signs."""

    @pytest.mark.parametrize(
        ("cells", "expected"),
        [
            (("1 234,5", "2469"), 1.0),
            (("1\u00a0234,5", "2\u202f469"), 1.0),
            (("1'234.5", "2'469"), 1.0),
            (("1.234,5", "2.469"), 1.0),
            (("$1234.5", "$ 2469.0"), 1.0),
            (("1.234.567", "2469134"), 1.0),
        ],
    )
    def test_prices_with_thousands(self, file, cells, expected):
        read = rm.read_prices(file(f"date;A\n2024-01-02;{cells[0]}\n2024-01-03;{cells[1]}\n"))
        assert returns(read) == {"A": [expected]}

    def test_thousands_in_quotes(self, file):
        read = rm.read_prices(file('date,A\n2024-01-02,"1,234.5"\n2024-01-03,"2,469"\n'))
        assert returns(read) == {"A": [1.0]}

    @pytest.mark.parametrize(
        "cells",
        [("1,234", "1,250"), ("1.234", "1.250"), ("1.234", "0,25"), ("1.5", "1,5"), ("1,234", "1.5"), ("1,234", "12")],
    )
    def test_two_meanings_are_refused(self, file, cells):
        with refused(rm.LayoutError, column="A"):
            rm.read_prices(file(f"date;A\n2024-01-02;{cells[0]}\n2024-01-03;{cells[1]}\n"))

    def test_a_point_between_commas_is_a_decimal_point(self, file):
        assert returns(rm.read_prices(file("date,A\n2024-01-02,1.250\n2024-01-03,2.500\n"))) == {"A": [1.0]}

    @pytest.mark.parametrize(("cell", "expected"), [("1.5%", 0.015), ("-2 %", -0.02), ("1.5", 0.015)])
    def test_percent_signs(self, file, cell, expected):
        assert returns(rm.read_percent_returns(file(f"date,A\n2024-01-02,{cell}\n"))) == {"A": [expected]}

    def test_percent_signs_with_commas(self, file):
        read = rm.read_percent_returns(file("date;A\n2024-01-02;1,5%\n2024-01-03;-0,25 %\n"))
        assert returns(read) == {"A": [0.015, -0.0025]}

    def test_a_percent_sign_is_no_decimal(self, file):
        for reader in (rm.read_returns, rm.read_prices):
            with refused(rm.LayoutError, line=2, column="A", got="1.5%"):
                reader(file("date,A\n2024-01-02,1.5%\n2024-01-03,1%\n"))

    def test_thousands_are_no_returns(self, file):
        with refused(rm.LayoutError, got="1,234.5"):
            rm.read_returns(file('date,A\n2024-01-02,"1,234.5"\n'))

    def test_fred(self, file):
        read = rm.read_percent_returns(file("observation_date,DGS10\n2024-01-01,.\n2024-01-02,3.95\n"))
        np.testing.assert_equal(read["DGS10"].tolist(), [np.nan, 0.0395])

    def test_bloomberg(self, file):
        text = "Dates;AAPL US Equity\n30.01.2020;309,50\n31.01.2020;1.238,00\n"
        read = rm.read_prices(file(text), rm.Wide(dates="%d.%m.%Y"))
        assert returns(read) == {"AAPL US Equity": [3.0]}


def _zip(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def _zstd(data):
    return pytest.importorskip("pyarrow").compress(data, codec="zstd", asbytes=True)


PACKED = {
    "gzip": gzip.compress,
    "gzip in two parts": lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": _zstd,
    "zip": lambda data: _zip(**{"a/x.csv": data}),
    "zip of macOS": lambda data: _zip(**{"x.csv": data, "__MACOSX/._x.csv": b"?", "a/": b""}),
}


class TestPacked:
    """Compressed files, and a bound on what they unpack to."""

    text = b"date,A\n2024-01-02,0.1\n"

    @pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
    def test_they_are_read(self, file, pack):
        assert returns(rm.read_returns(file(pack(self.text)))) == {"A": [0.1]}

    @pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
    def test_they_are_bounded(self, file, monkeypatch, pack):
        monkeypatch.setattr(file_content, "MOST_BYTES", 100)
        rm.read_returns(file(pack(self.text)))
        with refused(rm.SourceError, most=100):
            rm.read_returns(file(pack(self.text + b" " * 100)))

    @pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zip", "zstd"])
    def test_they_are_whole(self, file, name):
        packed = PACKED[name](self.text * 50)
        for damaged in (packed[: len(packed) // 2], packed[:20] + b"?" * 9 + packed[29:]):
            with refused(rm.LayoutError):
                rm.read_returns(file(damaged))

    def test_a_zip_has_one_file(self, file):
        with refused(rm.LayoutError, members=["x", "y"]):
            rm.read_returns(file(_zip(x="", y="")))
        with refused(rm.LayoutError, members=[]):
            rm.read_returns(file(_zip()))
        with refused(rm.LayoutError, members=["[Content_Types].xml"]):
            rm.read_returns(file(_zip(**{"[Content_Types].xml": ""})))


class TestAddresses:
    """Addresses."""

    def test_of_this_machine(self, file):
        path = file("date,A\n2024-01-02,0.1\n", "a file.csv")
        for address in (path.as_uri(), path.as_uri().replace("file:///", "file://localhost/")):
            assert returns(rm.read_returns(address)) == {"A": [0.1]}

    @pytest.mark.parametrize(
        "address", ["https://example.invalid/a.csv", "HTTP://x", "s3://bucket/a.csv", "file://host/a.csv", "ftp://[x"]
    )
    def test_of_others(self, address):
        for reader in (rm.read_returns, rm.read_percent_returns, rm.read_prices):
            with refused(rm.InvalidParameterError, path=address):
                reader(address)


FRENCH = (
    "This file was created by CMPT_ME_BEME_RETS using the 202407 CRSP database.\n"
    "Missing data are indicated by -99.99 or -999.\n\n\n"
    "  Average Value Weighted Returns -- Monthly\n,SMALL LoBM,BIG HiBM\n192607,  1.0,-99.99\n192608,  0.5,-999\n\n"
    "  Average Equal Weighted Returns -- Monthly\n,SMALL LoBM,BIG HiBM\n192607,  2.0,  1.0\n192608,  0.5,  3\n\n"
    "  Average Value Weighted Returns -- Annual\n,SMALL LoBM,BIG HiBM\n1927,  9.0,  1.0\n\n"
    "  Number of Firms in Portfolios\n,SMALL LoBM,BIG HiBM\n192607,  20,  10\n"
)
FRENCH_DAILY = (
    "This file was created using the 202412 CRSP database.\nThe Tbill return is the simple daily rate.\n\n"
    ",Mkt-RF,SMB,HML,RF\n20240102,  -0.70,  -1.15,   0.95,   0.022\n20240103,  -1.01,  -1.83,   0.01,   0.022\n\n"
    "Copyright 2024 Eugene F. Fama and Kenneth R. French\n"
)


class TestFrench:
    """The French library's own files."""

    @pytest.mark.parametrize(
        "pack",
        [
            str.encode,
            lambda t: _zip(**{"F.CSV": t}),
            lambda t: t.replace("\n", "\r\n").encode(),
            lambda t: t.replace("rate.", "rate\u2019s.").encode("cp1252"),
        ],
    )
    def test_one_table(self, file, pack):
        for layout in (rm.Wide(), Either(("factor",)), rm.French()):
            read = rm.read_percent_returns(file(pack(FRENCH_DAILY)), layout)
            assert returns(read) == {
                "Mkt-RF": [-0.007, -0.0101], "SMB": [-0.0115, -0.0183], "HML": [0.0095, 0.0001], "RF": [0.00022] * 2
            }  # fmt: skip
            assert read.index.tolist() == DAYS[:2].tolist()

    @pytest.mark.parametrize(("caption", "expected"), [("value weighted", [0.01, 0.005]), ("Equal", [0.02, 0.005])])
    def test_several_tables(self, file, caption, expected):
        read = rm.read_percent_returns(file(FRENCH), rm.French(rm.MONTH, caption))
        assert read["SMALL LoBM"].tolist() == expected
        assert read.index.tolist() == pd.to_datetime(["1926-07-31", "1926-08-31"]).tolist()

    def test_codes_that_the_file_declares_are_missing(self, file):
        assert rm.read_percent_returns(file(FRENCH), rm.French(rm.MONTH, "value"))["BIG HiBM"].isna().all()

    def test_codes_that_the_caller_names_are_missing(self, file):
        read = rm.read_percent_returns(file(FRENCH), rm.French(rm.YEAR), missing=[9])
        np.testing.assert_equal(read.iloc[0].tolist(), [np.nan, 0.01])

    def test_a_choice_is_asked_for(self, file):
        weighted = ["Average Value Weighted Returns -- Monthly", "Average Equal Weighted Returns -- Monthly"]
        for layout in (rm.French(rm.MONTH), Either((), horizon=rm.MONTH)):
            with refused(rm.LayoutError, tables=[(6, caption) for caption in weighted]):
                rm.read_percent_returns(file(FRENCH), layout)
        with refused(rm.LayoutError) as caught:
            rm.read_percent_returns(file(FRENCH))
        assert len(caught.value.details["tables"]) == 3
        assert "rm.French(" in str(caught.value)
        with refused(rm.LayoutError):
            rm.read_percent_returns(file(FRENCH), rm.French(rm.DAY))

    def test_columns(self, file):
        for layout in (rm.Wide(columns=["HML"]), rm.French(columns=["HML"])):
            assert list(rm.read_percent_returns(file(FRENCH_DAILY), layout)) == ["HML"]
        with refused(rm.LayoutError, column="UMD"):
            rm.read_percent_returns(file(FRENCH_DAILY), rm.Wide(columns=["UMD"]))

    def test_it_is_in_percent(self, file):
        for reader in (rm.read_returns, rm.read_prices):
            with refused(rm.LayoutError) as caught:
                reader(file(FRENCH_DAILY))
            assert "rm.read_percent_returns" in str(caught.value)

    def test_another_file_is_not(self, file):
        with refused(rm.LayoutError):
            rm.read_percent_returns(file("date,A\n2024-01-02,0.1\n"), rm.French())

    def test_a_table_without_prose_is_of_the_usual_kind(self, file):
        read = rm.read_returns(file(",A,B\n20240102,0.1,0.2\n20240103,0.1,0.2\n"))
        assert list(read) == ["A", "B"]

    @pytest.mark.parametrize("given", [{"horizon": "month"}, {"caption": 3}, {"columns": "A"}])
    def test_what_is_no_choice(self, given):
        with refused(rm.InvalidParameterError):
            rm.French(**given)


CELLS = st.sampled_from([
    "", "1", "-0.1", "1,5", "1.234", "1,234", "1.5%", "-99", "B", "inf", "9" * 400, "1e999", "\u0663", "$5", '"', "-",
    "n/m", "10001.0", "True", "2024-01-05", "2024-01-02 23:00Z", "2024-01-02 16:00 x/y", "31FEB2020", "00000000", "\0",
])  # fmt: skip
NAMES = st.sampled_from(
    [
        "A",
        "B",
        "Close",
        "Open",
        "High",
        "Volume",
        "month",
        "PERMNO",
        "RET",
        "DLRET",
        "asset",
        "AAPL.Close",
        "('Close', 'A')",
        "",
    ]
)
LAYOUTS = st.sampled_from([
    rm.Wide(), rm.Wide(columns=["A"]), rm.Wide("Date"), rm.Wide(("year", "month")), rm.Wide(dates="%d/%m/%Y"),
    rm.Long(), rm.Long("Date", "A", "B"), rm.Crsp(), rm.French(), rm.Long("Date", "PERMNO", "RET"), Either(("asset",)),
])  # fmt: skip


@given(st.data())
def test_hostile_files_give_errors_of_ours(data):
    width = data.draw(st.integers(0, 3))
    header = [data.draw(st.sampled_from(["date", "Date", "", "year"])), *(data.draw(NAMES) for _ in range(width))]
    dates = st.sampled_from(["2024-01-02", "2024-01-03", "20240104", "2020Q1", "03/04/2024", "x", ""])
    rows = [[data.draw(dates), *(data.draw(CELLS) for _ in range(width))] for _ in range(data.draw(st.integers(0, 4)))]
    text = "\n".join(data.draw(st.sampled_from([",", ";", "\t"])).join(row) for row in [header, *rows])
    layout, zone = data.draw(LAYOUTS), data.draw(st.sampled_from([None, "Europe/Berlin"]))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", rm.RiskModelWarning)
        path = Path(folder) / "f.csv"
        path.write_text(text, encoding="utf-8")
        for reader in (rm.read_returns, rm.read_percent_returns, rm.read_prices):
            with contextlib.suppress(rm.RiskModelError):
                read = reader(path, layout, missing=[-99, "n/m"], time_zone=zone)
                assert np.isfinite(read.fillna(0.0).to_numpy()).all()
                assert read.index.is_monotonic_increasing
                assert read.index.is_unique
