"""Open, high, low and close are columns of one asset, wherever assets are read."""

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel._core.bars import are_bars, close_of, field_of

DAYS = pd.bdate_range("2024-01-01", periods=30)
RNG = np.random.default_rng(0)
MARKET = pd.Series(RNG.normal(0, 0.01, 30), DAYS, name="Mkt-RF")


def frame(*names):
    return pd.DataFrame(RNG.normal(0, 0.01, (30, len(names))), DAYS, list(names))


DOORS = {
    "InMemory": lambda returns, path: rm.InMemory(returns, factors=MARKET, risk_free=0.0, horizon=rm.DAY),
    "ReturnPanel": lambda returns, path: rm.ReturnPanel.align(returns, MARKET, 0 * MARKET, horizon=rm.DAY),
    "StoredPanel": lambda returns, path: rm.StoredPanel.array(
        returns.to_numpy(), dates=DAYS, assets=returns.columns, factors=MARKET, risk_free=0.0, horizon=rm.DAY
    ),
    "Parquet": lambda returns, path: rm.StoredPanel.parquet(path, factors=MARKET, risk_free=0.0, horizon=rm.DAY),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "names",
    [
        ("Open", "High", "Low", "Close", "Adj Close", "Volume"),
        ("close", "high", "vol"),
        ("Close", "Volume"),
        ("A", "OPEN", "LOW", "CLOSE"),
    ],
)
def test_an_open_high_low_close_frame_is_refused(door, names, tmp_path):
    pytest.importorskip("pyarrow")
    returns = frame(*names)
    returns.to_parquet(tmp_path / "f.parquet")
    with pytest.raises(rm.LayoutError) as caught:
        DOORS[door](returns, tmp_path / "f.parquet")
    assert caught.value.details["columns"] == [name for name in names if name != "A"]


@pytest.mark.parametrize(
    "names",
    [
        ("LOW", "OPEN"),
        ("PRICE", "VOL"),
        ("Close", "VOL"),
        ("Open", "High", "Low"),
        ("Close",),
        ("A", "B", "C"),
        ("Low", "Mid", "High"),
        ("US Low", "US Mid", "US High"),
        ("LOW", "OPEN", "LAST", *(f"T{i}" for i in range(13))),
        ("BID", "ASK", *(f"T{i}" for i in range(13))),
        (1, 2, 3),
    ],
)
def test_other_labels_pass(names):
    panel = rm.ReturnPanel.align(frame(*names), MARKET, 0 * MARKET, horizon=rm.DAY)
    assert list(panel.assets) == list(names)


def test_the_adjusted_close_is_preferred():
    assert close_of(["Open", "Price", "Close", "Adj. Close"]) == "Adj. Close"
    assert close_of(["Last", "Price", "Close*"]) == "Close*"
    assert close_of(["Open", "High"]) is None


def test_spellings():
    spelled = ["1. open", "<HIGH>", "px_low", "Close/Last", "Adj Close**", "adjusted_close", "Vol.", "Change %", 3]
    fields = ["open", "high", "low", "close", "adjusted", "adjusted", "volume", "", ""]
    assert [field_of(name) for name in spelled] == fields
    assert not are_bars(["Open", "High", "Low", "Volume"])


def test_bars_beside_many_indicators():
    indicators = [f"RSI {i}" for i in range(30)]
    assert are_bars(["Open", "High", "Low", "Close", *indicators])
    assert not are_bars(["Low", "Open", "Last", *indicators])
    assert are_bars(["Bid", "Mid", "Ask"])
