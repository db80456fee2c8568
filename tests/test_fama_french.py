"""The French library through the real pandas-datareader, from a real server on the loopback."""

import builtins
import re
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from french_server import (
    DAYS,
    FACTOR_HEADER,
    INDUSTRIES,
    MONTHS,
    SETS,
    WEEKS,
    YEARS,
    Library,
    factor_file,
    numbers,
    portfolio_file,
    published,
    rows,
    zipped,
)

import riskmodel as rm
from riskmodel.data.french import archive, server
from riskmodel.testing.providers import ProviderContract

THREE, FIVE = "F-F_Research_Data_Factors", "F-F_Research_Data_5_Factors_2x3"


@pytest.fixture(scope="module")
def shelf():
    """A library that tests only read, and what is in it."""
    library = Library()
    library.there = published(library)
    yield library
    library.close()


@pytest.fixture
def library():
    """A library of a test's own, empty."""
    library = Library()
    yield library
    library.close()


def reader(library, horizon=rm.DAY, **options):
    return rm.FamaFrench(horizon, url=library.url, retries=0, **options)


def daily(library, text, columns=("Mkt-RF", "SMB", "HML")):
    """Publish one daily three-factor file and read it."""
    library.publish(f"{THREE}_daily", text)
    return reader(library).factor_returns(list(columns))


@pytest.mark.parametrize("horizon", [rm.DAY, rm.MONTH], ids=str)
@pytest.mark.parametrize("portfolios", [rm.ValueWeighted, rm.EqualWeighted])
class TestContract(ProviderContract):
    assets: ClassVar = ["Agric", "Soda", "Food"]
    factors: ClassVar = ["Mkt-RF", "HML", "Mom", "RMW"]

    @pytest.fixture(autouse=True)
    def _where(self, shelf, horizon, portfolios):
        self._make = lambda: reader(shelf, horizon, portfolios=portfolios("49_Industry_Portfolios"))

    def provider(self):
        return self._make()


class TestFactors:
    @pytest.mark.parametrize("horizon", [rm.DAY, rm.WEEK, rm.MONTH], ids=str)
    def test_numbers_are_those_of_the_file_in_decimals(self, shelf, horizon):
        data = reader(shelf, horizon, sets=[THREE])
        there = shelf.there[THREE, str(horizon)]
        for name in ("Mkt-RF", "SMB", "HML"):
            np.testing.assert_array_equal(data.factor_returns([name])[name], there[name] / 100)
        np.testing.assert_array_equal(data.risk_free(), there["RF"] / 100)
        assert data.risk_free().name == "risk_free"

    @pytest.mark.parametrize(
        ("horizon", "dates"), [(rm.DAY, DAYS), (rm.WEEK, WEEKS), (rm.MONTH, MONTHS)], ids=["day", "week", "month"]
    )
    def test_dates_are_those_of_the_file(self, shelf, horizon, dates):
        assert reader(shelf, horizon).risk_free().index.tolist() == dates.tolist()

    @pytest.mark.parametrize("horizon", [rm.DAY, rm.MONTH], ids=str)
    def test_all_sets_are_joined_by_name(self, shelf, horizon):
        data = reader(shelf, horizon)
        names = ["Mkt-RF", "HML", "RMW", "CMA", "Mom", "ST_Rev", "LT_Rev"]
        frame = data.factor_returns(names)
        assert list(frame.columns) == names
        homes = dict(zip(names, [THREE, THREE, FIVE, FIVE, *list(SETS)[2:]], strict=True))
        for name, home in homes.items():
            there = shelf.there[home, str(horizon)]
            column = next(c for c in there.columns if c.strip() == name)
            expected = (there[column] / 100).reindex(frame.index)
            np.testing.assert_array_equal(frame[name], expected)
        assert frame["Mom"].isna().sum() == {rm.DAY: 10, rm.MONTH: 6}[horizon], "sets begin at different dates"

    def test_one_file_is_fetched_once(self, library):
        published(library)
        data = reader(library, portfolios="49_Industry_Portfolios")
        data.panel(["Agric"], ["Mkt-RF", "HML"])
        data.panel(["Food"], ["SMB"])
        assert sorted(library.requests) == ["49_Industry_Portfolios_daily", f"{THREE}_daily"]

    def test_only_the_sets_that_are_needed_are_fetched(self, library):
        published(library)
        reader(library).factor_returns(["Mom"])
        assert library.requests == ["F-F_Momentum_Factor_daily"]

    def test_it_begins_at_the_beginning(self, shelf):
        """The reader's own default is the last five years, and all of this is older."""
        assert reader(shelf).factor_returns(["SMB"]).index[0] == DAYS[0]

    def test_lists_need_no_network(self):
        data = rm.FamaFrench(url="http://127.0.0.1:9/")
        assert data.factors == ["Mkt-RF", "SMB", "HML", "RMW", "CMA", "Mom", "ST_Rev", "LT_Rev"]
        assert data.assets == []
        assert rm.FamaFrench(rm.WEEK).factors == ["Mkt-RF", "SMB", "HML"]

    def test_sets_of_other_regions(self, library):
        three = numbers(MONTHS, ["Mkt-RF", "SMB", "HML", "RF"])
        library.publish("Europe_3_Factors", factor_file(three, "%Y%m").replace("CRSP", "Bloomberg"))
        library.publish("Europe_Mom_Factor", factor_file(numbers(MONTHS, ["WML"]), "%Y%m"))
        data = reader(library, rm.MONTH, sets=["Europe_3_Factors", "Europe_Mom_Factor"])
        assert data.factors == ["Mkt-RF", "SMB", "HML", "WML"]
        assert list(data.factor_returns(["WML", "SMB"])) == ["WML", "SMB"]
        assert data.provenance() == {"Europe_3_Factors": "202407 Bloomberg"}

    def test_a_set_without_a_rate_has_none(self, shelf):
        with pytest.raises(rm.UnknownFactorError, match="got none among F-F_Momentum_Factor"):
            reader(shelf, sets=["F-F_Momentum_Factor"]).risk_free()


