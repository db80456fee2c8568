"""Parquet files that are damaged, or hold what no date is: errors of ours from every reader."""

import contextlib
import io
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskmodel as rm

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

DAYS = pd.bdate_range("2024-01-01", periods=40)
RNG = np.random.default_rng(0)
RETURNS = pd.DataFrame(RNG.normal(0, 0.01, (40, 2)), DAYS, ["A", "B"])
MARKET = pd.Series(RNG.normal(0, 0.01, 40), DAYS, name="Mkt-RF")

WIDE = rm.Wide()
READERS = {
    "read_returns": rm.read_returns,
    "StoredPanel": lambda path, layout=WIDE: rm.StoredPanel.parquet(
        path, factors=MARKET, risk_free=0.0, horizon=rm.DAY, layout=layout
    ).select(["A"]),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_page_that_its_checksum_contradicts(reader, tmp_path):
    path = tmp_path / "f.parquet"
    table = arrow.Table.from_pandas(RETURNS)
    parquet.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    at = content.find(RETURNS["A"].to_numpy()[30:31].tobytes())
    assert at > 0
    content[at + 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(rm.LayoutError) as caught:
        READERS[reader](path)
    assert caught.value.details["path"] == str(path)


def _stored(table):
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    return buffer.getvalue()


WHOLE = {
    rm.Wide(): _stored(RETURNS),
    rm.Long(): _stored(RETURNS.rename_axis("date").reset_index().melt("date", var_name="asset", value_name="r")),
}
NOTES = [
    b"{}", b"[]", b"{", b"\xff", b"3", b"null", b'{"index_columns": 3}', b'{"index_columns": ["x"]}',
    b'{"index_columns": [[1]], "columns": [], "column_indexes": []}',
    b'{"index_columns": [null], "columns": [3], "column_indexes": 3}',
    b'{"index_columns": [], "columns": [], "column_indexes": [3]}',
    b'{"index_columns": [], "columns": [], "column_indexes": [{"pandas_type": "int64"}]}',
    b'{"index_columns": [{"kind": "range", "start": 0, "stop": 5, "step": 0}], "columns": [], "column_indexes": []}',
    b'{"index_columns": ["date"], "columns": [{"name": "date", "field_name": "date", "pandas_type": "x", '
    b'"numpy_type": "x", "metadata": null}], "column_indexes": [{"pandas_type": "datetime", "numpy_type": "x"}]}',
]  # fmt: skip


@pytest.mark.parametrize("notes", NOTES)
@pytest.mark.parametrize("reader", READERS)
def test_damaged_metadata_for_pandas(reader, notes, tmp_path):
    path = tmp_path / "f.parquet"
    RETURNS.rename_axis("date").reset_index().to_parquet(path)
    table = parquet.read_table(path)
    parquet.write_table(table.replace_schema_metadata({b"pandas": notes}), path)
    try:
        READERS[reader](path)
    except rm.LayoutError as error:
        assert error.details["path"] == str(path)  # noqa: PT017 - some readers do without them


@pytest.mark.parametrize("unit", ["s", "ms", "us", "date32"])
@pytest.mark.parametrize("year", [20_000, 3_000, 1_600])
@pytest.mark.parametrize(("reader", "kind"), [("read_returns", rm.LayoutError), ("StoredPanel", rm.InvalidDatesError)])
def test_dates_that_are_out_of_reach(reader, kind, unit, year, tmp_path):
    path = tmp_path / "f.parquet"
    days = np.datetime64(f"{year}-01-03", "D") + np.arange(5)
    dates = (
        arrow.array(days.astype(np.int32)).cast("date32")
        if unit == "date32"
        else arrow.array(days.astype(f"M8[{unit}]"))
    )
    numbers = RETURNS["A"].to_numpy()[:5]
    tables = {
        rm.Wide(): {"date": dates, "A": numbers},
        rm.Long(): {"date": dates, "asset": ["A"] * 5, "r": numbers},
    }
    for layout, columns in tables.items():
        parquet.write_table(arrow.table(columns), path)
        with pytest.raises(kind) as caught:
            READERS[reader](path, layout)
        assert caught.value.details["path"] == str(path)


@given(st.integers(0, 2**31), st.integers(1, 8))
@settings(max_examples=40)
def test_damaged_bytes_give_errors_of_ours(seed, count):
    rng = np.random.default_rng(seed)
    for layout, whole in WHOLE.items():
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), count):
            damaged[at] = rng.integers(256)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "f.parquet"
            path.write_bytes(damaged)
            for reader in READERS.values():
                with contextlib.suppress(rm.RiskModelError):
                    reader(path, layout)


def test_a_layout_that_stored_panels_do_not_know(tmp_path):
    path = tmp_path / "f.parquet"
    RETURNS.rename_axis("date").to_parquet(path)
    for layout in (
        rm.Wide(("year", "month")),
        rm.Wide(dates="%d/%m/%Y"),
        rm.Long(dates="%d/%m/%Y"),
        rm.Crsp(),
        rm.French(),
    ):
        with pytest.raises(rm.InvalidParameterError) as caught:
            READERS["StoredPanel"](path, layout)
        assert caught.value.details["layout"] == layout


def test_columns_are_assets(tmp_path):
    path = tmp_path / "f.parquet"
    RETURNS.rename_axis("date").to_parquet(path)
    given = {"factors": MARKET, "risk_free": 0.0, "horizon": rm.DAY}
    assert list(rm.StoredPanel.parquet(path, layout=rm.Wide(columns=["B"]), **given).assets) == ["B"]
    with pytest.raises(rm.InvalidParameterError) as caught:
        rm.StoredPanel.parquet(path, layout=rm.Wide(columns=["B"]), assets=["A"], **given)
    assert caught.value.details == {"assets": ["A"], "columns": ["B"]}
