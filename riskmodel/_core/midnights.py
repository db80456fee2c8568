"""Days that are stamped by the midnights of another time zone, and are a day early therefore."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel._core.callers import warn
from riskmodel._core.days import days_of
from riskmodel.errors import DoubtfulDatesWarning, InvalidDatesError

# With fewer rows a weekday may be missing by chance.
_ENOUGH_ROWS = 10
_HOUR, _FULL_DAY = 3600, 86_400
_MONDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 4, 5, 6
# Of rows a day early, nearly none is a Friday (a session on a Saturday), and one in five is a Sunday.
_FEW_FRIDAYS, _MANY_SUNDAYS = 0.01, 0.1
# No market closes so late by its own clocks; New York closes at these hours of UTC.
_NIGHT, _CLOSES_IN_UTC = 22 * _HOUR, frozenset({20, 21})
_UTC = frozenset({"UTC", "Etc/UTC", "UTC+00:00", "GMT", "Z"})
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

    Warns
    -----
    DoubtfulDatesWarning
        For rows that may be such midnights, where they are too few to tell, or are last days of months.

    Raises
    ------
    InvalidDatesError
        Its details are ``what``, ``times`` (of day, as text) and ``time_zone`` (one with these midnights, or None).
    """
    local = stamps.tz_localize(None)
    moments = local.to_numpy()
    seconds = (moments - moments.astype("datetime64[D]")).astype("timedelta64[s]").astype(np.int64)
    late, times = local[seconds != 0], np.unique(seconds)
    if not len(late) or not _are_midnights(times):
        return
    if len(late) < _ENOUGH_ROWS:
        _warn_of_few(stamps, local, times, what)
        return
    is_utc = _is_utc(stamps)
    early = _weekdays_are_early(late) or ((len(times) == 2 or is_utc) and _months_are_early(late))
    if not early and not (len(times) == 2 and _weekdays_are_late(late)):
        if stamps.tz is None and _are_eves_of_months(late) and _typical_gap(late) > _LONGER_THAN_WEEKS:
            _warn(stamps, local, what)
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
    clock = _clock(times)
    raise InvalidDatesError(
        f"expected {what} on days of the market, got rows at {' and '.join(clock)} {when}; "
        f"{remedy.format(zone=zone) if remedy and zone else default}.",
        what=what,
        times=clock,
        time_zone=zone,
    )


def _warn_of_few(stamps: pd.DatetimeIndex, local: pd.DatetimeIndex, times: NDArray[np.int64], what: str) -> None:
    """Warn where few rows are at a midnight of another zone, and none of them on a day before a weekend."""
    is_utc = _is_utc(stamps)
    if stamps.tz is not None and not is_utc:
        return
    months = _are_eves_of_months(local[local != days_of(local)])
    on_weekdays = not local.day_of_week.isin([_FRIDAY, _SATURDAY]).any()
    at_night = times[times > 0].min() >= _NIGHT
    in_utc = is_utc and not set((times // _HOUR).tolist()) & _CLOSES_IN_UTC
    if months or (on_weekdays and (at_night or in_utc)):
        _warn(stamps, local, what)


def _is_utc(stamps: pd.DatetimeIndex) -> bool:
    return stamps.tz is not None and str(stamps.tz) in _UTC


def _are_eves_of_months(late: pd.DatetimeIndex) -> bool:
    """Whether all are last days of months, weekends among them, which no market closes on."""
    return bool((late + pd.Timedelta(days=1)).is_month_start.all() and (late.day_of_week >= _SATURDAY).any())


def _warn(stamps: pd.DatetimeIndex, local: pd.DatetimeIndex, what: str) -> None:
    in_utc = local.tz_localize("UTC")
    zone = next((z for z in _ZONES.values() if _all_at_midnight(in_utc.tz_convert(z))), None)
    if zone is None:
        return
    clock = _clock(np.unique((local - local.normalize()).to_numpy().astype("timedelta64[s]").astype(np.int64)))
    convert = "tz_convert" if stamps.tz is not None else "tz_localize('UTC').tz_convert"
    warn(
        DoubtfulDatesWarning(
            f"{what} have {len(local)} row(s) at {' and '.join(clock)}, the first taken as {local[0].date()}; if these "
            f"are midnights of another zone, such as {zone}, they are a day early: convert the index with "
            f".{convert}({zone!r}), or read the file with time_zone={zone!r}. If they are not, pass .normalize() of "
            "the index, or time_zone='UTC'.",
            what=what,
            times=clock,
            time_zone=zone,
        )
    )


def _clock(times: NDArray[np.int64]) -> list[str]:
    return [f"{s // _HOUR:02d}:{s % _HOUR // 60:02d}" for s in times.tolist()]


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
    return bool((stamps == days_of(stamps)).all())


def _zone_with_midnights(times: NDArray[np.int64]) -> str:
    """Name a zone whose midnights are at these times of UTC: the later time of two is that of winter."""
    # 00:00 is 24:00 of the day before
    winter = int(np.where(times == 0, _FULL_DAY, times).max())
    offset = (_FULL_DAY - winter) / _HOUR
    return _ZONES.get((offset, len(times) == 2), f"Etc/GMT-{offset:g}" if offset % 1 == 0 else "Asia/Kolkata")
