"""Scenarios: conditional expectations against the dense normal distribution and simulation, episodes, tables."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import panel_of

import riskmodel as rm
from riskmodel.analysis.scenarios.episode import EPISODES

RTOL = 1e-10


def model_of(seed=0, n=6, k=3, linked=False, horizon=rm.DAY):
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 0.01, (k, k))
    links = np.zeros((n, 1))
    if linked:
        links[:3, 0] = [0.008, 0.006, -0.005]
    return rm.FactorModel(
        assets=[f"A{i}" for i in range(n)],
        factors=[f"F{j}" for j in range(k)],
        alpha=np.zeros(n),
        loadings=rng.normal(0.8, 0.5, (n, k)),
        factor_mean=np.full(k, 1e-4),
        factor_covariance=root @ root.T,
        idio_variance=rng.uniform(1e-4, 4e-4, n),
        risk_free_mean=0.0,
        horizon=horizon,
        definitions=[f"F{j}" for j in range(k)],
        links=links,
    )


def dense(model):
    """The covariance of (f, ε), written out."""
    k = len(model.factors)
    n = len(model.assets)
    out = np.zeros((k + n, k + n))
    out[:k, :k] = model.factor_covariance
    c = model.links.to_numpy()
    out[k:, k:] = c @ c.T + np.diag(model.idio_variance - (c**2).sum(axis=1))
    return out


def observe(model, shocks):
    """Rows that make the shocked returns of (f, ε)."""
    k, rows = len(model.factors), []
    for label in shocks:
        row = np.zeros(k + len(model.assets))
        if label in model.factors:
            row[model.factors.get_loc(label)] = 1.0
        else:
            i = model.assets.get_loc(label)
            row[:k] = model.loadings.loc[label]
            row[k + i] = 1.0
        rows.append(row)
    return np.array(rows)


def conditional(model, shocks, unmoved=False):
    """Mean and covariance of (f, ε) given the shocks, by the naive formula."""
    c = dense(model)
    if unmoved:  # nothing is uncertain about the factors
        k = len(model.factors)
        mean = np.zeros(len(c))
        mean[:k] = [shocks.get(f, 0.0) for f in model.factors]
        c[:k, :k] = 0.0
        shocks = {label: size for label, size in shocks.items() if label not in model.factors}
    else:
        mean = np.zeros(len(c))
    if not shocks:
        return mean, c
    a = observe(model, shocks)
    gain = c @ a.T @ np.linalg.inv(a @ c @ a.T)
    return mean + gain @ (np.array(list(shocks.values())) - a @ mean), c - gain @ a @ c


def portfolio(model, hedged, seed=0):
    weights = np.random.default_rng(seed).normal(0, 1, len(model.assets))
    strategy = rm.Strategy(pd.Series(weights, model.assets), model)
    return rm.HedgedPortfolio(strategy, {"F0": -0.7, "F2": 0.4, "A1": 0.3}) if hedged else strategy


def rows_of(p):
    """Each holding as a row over (f, ε)."""
    k, model = len(p.model.factors), p.model
    rows = {}
    for asset, w in p.weights.items():
        row = np.zeros(k + len(model.assets))
        row[:k] = w * model.loadings.loc[asset]
        row[k + model.assets.get_loc(asset)] = w
        rows[asset] = row
    for factor, leg in p.legs[p.legs != 0].items():
        row = rows.get(factor, np.zeros(k + len(model.assets)))
        row[model.factors.get_loc(factor)] += leg
        rows[factor] = row
    return pd.DataFrame(rows).T


CASES = [
    {"F0": -0.05},
    {"F0": -0.05, "F2": 0.03},
    {"A1": -0.2},
    {"F1": 0.02, "A0": 0.1, "A2": -0.1},
    {"F0": -0.05, "F1": 0.01, "F2": 0.03},
]


class TestShocks:
    @pytest.mark.parametrize("shocks", CASES, ids="-".join)
    @pytest.mark.parametrize("unshocked", [rm.EXPECTED, rm.UNMOVED])
    @pytest.mark.parametrize("linked", [False, True])
    @pytest.mark.parametrize("hedged", [False, True])
    def test_is_the_dense_conditional_distribution(self, shocks, unshocked, linked, hedged):
        model = model_of(linked=linked)
        p = portfolio(model, hedged)
        outcome = rm.Shocks("s", shocks, unshocked=unshocked).of(p)
        mean, covariance = conditional(model, dict(shocks), unshocked is rm.UNMOVED)
        rows = rows_of(p)
        total = rows.sum().to_numpy()
        assert math.isclose(outcome.pnl, total @ mean, rel_tol=RTOL)
        assert math.isclose(outcome.volatility, math.sqrt(total @ covariance @ total), rel_tol=1e-6, abs_tol=1e-9)
        by_asset = outcome.by_asset
        assert list(by_asset.index) == list(rows.index)
        np.testing.assert_allclose(by_asset["pnl"], rows @ mean, rtol=1e-9, atol=1e-14)
        spread = np.sqrt(np.diag(rows.to_numpy() @ covariance @ rows.to_numpy().T).clip(0))
        np.testing.assert_allclose(by_asset["volatility"], spread, rtol=1e-5, atol=1e-8)
        k, x = len(model.factors), p.exposures
        by_factor = outcome.by_factor
        np.testing.assert_allclose(by_factor["move"].iloc[:k], mean[:k], atol=1e-14)
        np.testing.assert_allclose(by_factor["pnl"].iloc[:k], x * mean[:k], atol=1e-14)
        spread = np.abs(x) * np.sqrt(np.diag(covariance)[:k].clip(0))
        np.testing.assert_allclose(by_factor["volatility"].iloc[:k], spread, rtol=1e-5, atol=1e-8)
        idio = np.append(np.zeros(k), total[k:])
        assert math.isclose(by_factor.loc["idio", "pnl"], idio @ mean, rel_tol=1e-9, abs_tol=1e-14)
        assert math.isclose(by_factor.loc["idio", "volatility"], math.sqrt(idio @ covariance @ idio), rel_tol=1e-6)

    @given(seed=st.integers(0, 2**32 - 1), linked=st.booleans(), hedged=st.booleans(), k=st.integers(3, 6))
    def test_parts_sum_to_the_whole(self, seed, linked, hedged, k):
        model = model_of(seed, k=k, linked=linked)
        p = portfolio(model, hedged, seed)
        outcome = rm.Shocks("s", {"F0": -0.2, "A3": 0.1}).of(p)
        scale = np.abs(outcome.by_asset["pnl"]).sum()
        groups = {label: str(label)[-1] in "024" for label in outcome.by_asset.index}
        for table in (outcome.by_factor, outcome.by_asset, outcome.by_group(groups)):
            assert math.isclose(table["pnl"].sum(), outcome.pnl, rel_tol=RTOL, abs_tol=RTOL * scale)

    def test_moments_of_a_simulation(self):
        """Draws near the shock have the mean and the standard deviation of the scenario."""
        model = model_of(3, linked=True)
        p = portfolio(model, hedged=True)
        rng = np.random.default_rng(0)
        draws = rng.multivariate_normal(np.zeros(9), dense(model), 400_000)
        size = -2.0 * math.sqrt(model.factor_covariance.iloc[0, 0])
        near = np.abs(draws[:, 0] - size) < 0.02 * abs(size)
        own = draws[near] @ rows_of(p).sum().to_numpy()
        outcome = rm.Shocks("s", {"F0": -2.0}, unit=rm.STANDARD_DEVIATIONS).of(p)
        assert abs(own.mean() - outcome.pnl) < 4 * own.std() / math.sqrt(len(own)) + 0.02 * abs(outcome.pnl)
        assert math.isclose(own.std(), outcome.volatility, rel_tol=0.05)

    def test_standard_deviations_depend_on_the_horizon(self):
        model = model_of()
        p = portfolio(model, hedged=False)
        sd = rm.Shocks("s", {"F0": -3.0, "A1": 1.0}, unit=rm.STANDARD_DEVIATIONS, horizon=rm.MONTH)
        expected = {
            "F0": -3.0 * math.sqrt(21 * model.factor_covariance.iloc[0, 0]),
            "A1": math.sqrt(21 * model.covariance.diagonal()["A1"]),
        }
        given = rm.Shocks("s", expected, horizon=rm.MONTH).of(p)
        assert math.isclose(sd.of(p).pnl, given.pnl, rel_tol=RTOL)
        assert given.horizon == rm.MONTH
        assert given.volatility.horizon == rm.MONTH

    def test_distance_is_that_of_mahalanobis(self):
        model = model_of(linked=True)
        p = portfolio(model, hedged=False)
        for shocks in CASES:
            a = observe(model, shocks)
            s = np.array(list(shocks.values()))
            expected = math.sqrt(s @ np.linalg.solve(a @ dense(model) @ a.T, s))
            assert math.isclose(rm.Shocks("s", shocks).of(p).distance, expected, rel_tol=1e-9)
        one = rm.Shocks("s", {"F0": -3.0}, unit=rm.STANDARD_DEVIATIONS).of(p)
        assert math.isclose(one.distance, 3.0, rel_tol=RTOL)
        every = {f: {"F0": -0.05}.get(f, 0.0) for f in model.factors}
        unmoved = rm.Shocks("s", {"F0": -0.05}, unshocked=rm.UNMOVED).of(p)
        assert math.isclose(unmoved.distance, rm.Shocks("s", every).of(p).distance, rel_tol=1e-9)

    def test_nothing_is_uncertain_where_all_is_given(self):
        model = model_of()
        p = rm.Strategy({"A1": 1.0}, model)
        outcome = rm.Shocks("s", {"A1": -0.2}).of(p)
        assert math.isclose(outcome.pnl, -0.2, rel_tol=RTOL)
        assert outcome.volatility == 0.0

    def test_dollars(self):
        p = portfolio(model_of(), hedged=True)
        shocks = rm.Shocks("s", {"F0": -0.05})
        returns, dollars = shocks.of(p), shocks.of(rm.Position(p, 2e6, rm.MONTH))
        assert math.isclose(dollars.pnl, 2e6 * returns.pnl, rel_tol=RTOL)
        assert math.isclose(dollars.volatility, 2e6 * returns.volatility, rel_tol=RTOL)
        np.testing.assert_allclose(dollars.by_asset, 2e6 * returns.by_asset)
        np.testing.assert_allclose(dollars.by_factor[["pnl", "volatility"]], 2e6 * returns.by_factor.iloc[:, 2:])

    def test_interval_of_a_normal_distribution(self):
        outcome = rm.Shocks("s", {"F0": -0.05}).of(portfolio(model_of(), hedged=False))
        low, high = outcome.interval(0.95)
        assert math.isclose(high - low, 2 * 1.959963984540054 * outcome.volatility, rel_tol=1e-9)
        assert math.isclose(low + high, 2 * outcome.pnl, rel_tol=1e-9)

    def test_an_asset_factor_is_one_holding(self):
        panel = rm.SampleData().panel(["KO", "XOM", "SPX"], [rm.AssetFactor("SPX")], start="2015")
        model = rm.OLS().fit(panel)
        p = rm.HedgedPortfolio(rm.Strategy({"KO": 0.5, "SPX": 0.2}, model), {"SPX": -0.3})
        table = rm.Shocks("s", {"SPX": -0.1}).of(p).by_asset
        assert list(table.index) == ["KO", "SPX"]
        assert math.isclose(table.loc["SPX", "pnl"], 0.01, rel_tol=1e-9)

    def test_portfolio_factors(self):
        """A hedge in principal components holds their assets, whose residuals stay uncertain."""
        panel = panel_of(*_components())
        model = rm.Assembled(rm.PrincipalComponents(2), rm.SampleCovariance(), rm.SampleVariance()).fit(panel)
        hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"A0": 1.0}, model))
        outcome = rm.Shocks("s", {model.factors[0]: -0.1}).of(hedged)
        assert abs(outcome.pnl) < 1e-12
        assert math.isclose(outcome.volatility, hedged.volatility, rel_tol=1e-9)


def _components():
    rng = np.random.default_rng(1)
    f = rng.normal(0, 0.01, (300, 2))
    return f @ rng.normal(1, 0.5, (12, 2)).T + rng.normal(0, 0.01, (300, 12)), rng.normal(0, 0.01, (300, 0))


class TestRefusals:
    def test_labels(self):
        p = portfolio(model_of(), hedged=False)
        with pytest.raises(rm.UnknownFactorError) as caught:
            rm.Shocks("s", {"F9": -0.1}).of(p)
        assert caught.value.details["missing"] == ["F9"]

    @pytest.mark.parametrize("size", [-20.0, 20.0, -1.5])
    def test_percentages(self, size):
        p = portfolio(model_of(), hedged=False)
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.Shocks("s", {"F0": size}).of(p)
        assert caught.value.details["labels"] == ["F0"]
        assert rm.Shocks("s", {"F0": size}, unit=rm.STANDARD_DEVIATIONS).of(p).pnl

    def test_a_series_that_is_no_return_may_have_any_size(self):
        points = rm.FactorModel.from_parameters(
            assets=["A"], factors=[rm.PublishedFactor("VIX", tradable=False)], alpha=0.0, loadings=-0.002,
            factor_covariance=4.0, factor_mean=0.0, idio_variance=1e-4, horizon=rm.DAY,
        )  # fmt: skip
        assert math.isclose(rm.Shocks("s", {"VIX": 30.0}).of(rm.Strategy({"A": 1.0}, points)).pnl, -0.06)

    def test_contradictory_shocks(self):
        model = rm.FactorModel.from_parameters(
            assets=["A", "B"], factors=["F", "G"], alpha=[0, 0], loadings=np.eye(2), idio_variance=[1e-4, 1e-4],
            factor_covariance=[[1e-4, 1e-4], [1e-4, 1e-4]], factor_mean=[0, 0], horizon=rm.DAY,
        )  # fmt: skip
        p = rm.Strategy({"A": 1.0, "B": 1.0}, model)
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.Shocks("s", {"F": -0.1, "G": 0.1}).of(p)
        assert caught.value.details["parameter"] == "shocks"
        assert math.isclose(rm.Shocks("s", {"F": -0.1, "G": -0.1}).of(p).pnl, -0.2, rel_tol=1e-9)
        alone = rm.Shocks("s", {"F": -0.1}, unshocked=rm.UNMOVED).of(p)
        assert math.isclose(alone.pnl, -0.1, rel_tol=1e-9)
        assert alone.distance == math.inf

    def test_no_variance_no_standard_deviation(self):
        model = rm.FactorModel.from_parameters(
            assets=["A"], factors=["F", "G"], alpha=0.0, loadings=[[1.0, 1.0]], idio_variance=1e-4,
            factor_covariance=[[1e-4, 0], [0, 0]], factor_mean=[0, 0], horizon=rm.DAY,
        )  # fmt: skip
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.Shocks("s", {"G": 1.0}, unit=rm.STANDARD_DEVIATIONS).of(rm.Strategy({"A": 1.0}, model))
        assert caught.value.details["labels"] == ["G"]

    def test_groups_of_every_holding(self):
        outcome = rm.Shocks("s", {"F0": -0.1}).of(portfolio(model_of(), hedged=True))
        with pytest.raises(rm.UnknownAssetError) as caught:
            outcome.by_group({f"A{i}": "x" for i in range(6)})
        assert caught.value.details["missing"] == ["F0", "F2"]


class TestGroups:
    def test_a_group_is_a_portfolio(self):
        """Its figures are those of a portfolio of its holdings alone, linked residuals included."""
        model = model_of(linked=True)
        p = portfolio(model, hedged=False)
        shocks = rm.Shocks("s", {"F0": -0.1, "A4": 0.05})
        table = shocks.of(p).by_group({f"A{i}": "left" if i < 3 else "right" for i in range(6)})
        for name, assets in (("left", ["A0", "A1", "A2"]), ("right", ["A3", "A4", "A5"])):
            alone = shocks.of(rm.Strategy(p.weights[assets], model))
            assert math.isclose(table.loc[name, "pnl"], alone.pnl, rel_tol=1e-9)
            assert math.isclose(table.loc[name, "volatility"], alone.volatility, rel_tol=1e-9)


class TestCovarianceStress:
    def test_is_the_stressed_model(self):
        model = model_of(linked=True)
        p = portfolio(model, hedged=True)
        stress = rm.CovarianceStress("s", factors=2.0, specific=1.5, correlation=0.3)
        f = model.factor_covariance.to_numpy()
        scales = np.sqrt(np.diag(f))
        r = f / np.outer(scales, scales)
        expected = 4.0 * np.outer(scales, scales) * (0.7 * r + 0.3)
        np.testing.assert_allclose(stress.factor_covariance(model), expected, rtol=1e-9)
        c = dense(model)
        c[:3, :3], c[3:, 3:] = expected, 2.25 * c[3:, 3:]
        total = rows_of(p).sum().to_numpy()
        outcome = stress.of(p)
        assert outcome.pnl == 0.0
        assert math.isclose(outcome.volatility, math.sqrt(total @ c @ total), rel_tol=1e-9)

    def test_nothing_stressed_is_the_model(self):
        p = portfolio(model_of(linked=True), hedged=True)
        assert math.isclose(rm.CovarianceStress("s").of(p).volatility, p.volatility, rel_tol=1e-12)


@pytest.fixture(scope="module")
def sample():
    return rm.SampleData().panel(["MSFT", "JPM", "SPX"], ["Mkt-RF"])


class TestEpisodes:
    def test_dates_are_the_highs_and_lows_of_the_index(self, sample):
        """Closes of the index, in its own returns; only the episodes that the sample has."""
        level = (1.0 + rm.SampleData().asset_returns(["SPX"])["SPX"]).cumprod()
        covered = [e for e in rm.Episode.covered_by(sample) if "index" in e.source]
        assert [e.name for e in covered] == [
            "dot-com bust 2000-02",
            "financial crisis 2007-09",
            "euro crisis 2011",
        ]
        for episode in covered:
            around = level[episode.start - pd.Timedelta(days=60) : episode.end + pd.Timedelta(days=60)]
            assert around.idxmax() == episode.start
            assert around.idxmin() == episode.end

    def test_moves_are_compounded(self, sample):
        p = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(sample.select(start="2015")))
        crisis = next(e for e in EPISODES if e.name == "financial crisis 2007-09")
        outcome = rm.Replay(crisis, sample).of(p)
        inside = sample.factor_returns["Mkt-RF"]["2007-10-10":"2009-03-09"]
        move = (1.0 + inside).prod() - 1.0
        assert math.isclose(outcome.by_factor.loc["Mkt-RF", "move"], move, rel_tol=1e-10)
        assert math.isclose(outcome.pnl, float(p.exposures.iloc[0]) * move, rel_tol=1e-10)
        assert outcome.horizon.in_units_of(rm.DAY) == len(inside)
        idio = math.sqrt(float(p.decompose().idio_variance) * len(inside))
        assert math.isclose(outcome.volatility, idio, rel_tol=1e-9)
        own = (1.0 + sample.excess_returns[["MSFT", "JPM"]]["2007-10-10":"2009-03-09"]).prod() - 1.0
        assert math.isclose(outcome.realised, 0.5 * own.sum(), rel_tol=1e-9)

    def test_path_ends_at_the_profit(self, sample):
        p = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(sample))
        replay = rm.Replay(EPISODES[3], sample)
        path = replay.path(rm.Position(p, 100.0, rm.DAY))
        assert math.isclose(path.iloc[-1], 100.0 * replay.of(p).pnl, rel_tol=1e-9)
        assert path.index[0] == pd.Timestamp("2000-03-27")
        assert path.index[-1] == pd.Timestamp("2002-10-09")

    def test_legs_are_realised_too(self, sample):
        hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(sample)))
        outcome = rm.Replay(EPISODES[3], sample).of(hedged)
        assert abs(outcome.pnl) < 1e-12
        inside = slice("2000-03-25", "2002-10-09")
        own = (1.0 + sample.excess_returns["MSFT"][inside]).prod() - 1.0
        market = (1.0 + sample.factor_returns["Mkt-RF"][inside]).prod() - 1.0
        assert math.isclose(outcome.realised, own + float(hedged.legs.iloc[0]) * market, rel_tol=1e-9)

    def test_names_that_did_not_trade_are_missing(self, sample):
        r, f = (x.copy() for x in (sample.excess_returns, sample.factor_returns))
        r.loc[:"2001", "JPM"] = np.nan
        data = rm.InMemory(r, factors=f, risk_free=0.0, horizon=rm.DAY)
        panel = data.panel(["MSFT", "JPM"], ["Mkt-RF"])
        p = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(panel))
        outcome = rm.Replay(EPISODES[3], panel).of(p)
        assert outcome.by_asset["realised"].isna().to_dict() == {"MSFT": False, "JPM": True}
        assert math.isnan(outcome.realised)
        assert not outcome.by_asset["pnl"].isna().any()

    def test_what_a_panel_does_not_cover(self, sample):
        late = sample.select(start="2001")
        assert not EPISODES[3].covers(late)
        assert EPISODES[5].covers(late)
        p = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(late))
        with pytest.raises(rm.CoverageError) as caught:
            rm.Replay(EPISODES[3], late).of(p)
        assert caught.value.details["episode"] == EPISODES[3].name

    def test_monthly_rows(self):
        panel = rm.SampleData(rm.MONTH).panel(["Enrgy"], ["Mkt-RF"])
        names = [e.name for e in rm.Episode.covered_by(panel)]
        assert "bear market of 1973-74" in names
        assert "crash of 1987" in names
        crisis = next(e for e in EPISODES if e.name == "financial crisis 2007-09")
        rows = panel.dates[crisis.rows(panel)]
        assert rows[0] == pd.Timestamp("2007-10-31")
        assert rows[-1] == pd.Timestamp("2009-02-28")

    def test_hours_of_the_last_day_count(self):
        hour = rm.Horizon.of("1h", per_day=6.5)
        days = pd.bdate_range("2024-01-01", periods=60)
        times = pd.DatetimeIndex([day + pd.Timedelta(hours=10 + i) for day in days for i in range(7)])
        market = pd.Series(np.random.default_rng(0).normal(0, 0.004, len(times)), times, name="Mkt-RF")
        data = rm.InMemory(pd.DataFrame({"A": 1.2 * market}), factors=market, risk_free=0.0, horizon=hour)
        panel = data.panel(["A"], ["Mkt-RF"])
        rows = rm.Episode("x", "2024-01-10", "2024-01-12").rows(panel)
        assert panel.dates[rows[0]] == pd.Timestamp("2024-01-11 10:00")
        assert panel.dates[rows[-1]] == pd.Timestamp("2024-01-12 16:00")

    def test_a_start_before_the_end(self):
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.Episode("x", "2009-03-09", "2007-10-09")
        assert caught.value.details["start"] == pd.Timestamp("2009-03-09")

    def test_assets_without_returns_then(self, sample):
        outcome = rm.Shocks("s", {"Mkt-RF": -0.1}).of(rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(sample)))
        with pytest.raises(rm.NotEstimatedError):
            _ = outcome.realised


class TestScenarios:
    def test_table(self, sample):
        p = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(sample))
        shocks = rm.Shocks("crash", {"Mkt-RF": -0.1})
        scenarios = rm.Scenarios([shocks, *rm.Scenarios.historical(sample)])
        table = scenarios.table(p)
        assert list(table.columns) == ["pnl", "volatility", "Mkt-RF", "idio"]
        assert math.isclose(table.loc["crash", "pnl"], shocks.of(p).pnl)
        np.testing.assert_allclose(table["pnl"], table[["Mkt-RF", "idio"]].sum(axis=1))
        assert scenarios.worst(p).name == table["pnl"].idxmin()
        np.testing.assert_allclose(scenarios.by_asset(p).sum(), table["pnl"])
        groups = {"MSFT": "tech", "JPM": "banks"}
        np.testing.assert_allclose(scenarios.by_group(p, groups).sum(), table["pnl"])

    def test_tables_name_their_unit(self, sample):
        p = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(sample))
        held, crash = rm.Position(p, 1e6, rm.DAY), rm.Shocks("crash", {"Mkt-RF": -0.1}, horizon=rm.MONTH)
        groups = {"MSFT": "tech", "JPM": "banks"}
        for holding, unit in ((p, "return"), (held, "dollars")):
            outcome = crash.of(holding)
            for table in (outcome.by_asset, outcome.by_group(groups)):
                assert table.columns.name == outcome.unit == f"{unit} per month"
            one = rm.Scenarios([crash])
            several = rm.Scenarios([crash, *rm.Scenarios.historical(sample)])  # over months, and over years
            for scenarios, span in ((one, "month"), (several, "scenario")):
                for table in (
                    scenarios.table(holding), scenarios.by_asset(holding), scenarios.by_group(holding, groups)
                ):  # fmt: skip
                    assert table.columns.name == f"{unit} per {span}"

    def test_each_factor(self):
        model = model_of()
        scenarios = rm.Scenarios.of_factors(model, 2.0)
        assert len(scenarios) == 3
        outcome = scenarios.of(portfolio(model, hedged=False))
        assert all(math.isclose(o.distance, 2.0, rel_tol=1e-9) for o in outcome.values())

    def test_refusals(self, sample):
        shocks = rm.Shocks("crash", {"Mkt-RF": -0.1})
        with pytest.raises(rm.DuplicateLabelsError):
            rm.Scenarios([shocks, shocks])
        with pytest.raises(rm.InvalidParameterError):
            rm.Scenarios.historical(sample.select(start="2016"))

    def test_a_scenario_of_ones_own(self):
        class AllHalve(rm.Scenario):
            name = "all halve"

            def moves(self, model):
                return rm.Moves.known_factors(model, np.full(len(model.factors), -0.5), model.horizon)

        p = portfolio(model_of(), hedged=False)
        assert math.isclose(AllHalve().of(p).pnl, -0.5 * p.exposures.sum(), rel_tol=1e-12)


def test_shocks_against_a_holding_lose():
    panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF", "SMB", "HML"])
    model = rm.OLS().fit(panel)
    for weights in ({"BusEq": 1.0}, {"Utils": -1.0}, {"BusEq": 1.0, "Utils": -1.0}):
        held = rm.Strategy(weights, model)
        against = rm.Scenarios.against(held, 2.0).of(held)
        down, up = (rm.Scenarios.of_factors(model, size).of(held) for size in (-2.0, 2.0))
        worst = [min(a.pnl, b.pnl) for a, b in zip(down.values(), up.values(), strict=True)]
        np.testing.assert_allclose([outcome.pnl for outcome in against.values()], worst)
        position = rm.Position(held, 1e6, rm.MONTH)
        assert list(rm.Scenarios.against(position, 2.0).of(position)) == list(against)
    for size in (0.0, -3.0, "three"):
        with pytest.raises(rm.InvalidParameterError):
            rm.Scenarios.against(held, size)
    with pytest.raises(rm.InvalidParameterError):
        rm.Scenarios.against(model)
