"""Factors: those that ship, and that any a user writes flows through to hedges and budgets."""

import dataclasses

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import riskmodel as rm

DAYS = pd.bdate_range("2020-01-01", periods=60)
NAMES = list("ABCDE")


def returns(seed=0, names=NAMES, days=DAYS):
    return pd.DataFrame(0.01 * np.random.default_rng(seed).standard_normal((len(days), len(names))), days, names)


def memory(**changes):
    arguments = {"returns": returns(), "factors": returns(1, ["Mkt-RF", "SMB"]), "risk_free": 0.0001, "horizon": rm.DAY}
    arguments |= changes
    return rm.InMemory(arguments.pop("returns"), **arguments)


@attrs.frozen
class Basket(rm.Factor):
    """What a user would write: the return of a weighting of assets."""

    name: str
    funded: bool
    weights: tuple[float, ...]

    def returns(self, data, start, end):
        r = data.asset_returns(NAMES, start, end) @ np.array(self.weights)
        return r - data.risk_free(start, end) if self.funded else r


class Given(rm.Factor):
    """A factor that returns whatever a test says."""

    name, funded = "given", False

    def __init__(self, series):
        self.series = series

    def returns(self, data, start, end):
        return self.series


# -- the factors that ship ----------------------------------------------------------------------------------------


def test_a_string_means_a_published_factor():
    panel = memory().panel(["A"], ["SMB", rm.PublishedFactor("Mkt-RF")])
    assert panel.definitions == (rm.PublishedFactor("SMB"), rm.PublishedFactor("Mkt-RF"))
    pd.testing.assert_frame_equal(panel.factor_returns, memory().factor_returns(["SMB", "Mkt-RF"]))
    assert panel.funded == (False, True)


def test_a_published_factor_is_funded_if_its_name_or_the_user_says_so():
    assert rm.PublishedFactor("Mkt-RF").funded
    assert not rm.PublishedFactor("SMB").funded
    assert rm.PublishedFactor("SPX excess", funding=rm.FUNDED).funded
    assert not rm.PublishedFactor("Mkt-RF", funding=rm.SELF_FINANCING).funded
    pd.testing.assert_series_equal(
        rm.PublishedFactor("SMB").returns(memory(), None, None), memory().factor_returns(["SMB"])["SMB"]
    )


@pytest.mark.parametrize("name", ["Mkt-RF", "mkt_rf", "MKTRF", "mkt", "Market", "Mkt - RF", "RMRF", "spx-rf", "SPX_RF"])
def test_the_usual_spellings_of_an_excess_return_are_funded(name):
    assert rm.PublishedFactor(name).funded
    data = memory(factors=returns(1, [name, "SMB"]))
    assert data.panel(["A"], [name, "SMB"]).funded == (True, False)
    assert rm.ReturnPanel.align(returns(), returns(1, [name]), data.risk_free(), horizon=rm.DAY).funded == (True,)


@pytest.mark.parametrize("name", ["SMB", "RF", "surf", "marketing", "Mkt-RFX", 7])
def test_other_names_are_not(name):
    assert not rm.PublishedFactor(name).funded


def test_a_published_factor_is_funded_if_memory_was_told_so():
    data = memory(factors=returns(1, ["SPX excess", "Mkt-RF", 3]), funded=["SPX excess", 3])
    panel = data.panel(["A"], ["SPX excess", "Mkt-RF", 3])
    assert panel.funded == (True, False, True)
    assert panel.definitions[0] == rm.PublishedFactor("SPX excess", funding=rm.FUNDED)
    # what is asked for by a factor of the user's own is the user's to say
    assert data.panel(["A"], [rm.PublishedFactor("SPX excess")]).funded == (False,)
    assert memory(funded=[]).panel(["A"], ["Mkt-RF"]).funded == (False,)


def test_a_funded_factor_must_be_one_of_the_factors():
    with pytest.raises(rm.UnknownFactorError, match=r"unknown factor: MKT.*nearest to 'MKT': Mkt-RF"):
        memory(funded=["MKT"])
    with pytest.raises(rm.InvalidParameterError, match=r"funded .*write \['SMB'\]"):
        memory(funded="SMB")


