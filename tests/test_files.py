"""Returns and prices from files, and errors that say where."""

import builtins
import gzip
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.data import files
from riskmodel.panel.layout import Either

WIDE = "date,MSFT,JPM\n2024-01-02,0.01,-0.02\n2024-01-03,,0.005\n2024-01-04,0.0,1e-3\n"
LONG = "date,asset,return\n" + "".join(
    f"2024-01-0{d},{a},{r}\n" for a, d, r in [("MSFT", 2, 0.01), ("MSFT", 4, 0.0), ("JPM", 2, -0.02), ("JPM", 3, 0.005)]
)
DAYS = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])
FRAME = pd.DataFrame({"MSFT": [0.01, np.nan, 0.0], "JPM": [-0.02, 0.005, 1e-3]}, DAYS)


@pytest.fixture
def file(tmp_path):
    def write(content, name="file.csv"):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def same(came, expected):
    pd.testing.assert_frame_equal(came, expected, check_index_type=False, check_column_type=False, check_freq=False)
    assert came.index.tolist() == expected.index.tolist()
    assert (came.dtypes == np.float64).all()


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
        came = rm.read_returns(file(text), rm.Long(date="day", asset="permno", value="ret"))
        same(came, pd.DataFrame({"10107": [0.01, 0.0]}, DAYS[[0, 2]]))

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
        with pytest.raises(rm.LayoutError, match=r"say so: layout=rm.Wide\(date=...\)"):
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
        with pytest.raises(
            rm.LayoutError, match=r"must be indexed by dates alone, but its index has the levels date, n"
        ):
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
        came = rm.read_returns(file(frame, "f.parquet"))
        assert came.index.tolist() == pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-31"]).tolist()

    @pytest.mark.filterwarnings("ignore:Dtype inference:FutureWarning")  # of pyarrow 15 with pandas 2.2
    def test_a_date_that_is_missing(self, file):
        for dates in (
            DAYS[:2].append(pd.DatetimeIndex([None])),
            pd.PeriodIndex(["2024-01", "2024-02", None], freq="M"),
        ):
            path = file(FRAME.reset_index(drop=True).assign(day=dates), "f.parquet")
            with pytest.raises(rm.LayoutError, match=r"row 3, column 'day': nothing came where a date"):
                rm.read_returns(path, rm.Wide(date="day"))

    def test_dates_of_python(self, file):
        frame = FRAME.reset_index(drop=True).assign(day=[d.date() for d in DAYS])
        same(rm.read_returns(file(frame, "f.parquet"), rm.Wide(date="day")), FRAME)

    def test_long_with_labels_as_stored(self, file):
        frame = pd.DataFrame({"d": [20240102, 20240103], "id": [10107, 10107], "r": pd.array([1, None], "Int32")})
        came = rm.read_returns(file(frame, "f.parquet"), rm.Long("d", "id", "r"))
        same(came, pd.DataFrame({10107: [1.0, np.nan]}, DAYS[:2]))

    def test_long_with_an_index(self, file):
        days = FRAME.rename_axis("day").reset_index()
        frame = days.melt("day", var_name="name", value_name="r").set_index(["day", "name"])
        same(rm.read_returns(file(frame, "f.parquet"), rm.Long("day", "name")), FRAME)

    def test_the_content_tells_and_not_the_name(self, file):
        same(rm.read_returns(file(FRAME, "f.csv")), FRAME)

    def test_a_damaged_file(self, file):
        whole = file(FRAME, "f.parquet").read_bytes()
        with pytest.raises(rm.LayoutError, match="is no whole Parquet file"):
            rm.read_returns(file(whole[:-20], "g.parquet"))

    def test_words_for_numbers(self, file):
        with pytest.raises(rm.LayoutError, match=r"f.parquet, row 1, column 'MSFT': '0.01' came where a number"):
            rm.read_returns(file(FRAME.astype({"MSFT": str}), "f.parquet"))
        with pytest.raises(rm.LayoutError, match=r"row 1, column 'up': True came"):
            rm.read_returns(file(FRAME.assign(up=True), "f.parquet"))

    def test_labels_that_are_categories(self, file):
        long = FRAME.rename_axis("day").reset_index().melt("day", var_name="name", value_name="r")
        came = rm.read_returns(file(long.astype({"name": "category"}), "f.parquet"), rm.Long("day", "name"))
        same(came, FRAME)
        assert not isinstance(came.columns, pd.CategoricalIndex)
        numbers = long.assign(name=long["name"].map({"MSFT": 7, "JPM": 8})).astype({"name": "category"})
        assert rm.read_returns(file(numbers, "g.parquet"), rm.Long("day", "name")).columns.dtype == np.int64

    def test_a_label_that_is_a_list(self, file):
        frame = pd.DataFrame({"day": DAYS[:2], "name": [["A"], ["B"]], "r": [0.1, 0.2]})
        with pytest.raises(rm.LayoutError, match=r"row 1, column 'name': .* came where the label of an asset"):
            rm.read_returns(file(frame, "f.parquet"), rm.Long("day", "name"))
        with pytest.raises(rm.LayoutError, match=r"row 1, column 'name': .* came where a date such as"):
            rm.read_returns(file(frame[["name", "r"]], "g.parquet"))

    def test_columns_of_several_levels(self, file):
        frame = FRAME.set_axis(pd.MultiIndex.from_tuples([("A", "x"), ("B", "y")]), axis=1)
        with pytest.raises(rm.LayoutError, match=r"2 levels"):
            rm.read_returns(file(frame, "f.parquet"))

    @pytest.mark.parametrize("notes", [b"{}", b"[]", b"{", b'{"index_columns": 3}', b'{"index_columns": ["x"]}'])
    def test_damaged_notes_for_pandas(self, file, notes, tmp_path):
        from pyarrow import parquet

        table = parquet.read_table(file(FRAME.rename_axis("date").reset_index(), "f.parquet"))
        parquet.write_table(table.replace_schema_metadata({b"pandas": notes}), tmp_path / "g.parquet")
        with pytest.raises(rm.LayoutError, match=r"g.parquet is no whole Parquet file: \w+Error"):
            rm.read_returns(tmp_path / "g.parquet")

    def test_a_column_twice(self, tmp_path):
        import pyarrow
        from pyarrow import parquet

        columns = [pyarrow.array(DAYS), pyarrow.array([0.1, 0.2, 0.3]), pyarrow.array([0.1, 0.2, 0.3])]
        parquet.write_table(pyarrow.table(columns, names=["date", "A", "A"]), tmp_path / "f.parquet")
        with pytest.raises(rm.DuplicateLabelsError, match=r"the columns of .*f.parquet.* A "):
            rm.read_returns(tmp_path / "f.parquet")

    @pytest.mark.parametrize("year", [1600, 3000])
    def test_a_year_out_of_reach(self, file, year):
        days = np.array(["2024-01-02", f"{year}-01-03"], dtype="datetime64[us]")
        path = file(pd.DataFrame({"day": days, "A": [0.1, 0.2]}), "f.parquet")
        with pytest.raises(
            rm.LayoutError, match=rf"row 2, column 'day': '{year}-01-03.* came where .* of 1700 to 2261"
        ):
            rm.read_returns(path)

    @pytest.mark.filterwarnings("ignore:Dtype inference:FutureWarning")  # of pyarrow 15 with pandas 2.2
    @pytest.mark.parametrize("year", [1600, 3000])
    def test_a_period_out_of_reach(self, file, year):
        frame = FRAME.reset_index(drop=True).assign(day=pd.period_range(f"{year}-01", periods=3, freq="M"))
        with pytest.raises(rm.LayoutError, match=rf"row 1, column 'day': '{year}-01' came where"):
            rm.read_returns(file(frame, "f.parquet"), rm.Wide(date="day"))

    def test_numbers_that_are_text(self, file):
        with pytest.raises(rm.LayoutError, match=r"'0.01' came .* Store the column as numbers, not as text"):
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
        came = rm.read_prices(file("date,A,B\n2024-01-02,100,5\n2024-01-03,110,4\n2024-01-04,99,4\n"))
        np.testing.assert_allclose(came, [[0.1, -0.2], [-0.1, 0.0]], rtol=1e-14, atol=1e-16)
        assert came.index.tolist() == DAYS[1:].tolist()

    def test_a_hole_in_prices_is_a_hole_of_two_returns(self, file):
        text = "date,A,B\n2024-01-02,1,1\n2024-01-03,,2\n2024-01-04,4,4\n2024-01-05,8,8\n"
        came = rm.read_prices(file(text))
        assert came["A"].isna().tolist() == [True, True, False]
        assert came["B"].tolist() == [1.0, 1.0, 1.0]

    def test_a_hole_in_a_long_file(self, file):
        text = "date,asset,price\n2024-01-02,A,1\n2024-01-02,B,1\n2024-01-03,B,2\n2024-01-04,A,4\n2024-01-04,B,4\n"
        came = rm.read_prices(file(text), rm.Long())
        assert came["A"].isna().all()
        assert came["B"].tolist() == [1.0, 1.0]

    def test_prices_in_any_order(self, file):
        came = rm.read_prices(file("date,A\n2024-01-04,4\n2024-01-02,1\n2024-01-03,2\n"))
        assert came["A"].tolist() == [1.0, 1.0]

    def test_a_return_that_is_no_number(self, file):
        with pytest.raises(rm.InfiniteReturnsError, match=r"line 4, column 'A': the price 1e\+300 came after 1e-300"):
            rm.read_prices(file("date,A\n2024-01-02,1\n2024-01-03,1e-300\n2024-01-04,1e300\n"))

    @pytest.mark.parametrize("price", ["0", "-5.5"])
    def test_a_price_that_is_none(self, file, price):
        with pytest.raises(rm.ImpossibleReturnsError, match=r"file.csv, line 3, column 'A': a price must be positive"):
            rm.read_prices(file(f"date,A\n2024-01-04,4\n2024-01-02,{price}\n2024-01-03,2\n"))
        path = file(f"date,asset,close\n2024-01-04,A,1\n\n2024-01-03,B,{price}\n2024-01-04,B,{price}\n")
        with pytest.raises(rm.ImpossibleReturnsError, match=r"line 4, column 'close': .* and 1 more"):
            rm.read_prices(path, rm.Long())


