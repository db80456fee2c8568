"""What a cache fetches, keeps, serves, and survives."""

import datetime as dt
import itertools
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cache_writer
import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from french_server import Library, published

import riskmodel as rm
from riskmodel.data.cache.record import DamagedError, decode
from riskmodel.testing.providers import ProviderContract

DAYS = pd.bdate_range("2018-01-01", "2018-12-31")
LATER = dt.datetime(2020, 6, 1, 12, tzinfo=dt.UTC)


class Source(rm.DataProvider):
    """A provider that notes what it is asked, and can grow, be revised, and fail."""

    horizon = rm.DAY
    source = "made"

    def __init__(self, labels=("A", "B", "C"), days=DAYS, seed=0):
        rng = np.random.default_rng(seed)
        self.kept = pd.DataFrame(rng.normal(0, 0.01, (len(days), len(labels))), days, list(labels))
        self.calls, self.vintage, self.error = [], None, None

    def _answer(self, kind, names, start, end):
        self.calls.append((kind, list(names), *(str(d.date()) if d is not None else None for d in (start, end))))
        if self.error is not None:
            raise self.error
        unknown = [n for n in names if n not in self.kept]
        if unknown:
            raise (rm.UnknownAssetError if kind == "assets" else rm.UnknownFactorError)(
                f"unknown: {unknown}; known: {list(self.kept)}"
            )
        return self.kept[list(names)].loc[start:end]

    def asset_returns(self, assets, start=None, end=None):
        return self._answer("assets", assets, start, end)

    def factor_returns(self, names, start=None, end=None):
        return self._answer("factors", names, start, end)

    def risk_free(self, start=None, end=None):
        return self._answer("rate", [self.kept.columns[0]], start, end).iloc[:, 0].abs() / 100

    def provenance(self, assets=(), factors=()):
        return {} if self.vintage is None else {"file": self.vintage}

    def new_calls(self):
        calls, self.calls = self.calls, []
        return calls


class Clock:
    def __init__(self, now=LATER):
        self.now = now

    def __call__(self):
        return self.now

    def tick(self, **by):
        self.now += dt.timedelta(**by)


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def data(source, clock, tmp_path):
    return rm.Cached(source, tmp_path / "cache", clock=clock)


def same(came, expected):
    pd.testing.assert_frame_equal(came, expected, check_freq=False, check_index_type=False)
    assert came.index.tolist() == expected.index.tolist()


@pytest.fixture(scope="module")
def french():
    library = Library()
    published(library)
    yield library
    library.close()


def months():
    index = pd.period_range("2010-01", periods=60, freq="M")
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(0, 0.04, (60, 3)), index, ["A", "B", "F"])
    return rm.InMemory(frame[["A", "B"]], factors=frame["F"], risk_free=0.001, horizon=rm.MONTH)


@pytest.mark.parametrize("what", ["made by day", "made by month", "French library"])
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
class TestContract(ProviderContract):
    @pytest.fixture(autouse=True)
    def _made(self, what, warm, tmp_path, french):
        self.assets, self.factors = {
            "made by day": (["A", "C"], ["B"]),
            "made by month": (["A", "B"], ["F"]),
            "French library": (["Agric", "Food"], ["Mkt-RF", "Mom"]),
        }[what]
        provider = {
            "made by day": Source,
            "made by month": months,
            "French library": lambda: rm.FamaFrench(url=french.url, portfolios="49_Industry_Portfolios"),
        }[what]
        self._data = rm.Cached(provider(), tmp_path, name=what, clock=Clock())
        if warm:
            self._data.panel(self.assets, self.factors)

    def provider(self):
        return self._data


