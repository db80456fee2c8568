"""Whether holding a factor costs cash, and who says so."""

from __future__ import annotations

from enum import Enum
from typing import Any, final

from riskmodel.errors import InvalidParameterError


@final
class Funding(Enum):
    """Whether holding a factor costs cash: ``rm.FUNDED``, or ``rm.SELF_FINANCING``.

    A funded factor is the excess return of an asset or an index: a dollar of it costs a dollar, and shorting it raises
    one. A self-financing factor is the return of a long-short portfolio, whose short side pays for the long one.
    Returns do not tell: only who publishes or defines the factor knows.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"MSFT": 1.0}, model))
    >>> model.funded, round(hedged.cash_weight, 3)
    ((True,), 0.074)
    """

    FUNDED = "funded"
    SELF_FINANCING = "self-financing"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.value


FUNDED, SELF_FINANCING = Funding.FUNDED, Funding.SELF_FINANCING


@final
class FundingSource(Enum):
    """Who says whether a factor is funded.

    Attributes
    ----------
    CALLER
        An argument, such as ``rm.PublishedFactor("SPY", funding=rm.FUNDED)``.
    PROVIDER
        The provider of the factor's returns.
    ASSET
        An asset of that name, which costs cash.
    DEFINITION
        What the factor is made of.
    NAME
        A name of the literature, such as ``Mkt-RF`` or ``SMB``.
    NOBODY
        It is taken as self-financing, and figures that depend on it warn.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT"], ["Mkt-RF"]))
    >>> print(model.funding)
            funded       told_by
    Mkt-RF    True  the provider
    >>> print(rm.FundingSource.NAME)
    its name
    """

    CALLER = "the caller"
    PROVIDER = "the provider"
    ASSET = "the asset of that name"
    DEFINITION = "its definition"
    NAME = "its name"
    NOBODY = "nobody"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.value


def require_funding(value: Any, whose: str = "funding") -> Funding:
    """Return a `Funding`, or raise for anything else."""
    if not isinstance(value, Funding):
        raise InvalidParameterError(
            f"expected {whose} as rm.FUNDED or rm.SELF_FINANCING, got {type(value).__name__}.",
            parameter=whose,
            got=value,
        )
    return value
