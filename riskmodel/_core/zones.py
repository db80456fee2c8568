"""Time zones: read from their names, and times brought to the clocks of one."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from riskmodel.errors import InvalidDatesError, InvalidParameterError


def read_zone(zone: str | dt.tzinfo | None) -> ZoneInfo | None:
    """Read the name of a time zone.

    Raises
    ------
    InvalidParameterError
        For what is no IANA name.
    """
    if zone is None or isinstance(zone, ZoneInfo):
        return zone
    try:
        return ZoneInfo(str(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidParameterError(
            f"expected time_zone as an IANA name such as 'America/New_York', got {zone!r}; write one.", time_zone=zone
        ) from error


def to_zone(stamps: pd.DatetimeIndex, zone: ZoneInfo, what: str) -> pd.DatetimeIndex:
    """Bring times to the clocks of a zone, without the zone.

    Times without a zone are its own, except midnights of the zone that are written in UTC.

    Parameters
    ----------
    stamps : DatetimeIndex
        Full times, in any order. What becomes of each does not depend on the others.
    zone : ZoneInfo
        The zone on whose clocks days begin.
    what : str
        Names the rows in the error.

    Raises
    ------
    InvalidDatesError
        For days, written as midnights of another zone, that would become the days before.
    """
    if stamps.tz is None:
        local = stamps.tz_localize("UTC").tz_convert(zone).tz_localize(None)
        is_own = (local != local.normalize()) | (stamps == stamps.normalize())
        return pd.DatetimeIndex(np.where(is_own, stamps, local))
    local = stamps.tz_convert(zone).tz_localize(None)
    at = first_moved(stamps, local)
    if at is not None:
        raise InvalidDatesError(
            f"expected times of {what} to bring to {zone}, got days that are written as midnights, such as "
            f"{stamps[at]}, which would become {local[at].date()}; leave the time zone out.",
            what=what,
            time_zone=str(zone),
        )
    return local


def first_moved(written: pd.DatetimeIndex, local: pd.DatetimeIndex) -> int | None:
    """Return the first row whose day, written as a midnight with a zone, becomes another; None where there is none."""
    days = written.tz_localize(None)
    if written.tz is None or (days != days.normalize()).any() or (local == local.normalize()).all():
        return None
    moved = np.flatnonzero(local.normalize() != days)
    return int(moved[0]) if len(moved) else None
