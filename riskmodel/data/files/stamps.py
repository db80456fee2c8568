"""Dates and times in text: what one says, without a guess."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Self, final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import frozen

from riskmodel.panel.layout import COUNTED_DATES

YEARS = range(1700, 2262)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?"
)
_TIME = r"""
    (?P<time>
      (?: [T ] | (?<=\d):(?=\d\d:) | (?<=\d),?[ ] ) (?P<hour>[01]?\d|2[0-4]) :?(?P<minute>[0-5]\d)
      (?: :?(?P<second>[0-5]\d|60) (?:[.,]\d+)? )?   # to the minute, or finer
      (?: [ ]?(?P<half>[ap])m )?
      (?: [ ]?(?P<offset>(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2}){0,2}) | [ ]?(?P<zone>[A-Z]+(?:[/_+-][A-Z0-9]+)*) )?
      (?: \[(?P<place>[A-Z0-9/_+-]+)\] )?   # [America/New_York]
    )?
"""
_FLAGS = re.VERBOSE | re.IGNORECASE | re.ASCII
# Dates that were stored as numbers may have a decimal point: 20181130.0.
_FORMS = tuple(
    re.compile(pattern, _FLAGS)
    for pattern in (
        # 2018-11-30, 2018/11/30, 2018.11.30
        rf"(?P<year>\d{{4}}) (?P<sign>[-/.]) (?P<month>\d{{1,2}}) (?P=sign) (?P<day>\d{{1,2}}) {_TIME}",
        # 20181130
        rf"(?P<year>\d{{4}}) (?P<month>\d{{2}}) (?P<day>\d{{2}}) (?: \.0+ | {_TIME} )",
        # 2018-11, 2018/11, 2018M11, 201811, 2018
        r"(?P<year>\d{4}) (?: [-/]?M?(?P<month>\d{2}) | [-/](?P<month2>\d) | M(?P<month3>\d) )? (?: \.0+ )?",
        # 30NOV2018, 30-Nov-2018, 2018-Nov-30, Nov 30, 2018, Nov 2018, NOV2018
        rf"(?P<day>\d{{1,2}}) (?P<sign>[-/ .]?) (?P<name>{_NAMED}) (?P=sign) (?P<year>\d{{4}}) {_TIME}",
        rf"(?P<year>\d{{4}}) (?P<sign>[-/ .]) (?P<name>{_NAMED}) (?P=sign) (?P<day>\d{{1,2}}) {_TIME}",
        rf"(?P<name>{_NAMED}) \.?[ ] (?P<day>\d{{1,2}}) ,?[ ] (?P<year>\d{{4}}) {_TIME}",
        rf"(?P<name>{_NAMED}) [-/ ]? (?P<year>\d{{4}})",
        # 2018Q4, 2018-Q4, Q4 2018
        r"(?P<year>\d{4}) [-: ]? Q(?P<quarter>[1-4])",
        r"Q(?P<quarter>[1-4]) [-/ ] (?P<year>\d{4})",
        # 2018-W48, 2018-W48-5
        r"(?P<year>\d{4}) -?W(?P<week>\d{2}) (?: -?(?P<weekday>[1-7]) )?",
    )
)
_UTC = frozenset({"z", "utc", "gmt"})
_ORDERS = {
    (False, 4): ("%d/%m/%Y", "%m/%d/%Y"),
    (False, 2): ("%d/%m/%y", "%m/%d/%y", "%y/%m/%d"),
    (True, 2): ("%d/%b/%y",),
}
# 03-Nov-18, whose century the text does not say
_SHORT_YEAR = re.compile(r"(\d{1,2})([-/. ]?)([A-Za-z]{3})\2(\d{2})", re.ASCII)
# 03/04/2018 in some order, which the text does not say
_UNORDERED = re.compile(r"(\d{1,2}) ([-/.]) (\d{1,2}) \2 (\d{4}|\d{2})", re.VERBOSE | re.ASCII)


@final
@frozen
class Stamp:
    """A date in text, and a time of day where there is one.

    Attributes
    ----------
    day : date
        The day; the first of a month, quarter or year, the last (a Sunday) of a week.
    span : str
        What the text dates: ``day``, ``week``, ``month``, ``quarter`` or ``year``.
    time : time or None
        The time of day, without a zone.
    offset : timedelta or None
        The offset from UTC, where the text has one.
    zone : str or None
        The zone, where the text has its name.
    """

    day: dt.date
    span: str
    time: dt.time | None = None
    offset: dt.timedelta | None = None
    zone: str | None = None

    @property
    def local(self) -> dt.datetime:
        """The day and the time as they are written."""
        return dt.datetime.combine(self.day, self.time or dt.time())

    def at(self, zone: ZoneInfo) -> dt.datetime | None:
        """Return day and time on the clocks of a zone; None where the text has a zone that is not known."""
        if self.offset is not None:
            return (self.local - self.offset).replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None)
        if self.zone is None or self.local.replace(tzinfo=zone).tzname() == self.zone.upper():
            return self.local
        try:
            named = ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None
        return self.local.replace(tzinfo=named).astimezone(zone).replace(tzinfo=None)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read a date that can mean one day only: the year first, or the month by its name; None for other text."""
        text = text.strip()
        found = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
        if found is None:
            return None
        parts = {name: value for name, value in found.groupdict().items() if value is not None}
        try:
            day, span = _day(parts)
            return cls(day, span, *_time(parts)) if day.year in YEARS else None
        except ValueError:
            return None

    @classmethod
    def formatted(cls, text: str, form: str) -> Self | None:
        """Read a date in a stated format; None for other text."""
        if form in COUNTED_DATES:
            return cls._counted(text, form)
        try:
            moment = dt.datetime.strptime(text.strip(), form)
        except ValueError:
            return None
        if moment.year not in YEARS:
            return None
        time = moment.time() if any(sign in form for sign in ("%H", "%I", "%c", "%X")) else None
        return cls(moment.date(), _span(form), time, moment.utcoffset())

    @classmethod
    def _counted(cls, text: str, form: str) -> Self | None:
        start, step = COUNTED_DATES[form]
        try:
            moment = start + float(text) * step
        except (ValueError, OverflowError):
            return None
        if moment.year not in YEARS:
            return None
        is_utc = form.startswith("unix")
        return cls(moment.date(), "day", moment.time(), dt.timedelta() if is_utc else None)


