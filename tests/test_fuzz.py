"""Every public callable answers hostile arguments with a result or an error of this package, never a raw one.

Callables, parameters and the objects that methods belong to are found by inspection. Each is first called with good
arguments, then with a hostile value for one of them, or for two.
"""

import contextlib
import inspect
import itertools
import warnings
from abc import ABC
from decimal import Decimal
from enum import Enum
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.estimation.windows.spans import Spans
from riskmodel.model.window_estimates import WindowResult

DAYS = pd.bdate_range("2020-01-01", periods=60)
HUGE = 10**400
PAIR = pd.MultiIndex.from_tuples([("A", "x"), ("B", "y")])


def market(seed=0):
    rng = np.random.default_rng(seed)
    factors = pd.DataFrame(rng.normal(0, 0.01, (60, 2)), DAYS, ["Mkt-RF", "SMB"])
    returns = pd.DataFrame({"A": 1.1 * factors["Mkt-RF"], "B": 0.6 * factors["SMB"]}) + rng.normal(0, 0.01, (60, 2))
    return returns, factors


RETURNS, FACTORS = market()
FREE = pd.Series(1e-4, DAYS, name="RF")
LONG = RETURNS.rename_axis("date").reset_index().melt("date", var_name="asset", value_name="size")
DATA = rm.InMemory(RETURNS, factors=FACTORS, risk_free=FREE, horizon=rm.DAY)
PANEL = DATA.panel(["A", "B"], ["Mkt-RF", "SMB"])
STORED = rm.StoredPanel.array(
    RETURNS.to_numpy(), dates=DAYS, assets=["A", "B"], factors=FACTORS, risk_free=FREE, horizon=rm.DAY
)
MODEL = rm.OLS().fit(PANEL)
MOMENTS = rm.Moments.of(PANEL)
LATER = rm.Moments.of(PANEL.select(start=DAYS[30]))
STRATEGY = rm.Strategy({"A": 1.0, "B": -0.5}, MODEL)
HEDGED = rm.HedgedPortfolio.neutral(STRATEGY)
BUDGET = rm.RiskBudget(1e6, rm.MONTH)
HISTORY = rm.Expanding(rm.OLS(), minimum=30, every=10).fit(PANEL)
COMPARISON = rm.CovarianceComparison.of(MODEL, PANEL)
PARTS = rm.Assembled(rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), rm.SampleVariance())
F, D = PARTS.factor_covariance, PARTS.idio_variance
FITTED = PARTS.loadings.fit(PANEL)
RISK = D.fit(FITTED.residuals, FITTED)

CHARACTERISTICS = rm.Characteristics.wide({"size": RETURNS, "cap": RETURNS + 2.0})

HELD = rm.StrategyHistory({"A": 1.0}, HISTORY)
# Scenarios and tails.
CRASH = rm.Shocks("crash", {"SMB": -0.1})
SPRING = rm.Episode("spring", DAYS[10], DAYS[40])
SIMULATED = rm.HistoricalSimulation()
DESKS = {"A": "x", "B": "y", "Mkt-RF": "hedge", "SMB": "hedge"}
BOOK = rm.Book({"A": 1e6, "B": -5e5}, groups={"A": "x", "B": "y"}, nav=1e6)

FEW_DRAWS = rm.StationaryBootstrap(20, block=2)
# Premia need more assets than factors.
FIVE = pd.concat([RETURNS, RETURNS[["B"]] - 0.5 * RETURNS[["A"]].to_numpy(), RETURNS.shift(1), FACTORS + 0.01], axis=1)
FIVE = FIVE.iloc[1:].set_axis(list("ABCDEFG"), axis=1)
FIVE_PANEL = rm.InMemory(FIVE, factors=FACTORS, risk_free=FREE, horizon=rm.DAY).panel(list("ABCDE"), ["Mkt-RF", "SMB"])
FIVE_MODEL = rm.OLS().fit(FIVE_PANEL)
FIVE_HISTORY = rm.Expanding(rm.OLS(), minimum=30, every=10).fit(FIVE_PANEL)
PREMIA = ["RiskPremia.of", "RiskPremia.with_zero_beta_rate", "RiskPremia.traded", "FamaMacBeth.of"]

