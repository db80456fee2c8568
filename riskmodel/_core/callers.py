"""Warn the line outside this package that called it, however deep the warning arises."""

from __future__ import annotations

import sys
import warnings

from riskmodel.errors import RiskModelWarning

# and what calls this package back: properties that are computed once
_INSIDE = {__name__.partition(".")[0], "functools"}


def warn(warning: RiskModelWarning) -> None:
    """Give a warning that names the first caller outside this package."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] in _INSIDE:
        frame, level = frame.f_back, level + 1
    warnings.warn(warning, stacklevel=level)