class TestWhatIsFetched:
    def test_the_whole_history_once(self, source, data):
        for window in [("2018-03", "2018-05"), ("2018-01", "2018-09"), (None, "2018-02"), ("1990", "2018-02")]:
            same(data.asset_returns(["B", "A"], *window), source.kept[["B", "A"]].loc[slice(*window)])
        assert source.new_calls() == [("assets", ["B", "A"], None, None)]
        assert data.info()["rows"].tolist() == [len(DAYS)] * 2

    def test_a_part_fetches_nothing(self, source, data):
        data.asset_returns(["A", "B", "C"], "2018-03", "2018-05")
        source.new_calls()
        same(data.asset_returns(["C"], "2018-04-03", "2018-04-20"), source.kept[["C"]].loc["2018-04-03":"2018-04-20"])
        assert source.new_calls() == []

    def test_labels_that_are_missing_are_asked_for_together(self, source, data):
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        source.new_calls()
        same(
            data.asset_returns(["C", "A", "B"], "2018-03-01", "2018-05-31"),
            source.kept[["C", "A", "B"]].loc["2018-03":"2018-05"],
        )
        assert source.new_calls() == [("assets", ["C", "B"], None, None)]

    def test_rows_without_a_return_are_those_of_the_source(self, source, data):
        source.kept.loc[:"2018-06", "B"] = np.nan
        for asked in (["A", "B"], ["B"]):
            same(data.asset_returns(asked, "2018-06"), source.kept[asked].loc["2018-06":])

    def test_a_window_without_a_row_is_asked_for(self, source, data):
        data.asset_returns(["A"])
        source.new_calls()
        assert data.asset_returns(["A"], "2017-01", "2017-06").shape == (0, 1)
        assert source.new_calls() == [("assets", ["A"], "2017-01-01", "2017-06-30")]

    def test_a_history_without_rows_is_not_stored(self, source, data):
        whole, source.kept = source.kept, source.kept.iloc[:0]
        assert data.asset_returns(["A"]).shape == (0, 1)
        assert data.info().empty
        source.kept = whole
        same(data.asset_returns(["A"]), whole[["A"]])

    def test_a_new_object_and_another_process_find_it(self, source, data, clock):
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        source.new_calls()
        again = rm.Cached(source, str(data.folder), clock=clock)
        same(again.asset_returns(["A"], "2018-03-01", "2018-05-31"), source.kept[["A"]].loc["2018-03":"2018-05"])
        assert source.new_calls() == []

    def test_factors_assets_and_the_rate_are_apart(self, source, data):
        data.panel(["A"], ["A"])
        assert sorted(c[0] for c in source.new_calls()) == ["assets", "factors", "rate"]
        panel = data.panel(["A"], ["A"])
        assert source.new_calls() == []
        pd.testing.assert_frame_equal(panel.excess_returns, source.panel(["A"], ["A"]).excess_returns)

    def test_no_labels(self, data):
        assert data.factor_returns([]).shape == (len(DAYS), 0)

    def test_labels_that_look_alike(self, tmp_path):
        source = Source([10107, "10107"])
        data = rm.Cached(source, tmp_path)
        for label in (10107, "10107"):
            np.testing.assert_array_equal(data.asset_returns([label]), source.kept[[label]])
        source.new_calls()
        data.asset_returns([np.int64(10107)])
        assert source.new_calls() == []

    def test_sources_in_one_folder_are_apart(self, source, data, clock):
        other = Source(seed=1)
        other.source = "another"
        data.asset_returns(["A"])
        same(rm.Cached(other, data.folder, clock=clock).asset_returns(["A"]), other.kept[["A"]])
        same(data.asset_returns(["A"]), source.kept[["A"]])


class TestTheEndOfTheWindow:
    """Rows may still come after the last one that is known."""

    def test_an_open_end_is_asked_once_a_day(self, source, data, clock):
        data.asset_returns(["A"])
        source.new_calls()
        data.asset_returns(["A"])
        assert source.new_calls() == []
        for _ in range(2):  # an end that the source might refuse
            data.asset_returns(["A"], end="2020-05-29")
        assert source.new_calls() == [("assets", ["A"], "2019-01-01", "2020-05-29")]
        clock.tick(days=1)
        data.asset_returns(["A"])
        data.asset_returns(["A"])
        assert source.new_calls() == [("assets", ["A"], "2019-01-01", None)]

    def test_what_came_since_is_appended(self, source, data, clock):
        whole, source.kept = source.kept, source.kept.loc[:"2018-10"]
        same(data.asset_returns(["A", "B"]), whole[["A", "B"]].loc[:"2018-10"])
        clock.tick(days=40)
        source.kept = whole
        source.new_calls()
        same(data.asset_returns(["A", "B"]), whole[["A", "B"]])
        assert source.new_calls() == [("assets", ["A", "B"], "2018-11-01", None)]

    def test_a_weekend_long_ago_is_settled(self, source, data, clock):
        data.asset_returns(["A"], "2018-03-01", "2018-04-01")  # Easter Sunday
        clock.tick(days=9)
        source.new_calls()
        data.asset_returns(["A"], "2018-03-01", "2018-04-01")
        assert source.new_calls() == []

    def test_a_weekend_just_past_is_not(self, source, data, clock):
        clock.now = dt.datetime(2018, 4, 3, tzinfo=dt.UTC)
        whole, source.kept = source.kept, source.kept.loc[:"2018-03-27"]
        data.asset_returns(["A"], "2018-03-01", "2018-04-01")
        clock.tick(days=1)
        source.kept = whole
        same(data.asset_returns(["A"], "2018-03-01", "2018-04-01"), whole[["A"]].loc["2018-03"])

    def test_a_series_that_lags_behind_the_others_is_asked_for_again(self, source, data, clock):
        whole = source.kept
        source.kept = whole.copy()
        source.kept.loc["2018-12", "B"] = np.nan
        data.factor_returns(["A", "B"])
        clock.tick(days=30)
        source.kept = whole
        same(data.factor_returns(["A", "B"]), whole[["A", "B"]])

    def test_an_asset_that_ended_is_not_asked_for_with_the_others(self, source, data, clock):
        source.kept.loc["2018-06":, "B"] = np.nan
        data.asset_returns(["A", "B"], end="2018-12-31")
        clock.tick(days=1)
        source.new_calls()
        same(data.asset_returns(["A", "B"], end="2018-12-31"), source.kept[["A", "B"]])
        assert source.new_calls() == []

    def test_months_are_whole(self, clock, tmp_path):
        class FirstDays(Source):
            """Monthly rows labelled by the first day."""

            horizon = rm.MONTH

        source = FirstDays(days=pd.date_range("2010-01-01", periods=48, freq="MS"))
        data = rm.Cached(source, tmp_path, clock=clock)
        parts = [data.asset_returns(["A"], start, end) for start, end in [("2010-03-15", "2010-06-15"), (None, None)]]
        assert parts[0].index.tolist() == pd.to_datetime(["2010-03-31", "2010-04-30", "2010-05-31"]).tolist()
        np.testing.assert_array_equal(parts[1], source.kept[["A"]])

    def test_months_that_came_since_are_appended(self, clock, tmp_path):
        class FirstDays(Source):
            horizon = rm.MONTH

        source = FirstDays(days=pd.date_range("2010-01-01", periods=48, freq="MS"))
        whole, source.kept = source.kept, source.kept.loc[:"2013-06"]
        data = rm.Cached(source, tmp_path, clock=clock)
        data.asset_returns(["A"])
        clock.tick(days=1)
        source.kept = whole
        source.new_calls()
        np.testing.assert_array_equal(data.asset_returns(["A"]), whole[["A"]])
        assert source.new_calls() == [("assets", ["A"], "2013-07-01", None)]


