"""A figure with its gradient, and the way its interval is made."""

from __future__ import annotations

from typing import final

from attrs import frozen

from riskmodel.inference.bounds import Bounds
from riskmodel.inference.estimand import Estimand
from riskmodel.inference.gradient import Gradient


@final
@frozen(eq=False)
class Figure:
    """One row of a table of figures, per row of the panel.

    Attributes
    ----------
    name : str
        As the table prints it.
    estimate : float
        The library's figure.
    gradient : Gradient
        Of what `bounds` takes: the figure, its variance, or its logit.
    bounds : Bounds
        How the interval is made.
    estimand : Estimand
        What it covers.
    power : float
        The figure grows with this power of the horizon.
    slope : float
        The derivative of the figure by what the gradient is of.
    """

    name: str
    estimate: float
    gradient: Gradient
    bounds: Bounds
    estimand: Estimand
    power: float = 0.0
    slope: float = 1.0