def test_a_provider_says_what_is_funded():
    class Told(rm.DataProvider):
        horizon, data = rm.DAY, memory()

        def asset_returns(self, assets, start=None, end=None):
            return self.data.asset_returns(assets, start, end)

        def factor_returns(self, names, start=None, end=None):
            return self.data.factor_returns(names, start, end)

        def risk_free(self, start=None, end=None):
            return self.data.risk_free(start, end)

    class Knows(Told):
        def funding(self, name):
            return rm.FUNDED if name == "SMB" else rm.SELF_FINANCING

    assert Told().panel(["A"], ["SMB", "Mkt-RF"]).funded == (False, True)
    assert Knows().panel(["A"], ["SMB", "Mkt-RF"]).funded == (True, False)
    assert rm.SampleData(rm.MONTH).panel(["NoDur"], ["Mkt-RF", "SMB"]).funded == (True, False)

    class Flag(Told):
        def funding(self, name):
            return True

    with pytest.raises(rm.InvalidParameterError):
        Flag().panel(["A"], ["SMB"])


def told(panel):
    return {f.name: (bool(f.funded), f.told_by) for f in panel.definitions}


class TestWhoSaysWhatIsFunded:
    WHO = rm.FundingSource

    @pytest.mark.parametrize("name", ["SPY", "mkt_excess", "Mkt.RF", "R_MKT"])
    def test_a_name_that_says_nothing_is_told_by_nobody(self, name):
        data = memory(factors=returns(1, [name]))
        assert told(data.panel(["A"], [name])) == {name: (False, self.WHO.NOBODY)}
        assert told(data.panel(["A"], [rm.PublishedFactor(name, rm.FUNDED)])) == {name: (True, self.WHO.CALLER)}
        assert told(memory(factors=returns(1, [name]), funded=[name]).panel(["A"], [name])) == {
            name: (True, self.WHO.PROVIDER)
        }

    def test_names_of_the_literature(self):
        panel = memory(factors=returns(2, ["Mkt-RF", "SMB"])).panel(["A"], ["Mkt-RF", "SMB"])
        assert told(panel) == {"Mkt-RF": (True, self.WHO.NAME), "SMB": (False, self.WHO.NAME)}

    def test_an_asset_of_that_name(self):
        data = memory(factors=returns(1, ["A"]))
        assert told(data.panel(["B"], ["A"])) == {"A": (True, self.WHO.ASSET)}
        assert told(data.panel(["B"], [rm.AssetFactor("C")])) == {"C": (True, self.WHO.ASSET)}

    def test_what_it_is_made_of(self):
        made = [rm.Spread("A", "B"), rm.PortfolioFactor("P", {"A": 1.0})]
        assert told(memory().panel(["A", "B"], made)) == {
            "A-B": (False, self.WHO.DEFINITION), "P": (True, self.WHO.DEFINITION)
        }  # fmt: skip

    def test_the_sample_and_the_library_say_it(self):
        data = rm.SampleData(rm.MONTH)
        assert told(data.panel(["NoDur"], ["Mkt-RF", "SMB"])) == {
            "Mkt-RF": (True, self.WHO.PROVIDER), "SMB": (False, self.WHO.PROVIDER)
        }  # fmt: skip
        assert rm.Joined(assets=data, factors=data).funding("Mkt-RF") is rm.FUNDED
        assert rm.FamaFrench(rm.MONTH).funding("HML") is rm.SELF_FINANCING

    def test_who_says_it_is_no_part_of_what_a_factor_is(self):
        assert rm.PublishedFactor("Mkt-RF") == rm.PublishedFactor("Mkt-RF", rm.FUNDED)
        assert rm.PublishedFactor("SPY") != rm.PublishedFactor("SPY", rm.FUNDED)

    def test_a_model_says_it(self):
        model = rm.OLS().fit(memory(factors=returns(2, ["Mkt-RF", "R_MKT"])).panel(["A"], ["Mkt-RF", "R_MKT"]))
        assert model.funding.to_dict("index") == {
            "Mkt-RF": {"funded": True, "told_by": "its name"}, "R_MKT": {"funded": False, "told_by": "nobody"}
        }  # fmt: skip

    def test_it_is_saved_with_the_moments(self, tmp_path):
        panel = memory(factors=returns(2, ["SPY", "R_MKT"])).panel(
            ["A"], [rm.PublishedFactor("SPY", rm.FUNDED), "R_MKT"]
        )
        rm.Moments.of(panel).save(tmp_path / "s")
        assert told(rm.Moments.load(tmp_path / "s")) == told(panel)

    @pytest.mark.parametrize(
        ("factor", "cash"),
        [(rm.PublishedFactor("R_MKT", rm.FUNDED), 200_000.0), (rm.PublishedFactor("R_MKT", rm.SELF_FINANCING), -1e6)],
    )
    def test_a_million_of_a_stock_against_its_market(self, factor, cash):
        # a beta of 1.2: the short sale of the market raises 1.2 million where it is funded
        model = rm.FactorModel.from_parameters(
            assets=["AAPL"], factors=[factor], alpha=0.0, loadings=1.2, factor_covariance=1e-4, factor_mean=0.0,
            idio_variance=1e-4, horizon=rm.DAY,
        )  # fmt: skip
        hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"AAPL": 1.0}, model))
        assert rm.Position(hedged, 1e6, rm.DAY).cash == pytest.approx(cash)

    def test_cash_that_nobody_says_warns_and_risk_does_not(self):
        model = rm.FactorModel.from_parameters(
            assets=["AAPL"], factors=["R_MKT"], alpha=0.0, loadings=1.2, factor_covariance=1e-4, factor_mean=0.0,
            idio_variance=1e-4, horizon=rm.DAY,
        )  # fmt: skip
        hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"AAPL": 1.0}, model))
        assert float(hedged.volatility) == pytest.approx(0.01)
        with pytest.warns(rm.UnstatedFundingWarning) as said:
            assert hedged.cash_weight == -1.0
        assert said[0].message.details == {"factors": ["R_MKT"]}
        # a factor that is not held does not matter
        assert rm.Strategy({"AAPL": 1.0}, model).cash_weight == -1.0