class TestAge:
    @pytest.fixture
    def data(self, source, clock, tmp_path):
        return rm.Cached(source, tmp_path, clock=clock, max_age=dt.timedelta(days=30))

    def test_what_is_too_old_is_fetched_again(self, source, data, clock):
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        clock.tick(days=30)
        source.new_calls()
        data.asset_returns(["A"], "2018-04-02", "2018-04-30")
        assert source.new_calls() == []
        source.kept += 0.01  # history is revised
        clock.tick(seconds=1)
        same(data.asset_returns(["A"], "2018-04-02", "2018-06-29"), source.kept[["A"]].loc["2018-04":"2018-06"])
        assert source.new_calls() == [("assets", ["A"], None, None)]

    def test_an_extension_does_not_make_it_younger(self, source, data, clock):
        whole, source.kept = source.kept, source.kept.loc[:"2018-10"]
        data.asset_returns(["A"])
        clock.tick(days=20)
        source.kept = whole
        same(data.asset_returns(["A"]), whole[["A"]])
        clock.tick(days=11)
        source.new_calls()
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        assert source.new_calls() == [("assets", ["A"], None, None)]

    @pytest.mark.parametrize("age", [30, dt.timedelta(days=-1), "30d"])
    def test_an_age_is_a_timedelta(self, source, tmp_path, age):
        with pytest.raises(rm.InvalidParameterError, match="max_age"):
            rm.Cached(source, tmp_path, max_age=age)


class TestVintages:
    def revise(self, source):
        source.kept, source.vintage = source.kept + 0.001, f"{int(source.vintage) + 1}"

    @pytest.fixture
    def source(self):
        source = Source()
        source.vintage = "202407"
        return source

    def test_a_new_vintage_replaces_all_of_it(self, source, data, clock):
        data.asset_returns(["A", "B"])
        assert data.provenance(["A"]) == {"file": "202407"}
        clock.tick(days=1)
        self.revise(source)
        source.new_calls()
        same(data.asset_returns(["A", "B"]), source.kept[["A", "B"]])
        assert source.new_calls() == [("assets", ["A", "B"], "2019-01-01", None), ("assets", ["A", "B"], None, None)]
        assert data.provenance(["A"]) == {"file": "202408"}
        assert set(data.info()["vintage"]) == {"file: 202408"}

    @pytest.mark.parametrize("again", [False, True], ids=["same object", "new object"])
    def test_assets_fetched_at_two_releases_are_of_one_vintage(self, source, data, clock, again):
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        self.revise(source)
        clock.tick(days=1)
        data.asset_returns(["B"], "2018-03-01", "2018-05-31")
        if again:
            data = rm.Cached(source, data.folder, clock=clock)
        same(
            data.asset_returns(["A", "B"], "2018-03-01", "2018-05-31"), source.kept[["A", "B"]].loc["2018-03":"2018-05"]
        )
        assert data.panel(["A", "B"], []).provenance == {"file": "202408"}

    @pytest.mark.parametrize("asked", [["A", "B"], ["B", "A"]])
    def test_two_series_of_one_answer_are_of_one_vintage(self, source, data, asked):
        data.asset_returns(["A"])
        self.revise(source)
        same(data.asset_returns(asked), source.kept[asked])

    def test_a_release_between_two_answers(self, source, data, clock):
        data.asset_returns(["A"])
        clock.tick(days=1)
        answer = source._answer

        def answers(kind, names, start, end):
            if names == ["B"]:
                self.revise(source)
            return answer(kind, names, start, end)

        source._answer = answers
        same(data.asset_returns(["A", "B"]), source.kept[["A", "B"]])

    def test_a_vintage_that_never_rests_is_told(self, source, data):
        source.provenance = lambda assets=(), factors=(): {"file": f"of {[*assets, *factors]}"}
        with pytest.warns(rm.MixedVintagesWarning, match=r"of \['A'\] \(A\); of \['B'\] \(B\)"):
            data.asset_returns(["A", "B"])

    def test_offline_two_vintages_are_told(self, source, data, clock):
        data.asset_returns(["A", "C"])
        self.revise(source)
        clock.tick(days=1)
        data.asset_returns(["B"])
        source.error = rm.SourceError("no network")
        with (
            pytest.warns(rm.StaleDataWarning, match="no network"),
            pytest.warns(rm.MixedVintagesWarning, match=r"file: 202407 \(A, C\); 202408 \(B\)"),
        ):
            data.asset_returns(["A", "B", "C"])

    def test_a_new_end_is_never_joined_to_an_old_vintage(self, source, data, clock):
        old = source.kept.loc[:"2018-10", ["A"]]
        source.kept = source.kept.loc[:"2018-10"]
        data.asset_returns(["A"])
        clock.tick(days=1)
        source.kept = Source().kept
        self.revise(source)
        answer = source._answer

        def breaks_off(kind, names, start, end):
            if start is None:
                raise ConnectionResetError("midway")
            return answer(kind, names, start, end)

        source._answer = breaks_off
        with pytest.warns(rm.StaleDataWarning):
            same(data.asset_returns(["A"]), old)
        source._answer = answer
        same(data.asset_returns(["A"]), source.kept[["A"]])

    def test_a_panel_tells_what_is_mixed_and_the_next_one_is_not(self, source, data):
        data.asset_returns(["A"])
        self.revise(source)
        with pytest.warns(rm.MixedVintagesWarning, match=r"202407 \(A\); 202408 \(B, risk_free\)"):
            panel = data.panel(["A"], ["B"])
        assert panel.provenance == {"file": "202407, 202408"}
        assert data.panel(["A"], ["B"]).provenance == {"file": "202408"}

    def test_of_the_french_library(self, french, tmp_path, clock):
        french_data = rm.FamaFrench(url=french.url)
        data = rm.Cached(french_data, tmp_path, clock=clock)
        data.factor_returns(["Mom"])
        again = rm.Cached(rm.FamaFrench(url=french.url), tmp_path, clock=clock)
        asked = len(french.requests)
        assert again.provenance([], ["Mom"])["F-F_Momentum_Factor_daily"] == "202407 CRSP"
        assert len(french.requests) == asked, "what is kept says so itself"


