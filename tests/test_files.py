"""Returns and prices from files, and errors that say where."""

import builtins
import gzip
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from files import refused
from terminal import Terminal

import riskmodel as rm
from riskmodel._core import progress
from riskmodel.data.files import delimited
from riskmodel.panel.layout import Either

WIDE = "date,MSFT,JPM\n2024-01-02,0.01,-0.02\n2024-01-03,,0.005\n2024-01-04,0.0,1e-3\n"
LONG = "date,asset,return\n" + "".join(
    f"2024-01-0{d},{a},{r}\n" for a, d, r in [("MSFT", 2, 0.01), ("MSFT", 4, 0.0), ("JPM", 2, -0.02), ("JPM", 3, 0.005)]
)
DAYS = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])
FRAME = pd.DataFrame({"MSFT": [0.01, np.nan, 0.0], "JPM": [-0.02, 0.005, 1e-3]}, DAYS)


def same(read, expected):
    pd.testing.assert_frame_equal(read, expected, check_index_type=False, check_column_type=False, check_freq=False)
    assert read.index.tolist() == expected.index.tolist()
    assert (read.dtypes == np.float64).all()


SPELLINGS = {
    "plain": WIDE,
    "CRLF": WIDE.replace("\n", "\r\n"),
    "lone CR": WIDE.replace("\n", "\r"),
    "byte order mark": "\ufeff" + WIDE,
    "spaces": WIDE.replace(",", " , "),
    "quotes": WIDE.replace("JPM", '"JPM"').replace("0.005", '"0.005"'),
    "empty lines": "\n" + WIDE.replace("2024-01-03", "\n  \n2024-01-03") + "\n\n",
    "codes for missing": WIDE.replace(",,", ",NA,"),
    "a point for missing": WIDE.replace(",,", ",.,"),
    "digits for dates": WIDE.replace("-01-", "01"),
    "times": WIDE.replace("2024-01-02", "2024-01-02 16:00:00"),
    "no name for the dates": WIDE.removeprefix("date"),
    "no last line end": WIDE.rstrip(),
    "CR CR LF": WIDE.replace("\n", "\r\r\n"),
    "slashes, year first": WIDE.replace("-01-", "/1/"),
    "one form a line": WIDE.replace("2024-01-02", "20240102").replace("2024-01-03", "2024/01/03"),
    "all in quotes": '"' + WIDE.rstrip().replace(",", '","').replace("\n", '"\n"') + '"\n',
    "a missing number with a space behind it": WIDE.replace(",,", ",NA ,"),
    "a missing number in capitals": WIDE.replace(",,", ",NAN,"),
    "times of many kinds": WIDE.replace("2024-01-02", "2024-01-02T16:00:00.123456Z")
    .replace("2024-01-03", "2024-01-03 4:00 PM EST")
    .replace("2024-01-04", "2024-01-04T16:00:00-05:00[America/New_York]"),
    "other times": WIDE.replace("2024-01-02", "2024-01-02 16:00:00 UTC+01:00")
    .replace("2024-01-03", "2024-01-03 16:00 +0100")
    .replace("2024-01-04", "2024-01-04T160000.5"),
    "semicolons": WIDE.replace(",", ";"),
    "semicolons and decimal commas": WIDE.replace(",", ";").replace(".", ","),
    "tabs": WIDE.replace(",", "\t"),
    "pipes": WIDE.replace(",", "|"),
    "decimal commas in quotes": re.sub(r"(-?\d+)\.(\d+)", r'"\1,\2"', WIDE).replace("1e-3", '"0,1e-2"'),
    "Excel's separator": "sep=,\n" + WIDE,
    "Excel's separator in quotes": '"sep=;"\n' + WIDE.replace(",", ";"),
    "UTF-16": WIDE.encode("utf-16"),
    "UTF-16, the other end first": b"\xfe\xff" + WIDE.encode("utf-16-be"),
    "a minus of typography": WIDE.replace("-0.02", "\u22120.02"),
    "numbers for dates": WIDE.replace("2024-01-02", "20240102.0").replace("2024-01-03", "20240103.0"),
    "dates of SAS": re.sub("2024-01-(..)", r"\1JAN2024", WIDE),
    "times of SAS": re.sub("2024-01-(..)", r"\1JAN2024:16:00:00", WIDE),
    "names of months": WIDE.replace("2024-01-02", "02-Jan-2024")
    .replace("2024-01-03", '"Jan 3, 2024"')
    .replace("2024-01-04", "04 January 2024"),
    "points in dates": WIDE.replace("-01-", ".01."),
    "cleared cells of a spreadsheet": WIDE + ",,\n ,\t,\n",
    "clocks that change": WIDE.replace("2024-01-02", "2024-01-02T16:00-05:00").replace(
        "2024-01-03", "2024-01-03 16:00:00-04:00"
    ),
}