def test_the_index_as_an_asset_is_the_samples_market_factor():
    panel = rm.SampleData().panel(["MSFT"], [rm.AssetFactor("SPX"), "Mkt-RF"])
    np.testing.assert_array_equal(panel.factor_returns["SPX"], panel.factor_returns["Mkt-RF"])
    assert panel.funded == (True, True)


def test_a_spread_is_long_one_and_short_the_other():
    panel = memory().panel(["C"], [rm.Spread("A", "B")])
    expected = (returns()["A"] - returns()["B"]).rename("A-B")
    pd.testing.assert_series_equal(panel.factor_returns["A-B"], expected, check_freq=False)
    assert panel.funded == (False,)


@pytest.mark.parametrize("factor", [rm.AssetFactor("Z"), rm.Spread("A", "Z"), rm.Spread("Z", "A")])
def test_factors_of_unknown_assets_raise(factor):
    with pytest.raises(rm.UnknownAssetError, match="unknown asset: Z"):
        memory().panel(["A"], [factor])


def test_factors_are_values():
    assert rm.Spread("A", "B") == rm.Spread("A", "B") != rm.Spread("B", "A")
    assert len({rm.AssetFactor("A"), rm.AssetFactor("A"), rm.PublishedFactor("A")}) == 2
    with pytest.raises(AttributeError):
        rm.AssetFactor("A").asset = "B"


# -- how a user may write one ---------------------------------------------------------------------------------------


def test_name_and_funded_may_be_written_in_any_of_the_usual_ways():
    class Base(rm.Factor):
        def returns(self, data, start, end):
            return data.asset_returns(["A"], start, end)["A"]

    class ClassAttributes(Base):
        name, funded = "mine", False

    class Init(Base):
        def __init__(self):
            self.name, self.funded = "mine", False

    class Properties(Base):
        @property
        def name(self):
            return "mine"

        @property
        def funded(self):
            return False

    @dataclasses.dataclass(frozen=True)
    class Dataclass(Base):
        name: str = "mine"
        funded: bool = False

    @dataclasses.dataclass
    class Required(Base):
        name: str
        funded: bool

    for factor in (ClassAttributes(), Init(), Properties(), Dataclass(), Required("mine", False)):
        panel = memory().panel(["B"], [factor])
        assert list(panel.factors) == ["mine"]
        assert panel.funded == (False,)
        assert panel.definitions == (factor,)


