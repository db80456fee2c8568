"""`WRDS` through the real client on a real PostgreSQL that holds the made market."""

from __future__ import annotations

import builtins
import contextlib
import copy
import getpass
import pickle
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import servers
from crsp_market import DAYS, FIRST, FREEZE, LAST, SECURITIES
from terminal import Terminal

import riskmodel as rm
from riskmodel._core import progress
from riskmodel._core.progress import Progress
from riskmodel.data.wrds import library as library_module
from riskmodel.data.wrds import rows as rows_module
from riskmodel.data.wrds import server as server_module

try:
    import wrds
except ImportError:
    servers.missing["WRDS"] = servers.WHY_NOT_WRDS
    pytest.skip(servers.missing["WRDS"], allow_module_level=True)

MICRO = 1e-6  # the server keeps six decimals
BEFORE_FREEZE = [s.permno for s in SECURITIES if str(s.names[0][3]) <= str(FREEZE)]


def same(got, expected, tolerance=MICRO):
    pd.testing.assert_series_equal(
        got, expected, check_names=False, check_freq=False, check_index_type=False, atol=tolerance, rtol=0
    )


def held_client(environment):
    with contextlib.redirect_stdout(None):
        return wrds.Connection(
            wrds_hostname=environment["PGHOST"],
            wrds_port=int(environment["PGPORT"]),
            wrds_dbname=environment["PGDATABASE"],
            wrds_username=environment["PGUSER"],
            wrds_connect_args={"sslmode": environment["PGSSLMODE"]},
        )


def gone(account, alive):
    until = time.monotonic() + 10
    while account.execute("postgres", alive) and time.monotonic() < until:
        time.sleep(0.05)
    return account.execute("postgres", alive) == []


