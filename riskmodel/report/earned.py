"""What a portfolio earned lately, by source."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, final

import pandas as pd
from attrs import frozen

from riskmodel.analysis.attribution import ReturnAttribution
from riskmodel.errors import (
    DataError,
    EstimationError,
    InvalidParameterError,
    LeftOutNamesWarning,
    MissingDatesWarning,
    NotEstimatedError,
)
from riskmodel.horizon import MONTH, YEAR, Horizon
from riskmodel.inference.inference import Inference
from riskmodel.inference.windows import rebuilt
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio

# Linked over time, all that is held may lose all; what is held may have no return, or no error.
_LACKING = (InvalidParameterError, EstimationError, NotEstimatedError, DataError)
_SPANS: tuple[Horizon, ...] = (MONTH, YEAR)
_COLUMNS = ["part", "exposure", "return", "std_error", "low", "high"]


@final
@frozen(eq=False)
class Earned:
    """Attributions of the last month and the last year, at today's weights; of all dates where they are fewer.

    Attributes
    ----------
    portfolio : Portfolio
        What is held.
    panel : ReturnPanel
        Its returns.
    inference : Inference or None
        Of the model of what is held; None where its errors are not known.
    level : float
        Of intervals.
    """

    portfolio: Portfolio
    panel: ReturnPanel
    inference: Inference | None
    level: float

    @cached_property
    def table(self) -> pd.DataFrame:
        """By span: ``part``, ``exposure``, ``return`` with its error and interval, and the dates that count."""
        parts = [
            self._of(attribution).assign(span=span, **self._dates(attribution))
            for span, attribution in self._attributions.items()
            if not isinstance(attribution, str)
        ]
        columns = ["span", *_COLUMNS, "start", "end", "dates"]
        return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)

    @property
    def lacking(self) -> Iterator[str]:
        """Why an attribution is not known, and what those that are known leave out."""
        for span, found in self._attributions.items():
            if isinstance(found, str):
                yield f"What was earned over the last {span} is not known: {found}"
            elif len(found.missing):
                yield (
                    f"What was earned over the last {span} is of {len(found.dates):,} dates, on which all that is held "
                    "has a return."
                )

    @cached_property
    def _attributions(self) -> Mapping[str, ReturnAttribution | str]:
        dates = self.panel.dates
        found: dict[str, ReturnAttribution | str] = {}
        held = self.portfolio if self.inference is None else rebuilt(self.portfolio, self.inference.model)
        for span in _SPANS:
            rows = round(span.in_units_of(self.panel.horizon))
            if rows < 1 or (rows > len(dates) and found):
                continue
            name = str(span) if rows <= len(dates) else f"{len(dates):,} dates"
            with warnings.catch_warnings():
                # `lacking` says it
                warnings.simplefilter("ignore", MissingDatesWarning)
                warnings.simplefilter("ignore", LeftOutNamesWarning)
                try:
                    found[name] = ReturnAttribution.of(held, self.panel, start=dates[-min(rows, len(dates))])
                except _LACKING as error:
                    found[name] = str(error)
        return found

    def _of(self, attribution: ReturnAttribution) -> pd.DataFrame:
        table = attribution.to_frame()[["exposure", "return"]]
        if self.inference is not None:
            with contextlib.suppress(NotEstimatedError):  # for classical errors, as intervals of other figures say
                errors = attribution.std_errors(self.inference, self.level)
                table = table.join(errors[["std_error", "low", "high"]])
        return table.rename_axis("part").reset_index().reindex(columns=_COLUMNS)

    def _dates(self, attribution: ReturnAttribution) -> dict[str, Any]:
        dates = attribution.dates
        return {"start": str(dates[0].date()), "end": str(dates[-1].date()), "dates": len(dates)}
