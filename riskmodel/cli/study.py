"""``riskmodel study``: compare risk models out of sample, on the sample or on a file of returns."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

import pandas as pd
from attrs import frozen

from riskmodel._core.paths import read_path
from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.estimators import imported
from riskmodel.cli.files import InputFiles, assets_alone, page_path, with_hint
from riskmodel.cli.groups import add_groups, read_groups
from riskmodel.cli.output import show
from riskmodel.cli.parser import Parser, add_data, add_files
from riskmodel.data.joined import Joined
from riskmodel.data.memory import InMemory
from riskmodel.data.sample import SampleData
from riskmodel.errors import DataError, InvalidParameterError
from riskmodel.estimation.assembled import Assembled
from riskmodel.estimation.factor_covariance.sample import SampleCovariance
from riskmodel.estimation.idio_variance.sample import SampleVariance
from riskmodel.estimation.least_squares.ewma import EWMA
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.estimation.loadings.components import PrincipalComponents
from riskmodel.estimation.recommended import recommended
from riskmodel.evaluation.portfolios import GroupPortfolios, OwnWeights, PortfolioFamily
from riskmodel.evaluation.universe import EveryAsset, KnownAssets, RandomDraw, SteadyDraw
from riskmodel.evaluation.walk_forward import WalkForward, default_portfolios
from riskmodel.horizon import DAY, MONTH, NAMED, YEAR, Horizon
from riskmodel.panel.memory import ReturnPanel
from riskmodel.panel.unmatched import Unmatched

if TYPE_CHECKING:
    from riskmodel.report.study.report import StudyReport

_DESCRIPTION = """\
Compare risk models out of sample. On each date, every model forecasts the
covariance of returns from a window, and the forecast is held against the
returns after it: on random, equal-weighted and minimum-variance portfolios, and
on those of your own. Tables go to the terminal; a page with the same tables and
pictures goes to study.html.
"""

_EXAMPLES = """\
examples:
  riskmodel study
      The daily sample: twenty US stocks, windows of 504 days, 21 days ahead.
  riskmodel study returns.csv --draw 150
      Your own returns; at most 150 assets, drawn anew on each date.
  riskmodel study returns.csv --factor-returns factors.csv --models ols ewma sample
      Factors of your own, in the models that use them.
  riskmodel study returns.parquet --folder study --processes 4 --csv tables
      Over four processes; a study that is stopped goes on where it stopped.
  riskmodel study returns.csv --models pca mine:covariance
      Against a function of your own, in mine.py: from a frame of returns to a
      covariance matrix; or an object with fit and covariance_.
  riskmodel study returns.csv --weights book.csv --groups sectors.csv
      Also on a portfolio and on groups of your own: two columns, the asset, and
      its weight or group.

models:
  recommended   what rm.recommended() makes; for rows of a day or less
  sample   the sample covariance, which has no structure
  pca      ten statistical factors (fewer with fewer assets)
  ols      the factors of --factor-returns, equal weights of dates
  ewma     the same, with a half-life of a year
  MODULE:NAME   an estimator, a function or an object with fit, from Python

