"""What the commands do: fit and report, write the page, list a source."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, final

import pandas as pd
from attrs import frozen

from riskmodel._core.atomic import write_atomically
from riskmodel.cli.files import InputFiles, page_path, with_hint
from riskmodel.cli.french import FrenchFactors
from riskmodel.cli.options import HORIZONS, end_of_window, names, require_factors, weights
from riskmodel.data.french.provider import FamaFrench
from riskmodel.data.joined import Joined
from riskmodel.data.memory import InMemory
from riskmodel.data.sample import SampleData
from riskmodel.errors import (
    DataError,
    InvalidParameterError,
    MissingExtraError,
    TooFewObservationsError,
)
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.horizon import DAY, MONTH, NAMED
from riskmodel.inference.covariance.base import LongRunCovariance
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel
from riskmodel.panel.unmatched import Unmatched
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.strategy import Strategy

if TYPE_CHECKING:
    from riskmodel.report.report import RiskReport
    from riskmodel.report.study.report import StudyReport

_DEFAULT_WEIGHTS = {
    DAY: {"MSFT": 0.5, "JPM": 0.3, "XOM": 0.2},
    MONTH: {"BusEq": 0.5, "Money": 0.3, "Enrgy": 0.2},
}
_SAMPLE = {
    DAY: "the embedded sample: 20 US stocks and the S&P 500, daily, 2000 to 2018",
    MONTH: "the embedded sample: 30 US industry and style portfolios, monthly, 1949 to 2017",
}
_SAMPLE_CAVEATS = {
    DAY: (
        "The sample is for learning: its twenty stocks are survivors chosen in hindsight, so their alphas are no "
        "evidence of skill, and the index comes without dividends, which makes every alpha about beta times two "
        "percent a year too large.",
    ),
    MONTH: ("The sample's portfolios are for learning: they cannot be bought as they are, and cost nothing to trade.",),
}


@final
@frozen
class ReportOptions:
    """The checked options of a report."""

    weights: dict[str, float | None]
    data: SampleData | InMemory | Joined
    factors: list[str]
    source: str
    caveats: tuple[str, ...]
    start: pd.Timestamp | None
    end: pd.Timestamp | None
    min_observations: int | None
    budget: RiskBudget
    cap: float | None
    level: float
    errors: LongRunCovariance | None
    output: Path | None
    json: bool
    unmatched: Unmatched

    @classmethod
    def read(cls, args: argparse.Namespace) -> Self:
        """Check the arguments and read the files."""
        files = InputFiles.given(args)
        _require_fitting(args, files)
        output = page_path(args, files)
        data = SampleData(NAMED[args.sample or "day"]) if files is None else files.read(args)
        factors = names(args.factors, data.factors)
        if args.factors is not None and not factors:
            raise InvalidParameterError("expected --factors with at least one factor, got none; leave it out for all.")
        require_factors("--factors", factors, data.factors, data.assets)
        return cls(
            weights=weights(args.assets),
            data=data,
            factors=factors or _every(files, data.factors),
            source=_SAMPLE[data.horizon] if files is None else str(files),
            caveats=_SAMPLE_CAVEATS[data.horizon] if isinstance(data, SampleData) else (),
            start=end_of_window("--start", args.start, "start_time"),
            end=end_of_window("--end", args.end, "end_time"),
            min_observations=args.min_observations,
            budget=RiskBudget(args.budget, HORIZONS[args.horizon]),
            cap=args.cap,
            level=args.level,
            errors=args.errors,
            output=output,
            json=args.json,
            unmatched=Unmatched(args.unmatched or "drop"),
        )


def _every(files: InputFiles | None, factors: list[str]) -> list[str]:
    """Return the factors of a model for which none are named."""
    french = files is not None and isinstance(files.factors, FrenchFactors)
    return FrenchFactors.chosen(factors) if french else factors


def _require_fitting(args: argparse.Namespace, files: InputFiles | None) -> None:
    """Raise for options that exclude each other."""
    if files is not None and args.sample:
        raise InvalidParameterError("expected --sample or --returns, got both; give one of them.")
    if args.no_html and args.output is not None:
        raise InvalidParameterError("expected --output or --no-html, got both; give one of them.")


def risk_report(options: ReportOptions, said: Sequence[str] = ()) -> tuple[RiskReport, str]:
    """Fit the model and make the report; also return a message about omitted assets.

    What was said of the data while they were read and aligned, in warnings, is among the report's notes.
    """
    from riskmodel.report.report import RiskReport  # noqa: PLC0415 - not needed to explain the command

    held = _complete(options)
    try:
        panel = options.data.panel(list(held), options.factors, options.start, options.end, unmatched=options.unmatched)
    except DataError as error:
        if isinstance(options.data, SampleData):
            raise
        raise with_hint(error, options.source) from error
    model = _fit(options, panel)
    left_out = _left_out(model)
    report = RiskReport.of(
        Strategy(_remaining(options, held, model), model),
        panel.select(list(model.assets)),
        options.budget,
        cap=options.cap,
        level=options.level,
        errors=options.errors,
        source=options.source,
        caveats=(*options.caveats, *said, *([left_out] if left_out else [])),
    )
    return report, left_out


def _fit(options: ReportOptions, panel: Panel) -> FactorModel:
    """Fit all assets; for a whole file, or with a minimum, only those that can be estimated."""
    whole_file = not options.weights and not isinstance(options.data, SampleData)
    if whole_file or options.min_observations is not None:
        return OLS().fit_available(panel, minimum=options.min_observations)
    return OLS().fit(panel)


def _left_out(model: FactorModel) -> str:
    """Return a message about assets without estimates, by reason; empty if there are none."""
    missing = model.missing
    reasons = [
        f"{reason}: " + ", ".join(f"{a} ({n:g})" for a, n in zip(rows["asset"], rows["observations"], strict=True))
        for reason, rows in missing.groupby("reason", sort=False)
    ]
    return f"Left out {len(missing)} asset(s), with their observations. " + "; ".join(reasons) + "." if reasons else ""


def _remaining(options: ReportOptions, held: dict[str, float], model: FactorModel) -> dict[str, float]:
    """Return the weights of assets with estimates; equal ones if no weights were given."""
    gone = [asset for asset in model.missing["asset"] if asset in options.weights and held[asset] != 0]
    if gone:
        counts = dict(zip(model.missing["asset"], model.missing["observations"], strict=True))
        raise TooFewObservationsError(
            "expected every asset of the portfolio to have estimates, got "
            + ", ".join(f"{asset} with {counts[asset]:g} observations" for asset in gone)
            + f"; {_left_out(model)} Take them out of the portfolio, or lower --min-observations.",
            assets=gone,
        )
    if options.weights or not len(model.missing):
        return {asset: w for asset, w in held.items() if asset in model.assets}
    return dict.fromkeys(model.assets, 1.0 / len(model.assets))


def _complete(options: ReportOptions) -> dict[str, float]:
    """Fill missing weights with equal ones that sum to 1."""
    if not options.weights and isinstance(options.data, SampleData):
        return _DEFAULT_WEIGHTS[options.data.horizon]
    weights = options.weights or dict.fromkeys(options.data.assets)
    return {asset: 1.0 / len(weights) if w is None else w for asset, w in weights.items()}


def write_page(report: RiskReport | StudyReport, path: Path | None) -> str:
    """Write the page and return a message; do nothing without a path."""
    if path is None:
        return ""
    try:
        page = report.to_html()
    except MissingExtraError as error:
        raise MissingExtraError(f"{error} Or give --no-html for the tables alone.") from error
    # the last page stays where this one cannot be written whole
    write_atomically(path, page.encode())
    return f"wrote {path}"


def print_catalogue() -> None:
    """Print the data sets of the French library, without fetching anything."""
    for kind, sets in FamaFrench.catalogue().groupby("kind", sort=False):
        print(f"{str(kind).upper()}\n")
        for name, row in sets.iterrows():
            horizons = " ".join(h for h in ("day", "week", "month") if row[h])
            said = f"{row['title']}: {row['series']}" if row["series"] else row["title"]
            print(f"{name:<50}  {horizons}\n{textwrap.indent(textwrap.fill(said, 75, break_on_hyphens=False), '    ')}")
        print()