class TestConnecting:
    def test_nothing_is_asked_before_it_is_needed(self, account, monkeypatch):
        monkeypatch.setenv("PGPORT", "1")
        data = rm.WRDS()
        assert repr(data) == "<WRDS per day, 127.0.0.1:1>"
        with pytest.raises(rm.SourceError, match=r"cannot connect to 127\.0\.0\.1:1: .*refused.*PGSSLMODE"):
            data.risk_free()

    def test_it_never_prints_or_prompts(self, account, monkeypatch, capfd):
        def forbidden(*_):
            raise AssertionError("it prompted")

        monkeypatch.setattr(builtins, "input", forbidden)
        monkeypatch.setattr(getpass, "getpass", forbidden)
        rm.WRDS().panel(["MSFT"], ["Mkt-RF"], start="2022-02-01", end="2022-03-01")
        monkeypatch.setenv("PGPASSFILE", "/nonexistent/pgpass")
        with pytest.raises(rm.CredentialsError):
            rm.WRDS().panel(["MSFT"], ["Mkt-RF"])
        assert capfd.readouterr() == ("", "")

    def test_without_credentials_it_says_how_to_set_them_up(self, account, monkeypatch):
        monkeypatch.setenv("PGPASSFILE", "/nonexistent/pgpass")
        with pytest.raises(rm.CredentialsError, match=r"user 'student': .*~/\.pgpass.*PGPASSWORD") as e:
            rm.WRDS().asset_returns(["MSFT"])
        assert isinstance(e.value, PermissionError)
        monkeypatch.setenv("PGPASSWORD", "wrong-guess")
        with pytest.raises(rm.CredentialsError, match="password authentication failed") as e:
            rm.WRDS().asset_returns(["MSFT"])
        assert "wrong-guess" not in str(e.value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("host", "postgresql://u:PW@h/wrds"),
            ("host", "h password=PW"),
            ("host", "u:PW@h"),
            ("host", "h PW"),
            ("database", "dbname=wrds user=u password=PW"),
            ("database", "postgresql://u:PW@h/wrds"),
            ("user", "u:PW"),
            ("user", "u password=PW"),
        ],
    )
    def test_an_address_with_a_password_is_refused_and_not_shown(self, account, monkeypatch, name, value):
        with pytest.raises(rm.InvalidParameterError, match=rf"{name} .*pgpass") as given:
            rm.WRDS(**{name: value})
        monkeypatch.setenv(f"PG{name.upper()}", value)
        with pytest.raises(rm.InvalidParameterError, match=name) as found:
            rm.WRDS.legacy()
        assert given.value.details == found.value.details == {"parameter": name}
        assert "PW" not in f"{given.value} {found.value} {given.value.details}"

    def test_an_address_that_is_no_text_is_refused(self):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.WRDS(host=7)
        assert error.value.details == {"parameter": "host", "got": "int"}

    def test_no_password_is_kept_or_shown(self, account):
        data = rm.WRDS(host="127.0.0.1", port=account.server.port, database="wrds", user="student")
        data.risk_free()
        seen, todo = set(), [data._library]
        while todo:
            thing = todo.pop()
            if id(thing) in seen or not type(thing).__module__.startswith(("riskmodel", "wrds")):
                continue
            seen.add(id(thing))
            parts = vars(thing) if hasattr(thing, "__dict__") else {n: getattr(thing, n) for n in thing.__slots__[:-1]}
            assert account.password not in repr(parts)
            todo += parts.values()
        assert len(seen) > 3
        assert account.password not in repr(data)

    def test_the_line_is_encrypted_where_the_server_can(self, account):
        data = rm.WRDS()
        ((tls,),) = data._library.server.fetch("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", {})
        assert tls is account.server.tls

    def test_a_connection_of_ones_own(self, account):
        client = held_client(account.environment())
        data = rm.WRDS(connection=client)
        assert repr(data) == "<WRDS per day, the connection that was given>"
        assert data.asset_returns(["MSFT"]).shape == (len(DAYS), 1)
        data.close()
        assert len(client.raw_sql("SELECT 1 AS one")) == 1
        assert rm.WRDS.legacy(connection=client).format == "legacy"
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.WRDS(connection=client, host="here", user="me")
        assert error.value.details == {"parameter": "connection", "got": ["host", "user"]}
        client.connection.close()
        with pytest.raises(rm.InvalidParameterError) as error:
            data.asset_returns(["MSFT"])
        assert error.value.details == {"parameter": "connection", "got": "Connection", "closed": True}

    def test_a_connection_that_its_owner_closes_or_uses(self, account):
        client = held_client(account.environment())
        data = rm.WRDS(connection=client)
        whole = data.asset_returns([10107])
        assert client.connection.in_transaction()
        client.connection.exec_driver_sql("SET search_path TO ff")
        pd.testing.assert_frame_equal(data.asset_returns([10107]), whole)
        client.close()
        with pytest.raises(rm.InvalidParameterError, match="closed Connection"):
            data.asset_returns([10107])

    def test_a_connection_must_be_one(self):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.WRDS(connection="postgresql://me:secret@host/wrds")
        assert error.value.details == {"parameter": "connection", "got": "str", "closed": False}
        assert "secret" not in str(error.value)
        for port in ("http", "9737 password=secret", True, 1.5, 1 << 16, 0):
            with pytest.raises(rm.InvalidParameterError, match="port") as caught:
                rm.WRDS(port=port)
            assert "secret" not in f"{caught.value} {caught.value.details}"
        for part in ("host", "database", "user"):
            with pytest.raises(rm.InvalidParameterError, match=f"{part} .* zero byte"):
                rm.WRDS(**{part: "a\0b"})
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.WRDS(rm.WEEK)
        assert error.value.details == {"parameter": "horizon", "got": rm.WEEK}

    def test_closing_lets_go_of_it_and_the_next_request_makes_another(self, account):
        data = rm.WRDS()
        data.close()
        first = data.risk_free()
        ((pid,),) = data._library.server.fetch("SELECT pg_backend_pid()", {})
        alive = f"SELECT pid FROM pg_stat_activity WHERE pid = {pid}"
        assert account.execute("postgres", alive) == [(pid,)]
        data.close()
        assert gone(account, alive)
        same(data.risk_free(), first)

    def test_its_connection_goes_with_it(self, account):
        data = rm.WRDS()
        data.asset_returns(["MSFT"])
        ((pid,),) = data._library.server.fetch("SELECT pg_backend_pid()", {})
        del data
        assert gone(account, f"SELECT pid FROM pg_stat_activity WHERE pid = {pid}")

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda data: pickle.loads(pickle.dumps(data))])
    def test_a_copy_connects_by_itself(self, account, copied):
        data = rm.WRDS(as_of="2024-05-05")
        before = copied(data)
        first = data.asset_returns(["SUN"])
        after = copied(data)
        for other in (before, after):
            assert (repr(other), other.source) == (repr(data), data.source)
            pd.testing.assert_frame_equal(other.asset_returns(["SUN"]), first)

    def test_another_process_connects_by_itself(self, account):
        data = rm.WRDS()
        data.risk_free()
        again = pickle.loads(pickle.dumps(data))
        pids = [d._library.server.fetch("SELECT pg_backend_pid()", {}) for d in (data, again)]
        assert pids[0] != pids[1]
        again.close()
        assert data._library.server.fetch("SELECT pg_backend_pid()", {}) == pids[0]

    def test_a_connection_of_ones_own_cannot_be_copied(self, account):
        client = held_client(account.environment())
        data = rm.WRDS(connection=client)
        for copied in (copy.deepcopy, pickle.dumps):
            with pytest.raises(rm.InvalidParameterError, match="another process"):
                copied(data)
        client.close()

    def test_threads_share_one(self, account, market):
        data = rm.WRDS()
        permnos = [s.permno for s in SECURITIES][:8]
        with ThreadPoolExecutor(8) as threads:
            frames = list(threads.map(lambda p: data.asset_returns([p]), permnos, timeout=60))
        for permno, frame in zip(permnos, frames, strict=True):
            same(frame[permno], market.truth(permno))

    def test_what_is_kept_is_served_when_its_owner_closed_the_connection(self, account, tmp_path):
        client = held_client(account.environment())
        data = rm.Cached(rm.WRDS(connection=client), tmp_path)
        asked = {"start": "2022-02-01", "end": "2022-03-01"}
        first = data.asset_returns(["MSFT", 13407], **asked)
        client.close()
        pd.testing.assert_frame_equal(data.asset_returns(["MSFT", 13407], **asked), first)

    def test_by_default_it_asks_wrds_itself(self, monkeypatch):
        for name in ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER"):
            monkeypatch.delenv(name, raising=False)
        assert repr(rm.WRDS.legacy(rm.MONTH)) == "<WRDS.legacy per month, wrds-pgdata.wharton.upenn.edu:9737>"