class TestTheTwoSMB:
    def test_by_default_that_of_three_factors(self, shelf):
        smb = reader(shelf).factor_returns(["Mkt-RF", "SMB", "HML"])["SMB"]
        np.testing.assert_array_equal(smb, shelf.there[THREE, "day"]["SMB"] / 100)

    def test_that_of_five_factors_is_chosen_by_the_order_of_sets(self, shelf):
        five = reader(shelf, sets=[FIVE, "F-F_Momentum_Factor"])
        frame = five.factor_returns(["Mkt-RF", "SMB", "HML", "RMW", "CMA", "Mom"])
        np.testing.assert_array_equal(frame["SMB"], shelf.there[FIVE, "day"]["SMB"] / 100)
        both = reader(shelf, sets=[THREE, FIVE])
        np.testing.assert_array_equal(
            both.factor_returns(["SMB", "RMW"])["SMB"].dropna(), shelf.there[THREE, "day"]["SMB"] / 100
        )

    def test_a_mixture_nobody_chose_is_told(self, shelf):
        with pytest.warns(rm.MixedSetsWarning, match="whose own SMB differs"):
            reader(shelf).factor_returns(["Mkt-RF", "SMB", "HML", "RMW", "CMA"])
        with pytest.warns(rm.MixedSetsWarning):
            reader(shelf, portfolios="49_Industry_Portfolios").panel(["Agric"], ["SMB", "RMW"])