class TestWideCsv:
    @pytest.mark.parametrize(
        "text",
        SPELLINGS.values(),
        ids=SPELLINGS,
    )
    def test_spellings(self, file, text):
        same(rm.read_returns(file(text)), FRAME)

    def test_rows_in_any_order(self, file):
        head, *rows = WIDE.split()
        same(rm.read_returns(file("\n".join([head, *reversed(rows)]))), FRAME)

    def test_dates_in_another_column(self, file):
        text = "MSFT,JPM,day\n0.01,-0.02,2024-01-02\n,0.005,2024-01-03\n0.0,1e-3,2024-01-04\n"
        same(rm.read_returns(file(text), rm.Wide(date="day")), FRAME)

    def test_compressed(self, file):
        same(rm.read_returns(file(gzip.compress(WIDE.encode()), "file.csv.gz")), FRAME)

    def test_a_string_is_a_path(self, file):
        same(rm.read_returns(str(file(WIDE))), FRAME)

    def test_time_zones_keep_the_local_date(self, file):
        text = WIDE.replace("2024-01-02", "2024-01-02T23:00:00-05:00").replace(
            "2024-01-03", "2024-01-03T23:00:00-05:00"
        )
        same(rm.read_returns(file(text.replace("2024-01-04", "2024-01-04T23:00:00-05:00"))), FRAME)

    def test_a_label_that_looks_like_a_missing_value(self, file):
        assert list(rm.read_returns(file("date,NA,nan\n2024-01-02,0.1,0.2\n"))) == ["NA", "nan"]


class TestLongCsv:
    expected = FRAME.copy()
    expected.loc["2024-01-04", "JPM"] = np.nan

    def test_default_names(self, file):
        same(rm.read_returns(file(LONG), rm.Long()), self.expected)

    def test_other_names_and_columns_beside_them(self, file):
        text = "permno,day,x,ret\n10107,20240102,q,0.01\n10107,20240104,,0.0\n"
        read = rm.read_returns(file(text), rm.Long(date="day", asset="permno", value="ret"))
        same(read, pd.DataFrame({"10107": [0.01, 0.0]}, DAYS[[0, 2]]))

    def test_an_asset_called_na(self, file):
        text = "date,asset,return\n2024-01-02,NA,0.01\n"
        assert list(rm.read_returns(file(text), rm.Long())) == ["NA"]


def test_months_and_years_are_dated_by_their_first_day(file):
    for text in ("2024-01", "202401"):
        assert rm.read_returns(file(f"month,A\n{text},0.1\n")).index.tolist() == [pd.Timestamp("2024-01-01")]
    assert rm.read_returns(file("year,A\n2023,0.1\n2024,0.2\n")).index.tolist() == [
        pd.Timestamp("2023-01-01"),
        pd.Timestamp("2024-01-01"),
    ]


