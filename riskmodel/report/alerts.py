"""What a reader of a report must know first: a risk that the model does not see, and a sample that is too short."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from riskmodel._core.arrays import floats
from riskmodel.analysis.realised import RealisedRisk
from riskmodel.horizon import DAY, YEAR
from riskmodel.report.formats import listed, short_dollars
from riskmodel.report.intervals import NEXT_MONTH_VOLATILITY
from riskmodel.report.measures import LAST_YEAR, Measures

# With fewer dates, the report says that no figure is known.
FEW_DATES = 30
_PAIRS = 4
# A share of the gross weights that others stand in for is warned of beyond this.
_MUCH = 0.2
# Beyond this, and with a p value below that, the square root of time is warned of.
_OFF, _SURE = 0.1, 0.05
# A last year with more volatility than the model by this ratio is warned of.
_TURBULENT = 1.5


def all_of(m: Measures) -> Iterator[str]:
    """Every warning, the gravest first."""
    yield from of_few_dates(len(m.panel.dates))
    yield from _of_limits(m)
    yield from _of_proxies(m)
    yield from _of_reality(m)
    yield from _of_last_year(m)
    yield from _of_time(m)


def headline(m: Measures) -> str:
    """The volatilities that differ most, in a few words; empty where model and returns agree."""
    found = _differing(m)
    if not found:
        return ""
    name, risk = max(found.items(), key=lambda item: abs(item[1].ratio - 1.0))
    own, realised = _percent(risk, risk.model.estimate), _percent(risk, risk.realised.estimate)
    return f"{name} has {own}% of volatility a year by the model and {realised}% realised"


def of_few_dates(count: int) -> Iterator[str]:
    """What to say of a sample that is too short, if it is."""
    if count < FEW_DATES:
        yield (
            f"All figures are estimated from {count} dates. From so few, loadings, alphas, variances, Sharpe ratios "
            "and expected PnL are hardly known, and their standard errors and t values mean little; use a longer "
            "history."
        )


def _of_reality(m: Measures) -> Iterator[str]:
    found = _differing(m)
    if found:
        each = "; ".join(f"{name} {_both(risk)}" for name, risk in found.items())
        worst = max(found, key=lambda name: abs(found[name].ratio - 1.0))
        yield f"{_verdict(found)}: {each}. {_cause(worst, found[worst])}"


def _of_proxies(m: Measures) -> Iterator[str]:
    """That much of what is held is assumed."""
    if m.proxied_share > _MUCH:
        yield (
            f"{100 * m.proxied_share:.0f}% of gross has no returns: others stand in for {listed(m.proxied, 6)}. All "
            "figures assume that these do what their peers do, and no interval has the error of that."
        )


def _of_limits(m: Measures) -> Iterator[str]:
    """Limits that what is held exceeds."""
    position = m.held_position
    broken = [] if m.capital is None or position is None else [str(breach) for breach in m.budget.check(position)]
    if broken:
        yield f"What is held exceeds {len(broken)} of {len(m.budget.all_limits)} limits: {listed(broken, 6)}."


def _of_last_year(m: Measures) -> Iterator[str]:
    """Where the last year was so unlike what the model is of that its volatility misleads about the next month."""
    figures, found = m.intervals.figures, []
    for name, portfolio in m.portfolios.items():
        if portfolio.is_riskless or (name, NEXT_MONTH_VOLATILITY) not in figures.index:
            continue
        model, risk = float(portfolio.volatility), m.realised_risk[name]
        # what the model misses on all dates alike is no news of the last year
        usual = model if risk is None or risk.n_missing else max(model, risk.realised.estimate)
        last, low, high = floats(figures.loc[(name, NEXT_MONTH_VOLATILITY), ["estimate", "low", "high"]]).tolist()
        if last > _TURBULENT * usual or usual < low or model > high:
            shown = [f"{portfolio.horizon.scale_volatility(100.0 * v, to=YEAR):.1f}%" for v in (last, model, low, high)]
            month = f", next month {shown[2]} to {shown[3]}" if math.isfinite(low) else ""
            allowed = float(m.realised["capital"].loc[(name, LAST_YEAR)])
            size = (
                f", and at the last year's the budget allows {short_dollars(allowed)}" if math.isfinite(allowed) else ""
            )
            found.append(f"{name} had {shown[0]} a year, {shown[1]} by the model{month}{size}")
    if found:
        yield (
            f"The last year's volatility was not the model's: {'; '.join(found)}. Capacities are by the model; for "
            "risk as it is now, count recent dates more, with rm.EWMA(...) or a shorter window."
        )


def _of_time(m: Measures) -> Iterator[str]:
    """Where volatility does not grow with the square root of the horizon, and a test says that it is no luck."""
    table = m.intervals.scaling
    off = (table["scaled_volatility"] / table["volatility"] - 1.0).abs() > _OFF
    found = table[off & (table["pvalue"] < _SURE)]
    if len(found):
        pairs = zip(found.index.tolist(), found.iterrows(), strict=True)
        each = "; ".join(_of_scaling(name, over, row) for (name, over), (_, row) in pairs)
        yield (
            f"Volatility does not grow with the square root of time: {each}. Returns are autocorrelated, so figures at "
            f"horizons beyond a {m.panel.horizon} are off by as much; the table on the square root of time has both."
        )


def _of_scaling(name: str, over: str, row: Any) -> str:
    scaled, plain = (100 * row[c] for c in ("scaled_volatility", "volatility"))
    return f"{name} has {scaled:.1f}% a {over} with autocorrelation, {plain:.1f}% by sqrt(h)"


def _differing(m: Measures) -> Mapping[str, RealisedRisk]:
    return {name: risk for name, risk in m.realised_risk.items() if risk is not None and risk.differs}


def _verdict(found: Mapping[str, RealisedRisk]) -> str:
    if not any(risk.is_of_residuals for risk in found.values()):
        if any(risk.is_of_dates for risk in found.values()):
            return "Model and realised volatility are of different dates"
        return "The model's volatility is not that of the panel's dates, each counted alike"
    above = [risk.ratio > 1.0 for risk in found.values()]
    if all(above):
        return "The model understates risk by more than errors of estimation"
    return "The model and the returns disagree on risk" if any(above) else "The model overstates risk"


def _both(risk: RealisedRisk) -> str:
    model, realised = risk.model, risk.realised
    m, r = ([_percent(risk, x) for x in (i.estimate, i.low, i.high)] for i in (model, realised))
    same = (
        f"; {_percent(risk, float(risk.model_on_these_dates))} on the realised dates"
        if risk.n_missing and risk.portfolio.model._counts_dates_alike
        else ""
    )
    return f"{m[0]}% a year by the model ({m[1]} to {m[2]}{same}), {r[0]}% realised ({r[1]} to {r[2]})"


def _percent(risk: RealisedRisk, volatility: float) -> str:
    return f"{risk.portfolio.horizon.scale_volatility(100.0 * volatility, to=YEAR):.1f}"


def _cause(name: str, risk: RealisedRisk) -> str:
    if not risk.is_of_residuals and risk.is_of_dates:
        return _of_dates(name, risk)
    if not risk.is_of_residuals and risk.is_of_proxies:
        return (
            "Residual correlations of what has returns of its own are less than half of the difference: others stand "
            "in for some of what is held, whose realised returns are those of their peers, and whose own risk the "
            "model counts beside that of the peers. Where much is proxied, trust the larger of the two."
        )
    if not risk.is_of_residuals:
        return (
            "Residual correlations are less than half of the difference: the model is of other dates than the panel's, "
            "or counts recent ones more. Where that is meant, this is no error of the model; otherwise compare them on "
            "the same dates."
        )
    table = risk.pairs(_PAIRS)
    pairs = [f"{a} with {b} {rho:.2f}" for (a, b), rho in zip(table.index, table["correlation"], strict=True)]
    best = ", rm.recommended()" if risk.portfolio.horizon.days <= DAY.days else ""
    return (
        f"The model takes residuals as uncorrelated, but they are not: {listed(pairs, _PAIRS)}; such pairs "
        f"{_weight(risk)} variance of {name}. More factors help, statistical ones "
        f"(rm.PrincipalComponents, rm.Hybrid){best}, or rm.Linked. The table of model and realised volatility has "
        "the capacity by both."
    )


def _of_dates(name: str, risk: RealisedRisk) -> str:
    """Which asset shortens what was realised, and what the model has on the same dates."""
    own = _percent(risk, float(risk.model_on_these_dates))
    why = f", as {risk.fewest}" if risk.fewest else ""
    return (
        f"What was realised is of {risk.n_dates:,} of {len(risk.returns):,} dates{why}, and the model of all dates "
        f"that each asset has. On the same dates the model has {own}% for {name}, so most of the difference is of "
        "dates, and not of the model. Compare them on dates on which all has returns, or without the asset."
    )


def _weight(risk: RealisedRisk) -> str:
    """How much of the variance residual covariances add or take away."""
    between, parts = risk.variance["residual covariance"], risk.variance
    if between > 0:
        return f"are {100 * between / parts.sum():.0f}% of the realised"
    return f"take away {-100 * between / parts['model']:.0f}% of the model's"
