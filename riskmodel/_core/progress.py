"""A line on the terminal that says how far a long run is."""

from __future__ import annotations

import sys
import time
from typing import TextIO, final

from attrs import define, field

_PATIENCE_SECONDS = 2.0
_BETWEEN_SECONDS = 0.1
_BAR_LENGTH = 30


@final
@define(eq=False)
class Progress:
    """A bar on the terminal while something long goes on; nothing where there is no terminal.

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
    _stream: TextIO = field(factory=lambda: sys.stderr)
    _done: int = 0
    _since: float = field(factory=time.monotonic)
    _drawn: float = 0.0

    def add(self, count: int) -> None:
        """Count what came, and draw once it takes longer than people wait without asking."""
        self._done += count
        now = time.monotonic()
        late = now - self._since > _PATIENCE_SECONDS and now - self._drawn > _BETWEEN_SECONDS
        if late and self._stream is not None and self._stream.isatty():
            self._drawn = now
            share = min(1.0, self._done / max(1, self.total))
            bar = "#" * round(share * _BAR_LENGTH)
            self._stream.write(f"\r{self.what} [{bar:<{_BAR_LENGTH}}] {share:4.0%} of {self.total:,} {self.unit}")
            self._stream.flush()

    def clear(self) -> None:
        """Leave the terminal as it was."""
        if self._drawn:
            self._stream.write("\r\033[K")
            self._stream.flush()