# One object of each class, whose methods are called.
OBJECTS = [
    *(BOOK, BOOK.cover(MODEL), rm.NoProxies(), rm.GroupProxies({"A": "x"}), rm.PeerProxies({"C": ["A"]})),
    *(rm.GroupGrossLimit(1e6, {"A": "x", "B": "y", "C": "x"}), rm.GroupNetLimit(1e6, {"A": "x", "B": "y", "C": "x"})),
    *(rm.NetLimit(1e6), rm.NameLimit(1e6), rm.ConcentrationLimit(0.5), rm.NameCountLimit(5)),
    rm.LeftOutPositions(["C"]),
    *(HELD, rm.BudgetNode("fund", BUDGET, children=[rm.BudgetNode("desk", position=BOOK.position(MODEL, rm.MONTH))])),
    rm.DAY,
    *(rm.Mean(0.01, rm.DAY), rm.Variance(0.04, rm.DAY), rm.Volatility(0.2, rm.DAY), rm.SharpeRatio(0.1, rm.DAY)),
    *(DATA, rm.SampleData(rm.MONTH), rm.Joined(assets=DATA, factors=DATA)),
    *(PANEL, STORED, rm.Wide(), rm.Long()),
    *(rm.PublishedFactor("SMB"), rm.AssetFactor("A"), rm.Spread("A", "B"), rm.PortfolioFactor("P", {"A": 1.0})),
    *(rm.OLS(), rm.EWMA(rm.MONTH), rm.Expanding(rm.OLS(), minimum=30), rm.Rolling(rm.MONTH)),
    *(MODEL, MODEL.regression, MODEL.covariance, MOMENTS, HISTORY, COMPARISON),
    *(STRATEGY, HEDGED, STRATEGY.decompose(), BUDGET, BUDGET.size(STRATEGY)),
    *(rm.VolatilityLimit(1e6, rm.MONTH), rm.FactorVolatilityLimit(1e6, rm.MONTH), rm.GrossLimit(1e6)),
    rm.CapitalLimit(1e6),
    rm.RiskReport.of(STRATEGY, PANEL, BUDGET),
    *(PARTS, PARTS.loadings, PARTS.factor_covariance, PARTS.idio_variance, FITTED, RISK),
    *(rm.Vasicek(PARTS.loadings), rm.PrincipalComponents(1), rm.Hybrid(PARTS.loadings, rm.PrincipalComponents(1))),
    *(rm.Blume(PARTS.loadings, factor="SMB"), rm.BaiNg(), rm.EigenvalueRatio(), rm.GrowthRatio()),
    *(rm.OwnVolatility(), rm.Unscaled(), rm.EWMACovariance(rm.MONTH, rm.QUARTER), rm.NeweyWest(F, 1)),
    *(rm.EigenfactorAdjusted(F, 2), rm.RegimeAdjusted(F, rm.MONTH), rm.EWMAVariance(rm.MONTH)),
    *(rm.MimickingPortfolio.unit_exposure(MODEL, "SMB"), rm.HedgeComparison.of(STRATEGY, ["SMB"], PANEL)),
    *(rm.HedgeProblem(STRATEGY, ["SMB"]), rm.HedgeProblem(STRATEGY, ["SMB"]).solve()),
    *(rm.ShrunkVariance(D, 0.5), rm.RegimeAdjustedVariance(D, rm.MONTH)),
    *(rm.RollingInference(HISTORY), rm.RiskPremia.of(FIVE_MODEL, FIVE_PANEL), rm.Inference.of(MODEL, PANEL).alphas()),
    *(rm.Contributions.of(STRATEGY), rm.ActivePortfolio(STRATEGY, {"A": 1.0})),
    *(rm.RiskChange.of(STRATEGY, HEDGED), rm.Shapley(), rm.InOrder(["a", "b"]), rm.WhatIf(STRATEGY, {"A": 0.1})),
    *(rm.ReturnAttribution.of(STRATEGY, PANEL), rm.Carino(), rm.Menchero(), rm.Compounded(), rm.Added()),
]  # fmt: skip