def _span(form: str) -> str:
    if any(sign in form for sign in ("%d", "%j", "%c", "%x", "%u", "%w", "%a", "%A")):
        return "day"
    return "month" if any(sign in form for sign in ("%m", "%b", "%B")) else "year"


def _day(parts: dict[str, str]) -> tuple[dt.date, str]:
    year = int(parts["year"])
    if "quarter" in parts:
        return dt.date(year, 3 * int(parts["quarter"]) - 2, 1), "quarter"
    if "week" in parts:
        weekday = parts.get("weekday")
        return dt.date.fromisocalendar(year, int(parts["week"]), int(weekday or 7)), "day" if weekday else "week"
    month = next((parts[name] for name in ("month", "month2", "month3") if name in parts), None)
    if "name" in parts:
        month = str(1 + _MONTHS.index(parts["name"][:3].casefold()))
    day = parts.get("day", parts.get("day2"))
    span = "day" if day else "month" if month else "year"
    return dt.date(year, int(month or 1), int(day or 1)), span


def _time(parts: dict[str, str]) -> tuple[dt.time | None, dt.timedelta | None, str | None]:
    if "hour" not in parts:
        return None, None, None
    hour, second = int(parts["hour"]), min(59, int(parts.get("second", "0")))
    if "half" in parts:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + 12 * (parts["half"].casefold() == "p")
    zone = parts.get("place", parts.get("zone"))
    offset = parts.get("offset")
    if offset is None and parts.get("zone", "").casefold() in _UTC:
        offset, zone = "+00", None
    # 24:00 is the end of its day
    return dt.time(hour % 24, int(parts["minute"]), second), _offset(offset), zone


def _offset(text: str | None) -> dt.timedelta | None:
    if text is None:
        return None
    digits = re.sub(r"[^0-9]", "", text)
    digits = digits if len(digits) % 2 == 0 else f"0{digits}"
    hours, minutes = int(digits[:2]), int(digits[2:4] or 0)
    return (-1 if "-" in text else 1) * dt.timedelta(hours=hours, minutes=minutes)


def is_date(text: str) -> bool:
    """Whether this is a date, be it in an order that the text does not say."""
    return Stamp.read(text) is not None or bool(formats([text]))


def counted(texts: Iterable[str]) -> list[str]:
    """Return by what these texts may be counted dates."""
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        return []
    if not numbers:
        return []
    sizes = {"excel": (1e4, 1e5), "unix-s": (1e8, 1e10), "unix-ms": (1e11, 1e13), "unix-us": (1e14, 1e16)}
    return [form for form, (least, most) in sizes.items() if least < min(numbers) <= max(numbers) < most]


def formats(texts: Iterable[str]) -> list[str]:
    """Return the formats, with the day or the month first, in which all of these texts are dates."""
    found: list[str] | None = None
    for text in texts:
        match = _UNORDERED.fullmatch(text.strip()) or _SHORT_YEAR.fullmatch(text.strip())
        if match is None:
            return []
        known = _ORDERS[match.re is _SHORT_YEAR, len(match[4])]
        here = [form for order in known if Stamp.formatted(text, form := order.replace("/", match[2]))]
        found = here if found is None else [form for form in found if form in here]
    return found or []
