"""Files of positions: what is read, and what is refused with its place."""

from __future__ import annotations

import pandas as pd
import pytest

import riskmodel as rm


@pytest.fixture
def written(tmp_path):
    def write(text, name="positions.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def read(written):
    def of(text, *args, **kwargs):
        return rm.read_positions(written(text), *args, **kwargs)

    return of


@pytest.mark.parametrize(
    "text",
    [
        "asset,dollars\nA,1000.5\nB,-200\n",
        "Ticker,Market Value\nA,1000.5\nB,-200\n",
        "ticker;market_value\nA;1000,5\nB;-200\n",
        'symbol,USD\nA,"$1,000.50"\nB,(200)\n',
        "asset,quantity,price\nA,2001,0.5\nB,-10,20\n",
        "asset\tshares\tpx\nA\t2001\t0.5\nB\t-10\t20\n",
        "asset,shares,px,mv\nA,2001,0.5,1000.5\nB,-10,20.1,-200\n",
    ],
)
def test_what_is_read(read, text):
    assert read(text).dollars.to_dict() == {"A": 1000.5, "B": -200.0}


def test_groups_and_date(read):
    book = read("as of,asset,dollars,sector\n2024-01-31,A,5,tech\n2024-01-31,B,-2,oil\n")
    assert book.groups.to_dict() == {"A": "tech", "B": "oil"}
    assert book.date == pd.Timestamp("2024-01-31")


def test_weights_need_a_nav(read):
    text = "asset,weight\nA,0.75\nB,-0.25\n"
    assert read(text, nav=2e6).dollars.to_dict() == {"A": 1.5e6, "B": -5e5}
    with pytest.raises(rm.InvalidParameterError) as caught:
        read(text)
    assert caught.value.details["parameter"] == "nav"


def test_prices_of_the_caller(read):
    text = "asset,quantity\nA,10\nB,-5\n"
    assert read(text, prices={"B": 2.0, "A": 1.0, "C": 0.0}).dollars.to_dict() == {"A": 10.0, "B": -10.0}
    with pytest.raises(rm.LayoutError) as caught:
        read(text, prices={"A": 1.0})
    assert (caught.value.details["asset"], caught.value.details["line"]) == ("B", 3)


def test_columns_that_the_caller_names(read):
    text = "id,qty,exposure,desk\nA,1,30,x\nB,2,-40,y\n"
    book = read(text, rm.PositionColumns(asset="id", dollars="exposure"))
    assert book.dollars.to_dict() == {"A": 30.0, "B": -40.0}
    assert book.groups.to_dict() == {"A": "x", "B": "y"}


def test_columns_that_are_not_read_are_said(written):
    path = written("asset,dollars,trader\nA,1,Ann\n")
    with pytest.warns(rm.ChosenColumnWarning) as said:
        rm.read_positions(path)
    assert said[0].message.details["left"] == ["trader"]


def test_parquet_keeps_its_labels(tmp_path):
    frame = pd.DataFrame({"asset": [10107, 14593], "dollars": [1.0, 2.0], "date": pd.Timestamp("2024-01-31")})
    frame.to_parquet(tmp_path / "book.parquet")
    book = rm.read_positions(tmp_path / "book.parquet")
    assert book.dollars.to_dict() == {10107: 1.0, 14593: 2.0}
    assert book.date == pd.Timestamp("2024-01-31")
    frame.set_index("asset").to_parquet(tmp_path / "indexed.parquet")
    assert rm.read_positions(tmp_path / "indexed.parquet").dollars.equals(book.dollars)


HISTORY = "date,asset,dollars\n2024-02-29,A,5\n2024-01-31,A,3\n2024-01-31,B,-1\n2024-03-31,C,7\n"


class TestHistory:
    def test_dates_by_assets(self, written):
        frame = rm.read_position_history(written(HISTORY))
        assert frame.index.tolist() == list(pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-31"]))
        assert frame.to_dict("list") == {"A": [3.0, 5.0, 0.0], "B": [-1.0, 0.0, 0.0], "C": [0.0, 0.0, 7.0]}

    def test_the_latest_on_or_before_a_date(self, written):
        path = written(HISTORY)
        for asked, day in {"2024-02-29": "2024-02-29", "2024-03-15": "2024-02-29", "2025": "2024-03-31"}.items():
            assert rm.read_positions(path, date=asked).date == pd.Timestamp(day)
        assert rm.read_positions(path, date="2024-02-01").dollars.to_dict() == {"A": 3.0, "B": -1.0}

    @pytest.mark.parametrize("asked", [None, "2023-12-31"])
    def test_a_date_that_is_not_known(self, written, asked):
        with pytest.raises(rm.UnknownDateError):
            rm.read_positions(written(HISTORY), date=asked)

    def test_a_history_needs_dates(self, written):
        with pytest.raises(rm.LayoutError):
            rm.read_position_history(written("asset,dollars\nA,1\n"))

    def test_weights_in_percent(self, written):
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.read_position_history(written("date,asset,weight\n2024-01-31,A,60\n2024-01-31,B,40\n"))
        assert caught.value.details["net"] == 100.0


@pytest.mark.parametrize(
    ("text", "error", "details"),
    [
        ("asset,dollars\nA,1\nB,2\nA,3\n", rm.DuplicateLabelsError, {"line": 4, "labels": ["A"]}),
        ("asset,quantity\nA,1\n", rm.LayoutError, {"columns": ["asset", "quantity"]}),
        ("asset,quantity,price\nA,1,-2\n", rm.LayoutError, {"line": 2, "column": "price", "asset": "A"}),
        ("asset,dollars\nA,1\nB,\n", rm.LayoutError, {"line": 3, "column": "dollars"}),
        ("asset,dollars\nA,1\nB,inf\n", rm.LayoutError, {"line": 3, "column": "dollars"}),
        ("asset,dollars\nA,1\n,2\n", rm.LayoutError, {"line": 3, "column": "asset"}),
        ("asset,dollars,sector\nA,1,\n", rm.LayoutError, {"line": 2, "column": "sector"}),
        ("asset,dollars\nA,1\nTotal,1\n", rm.LayoutError, {"line": 3, "got": "Total"}),
        ("asset,dollars\nA,many\n", rm.LayoutError, {"line": 2, "column": "dollars", "got": "many"}),
        ("asset,weight\nA,60%\nB,40%\n", rm.LayoutError, {"line": 2, "column": "weight", "got": "60%"}),
        ("asset,weight\nA,60\nB,40\n", rm.InvalidParameterError, {"net": 100.0}),
        ('asset,dollars\nA,"1,234"\n', rm.LayoutError, {"line": 2, "got": "1,234"}),
        ("asset,dollars,weight\nA,1,0.1\n", rm.LayoutError, {"columns": ["dollars", "weight"]}),
        ("asset,price\nA,1\n", rm.LayoutError, {"columns": []}),
        ("name,dollars\nA,1\n", rm.LayoutError, {"columns": ["name", "dollars"]}),
        ("asset,shares,price,dollars\nA,10,5,50\nB,10,5,500\n", rm.LayoutError, {"line": 3, "valued": 50.0}),
        ("asset,dollars,ccy\nA,1,USD\nB,2,EUR\n", rm.LayoutError, {"currencies": ["USD", "EUR"]}),
        ("asset,dollars\nA,1,2\n", rm.LayoutError, {"line": 2}),
        ("date,asset,dollars\n2024-13-01,A,1\n", rm.LayoutError, {"line": 2}),
        ("", rm.LayoutError, {"lines": 0}),
        ("asset,dollars\nA,0\n", rm.InvalidParameterError, {"parameter": "dollars"}),
    ],
)
def test_what_is_refused(read, text, error, details):
    with pytest.raises(error) as caught:
        read(text, nav=1e6)
    assert {name: caught.value.details[name] for name in details} == details


def test_text_in_parquet(tmp_path):
    pd.DataFrame({"asset": ["A"], "dollars": ["1"]}).to_parquet(tmp_path / "book.parquet")
    with pytest.raises(rm.LayoutError) as caught:
        rm.read_positions(tmp_path / "book.parquet")
    assert caught.value.details["column"] == "dollars"


def test_a_column_that_is_not_there(read):
    with pytest.raises(rm.LayoutError) as caught:
        read("asset,dollars\nA,1\n", rm.PositionColumns(dollars="mv"))
    assert caught.value.details["missing"] == "mv"


def test_two_measures_are_refused():
    with pytest.raises(rm.InvalidParameterError) as caught:
        rm.PositionColumns(dollars="mv", quantity="qty")
    assert caught.value.details["columns"] == ["dollars", "quantity"]