class TestIndex:
    """Row numbers, which pandas writes unless it is told not to, are neither dates nor an asset."""

    WIDE = FRAME.rename_axis("date").reset_index()
    LONG = WIDE.melt("date", var_name="asset", value_name="ret")

    @pytest.mark.parametrize("numbers", [[0, 1, 2], [40, 7, 1_990]])
    def test_wide(self, file, numbers):
        rows = self.WIDE.set_axis(numbers)
        same(rm.read_returns(file(rows.to_csv()), rm.Wide("date")), FRAME)
        same(rm.read_returns(file(rows, "f.parquet"), rm.Wide("date")), FRAME)
        same(rm.read_returns(file(rows, "f.parquet")), FRAME)
        with refused(rm.LayoutError, line=2, column="date"):
            rm.read_returns(file(rows.to_csv()))

    @pytest.mark.parametrize("numbers", [range(6), [5, 3, 1_990, 0, 12, 7]])
    def test_long(self, file, numbers):
        rows = self.LONG.set_axis(list(numbers))
        for layout in (rm.Long(), Either(("asset",))):
            same(rm.read_returns(file(rows.to_csv()), layout), FRAME)
            same(rm.read_returns(file(rows, "f.parquet"), layout), FRAME)
        named = rows.rename_axis("id")
        same(rm.read_returns(file(named, "f.parquet"), rm.Long()), FRAME)
        number = rm.read_returns(file(named, "f.parquet"), rm.Long(value="id"))
        assert number.loc[DAYS[0], "MSFT"] == next(iter(numbers))

    def test_numbers_that_are_dates(self, file):
        days = FRAME.set_axis([20240102, 20240103, 20240104])
        same(rm.read_returns(file(days, "f.parquet")), FRAME)
        same(rm.read_returns(file(days.to_csv())), FRAME)

    def test_several_levels(self, file):
        rows = FRAME.set_index(pd.MultiIndex.from_arrays([DAYS, [1, 2, 3]], names=["date", "n"]))
        with refused(rm.LayoutError, levels=["date", "n"]):
            rm.read_returns(file(rows, "f.parquet"))

    def test_lines_of_empty_quotes_are_none(self, file):
        same(rm.read_returns(file(WIDE + '"","",""\n')), FRAME)


