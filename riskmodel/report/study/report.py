"""A study as text, as a page and as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core.arguments import require
from riskmodel._core.listing import Listed
from riskmodel.errors import TooFewObservationsError
from riskmodel.evaluation.calibration import WINDOW
from riskmodel.evaluation.study import Study
from riskmodel.report import html, text
from riskmodel.report.document import Document, Picture, Width
from riskmodel.report.formats import NONE, listed
from riskmodel.report.records import records
from riskmodel.report.study import figures, tables

_DRAWN = ("long", "long-short", "minimum variance", "equal")


@final
@frozen(eq=False, repr=False)
class StudyReport(Listed):
    """The tables and pictures of a study, for a terminal, a page and programs. Made by `StudyReport.of`.

    Attributes
    ----------
    study : Study
        What is reported.
    source : str
        Where the returns are from, in words.
    caveats : tuple of str
        What a reader should know of the data.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> walk = rm.WalkForward({"OLS": rm.OLS(), "sample": lambda r: r.cov()}, window=rm.Horizon(5 * 252))
    >>> report = rm.StudyReport.of(walk.run(panel))
    >>> print(report.to_text().splitlines()[0])
    STUDY OF RISK MODELS
    """

    study: Study
    source: str = ""
    caveats: tuple[str, ...] = ()

    @classmethod
    def of(cls, study: Study, *, source: str = "", caveats: tuple[str, ...] = ()) -> Self:
        """Report on a study."""
        require(study, Study, "study", "rm.WalkForward(...).run(panel) makes one")
        return cls(study, source, caveats)

    def to_text(self) -> str:
        """Tables for a terminal."""
        return text.render(self.document())

    def to_html(self) -> str:
        """One page that holds tables, pictures and all it needs; it opens offline, in light and in dark.

        Raises
        ------
        MissingExtraError
            If Jinja2 is not installed.
        """
        return html.render(evolve(self.document(), pictures=self.pictures()))

    def to_dict(self) -> dict[str, Any]:
        """All tables as plain dicts, lists, strings, numbers and None: ready for JSON."""
        study = self.study
        return {
            "source": self.source,
            "start": str(study.dates[0].date()),
            "end": str(study.ends[-1].date()),
            "n_dates": len(study.dates),
            "window": study.rows_behind,
            "horizon": study.rows_ahead,
            "row": str(study.panel_horizon),
            "methods": list(study.methods),
            "portfolios": list(study.families),
            **{name: records(_flat(frame)) for name, frame in study.frames().items()},
            "notes": list(self.notes),
        }

    def pictures(self) -> tuple[Picture, ...]:
        """Figures with their captions, in the order of the page."""
        halves = [*self._of_bias(), *self._of_differences()]
        # the last has a row of its own where the others fill theirs
        return (*halves, self._of_breaches(Width.HALF if len(halves) % 2 else Width.WIDE))

    def document(self) -> Document:
        """The facts, tables and notes for a renderer."""
        span = f"{self.study.dates[0].date()} to {self.study.ends[-1].date()}"
        return Document("Study of risk models", span, self._facts, tuple(tables.all_of(self.study)), notes=self.notes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: how to read the figures, what was left out, and the caveats."""
        return (*self._reading(), *self._gaps(), *self.caveats)

    # -- parts -------------------------------------------------------------------------------------

    @property
    def _facts(self) -> tuple[tuple[str, str], ...]:
        study, used = self.study, self.study.universe["used"]
        per = study.panel_horizon
        return (
            ("Methods", listed(study.methods, 20)),
            ("Portfolios", listed(study.families, 10)),
            ("Data", self.source or NONE),
            ("Forecasts", f"{len(study.dates):,} dates, {study.dates[0].date()} to {study.dates[-1].date()}"),
            ("Window", f"{study.rows_behind:,} rows, per {per}"),
            ("Horizon", f"{study.rows_ahead:,} rows, per {per}"),
            ("Assets", f"{used.min():,} to {used.max():,} of {len(study.assets):,} on a date"),
        )

    def _reading(self) -> Iterator[str]:
        yield (
            "Each forecast is made from the returns of its window alone, and held against the returns after it, to the "
            "horizon. Portfolios are the same for all methods, except those that each method makes for itself."
        )
        yield (
            "Bias is the standard deviation of returns over forecast volatilities: above 1, risk is underestimated. "
            "QLIKE and its relatives rank forecasts as the true variance would; less is better. MRAD is the mean "
            f"distance of the bias over {WINDOW} dates from 1: errors that change sign do not cancel in it."
        )
        yield (
            "Value at risk is normal: its breaches test the variance and the shape of returns together. Kupiec's test "
            "is of their frequency, Christoffersen's of that and of independence; p values are medians over portfolios."
        )
        if self.study.overlap:
            yield (
                f"Periods of returns overlap: each reaches into {self.study.overlap} later dates. Tests allow for it, "
                "bands of the bias do not."
            )

    def _gaps(self) -> Iterator[str]:
        universe, failures = self.study.universe, self.study.failures
        yield (
            "An asset is used on a date if enough of its window and all of its returns to the horizon are known; that "
            "it is there at the end is known afterwards only."
        )
        filled = int(universe["filled"].sum())
        if filled:
            yield (
                f"Windows had {filled:,} missing returns in all; methods that are not of this library saw zeros in "
                "their place."
            )
        for (method, part), rows in failures.groupby(["method", "part"], sort=False):
            yield (
                f"{method} has no {part} on {len(rows):,} of {len(universe):,} dates; the first time: "
                f"{rows['reason'].iloc[0]}"
            )

    def _of_bias(self) -> Iterator[Picture]:
        lines = self.study.rolling_bias()
        for name in self._drawn:
            if np.isfinite(lines[name].to_numpy()).any():
                yield Picture(
                    f"Bias through time: {name}",
                    f"Standard deviation of returns over forecast volatilities over {WINDOW} dates up to each. The "
                    "band holds 95% of these for one portfolio and right forecasts.",
                    figures.bias_through_time(self.study, name),
                )

    def _of_differences(self) -> Iterator[Picture]:
        for name in self._drawn:
            try:
                table = self.study.comparisons()
            except TooFewObservationsError:
                return
            if name in table.index.get_level_values("family"):
                best = table.xs(name, level="family")["against"].iloc[0]
                yield Picture(
                    f"QLIKE above that of {best}: {name}",
                    f"Mean loss less that of {best}, the smallest, with 95% intervals; blue where the interval leaves "
                    "out zero.",
                    figures.loss_differences(self.study, name),
                )

    def _of_breaches(self, width: Width) -> Picture:
        return Picture(
            f"Losses beyond the {tables.LEVEL:.0%} value at risk",
            f"Share of rows. Right forecasts of normal returns have {tables.LEVEL:.0%}, the dotted line.",
            figures.breaches(self.study, tables.LEVEL),
            width,
        )

    @property
    def _drawn(self) -> list[str]:
        """The families with pictures: those that are there by default, or else the first four."""
        there = list(dict.fromkeys(self.study.losses().columns.get_level_values("family")))
        usual = [f for f in _DRAWN if f in there]
        return [*usual, *(f for f in there if f not in usual and f != "factors")][:4]


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with one level of columns, and dates as text."""
    flat = frame if frame.columns.nlevels == 1 else frame.set_axis([" | ".join(c) for c in frame.columns], axis=1)
    flat = flat.reset_index() if flat.index.names != [None] else flat
    dates = flat.select_dtypes("datetime").columns
    return flat.assign(**{c: flat[c].dt.strftime("%Y-%m-%d") for c in dates}).set_index(flat.columns[0])