class TestPortfolios:
    @pytest.mark.parametrize("horizon", [rm.DAY, rm.MONTH], ids=str)
    def test_value_and_equal_weighted(self, shelf, horizon):
        value = reader(shelf, horizon, portfolios="49_Industry_Portfolios")
        equal = reader(shelf, horizon, portfolios=rm.EqualWeighted("49_Industry_Portfolios"))
        assert value == reader(shelf, horizon, portfolios=rm.ValueWeighted("49_Industry_Portfolios"))
        assert value.assets == equal.assets == ["Agric", "Food", "Soda"]
        there = shelf.there["49", str(horizon)].replace([-99.99, -999.0], np.nan) / 100
        np.testing.assert_array_equal(value.asset_returns(value.assets), there)
        np.testing.assert_array_equal(equal.asset_returns(equal.assets), shelf.there["49 equal", str(horizon)] / 100)

    def test_sentinels_are_missing(self, shelf):
        frame = reader(shelf, portfolios="49_Industry_Portfolios").asset_returns(["Soda", "Food"])
        assert frame["Soda"].isna().tolist() == [True] * 4 + [False] * 56
        assert np.flatnonzero(frame["Food"].isna()).tolist() == [10]

    def test_a_panel_of_portfolios(self, shelf):
        data = reader(shelf, rm.MONTH, portfolios="49_Industry_Portfolios")
        panel = data.panel(data.assets, ["Mkt-RF", "Mom"], start="1964")
        assert len(panel.dates) == 48
        assert panel.provenance == {
            "F-F_Research_Data_Factors": "202407 CRSP",
            "F-F_Momentum_Factor": "202407 CRSP",
            "49_Industry_Portfolios": "202407 CRSP",
        }
        assert panel.select(assets=["Food"]).provenance == panel.provenance

    def test_no_portfolios_are_no_assets(self, shelf):
        with pytest.raises(rm.UnknownAssetError, match=r"give portfolios='49_Industry_Portfolios'"):
            reader(shelf).asset_returns(["Agric"])

    def test_of_joined_providers_the_vintages_add_up(self, shelf):
        industries = reader(shelf, portfolios="49_Industry_Portfolios")
        data = rm.Joined(assets=industries, factors=reader(shelf, sets=[FIVE]))
        panel = data.panel(["Agric"], ["RMW"])
        assert set(panel.provenance) == {f"{FIVE}_daily", "49_Industry_Portfolios_daily", f"{THREE}_daily"}


class TestUglyFiles:
    """Each of these layouts has been served by the library, or a mirror of it."""

    def ugly(self, library, change, frame=None):
        frame = numbers(DAYS, ["Mkt-RF", "SMB", "HML", "RF"]) if frame is None else frame
        came = daily(library, change(factor_file(frame)))
        np.testing.assert_array_equal(came, frame[["Mkt-RF", "SMB", "HML"]] / 100)

    def test_trailing_spaces_in_column_names(self, library):
        self.ugly(library, lambda text: text.replace("Mkt-RF,SMB,HML,RF", "Mkt-RF ,SMB   , HML,RF  "))

    @pytest.mark.parametrize("end", ["\n", "\r", "\r\r\n"], ids=["LF", "CR", "CR CR LF"])
    def test_line_ends(self, library, end):
        self.ugly(library, lambda text: text.replace("\r\n", end))

    def test_a_lone_cr_between_lines(self, library):
        self.ugly(library, lambda text: text.replace("\r\n196306", "\r196306", 3))

    def test_an_empty_line_within_the_table(self, library):
        self.ugly(library, lambda text: text.replace("\r\n19630701", "\r\n\r\n19630701"))

    def test_lines_with_spaces_only(self, library):
        self.ugly(library, lambda text: text.replace("\r\n\r\n", "\r\n   \r\n"))

    def test_commas_that_fill_up_every_line(self, library):
        self.ugly(library, lambda text: re.sub(r"\r\n", ",,\r\n", text))

    def test_a_long_preamble(self, library):
        self.ugly(library, lambda text: text.replace(FACTOR_HEADER, FACTOR_HEADER + "\r\n" + "And so on. " * 200))

    def test_a_byte_order_mark(self, library):
        self.ugly(library, lambda text: "\ufeff" + text)

    def test_a_short_table(self, library):
        self.ugly(library, str, numbers(DAYS[:3], ["Mkt-RF", "SMB", "HML", "RF"]))

    def test_no_copyright_and_no_last_line_end(self, library):
        self.ugly(library, lambda text: text[: text.index("\r\n\r\nCopyright")])

    def test_sentinels_without_decimals(self, library):
        frame = numbers(DAYS, ["Mkt-RF", "SMB", "HML", "RF"])
        text = factor_file(frame)
        line = next(x for x in text.split("\r\n") if x.startswith("19630701"))
        came = daily(library, text.replace(line, "19630701, -999, -99.99, -999.00, -99.990"))
        assert came.loc["1963-07-01"].isna().all()
        assert came.drop(pd.Timestamp("1963-07-01")).notna().all().all()
        assert reader(library).risk_free("1963-07-01", "1963-07-01").isna().all()

    def test_a_rate_with_two_decimals(self, library):
        frame = numbers(DAYS, ["Mkt-RF", "SMB", "HML", "RF"])
        daily(library, factor_file(frame).replace("   0.021", "    0.02"))
        assert set(reader(library).risk_free()) == {0.0002}

    def test_annual_rows_without_a_header_of_their_own(self, library):
        months, years = numbers(MONTHS, ["Mom"]), numbers(YEARS, ["Mom"])
        text = factor_file(months, "%Y%m").replace("\r\n\r\nCopy", "\r\n" + rows(years, "%Y")[6:] + "\r\n\r\nCopy")
        library.publish("F-F_Momentum_Factor", text)
        came = reader(library, rm.MONTH).factor_returns(["Mom"])
        np.testing.assert_array_equal(came, months / 100)

    def test_an_annual_table_is_never_read_as_months(self, shelf):
        for name in ("SMB", "Mom", "ST_Rev"):
            assert len(reader(shelf, rm.MONTH).factor_returns([name]).dropna()) <= len(MONTHS)

    def test_an_empty_line_between_a_caption_and_its_table(self, library):
        value, equal = numbers(DAYS, INDUSTRIES, 1), numbers(DAYS, INDUSTRIES, 2)
        text = portfolio_file(
            [
                ("Average Value Weighted Returns -- Daily\r\n\r", rows(value)),
                ("Average Equal Weighted Returns -- Daily\r\n\r", rows(equal)),
            ]
        )
        library.publish("49_Industry_Portfolios_daily", text)
        for weighted, expected in ((rm.ValueWeighted, value), (rm.EqualWeighted, equal)):
            data = reader(library, portfolios=weighted("49_Industry_Portfolios"))
            np.testing.assert_array_equal(data.asset_returns(data.assets), expected / 100)

    def test_captions_that_are_spelled_otherwise(self, library):
        value, equal = numbers(MONTHS, ["Lo 30", "Hi 30"], 1), numbers(MONTHS, ["Lo 30", "Hi 30"], 2)
        text = portfolio_file(
            [
                ("Value Weight Returns -- Monthly", rows(value, "%Y%m")),
                ("Equal Weight Returns -- Monthly", rows(equal, "%Y%m")),
                ("Value Weight Average of BE/ME", rows(value.abs(), "%Y%m")),
            ]
        )
        library.publish("Portfolios_Formed_on_BE-ME", text)
        data = reader(library, rm.MONTH, portfolios="Portfolios_Formed_on_BE-ME")
        np.testing.assert_array_equal(data.asset_returns(["Lo 30", "Hi 30"]), value / 100)

    def test_a_header_that_states_no_vintage(self, library):
        frame = numbers(DAYS, ["Mkt-RF", "SMB", "HML", "RF"])
        daily(library, factor_file(frame).replace("CRSP database", "usual method"))
        assert reader(library).provenance() == {f"{THREE}_daily": "not stated"}

    def test_a_vintage_that_is_broken_over_two_lines(self, library):
        frame = numbers(DAYS, ["Mkt-RF", "SMB", "HML", "RF"])
        daily(library, factor_file(frame).replace("202407 CRSP", "202507\r\nCRSP"))
        assert reader(library).provenance() == {f"{THREE}_daily": "202507 CRSP"}