# Good arguments by the name of a parameter, and where a name means several things, by callable and name.
GOOD = {
    "alpha": [0.0, 0.0], "amount": 1e6, "asset": "A", "asset_returns": RETURNS, "assets": ["A", "B"], "b": [1.0, 2.0],
    "benchmark": {"A": 1.0}, "budget": BUDGET, "cap": 0.2, "capital": 1e6, "caveats": (), "cost": None, "data": DATA,
    "date": DAYS[-1], "dates": DAYS, "days": 5.0, "decay_factor": 0.9, "definitions": None, "end": DAYS[-1],
    "estimator": rm.OLS(), "every": 10, "factor": "SMB", "factor_covariance": np.eye(2) * 1e-4,
    "factor_mean": [0.0, 0.0], "factor_returns": FACTORS, "factors": ["Mkt-RF", "SMB"], "funded": None,
    "half_life": rm.MONTH, "hedge_weights": {"SMB": 0.1}, "horizon": rm.DAY, "idio_variance": [1e-4, 1e-4],
    "instruments": ["SMB"], "keep": 0.5, "layout": rm.Wide(), "limit": 5_000, "limits": [rm.GrossLimit(1e6)],
    "loadings": np.eye(2), "minimum": 30, "model": MODEL, "moments": MOMENTS, "most": 10, "n": 3, "name": "P",
    "names": ["SMB"], "other": MOMENTS, "others": (), "panel": PANEL, "portfolio": STRATEGY, "provenance": None,
    "returns": RETURNS, "risk_free": FREE, "risk_free_mean": 0.0, "rng": np.random.default_rng(0), "source": "",
    "start": DAYS[0], "state": rm.OLS().moments(PANEL.select(end=DAYS[29])), "strategy": STRATEGY, "to": rm.MONTH,
    "position": BUDGET.size(STRATEGY), "return_type": rm.TOTAL, "tradable": True, "v": {"A": 1.0},
    "value": 0.01, "volatility": 1e6, "w": {"A": 1.0}, "weights": {"A": 1.0},
    "unmatched": rm.DROP, "window": rm.MONTH, "long": "A", "short": "B",
    "inner": F, "observed": PARTS.loadings, "statistical": rm.PrincipalComponents(1), "residuals": FITTED.residuals,
    "volatility_half_life": rm.MONTH, "correlation_half_life": rm.QUARTER, "lags": 1, "simulations": 2, "seed": 0,
    "scale": 1.4, "slope": 0.7, "intercept": 0.3, "intensity": 0.2, "groups": {"A": "x", "B": "y"}, "holding": HEDGED,
    "variance": [1.0, 2.0], "priors": (), "prior": (), "regression": None, "before": None, "total": 4.0,
    "factor_groups": {"Mkt-RF": "market", "SMB": "style"}, "weighting": rm.BUY_AND_HOLD, "linking": rm.Carino(),
    "unknown": rm.NAMES_ALONE,
    "eigenvalues": np.array([2.0, 1.0]),
    "asset_return": RETURNS, "label": "label", "number": "number", "path": "returns.csv",
    "characteristics": CHARACTERISTICS, "estimators": [rm.OLS(), rm.EWMA(rm.MONTH)], "least": 1, "penalty": 0.01,
}  # fmt: skip
FAST = rm.EWMA(rm.MONTH)
AFTER = PANEL.select(start=DAYS[30])
SPANS = Spans.expanding(np.array([40, 50, 60]))
BY_CALLABLE = {
    ("EWMA().update", "state"): FAST.moments(PANEL.select(end=DAYS[29])), ("EWMA().update", "panel"): AFTER,
    ("OLS().update", "panel"): AFTER, ("StoredPanel.array", "returns"): RETURNS.to_numpy(),
    ("Horizon().in_units_of", "other"): rm.MONTH,
    ("InMemory", "factors"): FACTORS, ("StoredPanel.array", "factors"): FACTORS,
    ("Joined", "assets"): DATA, ("Joined", "factors"): DATA, ("Joined", "risk_free"): DATA,
    ("Moments.of", "weights"): np.ones(60), ("Moments().concat_assets", "others"): (),
    ("SampleData().asset_returns", "assets"): ["BusEq"], ("SampleData().panel", "assets"): ["BusEq"],
    ("ReturnPanel().returns_of", "factors"): [rm.PublishedFactor("SMB")],
    ("RiskReport().factor_share", "name"): "hedged", ("RiskReport().is_riskless", "name"): "hedged",
    ("RiskDecomposition.of", "covariance"): MODEL.covariance, ("RegressionFit().take", "at"): np.array([1, 0]),
    ("FactorModel", "definitions"): ["Mkt-RF", "SMB"], ("Horizon.of", "bar"): "1h", ("Horizon.of", "per_day"): 7,
    ("ModelHistory.of", "results"): [WindowResult(MODEL, {}, {})], ("ModelHistory.of", "starts"): np.array([0]),
    ("PublishedFactor", "funding"): rm.FUNDED, ("PublishedFactor", "told_by"): rm.FundingSource.CALLER,
    ("ModelHistory.of", "stops"): np.array([60]), ("ModelHistory.of", "counts"): np.full((1, 2), 60, dtype=np.int32),
}  # fmt: skip
BY_CALLABLE |= {
    ("Assembled", "loadings"): PARTS.loadings, ("Assembled", "factor_covariance"): F, ("Assembled", "idio_variance"): D,
    ("PrincipalComponents", "number"): 1, ("PrincipalComponents", "scaling"): rm.OwnVolatility(),
    ("FittedLoadings", "definitions"): ["Mkt-RF", "SMB"], ("FittedLoadings", "residuals"): FITTED.residuals.to_numpy(),
    ("FittedLoadings", "factor_returns"): FACTORS.to_numpy(), ("FittedLoadings", "weights"): np.ones(60),
}  # fmt: skip
for named in ("Vasicek", "Blume"):
    BY_CALLABLE |= {(named, "inner"): PARTS.loadings}
for named in ("ShrunkVariance", "RegimeAdjustedVariance"):
    BY_CALLABLE |= {(named, "inner"): D}
for named in ("OwnVolatility", "Unscaled"):
    BY_CALLABLE |= {(f"{named}().scales", "returns"): RETURNS.to_numpy(), (f"{named}().scales", "weights"): np.ones(60)}
for named in ("BaiNg", "EigenvalueRatio", "GrowthRatio"):
    BY_CALLABLE |= {(f"{named}().choose", "dates"): 60.0, (f"{named}().choose", "assets"): 2}
for named in ("SampleVariance", "EWMAVariance", "ShrunkVariance", "RegimeAdjustedVariance"):
    BY_CALLABLE |= {(f"{named}().{method}", "loadings"): FITTED for method in ("fit", "variances_before")}
