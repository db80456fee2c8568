"""An earlier report, and what changed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arguments import shown
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import NAMED, YEAR, Horizon
from riskmodel.report.formats import listed
from riskmodel.report.intervals import UNHEDGED
from riskmodel.report.measures import Measures

SCHEMA, VERSION = "riskmodel.report", 1
_MOST = 6
_CAPACITY = "capacity, $m"


@final
@frozen(eq=False)
class Previous:
    """What a report has in common with an earlier one, as `RiskReport.to_dict` gave it.

    Attributes
    ----------
    end : str
        The last date of the earlier one.
    changes : DataFrame
        By figure: ``then``, ``now`` and ``change``.
    holdings : str
        Which names are new or gone, in words, and whether both are of one date.
    """

    end: str
    changes: pd.DataFrame
    holdings: str

    @classmethod
    def of(cls, earlier: Any, m: Measures) -> Self:
        """Compare a report with an earlier one.

        Raises
        ------
        InvalidParameterError
            For what is no report of this package, or one of another version of its schema.
        """
        _require_report(earlier)
        try:
            then = _read(earlier)
            weights = {str(row["asset"]): float(row["weight"]) for row in earlier["assets"]}
            end = str(earlier["end"])
        except (KeyError, TypeError, ValueError, StopIteration) as error:
            raise InvalidParameterError(
                f"expected previous as the whole content of an earlier report, got one that lacks {error}, or "
                "has it otherwise; pass what RiskReport.to_dict returned.",
                parameter="previous",
            ) from error
        now, same_budget = _now(m), _has_budget(earlier, m)
        if not same_budget:
            now.pop(_CAPACITY, None)
        names = [name for name in now if name in then]
        table = pd.DataFrame(
            {"then": [then[n] for n in names], "now": [now[n] for n in names]}, names, dtype=np.float64
        )
        holdings = _holdings(weights, m)
        if end == str(m.panel.dates[-1].date()):
            holdings = f"The earlier report is of the same last date as this one. {holdings}"
        if not same_budget:
            holdings = f"The earlier report has another budget, so capacities are not compared. {holdings}"
        return cls(end, table.assign(change=table["now"] - table["then"]), holdings)


def _require_report(earlier: Any) -> None:
    if not isinstance(earlier, Mapping) or earlier.get("schema") != SCHEMA or earlier.get("schema_version") != VERSION:
        raise InvalidParameterError(
            f"expected previous as what RiskReport.to_dict returned, of version {VERSION} of the schema, got "
            f"{shown(earlier)}; write it with --json, or json.dump(report.to_dict(), file).",
            parameter="previous",
            got=earlier,
        )


def _has_budget(earlier: Mapping[str, Any], m: Measures) -> bool:
    """Whether an earlier report is of the same budget."""
    return bool(earlier.get("budget") == {"volatility": float(m.budget.volatility), "horizon": str(m.budget.horizon)})


def _read(earlier: Mapping[str, Any]) -> dict[str, float]:
    """Figures of the earlier report, as `_now` has those of this one."""
    total = next(r for r in earlier["variance"] if (r["portfolio"], r["source"]) == (UNHEDGED, "total"))
    figures = {"volatility, %/yr": 100.0 * float(total["year"])}
    realised = [r for r in earlier["realised"] if (r["portfolio"], r["by"]) == (UNHEDGED, "realised")]
    horizon = next((h for h in NAMED.values() if str(h) == earlier["horizon"]), None)
    if realised and realised[0]["volatility"] is not None and isinstance(horizon, Horizon):
        figures["realised volatility, %/yr"] = 100.0 * horizon.scale_volatility(
            float(realised[0]["volatility"]), to=YEAR
        )
    shares = [float(r["share"] or 0.0) for r in earlier["variance"] if r["portfolio"] == UNHEDGED]
    figures["factor share, %"] = 100.0 * sum(shares[:-2])
    figures |= {f"exposure {r['factor']}": float(r[UNHEDGED]) for r in earlier["exposures"]}
    position = earlier["positions"][UNHEDGED]
    if position is not None:
        figures[_CAPACITY] = float(position["capital"]) / 1e6
    return figures


def _now(m: Measures) -> dict[str, float]:
    per_year = m.panel.horizon.scale_volatility(100.0, to=YEAR)
    realised: Any = m.realised.loc[(UNHEDGED, "realised")]
    figures = {
        "volatility, %/yr": per_year * float(m.strategy.volatility),
        "realised volatility, %/yr": per_year * float(realised["volatility"]),
        "factor share, %": 100.0 * float(m.volatility["factor_share"].iloc[0]),
        **{f"exposure {factor}": float(beta) for factor, beta in m.strategy.exposures.items()},
    }
    position = m.positions[UNHEDGED]
    return figures if position is None else figures | {_CAPACITY: position.capital / 1e6}


def _holdings(weights: Mapping[str, float], m: Measures) -> str:
    now = {str(asset): float(w) for asset, w in m.weights.items() if w}
    then = {asset: w for asset, w in weights.items() if w}
    new, gone = [a for a in now if a not in then], [a for a in then if a not in now]
    moved = sum(abs(now.get(a, 0.0) - then.get(a, 0.0)) for a in {*now, *then})
    said = [f"Weights that moved sum to {100 * moved:.1f}%."]
    said += [f"New: {listed(new, _MOST)}."] if new else []
    said += [f"Gone: {listed(gone, _MOST)}."] if gone else []
    return " ".join(said)