class TestParquet:
    def test_wide(self, file):
        same(rm.read_returns(file(FRAME, "f.parquet")), FRAME)
        same(rm.read_returns(file(FRAME.rename_axis("date").reset_index(), "g.parquet")), FRAME)

    @pytest.mark.filterwarnings("ignore:Dtype inference:FutureWarning")  # of pyarrow 15 with pandas 2.2
    def test_periods(self, file):
        frame = FRAME.set_axis(pd.period_range("2024-01", periods=3, freq="M"))
        read = rm.read_returns(file(frame, "f.parquet"))
        assert read.index.tolist() == pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-31"]).tolist()

    @pytest.mark.filterwarnings("ignore:Dtype inference:FutureWarning")  # of pyarrow 15 with pandas 2.2
    def test_a_date_that_is_missing(self, file):
        for dates in (
            DAYS[:2].append(pd.DatetimeIndex([None])),
            pd.PeriodIndex(["2024-01", "2024-02", None], freq="M"),
        ):
            path = file(FRAME.reset_index(drop=True).assign(day=dates), "f.parquet")
            with refused(rm.LayoutError, row=3, column="day"):
                rm.read_returns(path, rm.Wide(date="day"))

    def test_dates_of_python(self, file):
        frame = FRAME.reset_index(drop=True).assign(day=[d.date() for d in DAYS])
        same(rm.read_returns(file(frame, "f.parquet"), rm.Wide(date="day")), FRAME)

    def test_long_with_labels_as_stored(self, file):
        frame = pd.DataFrame({"d": [20240102, 20240103], "id": [10107, 10107], "r": pd.array([1, None], "Int32")})
        read = rm.read_returns(file(frame, "f.parquet"), rm.Long("d", "id", "r"))
        same(read, pd.DataFrame({10107: [1.0, np.nan]}, DAYS[:2]))

    def test_long_with_an_index(self, file):
        days = FRAME.rename_axis("day").reset_index()
        frame = days.melt("day", var_name="name", value_name="r").set_index(["day", "name"])
        same(rm.read_returns(file(frame, "f.parquet"), rm.Long("day", "name")), FRAME)

    def test_the_content_tells_and_not_the_name(self, file):
        same(rm.read_returns(file(FRAME, "f.csv")), FRAME)

    def test_a_damaged_file(self, file, tmp_path):
        whole = file(FRAME, "f.parquet").read_bytes()
        with refused(rm.LayoutError, path=str(tmp_path / "g.parquet")):
            rm.read_returns(file(whole[:-20], "g.parquet"))

    def test_words_for_numbers(self, file):
        with refused(rm.LayoutError, row=1, column="MSFT", got="0.01"):
            rm.read_returns(file(FRAME.astype({"MSFT": str}), "f.parquet"))
        with refused(rm.LayoutError, row=1, column="up", got=True):
            rm.read_returns(file(FRAME.assign(up=True), "f.parquet"))

    def test_labels_that_are_categories(self, file):
        long = FRAME.rename_axis("day").reset_index().melt("day", var_name="name", value_name="r")
        read = rm.read_returns(file(long.astype({"name": "category"}), "f.parquet"), rm.Long("day", "name"))
        same(read, FRAME)
        assert not isinstance(read.columns, pd.CategoricalIndex)
        numbers = long.assign(name=long["name"].map({"MSFT": 7, "JPM": 8})).astype({"name": "category"})
        assert rm.read_returns(file(numbers, "g.parquet"), rm.Long("day", "name")).columns.dtype == np.int64

    def test_a_label_that_is_a_list(self, file):
        frame = pd.DataFrame({"day": DAYS[:2], "name": [["A"], ["B"]], "r": [0.1, 0.2]})
        with refused(rm.LayoutError, row=1, column="name"):
            rm.read_returns(file(frame, "f.parquet"), rm.Long("day", "name"))
        with refused(rm.LayoutError, row=1, column="name"):
            rm.read_returns(file(frame[["name", "r"]], "g.parquet"))

    def test_columns_of_several_levels(self, file):
        frame = FRAME.set_axis(pd.MultiIndex.from_tuples([("A", "x"), ("B", "y")]), axis=1)
        with refused(rm.LayoutError, levels=2):
            rm.read_returns(file(frame, "f.parquet"))

    @pytest.mark.parametrize("notes", [b"{}", b"[]", b"{", b'{"index_columns": 3}', b'{"index_columns": ["x"]}'])
    def test_damaged_notes_for_pandas(self, file, notes, tmp_path):
        from pyarrow import parquet

        table = parquet.read_table(file(FRAME.rename_axis("date").reset_index(), "f.parquet"))
        parquet.write_table(table.replace_schema_metadata({b"pandas": notes}), tmp_path / "g.parquet")
        with refused(rm.LayoutError, path=str(tmp_path / "g.parquet")):
            rm.read_returns(tmp_path / "g.parquet")

    def test_a_column_twice(self, tmp_path):
        import pyarrow
        from pyarrow import parquet

        columns = [pyarrow.array(DAYS), pyarrow.array([0.1, 0.2, 0.3]), pyarrow.array([0.1, 0.2, 0.3])]
        parquet.write_table(pyarrow.table(columns, names=["date", "A", "A"]), tmp_path / "f.parquet")
        with refused(rm.DuplicateLabelsError, labels=["A"]):
            rm.read_returns(tmp_path / "f.parquet")

    @pytest.mark.parametrize("year", [1600, 3000])
    def test_a_year_out_of_reach(self, file, year):
        days = np.array(["2024-01-02", f"{year}-01-03"], dtype="datetime64[us]")
        path = file(pd.DataFrame({"day": days, "A": [0.1, 0.2]}), "f.parquet")
        with refused(rm.LayoutError, row=2, column="day", got=pd.Timestamp(days[1])):
            rm.read_returns(path)

    @pytest.mark.filterwarnings("ignore:Dtype inference:FutureWarning")  # of pyarrow 15 with pandas 2.2
    @pytest.mark.parametrize("year", [1600, 3000])
    def test_a_period_out_of_reach(self, file, year):
        frame = FRAME.reset_index(drop=True).assign(day=pd.period_range(f"{year}-01", periods=3, freq="M"))
        with refused(rm.LayoutError, row=1, column="day", got=pd.Period(f"{year}-01")):
            rm.read_returns(file(frame, "f.parquet"), rm.Wide(date="day"))

    def test_numbers_that_are_text(self, file):
        with refused(rm.LayoutError, row=1, column="MSFT", got="0.01"):
            rm.read_returns(file(FRAME.astype({"MSFT": str}), "f.parquet"))

    def test_decimals_that_a_database_wrote(self, file):
        frame = pd.DataFrame({"day": DAYS[:2], "A": [Decimal("0.01"), None]})
        same(rm.read_returns(file(frame, "f.parquet")), FRAME[["MSFT"]].iloc[:2].set_axis(["A"], axis=1))

    def test_without_pyarrow(self, file, monkeypatch):
        path = file(FRAME, "f.parquet")
        real = builtins.__import__

        def without(name, *rest):
            if name.startswith("pyarrow"):
                raise ImportError(name)
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(rm.MissingExtraError, match=r"\[cache\]"):
            rm.read_returns(path)