BY_CALLABLE |= {
    ("Characteristics", "series"): [CHARACTERISTICS.series("size")],
    ("Characteristics.wide", "tables"): {"size": RETURNS},
    ("Characteristics.long", "table"): LONG, ("Characteristics.long", "date"): "date",
    ("Characteristics.long", "asset"): "asset", ("Characteristics.parquet", "path"): "long.parquet",
    ("Characteristics.parquet", "date"): "date", ("Characteristics.parquet", "asset"): "asset",
    ("Characteristics.static", "table"): pd.DataFrame({"sector": ["x", "y"]}, ["A", "B"]),
    ("LargestCaps", "number"): 2, ("RobustLoss", "b"): 0.0, ("read_percent_returns", "path"): "percent.csv",
    ("CrossSections", "caps"): np.ones((3, 2)), ("CrossSections", "universe"): np.ones((3, 2), dtype=bool),
    ("CrossSections", "exposures"): {}, ("CrossSections", "known"): len, ("CrossSections", "codes"): len,
    ("HalfLives", "half_lives"): [rm.MONTH, None], ("CrossSectional", "caps"): "cap",
    ("GroupPortfolios", "groups"): pd.Series({"A": "x", "B": "y"}), ("WalkForward", "estimators"): {"OLS": rm.OLS()},
}  # fmt: skip
for named in ("Blend", "HalfLives", "MixtureCovariance", "MixtureVariance"):
    BY_CALLABLE |= {(named, "weights"): [0.5, 0.5]}
BY_CALLABLE |= {("MixtureCovariance", "estimators"): [F, F], ("MixtureVariance", "estimators"): [D, D]}
for named in ("Dimson", "FowlerRorke", "ShortHistories", "SlopeWinsorised"):
    BY_CALLABLE |= {(named, "inner"): PARTS.loadings}
for named in ("NeweyWestVariance", "ShortHistoryVariance", "Structural"):
    BY_CALLABLE |= {(named, "inner"): D}
for named in ("Linked", "Thresholded"):
    BY_CALLABLE |= {(named, "inner"): D}
for named in ("Strategy()", "HedgedPortfolio()", "ActivePortfolio()"):
    BY_CALLABLE |= {(f"{named}.optimised_volatility", "dates"): None}
BY_CALLABLE |= {
    ("RollingInference().exposures", "level"): 0.95, ("RollingInference().alpha", "level"): 0.95,
    ("FamaMacBeth.of_history", "history"): FIVE_HISTORY, ("Alphas().family_wise_pvalues", "bootstrap"): FEW_DRAWS,
    ("FamaMacBeth.of_history", "covariance"): rm.HAC(),
    **{
        (made, name): value
        for made in PREMIA
        for name, value in (("model", FIVE_MODEL), ("panel", FIVE_PANEL), ("covariance", rm.HAC()))
    },
    ("RollingInference", "history"): HISTORY, ("RollingInference", "covariance"): rm.HAC(),
    ("Inference", "covariance"): rm.HAC(), ("Alphas.of", "covariance"): rm.HAC(), ("Cosine", "number"): None,
    ("JointTest.of_f", "statistic"): 2.0, ("JointTest.of_f", "first"): 2, ("JointTest.of_f", "second"): 50,
    ("JointTest.of_chi_squared", "statistic"): 2.0, ("JointTest.of_chi_squared", "degrees"): 2,
    ("TrackRecord.of", "returns"): RETURNS["A"], ("TrackRecord.of", "benchmark"): 0.0,
    ("ModelHistory().hedged", "cost"): 0.0, ("HedgeRecord().rolling", "dates"): 5,
    ("TimeScaling.of", "returns"): RETURNS["A"],
    ("TimeScaling.of", "to"): rm.Horizon(5),
    ("HedgedPortfolio.neutral", "target"): {"SMB": 0.1}, ("HedgedPortfolio.neutral", "instruments"): ["Mkt-RF", "SMB"],
    ("HedgedPortfolio.with_factor_share", "instruments"): ["Mkt-RF", "SMB"],
    ("TrackRecord.of", "confidence"): 0.95, ("RealisedRisk.of", "level"): 0.95, ("RiskReport.of", "level"): 0.95,
    ("RiskReport.of", "previous"): None, ("RiskReport.of", "errors"): rm.HAC(),
    ("Instrument", "label"): "SMB", ("ExposureRange", "factor"): "SMB", ("HedgeProblem", "limits"): (),
    ("HedgeProblem().rebalance", "existing"): HEDGED, ("HedgeProblem().rebalance", "band"): 0.1,
    ("HedgeComparison.of", "level"): 0.95,
    ("VolatilityCap", "volatility"): STRATEGY.volatility,
    ("Strategy().is_rounding", "volatility"): STRATEGY.volatility,
    ("HedgedPortfolio().is_rounding", "volatility"): HEDGED.volatility,
    ("ReturnAttribution.of", "data"): PANEL, ("ReturnAttribution.of_weights", "panel"): PANEL,
    ("ReturnAttribution().std_errors", "inference"): rm.Inference.of(MODEL, PANEL),
    ("ReturnAttribution().std_errors", "level"): 0.95, ("ReturnAttribution().means", "level"): 0.95,
    ("ReturnAttribution().means", "covariance"): rm.HAC(),
    ("ActivePortfolio().is_rounding", "volatility"): STRATEGY.volatility,
}  # fmt: skip
for named in ("Shapley", "InOrder"):
    BY_CALLABLE |= {(f"{named}().split", "values"): np.arange(4.0), (f"{named}().split", "names"): ["a", "b"]}
