"""``riskmodel fit``: the model alone."""

from __future__ import annotations

import argparse
import contextlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core.atomic import write_atomically
from riskmodel._core.paths import read_path
from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles, require_other_file
from riskmodel.cli.model import ModelOptions, left_out_of
from riskmodel.cli.output import print_json, table_json
from riskmodel.cli.parser import Parser, add_data, add_files, add_portfolio
from riskmodel.cli.terminal import section, table_text
from riskmodel.errors import InvalidParameterError, NotEstimatedError
from riskmodel.horizon import YEAR
from riskmodel.inference.covariance.base import LongRunCovariance
from riskmodel.inference.covariance.classical import Classical
from riskmodel.inference.inference import Inference
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel
from riskmodel.report.alerts import of_few_dates

_DESCRIPTION = """\
Estimate the factor model of assets, and print what it says of each: alpha and
idio volatility in percent a year, loadings, R-squared, the number of returns
(where dates decay, of equal weights that would know as much), and standard errors
where the estimator has them.
"""

_EXAMPLES = """\
examples:
  riskmodel fit
      All assets of the sample, on the market.
  riskmodel fit KO PEP --half-life quarter
      Two of them, with exponential weights of dates.
  riskmodel fit --returns all.parquet --french --window 504 --output betas.csv
      All assets of a file with returns enough; a table with all digits.
  riskmodel fit --estimator mine:estimator --returns all.csv --factor-returns f.csv
      With an estimator of your own: the object `estimator` in mine.py.

The table of --output has decimals per row of the data, one line per asset.
Files are read as riskmodel report reads them: riskmodel report --help explains.
"""


def parser() -> Parser:
    """Return the parser of the command."""
    fit = Parser.of("fit", "[ASSET ...] [options]", _DESCRIPTION, _EXAMPLES)
    add_portfolio(fit)
    add_data(fit)
    fit.add_argument(
        "--errors",
        metavar="|".join(read.ERRORS),
        type=read.errors,
        default=Classical(),
        help="how standard errors are estimated (default: classical)",
    )
    fit.add_argument("--output", metavar="FILE", help="a CSV file to write the table to, with all digits")
    fit.add_argument("--json", action="store_true", help="print the table as JSON, with all digits")
    add_estimator(fit)
    add_files(fit)
    return fit


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    with notices.shown(arguments.strict, arguments.allow or ()):
        files = InputFiles.given(arguments)
        output = _output(arguments, files)
        options = ModelOptions.read(arguments, files)
        _require_no_weights(arguments, options)
        panel = options.panel(options.weights or options.data.assets)
        model = options.fit(panel)
        table = estimates(model, panel, arguments.errors)
    left_out = left_out_of(model)
    if left_out:
        notices.tell(left_out)
    notices.tell_all((*of_few_dates(len(panel.dates)), *options.unused))
    if options.weights:
        table = table.loc[[asset for asset in options.weights if asset in table.index]]
    if output is not None:
        write_atomically(output, table.to_csv().encode())
    if arguments.json:
        print_json({"horizon": str(model.horizon), "dates": [str(d.date()) for d in panel.dates[[0, -1]]],
                    "assets": table_json(table)})  # fmt: skip
    else:
        print(_text(model, panel.dates, table, arguments.errors))
    if output is not None:
        notices.tell(f"wrote {output}")


def _require_no_weights(arguments: argparse.Namespace, options: ModelOptions) -> None:
    weighted = [asset for asset, weight in options.weights.items() if weight is not None]
    if arguments.positions is None and weighted:
        raise InvalidParameterError(
            f"expected assets without weights, as estimates do not depend on them, got one of {weighted[0]}; leave "
            "it out, or use riskmodel report.",
            assets=weighted,
        )


def _output(arguments: argparse.Namespace, files: InputFiles | None) -> Path | None:
    if arguments.output is None:
        return None
    path = read_path(arguments.output, "--output")
    require_other_file(path, files)
    return path


def estimates(model: FactorModel, panel: ReturnPanel, covariance: LongRunCovariance) -> pd.DataFrame:
    """Return what a model says of each asset, decimals per the model's horizon: assets × columns.

    Columns are ``n_observations`` and ``rsquared`` where there is a regression, ``alpha``, the factors,
    ``idio_volatility``, then ``std_error alpha`` and one for each factor. What is not known of an asset that others
    stand in for is NaN.
    """
    fit, proxied = model.regression, model.assets.isin(list(model.proxies))
    columns: dict[str, Any] = {} if fit is None else {"n_observations": fit.n_observations, "rsquared": fit.rsquared}
    columns |= {"alpha": model.alpha.mask(proxied), **{str(f): model.loadings[f] for f in model.factors}}
    columns["idio_volatility"] = np.sqrt(model.idio_variance)
    with contextlib.suppress(NotEstimatedError):  # of an estimator that has no errors, as the text says
        errors = Inference.of(model, panel.select(list(model.assets)), covariance).std_errors()
        columns |= {f"std_error {name}": errors[name] for name in errors}
    return pd.DataFrame(columns, index=model.assets).rename_axis("asset")


def _text(model: FactorModel, dates: pd.DatetimeIndex, table: pd.DataFrame, covariance: LongRunCovariance) -> str:
    per_year = model.horizon.in_units_of(YEAR)
    shown = table.loc[:, [c for c in table if not str(c).startswith("std_error")]].copy()
    shown["alpha"] = 100.0 * shown["alpha"] / per_year
    shown["idio_volatility"] = 100.0 * shown["idio_volatility"] / np.sqrt(per_year)
    for factor in model.factors:
        errors = table.get(f"std_error {factor}")
        texts = [f"{b:.3f}" for b in table[str(factor)]]
        if errors is not None:
            known = [f" ±{error:.3f}" if math.isfinite(error) else "" for error in errors]
            texts = [text + error for text, error in zip(texts, known, strict=True)]
        shown[str(factor)] = pd.Series(texts, table.index)
    shown = shown.rename(columns={"n_observations": "returns", "rsquared": "R²", "alpha": "alpha, %/year",
                                  "idio_volatility": "idio vol, %/year"})  # fmt: skip
    count = "1 ASSET" if len(table) == 1 else f"{len(table)} ASSETS"
    head = f"{count}, {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}, rows of a {model.horizon}"
    said = (
        f"± is one standard error (--errors {type(covariance).__name__.lower()})."
        if model.regression is not None
        else "This estimator has no errors."
    )
    return section(head, table_text(shown, 3), said)
