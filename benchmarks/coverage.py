"""How often 95 % intervals cover, on returns of which the truth is known: ``python -m benchmarks.coverage [--quick]``.

Each design makes returns and says what is true of them: parameters where these are constant, otherwise their averages
over the window that was drawn. Printed are coverages with their Monte Carlo error, and the width of intervals.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from attrs import Factory, evolve, frozen

import riskmodel as rm

PEERS = {"cosine": rm.Cosine(), "HC3": rm.HC3(), "HAC": rm.HAC(), "classical": rm.Classical()}
_VARIANCE, _IDIO = 1.2e-4, 2.5e-4  # a day's, of a factor and of a stock


@frozen
class Truth:
    """Parameters of assets and factors; of a window, averages over it."""

    alpha: np.ndarray
    loadings: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    idio: np.ndarray
    idio_path: np.ndarray | None = None  # T × N where it changes
    has_own_residual: bool = True  # whether a portfolio's residual variance is the sum of its names', on the same dates

    def over(self, observed):
        """The truth where each asset has its own dates, T × N: its idio variance is the average over these."""
        if self.idio_path is None:
            return evolve(self, has_own_residual=False)
        idio = np.nanmean(np.where(observed, self.idio_path, np.nan), axis=0)
        return evolve(self, idio=idio, has_own_residual=False)

    def figures(self, w):
        """The figures of a portfolio, as the table names them."""
        alpha, b, v = w @ self.alpha, w @ self.loadings, w**2 @ self.idio
        a, mean = b @ self.covariance @ b, alpha + b @ self.mean
        own = {"r squared": a / (a + v)} if self.has_own_residual else {}
        return own | {
            "alpha": alpha,
            "expected excess return": mean,
            "exposure F0": b[0],
            "hedge F0": -b[0],
            "factor share": a / (a + v),
            "volatility": math.sqrt(a + v),
            "value at risk": 2.3263479 * math.sqrt(a + v),
            "expected shortfall": 2.6652142 * math.sqrt(a + v),
            "sharpe": mean / math.sqrt(a + v),
            "expected pnl at capacity": 1e6 * math.sqrt(21) * mean / math.sqrt(a + v),
            "hedged volatility": math.sqrt(v),
            "hedged sharpe": alpha / math.sqrt(v),
            "capacity": 1e6 / math.sqrt((a + v) * 21),
        }

    def further(self, w):
        """Figures of tables of their own: shares of the variance, and of two assets their correlation and hedge."""
        b, v = w @ self.loadings, w**2 @ self.idio
        towards = self.covariance @ b
        variance = b @ towards + v
        found = {"share F0": b[0] * towards[0] / variance}
        if len(w) > 1:
            found["share A0"] = w[0] * (self.loadings[0] @ towards + w[0] * self.idio[0]) / variance
            first, second = self.loadings[:2]
            both, own = first @ self.covariance @ second, second @ self.covariance @ second
            found |= {"hedge A1": -both / (own + self.idio[1]), "neutral hedge A1": -both / own}
        if len(w) > 1 and self.has_own_residual:
            found["residual correlation"] = 0.0
        return found


@frozen
class Design:
    """A process of returns."""

    name: str
    draw: Callable  # (rng, T) -> returns, factors, Truth
    estimator: rm.Estimator = Factory(rm.OLS)


def parameters(rng, n, k):
    return (
        rng.normal(0, 2e-4, n),
        np.column_stack([rng.normal(1.0, 0.3, n), rng.normal(0.0, 0.5, (n, k - 1))]),
        np.full(k, 3e-4) / np.arange(1, k + 1),
        np.diag(_VARIANCE / np.arange(1, k + 1)),
        _IDIO * rng.uniform(0.5, 2.0, n),
    )


def of_shocks(n, k, shocks, idio_shocks):
    """Constant parameters with independent shocks of unit variance."""

    def draw(rng, t):
        alpha, b, mean, f, v = parameters(rng, n, k)
        factors = mean + shocks(rng, (t, k)) * np.sqrt(np.diag(f))
        returns = alpha + factors @ b.T + idio_shocks(rng, (t, n)) * np.sqrt(v)
        return returns, factors, Truth(alpha, b, mean, f, v)

    return draw


def normal(rng, shape):
    return rng.standard_normal(shape)


def student4(rng, shape):
    return rng.standard_t(4, shape) / math.sqrt(2.0)


def skewed(rng, shape):
    """Minus a centred gamma: skewness -1.4, as of a book that sells insurance."""
    return (2.0 - rng.gamma(2.0, 1.0, shape)) / math.sqrt(2.0)


def jumps(rng, shape):
    """A jump of six standard deviations on one date in a hundred, beside normal noise."""
    return jumps_and_variances(rng, shape)[0]


def jumps_and_variances(rng, shape):
    """The same with the variance of each date, which a jump makes 37 times as large."""
    jumping = rng.random(shape) < 0.01
    shocks = rng.standard_normal(shape) + jumping * rng.normal(0.0, 6.0, shape)
    return shocks / math.sqrt(1.36), (1.0 + 36.0 * jumping) / 1.36


def jumping(n, k):
    """Jumps on dates that are given, as volatility paths are: the truth is the average variance of the dates drawn."""

    def draw(rng, t):
        alpha, b, mean, f, v = parameters(rng, n, k)
        shocks, of_factors = jumps_and_variances(rng, (t, k))
        noise, own = jumps_and_variances(rng, (t, n))
        factors = mean + shocks * np.sqrt(np.diag(f))
        returns = alpha + factors @ b.T + noise * np.sqrt(v)
        path = v * own
        scale = np.sqrt(of_factors.mean(axis=0))
        return returns, factors, Truth(alpha, b, mean, f * np.outer(scale, scale), path.mean(axis=0), path)

    return draw


def garch_path(rng, t, a, b):
    """A path of GARCH(1,1) variances with mean one and t(7) shocks, after a year."""
    z = rng.standard_t(7, t + 252) * math.sqrt(5.0 / 7.0)
    h = np.ones(t + 252)
    for s in range(1, t + 252):
        h[s] = 1.0 - a - b + h[s - 1] * (a * z[s - 1] ** 2 + b)
    return h[252:], z[252:]


def garch(n, k, a=0.08, b=0.90):
    """One volatility scales all factors, and residuals move with it."""

    def draw(rng, t):
        alpha, loadings, mean, f, v = parameters(rng, n, k)
        h, z = garch_path(rng, t, a, b)
        shocks = np.column_stack([z, rng.standard_t(7, (t, k - 1)) * math.sqrt(5.0 / 7.0)])
        factors = mean + np.sqrt(h)[:, None] * shocks * np.sqrt(np.diag(f))
        own = 0.3 + 0.5 * h + 0.2 * h * np.mean(shocks**2, axis=1)
        noise = rng.standard_t(7, (t, n)) * math.sqrt(5.0 / 7.0)
        returns = alpha + factors @ loadings.T + np.sqrt(own)[:, None] * noise * np.sqrt(v)
        path = v * (0.3 + 0.7 * h)[:, None]
        return returns, factors, Truth(alpha, loadings, mean, f * h.mean(), path.mean(axis=0), path)

    return draw


def stale(n):
    """Autocorrelated shocks, and a seventh of a day's return that comes a day late; the truth is the projection."""
    phi, late = 0.1, 0.15

    def draw(rng, t):
        alpha, b, mean, f, v = parameters(rng, n, 1)

        def shocks(shape):
            x = rng.standard_normal((shape[0] + 50, *shape[1:])) * math.sqrt(1 - phi**2)
            for s in range(1, len(x)):
                x[s] += phi * x[s - 1]
            return x[49:]

        factors = shocks((t, 1)) * np.sqrt(f[0, 0])
        fresh = alpha + (mean + factors) @ b.T + shocks((t, n)) * np.sqrt(v)
        returns = (1 - late) * fresh[1:] + late * fresh[:-1]
        slope = (1 - late) + late * phi
        # variance of a mix of neighbours, less what the projection explains
        mixed = (1 - late) ** 2 + late**2 + 2 * late * (1 - late) * phi
        truth = Truth(
            alpha + b[:, 0] * mean[0] * (1 - slope),
            b * slope,
            mean,
            f,
            v * mixed + b[:, 0] ** 2 * f[0, 0] * (mixed - slope**2),
        )
        return returns, (mean + factors)[1:], truth

    return draw


