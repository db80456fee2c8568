"""The rows of the table: each a function that measures and returns its figures."""

from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import scipy.linalg

import riskmodel as rm
from benchmarks import peers
from benchmarks.assembled import assembled
from benchmarks.characteristics import cross_sectional
from benchmarks.cluster import on_a_cluster
from benchmarks.made import covariance, panel, plain_read, stored, stored_files
from benchmarks.timing import Figure, best, in_own_process

SIZE = "2,520 × 5,000 × 6"


def full_panel():
    """OLS on a full and on a ragged panel, beside reading it and beside what else would fit it."""
    import statsmodels.api as sm
    from sklearn.linear_model import LinearRegression

    full, ragged = panel(), panel(missing=0.3)
    returns, factors, _ = full.arrays()
    design, some = sm.add_constant(factors), 100

    def statsmodels():
        for j in range(some):
            result = sm.OLS(returns[:, j], design).fit()
            _ = result.params, result.bse, result.rsquared

    def by_hand():
        inverse = np.linalg.inv(design.T @ design)
        products = design.T @ returns
        coefficients = inverse @ products
        # differences of sums, for speed: no digit is left where an asset is nearly explained
        squares = np.einsum("tn,tn->n", returns, returns)
        residual = squares - (coefficients * products).sum(axis=0)
        total = squares - products[0] ** 2 / len(design)
        variance = residual / (len(design) - len(products))
        _ = np.sqrt(variance * np.diag(inverse)[:, None]), 1.0 - residual / total

    read, fit, fit_ragged, sklearn, each, numpy = best(
        returns.sum,
        lambda: rm.OLS().fit(full),
        lambda: rm.OLS().fit(ragged),
        lambda: LinearRegression().fit(factors, returns),
        statsmodels,
        by_hand,
        rounds=7,
    )
    work = f"OLS fit, full, {SIZE}, all figures"
    return [
        Figure(work, "one read of the panel", 4, fit / read, "× its time"),
        Figure(work, "statsmodels OLS by asset (100 measured)", 100, each / some * returns.shape[1] / fit),
        Figure(work, "scikit-learn LinearRegression, coefficients alone", 5, sklearn / fit),
        Figure(work, "normal equations in plain numpy, unchecked", 1, numpy / fit),
        Figure("OLS fit, ragged, 5,000 patterns, 30 % missing", "the full panel", 2.5, fit_ragged / fit, "× its time"),
    ]


def rolling():
    """Betas, idio variances and R² of every window of a year, of 1,000 assets, beside statsmodels' RollingOLS."""
    import statsmodels.api as sm
    from statsmodels.regression.rolling import RollingOLS

    n, some = 1_000, 4
    full, ragged = panel(n=n), panel(n=n, missing=0.3)
    design = sm.add_constant(full.factor_returns)

    def statsmodels(of, **how):
        for j in range(some):
            result = RollingOLS(of.excess_returns[j], design, window=252, **how).fit()
            _ = result.params, result.mse_resid, result.rsquared

    *ours, same, gaps, growing = best(
        lambda: rm.Rolling(rm.YEAR).fit(full),
        lambda: rm.Rolling(rm.YEAR).fit(full).std_errors,
        lambda: rm.Rolling(rm.YEAR).fit(ragged),
        lambda: rm.Expanding(minimum=252).fit(full),
        lambda: statsmodels(full),
        lambda: statsmodels(ragged, min_nobs=8, missing="drop"),
        lambda: statsmodels(full, min_nobs=252, expanding=True),
        rounds=3,
    )
    same, gaps, growing = (seconds * n / some for seconds in (same, gaps, growing))
    work, peer = "rolling OLS, 252 of 2,520 days × 1,000 × 6", f"statsmodels RollingOLS by asset ({some} measured)"
    return [
        Figure(f"{work}: betas, idio variances, R²", peer, 100, same / ours[0]),
        Figure(f"{work}: and standard errors", peer, 100, same / ours[1]),
        Figure(f"{work}: ragged, 1,000 patterns, 30 % missing", peer, 20, gaps / ours[2]),
        Figure("expanding OLS from 252 days on, 2,520 × 1,000 × 6", f"{peer}, expanding", 100, growing / ours[3]),
    ]