WRONG = {
    "a word": (WIDE.replace("0.005", "n.m."), r"line 3, column 'JPM': 'n.m.' came where a number"),
    "a percent sign": (WIDE.replace("0.005", "0.5%"), r"line 3, column 'JPM': '0.5%' came .*rm.read_percent_returns"),
    "after empty lines": (WIDE.replace("2024-01-04", "\n\n2024-01-04").replace("1e-3", "B"), r"line 6, column 'JPM'"),
    "a line cut off": (WIDE[:-6], r"line 4: 2 column\(s\) came where the header has 3"),
    "a decimal comma": (WIDE.replace("0.005", "0,005"), r"line 3: 4 column\(s\) came where the header has 3"),
    "semicolons": (WIDE.replace(",", ";"), r"line 1: commas must separate columns, .* separated by ';'"),
    "day first": (WIDE.replace("2024-01-03", "03/01/2024"), r"line 3, column 'date': '03/01/2024' came where a date"),
    "no date": (WIDE.replace("2024-01-03", ""), r"line 3, column 'date': nothing came where a date"),
    "no such day": (WIDE.replace("2024-01-03", "2024-02-30"), r"line 3, column 'date': '2024-02-30' came"),
    "nothing": ("", r"must have a line of column names and at least one row, but 0 line"),
    "a header only": ("date,MSFT\n", r"but 1 line\(s\) came"),
    "a column without a name": (WIDE.replace("MSFT", ""), r"line 1: column 2 has no name"),
    "no text": (WIDE.encode() + b"2024-01-05,\xff,1\n", r"line 5, byte 12: this is no text in UTF-8"),
    "half a gzip": (gzip.compress(WIDE.encode())[:-12], r"is no whole gzip file"),
    "semicolons and decimal commas": (
        WIDE.replace(",", ";").replace(".", ","),
        r"line 1: .* decimals take a point.* separated by ';'",
    ),
    "a separator at each end": (WIDE.replace("\n", ",\n"), r"line 1: column 4 has no name"),
    "a month among days": (WIDE.replace("2024-01-03", "2024-01"), r"line 3, column 'date': '2024-01' .* form of those"),
    "a year of two digits": (WIDE.replace("2024", "24"), r"line 2, column 'date': '24-01-02' came"),
    "a year out of reach": (WIDE.replace("2024-01-03", "9999-01-03"), r"line 3, column 'date': '9999-01-03' came"),
    "a number of days": (WIDE.replace("2024-01-02", "45293"), r"line 2, column 'date': '45293' came"),
    "no header": (WIDE.partition("\n")[2], r"line 1: '2024-01-02' came where the name of a column was expected"),
    "months without a header": ("202401,0.1\n202402,0.2\n", r"line 1: '202401' came where the name of a column"),
    "words for truth": ("date,A\n2024-01-02,True\n2024-01-03,False\n", r"line 2, column 'A': 'True' came where"),
    "an index before the dates": (
        "," + WIDE.replace("\n2", "\n0,2"),
        r"line 2, column 'date': '2024-01-02' .*rm.Wide\(date=...\)",
    ),
    "the next character set": (WIDE.replace("JPM", "Société").encode("latin-1"), r"line 1, byte 15: this is no text"),
    "UTF-16 without a mark": (WIDE.encode("utf-16-le"), r"line 1, byte 2: this is no text in UTF-8"),
    "an Excel workbook": (b"PK\x03\x04...", r"is a zip archive or an Excel workbook"),
    "a page that says no": ("<html>\n<body>not found</body>\n", r"line 1: commas must separate columns"),
    "a footer": (WIDE + "Copyright 2024\n", r"line 5: 1 column\(s\) came where the header has 3"),
    "an open quote": (WIDE.replace("0.01", '"0.01'), r"line 2: a quote is opened and not closed on its line"),
    "an open quote in the last cell": (WIDE.replace("-0.02", '"-0.02'), r"line 2: a quote is opened and not closed"),
    "an open quote in the last line": ('date,A,B\n20240102,0.01,"0.02', r"line 2: a quote is opened and not closed"),
    "an open quote in the header": (WIDE.replace("JPM", '"JPM'), r"line 1: a quote is opened and not closed"),
    "a cell without an end": (WIDE.replace("0.01", f'"{200_000 * "1"}"'), r"line 2: this is no line of columns: field"),
    "digits of another script": (WIDE.replace("0.01", "١"), r"line 2, column 'MSFT': '١' came where a number"),
    "thousands": (WIDE.replace("0.01", '"1,234.5"'), r"line 2, column 'MSFT': '1,234.5' came .* left empty\.$"),
    "a mark for what is missing": (WIDE.replace("0.005", "-"), r"'-' came .* missing number, leave the cell empty"),
    "an error of Excel": (WIDE.replace("0.005", "#DIV/0!"), r"'#DIV/0!' came .* missing number, leave the cell empty"),
    "no meaning": (WIDE.replace("0.01", "n/m"), r"line 2, column 'MSFT': 'n/m' came .* leave the cell empty"),
    "a word among numbers": (WIDE.replace("0.005", "halted"), r"'halted' came .* missing number, leave the cell empty"),
    "Excel's separator": ("sep=,\n" + WIDE, r"line 1: 'sep=,' is for Excel alone; take this line out"),
    "Excel's separator in quotes": ('"sep=,"\n' + WIDE, r"line 1: .* is for Excel alone; take this line out"),
    "gzip twice": (gzip.compress(gzip.compress(WIDE.encode())), r"is compressed with gzip twice"),
    "no such time": (
        WIDE.replace("2024-01-03", "2024-01-03 99:99 zz"),
        r"line 3, column 'date': '2024-01-03 99:99 zz'",
    ),
    "half a time": (WIDE.replace("2024-01-03", "2024-01-03 16:00:"), r"line 3, column 'date': '2024-01-03 16:00:'"),
    "a time and more": (WIDE.replace("2024-01-03", "2024-01-03 16:00 x y"), r"line 3, column 'date': '2024-01-03 16"),
    "a long file": (LONG, r"line 2, column 'asset': 'MSFT' came .* layout=rm.Long"),
}