@pytest.fixture
def folder(tmp_path, shelf):
    """Files as people save them: packed, unpacked, renamed by a browser."""
    for name in (f"{FIVE}_daily", "49_Industry_Portfolios_daily"):
        (tmp_path / f"{name}_CSV.zip").write_bytes(shelf.files[name])
    text = factor_file(shelf.there["F-F_Momentum_Factor", "day"])
    (tmp_path / "F-F_Momentum_Factor_daily.csv").write_bytes(text.encode("cp1252"))
    return tmp_path


class TestFolder:
    def test_numbers_are_those_that_the_server_gives(self, folder, shelf):
        names, industries = ["Mkt-RF", "SMB", "CMA", "Mom"], ["Agric", "Soda"]
        saved = rm.FamaFrench(folder=folder, portfolios="49_Industry_Portfolios")
        served = reader(shelf, sets=[FIVE, "F-F_Momentum_Factor"], portfolios="49_Industry_Portfolios")
        pd.testing.assert_frame_equal(saved.factor_returns(names), served.factor_returns(names))
        pd.testing.assert_frame_equal(saved.asset_returns(industries), served.asset_returns(industries))
        pd.testing.assert_series_equal(saved.risk_free(), served.risk_free())

    def test_sets_are_those_that_it_has(self, folder):
        assert rm.FamaFrench(folder=folder).factors == ["Mkt-RF", "SMB", "HML", "RMW", "CMA", "Mom"]

    def test_an_address_of_this_machine(self, folder):
        url = folder.as_uri() + "/"
        pd.testing.assert_series_equal(rm.FamaFrench(url=url).risk_free(), rm.FamaFrench(folder=folder).risk_free())

    def test_what_it_lacks_is_named_with_what_it_has(self, folder):
        with pytest.raises(rm.SourceError, match=r"49_Industry_Portfolios_daily_CSV\.zip") as caught:
            rm.FamaFrench(folder=folder, sets=[THREE]).risk_free()
        assert caught.value.details["file"] == f"{THREE}_daily"

    def test_a_damaged_file(self, folder):
        (folder / f"{FIVE}_daily_CSV.zip").write_bytes(b"PK\x03\x04")
        with pytest.raises(rm.SourceError, match="expected a whole zip file"):
            rm.FamaFrench(folder=folder).risk_free()

    def test_caches_tell_it_from_the_server(self, folder):
        assert rm.FamaFrench(folder=folder).source != rm.FamaFrench(sets=[FIVE, "F-F_Momentum_Factor"]).source