class TestReturns:
    @pytest.mark.parametrize("permno", [s.permno for s in SECURITIES])
    def test_the_current_format_is_the_truth(self, account, market, permno):
        same(rm.WRDS().asset_returns([permno])[permno], market.truth(permno))

    @pytest.mark.parametrize("permno", BEFORE_FREEZE)
    def test_the_legacy_format_is_the_truth_up_to_its_freeze(self, account, market, permno):
        got = rm.WRDS.legacy().asset_returns([permno], end=FREEZE)[permno]
        same(got, market.truth(permno)[:FREEZE])

    @pytest.mark.parametrize("permno", BEFORE_FREEZE)
    @pytest.mark.parametrize("make", [rm.WRDS, rm.WRDS.legacy])
    def test_months(self, account, market, make, permno):
        got = make(rm.MONTH).asset_returns([permno], end=FREEZE)[permno]
        same(got, market.monthly_truth(permno)[:FREEZE], 2 * MICRO)

    def test_a_delisting_return_counts_once(self, account, market):
        last = market.traded[20001].iloc[-1]
        for data in (rm.WRDS(), rm.WRDS.legacy()):
            got = data.asset_returns([20001], end=FREEZE)[20001].iloc[-1]
            assert got == pytest.approx((1 + last) * (1 - 0.3) - 1, abs=MICRO)

    @pytest.mark.parametrize("make", [rm.WRDS, rm.WRDS.legacy])
    def test_odd_delistings(self, account, market, make):
        frame = make().asset_returns([20003, 20004, 20005, 20006], end=FREEZE)
        assert frame.loc["2023-05-31", 20003] == pytest.approx(market.traded[20003].iloc[-1])  # no delisting return
        assert frame.loc["2023-06-30", 20004] == pytest.approx(-0.55)  # no return that day
        assert frame.loc["2023-03-22", 20005] == -1.0  # days after the last trade, worthless
        assert frame.loc["2023-03-16":"2023-03-21", 20005].isna().all()
        assert frame.loc["2023-08-31", 20006] == pytest.approx(market.traded[20006].iloc[-1])  # a code, no number

    @pytest.mark.parametrize("make", [rm.WRDS, rm.WRDS.legacy])
    def test_missing_is_missing_and_not_zero(self, account, make):
        frame = make().asset_returns(["MISS", "HOLE"], end=FREEZE)
        assert frame["MISS"].iloc[0] != frame["MISS"].iloc[0]
        assert frame.loc["2022-03-01":"2022-03-04", "MISS"].isna().all()
        assert frame.loc["2022-07-05":"2022-07-15", "HOLE"].isna().all()
        assert frame.notna().sum().tolist() == [len(DAYS[: frame.shape[0]]) - 5, frame.shape[0] - 10]

    def test_a_worthless_end_goes_into_a_panel(self, account):
        panel = rm.WRDS().panel([20005, "MSFT"], ["Mkt-RF"])
        assert panel.excess_returns.loc["2023-03-22", 20005] == pytest.approx(-1.0 - 0.0001)

    def test_a_window_past_the_freeze_says_so(self, account):
        data = rm.WRDS.legacy()
        with pytest.raises(rm.CoverageError, match=r"2024-12-31.*2025-01-31") as error:
            data.asset_returns(["MSFT"], "2024-06-01", "2025-01-31")
        assert error.value.details["last"] == FREEZE
        with pytest.raises(rm.CoverageError, match="2025-01-02"):
            data.asset_returns(["MSFT"], "2025-01-02")
        with pytest.raises(rm.CoverageError):
            data.universe("2025-01-02")
        assert data.asset_returns(["MSFT"], "2024-12-30").index[-1].date() == FREEZE
        assert rm.WRDS().asset_returns(["NEWC"], end="2025-02-03").index[0] == pd.Timestamp("2025-01-15")

    def test_the_window_has_both_ends(self, account):
        got = rm.WRDS().asset_returns(["MSFT", 20005], "2022-05-02", "2022-05-06")
        assert [d.day for d in got.index] == [2, 3, 4, 5, 6]
        months = rm.WRDS(rm.MONTH).asset_returns(["MSFT"], "2022-05-20", "2022-08-30")
        assert [str(d.date()) for d in months.index] == ["2022-05-31", "2022-06-30", "2022-07-31"]

    def test_an_empty_window(self, account):
        empty = rm.WRDS().asset_returns([10107], "2022-05-07", "2022-05-08")
        assert empty.shape == (0, 1)
        assert empty.to_numpy().dtype == np.float64
        with pytest.raises(rm.NoOverlapError):
            rm.WRDS().panel([10107], ["Mkt-RF"], "2022-05-07", "2022-05-08")

    def test_order_and_labels_are_those_asked_for(self, account, market, monkeypatch):
        monkeypatch.setattr(library_module, "_ROWS_PER_BATCH", 2000)  # two securities to a batch
        monkeypatch.setattr(rows_module, "_BLOCK_BYTES", 100)
        labels = [83443, "META", "MSFT", "FB", 10107, "BRK.A"]
        frame = rm.WRDS().asset_returns(labels, "2022-01-03", LAST)
        assert list(frame.columns) == labels
        for label, permno in zip(labels, [83443, 13407, 10107, 13407, 10107, 17778], strict=True):
            same(frame[label], market.truth(permno))

    def test_one_connection_serves_the_whole_panel(self, account, market):
        panel = rm.WRDS().panel(["MSFT", "META"], ["Mkt-RF", "SMB", "HML", "Mom", "RMW", "CMA"], start="2022-06-01")
        expected = market.truth(10107)["2022-06-01":] - 0.0001
        same(panel.excess_returns["MSFT"], expected)
        assert panel.dropped.empty
        model = rm.OLS().fit(panel)
        assert model.loadings.loc["MSFT", "Mkt-RF"] == pytest.approx(1.1, abs=0.2)

    def test_double_rows_that_agree_are_one(self, account, market, monkeypatch):
        account.variant("doubled", "INSERT INTO crsp.dsf_v2 SELECT * FROM crsp.dsf_v2 WHERE permno = 10107")
        monkeypatch.setenv("PGDATABASE", "doubled")
        same(rm.WRDS().asset_returns(["MSFT"])["MSFT"], market.truth(10107))

    def test_double_rows_that_differ_are_an_error(self, account, monkeypatch):
        account.variant(
            "contradicting",
            "INSERT INTO crsp.dsf_v2 (permno, dlycaldt, dlyret) VALUES (10107, '2022-04-05', 0.5)",
        )
        monkeypatch.setenv("PGDATABASE", "contradicting")
        with pytest.raises(rm.DataError, match=r"permno 10107 on 2022-04-05"):
            rm.WRDS().asset_returns(["MSFT"])
        assert rm.WRDS().asset_returns(["META"]).shape == (len(DAYS), 1)


