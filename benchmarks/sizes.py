"""How often tests reject what is true, at 5 %: ``python -m benchmarks.sizes [--quick]``.

Returns are those of designs of `benchmarks.coverage`, less their true alphas: all alphas and pricing errors are zero,
and exposures are constant. A test that holds its size rejects on 5 % of the draws.
"""

from __future__ import annotations

import argparse
import math
from functools import cache

import numpy as np
import pandas as pd

import riskmodel as rm
from benchmarks.coverage import garch, normal, of_shocks, panel_of, ragged, stale, student4

DESIGNS = {
    "normal": lambda n: of_shocks(n, 3, normal, normal),
    "t(4)": lambda n: of_shocks(n, 3, student4, student4),
    "GARCH": lambda n: garch(n, 3),
    "stale prices": stale,
    "t(4), ragged": lambda n: ragged(of_shocks(n, 3, student4, student4)),
}
LEVEL = 0.05


def tests(model, panel, draws):
    """The tests, each a function that says whether it rejects."""
    alphas = cache(lambda covariance: rm.Inference.of(model, panel, covariance).alphas())
    book = rm.Strategy(dict.fromkeys(panel.assets, 1.0 / len(panel.assets)), model)
    stability = cache(lambda: rm.Inference.of(model, panel).stability(book))
    cosine = rm.Cosine()
    return {
        "GRS": lambda: alphas(cosine).grs().pvalue < LEVEL,
        "F, HC3": lambda: alphas(rm.HC3()).joint().pvalue < LEVEL,
        "F, cosines": lambda: alphas(cosine).joint().pvalue < LEVEL,
        "J, Newey-West": lambda: alphas(rm.HAC()).j().pvalue < LEVEL,
        "Romano-Wolf": lambda: alphas(cosine).family_wise_pvalues(draws).min() < LEVEL,
        "pricing errors, F": lambda: rm.RiskPremia.of(model, panel).joint().pvalue < LEVEL,
        "sup-F of betas": lambda: stability().exposures.rejects(LEVEL),
        "CUSUM": lambda: stability().residuals.rejects(LEVEL),
    }


def rejections(design, n, t, repetitions):
    """The share of draws on which each test rejects; NaN for a test that does not apply."""
    found, draw = [], DESIGNS[design](n)
    for i in range(repetitions):
        rng = np.random.default_rng([i, t, n, *design.encode()])
        returns, factors, truth = draw(rng, t)
        panel = panel_of(returns - truth.alpha, factors)
        model = rm.OLS().fit(panel)
        row = {}
        for name, test in tests(model, panel, rm.StationaryBootstrap(199, seed=i)).items():
            try:
                row[name] = float(test())
            except rm.NotEstimatedError:
                row[name] = math.nan
        found.append(row)
    return pd.DataFrame(found).mean()


def study(designs, assets, dates, repetitions):
    """Rejections by design, number of assets and of dates."""
    rows = {}
    for design in designs:
        for n in assets:
            for t in dates:
                rows[design, n, t] = rejections(design, n, t, repetitions)
                print(design, n, t, rows[design, n, t].round(3).to_dict(), flush=True)
    return pd.DataFrame(rows).T.rename_axis(["design", "assets", "dates"])


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizes", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 repetitions of 126 dates, a few minutes")
    parser.add_argument("--repetitions", type=int, help="by default 1,000, and 100 with --quick")
    parser.add_argument("--designs", nargs="*", default=[*DESIGNS], choices=[*DESIGNS])
    options = parser.parse_args()
    repetitions = options.repetitions or (100 if options.quick else 1_000)
    found = study(options.designs, (6, 20), (126,) if options.quick else (126, 1_260), repetitions)
    error = math.sqrt(LEVEL * (1 - LEVEL) / repetitions)
    with pd.option_context("display.width", 200, "display.max_columns", None):
        print(f"\nPercent of {repetitions} draws on which tests at 5 % reject, Monte Carlo error {100 * error:.1f}")
        print((100 * found).round(1))


if __name__ == "__main__":
    main()