class TestWhatGoesWrong:
    def broken(self, library, text, message, error=rm.LayoutError):
        library.publish(f"{THREE}_daily", text)
        with pytest.raises(error, match=message):
            reader(library).factor_returns(["Mkt-RF"])

    def text(self):
        return factor_file(numbers(DAYS, ["Mkt-RF", "SMB", "HML", "RF"]))

    def test_a_file_that_is_not_there(self, library):
        with pytest.raises(rm.SourceError, match=r"answered 404\. The library may have renamed the file") as caught:
            rm.FamaFrench(url=library.url).factor_returns(["Mkt-RF"])
        assert caught.value.details["status"] == 404
        assert isinstance(caught.value, OSError)
        assert len(library.requests) == 1, "what is not there is not asked for again"

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_server_in_trouble_is_asked_again(self, library, status):
        library.answers[f"{THREE}_daily"] = status
        with pytest.raises(rm.SourceError, match=f"the server answered {status}"):
            rm.FamaFrench(url=library.url, retries=1).factor_returns(["Mkt-RF"])
        assert len(library.requests) == 2

    def test_a_server_that_is_not_there(self, library):
        library.close()
        with pytest.raises(rm.SourceError, match=r"could not be fetched"):
            reader(library).factor_returns(["Mkt-RF"])

    def test_what_failed_is_not_remembered(self, library):
        data = reader(library)
        with pytest.raises(rm.SourceError):
            data.factor_returns(["Mkt-RF"])
        published(library)
        assert len(data.factor_returns(["Mkt-RF"])) == len(DAYS)

    def test_a_truncated_zip(self, library):
        published(library)
        whole = library.files[f"{THREE}_daily"]
        for cut in (len(whole) // 2, len(whole) - 10, 1, 0):
            self.broken(library, whole[:cut], "expected a whole zip file", rm.SourceError)

    def test_a_damaged_zip(self, library):
        published(library)
        whole = bytearray(library.files[f"{THREE}_daily"])
        whole[len(whole) // 2] ^= 0xFF
        self.broken(library, bytes(whole), "expected a whole zip file", rm.SourceError)

    @pytest.mark.parametrize(("at", "value"), [(6, 1), (8, 99)], ids=["encrypted", "packed in an unknown way"])
    def test_a_zip_that_cannot_be_unpacked(self, library, at, value):
        content = bytearray(zipped(self.text()))
        content[at] = value
        content[content.index(b"PK\x01\x02") + at + 2] = value
        self.broken(library, bytes(content), "expected a whole zip file", rm.SourceError)

    @pytest.mark.parametrize(
        ("cut", "message"),
        [
            ("{0},{1},{2},{3}\r\n,{4}", r"holds numbers without a date, ', +0.021', as if a row were broken"),
            ("{0},{1},{2},{3},\r\n{4}", r"holds numbers without a date, '0.021', as if a row were broken"),
            ("{0}\r\n,{1},{2},{3},{4}", r"holds numbers without a date"),
            ("{0},{1},{2},{3},    0.0\r\n21", r"holds numbers without a date, '21'"),
            ("{0},{1},{2}", r"expected 4 numbers at 19630607, got 2: '19630607,"),
            ("{0},{1},{2},,", r"expected 4 numbers at 19630607, got 2"),
            ("{0},{1},,{3},{4}", r"expected 4 numbers at 19630607, got 3"),
            ("{0}", r"expected 4 numbers at 19630607, got 0"),
            ("{0},{1},{2},{3},{4}\r\n,A,B", r"has new column names, ',A,B', directly below a row"),
        ],
    )
    def test_a_row_that_is_broken(self, library, cut, message):
        text = self.text()
        row = next(line for line in text.splitlines() if line.startswith("19630607"))
        self.broken(library, text.replace(row, cut.format(*row.split(","))), message)

    def test_the_last_row_broken(self, library):
        text = self.text()
        last = next(line for line in text.splitlines() if line.startswith(f"{DAYS[-1]:%Y%m%d}"))
        self.broken(library, text.replace(last, last[:-2] + "\r\n" + last[-2:]), "numbers without a date, '21'")

    def test_an_archive_that_unpacks_to_more_than_any_file(self, library, monkeypatch):
        """A few megabytes of zip can hold gigabytes; no more than the limit is unpacked."""
        monkeypatch.setattr(archive, "LARGEST", 100_000)
        library.publish(f"{THREE}_daily", zipped(self.text() + 200_000 * " "))
        with pytest.raises(rm.SourceError) as caught:
            reader(library).factor_returns(["Mkt-RF"])
        assert caught.value.details["largest"] == 100_000

    def test_an_answer_without_end(self, library, monkeypatch):
        monkeypatch.setattr(server, "LARGEST", 1_000)
        library.publish(f"{THREE}_daily", b"PK" + 100_000 * b"0")
        with pytest.raises(rm.SourceError) as caught:
            reader(library).factor_returns(["Mkt-RF"])
        assert caught.value.details["largest"] == 1_000

    def test_a_server_that_sends_a_byte_now_and_then(self, library):
        """Each read ends in time, the whole never: the timeout bounds the whole, with all tries."""
        with library.trickling() as url, pytest.raises(rm.SourceError) as caught:
            rm.FamaFrench(url=url, retries=5, timeout=0.5).factor_returns(["Mkt-RF"])
        assert caught.value.details["timeout"] == 0.5

    def test_a_web_page_in_its_place(self, library):
        self.broken(library, b"<html>Please log in</html>", "expected a whole zip file", rm.SourceError)

    def test_a_zip_of_nothing(self, library):
        self.broken(library, b"PK\x05\x06" + 18 * b"\0", "not laid out as expected")

    def test_no_table(self, library):
        self.broken(library, "Nothing here.\r\n", r"with the columns Mkt-RF, SMB, HML, RF, got 0 among: none")

    def test_columns_of_another_name(self, library):
        self.broken(library, self.text().replace("SMB", "Size"), "got 0 among: .*Mkt-RF, Size, HML, RF")

    def test_a_column_without_a_name(self, library):
        self.broken(library, self.text().replace("SMB", ""), "expected one name for each column in line 5")

    def test_numbers_without_column_names(self, library):
        self.broken(library, self.text().replace(",Mkt-RF,SMB,HML,RF\r\n", ""), "line 5 holds numbers, but no column")

    def test_words_for_numbers(self, library):
        self.broken(library, self.text().replace("   0.021", "     n/m", 1), "in column RF, got 'n/m' at 1963")

    def test_more_numbers_than_columns(self, library):
        self.broken(library, self.text().replace("0.021", "0.021, 1.00"), "not laid out as expected")

    def test_dates_that_are_none(self, library):
        self.broken(library, self.text().replace("19630701", "19639901"), "expected dates")

    def test_a_date_twice(self, library):
        self.broken(library, self.text().replace("19630702", "19630701"), "19630701|1963-07-01", rm.DataError)

    def test_two_tables_that_both_fit(self, library):
        twice = [("Average Value Weighted Returns -- Daily", rows(numbers(DAYS, INDUSTRIES)))] * 2
        library.publish("49_Industry_Portfolios_daily", portfolio_file(twice))
        with pytest.raises(rm.LayoutError, match=r"a caption such as .* got 2 among"):
            reader(library, portfolios="49_Industry_Portfolios").asset_returns(["Agric"])

    def test_a_lost_caption_is_not_guessed(self, library):
        one = portfolio_file([("Returns", rows(numbers(DAYS, INDUSTRIES)))])
        library.publish("49_Industry_Portfolios_daily", one)
        with pytest.raises(rm.LayoutError, match="got 0 among: 'Returns' with Agric, Food, Soda"):
            reader(library, portfolios="49_Industry_Portfolios").asset_returns(["Agric"])

    def test_the_extra_is_not_installed(self, monkeypatch):
        real = builtins.__import__

        def without(name, *rest):
            if name.startswith("pandas_datareader"):
                raise ImportError(name)
            return real(name, *rest)

        server._reader_class.cache_clear()
        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(rm.MissingExtraError, match=r"'factor-riskmodel\[french\]'"):
            rm.FamaFrench().risk_free()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"horizon": rm.YEAR}, "rm.MONTH, which the French library has, got YEAR"),
            ({"portfolios": "49_Industry"}, "nearest to '49_Industry': 49_Industry_Portfolios"),
            ({"portfolios": "F-F_Momentum_Factor"}, "unknown set of portfolios"),
            ({"portfolios": 49}, "expected portfolios as"),
            ({"sets": "F-F_Research_Data_Factors"}, "sets .*list"),
            ({"sets": ["Three"]}, "unknown set of factors"),
            ({"sets": [FIVE], "horizon": rm.WEEK}, "unknown set of factors of the French library per week"),
            ({"url": "ftp://example.org/"}, "expected url to start with"),
            ({"url": "https://example.org"}, "to end with /"),
            ({"sets": []}, "expected at least one set"),
            ({"sets": [["a"]]}, "unknown set of factors"),
            ({"horizon": []}, "expected a horizon"),
            ({"retries": -1}, "retries as a whole number"),
            ({"retries": "3"}, "retries as a whole number"),
            ({"timeout": 0}, "timeout as a positive number"),
            ({"timeout": 1e300}, "timeout as a positive number"),
            ({"folder": "nowhere"}, "expected folder as a folder of files"),
            ({"folder": 3}, "expected folder as text"),
            ({"timeout": float("inf")}, "timeout as a positive number"),
        ],
    )
    def test_options_that_make_no_sense(self, options, message):
        with pytest.raises(rm.InvalidParameterError, match=message):
            rm.FamaFrench(**options)


