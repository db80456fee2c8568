"""A progress bar for long runs."""

from __future__ import annotations

import sys
from typing import Any, final

from attrs import define

# The bar appears after this time.
_DELAY_SECONDS = 2.0
_INTERVAL_SECONDS = 0.1
# From here on, counts are short: 12.3M.
_MANY = 1_000


@final
@define(eq=False)
class Progress:
    """A tqdm progress bar on the terminal; nothing without a terminal.

    Parameters
    ----------
    what : str
        The title, such as ``"WRDS"``.
    total : int
        The count at the end.
    unit : str
        The unit of the count, such as ``"rows"``.
    """

    what: str
    total: int
    unit: str
    _done: int = 0
    _bar: Any = None

    def add(self, count: int) -> None:
        """Add to the count; the bar appears two seconds after the first call."""
        if self._bar is None:
            self._bar = self._open()
        self._done += count
        if self._bar is not None:
            self._bar.update(count)

    def clear(self) -> None:
        """Remove the bar; `add` opens it again."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _open(self) -> Any:
        # even a disabled tqdm bar starts a thread and makes a lock, so none is made without a terminal
        if sys.stderr is None or not sys.stderr.isatty():
            return None
        from tqdm import tqdm  # noqa: PLC0415 - used only on terminals

        return tqdm(
            desc=self.what,
            total=self.total,
            initial=self._done,
            unit=f" {self.unit}",
            unit_scale=self.total >= _MANY,
            leave=False,
            delay=_DELAY_SECONDS,
            mininterval=_INTERVAL_SECONDS,
        )
