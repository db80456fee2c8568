"""`WRDS`, alone, joined and kept, passes the contract of every provider, on a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import importlib.util
import warnings
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import servers

import riskmodel as rm
from riskmodel.data.wrds import server as server_module
from riskmodel.report.report import RiskReport
from riskmodel.testing.providers import ProviderContract

if importlib.util.find_spec("wrds") is None:
    servers.missing["WRDS"] = servers.WHY_NOT_WRDS
    pytest.skip(servers.missing["WRDS"], allow_module_level=True)

from crsp_market import DAYS, FREEZE, LAST
from french_server import SETS, Library, factor_file, numbers
from test_wrds import held_client, same

NOW = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def french():
    """A French library of the days of the made market."""
    library = Library()
    for seed, (name, columns) in enumerate(SETS.items()):
        library.publish(f"{name}_daily", factor_file(numbers(DAYS, columns, seed)))
    yield library
    library.close()


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


MAKERS = {
    "days": rm.WRDS,
    "months": lambda: rm.WRDS(rm.MONTH),
    "legacy days": rm.WRDS.legacy,
    "legacy months": lambda: rm.WRDS.legacy(rm.MONTH),
    "as of a day": lambda: rm.WRDS(as_of="2023-01-03"),
}


@pytest.fixture(scope="module")
def opened():
    """One provider of each kind for all tests of the contract, as each has a connection."""
    there: dict[str, rm.WRDS] = {}
    yield there
    for data in there.values():
        data.close()


@pytest.mark.parametrize("what", MAKERS)
class TestWRDS(ProviderContract):
    assets: ClassVar = ["MSFT", "META", "MISS"]
    factors: ClassVar = ["Mkt-RF", "SMB", "CMA"]

    @pytest.fixture(autouse=True)
    def _made(self, account, opened, what):
        self._data = opened.get(what) or opened.setdefault(what, MAKERS[what]())

    def provider(self):
        return self._data


@pytest.mark.parametrize(("what", "warm"), [("days", False), ("days", True), ("months", False), ("legacy days", True)])
class TestCached(ProviderContract):
    assets: ClassVar = ["MSFT", 13407, "MISS"]
    factors: ClassVar = ["Mkt-RF", "CMA"]

    @pytest.fixture(autouse=True)
    def _made(self, account, opened, tmp_path, what, warm):
        wrds = opened.get(what) or opened.setdefault(what, MAKERS[what]())
        self._data = rm.Cached(wrds, tmp_path, clock=Clock())
        if warm:
            self._data.panel(self.assets, self.factors)

    def provider(self):
        return self._data


@pytest.mark.parametrize("kept", [False, True], ids=["as it is", "kept"])
class TestJoined(ProviderContract):
    assets: ClassVar = ["MSFT", "META", 20001]
    factors: ClassVar = ["Mkt-RF", "HML", "Mom"]

    @pytest.fixture(autouse=True)
    def _made(self, account, opened, french, tmp_path, kept):
        wrds = opened.get("days") or opened.setdefault("days", MAKERS["days"]())
        joined = rm.Joined(assets=wrds, factors=rm.FamaFrench(url=french.url))
        self._data = rm.Cached(joined, tmp_path, clock=Clock()) if kept else joined

    def provider(self):
        return self._data


@pytest.fixture
def wrds(account, monkeypatch):
    monkeypatch.setattr(server_module.Server.__init__, "__defaults__", ((0.01,),))
    data = rm.WRDS()
    yield data
    data.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def data(wrds, clock, tmp_path):
    return rm.Cached(wrds, tmp_path, clock=clock)


class TestTickersInACache:
    def test_two_companies_of_one_ticker_are_never_one_history(self, data, market):
        same(data.asset_returns(["SUN"], "2022-01-03", "2022-09-30")["SUN"], market.truth(20001)[:"2022-09-30"])
        same(data.asset_returns(["SUN"], "2023-02-01", "2023-12-29")["SUN"], market.truth(20002)["2023-02":"2023-12"])
        with pytest.raises(rm.AmbiguousAssetError, match="20001"):
            data.asset_returns(["SUN"], "2022-01-03", "2023-12-29")
        assert sorted(data.info()["label"]) == ["20001 (int)", "20002 (int)"]

    def test_two_tickers_of_one_company_are_kept_once(self, data, market):
        frame = data.asset_returns(["META", "FB", 13407], "2022-01-03", "2022-12-30")
        assert list(frame.columns) == ["META", "FB", 13407]
        for label in frame:
            same(frame[label], market.truth(13407)[:"2022"])
        assert data.info()["label"].tolist() == ["13407 (int)"]

    def test_what_is_there_is_served_without_the_server(self, account, data, market):
        asked = [["META", "MSFT", 20001], "2022-01-03", "2022-12-30"]
        whole = data.asset_returns(*asked)
        account.server.stop()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                pd.testing.assert_frame_equal(data.asset_returns(*asked), whole)
            with pytest.warns(rm.StaleDataWarning, match="META for 13407"):
                part = data.asset_returns(["META"], "2022-07-01", "2022-07-29")
            with pytest.raises(rm.SourceError, match="refused"):
                data.asset_returns(["SUN"], "2022-01-03", "2022-03-31")
            with pytest.raises(rm.SourceError, match="refused"):  # another company may have had the ticker there
                data.asset_returns(["META"], "2022-01-03", "2023-12-29")
            same(data.asset_returns([13407], "2022-01-03", "2023-12-29")[13407], market.truth(13407)["2022":"2023"])
            with pytest.warns(rm.StaleDataWarning, match=f"up to {LAST}"):
                data.asset_returns([13407], "2022-01-03", "2026-01-02")
        finally:
            account.server.start()
        pd.testing.assert_frame_equal(part, whole[["META"]].loc["2022-07"])

    def test_a_name_is_asked_about_again_where_returns_are(self, account, clock, tmp_path, monkeypatch):
        account.variant("reused", "SELECT 1")
        monkeypatch.setenv("PGDATABASE", "reused")
        data = rm.Cached(rm.WRDS(), tmp_path, clock=clock)
        before = data.asset_returns(["HOLE"], "2022-01-03")  # to the end there is
        account.execute(
            "reused",
            "INSERT INTO crsp.stocknames_v2 (permno, ticker, issuernm, namedt, nameenddt) "
            "VALUES (99999, 'HOLE', 'ANOTHER CO', '2025-04-01', '2025-04-30')",
        )
        pd.testing.assert_frame_equal(data.asset_returns(["HOLE"], "2022-01-03"), before)  # the same day: not asked
        clock.now += dt.timedelta(days=1)
        with pytest.raises(rm.AmbiguousAssetError, match="99999"):
            data.asset_returns(["HOLE"], "2022-01-03")

    def test_names_that_are_damaged_are_asked_again(self, data, market):
        asked = [["META"], "2022-01-03", "2022-12-30"]
        data.asset_returns(*asked)
        (names,) = data.folder.rglob("names-*")
        for content in (names.read_bytes()[:-20], b"", b"[]"):
            names.write_bytes(content)
            with pytest.warns(rm.DamagedEntryWarning):
                same(data.asset_returns(*asked)["META"], market.truth(13407)[:"2022"])

    def test_clearing_forgets_names_too(self, data):
        data.asset_returns(["META"], "2022-01-03", "2022-12-30")
        assert data.clear() == 1
        assert not list(data.folder.rglob("*.parquet"))


class TestReleases:
    def test_a_panel_says_of_which_it_is(self, wrds):
        panel = wrds.panel(["MSFT"], ["Mkt-RF", "CMA"])
        assert dict(panel.provenance) == {
            "CRSP": f"crsp.dsf_v2 to {LAST}",
            "ff.factors_daily": f"to {LAST}",
            "ff.fivefactors_daily": f"to {LAST}",
        }
        assert wrds.provenance(["MSFT"]) == {"CRSP": f"crsp.dsf_v2 to {LAST}"}
        assert wrds.provenance() == {"ff.factors_daily": f"to {LAST}"}
        assert rm.WRDS.legacy().provenance(["MSFT"]) == {"CRSP": f"crsp.dsf to {FREEZE}"}

    def test_a_panel_that_was_kept_says_it_too(self, data, wrds):
        asked = (["META", 10107], ["Mkt-RF", "CMA"], "2022-02-01", "2022-12-30")
        for _ in range(2):
            assert data.panel(*asked).provenance == wrds.panel(*asked).provenance

    def test_the_report_shows_it(self, wrds):
        panel = wrds.panel(["MSFT"], ["Mkt-RF"])
        budget = rm.RiskBudget(1e6, rm.MONTH)
        text = RiskReport.of(rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel)), panel, budget).to_text()
        assert f"CRSP: crsp.dsf_v2 to {LAST}" in " ".join(text.split())

    def test_a_new_one_is_fetched_whole(self, account, clock, tmp_path, monkeypatch):
        account.variant("released", "SELECT 1")
        monkeypatch.setenv("PGDATABASE", "released")
        data = rm.Cached(rm.WRDS(), tmp_path, clock=clock)
        before = data.asset_returns(["MSFT"], "2022-01-03")["MSFT"]
        account.execute(
            "released",
            "UPDATE crsp.dsf_v2 SET dlyret = 0.5 WHERE permno = 10107 AND dlycaldt = '2022-03-01'; "
            "INSERT INTO crsp.dsf_v2 (permno, dlycaldt, dlyret) VALUES (10107, '2025-04-01', 0.25); "
            "UPDATE crsp.stocknames_v2 SET nameenddt = '2025-04-01' WHERE permno = 10107",
        )
        clock.now += dt.timedelta(days=1)
        after = data.asset_returns(["MSFT"], "2022-01-03")["MSFT"]
        assert after["2022-03-01"] == 0.5, "the past was revised, and the old past was kept beside the new end"
        assert after.iloc[-1] == 0.25
        assert before["2022-03-01"] != 0.5
        assert data.info()["vintage"].tolist() == ["CRSP: crsp.dsf_v2 to 2025-04-01"]

    def test_the_frozen_format_may_be_asked_for_its_end_again(self, account, clock, tmp_path, market):
        data = rm.Cached(rm.WRDS.legacy(), tmp_path, clock=clock)
        for _ in range(2):
            same(data.asset_returns(["MSFT"], "2024-06-03")["MSFT"], market.truth(10107)["2024-06":FREEZE])
            clock.now += dt.timedelta(days=1)
        for asset in ("MSFT", 10107):
            with pytest.raises(rm.CoverageError, match="2024-12-31"):
                data.asset_returns([asset], "2024-06-03", "2025-02-28")


class TestSources:
    def test_a_held_connection_is_the_same_source(self, account, wrds):
        client = held_client(account.environment())
        assert rm.WRDS(connection=client).source == wrds.source
        assert account.password not in wrds.source
        client.close()

    def test_other_answers_are_other_sources(self, account, monkeypatch):
        monkeypatch.setenv("PGDATABASE", "wrds")
        made = [
            rm.WRDS(),
            rm.WRDS.legacy(),
            rm.WRDS(as_of="2023-01-03"),
            rm.WRDS(database="other"),
            rm.WRDS(host="localhost"),
        ]
        assert len({data.source for data in made}) == len(made)

    def test_the_server_is_not_asked_who_it_is(self, account, monkeypatch):
        monkeypatch.setenv("PGPORT", "1")
        assert rm.WRDS().source == "CRSP at 127.0.0.1:1/wrds"
        assert rm.WRDS().identities([10107, np.int64(13407)]) == [10107, 13407]
