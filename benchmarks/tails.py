"""Which value at risk: forecasts of the next day's loss, walked forward, by method.

    python -m benchmarks.tails [PANEL --groups FILE --group NAME --french FILE]

PANEL and the files are those of `benchmarks.desk`. Without them: the daily sample, of which the makers of drugs are the
group; that is the quick form.

Three portfolios: the first ten of a group, these less ten others, and forty names half long and half short. Each
date's forecast is from the models and the four years of returns before it. ``breaches`` are losses beyond value at
risk, beside those expected; ``tick loss`` is the mean of (p - 1[r < q]) (r - q) in basis points, least for the true
quantile q.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

import riskmodel as rm
from benchmarks.desk import typed

_LEVEL = 0.99
_WINDOW = rm.Horizon(1008)
_METHODS = {
    "historical": rm.HistoricalSimulation(),
    "filtered": rm.FilteredHistoricalSimulation(),
    "Student t": rm.StudentTails(),
    "normal": rm.NormalTails(),
}


def main() -> None:
    panel, members = typed("tails", __doc__, start="2005")
    panel = panel.select(factors=panel.factors[:1])
    rows = [row for name, weights in held(panel, members).items() for row in tested(panel, name, weights)]
    table = pd.DataFrame(rows).set_index(["portfolio", "method"])
    print(table.to_string(float_format="{:.3f}".format))


def held(panel: rm.ReturnPanel, members: list[str]) -> dict[str, pd.Series]:
    """Weights of the portfolios."""
    ten = [member for member in members if member in panel.assets][:10]
    rng = np.random.default_rng(0)
    others = rng.permutation([asset for asset in panel.assets if asset not in ten])
    many = rng.permutation(panel.assets)[:40]
    signs = np.where(np.arange(len(many)) % 2, -1.0, 1.0)
    return {
        "ten of the group": pd.Series(1.0 / len(ten), ten),
        "ten less ten others": pd.Series({**dict.fromkeys(ten, 0.1), **dict.fromkeys(others[: len(ten)], -0.1)}),
        "forty, half short": pd.Series(2.0 * signs / len(many), many),
    }


def tested(panel: rm.ReturnPanel, name: str, weights: pd.Series) -> Iterator[dict[str, object]]:
    """What each method's forecasts were worth."""
    own = panel.select(list(weights.index))
    history = rm.Rolling(rm.Horizon(504), every=rm.MONTH).fit(own)
    for method, tails in _METHODS.items():
        test = rm.TailBacktest.of(weights, tails, history, _LEVEL, _WINDOW)
        known = test.forecasts.dropna()
        quantile, p = -known["value_at_risk"], 1.0 - _LEVEL
        tick = ((p - (known["return"] < quantile)) * (known["return"] - quantile)).mean()
        table = test.table()["pvalue"]
        yield {
            "portfolio": name,
            "method": method,
            "dates": len(known),
            "breaches": test.breaches,
            "expected": test.expected_breaches,
            "p of coverage": table["coverage"],
            "p of independence": table["independence"],
            "tick loss": 1e4 * tick,
        }


if __name__ == "__main__":
    main()