class TestTickers:
    def test_a_reused_ticker_lists_both_companies(self, account):
        with pytest.raises(rm.AmbiguousAssetError) as error:
            rm.WRDS().panel(["SUN"], ["Mkt-RF"], "2022-01-03", "2024-01-01")
        for part in ("20001 (SUN MICRO INC, 2022-01-03 to 2022-09-30)", "20002 (SUNOCO NEW CORP, 2023-02-01 to 2025"):
            assert part in str(error.value)
        assert error.value.details["candidates"] == [20001, 20002]

    def test_unless_one_says_which(self, account, market):
        for got, permno in (
            (rm.WRDS().asset_returns(["SUN"], "2022-01-03", "2022-12-31"), 20001),
            (rm.WRDS().asset_returns(["SUN"], "2023-01-01"), 20002),
            (rm.WRDS(as_of="2022-05-05").asset_returns(["SUN"]), 20001),
            (rm.WRDS(as_of=date(2024, 5, 5)).asset_returns(["SUN"]), 20002),
        ):
            same(got["SUN"], market.truth(permno))
        assert rm.WRDS().asset_returns([20001, 20002]).shape == (len(DAYS) - 87, 2)

    def test_as_of_is_told(self, account):
        assert repr(rm.WRDS(as_of="2022-05-05")).endswith(", tickers as of 2022-05-05>")
        with pytest.raises(rm.UnknownAssetError, match="ticker 'SUN' on 2022-11-01"):
            rm.WRDS(as_of="2022-11-01").asset_returns(["SUN"])
        with pytest.raises(rm.InvalidParameterError):
            rm.WRDS(as_of="yesterday or so")

    def test_names_without_a_first_or_a_last_day_are_open(self, account, market, monkeypatch):
        account.variant(
            "open",
            "UPDATE crsp.stocknames_v2 SET namedt = NULL WHERE ticker IN ('FB', 'MSFT'); "
            "UPDATE crsp.stocknames_v2 SET nameenddt = NULL WHERE ticker IN ('META', 'MSFT')",
        )
        usual = rm.WRDS().universe("2022-05-02")
        monkeypatch.setenv("PGDATABASE", "open")
        data = rm.WRDS()
        assert data.universe("2022-05-02") == usual
        assert data.permnos(["FB", "META", "MSFT"], "2022-01-03", "2022-12-30") == [13407, 13407, 10107]
        names = data.names([13407])
        assert names["ticker"].tolist() == ["FB", "META"]
        assert (names["start"].iloc[0], names["end"].iloc[-1]) == (date(1900, 1, 1), date(2200, 1, 1))
        with pytest.raises(rm.UnknownAssetError, match="nearest to 'MSFTT': MSFT"):
            data.permnos(["MSFTT"])
        same(data.asset_returns(["MSFT"])["MSFT"], market.truth(10107))

    def test_a_renamed_company_keeps_its_history(self, account, market):
        data = rm.WRDS()
        for label in ("FB", "META", 13407):
            same(data.asset_returns([label], "2022-03-01", "2022-12-30")[label], market.truth(13407)["2022-03":"2022"])
        assert data.permnos(["FB", "META"], "2022-01-03", "2022-12-30") == [13407, 13407]
        assert data.names(["FB"], end="2022-06-08")["ticker"].tolist() == ["FB", "META"]

    def test_a_ticker_of_another_time_says_when(self, account):
        with pytest.raises(
            rm.UnknownAssetError, match=r"'META' from 2022-01-05 to 2022-02-01.* permno 13407 .*2022-06-09"
        ):
            rm.WRDS().asset_returns(["META"], "2022-01-05", "2022-02-01")
        assert rm.WRDS(as_of="2023-01-03").permnos(["META"], "2022-01-05", "2022-02-01") == [13407]

    def test_delisted_companies_are_found(self, account):
        frame = rm.WRDS().asset_returns(["NORT", "NULD", "LATE", "CODE", "SLOW"])
        assert (frame.notna().sum() > 200).all()

    def test_share_classes(self, account):
        with pytest.raises(rm.AmbiguousAssetError, match=r"17778 \(BERKSHIRE HATHAWAY class A.*BRK\.A or BRK\.B"):
            rm.WRDS().asset_returns(["BRK"])
        assert rm.WRDS.legacy().permnos(["BRK.A", "BRK.B"]) == [17778, 83443]
        with pytest.raises(rm.UnknownAssetError):
            rm.WRDS().permnos(["BRK.C"])

    @pytest.mark.parametrize(
        "ticker", ["'; DROP TABLE crsp.dsf_v2; --", "%(low)s", "%s", "a\x00b", "", ".", "💥", "MSFT'--", "{rows}"]
    )
    def test_a_ticker_is_never_sql(self, account, ticker):
        with pytest.raises(rm.UnknownAssetError, match="unknown ticker"):
            rm.WRDS().asset_returns([ticker])
        assert rm.WRDS().asset_returns(["MSFT"]).shape == (len(DAYS), 1)

    def test_the_nearest_names(self, account):
        with pytest.raises(rm.UnknownAssetError, match="nearest to 'MSFTT': MSFT") as error:
            rm.WRDS().panel(["MSFTT", "META"], ["Mkt-RF"])
        assert error.value.details["missing"] == ["MSFTT"]

    @pytest.mark.parametrize("asset", [99, -1, 10**30])
    def test_unknown_permnos(self, account, asset):
        with pytest.raises(rm.UnknownAssetError, match=f"unknown permno: {asset}"):
            rm.WRDS().asset_returns([10107, asset])

    @pytest.mark.parametrize("asset", [True, 10107.0, None, ("MSFT",)])
    def test_what_is_no_label(self, account, asset):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.WRDS().asset_returns([asset])
        # what no list of labels takes is named with the list, what is no label of CRSP by itself
        assert error.value.details in ({"parameter": "assets", "got": asset}, {"what": "assets", "labels": [asset]})

    def test_what_is_nearly_a_label_says_what_to_write(self, account):
        with pytest.raises(rm.UnknownAssetError, match="A permno is a whole number, not text: 10107"):
            rm.WRDS().asset_returns(["10107"])
        with pytest.raises(rm.UnknownAssetError, match=r"Share classes are written with a point: BRK\.B"):
            rm.WRDS().asset_returns(["BRK-B"])

    def test_lists_are_lists(self, account):
        data = rm.WRDS()
        for ask in (data.asset_returns, data.permnos, data.identities, data.names):
            with pytest.raises(rm.InvalidParameterError) as error:
                ask("MSFT")
            assert error.value.details == {"parameter": "assets", "got": "MSFT"}
        with pytest.raises(rm.InvalidParameterError) as error:
            data.factor_returns("SMB")
        with pytest.raises(rm.DuplicateLabelsError, match="MSFT"):
            data.asset_returns(["MSFT", "MSFT"])
        with pytest.raises(rm.DuplicateLabelsError, match="SMB"):
            data.factor_returns(["SMB", "SMB"])

    def test_numpy_integers_are_permnos(self, account):
        assert rm.WRDS().permnos(np.array([10107, 13407])) == [10107, 13407]