class TestQuotes:
    """A quote that is left open takes the lines below for its cell: rows would be gone without a word."""

    rows = "date,permno,ret,note\n20240102,A,0.01,{}\n20240103,A,0.02,\n20240104,A,0.03,{}\n20240105,A,0.04,\n"

    def test_open_in_a_column_that_is_not_read(self, file):
        with pytest.raises(rm.LayoutError, match=r"line 2: a quote is opened and not closed"):
            rm.read_returns(file(self.rows.format('"', '"')), rm.Long("date", "permno", "ret"))

    def test_open_in_a_label(self, file):
        text = 'date,ret,asset\n20240102,0.01,"A\n20240103,0.02,B"\n20240104,0.03,C\n'
        with pytest.raises(rm.LayoutError, match=r"line 2: a quote is opened and not closed"):
            rm.read_returns(file(text), rm.Long("date", "asset", "ret"))

    @pytest.mark.parametrize("note", ['"said ""so"", twice"', '5" pipe', '"" ', '"a"b'])
    def test_closed_or_inside_a_word_is_text(self, file, note):
        came = rm.read_returns(file(self.rows.format(note, note)), rm.Long("date", "permno", "ret"))
        assert came["A"].tolist() == [0.01, 0.02, 0.03, 0.04]

    def test_rows_are_counted_whatever_was_read(self, file, monkeypatch):
        parsed = files._parsed
        monkeypatch.setattr(files, "_parsed", lambda *given: parsed(*given).iloc[1:])
        with pytest.raises(rm.LayoutError, match="3 lines are there, but 2 rows were read"):
            rm.read_returns(file(WIDE))


