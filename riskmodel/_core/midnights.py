"""Days that are stamped by the midnights of another time zone, and are a day early therefore."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.errors import InvalidDatesError

# With fewer rows a weekday may be missing by chance.
_ENOUGH_ROWS = 10
_HOUR, _FULL_DAY = 3600, 86_400
_MONDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 4, 5, 6
# Of rows a day early, nearly none is a Friday (a session on a Saturday), and one in five is a Sunday.
_FEW_FRIDAYS, _MANY_SUNDAYS = 0.01, 0.1
# Rows farther apart, in days, are months, quarters or years.
_LONGER_THAN_WEEKS = 20
# A zone by the offset of its winter, in hours, and by whether it has a summer time.
_ZONES = {
    (0.0, True): "Europe/London",
    (1.0, True): "Europe/Berlin",
    (2.0, True): "Europe/Athens",
    (3.0, False): "Europe/Istanbul",
    (4.0, False): "Asia/Dubai",
    (5.5, False): "Asia/Kolkata",
    (7.0, False): "Asia/Bangkok",
    (8.0, False): "Asia/Shanghai",
    (9.0, False): "Asia/Tokyo",
    (10.0, False): "Australia/Brisbane",
    (10.0, True): "Australia/Sydney",
    (12.0, True): "Pacific/Auckland",
}


def require_own_midnights(stamps: pd.DatetimeIndex, what: str, remedy: str = "") -> None:
    """Raise where days are stamped by the midnights of another time zone, so that they are a day early.

    The midnights of Berlin are 23:00 UTC of the day before, and 22:00 in summer. Read as they stand, Mondays become
    Sundays and no row is a Friday; first days of months become last days of the month before. Such rows have one time
    of day, or two an hour apart, in whole quarters of an hour. Rows at midnight pass, whatever their weekdays.

    Parameters
    ----------
    stamps : DatetimeIndex
        Full times, in any order. Without a zone they may be of UTC. A zone other than UTC is believed, unless all
        rows are midnights of UTC.
    what : str
        Names the rows in the error.
    remedy : str, optional
        What to do, with ``{zone}`` in the place of the zone; by default to convert the index.

    Raises
    ------
    InvalidDatesError
        Its details are ``what``, ``times`` (of day, as text) and ``time_zone`` (one with these midnights, or None).
    """
    local = stamps.tz_localize(None)
    seconds = (local - local.normalize()).to_numpy().astype("timedelta64[s]").astype(np.int64)
    late, times = local[seconds != 0], np.unique(seconds)
    if len(late) < _ENOUGH_ROWS or not _are_midnights(times):
        return
    is_utc = stamps.tz is not None and str(stamps.tz_convert("UTC").tz) == str(stamps.tz)
    early = _weekdays_are_early(late) or ((len(times) == 2 or is_utc) and _months_are_early(late))
    if not early and not (len(times) == 2 and _weekdays_are_late(late)):
        return
    zone: str | None = _zone_with_midnights(times)
    if stamps.tz is not None and not is_utc:
        if not _all_at_midnight(stamps.tz_convert("UTC")):
            return
        zone = "UTC"
    elif not _all_at_midnight(local.tz_localize("UTC").tz_convert(zone)):
        zone = None  # they may be opening times of another market
    named = repr(zone) if zone else "the zone of the market, such as 'Australia/Sydney'"
    convert = f"tz_convert({named})" if stamps.tz is not None else f"tz_localize('UTC').tz_convert({named})"
    default = (
        f"convert the index with .{convert}{', or with the zone of the market' if zone else ''} (of a file, "
        f"time_zone={named}). If these are closing times of a market that is open from Sunday to Thursday, pass "
        ".normalize() of the index (of a file, time_zone='UTC')"
    )
    when = (
        "that begin on the eve of a day (on Sundays and never on Fridays, or at the end of the month before), as "
        "midnights of another time zone do"
        if early
        else "that are a day late (on Saturdays and never on Mondays), as evenings of another time zone are"
    )
    clock = [f"{s // _HOUR:02d}:{s % _HOUR // 60:02d}" for s in times.tolist()]
    raise InvalidDatesError(
        f"expected {what} on days of the market, got rows at {' and '.join(clock)} {when}; "
        f"{remedy.format(zone=zone) if remedy and zone else default}.",
        what=what,
        times=clock,
        time_zone=zone,
    )


def _are_midnights(times: NDArray[np.int64]) -> bool:
    """Whether distinct times of day, in seconds, can be midnights of one zone."""
    apart = int(times[-1] - times[0])
    return len(times) <= 2 and apart in {0, _HOUR, _FULL_DAY - _HOUR} and not (times % (_HOUR // 4)).any()


def _weekdays_are_early(late: pd.DatetimeIndex) -> bool:
    """Whether days from Monday to Friday, or weeks on Mondays, seem to be dated a day early."""
    if _typical_gap(late) > _LONGER_THAN_WEEKS:
        return False
    share = np.bincount(late.day_of_week, minlength=7) / len(late)
    return bool(share[_FRIDAY] <= _FEW_FRIDAYS and share[_SUNDAY] >= _MANY_SUNDAYS)


def _weekdays_are_late(late: pd.DatetimeIndex) -> bool:
    """Whether days from Monday to Friday seem to be dated a day late."""
    if _typical_gap(late) > _LONGER_THAN_WEEKS:
        return False
    share = np.bincount(late.day_of_week, minlength=7) / len(late)
    return bool(share[_MONDAY] <= _FEW_FRIDAYS and share[_SATURDAY] >= _MANY_SUNDAYS)


def _months_are_early(late: pd.DatetimeIndex) -> bool:
    """Whether the first days of months seem to be dated a day early."""
    return _typical_gap(late) > _LONGER_THAN_WEEKS and bool((late + pd.Timedelta(days=1)).is_month_start.all())


def _typical_gap(dates: pd.DatetimeIndex) -> float:
    """Days between neighbouring rows, the median."""
    days = np.sort(dates.to_numpy().astype("datetime64[D]").astype(np.int64))
    return float(np.median(np.diff(days)))


def _all_at_midnight(stamps: pd.DatetimeIndex) -> bool:
    return bool((stamps == stamps.normalize()).all())


def _zone_with_midnights(times: NDArray[np.int64]) -> str:
    """Name a zone whose midnights are at these times of UTC: the later time of two is that of winter."""
    # 00:00 is 24:00 of the day before
    winter = int(np.where(times == 0, _FULL_DAY, times).max())
    offset = (_FULL_DAY - winter) / _HOUR
    return _ZONES.get((offset, len(times) == 2), f"Etc/GMT-{offset:g}" if offset % 1 == 0 else "Asia/Kolkata")