Files are read as riskmodel report reads them: riskmodel report --help explains.
Without --factor-returns, the risk-free rate is --risk-free, or zero.
"""


def sample(returns: pd.DataFrame) -> pd.DataFrame:
    """The sample covariance."""
    return returns.cov()


def _components(panel: ReturnPanel) -> Assembled:
    n = max(1, min(10, len(panel.assets) // 3))
    return Assembled(PrincipalComponents(n), SampleCovariance(), SampleVariance())


# Models by name: each is made for a panel.
_MODELS: dict[str, Callable[[ReturnPanel], Any]] = {
    "recommended": lambda panel: recommended(panel.horizon),
    "sample": lambda _: sample,
    "pca": _components,
    "ols": lambda _: OLS(),
    "ewma": lambda _: EWMA(YEAR),
}
_OF_FACTORS = ("ols", "ewma")


def parser() -> Parser:
    """Return the parser of the command."""
    study = Parser.of("study", "[RETURNS] [options]", _DESCRIPTION, _EXAMPLES)
    add = study.add_argument
    add("file", nargs="?", metavar="RETURNS", help="a file of returns or prices, as --returns (default: the sample)")
    add("--models", nargs="+", metavar="MODEL", help="what is compared; see models, below (default: all that can be)")
    add("--window", metavar="ROWS", type=read.count, default=504, help="rows in a window (default: 504)")
    add("--every", metavar="ROWS", type=read.count, help="rows between dates (default: as --ahead)")
    add("--ahead", metavar="ROWS", type=read.count, default=21, help="rows ahead of a forecast (default: 21)")
    add("--draw", metavar="N", type=read.count, help="at most so many assets, drawn anew on each date (default: all)")
    add("--steady", action="store_true", help="draw the same assets on each date, as far as they are there")
    add("--seed", metavar="N", type=read.count, default=1, help="of the draw (default: 1)")
    add("--share", metavar="SHARE", type=read.share, default=0.98, help="of known returns in a window (default: 0.98)")
    add("--weights", metavar="FILE", help="a portfolio of your own: a CSV file with assets and weights")
    add_groups(study)
    add_data(study)
    add("--folder", metavar="DIR", help="where each date is kept, so that a study that stopped goes on there")
    add("--processes", metavar="N", type=read.count, default=1, help="over which dates are spread (default: 1)")
    add("--output", metavar="FILE", help="where to write the page (default: study.html; with --json, nowhere)")
    add("--no-html", action="store_true", help="write no page")
    add("--csv", metavar="DIR", help="a folder in which to write the tables as CSV files")
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_files(study)
    return study


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    with notices.shown(arguments.strict, arguments.allow or ()) as said:
        options = StudyOptions.read(arguments)
        report = study_report(options, said)
    show(report, options.output, options.json)


@final
@frozen
class StudyOptions:
    """The checked options of a study."""

    panel: ReturnPanel
    walk: WalkForward
    source: str
    folder: Path | None
    processes: int
    output: Path | None
    csv: Path | None
    json: bool

    @classmethod
    def read(cls, args: argparse.Namespace) -> Self:
        """Check the arguments and read the files."""
        if args.file is not None and args.returns is not None:
            raise InvalidParameterError("expected one file of returns, got RETURNS and --returns; give one of them.")
        args.returns = args.returns if args.file is None else args.file
        if args.returns is not None and args.sample:
            raise InvalidParameterError("expected --sample or a file of returns, got both; give one of them.")
        files, data = _data(args)
        panel = _panel(args, files, data)
        output = page_path(args, files, "study.html")
        return cls(
            panel=panel,
            walk=_walk(args, panel),
            source="the embedded sample" if args.returns is None else str(files or args.returns),
            folder=None if args.folder is None else read_path(args.folder, "--folder"),
            processes=args.processes,
            output=output,
            csv=None if args.csv is None else read_path(args.csv, "--csv"),
            json=args.json,
        )


def study_report(options: StudyOptions, said: Sequence[str] = ()) -> StudyReport:
    """Run the study, write its tables where asked, and report on it."""
    from riskmodel.report.study.report import StudyReport  # noqa: PLC0415 - not needed to explain the command

    with _executor(options.processes) as executor:
        study = options.walk.run(options.panel, folder=options.folder, executor=executor)
    if options.csv is not None:
        options.csv.mkdir(parents=True, exist_ok=True)
        for name, frame in study.frames().items():
            frame.to_csv(options.csv / f"{name}.csv")
    return StudyReport.of(study, source=options.source, caveats=tuple(said))


def _executor(processes: int) -> contextlib.AbstractContextManager[Executor | None]:
    return contextlib.nullcontext() if processes == 1 else ProcessPoolExecutor(processes)


def _data(args: argparse.Namespace) -> tuple[InputFiles | None, SampleData | InMemory | Joined]:
    """The provider of the returns, and the files behind it where there are factors too."""
    if args.returns is not None and args.factor_returns is None and args.french is None:
        if args.factors is not None:
            raise InvalidParameterError("expected --factors with a file of factors, got none; give --factor-returns.")
        return None, assets_alone(args)
    files = InputFiles.given(args)
    return files, SampleData(NAMED[args.sample or "day"]) if files is None else files.read(args)


def _panel(args: argparse.Namespace, files: InputFiles | None, data: SampleData | InMemory | Joined) -> ReturnPanel:
    start, end = read.window(args)
    factors = read.names(args.factors, data.factors) or list(data.factors)
    try:
        return data.panel(data.assets, factors, start, end, unmatched=Unmatched(args.unmatched or "drop"))
    except DataError as error:
        raise with_hint(error, str(files or args.returns or "the embedded sample")) from error


def _walk(args: argparse.Namespace, panel: ReturnPanel) -> WalkForward:
    row = panel.horizon.days
    draw = EveryAsset() if args.draw is None else (SteadyDraw if args.steady else RandomDraw)(args.draw, args.seed)
    return WalkForward(
        _models(args.models, panel),
        window=Horizon(args.window * row),
        horizon=MONTH if args.ahead * row == MONTH.days else Horizon(args.ahead * row),
        every=args.every,
        portfolios=_portfolios(args),
        assets=KnownAssets(args.share, draw),
    )


def _models(names: Sequence[str] | None, panel: ReturnPanel) -> dict[str, Any]:
    has_factors = len(panel.factors) > 0
    fits = {**dict.fromkeys(_MODELS, True), **dict.fromkeys(_OF_FACTORS, has_factors), "recommended": _is_daily(panel)}
    chosen = names or [name for name, fit in fits.items() if fit]
    lacking = [name for name in chosen if name in _OF_FACTORS and not has_factors]
    if lacking:
        raise InvalidParameterError(
            f"expected factors for the model {lacking[0]}, got none; give --factor-returns or --french."
        )
    return {
        name: _MODELS[name](panel) if name in _MODELS else imported(name, "a model", (*_MODELS,)) for name in chosen
    }


def _is_daily(panel: ReturnPanel) -> bool:
    return panel.horizon.days <= DAY.days


def _portfolios(args: argparse.Namespace) -> Mapping[str, PortfolioFamily]:
    found = dict(default_portfolios())
    if args.weights is not None:
        found["own"] = OwnWeights(read_groups("--weights", args.weights).astype(float))
    if args.groups is not None:
        found["groups"] = GroupPortfolios(read_groups("--groups", args.groups))
    return found