def test_a_factor_without_name_or_funded_is_told_so():
    class Nameless(rm.Factor):
        def returns(self, data, start, end):
            return data.asset_returns(["A"], start, end)["A"]

    with pytest.raises(rm.InvalidParameterError, match="Nameless with no name and no funded"):
        memory().panel(["A"], [Nameless()])


def test_a_factor_without_returns_cannot_be_made():
    class Empty(rm.Factor):
        name, funded = "empty", False

    with pytest.raises(TypeError, match="abstract"):
        Empty()


def test_the_class_in_place_of_the_factor_is_told():
    with pytest.raises(rm.InvalidParameterError, match=r"class Given; write Given\(\)"):
        memory().panel(["A"], [Given])


@pytest.mark.parametrize("factors", [["given", 0], [0, 0], [0, rm.PublishedFactor("given")]])
def test_two_factors_of_one_name_are_refused(factors):
    mine = Given(returns()["A"])
    with pytest.raises(rm.DuplicateLabelsError, match=r"factors.*given"):
        memory().panel(["A"], [mine if f == 0 else f for f in factors])


@pytest.mark.parametrize("bad", [[0.1], None, 0.1, np.zeros(60), returns()])
def test_a_factor_that_returns_no_series_is_told(bad):
    with pytest.raises(rm.NonNumericError, match=r"Given\.returns of factor 'given'"):
        memory().panel(["A"], [Given(bad)])


BAD_SERIES = {
    "infinite": (returns()["A"].replace(returns().iloc[0, 0], np.inf), rm.InfiniteReturnsError),
    "text": (returns()["A"].astype(str), rm.NonNumericError),
    "percent": (100 * returns()["A"], rm.PercentReturnsError),
    "twice": (returns()["A"].iloc[[0, 0, 1, 2]], rm.DuplicateDatesError),
    "no dates": (returns()["A"].reset_index(drop=True), rm.InvalidDatesError),
    "monthly": (returns()["A"].set_axis(pd.period_range("2016-01", periods=60, freq="M")), rm.SpacingError),
    "elsewhere": (returns()["A"].shift(freq=pd.Timedelta(days=700)), rm.NoOverlapError),
}


@pytest.mark.parametrize(("series", "error"), BAD_SERIES.values(), ids=BAD_SERIES)
def test_a_factor_that_returns_bad_numbers_is_told(series, error):
    with pytest.raises(error):
        memory().panel(["A"], ["SMB", Given(series)])


@pytest.mark.parametrize("kind", ["infinite", "text", "twice", "no dates", "monthly"])
def test_the_factor_that_returns_bad_numbers_is_named(kind):
    series, error = BAD_SERIES[kind]
    with pytest.raises(error, match="factor 'given'"):
        memory().panel(["A"], ["SMB", Given(series)])