def drifting(n):
    """Betas that wander around their mean; the truth is the average over the window."""

    def draw(rng, t):
        alpha, b, mean, f, v = parameters(rng, n, 1)
        path = np.zeros((t, n))
        path[0] = 0.25 * rng.standard_normal(n)
        for s in range(1, t):
            path[s] = 0.99 * path[s - 1] + 0.25 * math.sqrt(1 - 0.99**2) * rng.standard_normal(n)
        factors = mean + normal(rng, (t, 1)) * np.sqrt(f[0, 0])
        betas = b[:, 0] + path
        returns = alpha + factors * betas + normal(rng, (t, n)) * np.sqrt(v)
        own = v + betas.var(axis=0) * (f[0, 0] + mean[0] ** 2)
        return returns, factors, Truth(alpha, betas.mean(axis=0)[:, None], mean, f, own)

    return draw


def two_sided(values, half_life):
    """Exponential averages over dates before and after."""
    forth = pd.DataFrame(values).ewm(halflife=half_life).mean().to_numpy()
    back = pd.DataFrame(values[::-1]).ewm(halflife=half_life).mean().to_numpy()[::-1]
    return (forth + back) / 2


def historical(n):
    """Volatility and beta paths of real stocks; their standardised shocks are drawn again, dates together."""
    data = rm.SampleData()
    panel = data.panel(data.assets[:n], ["Mkt-RF"])
    r, f, _ = panel.arrays()
    keep = ~np.isnan(r).any(axis=1)
    r, f = r[keep] - r[keep].mean(axis=0), f[keep] - f[keep].mean()
    scale = two_sided(f**2, 20)
    betas = two_sided(r * f, 125) / two_sided(f**2, 125)
    e = r - betas * f
    own = two_sided(e**2, 20)
    z = np.column_stack([f / np.sqrt(scale), e / np.sqrt(own)])
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    # what residuals share with the market would be part of beta
    z[:, 1:] -= np.outer(z[:, 0], z[:, 0] @ z[:, 1:] / len(z))
    z /= z.std(axis=0)

    def draw(rng, t):
        alpha = rng.normal(0, 2e-4, n)
        start = rng.integers(len(f) - t + 1)
        rows = slice(start, start + t)
        shocks = z[rng.integers(len(z), size=t)]
        mean = np.array([3e-4])
        factors = mean + shocks[:, :1] * np.sqrt(scale[rows])
        noise = shocks[:, 1:] * np.sqrt(own[rows])
        returns = alpha + factors * betas[rows] + noise
        weights = scale[rows] / scale[rows].mean()
        average = (betas[rows] * weights).mean(axis=0)
        drift = ((betas[rows] - average) ** 2 * scale[rows]).mean(axis=0)
        idio = own[rows].mean(axis=0) + drift
        window = Truth(alpha, average[:, None], mean, scale[rows].mean()[None, None], idio, None, n == 1)
        return returns, factors, window

    return draw


