"""Facts and notes of a report: what it is on, what it assumes, what is not known and why."""

from __future__ import annotations

from collections.abc import Iterator

from riskmodel.model.covariance import DENSE_LIMIT
from riskmodel.panel.return_type import EXCESS
from riskmodel.report.formats import NONE, holdings, limit, listed
from riskmodel.report.measures import Measures


def facts(m: Measures, source: str) -> list[tuple[str, str]]:
    """What the report is on, line by line."""
    panel, dropped = m.panel, m.panel.dropped["reason"].value_counts()
    left_out = "; ".join(f"{n:,} ({reason})" for reason, n in dropped.items())
    # history is revised: which release of each source the returns are from
    vintages = [("Vintage", f"{name}: {vintage}") for name, vintage in panel.provenance.items()]
    span = f"{panel.dates[0].date()} to {panel.dates[-1].date()}, {len(panel.dates):,} dates, per {panel.horizon}"
    return [
        ("Portfolio", holdings(m.weights)),
        ("Factors", listed(m.held.factors, 8)),
        ("Funded factors", listed(m.funded, 8) or "none"),
        ("Data", source or NONE),
        *vintages,
        ("Span", span),
        ("Dates left out", left_out or "none"),
        ("Budget", limit(m.budget)),
    ]


def assumptions(m: Measures, cap: float | None) -> Iterator[str]:
    """What the figures take for granted."""
    per = m.panel.horizon
    yield (
        f"Figures are estimated per {per}. Volatilities and Sharpe ratios at other horizons are scaled by sqrt(h), "
        "which assumes uncorrelated returns over time; means are scaled by h, without compounding."
    )
    yield "Expected PnL uses sample means, which are imprecise estimates of expectations." + (
        " Compare alpha with its standard error." if "std_error" in m.estimates else ""
    )
    given = ", as the data were" if m.panel.return_type is EXCESS else ""
    yield f"Returns are in excess of the risk-free rate{given}; costs of trading and of shorting are left out."
    if "capped" in m.portfolios:
        yield f"'capped' is the smallest hedge with a factor share of at most {100 * (cap or 0.0):.3g}%."


def gaps(m: Measures) -> Iterator[str]:
    """What is not known, and why."""
    yield from _of_hedge(m)
    riskless = [name for name, p in m.portfolios.items() if p.is_riskless]
    if riskless:
        yield (
            f"No risk is left in {' and '.join(riskless)}, apart from rounding error: the factors explain all of it. "
            "No volatility budget limits its size, so it has no capacity, no PnL at capacity and no Sharpe ratio."
        )
    yield from _of_errors(m)
    yield from _of_correlations(m)
    if m.n_missing:
        yield (
            f"On {m.n_missing:,} of {len(m.panel.dates):,} dates an asset held has no return; pictures of the "
            "portfolio leave these dates out."
        )


def _of_hedge(m: Measures) -> Iterator[str]:
    if not m.is_hedged:
        yield (
            f"No hedge is shown: the portfolio is exposed to {listed(m.not_tradable, 8)}, which is not tradable. Hedge "
            "with HedgedPortfolio.minimum_variance(strategy, instruments), or define a PortfolioFactor that mimics it."
        )


def _of_errors(m: Measures) -> Iterator[str]:
    if "std_error" not in m.estimates:
        yield "There are no standard errors, t values or R2: the model is not made of regressions on its factors."
    elif "std_error" not in m.exposures:
        yield (
            "Standard errors of the portfolio's exposures are not known: the closed form needs all holdings on the "
            "same dates, and the panel that the model was estimated on."
        )


def _of_correlations(m: Measures) -> Iterator[str]:
    if m.comparison is None:
        yield (
            f"Residual correlations are left out: they need 2 to {DENSE_LIMIT:,} assets that the factors do not "
            "explain fully."
        )
    elif m.tests.empty:
        yield "Residual correlations are not known: no two assets have three dates in common."
