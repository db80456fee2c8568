"""Every provider that ships passes the contract that a user's own provider can inherit."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.testing.providers import ProviderContract


class TestSampleByDay(ProviderContract):
    assets: ClassVar = ["MSFT", "JPM", "XOM"]
    factors: ClassVar = ["Mkt-RF"]

    def provider(self):
        return rm.SampleData()


class TestSampleByMonth(ProviderContract):
    assets: ClassVar = ["S1V1", "S5V5", "Telcm"]
    factors: ClassVar = ["Mkt-RF", "SMB", "HML", "Mom"]

    def provider(self):
        return rm.SampleData(rm.MONTH)


def in_memory(index, horizon, seed=0):
    rng = np.random.default_rng(seed)
    returns = pd.DataFrame(rng.normal(0, 0.01, (len(index), 3)), index, ["A", "B", "C"])
    returns.iloc[3, 1] = np.nan
    factors = pd.DataFrame(rng.normal(0, 0.01, (len(index), 2)), index, ["Mkt-RF", "SMB"])
    return rm.InMemory(returns, factors=factors, risk_free=pd.Series(1e-4, index), horizon=horizon)


@pytest.mark.parametrize(
    ("index", "horizon"),
    [
        (pd.bdate_range("2020-01-01", periods=80), rm.DAY),
        (pd.bdate_range("2020-01-01", periods=80, tz="America/New_York")[::-1], rm.DAY),
        (pd.date_range("2020-01-03", periods=60, freq="W-FRI"), rm.WEEK),
        (pd.period_range("2001-01", periods=60, freq="M"), rm.MONTH),
    ],
    ids=["days", "days of a time zone, backwards", "weeks", "months as periods"],
    scope="class",
)
class TestInMemory(ProviderContract):
    assets: ClassVar = ["A", "B", "C"]
    factors: ClassVar = ["Mkt-RF", "SMB"]

    @pytest.fixture(autouse=True)
    def _made(self, index, horizon):
        self._data = in_memory(index, horizon)

    def provider(self):
        return self._data


class TestJoined(ProviderContract):
    assets: ClassVar = ["A", "C"]
    factors: ClassVar = ["Mkt-RF"]

    def provider(self):
        return rm.Joined(assets=in_memory(pd.bdate_range("2015-01-01", periods=80), rm.DAY), factors=rm.SampleData())


class Broken(rm.DataProvider):
    """A provider with one fault at a time, which the contract must find."""

    horizon = rm.DAY
    days = pd.bdate_range("2020-01-01", periods=60)
    names = ("A", "B", "C")

    def __init__(self, **faults):
        self.__dict__.update(faults)
        rng = np.random.default_rng(0)
        self.kept = pd.DataFrame(rng.normal(0, 0.01, (60, 3)), self.days, list(self.names))

    def asset_returns(self, assets, start=None, end=None):
        unknown = [a for a in assets if a not in self.names]
        if unknown:
            raise rm.UnknownAssetError(f"unknown asset {unknown}; nearest: A")
        return self.kept[list(assets)].loc[start:end].copy()

    def factor_returns(self, names, start=None, end=None):
        if any(n != "F" for n in names):
            raise rm.UnknownFactorError(f"unknown factor {list(names)}; nearest: F")
        return self.kept[["A"]].set_axis(["F"], axis=1).loc[start:end].copy()

    def risk_free(self, start=None, end=None):
        return pd.Series(1e-4, self.days, name="rf").loc[start:end]


class ContractOfBroken(ProviderContract):
    assets: ClassVar = ["A", "B"]
    factors: ClassVar = ["F"]

    def __init__(self, **faults):
        self.faults = faults

    def provider(self):
        return Broken(**self.faults)


def all_tests(contract):
    return [name for name in dir(contract) if name.startswith("test_")]


def failures(**faults):
    contract = ContractOfBroken(**faults)
    failed = []
    for name in all_tests(contract):
        try:
            getattr(contract, name)()
        except Exception:
            failed.append(name)
    return failed


def test_a_provider_that_is_right_fails_nothing():
    assert failures() == []


sound = Broken()
FAULTS = {
    "no horizon": ({"horizon": "day"}, "test_it_says_what_one_row_spans"),
    "another order": ({"asset_returns": lambda a, *w: sound.asset_returns(sorted(a), *w)}, "test_assets_come_as_asked"),
    "more factors": (
        {"factor_returns": lambda n, *w: sound.factor_returns(n, *w).assign(G=0.01)},
        "test_factors_come_as_asked",
    ),
    "percent": (
        {"asset_returns": lambda a, *w: 100 * sound.asset_returns(a, *w)},
        "test_returns_are_decimals",
    ),
    "sentinels": (
        {"asset_returns": lambda a, *w: sound.asset_returns(a, *w).mask(lambda r: r > 0.02, -0.9999)},
        "test_no_code_for_a_missing_return_is_left_in",
    ),
    "infinite": (
        {"asset_returns": lambda a, *w: sound.asset_returns(a, *w).mask(lambda r: r > 0.02, np.inf)},
        "test_numbers_are_finite_or_missing",
    ),
    "an annual rate": (
        {"risk_free": lambda *w: 300 * sound.risk_free(*w)},
        "test_the_risk_free_rate_is_per_horizon",
    ),
    "a frame for a rate": (
        {"risk_free": lambda *w: sound.risk_free(*w).to_frame()},
        "test_the_risk_free_rate_is_a_series",
    ),
    "no window": ({"asset_returns": lambda a, *w: sound.asset_returns(a)}, "test_a_window_includes_both_ends"),
    "an end that is left out": (
        {"factor_returns": lambda n, s=None, e=None: sound.factor_returns(n, s, e).iloc[: -1 if e else None]},
        "test_a_window_includes_both_ends",
    ),
    "unknown assets as missing": (
        {"asset_returns": lambda a, *w: sound.kept.reindex(columns=a)},
        "test_an_unknown_asset_is_named_with_the_nearest",
    ),
    "another answer each time": (
        {"asset_returns": lambda a, *w: sound.asset_returns(a, *w) + np.random.default_rng().normal(0, 1e-6)},
        "test_asking_twice_gives_the_same",
    ),
    "a column that depends on its neighbours": (
        {"asset_returns": lambda a, *w: sound.asset_returns(a, *w) / len(a)},
        "test_a_column_does_not_depend_on_what_else_was_asked",
    ),
    "identities that are of others": (
        {"identities": lambda a, *w: list(reversed(a))},
        "test_identities_are_labels_of_the_same_assets",
    ),
    "too few identities": ({"identities": lambda a, *w: a[:1]}, "test_identities_are_labels_of_the_same_assets"),
    "dates of another horizon": ({"horizon": rm.MONTH}, "test_dates_are_unique_and_spaced_as_the_horizon_says"),
}


@pytest.mark.parametrize(("faults", "expected"), FAULTS.values(), ids=FAULTS)
def test_the_contract_finds_a_fault(faults, expected):
    assert expected in failures(**faults)


def test_the_contract_finds_a_frame_that_is_shared():
    class Shared(Broken):
        def asset_returns(self, assets, start=None, end=None):
            super().asset_returns(assets, start, end)
            return self.kept if start is None and end is None else self.kept.loc[start:end]

    class Contract(ProviderContract):
        assets: ClassVar = ["A", "B", "C"]
        factors: ClassVar = ["F"]
        shared = Shared()

        def provider(self):
            return self.shared

    with pytest.raises(AssertionError, match="changed"):
        Contract().test_what_it_returns_is_the_callers_own()


def test_the_contract_finds_a_list_that_is_changed():
    def sorts(assets, start=None, end=None):
        assets.sort(reverse=True)
        return sound.asset_returns(assets, start, end)

    assert "test_lists_that_are_passed_are_left_alone" in failures(asset_returns=sorts)


class TestJoinedIn:
    def joined(self, **parts):
        both = {"assets": rm.SampleData(), "factors": rm.SampleData()} | parts
        return rm.Joined(**both)

    def test_horizons_must_agree(self):
        with pytest.raises(rm.HorizonMismatchError) as error:
            self.joined(factors=rm.SampleData(rm.MONTH))
        assert error.value.details == {"left": rm.DAY, "right": rm.MONTH}

    def test_both_are_providers(self):
        with pytest.raises(rm.InvalidParameterError) as error:
            self.joined(assets=pd.DataFrame())
        assert error.value.details["parameter"] == "assets"
        with pytest.raises(rm.InvalidParameterError) as error:
            self.joined(factors="FF")
        assert error.value.details == {"parameter": "factors", "got": "FF"}

    def test_the_rate_is_that_of_the_factors(self):
        days = pd.bdate_range("2015-01-01", periods=80)
        mine = in_memory(days, rm.DAY)
        data = self.joined(assets=mine)
        pd.testing.assert_series_equal(data.risk_free(days[0]), rm.SampleData().risk_free(days[0]))

    def test_calendars_are_intersected_and_differences_told(self):
        days = pd.bdate_range("2015-01-01", periods=80)  # with the holidays, on which the sample has no row
        panel = self.joined(assets=in_memory(days, rm.DAY)).panel(["A"], ["Mkt-RF"], days[0], days[-1])
        sample = rm.SampleData().risk_free(days[0], days[-1]).index
        assert panel.dates.equals(days.intersection(sample).as_unit(panel.dates.unit))
        assert panel.dropped["date"].tolist() == days.difference(sample).tolist()
        assert set(panel.dropped["reason"]) == {"no factor row; no risk-free row"}

    def test_lists_are_those_of_the_parts(self):
        data = self.joined(assets=in_memory(pd.bdate_range("2015-01-01", periods=9), rm.DAY))
        assert data.assets == ["A", "B", "C"]
        assert data.factors == ["Mkt-RF"]
        assert data.horizon == rm.DAY

    def test_what_is_funded_is_said_by_the_factors(self, tmp_path):
        days = pd.bdate_range("2015-01-01", periods=30)
        frame = pd.DataFrame(np.random.default_rng(0).normal(0, 0.01, (30, 2)), days, ["A", "F"])
        made = rm.InMemory(frame[["A"]], factors=frame["F"], risk_free=0.0, horizon=rm.DAY, funded=["F"])
        for data in (rm.Joined(assets=made, factors=made), rm.Cached(made, tmp_path, name="made")):
            assert data.panel(["A"], ["F"]).funded == (True,)