def daily_update():
    """Twenty days added one by one to a state of ten years, beside reading the ten years again."""
    whole, some = panel(), 20
    ewma, days = rm.EWMA(half_life=rm.QUARTER), whole.dates
    state = ewma.moments(whole.select(end=days[-some - 1]))
    news = [whole.select(start=day, end=day) for day in days[-some:]]

    def models(estimate):
        day_after_day = state
        for today in news:
            day_after_day = ewma.update(day_after_day, today)
            estimate(day_after_day)

    read, fit, update, both = best(
        lambda: ewma.moments(whole),
        lambda: ewma.fit(whole),
        lambda: models(lambda _: None),
        lambda: models(ewma.estimate),
        rounds=9,
    )
    work = "EWMA, a day added, N = 5,000, K = 6"
    return [
        Figure(f"{work}: the state", "reading all days again", 50, some * read / update),
        Figure(f"{work}: the state and its model", "refitting", 50, some * fit / both),
    ]


def compiled_fit():
    """Coefficients alone by small and compiled programs, beside all of our figures."""
    small = panel(n=1_000)
    returns, factors, _ = small.arrays()
    by_asset = np.ascontiguousarray(returns.T)
    works = {"normal equations in plain numpy, coefficients alone": lambda: peers.normal_equations(returns, factors)}
    if peers.installed("jax"):
        jax = peers.jax_betas()
        jax(returns, factors)
        works["jax, compiled normal equations, coefficients alone"] = lambda: jax(returns, factors)
    if peers.installed("polars_ds"):
        works["polars-ds lin_reg, coefficients alone"] = lambda: peers.polars_fit(by_asset, factors)
    fit, *theirs = best(lambda: rm.OLS().fit(small), *works.values(), rounds=7)
    return [
        Figure("OLS fit, 2,520 × 1,000 × 6, all figures", name, None, seconds / fit)
        for name, seconds in zip(works, theirs, strict=True)
    ]


def compiled_rolling():
    """Rolling betas by compiled programs that add and subtract, beside ours with idio variances and R²."""
    n, some, window = 500, 5, 252
    six, one = panel(n=n), panel(n=n, k=1)
    works, ours = {}, {6: lambda: rm.Rolling(rm.YEAR).fit(six), 1: lambda: rm.Rolling(rm.YEAR).fit(one)}
    r6, r1 = (np.ascontiguousarray(p.arrays()[0].T) for p in (six, one))
    f6, f1 = (np.ascontiguousarray(p.arrays()[1]) for p in (six, one))
    if peers.installed("numba"):
        numba = peers.numba_rolling()
        numba(r6[:1], f6, window)
        works["numba, twenty lines, betas alone"] = 6, 1, lambda: numba(r6, f6, window)
    if peers.installed("numbagg"):
        peers.numbagg_rolling(r1, f1[:, 0], window)
        works["numbagg move_cov / move_var, betas alone"] = 1, 1, lambda: peers.numbagg_rolling(r1, f1[:, 0], window)
    if peers.installed("polars_ds"):
        name = f"polars-ds rolling_lin_reg by asset ({some} measured)"
        works[name] = 6, n / some, lambda: peers.polars_rolling(r6[:some], f6, window)
    seconds = best(*ours.values(), *(work for _, _, work in works.values()), rounds=3)
    mine = dict(zip(ours, seconds, strict=False))
    return [
        Figure(f"rolling OLS, 252 of 2,520 days × {n} × {k}", name, None, times * s / mine[k])
        for (name, (k, times, _)), s in zip(works.items(), seconds[2:], strict=True)
    ]


def wrong_print():
    """Errors of betas after a return of 10⁶ has left the window, against least squares of that window alone."""
    from attrs import evolve

    window, at = 252, 300
    clean = panel(t=1_000, n=3, k=1)
    r, f, _ = (a.copy() for a in clean.arrays())
    r[at] = 1e6
    wrong = evolve(clean, excess_returns=r)
    dates = slice(at + window, len(r))  # the last day of windows that it has left
    expected = np.array([slopes(r[d - window + 1 : d + 1], f[d - window + 1 : d + 1]) for d in range(len(r))[dates]]).T
    first, rows = dates.start - window + 1, np.ascontiguousarray(r.T)
    ours = rm.Rolling(rm.YEAR).fit(wrong).loadings.to_numpy().reshape(-1, 3).T[:, first:]
    found = {}
    if peers.installed("numba"):
        found["numba, adding and subtracting"] = peers.numba_rolling()(rows, f, window)[:, first:, 1]
    if peers.installed("numbagg"):
        found["numbagg"] = peers.numbagg_rolling(rows, f[:, 0], window)[:, first:]
    if peers.installed("polars_ds"):
        found["polars-ds"] = peers.polars_rolling(rows, f, window)[:, first:, 0]
    own = np.abs(ours - expected).max()
    work = "rolling betas after a return of 10⁶ has left the window"
    return [
        Figure(f"{work}: largest error", "sums in extended precision", 1e-15, float(own), "absolute"),
        *(
            Figure(work, f"{name}: its largest error over ours", None, float(np.abs(betas - expected).max() / own))
            for name, betas in found.items()
        ),
    ]


