"""Run the study of risk models on a panel of daily returns, against what others publish.

    python -m benchmarks.study [PANEL] [--quick] [--folder DIR]

PANEL is a CSV or Parquet file of returns, dates × assets: decimals, per cent or parts per million, as the usual size
of a daily return says.
Without it, the study is of the monthly sample that ships with the library: windows of 120 months, a quarter ahead.
"""

from __future__ import annotations

import argparse
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

import riskmodel as rm
from benchmarks import covariances
from benchmarks.peers import installed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.study", description=__doc__.splitlines()[0])
    parser.add_argument("panel", type=Path, nargs="?", help="returns, dates × assets, CSV or Parquet")
    parser.add_argument("--draw", type=int, default=150, help="assets drawn on each date (default: 150)")
    parser.add_argument("--window", type=int, default=504, help="days in a window (default: 504)")
    parser.add_argument("--every", type=int, default=42, help="days between dates (default: 42)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--start", help="first date of returns")
    parser.add_argument("--end", help="last date of returns")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="some of the methods only")
    parser.add_argument("--processes", type=int, default=1, help="over which dates are spread")
    parser.add_argument("--folder", type=Path, help="where dates are kept, so that a study that stopped goes on")
    parser.add_argument("--output", type=Path, help="a folder for the frames as CSV")
    parser.add_argument("--quick", action="store_true", help="every eighth date, 50 assets")
    options = parser.parse_args()
    methods = ours() | peers() if options.panel else monthly() | peers()
    unknown = set(options.models or ()) - set(methods)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(methods)}")
    chosen = {name: method for name, method in methods.items() if not options.models or name in options.models}
    study = run(options, chosen) if options.panel else run_on_sample(options, chosen)
    show(study)
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        study.summary().to_csv(options.output / "summary.csv")
        study.losses().to_csv(options.output / "qlike.csv")
        study.records.to_csv(options.output / "records.csv")


def run(options: argparse.Namespace, methods: dict[str, object]) -> rm.Study:
    every, draw = (8 * options.every, min(options.draw, 50)) if options.quick else (options.every, options.draw)
    walk = rm.WalkForward(
        methods,
        window=rm.Horizon(options.window),
        horizon=rm.MONTH,
        every=every,
        assets=rm.KnownAssets(0.98, rm.RandomDraw(draw, options.seed)),
    )
    panel = load(options.panel, options.start, options.end)
    warnings.filterwarnings("ignore", module=r"sklearn|skfolio|pypfopt")
    if options.processes == 1:
        return walk.run(panel, folder=options.folder)
    with ProcessPoolExecutor(options.processes) as pool:
        return walk.run(panel, folder=options.folder, executor=pool)


def run_on_sample(options: argparse.Namespace, methods: dict[str, object]) -> rm.Study:
    """30 portfolios of industries and of size, value and momentum, and four factors, 1949 to 2017."""
    data = rm.SampleData(rm.MONTH)
    panel = data.panel(list(data.assets), list(data.factors), options.start, options.end)
    warnings.filterwarnings("ignore", module=r"sklearn|skfolio|pypfopt")
    every = 24 if options.quick else 3
    return rm.WalkForward(methods, window=rm.Horizon(120 * 21), horizon=rm.QUARTER, every=every).run(panel)


def monthly() -> dict[str, object]:
    """Models of this library for months, on which `recommended` has no record."""
    parts = rm.SampleCovariance(), rm.SampleVariance()
    return {
        "OLS, four factors": rm.OLS(),
        "EWMA, four factors, 3 years": rm.EWMA(rm.Horizon(36 * 21)),
        "four factors and five components": rm.Assembled(
            rm.Hybrid(rm.TimeSeries(rm.OLS()), rm.PrincipalComponents(5)), *parts
        ),
        "PCA 10": rm.Assembled(rm.PrincipalComponents(10, scaling=rm.Unscaled()), *parts),
        "linked": rm.Assembled(rm.TimeSeries(rm.OLS()), parts[0], rm.Linked(parts[1], 0.4)),
        "thresholded": rm.Assembled(rm.TimeSeries(rm.OLS()), parts[0], rm.Thresholded(parts[1], 0.5)),
    }