class TestUnits:
    def test_percent(self, file):
        text = WIDE.replace("0.01", "1.0").replace("-0.02", "-2").replace("0.005", "0.5").replace("1e-3", "0.1")
        same(rm.read_percent_returns(file(text)), FRAME)

    def test_prices(self, file):
        read = rm.read_prices(file("date,A,B\n2024-01-02,100,5\n2024-01-03,110,4\n2024-01-04,99,4\n"))
        np.testing.assert_allclose(read, [[0.1, -0.2], [-0.1, 0.0]], rtol=1e-14, atol=1e-16)
        assert read.index.tolist() == DAYS[1:].tolist()

    def test_a_hole_in_prices_is_a_hole_of_two_returns(self, file):
        text = "date,A,B\n2024-01-02,1,1\n2024-01-03,,2\n2024-01-04,4,4\n2024-01-05,8,8\n"
        read = rm.read_prices(file(text))
        assert read["A"].isna().tolist() == [True, True, False]
        assert read["B"].tolist() == [1.0, 1.0, 1.0]

    def test_a_hole_in_a_long_file(self, file):
        text = "date,asset,price\n2024-01-02,A,1\n2024-01-02,B,1\n2024-01-03,B,2\n2024-01-04,A,4\n2024-01-04,B,4\n"
        read = rm.read_prices(file(text), rm.Long())
        assert read["A"].isna().all()
        assert read["B"].tolist() == [1.0, 1.0]

    def test_prices_in_any_order(self, file):
        read = rm.read_prices(file("date,A\n2024-01-04,4\n2024-01-02,1\n2024-01-03,2\n"))
        assert read["A"].tolist() == [1.0, 1.0]

    def test_a_return_that_is_no_number(self, file):
        with refused(rm.InfiniteReturnsError, line=4, column="A"):
            rm.read_prices(file("date,A\n2024-01-02,1\n2024-01-03,1e-300\n2024-01-04,1e300\n"))

    @pytest.mark.parametrize("price", ["0", "-5.5"])
    def test_a_price_that_is_none(self, file, price):
        with refused(rm.ImpossibleReturnsError, line=3, column="A", got=float(price), count=1):
            rm.read_prices(file(f"date,A\n2024-01-04,4\n2024-01-02,{price}\n2024-01-03,2\n"))
        path = file(f"date,asset,close\n2024-01-04,A,1\n\n2024-01-03,B,{price}\n2024-01-04,B,{price}\n")
        with refused(rm.ImpossibleReturnsError, line=4, column="close", got=float(price), count=2):
            rm.read_prices(path, rm.Long())


