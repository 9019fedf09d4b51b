"""Turns a calendar into events, each with a beginning and an end: RFC 5545 sections 3.3.4 to 3.3.6, 3.6.1 and 3.8.5."""

from __future__ import annotations

import datetime
import hashlib
import re
import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ical.parser import Component, Malformed, Property, parse
from ical.recurrence import Rule, Unsupported

UTC = datetime.timezone.utc

_MOMENT = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]{1,4})W|(?:([0-9]{1,5})D)?(?:T(?:([0-9]{1,7})H)?(?:([0-9]{1,7})M)?(?:([0-9]{1,9})S)?)?)"
)
_STAMP = re.compile(r"(.+)#([0-9]{8}(?:T[0-9]{6}Z)?)")
_PLAIN = re.compile(r"[!-~]{1,100}")  # what an id can begin with

_DAY, _SECOND = datetime.timedelta(days=1), datetime.timedelta(seconds=1)
_FAR = datetime.datetime(2200, 1, 1, tzinfo=UTC)  # what recurs for ever ends here


@dataclass(frozen=True)
class Moment:
    """A date, or a date with a time, on the clocks of a time zone."""

    local: datetime.datetime  # without a zone
    zone: datetime.tzinfo
    is_date: bool

    @property
    def instant(self) -> datetime.datetime:
        """The moment with its offset. A time that clocks skip is taken by the offset before the gap, as the RFC has it."""
        return self.local.replace(tzinfo=self.zone)

    @property
    def stamp(self) -> str:
        """The moment as the id of an instance of a series has it."""
        if self.is_date:
            return self.local.strftime("%Y%m%d")
        return self.instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

    def at(self, local: datetime.datetime) -> Moment:
        """Returns another moment of the same kind."""
        return Moment(local, self.zone, self.is_date)


@dataclass(frozen=True)
class Event:
    """Something that happens once; of a series, one instance."""

    id: str
    start: datetime.datetime
    end: datetime.datetime
    all_day: bool
    component: Component


class Calendar:
    """The events of a stream of calendars. Those that are cancelled or not public are not among them."""

    def __init__(self, data: bytes, zone: datetime.tzinfo) -> None:
        """Reads the calendars. The zone is that of dates, and of times that have none."""
        calendars = parse(data)
        self.name = next(filter(None, (c.text("X-WR-CALNAME") or c.text("NAME") for c in calendars)), "")
        self.skipped: dict[str, str] = {}
        """Why events are left out that are not understood, by their UID."""
        self._series: dict[str, _Series] = {}
        by_uid: dict[str, list[Component]] = {}
        for component in (event for c in calendars for event in c.components if event.name == "VEVENT"):
            by_uid.setdefault(component.text("UID"), []).append(component)
        for uid, components in by_uid.items():
            try:
                if not uid:
                    raise Unsupported("it has no UID")
                series = _Series(uid, components, zone)
                self._series[series.key] = series
            except Unsupported as error:
                self.skipped[uid] = str(error)
            except OverflowError:
                self.skipped[uid] = "its times are out of bounds"

    def __len__(self) -> int:
        """Returns how many events and series there are."""
        return len(self._series)

    def between(self, start: datetime.datetime, end: datetime.datetime) -> list[Event]:
        """Returns the events that begin in a window, whose end does not belong to it, in the order of their beginnings."""
        found = [e for series in self._series.values() for e in series.events(end) if start <= e.start < end]
        return sorted(found, key=lambda event: (event.start.timestamp(), event.id))

    def find(self, ids: Iterable[str]) -> Iterator[Event]:
        """Yields the events of the ids that there are."""
        wanted: dict[str, set[str]] = {}
        for id_ in ids:
            instance = _STAMP.fullmatch(id_)
            for key in {id_, instance[1] if instance else id_}:
                wanted.setdefault(key, set()).add(id_)
        for key, those in wanted.items():
            if series := self._series.get(key):
                yield from (event for event in series.events(max(map(_after, those))) if event.id in those)