BY_CALLABLE |= {
    ("InOrder", "order"): ["a", "b"], ("RiskChange.of", "before"): STRATEGY, ("RiskChange.of", "after"): HEDGED,
    ("RiskChange.of", "splitting"): rm.Shapley(), ("WhatIf", "trades"): {"A": 0.1},
    ("WhatIf.of_dollars", "trades"): {"A": 1e5},
    **{(f"WhatIf().{method}", "most"): 0.1 for method in ("best_trades", "best_trades_for_share")},
}  # fmt: skip
for named in ("Carino", "Menchero", "Compounded", "Added"):
    BY_CALLABLE |= {(f"{named}().coefficients", name): np.full(3, 0.01) for name in ("returns", "benchmark")}
for named in ("GroupProxies", "LeftOutPositions", "NoProxies", "PeerProxies"):
    BY_CALLABLE |= {
        (f"{named}().baskets", "positions"): pd.Series({"C": 1.0}), (f"{named}().baskets", "groups"): None,
        (f"{named}().baskets", "covered"): pd.Index(["A", "B"]),
    }  # fmt: skip
BY_CALLABLE |= {
    ("Book", "dollars"): {"A": 1e6}, ("Book", "nav"): 1e6, ("Book.of_shares", "quantities"): {"A": 10},
    ("Book.of_shares", "prices"): {"A": 5.0}, ("Book.of_shares", "nav"): 1e6, ("Book.of_weights", "nav"): 1e6,
    ("ConcentrationLimit", "amount"): 0.1, ("NameCountLimit", "amount"): 20, ("PeerProxies", "peers"): {"C": ["A"]},
}  # fmt: skip
BY_CALLABLE |= {
    ("Strategy.from_positions", "dollars"): {"A": 1e6}, ("StrategyHistory", "history"): HISTORY,
    ("StrategyHistory.from_positions", "history"): HISTORY,
    ("StrategyHistory.from_positions", "dollars"): pd.DataFrame({"A": [1e6]}, DAYS[:1]),
    ("BudgetNode", "budget"): BUDGET, ("BudgetNode", "position"): BUDGET.size(STRATEGY), ("BudgetNode", "children"): (),
    ("BudgetNode().scaled", "factor"): 0.5, ("BudgetNode", "name"): "desk",
}  # fmt: skip
for named in ("read_positions", "read_position_history"):
    BY_CALLABLE |= {(named, "path"): "positions.csv", (named, "columns"): rm.PositionColumns()}
BY_CALLABLE |= {("read_positions", "prices"): None, ("read_positions", "nav"): None, ("read_positions", "date"): None}
for named in ("Book().cover", "Book().strategy", "Book().position"):
    BY_CALLABLE |= {(named, "uncovered"): rm.NoProxies()}
BY_CALLABLE |= {("LeftOutPositions", "otherwise"): rm.NoProxies()}
MONTHLY = pd.Series(np.linspace(0.5, 2.0, 60), pd.date_range("2015-01-31", periods=60, freq="ME"))
RATIOS = rm.VolatilityRatios.of(MONTHLY)
BARE = rm.Assembled(rm.PrincipalComponents(1), F, D).fit(PANEL)
OBJECTS += [RATIOS, HISTORY.hedged({"A": 1.0})]
BY_CALLABLE |= {
    ("VolatilityRatios.of", "ratios"): MONTHLY, ("VolatilityRatios.of", "overlap"): 0,
    **{(f"VolatilityRatios().{method}", "level"): 0.9 for method in ("forecast", "range", "ranges")},
    ("HedgeRecord().ratios", "window"): rm.Horizon(5),
    ("VolatilityRatios().after", "measured"): RATIOS, ("recommended_ratios", "horizon"): rm.MONTH,
    ("recommended_ratios", "portfolio"): rm.Strategy({"A": 1.0}, BARE),
}  # fmt: skip
OBJECTS += [
    *(CRASH, SPRING, rm.Replay(SPRING, PANEL), rm.CovarianceStress("stress"), rm.Scenarios([CRASH]), CRASH.of(HEDGED)),
    *(rm.NormalTails(), SIMULATED, SIMULATED.of(HEDGED, PANEL), rm.SquareRootOfTime()),
]
OBJECTS += [rm.StudentTails(5.0), rm.FilteredHistoricalSimulation(rm.MONTH)]
INFERENCE = rm.Inference.of(MODEL, PANEL, rm.HAC(1))
EARLIER = PANEL.select(end=DAYS[29])
OBJECTS += [INFERENCE]
BY_CALLABLE |= {
    ("Inference().interval", "figure"): lambda model: float(model.alpha.sum()), ("Inference().interval", "of"): None,
    ("Inference().change", "before"): rm.Inference.of(rm.OLS().fit(EARLIER), EARLIER),
    ("Inference().change", "portfolio"): STRATEGY, ("Inference().difference", "first"): STRATEGY,
    ("Inference().difference", "second"): HEDGED, ("Inference().time_scaling", "to"): rm.Horizon(2),
    ("Inference().track_record", "confidence"): 0.9,
    **{(f"Inference().{named}", "tail"): 0.9 for named in ("change", "difference", "table")},
}  # fmt: skip
BY_CALLABLE |= {
    **{(f"Inference().{named}", "instruments"): ["Mkt-RF", "SMB"] for named in ("capped", "neutral")},
    ("Inference().neutral", "target"): {"SMB": 0.1}, ("Inference().hedge", "rule"): rm.HedgedPortfolio.neutral,
}  # fmt: skip
for named in ("capped", "change", "contributions", "difference", "hedge", "interval", "long_run_volatility",
              "minimum_variance", "neutral", "next_month", "residual_correlations", "table"):  # fmt: skip
    BY_CALLABLE |= {(f"Inference().{named}", "level"): 0.9}
