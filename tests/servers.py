"""Which real servers the tests talked to: said at the end of every run, so that nothing is skipped in silence."""

from __future__ import annotations

used: dict[str, str] = {}
missing: dict[str, str] = {}


def report(terminal) -> None:
    """Write a section with what was used, and what was not and why."""
    if not used and not missing:
        return
    terminal.section("real servers")
    for name, what in sorted(used.items()):
        terminal.line(f"{name}: {what}")
    for name, why in sorted(missing.items()):
        terminal.line(f"{name}: NOT USED, {why}", yellow=True, bold=True)
