"""Facts and notes of a report: what it is on, what it assumes, what is not known and why."""

from __future__ import annotations

from collections.abc import Iterator

from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW
from riskmodel.model.covariance import DENSE_LIMIT
from riskmodel.panel.funding import FundingSource
from riskmodel.panel.return_type import EXCESS
from riskmodel.panel.unmatched import COMPOUND
from riskmodel.portfolio.gaps import FewestReturns
from riskmodel.report.alerts import FEW_DATES
from riskmodel.report.formats import NONE, holdings, limit, listed
from riskmodel.report.intervals import COVERED, HEDGED
from riskmodel.report.measures import Measures

# Growth in what was left out, and risk that optimising hides, are told of beyond this.
_MATERIAL = 0.01
# Characters of an estimator that are shown.
_LONGEST = 100


_OF_TIME = "Exposures and risk through time, and the hedge walked forward, are left out"


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
        ("Funded factors", _funding(m)),
        ("As of", str(panel.dates[-1].date())),
        ("Data", source or NONE),
        *vintages,
        ("Model", _made_of(m)),
        ("Span", span),
        ("Dates left out", left_out or "none"),
        *_growth_left_out(m),
        ("Budget", limit(m.budget)),
        *_intervals(m),
    ]


def _made_of(m: Measures) -> str:
    """The estimator and the version of the code that made the model."""
    lineage = m.held.lineage
    made = lineage.estimator or "given numbers"
    # an assembly prints as thousands of characters: the dictionary of the report has them all
    short = made if len(made) <= _LONGEST else f"{made[:_LONGEST]}…"
    return f"{short}, riskmodel {lineage.version}"


def _funding(m: Measures) -> str:
    """Which factors cost cash to hold, and who says so; those of which nobody says it last."""
    told = m.held.funding
    funded = told[told["funded"]]
    parts = [listed([f"{name} (told by {by})" for name, by in funded["told_by"].items()], 8) or "none"]
    unknown = told.index[told["told_by"] == str(FundingSource.NOBODY)]
    return "; ".join([*parts, *([f"nobody says whether {listed(unknown, 8)} costs cash"] if len(unknown) else [])])


def terms(m: Measures) -> tuple[tuple[str, str], ...]:
    """What the intervals of this report are of, each word with its meaning."""
    # alphas, means and Sharpe ratios are shown, and said to be of the long run, whether they have intervals or not
    used = {str(of) for of in (THIS_WINDOW, LONG_RUN)} | {str(of) for of in m.intervals.figures["of"]}
    return tuple((str(of), meaning) for of, meaning in COVERED if str(of) in used)


def _intervals(m: Measures) -> Iterator[tuple[str, str]]:
    if not m.intervals.reason:
        yield "Intervals", f"{100 * m.intervals.level:g}%, errors by rm.{type(m.intervals.errors).__name__}"


def _growth_left_out(m: Measures) -> Iterator[tuple[str, str]]:
    """How much the assets grew on dates that were left out, or that these are compounded."""
    if m.panel.unmatched is COMPOUND:
        yield "Other dates", "compounded into the next common one"
    change = (m.panel.left_out - 1.0).abs().sort_values(ascending=False)
    grown = change.index[change > _MATERIAL]
    if len(grown):
        yield "Growth left out", listed([f"{asset} {m.panel.left_out[asset]:.3f} x" for asset in grown], 4)


def assumptions(m: Measures, cap: float | None) -> Iterator[str]:
    """What the figures take for granted."""
    per = m.panel.horizon
    yield from _of_few_returns(m)
    yield (
        f"Figures are estimated per {per}. Volatilities and Sharpe ratios at other horizons are scaled by sqrt(h), "
        "which assumes uncorrelated returns over time; means are scaled by h, without compounding."
    )
    yield "Expected PnL uses sample means, which are imprecise estimates of expectations." + (
        " Look at the interval of alpha." if "std_error" in m.estimates else ""
    )
    given = ", as the data were" if m.panel.return_type is EXCESS else ""
    yield f"Returns are in excess of the risk-free rate{given}; costs of trading and of shorting are left out."
    yield from _of_optimised(m)
    yield from m.losses.lacking
    yield from m.earned.lacking
    if "capped" in m.portfolios:
        yield f"'capped' is the smallest hedge with a factor share of at most {100 * (cap or 0.0):.3g}%."


def _of_optimised(m: Measures) -> Iterator[str]:
    """How much more risk than the model's the hedge may have, as it was chosen by the model itself."""
    hedged = m.portfolios.get("hedged")
    if hedged is None or hedged.is_riskless or m.held.regression is None:
        return
    choices, dates = len(m.held.factors), float(m.assets["n_observations"].mean())
    if choices < dates and choices / dates > _MATERIAL:
        ratio = hedged.optimised_volatility(choices, dates) / hedged.volatility
        yield (
            f"The hedge was chosen by the model that measures it: {choices} hedge weights from {dates:,.0f} dates. "
            f"Expect a hedged volatility {100 * (ratio - 1):.1f}% above the one shown (Shepard, 2009)."
        )