def ragged(inner):
    """Late listings, early delistings and scattered holes in the returns of another design."""

    def draw(rng, t):
        returns, factors, truth = inner(rng, t)
        for j in range(returns.shape[1]):
            first = rng.integers(0, t // 2) if j % 3 else 0
            last = t - rng.integers(0, t // 4) if j % 2 else t
            returns[:first, j] = returns[last:, j] = np.nan
            returns[rng.random(t) < 0.05, j] = np.nan
        return returns, factors, truth.over(~np.isnan(returns))

    return draw


def decaying(t):
    return rm.EWMA(half_life=rm.Horizon(t))


DESIGNS = [
    Design("normal", of_shocks(1, 1, normal, normal)),
    Design("t(4)", of_shocks(1, 1, student4, student4)),
    Design("garch", garch(1, 1)),
    Design("garch .05 .945", garch(1, 1, 0.05, 0.945)),
    Design("stale prices", stale(1)),
    Design("drifting beta", drifting(1)),
    Design("real paths", historical(1)),
    Design("skewed", of_shocks(1, 1, skewed, skewed)),
    Design("jumps", jumping(1, 1)),
    Design("jumps, long run", of_shocks(1, 1, jumps, jumps)),
    Design("normal, 6 factors", of_shocks(1, 6, normal, normal)),
    Design("garch, 6 factors", garch(1, 6)),
    Design("normal, 20 names", of_shocks(20, 3, normal, normal)),
    Design("garch, 20 names", garch(20, 3)),
    Design("real paths, 20 names", historical(20)),
    Design("normal, 20 ragged names", ragged(of_shocks(20, 3, normal, normal))),
    Design("t(4), 20 ragged names", ragged(of_shocks(20, 3, student4, student4))),
    Design("garch, 20 ragged names", ragged(garch(20, 3))),
    Design("normal, weights decay", of_shocks(1, 1, normal, normal), decaying(250)),
    Design("t(4), weights decay, 20 ragged", ragged(of_shocks(20, 3, student4, student4)), decaying(250)),
]


def panel_of(returns, factors):
    t, n = returns.shape
    names = [f"F{j}" for j in range(factors.shape[1])]
    return rm.ReturnPanel(
        dates=pd.date_range("2000-01-01", periods=t, freq="B"),
        assets=pd.Index([f"A{j}" for j in range(n)]),
        factors=pd.Index(names),
        excess_returns=returns,
        factor_returns=factors,
        risk_free=np.zeros(t),
        horizon=rm.DAY,
        definitions=names,
        dropped=pd.DataFrame({"date": [], "reason": []}),
    )


def cell(design, t, repetitions, covariance, *, level=0.95):
    """Whether each figure's interval covered, in each repetition, and its width over the estimate."""
    covered, widths = [], []
    for i in range(repetitions):
        rng = np.random.default_rng([i, t, *design.name.encode()])
        returns, factors, truth = design.draw(rng, t)
        n = returns.shape[1]
        panel = panel_of(returns, factors)
        model = design.estimator.fit(panel)
        book = rm.Strategy(dict.fromkeys(panel.assets, 1.0 / n), model)
        inference = rm.Inference.of(model, panel, covariance)
        table = inference.table(book, level, budget=rm.RiskBudget(1e6, rm.MONTH))
        w = np.full(n, 1.0 / n)
        true = truth.figures(w)
        if not isinstance(covariance, rm.Classical):  # which cannot say them
            true |= truth.further(w)
            table = pd.concat([table, further_of(inference, book, level)])
        true = pd.Series(true)
        table = table.loc[true.index]
        covered.append((table["low"] <= true) & (true <= table["high"]))
        widths.append((table["high"] - table["low"]).astype(float) / table["estimate"].astype(float).abs())
    return pd.DataFrame(covered), pd.DataFrame(widths)


def further_of(inference, book, level):
    """The rows of `Truth.further`."""
    shares = inference.contributions(book, level)
    rows = {"share F0": shares.loc[("factor", "F0")]}
    if len(book.weights) > 1:
        rows["share A0"] = shares.loc[("asset", "A0")]
        hedge = inference.minimum_variance(rm.Strategy({"A0": 1.0}, book.model), ["A1"], level)
        rows["hedge A1"] = hedge.loc["hedge A1"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rm.ExposureLeftWarning)  # one instrument, several factors
            neutral = inference.neutral(rm.Strategy({"A0": 1.0}, book.model), ["A1"], level)
        rows["neutral hedge A1"] = neutral.loc["hedge A1"]
        rows["residual correlation"] = inference.residual_correlations(["A0", "A1"], level).iloc[0]
    return pd.DataFrame(rows).T


def study(designs, lengths, repetitions, covariances):
    """Coverage by estimator of the covariance, design, length and figure."""
    rows = []
    for name, covariance in covariances.items():
        for design in designs:
            for t in lengths:
                start = time.perf_counter()
                try:
                    covered, widths = cell(design, t, repetitions, covariance)
                except rm.NotEstimatedError:
                    continue  # classical errors of ragged portfolios
                seconds = (time.perf_counter() - start) / repetitions
                p = covered.mean()
                error = np.sqrt(p * (1 - p) / repetitions)
                rows += [
                    {"covariance": name, "design": design.name, "dates": t, "figure": f, "coverage": p[f],
                     "error": error[f], "width": widths[f].median()}
                    for f in covered
                ]  # fmt: skip
                low, high = p.min(), p.max()
                print(
                    f"{name:>10} {design.name:<32} {t:>5} {low:6.1%} ({p.idxmin()}) to {high:6.1%}, "
                    f"{seconds * 1e3:.0f} ms",
                    flush=True,
                )
    return pd.DataFrame(rows)


def summary(rows):
    """By covariance and figure: the least, middle and largest coverage, and how many cells are within 93 to 97 %."""
    found = {}
    for key, part in rows.groupby(["covariance", "figure"], sort=False):
        p = part["coverage"]
        slack = 2 * part["error"]
        found[key] = {
            "cells": len(p), "min": p.min(), "median": p.median(), "max": p.max(),
            "within 93-97": p.between(0.93, 0.97).mean(),
            "within, or within two errors of it": ((p + slack >= 0.93) & (p - slack <= 0.97)).mean(),
        }  # fmt: skip
    return pd.DataFrame(found).T


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and lengths, a few minutes")
    parser.add_argument("--repetitions", type=int, help="by default 1,000, and 200 with --quick")
    parser.add_argument("--dates", type=int, nargs="*", help="by default 252 504 1260, and 252 with --quick")
    parser.add_argument("--covariance", nargs="*", default=["cosine"], choices=[*PEERS], help="by default cosine")
    parser.add_argument("--designs", nargs="*", help="parts of names; by default all")
    parser.add_argument("--json", type=Path, help="where to write the rows")
    options = parser.parse_args()
    lengths = options.dates or ([252] if options.quick else [252, 504, 1260])
    repetitions = options.repetitions or (200 if options.quick else 1_000)
    designs = [d for d in DESIGNS if not options.designs or any(x in d.name for x in options.designs)]
    rows = study(designs, lengths, repetitions, {name: PEERS[name] for name in options.covariance})
    with pd.option_context(
        "display.width",
        200,
        "display.max_columns",
        None,
        "display.float_format",
        "{:.3f}".format,
        "display.max_rows",
        None,
    ):
        for name, part in rows.groupby("covariance", sort=False):
            print(f"\nCoverage of 95 % intervals: {name}, {repetitions} repetitions, Monte Carlo error up to "
                  f"{math.sqrt(0.05 * 0.95 / repetitions):.3f} at 0.95")  # fmt: skip
            print(part.pivot_table(index=["design", "dates"], columns="figure", values="coverage", sort=False))
        print(summary(rows))
    if options.json:
        options.json.write_text(rows.to_json(orient="records", indent=1))


if __name__ == "__main__":
    main()