WRONG = {
    "a word": (WIDE.replace("0.005", "n.m."), {"line": 3, "column": "JPM", "got": "n.m."}),
    "a percent sign": (WIDE.replace("0.005", "0.5%"), {"line": 3, "column": "JPM", "got": "0.5%"}),
    "after empty lines": (
        WIDE.replace("2024-01-04", "\n\n2024-01-04").replace("1e-3", "B"),
        {"line": 6, "column": "JPM", "got": "B"},
    ),
    "a line cut off": (WIDE[:-6], {"line": 4, "expected": 3, "got": 2}),
    "a decimal comma": (WIDE.replace("0.005", "0,005"), {"line": 3, "expected": 3, "got": 4}),
    "day first": (WIDE.replace("2024-01-03", "03/01/2024"), {"line": 3, "column": "date", "got": "03/01/2024"}),
    "no date": (WIDE.replace("2024-01-03", ""), {"line": 3, "column": "date", "got": ""}),
    "no such day": (WIDE.replace("2024-01-03", "2024-02-30"), {"line": 3, "column": "date", "got": "2024-02-30"}),
    "nothing": ("", {"lines": 0}),
    "a header only": ("date,MSFT\n", {"lines": 1}),
    "a column without a name": (WIDE.replace("MSFT", ""), {"line": 1, "position": 2}),
    "no text": (WIDE.encode() + b"2024-01-05,\xff,1\n", {"line": 5, "byte": 12}),
    "half a gzip": (gzip.compress(WIDE.encode())[:-12], {"compression": ["gzip"]}),
    "a nameless column at the end": (WIDE.replace("\n", ",7\n").replace(",7", ",", 1), {"line": 1, "position": 4}),
    "a month among days": (WIDE.replace("2024-01-03", "2024-01"), {"line": 3, "column": "date", "got": "2024-01"}),
    "a year of two digits": (
        WIDE.replace("2024", "24"),
        {"line": 2, "column": "date", "got": "24-01-02", "formats": ["%d-%m-%y", "%y-%m-%d"]},
    ),
    "a year out of reach": (
        WIDE.replace("2024-01-03", "9999-01-03"),
        {"line": 3, "column": "date", "got": "9999-01-03"},
    ),
    "a number of days": (WIDE.replace("2024-01-02", "45293"), {"line": 2, "column": "date", "got": "45293"}),
    "no header": (WIDE.partition("\n")[2], {"line": 1, "got": "2024-01-02"}),
    "months without a header": ("202401,0.1\n202402,0.2\n", {"line": 1, "got": "202401"}),
    "numbers without a header": ("1499040000,0.1\n1499126400,0.2\n", {"line": 1, "got": "1499040000"}),
    "words for truth": ("date,A\n2024-01-02,True\n2024-01-03,False\n", {"line": 2, "column": "A", "got": "True"}),
    "an index before the dates": (
        "," + WIDE.replace("\n2", "\n0,2"),
        {"line": 2, "column": "date", "got": "2024-01-02"},
    ),
    "the next character set": (WIDE.replace("JPM", "Société").encode("latin-1"), {"line": 1, "byte": 15}),
    "UTF-16 without a mark": (WIDE.encode("utf-16-le"), {"line": 1, "byte": 2}),
    "an Excel workbook": (b"PK\x03\x04...", {"compression": ["zip"]}),
    "a page that says no": ("<html>\n<body>not found</body>\n", {"line": 1, "got": "<html>"}),
    "prose": (WIDE.replace("2024-01-03", "Copyright 2024\n2024-01-03"), {"line": 3, "expected": 3, "got": 1}),
    "an open quote": (WIDE.replace("0.01", '"0.01'), {"line": 2}),
    "an open quote in the last cell": (WIDE.replace("-0.02", '"-0.02'), {"line": 2}),
    "an open quote in the last line": ('date,A,B\n20240102,0.01,"0.02', {"line": 2}),
    "an open quote in the header": (WIDE.replace("JPM", '"JPM'), {"line": 1}),
    "a cell without an end": (WIDE.replace("0.01", f'"{200_000 * "1"}"'), {"line": 2}),
    "digits of another script": (WIDE.replace("0.01", "١"), {"line": 2, "column": "MSFT", "got": "١"}),
    "thousands": (WIDE.replace("0.01", '"1,234.5"'), {"line": 2, "column": "MSFT", "got": "1,234.5"}),
    "a mark for what is missing": (WIDE.replace("0.005", "-"), {"line": 3, "column": "JPM", "got": "-"}),
    "an error of Excel": (WIDE.replace("0.005", "#DIV/0!"), {"line": 3, "column": "JPM", "got": "#DIV/0!"}),
    "no meaning": (WIDE.replace("0.01", "n/m"), {"line": 2, "column": "MSFT", "got": "n/m"}),
    "a word among numbers": (WIDE.replace("0.005", "halted"), {"line": 3, "column": "JPM", "got": "halted"}),
    "gzip twice": (gzip.compress(gzip.compress(WIDE.encode())), {"compression": ["gzip", "gzip"]}),
    "no such time": (
        WIDE.replace("2024-01-03", "2024-01-03 99:99 zz"),
        {"line": 3, "column": "date", "got": "2024-01-03 99:99 zz"},
    ),
    "half a time": (
        WIDE.replace("2024-01-03", "2024-01-03 16:00:"),
        {"line": 3, "column": "date", "got": "2024-01-03 16:00:"},
    ),
    "a time and more": (
        WIDE.replace("2024-01-03", "2024-01-03 16:00 x y"),
        {"line": 3, "column": "date", "got": "2024-01-03 16:00 x y"},
    ),
    "a long file": (LONG, {"line": 2, "column": "asset", "got": "MSFT"}),
}