BACKTEST = {
    "weights": {"A": 1.0},
    "method": rm.NormalTails(),
    "history": HISTORY,
    "level": 0.9,
    "window": rm.Horizon(40),
}
OBJECTS += [rm.TailBacktest.of(**BACKTEST)]
BY_CALLABLE |= {("TailBacktest.of", parameter): value for parameter, value in BACKTEST.items()}
for named in ("StudentTails()", "FilteredHistoricalSimulation()"):
    BY_CALLABLE |= {(f"{named}.{method}", "level"): 0.9 for method in ("of", "tail")}
BY_CALLABLE |= {
    ("StudentTails", "degrees"): 5.0, ("HistoricalSimulation", "gaps"): rm.LEAVE_OUT_DATES,
    ("FilteredHistoricalSimulation", "gaps"): rm.DRAW_RESIDUALS,
    ("FilteredHistoricalSimulation", "sums"): rm.SquareRootOfTime(),
    ("TailBacktest", "level"): 0.9, ("TailBacktest", "method"): rm.NormalTails(),
    ("TailBacktest", "forecasts"): pd.DataFrame(), ("TailBacktest().table", "lags"): 5,
}  # fmt: skip
BY_CALLABLE |= {
    ("Shocks", "shocks"): {"SMB": -0.1}, ("Scenarios", "scenarios"): [CRASH], ("Scenarios.of_factors", "size"): -3.0,
    ("Scenarios.against", "size"): 3.0,
    ("Episode", "source"): "", ("CovarianceStress", "factors"): 2.0, ("CovarianceStress", "specific"): 2.0,
    ("CovarianceStress", "correlation"): 0.5, ("Shape", "distribution"): None, ("Shape", "std_errors"): None,
    ("HistoricalSimulation", "sums"): rm.SquareRootOfTime(),
    ("BootstrappedSums", "number"): 200, ("Sources", "assets"): np.ones((3, 1)),
    ("Sources", "factors"): np.ones((3, 1)), ("SquareRootOfTime().draws", "at"): np.arange(9),
    ("SquareRootOfTime().draws", "rows"): 21.0, ("Replay", "episode"): SPRING, ("Shocks", "unit"): rm.DECIMALS,
    ("Shocks", "unshocked"): rm.UNMOVED, ("ScenarioOutcome().by_group", "groups"): DESKS,
    ("TailRisk().by_group", "groups"): DESKS, ("Scenarios().by_group", "groups"): DESKS,
    ("ScenarioOutcome().interval", "level"): 0.9, ("HistoricalSimulation().tail", "level"): 0.95,
    ("NormalTails().tail", "level"): 0.95,
    ("NormalTails().of", "level"): 0.95,
    ("HistoricalSimulation().of", "level"): 0.95, ("TailRisk", "level"): 0.95,
    ("TailRisk().intervals", "confidence"): 0.9, ("TailRisk().table", "confidence"): 0.9,
    ("Moves", "factors"): np.zeros(2), ("Moves.known_factors", "factors"): np.zeros(2),
}  # fmt: skip
for named in ("RecentVolatility", "SecondOrderAdjusted"):
    BY_CALLABLE |= {(named, "inner"): rm.OLS()}
for layout in ("Wide", "Long", "Crsp"):
    BY_CALLABLE |= {(layout, "dates"): None, (layout, "date"): "day", (layout, "asset"): "id", (layout, "value"): "ret"}
for state in (f"SampleData().{method}" for method in ("asset_returns", "factor_returns", "panel", "risk_free")):
    BY_CALLABLE |= {(state, "start"): "2000-01-31", (state, "end"): "2010-12-31"}
for named in ("OLS", "EWMA", "Assembled"):
    BY_CALLABLE |= {(f"{named}().windows", "spans"): SPANS}