def slopes(returns, factor):
    """Betas on one factor, in extended precision."""
    r, f = returns.astype(np.longdouble), factor[:, 0].astype(np.longdouble)
    f = f - f.mean()
    return f @ (r - r.mean(axis=0)) / (f @ f)


def from_frames():
    """Frames of returns and factors to betas, checks and alignment included, beside the fit alone."""
    made = panel(n=1_000)
    returns, factors = made.excess_returns, made.factor_returns
    assets, names = list(returns.columns), list(factors.columns)

    def all_of_it():
        data = rm.InMemory(returns=returns, factors=factors, risk_free=0.0, horizon=rm.DAY)
        return rm.OLS().fit(data.panel(assets, names)).loadings

    whole, fit = best(all_of_it, lambda: rm.OLS().fit(made), rounds=9)
    return [Figure("DataFrame to betas, 2,520 × 1,000 × 6", "the fit alone", 4, whole / fit, "× its time")]


def walk_forward():
    """Yesterday's hedge of one stock on each of 483 days, in one call and by an object a day."""
    data = rm.SampleData().panel(["KO"], ["Mkt-RF"], start="2016-01-01")
    history = rm.Rolling(rm.YEAR).fit(data)

    def objects():
        for day, after in zip(data.dates[251:-1], data.dates[252:], strict=True):
            hedge = rm.HedgedPortfolio.neutral(rm.Strategy({"KO": 1.0}, history.on(day)))
            hedge.excess_returns(data, start=after, end=after)

    once = lambda: history.excess_returns({"KO": 1.0})  # noqa: E731
    ours, loop = best(once, objects, rounds=2)
    (ours,) = best(once, rounds=9)
    work = f"walk forward, {len(data.dates) - 252} days of one stock: excess_returns"
    return [
        Figure(work, "milliseconds", 20, 1e3 * ours, "ms"),
        Figure(work, "HedgedPortfolio.neutral, one a day", 50, loop / ours),
    ]


def skfolio_model():
    """The factor model of skfolio on 1,000 assets."""
    from skfolio.prior import LoadingMatrixRegression, TimeSeriesFactorModel
    from sklearn.linear_model import LinearRegression

    small = panel(n=1_000)
    returns, factors = small.excess_returns, small.factor_returns
    returns.columns = returns.columns.astype(str)

    def theirs():
        regression = LoadingMatrixRegression(linear_regressor=LinearRegression())
        TimeSeriesFactorModel(loading_matrix_estimator=regression).fit(returns, factors=factors)

    other, fit = best(theirs, lambda: rm.OLS().fit(small), rounds=3)
    return [Figure("OLS fit, 2,520 × 1,000 × 6", "skfolio TimeSeriesFactorModel", 200, other / fit)]


def dense_covariance():
    """The covariance as an operator, beside the dense matrix."""
    n, k = 5_000, 70
    cov, rng = covariance(n, k), np.random.default_rng(1)
    w, dense = rng.normal(size=n), cov.to_dense().to_numpy()

    # LAPACK wants columns side by side, which of a symmetric matrix its transpose has
    by_column, how = dense.T, {"lower": True, "check_finite": False}

    # many in a row, as an optimiser asks for them, and not in turns with what sweeps the caches
    (variance,) = best(lambda: [cov.variance(w) for _ in range(20)], rounds=25)
    solve, draw = best(
        lambda: covariance_of(cov).solve(w),
        lambda: covariance_of(cov).sample(1, rng),
        rounds=15,
    )
    ours = variance / 20, solve, draw
    (dense_variance,) = best(lambda: w @ dense @ w, rounds=25)
    dense_solve, dense_draw = best(
        lambda: scipy.linalg.cho_solve(scipy.linalg.cho_factor(by_column, **how), w, check_finite=False),
        lambda: scipy.linalg.cholesky(by_column, **how) @ rng.standard_normal(n),
        rounds=5,
    )
    theirs = dense_variance, dense_solve, dense_draw
    what = ("variance", "solve, factorisation included", "one draw, factorisation included")
    return [
        Figure(f"covariance 5,000, K = 70: {name}", "dense, numpy and Cholesky", 200, b / a)
        for name, a, b in zip(what, ours, theirs, strict=True)
    ]


