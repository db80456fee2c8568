"""What hedges left, over what models promised: ``python -m benchmarks.hedges [PANEL --french FILE]``.

PANEL is a file of daily returns as ``benchmarks.study`` takes it, and FILE the French library's daily factors in
percent; without them, it is the daily sample. Neutral hedges by `rm.OLS()` over the 504 days before, estimated every
21 days. Printed are quantiles of realised over promised volatility, over all windows and portfolios.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import riskmodel as rm
from benchmarks.study import read

WINDOWS = {"month": rm.MONTH, "quarter": rm.QUARTER, "year": rm.YEAR}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hedges", description=__doc__.splitlines()[0])
    parser.add_argument("panel", type=Path, nargs="?", help="returns, dates × assets, CSV or Parquet")
    parser.add_argument("--french", type=Path, help="daily factors of the French library")
    parser.add_argument("--start", default="2000", help="first date (default: 2000)")
    parser.add_argument("--end", help="last date")
    parser.add_argument("--factors", type=int, nargs="*", default=[1, 5], help="how many factors (default: 1 5)")
    parser.add_argument("--quick", action="store_true", help="a few portfolios")
    options = parser.parse_args()
    warnings.simplefilter("ignore", rm.RiskModelWarning)
    panel = of_files(options) if options.panel else of_sample(options)
    print("| factors | portfolios | month: 95 % range, median | quarter | year |\n|---|---|---|---|---|")
    for k in options.factors:
        if k <= len(panel.factors):
            rows(panel.select(factors=panel.factors[:k]), quick=options.quick)


def of_sample(options: argparse.Namespace) -> rm.ReturnPanel:
    data = rm.SampleData()
    return data.panel(list(data.assets), list(data.factors), options.start, options.end)


def of_files(options: argparse.Namespace) -> rm.ReturnPanel:
    """The panel of the assets that have all returns."""
    french = rm.read_percent_returns(options.french)
    data = rm.InMemory(read(options.panel), factors=french.drop(columns="RF"), risk_free=french["RF"], horizon=rm.DAY)
    panel = data.panel(list(data.assets), list(data.factors), options.start, options.end)
    known = panel.excess_returns.notna().all()
    return panel.select([asset for asset in panel.assets if known[asset] and asset != "SPX"])


def rows(panel: rm.ReturnPanel, *, quick: bool) -> None:
    """Print a row for each family of portfolios."""
    history = rm.Rolling(rm.Horizon(504), every=rm.MONTH).fit(panel)
    for family, members in portfolios(panel.assets, quick=quick).items():
        records = [history.hedged(weights) for weights in members]
        cells = []
        for window in WINDOWS.values():
            ratios = pd.concat([record.ratios(window)["hedged"] for record in records])
            low, middle, high = ratios.quantile([0.025, 0.5, 0.975])
            cells.append(f"{low:.2f} to {high:.2f}, {middle:.2f}")
        print(f"| {len(panel.factors)} | {family} | {' | '.join(cells)} |", flush=True)


def portfolios(assets: pd.Index, *, quick: bool) -> dict[str, list[dict[str, float]]]:
    """25 single assets, 12 random long and 12 random long-short portfolios of 20."""
    rng = np.random.default_rng(7)
    singles, books = (4, 2) if quick else (25, 12)
    return {
        "single": [{asset: 1.0} for asset in rng.choice(assets, min(singles, len(assets)), replace=False)],
        "long": list(drawn(rng, assets, books, lambda n: rng.dirichlet(np.ones(n)))),
        "long-short": list(drawn(rng, assets, books, lambda n: rng.normal(size=n) / n)),
    }


def drawn(rng: np.random.Generator, assets: pd.Index, books: int, weights) -> Iterator[dict[str, float]]:
    size = min(20, len(assets))
    for _ in range(books):
        yield dict(zip(rng.choice(assets, size, replace=False), weights(size), strict=True))


if __name__ == "__main__":
    main()
