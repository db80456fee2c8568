"""How often realised volatility is in its range: ``python -m benchmarks.ranges [PANEL ...] [--quick]``.

Each PANEL is a file of daily returns, as of ``benchmarks.study``; without one, it is the daily sample that ships with
the library. `rm.recommended()` forecasts on each date from the 504 days before it. Printed are, for each panel and
family of portfolios, the coverage of ranges that follow the panel's own dates; that of quantiles of all panels on
dates before ``--split``, on dates after it; and, with ``--quantiles``, those of all dates, as ``recommended_ratios``
ships them.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import riskmodel as rm
from benchmarks.study import load
from riskmodel.evaluation.universe import EveryAsset
from riskmodel.inference import recommended_ratios as measured
from riskmodel.inference.volatility_ratios import Quantiles

LEVELS = (0.7, 0.95)
HORIZONS = (rm.WEEK, rm.MONTH, rm.QUARTER)
FAMILIES = {
    "long": rm.RandomLong(),
    "long-short": rm.RandomLongShort(),
    "equal": rm.EqualWeights(),
    "minimum variance": rm.MinimumVariance(),
}
KINDS = {**measured.KINDS, "minimum variance": ("minimum variance",)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ranges", description=__doc__)
    parser.add_argument("panels", type=Path, nargs="*", metavar="PANEL", help="returns, dates × assets")
    parser.add_argument("--draw", type=int, default=150, help="assets drawn on each date (default: 150)")
    parser.add_argument("--split", default="1998", help="first year of the dates that are tested (default: 1998)")
    parser.add_argument("--folder", type=Path, help="where dates are kept, so that a study that stopped goes on")
    parser.add_argument("--quantiles", action="store_true", help="print quantiles of all dates")
    parser.add_argument("--quick", action="store_true", help="a month ahead, every third month of the sample")
    options = parser.parse_args()
    every, ahead = (63, rm.MONTH) if options.quick else (21, rm.QUARTER)
    studies = {}
    for path in options.panels or [None]:
        name = "sample" if path is None else path.name.split(".")[0]
        panel = sample() if path is None else load(path)
        draw = rm.RandomDraw(options.draw) if len(panel.assets) > options.draw else EveryAsset()
        walk = rm.WalkForward(
            {"recommended": rm.recommended()},
            window=rm.Horizon(504),
            horizon=ahead,
            every=every,
            portfolios=FAMILIES,
            assets=rm.KnownAssets(0.98, draw),
        )
        studies[name] = walk.run(panel, folder=options.folder and options.folder / name)
        print(name, studies[name], flush=True)
    horizons = [h for h in HORIZONS if h.days <= ahead.days]
    followed(studies)
    held_back(studies, horizons, options.split)
    if options.quantiles:
        shipped(studies, horizons)


def sample() -> rm.ReturnPanel:
    """The stocks of the daily sample."""
    data = rm.SampleData()
    return data.panel(list(data.assets), [])


def ratios(study: rm.Study, family: str, horizon: rm.Horizon) -> pd.Series:
    """Realised over forecast volatility in the first rows after each date, by date and portfolio."""
    table, daily = study._parts
    rows = round(horizon.days)
    at = table.index.get_level_values("family") == family
    realised = (daily[at, :rows] ** 2).sum(axis=1)
    forecast = table["variance"][at] * rows / study.rows_ahead
    return pd.Series(np.sqrt(realised / forecast.to_numpy()), table.index[at])


def followed(studies: dict[str, rm.Study]) -> None:
    """The coverage of ranges that follow a panel's own dates, a month ahead."""
    print(
        "\nRanges that follow a panel's own dates, a month ahead: covered, per cent (standard error), and median width"
    )
    print("| panel | portfolios | dates | 70 % | width | 95 % | width |\n|---|---|---|---|---|---|---|")
    for name, study in studies.items():
        for family in study.families:
            held = rm.VolatilityRatios.of(ratios(study, family, rm.MONTH))
            tables = [held.ranges(level) for level in LEVELS]
            shown = " | ".join(f"{covered(t['inside'])} | ×{(t['high'] / t['low']).median():.2f}" for t in tables)
            print(f"| {name} | {family} | {len(tables[-1])} | {shown} |", flush=True)


def held_back(studies: dict[str, rm.Study], horizons: list[rm.Horizon], split: str) -> None:
    """The coverage, from a year on, of quantiles of all panels before it."""
    print(f"\nQuantiles of all panels before {split}, on dates from then on: range and covered, per cent")
    for horizon in horizons:
        for kind, families in KINDS.items():
            before = quantiles(studies, families, horizon, slice(None, str(int(split) - 1)))
            if before is None:
                print(f"{horizon} {kind}: too few dates before {split}")
                continue
            for level in LEVELS:
                half = (1 - level) / 2
                low, high = before.low(half), before.high(half)
                parts = []
                for name, study in studies.items():
                    for family in families:
                        after = ratios(study, family, horizon).sort_index().loc[split:]
                        inside = after.between(low, high).groupby(level="date").mean()
                        parts.append(f"{name} {family} {covered(inside)}")
                print(f"{horizon} {kind} {level:.0%} [{low:.2f}, {high:.2f}]: {'; '.join(parts)}", flush=True)


def shipped(studies: dict[str, rm.Study], horizons: list[rm.Horizon]) -> None:
    """Print quantiles of all dates."""
    for horizon in horizons:
        for kind, families in KINDS.items():
            found = quantiles(studies, families, horizon, slice(None))
            values = [found.low(p) if p < 0.5 else found.high(1 - p) for p in measured.PROBABILITIES]
            print(f"{horizon} {kind} {found.dates} dates: {', '.join(f'{v:.3f}' for v in values)}")


def quantiles(studies: dict[str, rm.Study], families: tuple[str, ...], horizon: rm.Horizon, dates: slice):
    """Quantiles of the ratios of all panels, of which each date is one observation; None without dates."""
    by_date = [
        np.log(part.to_numpy())
        for study in studies.values()
        for _, part in pd.concat([ratios(study, f, horizon) for f in families]).sort_index().loc[dates].groupby("date")
    ]
    return Quantiles.of(tuple(by_date)) if len(by_date) > 2 / (1 - max(LEVELS)) else None


def covered(inside: pd.Series) -> str:
    return f"{100 * inside.mean():.1f} ({100 * inside.std() / np.sqrt(len(inside)):.1f})"


if __name__ == "__main__":
    warnings.simplefilter("ignore", rm.RiskModelWarning)
    main()