WRITTEN = {
    "as they are": lambda s: s,
    "unsorted": lambda s: s.iloc[::-1],
    "named otherwise": lambda s: s.rename("other"),
    "with a zone": lambda s: s.tz_localize("Asia/Tokyo"),
    "periods": lambda s: s.to_period("D"),
    "at the close": lambda s: s.shift(freq=pd.Timedelta(hours=16)),
    "nullable": lambda s: s.astype("Float64"),
    "beyond the window": lambda s: pd.concat([pd.Series([0.0], [pd.Timestamp("2019-12-31")]), s]),
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
def test_a_users_series_aligns_beside_published_factors_however_it_is_dated(write):
    series = returns(5)["A"]
    panel = memory().panel(["A"], ["SMB", Given(write(series)), rm.Spread("B", "C")], start=DAYS[0])
    np.testing.assert_array_equal(panel.factor_returns["given"], series)
    assert list(panel.factors) == ["SMB", "given", "B-C"]
    assert panel.dropped.empty


def test_monthly_factors_from_sources_that_label_months_differently_align():
    months = pd.date_range("2000-01-31", periods=60, freq=pd.offsets.MonthEnd())
    rows = returns(names=["A"], days=months)
    data = rm.InMemory(rows, factors=rows.rename(columns={"A": "F"}), risk_free=0.0, horizon=rm.MONTH)
    first_days = Given(rows["A"].set_axis(months - pd.offsets.MonthBegin()))
    panel = data.panel(["A"], ["F", first_days])
    np.testing.assert_array_equal(panel.factor_returns["F"], panel.factor_returns["given"])
    assert panel.dropped.empty


def test_a_factor_that_needs_a_warm_up_drops_those_dates_and_says_so():
    class Momentum(rm.Factor):
        name, funded = "momentum", False

        def returns(self, data, start, end):
            r = data.asset_returns(NAMES, start, end)
            past = r.rolling(5).mean().shift()
            return (r * past.sub(past.mean(axis=1), axis=0)).sum(axis=1, min_count=1)

    panel = memory().panel(["A"], ["SMB", Momentum()])
    assert len(panel.dates) == 55
    assert panel.dropped["date"].tolist() == list(DAYS[:5])
    assert set(panel.dropped["reason"]) == {"factor momentum missing"}


def test_a_factor_is_given_the_provider_and_the_window():
    seen = []

    class Spy(rm.Factor):
        name, funded = "spy", False

        def returns(self, data, start, end):
            seen.append((data, start, end))
            return data.asset_returns(["A"], start, end)["A"]

    data = memory()
    data.panel(["A"], [Spy()], "2020-01-03", "2020-02")
    assert seen == [(data, pd.Timestamp("2020-01-03"), pd.Timestamp("2020-02-29"))]


# -- and where it flows ------------------------------------------------------------------------------------------------

weights = st.lists(st.floats(-2, 2).map(lambda x: round(x, 2)), min_size=5, max_size=5).map(tuple)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(weights, st.booleans()), min_size=1, max_size=3),
    weights.filter(lambda w: sum(abs(x) for x in w) > 0.1),
    st.floats(1e3, 1e8),
)
def test_any_factor_a_user_writes_flows_through_to_hedges_and_budgets(baskets, held, limit):
    data = memory()
    factors = [Basket(f"basket {i}", funded, w) for i, (w, funded) in enumerate(baskets)]
    panel = data.panel(NAMES, [*factors, "Mkt-RF"])
    assume(np.linalg.cond(panel.factor_returns - panel.factor_returns.mean()) < 1e6)
    model = rm.OLS().fit(panel)
    assert model.definitions == (*factors, rm.PublishedFactor("Mkt-RF"))
    assert model.funded == (*(funded for _, funded in baskets), True)

    hedged = rm.HedgedPortfolio.neutral(rm.Strategy(dict(zip(NAMES, held, strict=True)), model))
    np.testing.assert_allclose(hedged.exposures, 0.0, atol=1e-9)
    # a holding that the baskets replicate has nothing left to size
    assume(float(hedged.volatility) > 1e-6)

    position = rm.RiskBudget(volatility=limit, horizon=rm.MONTH).size(hedged)
    spent = float(position.capital) * float(hedged.volatility.at(rm.MONTH))
    assert spent == pytest.approx(limit, rel=1e-9)

    # the model carries the factor objects, so the provider can give the hedge's own returns
    realised = hedged.excess_returns(data)
    assert len(realised) == len(DAYS)
    by_hand = (
        panel.excess_returns @ pd.Series(dict(zip(NAMES, held, strict=True)))
        + panel.factor_returns @ hedged.hedge_weights
    )
    np.testing.assert_allclose(realised, by_hand, atol=1e-12)
    # what is neutral in the model is uncorrelated with every factor in the sample
    np.testing.assert_allclose(panel.factor_returns.apply(realised.cov), 0.0, atol=1e-12)
    # each funded leg that is sold raises cash; self-financing ones do not
    cash = sum(held) + sum(h for h, funded in zip(hedged.hedge_weights, model.funded, strict=True) if funded)
    assert hedged.cash_weight == pytest.approx(-cash, abs=1e-9)


# -- factors that are made of assets ---------------------------------------------------------------------------------

MONTHS = pd.period_range("2015-01", periods=60, freq="M")
MADE = [rm.AssetFactor("B"), rm.Spread("B", "C"), rm.PortfolioFactor("P", {"B": 1.0, "C": -0.5})]