class TestUniverse:
    COMMON = (10107, 13407, 83443, 17778, 20008, 20002, 20007)

    @pytest.mark.parametrize("make", [rm.WRDS, rm.WRDS.legacy])
    def test_common_stocks_by_size(self, account, make):
        # a Saturday: as they stood on the Friday
        universe = make().universe("2024-05-04")
        assert sorted(universe) == sorted(self.COMMON)
        assert universe[:3] == [10107, 13407, 83443]
        assert make().universe("2024-05-04", largest=2) == universe[:2]

    def test_it_has_those_that_are_gone_today(self, account):
        assert {20001, 20003, 20004, 20005, 20006, 20013} < set(rm.WRDS().universe("2022-05-02"))
        assert 20001 not in rm.WRDS().universe("2022-10-03")
        assert 30001 in rm.WRDS().universe("2025-01-15")

    def test_monthly(self, account):
        assert rm.WRDS(rm.MONTH).universe("2024-05-15", 1) == [10107]

    def test_it_makes_a_panel(self, account):
        data = rm.WRDS()
        panel = data.panel(data.universe("2022-05-02", largest=5), ["Mkt-RF"], "2022-05-02", "2022-12-30")
        assert panel.excess_returns.shape == (175, 5)

    def test_where_there_is_nothing(self, account):
        with pytest.raises(rm.CoverageError, match="from 1998-12-23 to 1999-01-02"):
            rm.WRDS().universe("1999-01-02")
        for largest in (0, -1, True, 2.5, 2**31, 10**30):
            with pytest.raises(rm.InvalidParameterError, match="largest"):
                rm.WRDS().universe("2022-05-02", largest)
        for day in (None, "whenever", "0001-01-01"):
            with pytest.raises(rm.InvalidParameterError) as error:
                rm.WRDS().universe(day)
            assert error.value.details == {"parameter": "date", "got": day}
        assert rm.WRDS().universe("2022-05-02", np.int64(1)) == [10107]