def _of_few_returns(m: Measures) -> Iterator[str]:
    """Which assets have few returns, where the others have enough."""
    counts = m.assets.get("n_observations")
    if counts is None or len(m.panel.dates) < FEW_DATES:
        return
    few = counts[counts < FEW_DATES].sort_values(kind="stable")
    if len(few):
        yield (
            f"Estimated from few returns: {listed([f'{asset} ({n:g})' for asset, n in few.items()], 8)}. Their "
            "loadings, alphas and variances are hardly known, and so are those of portfolios that hold much of them; "
            "--min-observations, or OLS.fit_available with minimum, leaves such assets out."
        )


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
    yield from _of_proxies(m)
    short = m.held.assets[m.held.prior.to_numpy() & ~m.held.assets.isin(m.proxied)]
    if len(short):
        yield (
            f"The loadings and own risks of {listed(short, 8)} lean on those of other assets, as a prior or as what "
            "stands in, because returns of their own are few or none; their standard errors are not known."
        )
    if not m.intervals.has_two_windows:
        yield (f"{_OF_TIME}: {len(m.panel.dates):,} dates are fewer than two windows of {m.intervals.window_dates:,}.")
    yield from _outside(m)
    if m.n_missing:
        yield (
            f"On {m.n_missing:,} of {len(m.panel.dates):,} dates an asset held has no return{_most_missing(m)}; what "
            "was realised and pictures of the portfolio leave these dates out, and the model does not."
        )


def _of_proxies(m: Measures) -> Iterator[str]:
    """What is not known of assets that others stand in for, and where they are left out."""
    if m.proxied:
        yield (
            f"Others stand in for {listed(m.proxied, 8)}: loadings and own risks are means of those of peers. "
            "Intervals of the portfolio have the errors of the peers, but not how unlike them the asset is. Of its "
            "alpha nothing is known, and the portfolio's alpha counts it as zero. Residual correlations leave it out."
        )


def _most_missing(m: Measures) -> str:
    """Which asset held has the fewest returns, and since when."""
    fewest = FewestReturns.held(m.weights, m.panel)
    return f" ({fewest})" if fewest else ""


def of_windows(m: Measures) -> Iterator[str]:
    """Why there is nothing through time where dates are enough: text, which has no such part, does not ask."""
    if m.intervals.has_two_windows and not m.intervals.has_trends:
        yield (
            f"{_OF_TIME}: in no window of {m.intervals.window_dates:,} dates can the portfolio's regression be "
            "estimated, as factors depend on each other there, or what is held has returns on less than nine tenths of "
            "the dates."
        )


def _outside(m: Measures) -> Iterator[str]:
    """Which estimates lie outside their intervals."""
    table = m.intervals.figures
    apart = (table["estimate"] < table["low"]) | (table["estimate"] > table["high"])
    names = [f"{figure} ({portfolio})" for portfolio, figure in table.index[apart].tolist()]
    if names:
        yield (
            f"Outside their own intervals: {listed(names, 6)}. Where factors are many for the dates, betas fit noise "
            "too, so own risks are estimated too low; intervals allow for the degrees of freedom that this takes, "
            "estimates do not. Trust the intervals."
        )


def _of_hedge(m: Measures) -> Iterator[str]:
    if not m.is_hedged:
        yield (
            f"No hedge is shown: the portfolio is exposed to {listed(m.not_tradable, 8)}, which is not tradable. Hedge "
            "with HedgedPortfolio.minimum_variance(strategy, instruments), or define a PortfolioFactor that mimics it."
        )


def _of_errors(m: Measures) -> Iterator[str]:
    if m.intervals.reason:
        yield (
            "Of exposures, shares, alphas and Sharpe ratios of this model no intervals and errors are known. "
            f"{_sentence(m.intervals.reason)}"
        )
    elif m.is_hedged and (HEDGED, f"hedge {m.held.factors[0]}") not in m.intervals.figures.index:
        yield (
            "The hedge is in assets, so its intervals are those of a hedge that is given: its own error is not in them."
        )


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]


def _of_correlations(m: Measures) -> Iterator[str]:
    if m.comparison is None:
        yield (
            f"Residual correlations are left out: they need 2 to {DENSE_LIMIT:,} assets that the factors do not "
            "explain fully."
        )
    elif m.tests.empty:
        yield "Residual correlations are not known: no two assets have three dates in common."