@pytest.mark.parametrize("url", ["https://alice:PW@host/", "https://PW@host", "alice:PW@host/"])
def test_a_password_in_an_address_is_refused_and_not_shown(url):
    with pytest.raises(rm.InvalidParameterError, match=r"without a user or a password.*netrc") as caught:
        rm.FamaFrench(url=url)
    assert "PW" not in str(caught.value)
    assert "PW" not in repr(caught.value.details)


def test_importing_the_package_imports_no_reader():
    code = "import sys, riskmodel; sys.exit('pandas_datareader' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestCatalogue:
    def test_it_lists_what_there_is(self):
        table = rm.FamaFrench.catalogue()
        assert set(table["kind"]) == {"factors", "portfolios"}
        assert table.loc[THREE, ["day", "week", "month"]].tolist() == [True, True, True]
        assert table.loc[FIVE, "series"] == "Mkt-RF, SMB, HML, RMW, CMA, RF"
        assert table.loc["49_Industry_Portfolios", "title"] == "49 industries"
        assert table.index.is_unique

    def test_everything_in_it_can_be_asked_for(self):
        for name, row in rm.FamaFrench.catalogue().iterrows():
            for horizon in (rm.DAY, rm.WEEK, rm.MONTH):
                ask = {"sets": [name]} if row["kind"] == "factors" else {"portfolios": name}
                if row[str(horizon)]:
                    assert rm.FamaFrench(horizon, **ask).horizon == horizon

    def test_sources_are_told_apart(self):
        makers = [
            rm.FamaFrench(),
            rm.FamaFrench(rm.MONTH),
            rm.FamaFrench(sets=[FIVE]),
            rm.FamaFrench(portfolios="49_Industry_Portfolios"),
            rm.FamaFrench(portfolios=rm.EqualWeighted("49_Industry_Portfolios")),
            rm.FamaFrench(url="http://127.0.0.1/"),
        ]
        assert len({m.source for m in makers}) == len(makers)
        assert rm.FamaFrench().source == rm.FamaFrench(retries=9).source
