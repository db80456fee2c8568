"""Tables of a study as strings, for the terminal and the page alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from riskmodel.errors import MissingExtraError, NotEstimatedError, TooFewObservationsError
from riskmodel.evaluation.study import Study
from riskmodel.report.document import Row, Table, Width
from riskmodel.report.formats import NONE, fixed, pvalue

LEVEL = 0.05
_FACTORS = "factors"


def all_of(study: Study) -> list[Table]:
    """Every table of a study."""
    summary = study.summary(LEVEL)
    families = list(dict.fromkeys(summary.index.get_level_values("family")))
    return [
        methods(study),
        *(family(study, summary, name) for name in families),
        *ranges(study),
        *comparisons(study),
        regimes(study),
    ]


def methods(study: Study) -> Table:
    """Figures that need no portfolios."""
    table = study.by_method()
    rows = [
        (name, *(fixed(row[c], d) for c, d in (("dates", 0), ("failures", 0), ("distance", 2), ("seconds", 3))))
        for name, row in table.iterrows()
    ]
    return Table(
        "Methods",
        ("Method", "Dates", "Failed", "Distance", "Seconds"),
        _rows(rows),
        width=Width.WIDE,
        note="Distance is the mean of r' Σ⁻¹ r / N: 1 for a right forecast, more where the risk of some portfolio is "
        "underestimated. Seconds are per forecast.",
    )


def family(study: Study, summary: pd.DataFrame, name: str) -> Table:
    """Measures of each method on the portfolios of one family."""
    part = summary.xs(name, level="family")
    turned = part["turnover"].notna().any()
    n = int(part["dates"].max())
    columns = {
        "bias": ("Bias", 3), "mrad": ("MRAD", 3), "qlike": ("QLIKE", 3), "volatility": ("Vol %/yr", 2),
        **({"turnover": ("Turnover", 2)} if turned else {}), "breaches": ("Beyond VaR %", 1),
    }  # fmt: skip
    shown = part.assign(volatility=100 * part["volatility"], breaches=100 * part["breaches"])
    rows = [
        (
            method,
            *(fixed(row[c], digits) for c, (_, digits) in columns.items()),
            *(_p(row[c]) for c in ("kupiec", "christoffersen")),
        )
        for method, row in shown.iterrows()
    ]
    low, high = part["low"].iloc[0], part["high"].iloc[0]
    return Table(
        f"Portfolios: {name}",
        ("Method", *(header for header, _ in columns.values()), "Kupiec p", "Christ. p"),
        _rows(rows),
        width=Width.WIDE,
        note=f"{n} dates. Right forecasts of one portfolio have a bias from {low:.2f} to {high:.2f} in 95 of 100 "
        "studies." + (" Turnover is half the change of weights from date to date." if turned else ""),
    )


def ranges(study: Study) -> Iterator[Table]:
    """How often realised volatility was in its range, where dates are enough."""
    try:
        table = study.coverage()
    except NotEstimatedError:
        return
    rows = [
        (
            str(name), method, f"{level:.0%}", fixed(row["dates"], 0), fixed(100 * row["coverage"], 1),
            fixed(100 * row["std_error"], 1), fixed(row["low"], 2), fixed(row["high"], 2),
        )
        for (name, method, level), row in zip(table.index.tolist(), table.to_dict("records"), strict=True)
    ]  # fmt: skip
    rows = [("" if i and rows[i - 1][0] == row[0] else row[0], *row[1:]) for i, row in enumerate(rows)]
    yield Table(
        "Ranges of realised volatility",
        ("Portfolios", "Method", "Range", "Dates", "Covered %", "s.e.", "Low", "High"),
        _rows(rows),
        words=(0, 1),
        width=Width.WIDE,
        note="Covered is the share of dates on which the realised volatility was in the range, which was made from the "
        "dates before alone. Low and high, times the forecast volatility, are the range of the next period.",
    )


def comparisons(study: Study) -> Iterator[Table]:
    """Differences from the best method of each family, where dates are enough."""
    if len(study.methods) < 2:
        return
    try:
        table = study.comparisons()
    except TooFewObservationsError:
        return
    inside = _confidence_set(study)
    rows = [
        (
            str(name), method, row["against"], fixed(row["difference"], 4), fixed(row["low"], 4), fixed(row["high"], 4),
            pvalue(row["pvalue"]), *([] if inside is None else [_p(float(inside[name][method]))]),
        )
        for (name, method), row in zip(table.index.tolist(), table.to_dict("records"), strict=True)
    ]  # fmt: skip
    rows = [("" if i and rows[i - 1][0] == row[0] else row[0], *row[1:]) for i, row in enumerate(rows)]
    header = ("Portfolios", "Method", "less that of", "QLIKE diff.", "low", "high", "DM p")
    yield Table(
        "Differences from the best",
        header if inside is None else (*header, "MCS p"),
        _rows(rows),
        words=(0, 1, 2),
        width=Width.WIDE,
        note="Mean QLIKE less that of the best, its 95% interval, and the p value of the test of Diebold and Mariano "
        "that both are equally good."
        + ("" if inside is None else " A method with an MCS p below 0.10 is not in the model confidence set of 90%."),
    )


def regimes(study: Study) -> Table:
    """Bias in calm, middle and wild markets."""
    found = study.by_regime()["bias"].reset_index("regime")
    wide = found.set_index("regime", append=True)["bias"]
    rows: list[tuple[str, ...]] = []
    for name in study.families:
        for method in study.methods:
            if name != _FACTORS and (name, method) in found.index:
                values = [wide.loc[name, method, r] for r in ("calm", "middle", "wild")]
                rows.append((name if not rows or name not in {r[0] for r in rows} else "", method, *_fixed(values)))
    return Table(
        "Bias by regime",
        ("Portfolios", "Method", "Calm", "Middle", "Wild"),
        _rows(rows),
        words=(0, 1),
        width=Width.WIDE,
        note="Thirds of the dates by the realised volatility of equal weights after each: they are known afterwards "
        "only, so no forecast has a bias of 1 in all of them.",
    )


def _confidence_set(study: Study) -> pd.DataFrame | None:
    """P values by method and family; None without arch."""
    try:
        return study.confidence_set()
    except MissingExtraError:
        return None


def _fixed(values: list[float]) -> list[str]:
    return [fixed(v, 2) for v in values]


def _p(value: float) -> str:
    return pvalue(value) if math.isfinite(value) else NONE


def _rows(rows: Iterable[tuple[Any, ...]]) -> tuple[Row, ...]:
    return tuple(tuple(map(str, row)) for row in rows)
