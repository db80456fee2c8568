"""What messages advise in Python, in options of the command line."""

from __future__ import annotations

import re

_ROWS = (
    (r"pass unmatched=rm\.COMPOUND", "give --unmatched compound"),
    (r"; left_out lists them", ""),
    (r"<ReturnPanel (\d+ dates \([^)]*\))[^>]*>", r"the panel of \1"),
    (r"pass horizon=rm\.CALENDAR_DAY", "give --data-horizon calendar-day"),
    (r"pass horizon=rm\.Horizon\.of\(\.\.\., day=rm\.CALENDAR_DAY\)", "give --data-horizon calendar-day too"),
    (r"bring it here with rm\.YEAR\.scale_mean\(.*?\)", "give --risk-free RATE/year, or scale the column"),
    (r"convert the index with \S+, or read the file with time_zone='([^']+)'", r"give --time-zone \1"),
    (r"pass \.normalize\(\) of the index, or time_zone='UTC'", "give --time-zone UTC"),
    (r"divide them by 100 \(of a file, rm\.read_percent_returns\)", "give --unit percent"),
    (r"read it with rm\.read_returns", "give --unit decimal, or --factor-unit decimal for factors"),
    (r"RET, which rm\.read_returns reads", "RET, which --unit decimal reads"),
    (r"declare another series with rm\.PublishedFactor\(.*?\)", "leave another series out with --factors"),
    (r"give the factor as rm\.PublishedFactor.* with funded=\[\.\.\.\]", "list what is funded with --funded"),
    (r"name those to read with rm\.PositionColumns\(\.\.\.\)", "take out the columns that are not needed"),
    (r"layout=rm\.Wide\(columns=\[\.\.\.\]\), on the command line ", ""),
    (r"; if so, write table\.index = .*?\(.*?\)", "; if so, correct the dates of --returns"),
    (r"; details of the warning list all", ""),
    (r"use HedgedPortfolio\.regression", "take the hedge called regression"),
    # of models, hedges and reports
    (r"estimate (it|them) with rm\.OLS\(\) or rm\.EWMA\(\.\.\.\)", "give --estimator ols or ewma"),
    (
        r"pass the panel that was passed to fit, and a model of rm\.OLS\(\) or rm\.EWMA\(\.\.\.\)",
        "give --estimator ols or ewma",
    ),
    (
        r"with HedgedPortfolio\.minimum_variance\(strategy, instruments\), or define a PortfolioFactor that mimics it",
        "with riskmodel hedge --instruments",
    ),
    (r"\(rm\.MimickingPortfolio\)", "(riskmodel hedge --instruments)"),
    (r", or OLS\.fit_available with minimum, leaves", ", leaves"),
    (r"with rm\.EWMA\(\.\.\.\) or a shorter window", "with --half-life or a shorter --window"),
    (
        r"statistical ones \(rm\.PrincipalComponents, rm\.Hybrid\), rm\.recommended\(\), or rm\.Linked",
        "above all --estimator recommended",
    ),
    (r"statistical ones \(rm\.PrincipalComponents, rm\.Hybrid\), or rm\.Linked", "--factors or --french"),
    (r"errors by rm\.(\w+)", r"errors by \1"),
    (r"[Pp]ass unknown=rm\.NAMES_ALONE, or leave out", "leave out"),
    (r" Pass unknown=rm\.NAMES_ALONE to leave out such names alone\.", ""),
    (r"; the table missing says which", ""),
    (r"use rm\.REBALANCED", "leave out --buy-and-hold"),
    (r"; link with rm\.Compounded\(\) or rm\.Added\(\)", "; end the window before it"),
    (r"give the shock in rm\.DECIMALS", "give the shock in decimals"),
    (r"or pass unit=rm\.STANDARD_DEVIATIONS", "or give standard deviations as -2sd"),
    # of positions
    (
        r"Fit a model of these too, or pass uncovered=rm\.GroupProxies\(groups\), rm\.PeerProxies\(peers\), or "
        r"rm\.LeftOutPositions\(assets\) for cash",
        "Add their returns, take the rows out of the file, or give --proxies",
    ),
    (r"; cover\(\) has the table", ""),
    (r"pass date=\.\.\., or read all with rm\.read_position_history", "give --as-of"),
    (r"name it(, as)? (with|in) rm\.PositionColumns\((\w+)='?[\w .]+'?\)", r"call it \3"),
    (r"name the right column, as in rm\.PositionColumns\(\w+=\.\.\.\)", "call the right column dollars"),
    # of files: what is left of "pass layout=rm.Long(...), on the command line --columns"
    (r"(pass |by |in |with )?(layout=)?rm\.\w+\([^()]*\),? (or \w+=[^,]*, )?on the command line ", ""),
    (r"use rm\.\w+, on the command line ", "give "),
    (r"pass layout=rm\.Wide\(\) or rm\.Long\(\.\.\.\)", "give --columns"),
    (r"pass layout=rm\.Crsp\(\), or rm\.Long\(\.\.\.\)", "give --columns"),
    (r"name them in layout=rm\.Long\(\.\.\.\)", "name them with --columns"),
)
_AS_OPTIONS = tuple((re.compile(python), option) for python, option in _ROWS)


def as_options(text: str) -> str:
    """Say in options of the command line what a message advises in Python."""
    for python, option in _AS_OPTIONS:
        text = python.sub(option, text)
    return " ".join(text.split())