class _Series:
    """All that a calendar says about one UID: an event, or a series with the instances that differ."""

    def __init__(self, uid: str, components: list[Component], zone: datetime.tzinfo) -> None:
        self.key = uid if _PLAIN.fullmatch(uid) else "sha256:" + hashlib.sha256(uid.encode()).hexdigest()
        self._zone = zone
        newest: dict[str, Component] = {}  # by the stamp of the instance; the series itself has none
        for component in components:
            stamp = self._instance(component)
            if stamp not in newest or _sequence(component) >= _sequence(newest[stamp]):
                newest[stamp] = component
        self._main = newest.pop("", None)
        self._changed = newest
        self._start: Moment | None = None
        self._rule: Rule | None = None
        self._until: datetime.datetime | None = None
        self._more: list[Moment] = []
        self._without: set[str] = set()
        if self._main:
            self._read_series(self._main)
        for component in newest.values():  # so that what is wrong with one is known now
            _ = self._event("", self._moment(_required(component, "DTSTART")), component)

    def _instance(self, component: Component) -> str:
        instance = component.first("RECURRENCE-ID")
        if instance is None:
            return ""
        if "RANGE" in instance.parameters:
            raise Unsupported("it changes an instance of a series and all that follow it")
        return self._moment(instance).stamp

    def _read_series(self, main: Component) -> None:
        self._start = self._moment(_required(main, "DTSTART"))
        _ = self._event("", self._start, main)
        if main.first("EXRULE") or len(main.all("RRULE")) > 1:
            raise Unsupported("it has EXRULE, or more than one RRULE")
        if rule := main.first("RRULE"):
            self._rule = Rule.parse(rule.value)
            if self._rule.until:
                until = self._moment(Property("UNTIL", self._rule.until, {}), self._start.zone)
                # A day is meant as a whole.
                self._until = until.at(until.local + _DAY - _SECOND).instant if until.is_date else until.instant
        self._more = [self._moment(Property(p.name, v, p.parameters)) for p in main.all("RDATE") for v in p.value.split(",")]
        self._without = {
            self._moment(Property(p.name, v, p.parameters)).stamp for p in main.all("EXDATE") for v in p.value.split(",")
        }

    def events(self, until: datetime.datetime) -> Iterator[Event]:
        """Yields the events of which the calendar planned the beginning before a time, and all that were moved."""
        is_series = bool(self._rule or self._more or self._changed)
        seen = set(self._changed)
        for start in self._planned(until):
            if start.stamp not in seen and self._main and _happens(self._main):
                seen.add(start.stamp)
                yield self._event(f"{self.key}#{start.stamp}" if is_series else self.key, start, self._main)
        for stamp, component in self._changed.items():
            if _happens(component) and (self._main is None or _happens(self._main)):
                yield self._event(f"{self.key}#{stamp}", self._moment(_required(component, "DTSTART")), component)

    def _planned(self, until: datetime.datetime) -> Iterator[Moment]:
        if self._start is None:
            return
        until = min(until, _FAR)
        last = (until + _DAY).replace(tzinfo=None)  # on whatever clock
        for local in self._rule.starts(self._start.local, last) if self._rule else [self._start.local]:
            start = self._start.at(local)
            if self._rule and (start.instant >= until or self._until and start.instant > self._until):
                break
            if not {start.stamp, local.strftime("%Y%m%d")} & self._without:
                yield start
        yield from (start for start in self._more if start.stamp not in self._without)

    def _event(self, id_: str, start: Moment, component: Component) -> Event:
        end = self._end(start, component)
        return Event(id_, start.instant, max(start.instant, end, key=datetime.datetime.timestamp), start.is_date, component)

    def _end(self, start: Moment, component: Component) -> datetime.datetime:
        # The lengths of an instance are those of the component, which may begin at another time.
        begin = self._moment(_required(component, "DTSTART"))
        if (prop := component.first("DTEND")) is not None:
            end = self._moment(prop)
            if end.is_date != begin.is_date:
                raise Unsupported("it begins at a date and ends at a time, or the other way round")
            if end.is_date:
                return start.at(start.local + (end.local - begin.local)).instant
            exact = end.instant.astimezone(UTC) - begin.instant.astimezone(UTC)  # and not by the clock
            return (start.instant.astimezone(UTC) + exact).astimezone(start.zone)
        if (prop := component.first("DURATION")) is not None:
            days, exact = _duration(prop.value)
            return (start.at(start.local + days).instant.astimezone(UTC) + exact).astimezone(start.zone)
        return start.at(start.local + _DAY).instant if start.is_date else start.instant

    def _moment(self, prop: Property, zone: datetime.tzinfo | None = None) -> Moment:
        found = _MOMENT.fullmatch(prop.value.strip())
        try:
            if not found:
                raise ValueError
            local = datetime.datetime.strptime(found[1] + (found[2] or "000000"), "%Y%m%d%H%M%S")
        except ValueError:
            raise Unsupported(f"{prop.name} is {prop.value[:60]!r}") from None
        if local.year < 1900:
            raise Unsupported(f"{prop.name} is in the year {local.year}")
        if found[3]:
            return Moment(local, UTC, False)
        if (name := prop.parameters.get("TZID")) and found[2]:
            return Moment(local, _zone(name), False)
        return Moment(local, zone or self._zone, not found[2])


def _after(id_: str) -> datetime.datetime:
    """Returns a time after the one that the id of an instance holds, in whatever zone that is."""
    instance = _STAMP.fullmatch(id_)
    try:
        return datetime.datetime.strptime(instance[2][:8] if instance else "", "%Y%m%d").replace(tzinfo=UTC) + 2 * _DAY
    except (ValueError, OverflowError):
        return datetime.datetime.fromtimestamp(0, UTC)


def _required(component: Component, name: str) -> Property:
    prop = component.first(name)
    if prop is None:
        raise Unsupported(f"it has no {name}")
    return prop


def _sequence(component: Component) -> int:
    text = component.text("SEQUENCE")
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0


def _happens(component: Component) -> bool:
    """Reports whether an event is to be seen: not cancelled, and not private."""
    return component.text("STATUS").upper() != "CANCELLED" and component.text("CLASS").upper() in ("", "PUBLIC")


def _duration(text: str) -> tuple[datetime.timedelta, datetime.timedelta]:
    """Returns the days of a duration, which are as long as the calendar has them, and the rest, which is exact."""
    found = _DURATION.fullmatch(text.strip())
    if not found or found[1] == "-" or not any(found.groups()[1:]):
        raise Unsupported(f"DURATION is {text[:60]!r}")
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in found.groups()[1:])
    return datetime.timedelta(weeks=weeks, days=days), datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _zone(name: str) -> datetime.tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Unsupported(f"the time zone {name[:60]!r} is not one of the IANA database") from None


__all__ = ["Calendar", "Event", "Malformed", "UTC"]