# Classes whose parameters have the defaults that they state. WRDS is left out: it connects when it is made.
BY_CALLABLE |= {("Cached", "provider"): DATA, ("Cached", "folder"): "cache", ("Cached", "name"): "mine"}
AS_STATED = {"FamaFrench", "Cached", "EqualWeighted", "ValueWeighted"}
AS_STATED |= {
    "AtMost",
    "Bounded",
    "CrossSectional",
    "CrossValidated",
    "Groups",
    "Huber",
    "InverseVariance",
    "KnownAssets",
}
AS_STATED |= {
    "Lasso",
    "Ridge",
    "ParallelAnalysis",
    "PooledCovariance",
    "PooledVariance",
    "PooledVolatility",
    "Structural",
}
AS_STATED |= {"Dimson", "FowlerRorke", "RecentVolatility", "SecondOrderAdjusted", "ShrunkVariance", "SlopeWinsorised"}
AS_STATED |= {
    "Style",
    "WalkForward",
    "GroupPortfolios",
    "OwnWeights",
    "Linked",
    "StationaryBootstrap",
    "Thresholded",
    "ShortHistories",
    "ShortHistoryVariance",
}
OBJECTS += [MODEL.lineage]
BY_CALLABLE |= {
    ("FactorModel", "lineage"): MODEL.lineage, ("FactorModel", "proxies"): {},
    ("ModelHistory", "lineage"): MODEL.lineage,
    ("Lineage.of", "estimator"): rm.OLS(), ("FactorModel.load", "path"): "us.model",
    ("FactorModel().save", "path"): "new.model",
}  # fmt: skip
AS_STATED |= {"Lineage", "FactorModel.load"}
UNITS = rm.FileUnits(rm.RiskUnit.DECIMALS, rm.DAY, rm.RiskForm.VOLATILITY)
OBJECTS += [UNITS]
BY_CALLABLE |= {
    ("FileUnits", "unit"): rm.RiskUnit.PERCENT, ("FileUnits", "form"): rm.RiskForm.VARIANCE,
    ("FileUnits", "plausible"): (0.05, 1.0),
    **{("ModelPaths", name): "x.csv" for name in ("exposures", "factor_covariance", "specific_risk")},
    **{("ModelPaths", name): None for name in ("assets", "factors", "links")},
    ("ModelPaths.in_folder", "folder"): "text", ("read_model_parquet", "folder"): "parquet",
    ("write_model_text", "folder"): "new", ("write_model_text", "units"): UNITS,
    ("write_model_parquet", "folder"): "new", ("read_model_text", "units"): UNITS,
}  # fmt: skip
AS_STATED |= {"ModelPaths.in_folder", "read_model_parquet", "read_model_text", "write_model_text"}
AS_STATED |= {"PositionColumns", "read_position_history"}
AS_STATED |= {"Instrument", "HedgeProblem", "FactorShareCap", "ExposureRange"}
AS_STATED |= {"read_returns", "read_prices", "read_percent_returns"}


# Values that no parameter expects. A generator is used up by the first that reads it.
HOSTILE = {
    "None": None, "True": True, "0": 0, "-1": -1, "1.5": 1.5, "nan": float("nan"), "inf": float("inf"),
    "huge": HUGE, "-huge": -HUGE, "1e300": 1e300, "1e-300": 1e-300, "text": "x", "no text": "", "number": "0.2",
    "bytes": b"x", "complex": 1j, "Decimal": Decimal("NaN"), "Fraction": Fraction(1, 3), "empty": [],
    "tuple": (), "dict": {}, "set": {"A", "B"}, "[None]": [None], "[nan]": [float("nan")], "[huge]": [HUGE, HUGE],
    "ragged": [[1.0], [1.0, 2.0]], "nested": [["A"], ["B"]], "twice": ["A", "A"], "mixed": ["A", 1],
    "dicts": [{}, {}], "0-d": np.array(1.0), "1": np.array([1.0]), "no numbers": np.empty(0),
    "cube": np.zeros((2, 2, 2)), "texts": np.array(["a", "b"]), "objects": np.array([None, object()]),
    "masked": np.ma.masked_array([1.0, 2.0], [True, False]), "by array": {"A": np.array([1.0])},
    "by list": {"A": [1.0], "B": [1.0, 2.0]}, "by None": {"A": None}, "by huge": {"A": HUGE},
    "by nan": {float("nan"): 1.0}, "by nothing": {None: 1.0}, "Series": pd.Series([1.0, 2.0]),
    "no Series": pd.Series(dtype=float), "NA": pd.Series([pd.NA, 1.0], ["A", "B"]),
    "pairs": pd.Series([1.0, 2.0], PAIR), "frame": pd.DataFrame([[1.0, 2.0]]), "no frame": pd.DataFrame(),
    "wide pairs": pd.DataFrame(RETURNS.to_numpy(), DAYS, PAIR), "far": "20000-01-01", "NaT": pd.NaT,
    "pd.NA": pd.NA, "object": object(), "class": rm.OLS, "type": int, "function": len,
    "Variance": rm.Variance(0.04, rm.YEAR), "Volatility": rm.Volatility(0.1, rm.YEAR), "Horizon": rm.YEAR,
    "generator": (x for x in ("A", "B")), "range": range(3), "zero": "\0", "MultiIndex": PAIR,
    "Index": pd.Index(["A", float("nan")]), "panel": PANEL, "model": MODEL, "strategy": STRATEGY,
}  # fmt: skip


def public_callables():
    """Yield the name and the function of constructors, class methods, methods and functions."""
    by_class = {type(o): o for o in OBJECTS}
    for name in sorted(set(rm.__all__) - {"WRDS"}):
        thing = getattr(rm, name)
        if not callable(thing) or (inspect.isclass(thing) and issubclass(thing, Exception | Enum)):
            continue
        if not inspect.isclass(thing):
            yield name, thing
            continue
        if not inspect.isabstract(thing) and ABC not in thing.__bases__:
            yield name, thing
        for attribute, member in inspect.getmembers(thing):
            if attribute.startswith("_"):
                continue
            static = inspect.getattr_static(thing, attribute)
            if isinstance(static, classmethod | staticmethod):
                yield f"{name}.{attribute}", member
            elif inspect.isfunction(member) and thing in by_class:
                yield f"{name}().{attribute}", getattr(by_class[thing], attribute)