def covariance_of(cov):
    """The same covariance, without what it has kept of its factorisation."""
    import attrs

    return attrs.evolve(cov)


def optimised():
    """Least risk of 5,000 names, long only, in cvxpy with Clarabel: the factor form beside the dense matrix."""
    import cvxpy as cp

    from riskmodel.interop.cvxpy import variance

    cov = covariance(5_000, 6)
    dense = cov.to_dense().to_numpy()
    found = {}

    def solved(name, risk):
        w = cp.Variable(len(dense), nonneg=True)
        # variances a day are small numbers beside the tolerances of a solver
        problem = cp.Problem(cp.Minimize(1e4 * risk(w)), [cp.sum(w) == 1])
        problem.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
        found[name] = w.value

    (ours,) = best(lambda: solved("ours", lambda w: variance(cov, w)), rounds=9)
    (theirs,) = best(lambda: solved("dense", lambda w: cp.quad_form(w, cp.psd_wrap(dense))), rounds=1)
    apart = np.abs(found["ours"] - found["dense"]).max()
    work = "least variance of 5,000 names, K = 6, long only, cvxpy and Clarabel"
    return [
        Figure(work, "quad_form of the dense matrix", 300, theirs / ours),
        Figure(f"{work}: largest difference of a weight", "1e-6", 1, apart / 1e-6, "× its size"),
    ]


_LARGE = """
import time, numpy as np, pandas as pd, riskmodel as rm
from benchmarks.made import covariance
from benchmarks.timing import peak
covariance(500, 70).solve(np.ones(500))
vectors = np.random.default_rng(0).normal(size=(100, {n}))
low, start = peak(), time.process_time()
cov = covariance({n}, 70)
for w in vectors:
    cov.solve(w), cov.variance(w)
print(peak() - low, time.process_time() - start)
"""


def large_covariance():
    """Memory and growth at 100,000 assets: build, 100 solves, 100 variances."""
    n, k = 100_000, 70
    runs = [(in_own_process(_LARGE.format(n=n)), in_own_process(_LARGE.format(n=2 * n))) for _ in range(5)]
    # memory that the system hands out for the first time is slow, and not always new: the least of each
    once, doubled = (np.array(each).min(axis=0) for each in zip(*runs, strict=True))
    (memory, seconds), (twice, twice_seconds) = once, doubled
    work = "covariance 100,000, K = 70: build, 100 solves, 100 variances"
    return [
        Figure(f"{work}: peak memory", "the loadings' own size", 4, memory / (8 * n * k), "× its size"),
        Figure(f"{work}: doubling N, time", "N", 2.2, twice_seconds / seconds, "× its time"),
        Figure(f"{work}: doubling N, memory", "N", 2.2, twice / memory, "× its size"),
    ]


_STORED = """
import riskmodel as rm
from benchmarks.made import stored
from benchmarks.timing import peak
path, kind, years = {path!r}, {kind!r}, {years}
rm.OLS().fit(stored(path, kind, 1).between(end="1900-01-31"))
low = peak()
rm.OLS().fit(stored(path, kind, years))
print(peak() - low)
"""


def larger_than_memory():
    """A panel on disk: how memory grows with its dates, and time beside one plain read of the same files."""
    with TemporaryDirectory() as folder:
        stored_files(folder, years=_YEARS)
        return [f for kind in ("memmap", "parquet") for f in _stored(folder, kind)]


_YEARS = 100


