"""Expands the recurrence rules of RFC 5545 section 3.3.10 that calendars of meetings have."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_BY_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


class Unsupported(ValueError):
    """A rule that is not understood, of which no part must be taken for the whole."""


@dataclass(frozen=True)
class Rule:
    """How an event recurs, in the wall-clock time of its own time zone."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: str = ""  # as it stands in the rule
    by_month: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()  # the ordinal, 0 for every one, and the weekday, 0 for Monday
    by_position: tuple[int, ...] = ()
    week_start: int = 0

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Reads the value of RRULE."""
        known: dict[str, tuple[str, Callable[[str], Any]]] = {
            "FREQ": ("frequency", str),
            "INTERVAL": ("interval", int),
            "COUNT": ("count", int),
            "UNTIL": ("until", str),
            "BYMONTH": ("by_month", _numbers),
            "BYMONTHDAY": ("by_month_day", _numbers),
            "BYDAY": ("by_day", _weekdays),
            "BYSETPOS": ("by_position", _numbers),
            "WKST": ("week_start", WEEKDAYS.index),
        }
        parts: dict[str, Any] = {}
        for part in text.upper().split(";"):
            name, _, value = part.partition("=")
            if name not in known:
                raise Unsupported(f"the recurrence rule {text} has {name[:20]}")
            attribute, convert = known[name]
            try:
                parts[attribute] = convert(value)
            except ValueError as error:
                raise Unsupported(f"the recurrence rule {text} has {part}") from error
        if parts.get("frequency") not in _FREQUENCIES:
            raise Unsupported(f"the recurrence rule {text} is not by day, week, month or year")
        rule = cls(**parts)
        if not rule._is_supported():
            raise Unsupported(f"the recurrence rule {text} has parts that are not supported together")
        return rule

    def _is_supported(self) -> bool:
        by_month = self.frequency in ("MONTHLY", "YEARLY")
        ordinals = any(ordinal for ordinal, _ in self.by_day)
        return (
            self.interval >= 1
            and (self.count is None or self.count >= 1 and not self.until)
            and all(1 <= month <= 12 for month in self.by_month)
            and all(1 <= abs(day) <= 31 for day in self.by_month_day)
            and all(abs(ordinal) <= 5 for ordinal, _ in self.by_day)
            and all(1 <= abs(position) <= 366 for position in self.by_position)
            and (by_month or not ordinals and not self.by_position)
            and not (ordinals and self.by_month_day)
            and not (self.frequency == "WEEKLY" and self.by_month_day)
            # In a year without months, days are counted from its beginning, or are those of all months.
            and not (self.frequency == "YEARLY" and (self.by_day or self.by_month_day) and not self.by_month)
        )

    def starts(self, first: datetime.datetime, last: datetime.datetime) -> Iterator[datetime.datetime]:
        """Yields the wall-clock times from the first, which always counts, up to about the last."""
        yield first
        left = None if self.count is None else self.count - 1
        for day in self._days(first.date(), min(last.date(), datetime.date(9990, 1, 1))):
            start = datetime.datetime.combine(day, first.time())
            if start <= first:
                continue
            if left is not None:
                if left == 0:
                    return
                left -= 1
            yield start

    def _days(self, first: datetime.date, last: datetime.date) -> Iterator[datetime.date]:
        """Yields the days of the rule in their order, from the period of the first day on, to the last day."""
        for days in self._periods(first, last):
            if self.by_month:
                days = [day for day in days if day.month in self.by_month]
            if self.by_position:
                count = len(days)
                at = {p - 1 if p > 0 else count + p for p in self.by_position}
                days = [day for position, day in enumerate(days) if position in at]
            yield from (day for day in days if day <= last)

    def _periods(self, first: datetime.date, last: datetime.date) -> Iterator[list[datetime.date]]:
        """Yields the days of each day, week, month or year."""
        weekdays = {weekday for _, weekday in self.by_day}
        if self.frequency == "DAILY":
            for number in range(first.toordinal(), last.toordinal() + 1, self.interval):
                day = datetime.date.fromordinal(number)
                if (not weekdays or day.weekday() in weekdays) and (not self.by_month_day or _is_among(day, self.by_month_day)):
                    yield [day]
        elif self.frequency == "WEEKLY":
            offsets = sorted((weekday - self.week_start) % 7 for weekday in weekdays or {first.weekday()})
            begin = first.toordinal() - (first.weekday() - self.week_start) % 7
            for week in range(begin, last.toordinal() + 1, 7 * self.interval):
                yield [datetime.date.fromordinal(week + offset) for offset in offsets]
        elif self.frequency == "MONTHLY":
            for number in range(12 * first.year + first.month - 1, 12 * last.year + last.month, self.interval):
                yield self._of_month(number // 12, number % 12 + 1, first.day)
        else:
            for year in range(first.year, last.year + 1, self.interval):
                months = sorted(set(self.by_month)) or [first.month]
                yield [day for month in months for day in self._of_month(year, month, first.day)]

    def _of_month(self, year: int, month: int, day: int) -> list[datetime.date]:
        length = calendar.monthrange(year, month)[1]
        days = [datetime.date(year, month, number) for number in range(1, length + 1)]
        if self.by_month_day:
            weekdays = {weekday for _, weekday in self.by_day}
            return [d for d in days if _is_among(d, self.by_month_day) and (not weekdays or d.weekday() in weekdays)]
        if not self.by_day:
            return [d for d in days if d.day == day]
        chosen: set[datetime.date] = set()
        for ordinal, weekday in self.by_day:
            those = [d for d in days if d.weekday() == weekday]
            if ordinal == 0:
                chosen.update(those)
            elif abs(ordinal) <= len(those):
                chosen.add(those[ordinal - 1 if ordinal > 0 else ordinal])
        return sorted(chosen)


def _is_among(day: datetime.date, numbers: tuple[int, ...]) -> bool:
    """Reports whether a day has one of the numbers, of which negative ones count from the end of the month."""
    length = calendar.monthrange(day.year, day.month)[1]
    return day.day in numbers or day.day - length - 1 in numbers


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _weekdays(text: str) -> tuple[tuple[int, int], ...]:
    days = []
    for part in text.split(","):
        found = _BY_DAY.fullmatch(part)
        if not found or found[1] and int(found[1]) == 0:
            raise ValueError(part)
        days.append((int(found[1] or 0), WEEKDAYS.index(found[2])))
    return tuple(days)
