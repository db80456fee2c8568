"""How a file is to be read, as the caller of a reader says."""

from __future__ import annotations

from typing import final
from zoneinfo import ZoneInfo

from attrs import frozen

from riskmodel.data.files.codes import MissingCodes
from riskmodel.data.files.unit import Unit
from riskmodel.panel.layout import Layout


@final
@frozen
class ReadOptions:
    """How a file is to be read.

    Attributes
    ----------
    unit : Unit
        What its numbers are.
    layout : Layout
        Which columns hold what.
    missing : MissingCodes
        Codes for missing numbers.
    zone : ZoneInfo or None
        The zone in which days begin.
    """

    unit: Unit
    layout: Layout
    missing: MissingCodes
    zone: ZoneInfo | None