# Methods of float itself; an abstract class; and what calls a function of the caller, whose errors are its own.
NOT_OURS = {
    "from_bytes",
    "fromhex",
    "from_number",
    "hex",
    "is_integer",
    "as_integer_ratio",
    "conjugate",
    "reduce",
    "Quantity",
}
CALLABLES = {name: f for name, f in public_callables() if name.split(".")[-1] not in NOT_OURS}


def parameters(function):
    """Return the names of the parameters that a caller sets, and which are positional only."""
    known = inspect.signature(function).parameters.values()
    return [p.name for p in known if p.kind is not p.VAR_KEYWORD]


def good(name, parameter):
    stated = parameter.default is not parameter.empty and name in AS_STATED
    return BY_CALLABLE.get((name, parameter.name), parameter.default if stated else GOOD.get(parameter.name))


def call(name, function, changed):
    """Call with good arguments but for those changed."""
    arguments, keywords = [], {}
    for p in inspect.signature(function).parameters.values():
        value = changed.get(p.name, good(name, p))
        if p.kind is p.VAR_POSITIONAL:
            arguments += [value] if p.name in changed else list(value or ())
        elif p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}:
            arguments.append(value)
        elif p.kind is p.KEYWORD_ONLY:
            keywords[p.name] = value
    return function(*arguments, **keywords)


def raw_error(name, function, changed, allowed):
    """Return the error that is not one of this package's, if any."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(name, function, changed)
        except (rm.RiskModelError, *allowed):
            return None
        except Exception as error:
            return error
    return None


def allowed(name):
    """Return built-in errors that are documented: of files."""
    if name in {"TailBacktest.of", "Inference().interval"}:  # of the caller's own function of a model
        return (TypeError,)
    return (OSError,) if name.endswith((".save", ".load", ".to_excel")) else ()


# Their good arguments are values that only this package makes, or files.
MADE_OTHERWISE = {
    *("CovarianceComparison", "ModelHistory", "Moments", "RegressionFit", "ReturnPanel"),
    "StudyReport.of",  # of a study, which takes long
    *("Inference().long_run_volatility", "Inference().next_month"),  # of years of returns
    *("Hybrid().fit",),  # more assets than factors
    *("Moments.load", "Moments().save", "StoredPanel.parquet", "read_prices"),
}
# Two hostile arguments at a time: so many pairs of each callable, the same in each run.
PAIRS = 12


def described(name, changed, error):
    values = ", ".join(f"{parameter}={value}" for parameter, value in changed.items())
    return f"{name}({values}) raises {type(error).__name__}: {error}"


def raw_errors(name, function, cases):
    """Describe the raw errors of calls; each case is a hostile value's name by parameter."""
    found = []
    for case in cases:
        changed = {parameter: HOSTILE[value] for parameter, value in case.items()}
        error = raw_error(name, function, changed, allowed(name))
        if error is not None:
            found.append(described(name, case, error))
    return found


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """What is written goes to a folder of the test's own, where there is one file to read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    RETURNS.rename_axis("date").to_csv("returns.csv")
    (100 * RETURNS.rename_axis("date")).to_csv("percent.csv")
    LONG.to_parquet("long.parquet")
    MODEL.save("us.model")
    rm.write_model_parquet(MODEL, "parquet")
    PATHS = rm.write_model_text(MODEL, "text", UNITS)
    BY_CALLABLE["read_model_text", "paths"] = PATHS
    pd.DataFrame({"date": "2024-01-31", "asset": ["A", "B"], "dollars": [1e6, -2e6]}).to_csv(
        "positions.csv", index=False
    )


def test_the_public_callables_are_found():
    for name in (
        "RiskReport.of",
        "FactorCovariance().to_dense",
        "CovarianceComparison.of",
        "GrossLimit",
        "Moments.load",
    ):
        assert name in CALLABLES


@pytest.mark.parametrize("name", [n for n in CALLABLES if n not in MADE_OTHERWISE])
def test_good_arguments_are_good(name):
    call(name, CALLABLES[name], {})


@pytest.mark.parametrize("name", CALLABLES)
def test_no_hostile_argument_gives_a_raw_error(name):
    function = CALLABLES[name]
    cases = [{parameter: value} for parameter in parameters(function) for value in HOSTILE]
    assert raw_errors(name, function, cases) == []


@pytest.mark.parametrize("name", [n for n, f in CALLABLES.items() if len(parameters(f)) > 1])
def test_no_two_hostile_arguments_give_a_raw_error(name):
    function = CALLABLES[name]
    rng = np.random.default_rng(len(name))
    pairs = list(itertools.combinations(parameters(function), 2))
    chosen = rng.integers(len(pairs), size=PAIRS)
    values = rng.choice(list(HOSTILE), (PAIRS, 2))
    cases = [dict(zip(pairs[i], two, strict=True)) for i, two in zip(chosen, values.tolist(), strict=True)]
    assert raw_errors(name, function, cases) == []


@pytest.mark.parametrize("value", HOSTILE)
def test_operators(value):
    other = HOSTILE[value]
    with contextlib.suppress(rm.RiskModelError):
        MODEL.covariance @ other
    with contextlib.suppress(rm.RiskModelError, TypeError):  # Python's own, for operands that do not add
        MOMENTS + other
    with contextlib.suppress(rm.RiskModelError):
        MOMENTS.concat_assets(other)
