"""What an interval is about: the long run, the window that was looked at, or the month to come."""

from __future__ import annotations

from typing import Any, final

from attrs import frozen

from riskmodel._core.arguments import require
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError


@final
@frozen(repr=False)
class Estimand(Listed):
    """The number that an interval covers.

    Attributes
    ----------
    name : str
        As tables print it.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> table = rm.Inference.of(model, panel).table(held)
    >>> table.loc[["alpha", "exposure Mkt-RF"], "of"].tolist(), str(rm.NEXT_MONTH)
    (['long run', 'this window'], 'next month')
    """

    name: str

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"rm.{self.name.upper().replace(' ', '_')}"


LONG_RUN = Estimand("long run")
THIS_WINDOW = Estimand("this window")
NEXT_MONTH = Estimand("next month")


def require_estimand(of: Any) -> Estimand | None:
    """Return what an interval is to cover, None for what its figure says; raise for the month to come."""
    if of is None:
        return None
    chosen = require(of, Estimand, "of", "rm.LONG_RUN or rm.THIS_WINDOW")
    if chosen is NEXT_MONTH:
        raise InvalidParameterError(
            "expected of as rm.LONG_RUN or rm.THIS_WINDOW, got rm.NEXT_MONTH: the month to come has risk that no error "
            "of an estimate shows.",
            parameter="of",
            got=of,
        )
    return chosen