def load(path: Path, start: str | None = None, end: str | None = None) -> rm.ReturnPanel:
    """Daily returns of a file; a rate of zero, as all methods see the same returns."""
    returns = read(path, start, end)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rm.RiskModelWarning)  # the file is what it is, for all methods
        data = rm.InMemory(returns, factors=None, risk_free=0.0, horizon=rm.DAY)
        return data.panel(data.assets, [])


def read(path: Path, start: str | None = None, end: str | None = None) -> pd.DataFrame:
    """Daily returns of a file, decimals, dates × assets."""
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    dates = next((c for c in table if str(c).casefold() == "date"), None)
    table = table.set_index(
        table.columns[0] if dates is None and not isinstance(table.index, pd.DatetimeIndex) else dates
    )
    as_numbers = pd.api.types.is_integer_dtype(table.index)
    table.index = (
        pd.to_datetime(table.index.astype(str), format="%Y%m%d") if as_numbers else pd.DatetimeIndex(table.index)
    )
    returns = table.astype("float64").sort_index().loc[start:end]
    usual = float(np.nanmedian(np.abs(returns.to_numpy())))
    returns = returns / (1e6 if usual > 100.0 else 100.0 if usual > 0.1 else 1.0)
    return returns.where(returns > -1.0)


def ours() -> dict[str, object]:
    """Models of this library."""
    plain = rm.Assembled(rm.PrincipalComponents(10, scaling=rm.Unscaled()), rm.SampleCovariance(), rm.SampleVariance())
    return {"recommended": rm.recommended(), "PCA 10": plain}


def peers() -> dict[str, object]:
    """What others publish, as far as it is installed."""
    found: dict[str, object] = {
        "sample": covariances.sample,
        "QIS": covariances.qis,
        "POET": covariances.poet,
        "CM-IEWMA": covariances.cm_iewma,
        "DCC": covariances.dcc,
        "DCC-NL": covariances.dcc_nl,
    }
    if installed("sklearn"):
        from sklearn.covariance import OAS, LedoitWolf

        found |= {"Ledoit-Wolf": LedoitWolf(), "OAS": OAS()}
    if installed("skfolio"):
        from skfolio.moments import EWCovariance, RegimeAdjustedEWCovariance

        found |= {
            "skfolio EW": EWCovariance(),
            "skfolio regime": RegimeAdjustedEWCovariance(),
            "skfolio time series": covariances.regime_time_series,
        }
    if installed("pypfopt"):
        found["constant correlation"] = covariances.constant_correlation
    return found


FAMILIES = ("long", "long-short", "minimum variance")


def show(study: rm.Study) -> None:
    """Print the table of the study's figures."""
    print(study)
    table = study.summary()
    print(
        "\n| method | bias long / ls / gmv | QLIKE long / ls / gmv | gmv vol | turnover | 5 % breaches | distance | s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    seconds = study.by_method()
    for name in study.methods:
        rows = table.xs(name, level="method").reindex(list(FAMILIES))
        gmv = rows.loc["minimum variance"]
        print(
            f"| {name} | {_listed(rows['bias'], 2)} | {_listed(rows['qlike'], 3)} | {gmv['volatility']:.4f} | "
            f"{gmv['turnover']:.2f} | {_listed(100 * rows['breaches'], 1)} | {seconds.loc[name, 'distance']:.2f} | "
            f"{seconds.loc[name, 'seconds']:.2f} |"
        )
    if len(study.methods) > 1 and len(study.dates) >= 8:
        print("\nDifferences of QLIKE from the best of each family, with Diebold-Mariano p values:")
        print(study.comparisons().loc[list(FAMILIES)].round(4).to_string())
        if installed("arch"):
            print("\nModel confidence set, p values:")
            print(study.confidence_set()[list(FAMILIES)].round(3).to_string())


def _listed(values: pd.Series, digits: int) -> str:
    return " / ".join("-" if np.isnan(v) else f"{v:.{digits}f}" for v in values)


if __name__ == "__main__":
    main()
