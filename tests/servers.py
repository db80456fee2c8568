"""Which real servers the tests talked to: said at the end of every run, so that nothing is skipped in silence."""

from __future__ import annotations

import os

used: dict[str, str] = {}
missing: dict[str, str] = {}

WHY_NOT_WRDS = (
    "for the wrds client is not installed in this environment: it holds pandas below 2.3 and is tested in one of "
    "its own, by make test-wrds, which make test runs too"
)


def report(terminal) -> None:
    """Write a section with what was used, and what was not and why; also to the file that RISKMODEL_SERVERS names."""
    if not used and not missing:
        return
    terminal.section("real servers")
    for name, what in sorted(used.items()):
        terminal.line(f"{name}: {what}")
    for name, why in sorted(missing.items()):
        terminal.line(f"{name}: NOT USED HERE, {why}", yellow=True, bold=True)
    file = os.environ.get("RISKMODEL_SERVERS")
    if file:
        with open(file, "a", encoding="utf-8") as lines:
            lines.writelines(f"real server used: {name}: {what}\n" for name, what in sorted(used.items()))