class TestOffline:
    def test_it_serves_what_it_has_and_says_how_old(self, source, data, clock):
        data.asset_returns(["A"])
        clock.tick(days=12, hours=3)
        source.error = rm.SourceError("no route to host")
        with pytest.warns(rm.StaleDataWarning, match=r"made .*no route to host.* 2018-12-31.* 12 days 03:00:00"):
            came = data.asset_returns(["A"], "2018-02-01")
        same(came, source.kept[["A"]].loc["2018-02":])

    def test_within_what_it_has_nothing_is_said(self, source, data):
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        source.error = ConnectionResetError("gone")
        same(data.asset_returns(["A"], "2018-04-02", "2018-04-30"), source.kept[["A"]].loc["2018-04"])

    def test_what_is_too_old_is_better_than_nothing(self, source, clock, tmp_path):
        data = rm.Cached(source, tmp_path, clock=clock, max_age=dt.timedelta(hours=1))
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        clock.tick(hours=2)
        source.error = TimeoutError("no answer")
        with pytest.warns(rm.StaleDataWarning, match="02:00:00 ago"):
            same(data.asset_returns(["A"], "2018-03-01", "2018-05-31"), source.kept[["A"]].loc["2018-03":"2018-05"])

    @pytest.mark.parametrize(
        ("asked", "window"), [(["A", "B"], ("2018-03", "2018-05")), (["A"], ("2019-07", "2019-08"))]
    )
    def test_what_it_lacks_is_the_error_of_the_source(self, source, data, asked, window):
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        source.error = rm.SourceError("no route to host")
        with pytest.raises(rm.SourceError, match="no route to host"):
            data.asset_returns(asked, *window)

    def test_other_errors_are_not_hidden(self, source, data, clock):
        data.asset_returns(["A"])
        clock.tick(days=1)
        source.error = rm.LayoutError("the file has changed")
        with pytest.raises(rm.LayoutError):
            data.asset_returns(["A"])

    def test_nothing_is_lost_by_an_answer_that_broke_off(self, source, data, clock):
        whole, source.kept = source.kept, source.kept.loc[:"2018-10"]
        data.asset_returns(["B"])
        clock.tick(days=1)
        source.kept, answer = whole, source._answer

        def breaks_off(kind, names, start, end):
            if start is None:
                raise ConnectionResetError("midway")
            return answer(kind, names, start, end)

        source._answer = breaks_off
        with pytest.raises(ConnectionResetError):
            data.asset_returns(["A", "B"])
        assert data.info()["label"].tolist() == ["B"]
        same(data.asset_returns(["B"]), whole[["B"]])

    def test_of_the_french_library(self, tmp_path, clock):
        library = Library()
        published(library)
        first = rm.Cached(rm.FamaFrench(url=library.url, retries=0), tmp_path, clock=clock)
        panel = rm.Joined(assets=Source(["A"], pd.bdate_range("1963-06-03", periods=60)), factors=first).panel(
            ["A"], ["HML"]
        )
        library.close()
        clock.tick(days=2)
        data = rm.Cached(rm.FamaFrench(url=library.url, retries=0), tmp_path, clock=clock)
        with pytest.warns(rm.StaleDataWarning, match="2 days 00:00:00 ago"):
            offline = rm.Joined(assets=Source(["A"], pd.bdate_range("1963-06-03", periods=60)), factors=data).panel(
                ["A"], ["HML"]
            )
        pd.testing.assert_frame_equal(offline.factor_returns, panel.factor_returns)
        assert offline.provenance == panel.provenance == {"F-F_Research_Data_Factors_daily": "202407 CRSP"}


