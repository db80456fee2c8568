"""What commands print and write."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskmodel._core.atomic import write_atomically
from riskmodel.cli.files import STDOUT
from riskmodel.cli.notices import tell
from riskmodel.cli.terminal import width
from riskmodel.errors import MissingExtraError

if TYPE_CHECKING:
    from riskmodel.report.report import RiskReport
    from riskmodel.report.study.report import StudyReport


# How to see what a short report leaves out.
_HINT = "--full prints them, and the page has them."


class Detail(Enum):
    """How much of a report a terminal shows."""

    BRIEF = "brief"
    FULL = "full"


def show(report: RiskReport | StudyReport, output: Path | None, as_json: bool, detail: Detail | None = None) -> None:
    """Write what the ending of `output` says, and print the tables or the JSON; with `STDOUT`, print the page alone."""
    if output == STDOUT:
        print_json(report.to_dict()) if as_json else print(_page(report))
        return
    # write the page first: a closed stdout pipe must not prevent it
    wrote = write_output(report, output)
    if as_json:
        print_json(report.to_dict())
        if wrote:
            tell(wrote)
    else:
        print(_text(report, detail or Detail.FULL))
        if wrote:
            print(wrote)


def _text(report: RiskReport | StudyReport, detail: Detail) -> str:
    from riskmodel.report import text  # noqa: PLC0415 - not needed for a page
    from riskmodel.report.report import RiskReport  # noqa: PLC0415

    if isinstance(report, RiskReport):
        every = max(text.MOST_ASSETS, len(report.strategy.weights))
        document = report.document(text.MOST_ASSETS if detail is Detail.BRIEF else every)
    else:
        document = report.document()
    shown = text.brief(document, _HINT) if detail is Detail.BRIEF else document
    return text.render(shown, width())


def table_json(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return a table by row and column, with None for what is not known or not finite."""
    finite = table.astype(float).replace([np.inf, -np.inf], np.nan)
    rows = finite.astype(object).where(finite.notna(), None)
    return {
        str(name): dict(zip(map(str, rows), row, strict=True))
        for name, row in zip(rows.index, rows.to_numpy(), strict=True)
    }


def print_json(content: object) -> None:
    """Print JSON, in which no number is NaN or infinite."""
    print(json.dumps(content, indent=2, allow_nan=False))


def write_output(report: RiskReport | StudyReport, path: Path | None) -> str:
    """Write the file and return a message; do nothing without a path."""
    if path is None:
        return ""
    # the last file stays where this one cannot be written whole
    write_atomically(path, _content(report, path.suffix.lower()))
    return f"wrote {path}"


def _content(report: RiskReport | StudyReport, ending: str) -> bytes:
    if ending == ".json":
        return json.dumps(report.to_dict(), indent=2, allow_nan=False).encode()
    if ending in {".csv", ".xlsx"}:
        from riskmodel.report.report import RiskReport  # noqa: PLC0415 - not needed for a page
        from riskmodel.report.workbook import content  # noqa: PLC0415

        assert isinstance(report, RiskReport)
        return report.to_csv().encode() if ending == ".csv" else content(report.tables())
    return _page(report).encode()


def _page(report: RiskReport | StudyReport) -> str:
    try:
        return report.to_html()
    except MissingExtraError as error:
        raise MissingExtraError(f"{error} Or give --no-html for the tables alone.") from error
