"""Contributions to risk by holding, factor and group, against dense formulas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, models, weights

import riskmodel as rm


@st.composite
def portfolios(draw):
    """Strategies and hedges, in models with and without links."""
    model = draw(models(min_factors=1, zeros=True))
    rng = np.random.default_rng(draw(SEEDS))
    if draw(st.booleans()):
        model = linked(model, rng)
    strategy = rm.Strategy(draw(weights(model.assets)), model)
    kind = draw(st.sampled_from(["strategy", "factors", "assets", "active"]))
    if kind == "factors":
        return rm.HedgedPortfolio(strategy, pd.Series(rng.normal(size=len(model.factors)), model.factors))
    if kind == "assets":
        return rm.HedgedPortfolio(strategy, {model.assets[-1]: -0.7, model.factors[0]: 0.2})
    return rm.ActivePortfolio(strategy, draw(weights(model.assets))) if kind == "active" else strategy


def linked(model, rng):
    """The model with residuals that two links share."""
    shares = rng.dirichlet(np.ones(3), len(model.assets))[:, :2]
    links = np.sqrt(shares * model.idio_variance.to_numpy()[:, None]) * rng.choice([-1.0, 1.0], shares.shape)
    return rm.FactorModel(
        model.assets, model.factors, model.alpha, model.loadings, model.factor_mean, model.factor_covariance,
        model.idio_variance, 0.0, model.horizon, model.definitions, links=links,
    )  # fmt: skip


def dense(p):
    """Sizes of the holdings, and the dense covariance of one unit of each."""
    legs = p.legs[p.legs != 0]
    k = p.model.factors
    b = np.vstack([p.model.loadings.loc[p.weights.index], np.eye(len(k))[k.get_indexer(legs.index)]])
    n, m = len(p.weights), len(legs)
    c = p.model.links.loc[p.weights.index].to_numpy()
    own = p.model.idio_variance[p.weights.index].to_numpy()
    d = np.zeros((n + m, n + m))
    d[:n, :n] = c @ c.T + np.diag(own - np.square(c).sum(axis=1))
    return np.append(p.weights, legs), b, p.model.factor_covariance.to_numpy(), d


def near(a, b, scale):
    return np.abs(np.asarray(a) - np.asarray(b)).max(initial=0.0) <= 1e-10 * scale


@given(portfolios(), SEEDS)
def test_every_table_sums_to_the_volatility(p, seed):
    rng = np.random.default_rng(seed)
    names = pd.Index([*p.weights.index, *p.model.factors])
    split = rm.Contributions.of(
        p, pd.Series(rng.choice(["x", "y"], len(names)), names), dict.fromkeys(p.model.factors, "style")
    )
    total = float(split.volatility)
    scale = max(float(np.abs(split.table.to_numpy()).sum()), total)
    for table in (split.by_asset, split.by_factor, split.by_group, split.by_factor_group):
        assert near(table["contribution"].sum(), total, scale)
        if total:
            assert near(table["share"].sum(), 1.0, scale / total)
    for table in (split.table, split.group_table):
        assert near(table.to_numpy().sum(), total, scale)
    assert near(split.table.sum(axis=1), split.by_asset["contribution"], scale)
    assert near(split.table.sum(axis=0), split.by_factor["contribution"], scale)
    assert near(split.group_table.sum(axis=1), split.by_group["contribution"], scale)
    assert near(split.group_table.sum(axis=0), split.by_factor_group["contribution"], scale)


@given(portfolios())
def test_against_the_dense_covariance(p):
    x, b, f, d = dense(p)
    sigma = b @ f @ b.T + d
    total = float(np.sqrt(max(x @ sigma @ x, 0.0)))
    split = rm.Contributions.of(p)
    scale = float(np.abs(x) @ np.sqrt(np.diag(sigma)))
    # rounding of x'Σx at the size of the holdings
    assert abs(total**2 - float(split.volatility) ** 2) <= 1e-12 * scale**2
    if total <= 1e-3 * scale or total == 0:
        return
    table = split.by_asset
    assert near(table["contribution"], x * (sigma @ x) / total, scale)
    assert near(table["volatility"], np.sqrt(np.diag(sigma)), np.sqrt(np.diag(sigma)).max())
    assert near(table["weight"] * table["marginal"], table["contribution"], scale)
    # x-sigma-rho
    product = (table["weight"] * table["volatility"] * table["correlation"]).fillna(0.0)
    assert near(product, table["contribution"], scale)
    both = np.column_stack([x[:, None] * b * (f @ b.T @ x), x * (d @ x)]) / total
    assert near(split.table, both, max(scale, np.abs(both).sum()))


def test_groups_alone_against_the_dense_covariance():
    rng = np.random.default_rng(0)
    names, styles = [f"A{i}" for i in range(6)], ["M", "S", "V"]
    root = rng.normal(size=(3, 3)) * 0.1
    model = linked(
        rm.FactorModel.from_parameters(
            assets=names, factors=styles, alpha=np.zeros(6), loadings=rng.normal(1, 1, (6, 3)),
            factor_covariance=root @ root.T, factor_mean=np.zeros(3), idio_variance=rng.uniform(0.01, 0.02, 6),
            horizon=rm.YEAR,
        ), rng,
    )  # fmt: skip
    hedged = rm.HedgedPortfolio(rm.Strategy(dict(zip(names, rng.normal(size=6), strict=True)), model), {"S": -1.0})
    groups = dict(zip(names, ["x", "y"] * 3, strict=True))
    split = rm.Contributions.of(hedged, groups, {"M": "market", "S": "style", "V": "style"})
    x, b, f, d = dense(hedged)
    sigma = b @ f @ b.T + d
    total = np.sqrt(x @ sigma @ x)
    assert list(split.by_group.index) == ["x", "y", "factors"]
    for group, at in (("x", [0, 2, 4]), ("y", [1, 3, 5]), ("factors", [6])):
        part = np.zeros(7)
        part[at] = x[at]
        row = split.by_group.loc[group]
        assert row["weight"] == pytest.approx(part.sum())
        assert row["volatility"] == pytest.approx(np.sqrt(part @ sigma @ part))
        assert row["correlation"] == pytest.approx(part @ sigma @ x / total / row["volatility"])
        assert row["contribution"] == pytest.approx(row["volatility"] * row["correlation"])
    style = b.T @ x * [0, 1, 1]
    row = split.by_factor_group.loc["style"]
    assert row["volatility"] == pytest.approx(np.sqrt(style @ f @ style))
    assert row["contribution"] == pytest.approx(style @ f @ b.T @ x / total)
    assert list(split.group_table.columns) == ["market", "style", "idio"]
    plain = rm.Contributions.of(hedged, groups).group_table
    np.testing.assert_allclose(split.group_table["style"], plain["S"] + plain["V"])
    assert split.undiversified_volatility == pytest.approx(np.abs(x) @ np.sqrt(np.diag(sigma)))
    assert split.diversification_ratio == pytest.approx(np.abs(x) @ np.sqrt(np.diag(sigma)) / total)
    assert split.diversification_benefit.horizon == rm.YEAR
    # betas: to factors, and to a portfolio
    np.testing.assert_allclose(split.betas, f @ b.T @ x / np.diag(f))
    whole = model.covariance.to_dense()
    w = pd.Series(x[:6], names)
    market = pd.Series(1 / 6, names)
    of_leg = -(f @ model.loadings.T.to_numpy() @ market)[1]
    assert split.beta(market) == pytest.approx((w @ whole @ market + of_leg) / (market @ whole @ market))
    assert rm.Contributions.of(hedged).beta(hedged) == pytest.approx(1.0)


def test_marginal_is_the_derivative():
    panel = rm.SampleData().panel(["MSFT", "JPM", "KO"], ["Mkt-RF"])
    model = rm.OLS().fit(panel)
    w = {"MSFT": 0.5, "JPM": 0.2, "KO": -0.1}
    table = rm.Contributions.of(rm.Strategy(w, model)).by_asset
    for name, held in w.items():
        up, down = (rm.Strategy(w | {name: held + h}, model).volatility for h in (1e-6, -1e-6))
        assert (float(up) - float(down)) / 2e-6 == pytest.approx(table.loc[name, "marginal"], rel=1e-6)


def test_a_leg_with_the_label_of_an_asset_is_that_asset():
    panel = rm.SampleData().panel(["MSFT", "JPM", "KO"], [rm.AssetFactor("KO"), "Mkt-RF"])
    hedged = rm.HedgedPortfolio(
        rm.Strategy({"KO": 1.0, "JPM": 1.0}, rm.OLS().fit(panel)), {"KO": -0.25, "Mkt-RF": -1.0}
    )
    split = rm.Contributions.of(hedged, {"KO": "food", "JPM": "bank"})
    table = split.by_asset
    assert list(table.index) == list(split.table.index) == ["KO", "JPM", "Mkt-RF"]
    assert table.loc["KO", "weight"] == 0.75
    np.testing.assert_allclose(table["contribution"], hedged.decompose().by_asset / float(hedged.volatility))
    np.testing.assert_allclose(table["weight"] * table["volatility"] * table["correlation"], table["contribution"])
    np.testing.assert_allclose(split.table.sum(axis=1), table["contribution"])
    assert split.by_group.loc["food", "weight"] == 0.75


@pytest.mark.parametrize("estimator", [rm.PrincipalComponents(2), rm.TimeSeries(rm.OLS())])
def test_other_models(estimator):
    panel = rm.SampleData().panel(["MSFT", "JPM", "KO", "XOM", "PG"], ["Mkt-RF"], start="2015-01-01")
    model = rm.Assembled(estimator, rm.SampleCovariance(), rm.Linked(rm.SampleVariance(), 0.1)).fit(panel)
    hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, model))
    split = rm.Contributions.of(hedged)
    assert split.table.to_numpy().sum() == pytest.approx(hedged.volatility, rel=1e-10)
    # a hedge in components is a hedge in their assets
    assert len(split.by_asset) == (5 if len(model.factors) == 2 else 3)
    assert split.by_factor.loc["idio", "share"] == pytest.approx(1.0)


def test_a_riskless_portfolio_has_no_contributions():
    model = rm.FactorModel.from_parameters(
        assets=["A"], factors=["M"], alpha=0.0, loadings=1.0, factor_covariance=0.04, factor_mean=0.0,
        idio_variance=0.0, horizon=rm.YEAR,
    )  # fmt: skip
    split = rm.Contributions.of(rm.HedgedPortfolio.neutral(rm.Strategy({"A": 1.0}, model)), {"A": "x"}, {"M": "y"})
    for table in (split.by_asset, split.by_factor, split.by_group, split.by_factor_group):
        assert (table["contribution"] == 0).all()
        assert table["correlation"].isna().all()
    assert np.isnan(split.diversification_ratio)


def test_active_risk_has_the_same_split():
    panel = rm.SampleData().panel(["MSFT", "AAPL", "JPM", "KO"], ["Mkt-RF"])
    model = rm.OLS().fit(panel)
    held = rm.HedgedPortfolio(rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model), {"Mkt-RF": -0.5})
    benchmark = rm.HedgedPortfolio(rm.Strategy({"JPM": 0.5, "KO": 0.5}, model), {"Mkt-RF": -0.2})
    active = rm.ActivePortfolio(held, benchmark)
    by_hand = rm.HedgedPortfolio(rm.Strategy({"MSFT": 0.6, "JPM": -0.1, "KO": -0.5}, model), {"Mkt-RF": -0.3})
    pd.testing.assert_series_equal(active.weights, by_hand.weights)
    assert active.tracking_error == pytest.approx(by_hand.volatility, rel=1e-12)
    assert active.alpha == pytest.approx(by_hand.alpha)
    assert active.expected_return() == pytest.approx(held.expected_return() - benchmark.expected_return())
    np.testing.assert_allclose(
        active.excess_returns(panel), held.excess_returns(panel) - benchmark.excess_returns(panel)
    )
    pd.testing.assert_frame_equal(rm.Contributions.of(active).table, rm.Contributions.of(by_hand).table)
    assert active.share == pytest.approx((0.6 + 0.1 + 0.5 + 0.3) / 2)
    assert active.beta == pytest.approx(rm.Contributions.of(held).beta(benchmark))
    assert rm.ActivePortfolio(held, held).is_riskless


def test_a_hundred_thousand_names():
    n, k = 100_000, 4
    rng = np.random.default_rng(0)
    model = rm.FactorModel.from_parameters(
        assets=range(n), factors=list("MSVQ"), alpha=np.zeros(n), loadings=rng.normal(size=(n, k)),
        factor_covariance=np.eye(k) * 0.01, factor_mean=np.zeros(k), idio_variance=rng.uniform(0.01, 0.1, n),
        horizon=rm.YEAR,
    )  # fmt: skip
    p = rm.Strategy(pd.Series(rng.normal(size=n) / n, range(n)), model)
    split = rm.Contributions.of(p, pd.Series(rng.integers(0, 11, n), range(n)))
    assert split.group_table.to_numpy().sum() == pytest.approx(p.volatility, rel=1e-10)
    assert split.by_asset["contribution"].sum() == pytest.approx(p.volatility, rel=1e-10)


@pytest.mark.parametrize(
    ("arguments", "error", "details"),
    [
        ({"groups": {"A": "x"}}, rm.UnknownAssetError, {"missing": ["B"]}),
        ({"groups": {"A": "x", "B": np.nan}}, rm.UnknownAssetError, {"missing": ["B"]}),
        ({"groups": ["x", "y"]}, rm.InvalidParameterError, {"parameter": "groups"}),
        ({"groups": {"A": [1], "B": [2]}}, rm.InvalidParameterError, {"parameter": "groups"}),
        ({"groups": {"A": "factors", "B": "x"}}, rm.InvalidParameterError, {"group": "factors"}),
        ({"factor_groups": {"G": "x"}}, rm.UnknownFactorError, {"missing": ["F"]}),
        ({"factor_groups": {"F": "idio"}}, rm.InvalidParameterError, {"group": "idio"}),
    ],
)
def test_bad_groups_are_refused(arguments, error, details):
    model = rm.FactorModel.from_parameters(
        assets=["A", "B"], factors=["F"], alpha=[0, 0], loadings=[[1], [1]], factor_covariance=0.04, factor_mean=0.0,
        idio_variance=[0.1, 0.1], horizon=rm.YEAR,
    )  # fmt: skip
    hedged = rm.HedgedPortfolio(rm.Strategy({"A": 1.0, "B": 1.0}, model), {"F": 1.0})
    with pytest.raises(error) as caught:
        rm.Contributions.of(hedged, **arguments)
    assert details.items() <= dict(caught.value.details).items()


def test_tables_that_need_groups_say_so():
    model = rm.FactorModel.from_parameters(
        assets=["A"], factors=["F"], alpha=0, loadings=1, factor_covariance=0.04, factor_mean=0.0, idio_variance=0.1,
        horizon=rm.YEAR,
    )  # fmt: skip
    split = rm.Contributions.of(rm.Strategy({"A": 1.0}, model))
    for name in ("by_group", "group_table", "by_factor_group"):
        with pytest.raises(rm.InvalidParameterError) as caught:
            getattr(split, name)
        assert caught.value.details["parameter"] in {"groups", "factor_groups"}
    other = rm.FactorModel.from_parameters(
        assets=["A"], factors=["G"], alpha=0, loadings=1, factor_covariance=0.04, factor_mean=0.0, idio_variance=0.1,
        horizon=rm.YEAR,
    )  # fmt: skip
    with pytest.raises(rm.InvalidParameterError) as caught:
        split.beta(rm.Strategy({"A": 1.0}, other))
    assert caught.value.details["parameter"] == "benchmark"
    with pytest.raises(rm.HorizonMismatchError):
        split.beta(rm.Strategy({"A": 1.0}, model.at(rm.DAY)))
    with pytest.raises(rm.InvalidParameterError):
        split.beta({"A": 0.0})


def test_what_is_printed():
    names = [f"F{i}" for i in range(30)]
    cov = rm.FactorCovariance(["A"], names, np.arange(1.0, 31.0)[None], np.eye(30) * 1e-4, [0.01], rm.YEAR)
    split = rm.RiskDecomposition.of(cov, {"A": 1.0})
    lines = repr(split).splitlines()
    assert len(lines) == 2 + 12 + 2 + 1
    assert lines[2].startswith("F18")
    assert [line.split()[0] for line in lines[-3:-1]] == ["idio", "total"]
    frame = split.to_frame()
    assert frame.loc["total", "contribution"] == pytest.approx(np.sqrt(split.total_variance))
    assert frame["share"].iloc[:-1].sum() == pytest.approx(1.0)
    odd = rm.RiskDecomposition.of(rm.FactorCovariance(["A"], ["<b>"], [[1.0]], [[1.0]], [0.0], rm.DAY), {"A": 1.0})
    assert "<b>" not in odd._repr_html_()
    assert "&lt;b&gt;" in odd._repr_html_()