class TestFactors:
    def test_daily(self, account, market):
        data = rm.WRDS()
        assert data.factors == ["Mkt-RF", "SMB", "HML", "Mom", "RMW", "CMA", "SMB5"]
        got = data.factor_returns(["CMA", "Mkt-RF", "SMB5", "SMB", "Mom"], "2022-02-01")
        expected = market.factors["2022-02-01":][["cma", "mktrf", "smb5", "smb", "umd"]]
        for name, column in zip(got, expected, strict=True):
            same(got[name], expected[column], 0)
        same(data.risk_free("2022-02-01"), market.factors["rf"]["2022-02-01":], 0)
        assert data.factor_returns([]).shape[1] == 0

    def test_monthly_by_the_end_of_the_month_however_the_table_dates_them(self, account, market):
        got = rm.WRDS(rm.MONTH).factor_returns(["Mkt-RF", "RMW"], "2022-01-31", "2022-12-30")
        expected = market.monthly_factors[:"2022-11"]
        same(got["Mkt-RF"], expected["mktrf"], 0)
        same(got["RMW"], expected["rmw"], 0)

    def test_unknown(self, account):
        with pytest.raises(rm.UnknownFactorError, match="nearest to 'Mkt': Mkt-RF"):
            rm.WRDS().factor_returns(["Mkt"])

    def test_percent_is_told_even_where_the_window_is_all_zero(self, account, monkeypatch):
        account.variant(
            "percent",
            "UPDATE ff.factors_daily SET mktrf = 60 * mktrf, rf = 0; "
            "UPDATE ff.factors_monthly SET rf = 100 * rf; UPDATE ff.fivefactors_daily SET rf = 0",
        )
        monkeypatch.setenv("PGDATABASE", "percent")
        with pytest.raises(rm.PercentReturnsError, match="divide by 100") as caught:
            rm.WRDS().risk_free("2022-02-01", "2022-02-10")
        assert caught.value.details["labels"] == ["ff.factors_daily.mktrf"]
        with pytest.raises(rm.PercentReturnsError, match="divide by 100") as caught:
            rm.WRDS(rm.MONTH).panel(["MSFT"], ["SMB"])
        assert caught.value.details["labels"] == ["ff.factors_monthly.rf"]
        assert rm.WRDS().factor_returns(["RMW"]).notna().all().all()

    def test_sentinels_are_missing(self, account, monkeypatch):
        account.variant("sentinels", "UPDATE ff.factors_daily SET umd = -99.99, smb = NULL WHERE date < '2022-02-01'; ")
        monkeypatch.setenv("PGDATABASE", "sentinels")
        panel = rm.WRDS().panel(["MSFT"], ["Mom", "SMB"])
        assert panel.dates[0] == pd.Timestamp("2022-02-01")
        assert panel.dropped["reason"].str.contains("factor Mom missing; factor SMB missing").sum() == 21


class TestTables:
    def test_the_legacy_format_where_only_it_is_there(self, account, market, monkeypatch):
        account.variant("legacy_only", "DROP TABLE crsp.dsf_v2, crsp.stocknames_v2")
        monkeypatch.setenv("PGDATABASE", "legacy_only")
        data = rm.WRDS()
        assert data.format == "legacy"
        same(data.asset_returns(["META"], end=FREEZE)["META"], market.truth(13407)[:FREEZE])
        with pytest.raises(rm.CoverageError):
            data.asset_returns(["META"], end="2025-02-01")

    def test_tables_one_may_not_see(self, account, monkeypatch):
        account.variant("unsubscribed", "REVOKE ALL ON crsp.dsf_v2, crsp.dsedelist, ff.factors_daily FROM student")
        monkeypatch.setenv("PGDATABASE", "unsubscribed")
        with pytest.raises(rm.LayoutError, match=r"lacks crsp\.dsf_v2; or crsp\.dsedelist; .*subscribe"):
            rm.WRDS().asset_returns(["MSFT"])
        with pytest.raises(rm.LayoutError, match=r"legacy format.* lacks crsp\.dsedelist"):
            rm.WRDS.legacy().asset_returns(["MSFT"])
        assert rm.WRDS().factors == ["Mkt-RF", "SMB", "HML", "Mom", "RMW", "CMA", "SMB5"]
        assert rm.WRDS().risk_free().notna().all()

    def test_other_columns(self, account, market, monkeypatch):
        account.variant(
            "respelt",
            "ALTER TABLE crsp.stocknames RENAME nameenddt TO nameendt; ALTER TABLE crsp.dsf_v2 DROP dlyretmissflg; "
            "ALTER TABLE crsp.dsf_v2 ALTER permno TYPE double precision; "
            "DROP TABLE ff.fivefactors_daily, ff.factors_daily; "
            "ALTER TABLE crsp.msf_v2 RENAME mthret TO monthly_return; DROP TABLE crsp.msf",
        )
        monkeypatch.setenv("PGDATABASE", "respelt")
        assert rm.WRDS.legacy().permnos(["FB"]) == [13407]
        same(rm.WRDS().asset_returns(["MSFT"])["MSFT"], market.truth(10107))
        with pytest.raises(rm.LayoutError, match=r"lacks crsp\.msf_v2\.mthret; or crsp\.msf"):
            rm.WRDS(rm.MONTH).asset_returns(["MSFT"])
        with pytest.raises(rm.LayoutError, match="risk-free rate per day"):
            rm.WRDS().risk_free()

    def test_a_refused_query_says_why(self, account):
        data = rm.WRDS()
        with pytest.raises(rm.SourceError, match=r'refused the query: relation "crsp.nothing" does not exist'):
            data._library.server.fetch("SELECT 1 FROM crsp.nothing", {})
        assert data.risk_free().notna().all()