class TestDamage:
    def file(self, data):
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        return Path(data.info()["file"].item())

    @pytest.mark.parametrize(
        "damage",
        {
            "half": lambda whole: whole[: len(whole) // 2],
            "empty": lambda whole: b"",
            "garbage": lambda whole: b"PAR1" + b"\xff" * 500 + b"PAR1",
            "zeros": lambda whole: bytes(len(whole)),
            "one bit": lambda whole: whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        }.items(),
        ids=lambda item: item[0],
    )
    def test_a_damaged_entry_is_fetched_again_and_told(self, source, data, damage):
        path = self.file(data)
        path.write_bytes(damage[1](path.read_bytes()))
        source.new_calls()
        assert data.info()["label"].isna().all()
        with pytest.warns(rm.DamagedEntryWarning, match="with A of made"):
            came = data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        same(came, source.kept[["A"]].loc["2018-03":"2018-05"])
        assert source.new_calls() == [("assets", ["A"], None, None)]
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        assert source.new_calls() == []

    def test_no_flipped_byte_changes_what_is_read(self, data):
        whole = self.file(data).read_bytes()
        facts, series = decode(whole)
        for i in range(0, len(whole), 3):
            try:
                came = decode(whole[:i] + bytes([whole[i] ^ 0x55]) + whole[i + 1 :])
            except DamagedError:
                continue
            assert came[0] == facts
            pd.testing.assert_series_equal(came[1], series)

    def test_a_file_in_the_place_of_another(self, source, data):
        a = self.file(data)
        data.asset_returns(["B"], "2018-03-01", "2018-05-31")
        b = next(Path(f) for f in data.info()["file"] if Path(f) != a)
        b.write_bytes(a.read_bytes())
        with pytest.warns(rm.DamagedEntryWarning, match="it holds A of the assets"):
            same(data.asset_returns(["B"], "2018-03-01", "2018-05-31"), source.kept[["B"]].loc["2018-03":"2018-05"])

    def test_a_file_of_another_source(self, source, data, clock):
        other = rm.Cached(source, data.folder, name="other", clock=clock)
        other.asset_returns(["A"])
        self.file(data).write_bytes(Path(other.info()["file"].item()).read_bytes())
        with pytest.warns(rm.DamagedEntryWarning, match="other"):
            data.asset_returns(["A"])

    def test_a_file_of_another_version_is_just_not_there(self, source, data, monkeypatch):
        self.file(data)
        monkeypatch.setattr("riskmodel.data.cache.store._FORMAT", 3)
        source.new_calls()
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        assert len(source.new_calls()) == 1


class TestWriting:
    def writer(self, folder, rounds, *point):
        command = [sys.executable, cache_writer.__file__, str(folder), str(rounds), *point]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kept(self, folder):
        info = cache_writer.cached(folder, cache_writer.Turns()).info()
        series = decode(Path(info["file"].item()).read_bytes())[1]
        assert cache_writer.whole(series.to_frame("A"))
        return float(series.iloc[0])

    @pytest.mark.parametrize(
        ("point", "expected"),
        [("written, not flushed", 0.01), ("flushed, not in place", 0.01), ("in place", 0.02)],
    )
    def test_killed_at_each_point_of_a_write(self, tmp_path, point, expected):
        with self.writer(tmp_path, 2, point) as process:
            out, err = process.communicate()
        assert process.returncode == -9, err
        assert out.split() == ["0"]
        assert self.kept(tmp_path) == expected
        data = cache_writer.cached(tmp_path, cache_writer.Turns())
        left = list(tmp_path.rglob("*.tmp"))
        assert len(left) == (0 if point == "in place" else 1)
        for path in left:
            os.utime(path, (0, 0))
        assert data.clear() == 1
        left = [p for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".lock"]
        assert left == [], "clear takes away what the killed process left"

    def test_killed_at_any_time(self, tmp_path):
        for rounds in (1, 3, 6):
            with self.writer(tmp_path, 10**6) as process:
                for _ in range(rounds):
                    process.stdout.readline()
                process.kill()
                process.communicate()
            assert self.kept(tmp_path) in (0.01, 0.02)

    def test_two_processes_at_once(self, tmp_path):
        writers = [self.writer(tmp_path, 25) for _ in range(2)]
        for process in writers:
            with process:
                out, err = process.communicate()
            assert process.returncode == 0, err
            assert len(out.split()) == 25
        assert self.kept(tmp_path) in (0.01, 0.02)
        assert len(list(tmp_path.rglob("*.tmp"))) == 0

    def test_a_write_that_fails_leaves_the_old_file(self, source, data, clock, monkeypatch):
        whole, source.kept = source.kept, source.kept.loc[:"2018-10"]
        data.asset_returns(["A"])
        clock.tick(days=1)
        source.kept = whole

        def fails(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", fails)
        with pytest.raises(rm.SourceError, match="No space left") as caught:
            data.asset_returns(["A"])
        assert caught.value.details["folder"] == str(data.folder)
        monkeypatch.undo()
        assert data.info()["last"].tolist() == [pd.Timestamp("2018-10-31")]
        assert not list(data.folder.rglob("*.tmp"))

    def test_clear_leaves_what_another_process_is_writing(self, source, data, monkeypatch):
        other, put = rm.Cached(source, data.folder), os.replace

        def clears(*given):
            assert other.clear() == 0
            monkeypatch.setattr(os, "replace", put)
            put(*given)

        monkeypatch.setattr(os, "replace", clears)
        data.asset_returns(["A"])
        assert data.info()["label"].tolist() == ["A"]

    def test_a_folder_that_is_none(self, source, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(rm.SourceError, match="file cannot be read"):
            rm.Cached(source, tmp_path / "file").asset_returns(["A"])

    def test_only_the_owner_can_read(self, data):
        data.asset_returns(["A"])
        assert Path(data.info()["file"].item()).stat().st_mode & 0o077 == 0


class TestInfoAndClear:
    def test_info(self, source, data, clock):
        source.vintage = "202407"
        data.asset_returns(["A"], "2018-03-01", "2018-05-31")
        data.risk_free("2018-03-01", "2018-05-31")
        clock.tick(days=3)
        info = data.info()
        assert info["kind"].tolist() == ["assets", "rate"]
        assert info["label"].tolist() == ["A", "risk_free"]
        assert set(info["age"]) == {pd.Timedelta(days=3)}
        assert set(info["vintage"]) == {"file: 202407"}
        assert (info["bytes"] == [Path(f).stat().st_size for f in info["file"]]).all()

    def test_of_nothing(self, data):
        assert len(data.info()) == 0
        assert data.clear() == 0
        assert data.provenance(["A"]) == {}

    def test_what_vanishes_while_it_is_listed(self, data, monkeypatch):
        data.asset_returns(["A", "B"])
        read = Path.read_bytes

        def vanishes(path):
            monkeypatch.setattr(Path, "read_bytes", read)
            path.unlink()
            return read(path)

        monkeypatch.setattr(Path, "read_bytes", vanishes)
        assert len(data.info()) == 1

    def test_unfinished_files_that_go_while_they_are_looked_at(self, data, monkeypatch):
        data.asset_returns(["A"])
        folder = Path(data.info()["file"].item()).parent
        (folder / ".x.tmp").symlink_to(folder / "gone")
        is_file = Path.is_file
        monkeypatch.setattr(Path, "is_file", lambda path: path.suffix == ".tmp" or is_file(path))
        assert data.clear() == 1

    def test_a_folder_in_the_place_of_an_entry(self, source, data):
        data.asset_returns(["A"])
        place = Path(data.info()["file"].item())
        data.asset_returns(["B"])
        place.unlink()
        place.mkdir()
        (place.parent / ".x.tmp").mkdir()
        assert data.info()["label"].tolist() == ["B"]
        with pytest.raises(rm.SourceError, match="cannot be read"):
            data.asset_returns(["A"])
        assert data.clear() == 1
        assert place.is_dir()

    def test_a_file_that_cannot_be_read(self, data, monkeypatch):
        data.asset_returns(["A"])

        def refuses(_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuses)
        with pytest.raises(rm.SourceError, match="Permission denied"):
            data.info()

    def test_clear_takes_its_own_only(self, source, data, clock):
        other = rm.Cached(source, data.folder, name="other", clock=clock)
        data.asset_returns(["A", "B"])
        other.asset_returns(["A"])
        (data.folder / "notes.txt").write_text("mine")
        assert data.clear() == 2
        assert len(data.info()) == 0
        assert len(other.info()) == 1
        assert (data.folder / "notes.txt").exists()
        same(data.asset_returns(["A"]), source.kept[["A"]])


class TestConstruction:
    def test_home_is_found(self, source):
        assert rm.Cached(source, "~/cache").folder == Path.home() / "cache"

    def test_by_default_the_users_folder_for_caches(self, source, monkeypatch, tmp_path):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert "riskmodel" in rm.Cached(source).folder.parts

    def test_a_source_must_be_told_apart(self, tmp_path):
        for provider in (months(), rm.Joined(assets=months(), factors=months())):
            with pytest.raises(rm.InvalidParameterError, match="name="):
                rm.Cached(provider, tmp_path)

    def test_of_joined_providers(self, source, tmp_path):
        assert rm.Cached(rm.Joined(assets=source, factors=source), tmp_path).source == "assets: made; factors: made"

    def test_it_needs_a_provider(self, tmp_path):
        with pytest.raises(rm.InvalidParameterError, match="expected a DataProvider"):
            rm.Cached(tmp_path, tmp_path)

    def test_lists_are_those_of_the_provider(self, tmp_path):
        data = rm.Cached(rm.SampleData(), tmp_path, name="sample")
        assert data.factors == ["Mkt-RF"]
        assert "MSFT" in data.assets
        assert data.horizon == rm.DAY

    @pytest.mark.parametrize("package", ["pyarrow", "filelock", "platformdirs"])
    def test_without_a_package(self, source, tmp_path, monkeypatch, package):
        monkeypatch.setitem(sys.modules, package, None)
        folder = [] if package == "platformdirs" else [tmp_path]
        with pytest.raises(rm.MissingExtraError, match=rf"{package}.*\[cache\]"):
            rm.Cached(source, *folder).asset_returns(["A"])
        assert source.new_calls() == []

    def test_unknown_labels_are_the_providers_to_tell(self, data):
        with pytest.raises(rm.UnknownAssetError, match="unknown: "):
            data.asset_returns(["A", "Z"])
        assert len(data.info()) == 0


class Renamed(Source):
    """A source whose name X is A until the end of June, and B from July on; A and B themselves never change."""

    def identities(self, assets, start=None, end=None):
        self.calls.append(("names", list(assets)))
        if self.error is not None:
            raise self.error
        return [self._meaning(a, start, end) if a == "X" else a for a in assets]

    def _meaning(self, name, start, end):
        if end is not None and end < pd.Timestamp("2018-07-01"):
            return "A"
        if start is not None and start >= pd.Timestamp("2018-07-01"):
            return "B"
        raise rm.AmbiguousAssetError(f"{name} is A and B")


class TestNamesThatChangeTheirMeaning:
    @pytest.fixture
    def source(self):
        return Renamed()

    def test_two_assets_of_one_name_are_never_one_history(self, source, data):
        same(
            data.asset_returns(["X"], "2018-03", "2018-06"),
            source.kept[["A"]].loc["2018-03":"2018-06"].set_axis(["X"], axis=1),
        )
        same(
            data.asset_returns(["X"], "2018-07", "2018-09"),
            source.kept[["B"]].loc["2018-07":"2018-09"].set_axis(["X"], axis=1),
        )
        with pytest.raises(rm.AmbiguousAssetError):
            data.asset_returns(["X"], "2018-03", "2018-09")
        assert data.info()["label"].tolist() == ["A", "B"]

    def test_nothing_is_asked_where_all_is_there(self, source, data):
        data.asset_returns(["X"], "2018-03", "2018-05")
        source.new_calls()
        same(
            data.asset_returns(["X"], "2018-03", "2018-05"),
            source.kept[["A"]].loc["2018-03":"2018-05"].set_axis(["X"], axis=1),
        )
        assert source.new_calls() == []

    def test_offline_a_name_means_what_it_meant_around_the_window(self, source, data):
        data.asset_returns(["X", "C"], "2018-03", "2018-05")
        source.error = rm.SourceError("no network")
        with pytest.warns(rm.StaleDataWarning, match="X for A"):
            part = data.asset_returns(["X", "C"], "2018-04", "2018-04")
        same(part, source.kept[["A", "C"]].loc["2018-04"].set_axis(["X", "C"], axis=1))
        with pytest.raises(rm.SourceError, match="no network"):
            data.asset_returns(["X"], "2018-07", "2018-09")

    def test_offline_beyond_the_window_it_says_what_there_is(self, source, data):
        data.asset_returns(["X", "C"], "2018-03", "2018-05")
        source.error = rm.SourceError("no network.")
        with pytest.raises(rm.SourceError, match=r"^no network\.") as caught:
            data.asset_returns(["X"], "2018-03", "2018-06")
        assert "'X'" in caught.value.__notes__[0]
        assert "A in 2018-03-01 to 2018-05-31" in caught.value.__notes__[0]

    def test_names_that_are_damaged_are_asked_again(self, source, data):
        data.asset_returns(["X"], "2018-03", "2018-05")
        (names,) = data.folder.rglob("names-*")
        names.write_bytes(names.read_bytes()[:-20])
        source.new_calls()
        with pytest.warns(rm.DamagedEntryWarning):
            data.asset_returns(["X"], "2018-03", "2018-05")
        assert source.new_calls() == [("names", ["X"])]

    def test_names_of_one_window_are_stored_together(self, source, data):
        for names in (["X"], ["X", "C"], ["X"]):
            data.asset_returns(names, "2018-03", "2018-05")
        source.error = rm.SourceError("no network")
        data.asset_returns(["C", "X"], "2018-03", "2018-05")

    def test_names_grow_old_too(self, source, tmp_path, clock):
        data = rm.Cached(source, tmp_path, clock=clock, max_age=dt.timedelta(days=30))
        data.asset_returns(["X"], "2018-03", "2018-05")
        clock.tick(days=31)
        source.new_calls()
        data.asset_returns(["X"], "2018-03", "2018-05")
        assert [call[0] for call in source.new_calls()] == ["names", "assets"]

    def test_the_vintage_is_that_of_what_the_name_meant(self, source, data):
        source.vintage = "2018"
        data.asset_returns(["X"], "2018-03", "2018-05")
        assert data.provenance(["X"]) == {"file": "2018"}

    def test_identities_pass_through(self, source, data):
        assert data.identities(["X", "C"], None, pd.Timestamp("2018-06-01")) == ["A", "C"]
        assert rm.Joined(assets=data, factors=source).identities(["C"]) == ["C"]


class Slow(Source):
    """A source that takes its time."""

    def _answer(self, *asked):
        time.sleep(0.1)
        return super()._answer(*asked)


class TestTurns:
    def test_threads_fetch_the_same_once(self, clock, tmp_path):
        source = Slow()
        caches = [rm.Cached(source, tmp_path, clock=clock) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            frames = list(threads.map(lambda cache: cache.asset_returns(["A", "B"]), caches * 2, timeout=60))
        for frame in frames:
            same(frame, source.kept[["A", "B"]])
        assert len(source.calls) == 1

    def test_what_two_threads_add_to_one_series_is_all_there(self, clock, tmp_path):
        source = Slow()
        data = rm.Cached(source, tmp_path, clock=clock)
        labels = [["A", "B"], ["B", "C"], ["C", "A"]]
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(data.asset_returns, labels, timeout=60))
        assert data.info()["label"].tolist() in ([*"ABC"], *map(list, itertools.permutations("ABC")))
        assert sorted(label for call in source.calls for label in call[1]) == [*"ABC"]

    def test_a_cache_of_a_cache_does_not_wait_for_itself(self, source, data, clock):
        twice = rm.Cached(data, data.folder, clock=clock)
        same(twice.asset_returns(["A"]), source.kept[["A"]])

    def test_a_process_that_does_not_end_is_not_waited_for(self, source, data, monkeypatch):
        monkeypatch.setattr("riskmodel.data.cache.store._PATIENCE", 0.1)
        data.asset_returns(["A"])
        lock = next(data.folder.rglob("*.lock"), data.folder / Path(data.info()["file"].item()).parent / ".assets.lock")
        with ThreadPoolExecutor(1) as threads, FileLock(lock):
            same(threads.submit(data.asset_returns, ["B"]).result(60), source.kept[["B"]])


class Ended(Source):
    """A source that was frozen at the end of 2018, and refuses windows that begin later."""

    def asset_returns(self, assets, start=None, end=None):
        if (end or start or DAYS[0]) > DAYS[-1]:
            raise rm.CoverageError("frozen at the end of 2018")
        return super().asset_returns(assets, start, end)


def test_a_source_that_has_ended_serves_its_end_again(clock, tmp_path):
    data = rm.Cached(Ended(), tmp_path, clock=clock)
    first = data.asset_returns(["A"], "2018-06")
    clock.tick(days=1)
    same(data.asset_returns(["A"], "2018-06"), first)
    with pytest.raises(rm.CoverageError, match="frozen"):
        data.asset_returns(["A"], "2018-06", "2019-06")
    with pytest.raises(rm.CoverageError, match="frozen"):
        data.asset_returns(["B"], "2019-06")


class Speaks(Source):
    """A source that says of every name what it is told to."""

    def __init__(self, said):
        super().__init__()
        self.said = said

    def identities(self, assets, start=None, end=None):
        return self.said


@pytest.mark.parametrize("said", [None, [], "A", ["A", "B"], [None], [1.5], [True], [("A",)], [pd.Timestamp("2018")]])
def test_identities_that_are_none_are_refused(tmp_path, said):
    with pytest.raises(rm.InvalidParameterError, match=r"Speaks\.identities"):
        rm.Cached(Speaks(said), tmp_path).asset_returns(["X"])


def test_identities_of_numpy_are_numbers(tmp_path):
    source = Speaks([np.int64(5)])
    source.kept = source.kept.rename(columns={"A": 5})
    for _ in range(2):
        same(rm.Cached(source, tmp_path).asset_returns(["X"]), source.kept[[5]].set_axis(["X"], axis=1))


def test_labels_and_options_that_are_odd(source, data, tmp_path):
    with pytest.raises(rm.InvalidParameterError, match="missing label"):
        data.asset_returns([float("nan")])
    with pytest.raises(rm.InvalidParameterError, match="expected folder as"):
        rm.Cached(source, None)
    for name in ("", 5):
        with pytest.raises(rm.InvalidParameterError, match="expected a name"):
            rm.Cached(source, tmp_path, name=name)


def test_labels_that_are_no_text(data, tmp_path):
    for provider in (data, rm.Cached(rm.SampleData(), tmp_path, name="sample")):
        with pytest.raises(rm.UnknownAssetError, match="unknown"):
            provider.asset_returns(["\udcff"])
        with pytest.raises(rm.UnknownFactorError, match="unknown"):
            provider.factor_returns(["\udcff"])
    assert rm.Cached(rm.SampleData(), tmp_path, name="\udcff").asset_returns(["KO"]).shape[1] == 1
    assert data.info().empty


@pytest.mark.parametrize("clock", [3, lambda: None, lambda: dt.datetime(2020, 1, 1)])
def test_clocks_that_tell_no_time(source, tmp_path, clock):
    with pytest.raises(rm.InvalidParameterError, match="clock"):
        rm.Cached(source, tmp_path, clock=clock).asset_returns(["A"])
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_window_beyond_all_dates(tmp_path):
    for window in (("2019", "2020"), (None, "1999")):
        with pytest.raises(rm.NoOverlapError, match=r"which spans 2000-01-03 to 2018-11-30"):
            rm.Cached(rm.SampleData(), tmp_path, name="sample").panel(["KO"], ["Mkt-RF"], *window)


def test_a_folder_that_is_a_file(source, tmp_path):
    (tmp_path / "kept").write_text("")
    cached = rm.Cached(source, tmp_path / "kept")
    for call in (cached.info, cached.clear, lambda: cached.asset_returns(["A"])):
        with pytest.raises(rm.SourceError, match="kept"):
            call()


@pytest.mark.parametrize("folder", [None, 3, b"kept", "a\0b", "~nosuchuser/kept"])
def test_folders_that_are_none(source, folder):
    with pytest.raises(rm.InvalidParameterError, match="folder "):
        rm.Cached(source, folder)


def test_a_provider_that_says_no_horizon(source, tmp_path):
    class Silent(Source):
        horizon = None

    for make in (lambda: rm.Joined(assets=Silent(), factors=source), lambda: rm.Cached(Silent(), tmp_path).horizon):
        with pytest.raises(rm.InvalidParameterError) as error:
            make()
        assert error.value.details == {"provider": "Silent", "got": None}
