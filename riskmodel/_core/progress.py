"""A progress bar for long runs."""

from __future__ import annotations

import sys
from typing import Any, final

from attrs import define

# How long people wait without asking.
_DELAY_SECONDS = 2.0
_INTERVAL_SECONDS = 0.1


@final
@define(eq=False)
class Progress:
    """A tqdm bar on the terminal while something long goes on; nothing where there is no terminal.

    Parameters
    ----------
    what : str
        What goes on, such as ``"WRDS"``.
    total : int
        How many will come.
    unit : str
        What is counted, such as ``"rows"``.
    """

    what: str
    total: int
    unit: str
    _done: int = 0
    _bar: Any = None

    def add(self, count: int) -> None:
        """Count what came; the bar appears two seconds after the first."""
        if self._bar is None:
            self._bar = self._open()
        self._done += count
        if self._bar is not None:
            self._bar.update(count)

    def clear(self) -> None:
        """Leave the terminal as it was; adding more opens the bar again."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _open(self) -> Any:
        # even a disabled bar of tqdm starts a thread and makes a lock, so there is none without a terminal
        if sys.stderr is None or not sys.stderr.isatty():
            return None
        from tqdm import tqdm  # noqa: PLC0415 - used only on terminals

        return tqdm(
            desc=self.what,
            total=self.total,
            initial=self._done,
            unit=f" {self.unit}",
            unit_scale=True,
            leave=False,
            delay=_DELAY_SECONDS,
            mininterval=_INTERVAL_SECONDS,
        )