class _Cut:
    """Cuts the reader's connections when the first rows of an answer have come, in the first few attempts."""

    def __init__(self, account, monkeypatch, times):
        self.left, self.cuts = times, 0
        place, seen = rows_module.Scatter._place, []

        def cutting(scatter):
            place(scatter)
            if self.left and scatter not in seen:
                seen.append(scatter)
                self.left -= 1
                self.cuts += 1
                account.execute(
                    "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'student'"
                )

        monkeypatch.setattr(rows_module.Scatter, "_place", cutting)
        # blocks so small that the answer is cut while most of it is on the way
        monkeypatch.setattr(rows_module, "_BLOCK_BYTES", 10_000)


LONG = [10107, 10108, 10109, 10110]


@pytest.fixture
def many_rows(account, monkeypatch):
    """A database where four securities have more rows than the line's buffers hold, so that a cut comes midway."""
    exists = account.execute("postgres", "SELECT 1 FROM pg_database WHERE datname = 'long'")
    if not exists:
        account.variant(
            "long",
            "INSERT INTO crsp.dsf_v2 (permno, dlycaldt, dlyret) SELECT p, d, 0.001 "
            "FROM generate_series(10107, 10110) p, generate_series('1700-01-01'::date, '2021-12-31', '1 day') d; "
            "INSERT INTO crsp.stocknames_v2 (permno, ticker, issuernm, namedt, nameenddt) "
            "SELECT p, 'LONG', 'LONG CO', '1700-01-01', '2021-12-31' FROM generate_series(10108, 10110) p",
        )
    monkeypatch.setenv("PGDATABASE", "long")
    monkeypatch.setattr("riskmodel.data.wrds.provider.EARLIEST", date(1700, 1, 1))
    monkeypatch.setattr(server_module, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(server_module.Server.__init__, "__defaults__", ((0.01, 0.02),))
    return account


class TestLostConnections:
    def test_cut_midway_it_asks_again(self, many_rows, monkeypatch):
        data = rm.WRDS()
        whole = data.asset_returns([*LONG, 13407])
        cut = _Cut(many_rows, monkeypatch, times=2)
        again = data.asset_returns([*LONG, 13407])
        assert cut.cuts == 2
        pd.testing.assert_frame_equal(again, whole)

    def test_again_and_again_is_an_error_with_the_reason_and_nothing_is_kept(self, many_rows, monkeypatch, capfd):
        data = rm.WRDS()
        whole = data.asset_returns(LONG)
        cut = _Cut(many_rows, monkeypatch, times=99)
        with pytest.raises(rm.SourceError, match=r"was lost, and 2 further attempts.*terminating connection") as error:
            data.asset_returns(LONG)
        assert cut.cuts == 3
        assert len(error.value.details["reasons"]) == 3
        assert capfd.readouterr() == ("", "")  # nor does the driver print
        cut.left = 0
        pd.testing.assert_frame_equal(data.asset_returns(LONG), whole)

    def test_only_the_batch_that_was_cut_is_asked_again(self, many_rows, monkeypatch):
        monkeypatch.setattr(library_module, "_ROWS_PER_BATCH", 1)
        data = rm.WRDS()
        whole = data.asset_returns([13407, *LONG, 20002])
        _Cut(many_rows, monkeypatch, times=1)
        pd.testing.assert_frame_equal(data.asset_returns([13407, *LONG, 20002]), whole)

    def test_a_held_connection_is_restored_too(self, many_rows, monkeypatch):
        client = held_client({**many_rows.environment(), "PGDATABASE": "long"})
        client.raw_sql("SELECT 1 AS one")
        data = rm.WRDS(connection=client)
        whole = data.asset_returns(LONG)
        _Cut(many_rows, monkeypatch, times=1)
        pd.testing.assert_frame_equal(data.asset_returns(LONG), whole)
        assert len(client.raw_sql("SELECT 1 AS one")) == 1
        client.close()

    def test_an_interrupt_leaves_a_connection_that_can_be_used(self, many_rows, monkeypatch):
        data = rm.WRDS()
        whole = data.asset_returns(LONG)
        with monkeypatch.context() as patch:

            def interrupted(*_):
                raise KeyboardInterrupt

            patch.setattr(rows_module.Scatter, "write", interrupted)
            with pytest.raises(KeyboardInterrupt):
                data.asset_returns(LONG)
        pd.testing.assert_frame_equal(data.asset_returns(LONG), whole)

    def test_nothing_half_is_kept(self, many_rows, monkeypatch, tmp_path):
        data = rm.Cached(rm.WRDS(), tmp_path)
        cut = _Cut(many_rows, monkeypatch, times=99)
        with pytest.raises(rm.SourceError, match="was lost"):
            data.asset_returns(LONG)
        assert cut.cuts == 3
        assert data.info().empty
        cut.left = 0
        pd.testing.assert_frame_equal(
            data.asset_returns(LONG), rm.WRDS().asset_returns(LONG), check_freq=False, check_column_type=False
        )
        assert data.info()["rows"].tolist() == [len(data.asset_returns(LONG))] * 4

    def test_a_server_that_goes_down_and_comes_back(self, account, monkeypatch):
        monkeypatch.setattr(server_module.Server.__init__, "__defaults__", ((0.5,) * 20,))
        data = rm.WRDS()
        whole = data.asset_returns(["MSFT"])
        account.server.stop()
        started = []
        thread = threading.Timer(1.0, lambda: started.append(account.server.start()))
        thread.start()
        try:
            again = data.asset_returns(["MSFT"])
        finally:
            thread.join()
        assert started
        pd.testing.assert_frame_equal(again, whole)

    def test_an_answer_that_is_not_what_was_asked_for(self):
        bar = Progress("WRDS", 1, "rows")
        scatter = rows_module.Scatter.of([10107], np.empty((1, 1)), np.array([0], dtype=np.int32), bar)
        scatter.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        with pytest.raises(rm.SourceError, match="cut short"):
            scatter.finish()
        head = b"PGCOPY\n\xff\r\n\0" + bytes(8)
        row = np.zeros(1, rows_module._TUPLE)
        row["fields"], row["permno"], row["day"] = 3, 10107, 5  # a day that the calendar did not have
        scatter = rows_module.Scatter.of([10107], np.empty((1, 1)), np.array([0], dtype=np.int32), bar)
        scatter.write(head + row.tobytes() + b"\xff\xff")
        with pytest.raises(rm.SourceError, match="changed under way"):
            scatter.finish()


class TestProgress:
    @pytest.mark.parametrize("is_terminal", [True, False])
    def test_a_bar_on_long_pulls_and_on_terminals_only(self, account, monkeypatch, is_terminal):
        terminal = Terminal(is_terminal)
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setattr(rows_module, "_BLOCK_BYTES", 100)
        rm.WRDS().asset_returns(["MSFT"])
        assert terminal.text == ""
        monkeypatch.setattr(progress, "_DELAY_SECONDS", 0.0)
        monkeypatch.setattr(progress, "_INTERVAL_SECONDS", 0.0)
        rm.WRDS().asset_returns(["MSFT", "META"])
        assert ("WRDS: 100%" in terminal.text) is is_terminal
        assert terminal.is_clean()


def test_memory_is_bounded_by_the_panel(account):
    import tracemalloc

    data = rm.WRDS()
    permnos = [s.permno for s in SECURITIES]
    data.asset_returns(permnos)
    tracemalloc.start()
    frame = data.asset_returns(permnos)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # the array, one block of the stream (and its copies), and small change
    assert peak < frame.to_numpy().nbytes + 8 * rows_module._BLOCK_BYTES


def test_the_market_is_as_ugly_as_it_says(account):
    ((codes,),) = account.execute("wrds", "SELECT count(*) FROM crsp.dsf WHERE ret < -1")
    ((zero,),) = account.execute("wrds", "SELECT count(*) FROM crsp.dsf_v2 WHERE dlyret = 0 AND dlyretmissflg = 'MP'")
    ((negative,),) = account.execute("wrds", "SELECT count(*) FROM crsp.dsf WHERE prc < 0")
    assert (codes, zero) == (3, 1)
    assert negative > 1000
    assert date(2022, 1, 3) == FIRST


def test_the_example_among_the_sources_of_data_runs(account, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "your-data.md").read_text(encoding="utf-8")
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL) if "rm.Cached(rm.WRDS()" in b]
    space: dict[str, object] = {"rm": rm}
    exec(block, space)
    assert space["panel"].assets.tolist() == ["MSFT", "META"]
    assert space["largest"][0] == 10107
    assert {"10107 (int)", "13407 (int)"} < set(space["crsp"].info()["label"])


def test_the_how_to_page_runs(account, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "wrds.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    space: dict[str, object] = {}
    for block in blocks:
        exec(block, space)
    assert len(blocks) == 6
    assert space["panel"].excess_returns.shape == (DAYS[(DAYS >= "2022-02-01") & (DAYS <= "2024-12-31")].size, 2)
    said = capsys.readouterr().out
    assert "SUN" in said
    assert "2023-02-01 to 2025-03-31" in said