class TestWhatGoesWrong:
    @pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
    def test_says_where(self, file, text, message):
        path = file(text)
        with pytest.raises(rm.LayoutError, match=message) as caught:
            rm.read_returns(path)
        assert str(path) in str(caught.value)
        assert isinstance(caught.value, rm.DataError)

    def test_a_date_twice(self, file):
        with pytest.raises(rm.DuplicateDatesError, match=r"line 4, column 'date': 2024-01-03 comes a second time"):
            rm.read_returns(file(WIDE.replace("2024-01-04", "2024-01-03")))

    def test_an_asset_twice_on_a_date(self, file):
        with pytest.raises(rm.DuplicateDatesError, match=r"line 4, column 'return': MSFT on 2024-01-02 comes a second"):
            rm.read_returns(file(LONG.replace("2024-01-02,JPM", "2024-01-02,MSFT")), rm.Long())

    def test_a_column_twice(self, file):
        with pytest.raises(rm.DuplicateLabelsError, match=r"line 1: column\(s\) JPM came more than once"):
            rm.read_returns(file(WIDE.replace("MSFT", "JPM")))

    def test_a_row_of_no_asset(self, file):
        with pytest.raises(rm.LayoutError, match=r"line 4, column 'asset': no asset is named"):
            rm.read_returns(file(LONG.replace("2024-01-02,JPM", "2024-01-02,")), rm.Long())

    def test_columns_that_are_not_there(self, file):
        with pytest.raises(rm.LayoutError, match=r"has no column 'permno'; it has date, asset, return"):
            rm.read_returns(file(LONG), rm.Long(asset="permno"))
        with pytest.raises(rm.LayoutError, match=r"must have one column of numbers .* it has MSFT, JPM"):
            rm.read_returns(file("date,asset,MSFT,JPM\n2024-01-02,A,1,2\n"), rm.Long())
        with pytest.raises(rm.InvalidParameterError, match="must be different columns"):
            rm.read_returns(file(LONG), rm.Long(value="asset"))

    @pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e400"])
    def test_infinite_numbers(self, file, cell):
        for read in (rm.read_returns, rm.read_percent_returns, rm.read_prices):
            with pytest.raises(rm.InfiniteReturnsError, match=r"line 3, column 'MSFT': a number is infinite; a return"):
                read(file(WIDE.replace("\n2024-01-03,", f"\n2024-01-03,{cell}")))

    def test_a_file_that_is_not_what_its_name_says(self, file):
        with pytest.raises(rm.LayoutError, match=r"f.parquet is no Parquet file, whatever its name"):
            rm.read_returns(file(WIDE, "f.parquet"))

    def test_prices_on_one_date(self, file):
        with pytest.raises(rm.LayoutError, match="prices on two dates at least"):
            rm.read_prices(file("date,A\n2024-01-02,5\n"))

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(rm.SourceError, match=r"nowhere.csv cannot be opened: No such file"):
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
        with pytest.raises(rm.InvalidParameterError, match="layout must be"):
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
