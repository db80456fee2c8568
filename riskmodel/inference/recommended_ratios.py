"""Realised over forecast volatility of the recommended model, as it was measured: quantiles, no data."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from riskmodel._core.arguments import require
from riskmodel.errors import InvalidParameterError, NotEstimatedError
from riskmodel.horizon import MONTH, QUARTER, WEEK, Horizon
from riskmodel.inference.volatility_ratios import Quantiles, VolatilityRatios
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio

# The kinds of portfolios that were measured, and the families of the study in each.
KINDS = MappingProxyType({"long": ("long", "equal"), "long-short": ("long-short",)})
PROBABILITIES = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5,
    0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 0.995,
)  # fmt: skip
_SOURCE = (
    "rm.recommended() on windows of 504 days, every 21 days: 25 portfolios of US stocks by size and book-to-market, "
    "1928 to 2020, and 150 of 466 US large caps, 2000 to 2020; measured in November 2026"
)
_DATES = 1_406
# By horizon and kind, at PROBABILITIES: what `python -m benchmarks.ranges PANEL ... --quantiles` printed.
_QUANTILES = {
    WEEK: {
        "long": (
            0.214, 0.253, 0.331, 0.392, 0.464, 0.518, 0.566, 0.609, 0.649, 0.726, 0.800,
            0.886, 0.985, 1.051, 1.130, 1.246, 1.407, 1.682, 2.005, 2.513, 3.176,
        ),
        "long-short": (
            0.230, 0.276, 0.344, 0.415, 0.501, 0.564, 0.617, 0.663, 0.706, 0.793, 0.883,
            0.977, 1.086, 1.149, 1.225, 1.315, 1.442, 1.660, 1.881, 2.208, 2.574,
        ),
    },
    MONTH: {
        "long": (
            0.395, 0.428, 0.481, 0.529, 0.598, 0.643, 0.685, 0.720, 0.753, 0.816, 0.881,
            0.955, 1.049, 1.107, 1.173, 1.258, 1.410, 1.680, 1.959, 2.539, 2.935,
        ),
        "long-short": (
            0.442, 0.482, 0.548, 0.604, 0.675, 0.726, 0.768, 0.805, 0.839, 0.901, 0.963,
            1.028, 1.103, 1.148, 1.200, 1.264, 1.351, 1.499, 1.659, 1.934, 2.291,
        ),
    },
    QUARTER: {
        "long": (
            0.421, 0.457, 0.516, 0.567, 0.637, 0.684, 0.721, 0.754, 0.789, 0.856, 0.925,
            1.001, 1.102, 1.166, 1.237, 1.330, 1.481, 1.786, 2.195, 2.926, 4.445,
        ),
        "long-short": (
            0.486, 0.529, 0.594, 0.653, 0.728, 0.775, 0.815, 0.850, 0.880, 0.937, 0.993,
            1.050, 1.114, 1.153, 1.197, 1.255, 1.338, 1.502, 1.699, 2.102, 2.549,
        ),
    },
}  # fmt: skip
# A portfolio whose net weight is less than this share of its gross weight is long and short.
_NET = 0.5


def recommended_ratios(portfolio: Portfolio, horizon: Horizon = MONTH) -> VolatilityRatios:
    """Return realised over forecast volatility of `recommended` as it was measured, for portfolios like this one.

    So a forecast has its range without a study of your own. Quantiles are those of random long-only and equal-weighted
    portfolios, or of random long-short ones where the net weight of assets and factors is less than half of the gross
    one: what the market drives is less predictable. Of a portfolio that an optimiser made from the same model, realised
    volatility is above the forecast more often; `Study.ratios` of its family has the right range.
    The how-to page on comparing risk models says how often these ranges held on dates that had no part in them.

    Parameters
    ----------
    portfolio : Portfolio
        In a model of `recommended`, fitted to daily returns.
    horizon : Horizon
        How far ahead: ``rm.WEEK`` (5 days), ``rm.MONTH`` (21) or ``rm.QUARTER`` (63).

    Returns
    -------
    VolatilityRatios
        `VolatilityRatios.source` says on what they were measured.

    Raises
    ------
    NotEstimatedError
        For a model of a regression, which `recommended` is not: see `Inference.next_month` and `Study.ratios`.
    InvalidParameterError
        For another horizon.

    Examples
    --------
    >>> import riskmodel as rm
    >>> provider = rm.SampleData()
    >>> panel = provider.panel(list(provider.assets), [], start="2016-12-01")
    >>> book = rm.Strategy({"KO": 0.5, "PEP": 0.5}, rm.recommended().fit(panel))
    >>> likely = rm.recommended_ratios(book).forecast(book, level=0.7)
    >>> likely.of
    rm.NEXT_MONTH
    >>> likely.low < likely.estimate < likely.high
    True
    """
    held = require_portfolio(portfolio, "portfolio")
    if held.model.regression is not None:
        raise NotEstimatedError(
            f"expected a portfolio in a model of rm.recommended(), got one in {held.model!r}, a regression's; use "
            "rm.Inference.of(model, panel).next_month(portfolio), or Study.ratios of its estimator."
        )
    by_kind = _QUANTILES.get(require(horizon, Horizon, "horizon", "such as rm.MONTH"))
    if by_kind is None:
        raise InvalidParameterError(
            f"expected horizon as rm.WEEK, rm.MONTH or rm.QUARTER, got {horizon!r}; use Study.ratios for others.",
            parameter="horizon",
            got=horizon,
        )
    weights = held.instruments
    directional = abs(float(weights.sum())) >= _NET * float(weights.abs().sum())
    quantiles = Quantiles(np.array(PROBABILITIES), np.array(by_kind["long" if directional else "long-short"]), _DATES)
    return VolatilityRatios._of_quantiles(quantiles, horizon, _SOURCE)