class TestQuotes:
    """A quote that is left open takes the lines below for its cell: rows would be gone without a word."""

    rows = "date,permno,ret,note\n20240102,A,0.01,{}\n20240103,A,0.02,\n20240104,A,0.03,{}\n20240105,A,0.04,\n"

    def test_open_in_a_column_that_is_not_read(self, file):
        with refused(rm.LayoutError, line=2):
            rm.read_returns(file(self.rows.format('"', '"')), rm.Long("date", "permno", "ret"))

    def test_open_in_a_label(self, file):
        text = 'date,ret,asset\n20240102,0.01,"A\n20240103,0.02,B"\n20240104,0.03,C\n'
        with refused(rm.LayoutError, line=2):
            rm.read_returns(file(text), rm.Long("date", "asset", "ret"))

    @pytest.mark.parametrize("note", ['"said ""so"", twice"', '5" pipe', '"" ', '"a"b'])
    def test_closed_or_inside_a_word_is_text(self, file, note):
        read = rm.read_returns(file(self.rows.format(note, note)), rm.Long("date", "permno", "ret"))
        assert read["A"].tolist() == [0.01, 0.02, 0.03, 0.04]

    def test_rows_are_counted_whatever_was_read(self, file, monkeypatch):
        parsed = delimited._parsed
        monkeypatch.setattr(delimited, "_parsed", lambda *given: parsed(*given).iloc[1:])
        with refused(rm.LayoutError, lines=3, rows=2):
            rm.read_returns(file(WIDE))