class Dated(rm.DataProvider):
    """Monthly returns of a provider that dates assets and rate as a test says."""

    horizon = rm.MONTH
    values = returns(7, list("ABC"), MONTHS)

    def __init__(self, assets, rate, make=lambda frame: frame):
        self.dates, self.rate_dates, self.make = assets, rate, make

    def asset_returns(self, assets, start=None, end=None):
        return self.make(self.values[list(assets)].set_axis(self.dates))

    def factor_returns(self, names, start=None, end=None):
        return self.make(self.values[["A"]].set_axis(list(names), axis=1).set_axis(self.dates))

    def risk_free(self, start=None, end=None):
        return self.make(pd.Series(0.001, self.rate_dates, name="RF").to_frame())


def _polars(frame):
    polars = pytest.importorskip("polars")
    return polars.from_pandas(frame.rename_axis("date").reset_index())


ENDS = MONTHS.to_timestamp(how="end").normalize()
TRADING_ENDS = pd.date_range("2015-01-01", periods=60, freq=pd.offsets.BusinessMonthEnd())
DATED = {
    "periods": (MONTHS, MONTHS, lambda frame: frame),
    "business ends of assets and rate": (TRADING_ENDS, TRADING_ENDS, lambda frame: frame),
    "business ends and first days": (TRADING_ENDS, MONTHS.to_timestamp(), lambda frame: frame),
    "a rate by business ends": (ENDS, TRADING_ENDS, lambda frame: frame),
    "a zone": (ENDS.tz_localize("America/New_York"), ENDS, lambda frame: frame),
    "polars": (ENDS, ENDS, _polars),
}


@pytest.mark.parametrize("dated", DATED.values(), ids=DATED)
def test_factors_of_assets_take_the_dates_and_tables_that_plain_factors_take(dated):
    panel = Dated(*dated).panel(["A"], ["Mkt-RF", *MADE])
    values = Dated.values
    expected = {"B": values["B"] - 0.001, "B-C": values["B"] - values["C"]}
    expected["P"] = values["B"] - 0.5 * values["C"] - 0.5 * 0.001
    for name, series in expected.items():
        np.testing.assert_allclose(panel.factor_returns[name], series, atol=1e-15)
    assert list(panel.dates) == list(ENDS)


def test_factors_of_hours_in_a_zone_are_those_of_the_assets():
    clock = [pd.Timedelta(hours=hour, minutes=30) for hour in range(10, 17)]
    times = [day + time for day in pd.bdate_range("2024-01-02", periods=60) for time in clock]
    index = pd.DatetimeIndex(times).tz_localize("America/New_York")
    rows = returns(8, list("ABC"), index)
    data = rm.InMemory(rows, factors=None, risk_free=0.0, horizon=rm.Horizon.of("1h", per_day=7))
    panel = data.panel(["A"], MADE)
    local = rows.tz_localize(None)
    np.testing.assert_allclose(panel.factor_returns["B"], local["B"], atol=1e-17)
    np.testing.assert_allclose(panel.factor_returns["B-C"], local["B"] - local["C"], atol=1e-17)
    assert panel.dates.equals(local.index)


def test_the_first_component_of_months_may_fall_by_more_than_everything():
    data = rm.SampleData(rm.MONTH)
    names = data.assets
    component = rm.PortfolioFactor("PC1", dict.fromkeys(names, len(names) ** -0.5))
    panel = data.panel(names, [component])
    np.testing.assert_allclose(panel.factor_returns["PC1"], panel.returns_of([component])[:, 0], rtol=1e-12)
    assert panel.factor_returns["PC1"].min() == pytest.approx(-1.359, abs=1e-3)


def test_the_first_component_of_many_stocks_is_not_taken_for_percent():
    names = [f"S{i}" for i in range(400)]
    rows = returns(9, names) + returns(10, ["market"]).to_numpy()
    data = rm.InMemory(rows, factors=None, risk_free=0.0, horizon=rm.DAY)
    panel = data.panel(names, [rm.PortfolioFactor("PC1", dict.fromkeys(names, 0.05))])
    np.testing.assert_allclose(panel.factor_returns["PC1"], 0.05 * rows.sum(axis=1), rtol=1e-12)


