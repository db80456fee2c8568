"""What an interval is about: the long run, the window that was looked at, or the month to come."""

from __future__ import annotations

from typing import final

from attrs import frozen


@final
@frozen(repr=False)
class Estimand:
    """The number that an interval covers.

    Attributes
    ----------
    name : str
        As tables print it.
    """

    name: str

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"rm.{self.name.upper().replace(' ', '_')}"


LONG_RUN = Estimand("long run")
THIS_WINDOW = Estimand("this window")
NEXT_MONTH = Estimand("next month")