def _stored(folder, kind):
    few, many = (
        in_own_process(_STORED.format(path=folder, kind=kind, years=years))[0] for years in (_YEARS // 10, _YEARS)
    )
    there = stored(folder, kind, _YEARS).select()
    plain, fit, in_memory = best(
        lambda: plain_read(folder, kind),
        lambda: rm.OLS().fit(stored(folder, kind, _YEARS)),
        lambda: rm.OLS().fit(there),
        rounds=3,
    )
    work = f"OLS fit from {kind}, 25,200 × 2,000 × 6"
    size = 8 * 252 * _YEARS * 2_000
    return [
        Figure(f"{work}: peak memory", "the panel's own size", 0.5, many / size, "× its size"),
        Figure(f"{work}: peak memory", "a tenth of the dates", 1.5, many / few, "× its size"),
        Figure(work, "one plain read of the same files", 4, fit / plain, "× its time"),
        Figure(
            work,
            "one plain read, and the fit of the same panel in memory",
            2,
            fit / (plain + in_memory),
            "× their time",
        ),
    ]


def robust_errors():
    """Errors robust to autocorrelation of all alphas and betas, of assets that all have dates of their own."""
    figures = []
    for t, n, target in ((252, 100_000, 3), (2_520, 5_000, None)):
        ragged = panel(t=t, n=n, missing=0.3)
        model = rm.OLS().fit(ragged)
        works = [
            lambda c=c, model=model, ragged=ragged: rm.Inference.of(model, ragged, c).std_errors()
            for c in (rm.HAC(), rm.HC3())
        ]
        fit, *errors = best(lambda ragged=ragged: rm.OLS().fit(ragged), *works, rounds=5)
        size = f"{t:,} × {n:,} × 6, ragged, 30 % missing"
        for name, seconds in zip(("HAC, automatic lags", "HC3"), errors, strict=True):
            figures.append(
                Figure(f"errors of all betas, {size}: {name}", "the fit", target, seconds / fit, "× its time")
            )
    return figures


def rolling_robust_errors():
    """Errors robust to autocorrelation of the alphas and betas of every month's window, beside statsmodels'."""
    import statsmodels.api as sm

    n, some, lags = 500, 2, 4
    ragged = panel(n=n, missing=0.3)
    history = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(ragged)
    returns, factors, _ = ragged.arrays()

    def statsmodels():
        for start, stop in zip(history._starts, history._stops, strict=True):
            design = sm.add_constant(factors[start:stop])
            for own in returns[start:stop, :some].T:
                there = ~np.isnan(own)
                fitted = sm.OLS(own[there], design[there]).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
                _ = fitted.params, fitted.bse

    fit, hac, given, hc3, each = best(
        lambda: rm.Rolling(rm.YEAR, every=rm.MONTH).fit(ragged),
        *(lambda c=c: rm.RollingInference(history, c).std_errors() for c in (rm.HAC(), rm.HAC(lags=lags), rm.HC3())),
        statsmodels,
        rounds=3,
    )
    work = f"errors of all betas of {len(history)} windows of 252 days × {n} × 6, ragged, 30 % missing"
    return [
        Figure(
            f"{work}: HAC, {lags} lags",
            f"statsmodels by window and asset ({some} measured)",
            10,
            each / some * n / given,
        ),
        Figure(f"{work}: HAC, automatic lags", "the rolling fit", None, hac / fit, "× its time"),
        Figure(f"{work}: HC3", "the rolling fit", None, hc3 / fit, "× its time"),
    ]


_IMPORT = "import time; s = time.process_time(); import {what}; print(time.process_time() - s)"


def importing():
    """The processor's time that importing takes, each in a fresh interpreter, compiled as an installer leaves it."""
    # names are imported when they are first asked for
    packages = "riskmodel; riskmodel.OLS, riskmodel.InMemory", "numpy, pandas, scipy.linalg"
    with TemporaryDirectory() as folder:
        compiled = {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        runs = [[in_own_process(_IMPORT.format(what=p), **compiled)[0] for p in packages] for _ in range(22)]
    # The first run compiled. No two interpreters lie alike in memory: the middle of ratios says more than the least.
    ratio = median(ours / theirs for ours, theirs in runs[1:])
    return [
        Figure(
            "import riskmodel, and what a fit needs", "import numpy, pandas, scipy.linalg", 1.15, ratio, "× its time"
        )
    ]


ROWS = (
    full_panel,
    daily_update,
    compiled_fit,
    compiled_rolling,
    wrong_print,
    from_frames,
    walk_forward,
    skfolio_model,
    assembled,
    cross_sectional,
    dense_covariance,
    large_covariance,
    optimised,
    on_a_cluster,
    rolling,
    robust_errors,
    rolling_robust_errors,
    larger_than_memory,
    importing,
)
