"""What the numbers of a file are."""

from __future__ import annotations

from enum import Enum


class Unit(Enum):
    """What the numbers of a file are, by the function that reads them."""

    DECIMAL = "rm.read_returns"
    PERCENT = "rm.read_percent_returns"
    PRICE = "rm.read_prices"

    @property
    def reader(self) -> str:
        """The function that reads it."""
        return self.value

    @property
    def option(self) -> str:
        """How it is said on the command line."""
        return f"--unit {self.name.lower()}"