class TestWhatGoesWrong:
    @pytest.mark.parametrize(("text", "details"), WRONG.values(), ids=WRONG)
    def test_says_where(self, file, text, details):
        path = file(text)
        with refused(rm.LayoutError, path=str(path), **details) as caught:
            rm.read_returns(path)
        assert str(path) in str(caught.value)
        assert len(caught.value.details) == 1 + len(details)

    def test_a_date_twice(self, file):
        with refused(rm.DuplicateDatesError, line=4, column="date", date=DAYS[1]):
            rm.read_returns(file(WIDE.replace("2024-01-04", "2024-01-03")))

    def test_an_asset_twice_on_a_date(self, file):
        with refused(rm.DuplicateDatesError, line=4, column="return", date=DAYS[0], asset="MSFT"):
            rm.read_returns(file(LONG.replace("2024-01-02,JPM", "2024-01-02,MSFT")), rm.Long())

    def test_a_column_twice(self, file):
        with refused(rm.DuplicateLabelsError, line=1, labels=["JPM"]):
            rm.read_returns(file(WIDE.replace("MSFT", "JPM")))

    def test_a_row_of_no_asset(self, file):
        with refused(rm.LayoutError, line=4, column="asset"):
            rm.read_returns(file(LONG.replace("2024-01-02,JPM", "2024-01-02,")), rm.Long())

    def test_columns_that_are_not_there(self, file):
        with refused(rm.LayoutError, column="permno", columns=["date", "asset", "return"]):
            rm.read_returns(file(LONG), rm.Long(asset="permno"))
        with refused(rm.LayoutError, columns=["MSFT", "JPM"]):
            rm.read_returns(file("date,asset,MSFT,JPM\n2024-01-02,A,1,2\n"), rm.Long())
        with refused(rm.InvalidParameterError, layout=rm.Long(value="asset")):
            rm.read_returns(file(LONG), rm.Long(value="asset"))

    @pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e400"])
    def test_infinite_numbers(self, file, cell):
        for read in (rm.read_returns, rm.read_percent_returns, rm.read_prices):
            with refused(rm.InfiniteReturnsError, line=3, column="MSFT", count=1):
                read(file(WIDE.replace("\n2024-01-03,", f"\n2024-01-03,{cell}")))

    def test_a_file_that_is_not_what_its_name_says(self, file):
        with refused(rm.LayoutError):
            rm.read_returns(file(WIDE, "f.parquet"))

    def test_prices_on_one_date(self, file):
        with refused(rm.LayoutError):
            rm.read_prices(file("date,A\n2024-01-02,5\n"))

    def test_a_file_that_is_not_there(self, tmp_path):
        with refused(rm.SourceError, path=str(tmp_path / "nowhere.csv")):
            rm.read_returns(tmp_path / "nowhere.csv")

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            (None, "got None"),
            (3, r"got 3 \(int\)"),
            (b"returns.csv", r"got b'returns.csv' \(bytes\)"),
            ("a\0b.csv", "with a zero byte"),
            ("~nosuchuser/x.csv", "known home folder"),
        ],
    )
    def test_a_path_that_is_none(self, path, message):
        for read in (rm.read_returns, rm.read_percent_returns, rm.read_prices):
            with pytest.raises(rm.InvalidParameterError, match=message):
                read(path)

    def test_a_layout_that_is_none(self, file):
        with refused(rm.InvalidParameterError, layout="long"):
            rm.read_returns(file(WIDE), "long")


def test_from_a_file_to_a_panel(file):
    days = pd.bdate_range("2024-01-01", periods=30)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(0, 0.01, (30, 3)), days, ["A", "B", "Mkt-RF"])
    path = file(table.to_csv(index_label="date"))
    read = rm.read_returns(path)
    data = rm.InMemory(read[["A", "B"]], factors=read["Mkt-RF"], risk_free=0.0, horizon=rm.DAY)
    np.testing.assert_allclose(
        data.panel(["A", "B"], ["Mkt-RF"]).excess_returns, table[["A", "B"]], rtol=1e-15, atol=0.0
    )


class TestProgress:
    @pytest.mark.parametrize("is_terminal", [True, False])
    def test_a_bar_on_long_reads_and_on_terminals_only(self, tmp_path, monkeypatch, is_terminal):
        terminal = Terminal(is_terminal)
        monkeypatch.setattr("sys.stderr", terminal)
        path = tmp_path / "fund.csv"
        days = pd.bdate_range("2020-01-01", periods=500)
        pd.DataFrame({"FUND": np.linspace(-0.01, 0.01, 500)}, days).rename_axis("date").to_csv(path)
        rm.read_returns(path)
        assert terminal.text == ""
        monkeypatch.setattr(progress, "_DELAY_SECONDS", 0.0)
        monkeypatch.setattr(progress, "_INTERVAL_SECONDS", 0.0)
        rm.read_returns(path)
        assert ("Reading fund.csv:  50%" in terminal.text) is is_terminal
        assert terminal.is_clean()

    def test_the_terminal_is_left_clean_when_reading_fails(self, tmp_path, monkeypatch):
        terminal = Terminal(True)
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setattr(progress, "_DELAY_SECONDS", 0.0)
        monkeypatch.setattr(progress, "_INTERVAL_SECONDS", 0.0)
        path = tmp_path / "fund.csv"
        path.write_text("date,FUND\n2020-01-01,0.01\n2020-01-02,word\n")
        with pytest.raises(rm.LayoutError):
            rm.read_returns(path)
        assert "Reading" in terminal.text
        assert terminal.is_clean()
