"""Model beside realised volatility, for portfolios that one market factor misjudges.

    python -m benchmarks.desk [PANEL --groups FILE --group NAME --french FILE]

PANEL is a CSV or Parquet file of returns as `benchmarks.study` takes it, FILE of groups a CSV file of assets and
groups, and the French file one of daily factors in percent, as the library has it. Without them: the daily sample, of
which the makers of drugs are the group.

Three portfolios: ten assets of a group, one of them hedged with a fund made of the others of its group, and all assets
at equal weights. Each is hedged by each model; model and realised are on the same dates, in percent a year.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import riskmodel as rm
from benchmarks.study import read

_DRUGS = ("JNJ", "LLY", "MRK", "PFE", "UNH")


def main() -> None:
    panel, members = typed("desk", __doc__, start="2016")
    rows = [row for model in models(panel) for row in beside(panel, [m for m in members if m in panel.assets], *model)]
    table = pd.DataFrame(rows).sort_values("portfolio", kind="stable").set_index(["portfolio", "model"])
    print(table.to_string(float_format="{:.1f}".format))


def typed(name: str, about: str, start: str) -> tuple[rm.ReturnPanel, list[str]]:
    """The panel of a benchmark's options, without assets that lack returns, and the members of the group."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about.splitlines()[0])
    parser.add_argument("panel", type=Path, nargs="?", help="returns, dates × assets, CSV or Parquet")
    parser.add_argument("--groups", type=Path, help="assets and their groups, the first and the third column of a CSV")
    parser.add_argument("--group", default="Utilities", help="the group that is held (default: Utilities)")
    parser.add_argument("--french", type=Path, help="daily factors of the French library")
    parser.add_argument("--start", default=start, help=f"first date (default: {start})")
    parser.add_argument("--end", help="last date")
    options = parser.parse_args()
    warnings.simplefilter("ignore", rm.RiskModelWarning)
    data, members = of_files(options) if options.panel else of_sample()
    return whole(data, options.start, options.end), members


def of_sample() -> tuple[rm.DataProvider, list[str]]:
    return rm.SampleData(), [*_DRUGS]


def of_files(options: argparse.Namespace) -> tuple[rm.DataProvider, list[str]]:
    groups = pd.read_csv(options.groups)
    members = groups[groups.iloc[:, 2] == options.group].iloc[:, 0].tolist()
    french = rm.read_percent_returns(options.french)
    returns = read(options.panel)
    return rm.InMemory(returns, factors=french.drop(columns="RF"), risk_free=french["RF"], horizon=rm.DAY), members


def whole(data: rm.DataProvider, start: str, end: str | None) -> rm.ReturnPanel:
    """The panel of the assets that have all returns and are no factor."""
    panel = data.panel(list(data.assets), list(data.factors), start, end)
    known = panel.excess_returns.notna().all()
    return panel.select([asset for asset in panel.assets if known[asset] and asset != "SPX"])


def models(panel: rm.ReturnPanel) -> Iterator[tuple[str, rm.Estimator, rm.ReturnPanel]]:
    """Names, estimators, and the panels that they are fitted on."""
    market, many = panel.select(factors=panel.factors[:1]), rm.TimeSeries(rm.OLS())
    yield "OLS, market", rm.OLS(), market
    if len(panel.factors) > 1:
        yield f"OLS, {len(panel.factors)} factors", rm.OLS(), panel
    one_more = rm.Hybrid(many, rm.PrincipalComponents(1))
    made = rm.Assembled(one_more, rm.SampleCovariance(), rm.SampleVariance())
    yield (
        f"OLS, {'market' if len(panel.factors) == 1 else f'{len(panel.factors)} factors'} and a component",
        made,
        panel,
    )
    yield "recommended", rm.recommended(), panel.select(factors=[])


def beside(
    panel: rm.ReturnPanel, members: list[str], name: str, estimator: rm.Estimator, own: rm.ReturnPanel
) -> Iterator[dict[str, object]]:
    """Model and realised volatility of the portfolios, unhedged and hedged."""
    model = estimator.fit(own)
    ten, one = members[:10], members[len(members) // 2]
    others = [member for member in members if member != one]
    fund = rm.PortfolioFactor("fund", pd.Series(1.0 / len(others[:20]), others[:20]))
    held = rm.Strategy({one: 1.0}, model)
    every = {
        f"{len(ten)} of the group": rm.Strategy(dict.fromkeys(ten, 1.0 / len(ten)), model),
        "all, equal weights": rm.Strategy(dict.fromkeys(panel.assets, 1.0 / len(panel.assets)), model),
    }
    portfolios = {
        **{f"{key}, unhedged": portfolio for key, portfolio in every.items()},
        **{f"{key}, hedged": rm.HedgedPortfolio.neutral(portfolio) for key, portfolio in every.items()},
        f"{one} less fund, by the model": rm.HedgedPortfolio.minimum_variance(held, [fund]),
        f"{one} less fund, by the returns": rm.HedgedPortfolio.regression(held, [fund], own),
    }
    for key, portfolio in portfolios.items():
        risk = rm.RealisedRisk.of(portfolio, own)
        yield {
            "portfolio": key,
            "model": name,
            "model vol": 100.0 * float(portfolio.volatility.at(rm.YEAR)),
            "realised": 100.0 * float(portfolio.realised(own).at(rm.YEAR)),
            "warned": "yes" if risk.differs else "",
        }


if __name__ == "__main__":
    main()