def test_the_assets_of_a_factor_are_checked():
    data = Dated(ENDS, ENDS)
    data.values = returns(7, list("ABC"), MONTHS).assign(B=lambda frame: 100 * frame["B"])
    with pytest.raises(rm.PercentReturnsError) as error:
        data.panel(["A"], [rm.PortfolioFactor("P", {"B": 0.001})])
    assert error.value.details["labels"] == ["B"]


def test_a_factor_by_business_month_ends_has_its_values_off_the_panel():
    rows = returns(11, list("AB"), MONTHS.to_timestamp(how="end").normalize())
    panel = rm.InMemory(rows, factors=None, risk_free=0.0, horizon=rm.MONTH).panel(["A"], [rm.AssetFactor("B")])
    given = Given(rows["B"].set_axis(TRADING_ENDS))
    np.testing.assert_array_equal(panel.returns_of([given])[:, 0], rows["B"])


def test_a_factor_that_gives_no_series_is_told_off_the_panel_too():
    panel = memory().panel(["A"], ["SMB"])
    with pytest.raises(rm.NonNumericError):
        panel.returns_of([Given([0.0])])


def test_a_factor_may_ask_a_panel_for_its_assets_and_factors():
    class Mean(rm.Factor):
        name, funded = "mean", False

        def returns(self, data, start, end):
            return (
                data.asset_returns(data.assets, start, end).mean(axis=1) - data.factor_returns(data.factors).iloc[:, 0]
            )

    panel = memory().panel(NAMES, ["SMB"])
    values = memory().asset_returns(NAMES).mean(axis=1) - memory().factor_returns(["SMB"])["SMB"]
    np.testing.assert_allclose(panel.returns_of([Mean()])[:, 0], values, atol=1e-15)


@pytest.mark.parametrize(
    ("weights", "funded"),
    [
        ({"KO": 1.0, "JPM": -1.0}, False),
        ({"KO": 0.1, "JPM": 0.2, "XOM": -0.3}, False),
        ({"KO": 1.0, "JPM": -0.5}, True),
        ({"KO": 0.5, "JPM": 0.5}, True),
        ({"KO": -1.0}, True),
    ],
)
def test_a_portfolio_costs_cash_where_its_weights_have_a_sum(weights, funded):
    assert rm.PortfolioFactor("P", weights).funded is funded


@pytest.mark.parametrize("weights", [{"KO": 1.0, "JPM": -1.0}, {"KO": 1.0, "JPM": -0.5}])
def test_the_cash_of_a_hedge_in_a_portfolio_is_what_its_assets_cost(weights):
    factor = rm.PortfolioFactor("LS", weights)
    panel = rm.SampleData().panel(["KO", "JPM"], [factor], start="2016")
    hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"KO": 1.0}, rm.OLS().fit(panel)))
    position = rm.RiskBudget(1e6, rm.MONTH).size(hedged)
    cost = position.hedge["LS"] * factor.weights.sum()
    assert position.holdings.sum() + cost + position.cash == pytest.approx(0.0, abs=1e-6)


def test_assets_of_factors_may_have_labels_of_mixed_type():
    rows = returns(12, [1, "A", "B", 2])
    data = rm.InMemory(rows, factors=None, risk_free=0.0, horizon=rm.DAY)
    made = [rm.PortfolioFactor("P", {1: 1.0, "B": 0.5}), rm.PortfolioFactor("Q", {"B": 1.0, 2: 1.0})]
    panel = data.panel([1, "A", "B", 2], made)
    expected = pd.DataFrame({"P": rows[1] + 0.5 * rows["B"], "Q": rows["B"] + rows[2]})
    np.testing.assert_allclose(panel.factor_returns, expected, atol=1e-15)
    others = [rm.PortfolioFactor(f.name, 2.0 * f.weights) for f in made]
    np.testing.assert_allclose(panel.returns_of(others), 2.0 * expected, atol=1e-15)
    hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"A": 1.0}, rm.OLS().fit(panel)))
    np.testing.assert_allclose(hedged.exposures, 0.0, atol=1e-12)


def test_a_spread_of_an_asset_and_itself_is_zero():
    panel = memory().panel(["A"], [rm.Spread("B", "B")])
    assert not panel.factor_returns.to_numpy().any()
