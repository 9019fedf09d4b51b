"""The connector: what it offers, and how events become records."""

from __future__ import annotations

import datetime
import json
import logging
import zoneinfo
from collections.abc import Iterator
from typing import Any

from durasync.connector.v1 import connector_pb2 as pb
from ical.events import UTC, Calendar, Event, Malformed
from ical.feed import FileFeed, WebFeed
from ical.parser import Component, Property
from serving import Call, ConnectorError, Source

log = logging.getLogger(__name__)

VERSION = "1.0.0"
STREAM = "events"
UNTITLED = "Untitled event"

STRING, INT, BOOL, TIME = (pb.Type(kind=kind) for kind in ("string", "int", "bool", "time"))

PERSON = pb.Type(kind="struct", fields=[
    pb.Field(name="name", type=STRING, semantic="participant.name", doc="The name (CN)."),
    pb.Field(name="email", type=STRING, semantic="participant.email", doc="The address, in lower case."),
    pb.Field(name="response", type=STRING, doc="What the person answered (PARTSTAT), in lower case, such as accepted or needs-action."),
])

FIELDS = [
    pb.Field(name="id", type=STRING, semantic="meeting.id",
             doc="The UID; of an instance of a series, the UID and the time at which it was planned to begin."),
    pb.Field(name="uid", type=STRING, doc="The UID, which all instances of a series share."),
    pb.Field(name="title", type=STRING, semantic="meeting.title", doc=f'The title (SUMMARY); "{UNTITLED}" if there is none.'),
    pb.Field(name="started", type=TIME, semantic="meeting.started", doc="When it begins (DTSTART), with the offset of its time zone."),
    pb.Field(name="duration", type=INT, semantic="meeting.duration", doc="How long it takes, in seconds (DTEND or DURATION)."),
    pb.Field(name="all_day", type=BOOL, doc="Whether it has dates and no times."),
    pb.Field(name="url", type=STRING, semantic="meeting.url", doc="A page about it (URL)."),
    pb.Field(name="location", type=STRING, doc="Where it takes place (LOCATION)."),
    pb.Field(name="description", type=STRING, semantic="meeting.purpose", doc="The text of the invitation (DESCRIPTION)."),
    pb.Field(name="host_email", type=STRING, semantic="meeting.host_email", doc="The address of who invites (ORGANIZER), in lower case."),
    pb.Field(name="host_name", type=STRING, doc="The name of who invites (ORGANIZER, CN)."),
    pb.Field(name="participants", type=pb.Type(kind="list", elem=PERSON), semantic="meeting.participants",
             doc="Who invites and who is invited (ORGANIZER, ATTENDEE), without rooms and without those who declined."),
]

DESCRIPTION = pb.DescribeResponse(
    name="ical",
    version=VERSION,
    doc="A calendar in the iCalendar format, from a URL or a file: every calendar program offers one under a name such as \"secret "
        "address in iCal format\".",
    config=[
        pb.Attribute(name="url", type=STRING, sensitive=True,
                     doc="Where the calendar is: https://, http:// or webcal://. Either url or path is set."),
        pb.Attribute(name="path", type=STRING, doc="The calendar's file, absolute, on the machine where the job runs."),
        pb.Attribute(name="timezone", type=STRING, default=b'"UTC"',
                     doc="The time zone of events that last whole days, and of times that have none, such as Europe/Berlin."),
    ],
    streams=[pb.Stream(
        name=STREAM,
        record="event",
        doc="The events of the calendar, by the time at which they begin, with every instance of a series on its own. Those that are "
            "cancelled, or not public, are left out. An event waits until it is over.",
        max_read=100,
        fields=FIELDS,
    )],
)


class Calendars(Source):
    """A source of the events of one calendar. Every call reads it anew: nothing can be out of date."""

    page_size = 500

    def __init__(self) -> None:
        self._feed: WebFeed | FileFeed | None = None
        self._zone: datetime.tzinfo = UTC

    def describe(self) -> pb.DescribeResponse:
        return DESCRIPTION

    def configure(self, config: dict[str, Any]) -> pb.ConfigureResponse:
        url: str = config.get("url") or ""
        path: str = config.get("path") or ""
        if bool(url) == bool(path):
            raise ConnectorError("invalid_config", "set either url or path", attribute="path" if path else "url")
        try:
            self._zone = zoneinfo.ZoneInfo(config["timezone"])
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ConnectorError(
                "invalid_config", f"{config['timezone']!r} is no time zone; they have names such as Europe/Berlin", attribute="timezone"
            ) from None
        self._feed = WebFeed(url, f"durasync-connector-ical/{VERSION}") if url else FileFeed(path)
        return pb.ConfigureResponse()

    def check(self, call: Call) -> str:
        calendar = self._calendar(call)
        summary = f"{calendar.name or 'a calendar'}, {len(calendar)} events and series"
        if calendar.skipped:
            uid, why = next(iter(calendar.skipped.items()))
            summary += f"; {len(calendar.skipped)} more are left out, such as {uid[:60]!r}: {why}"
        return summary

    def list(self, request: pb.ListRequest, call: Call) -> pb.ListResponse:
        self._must_be_offered(request.stream)
        after = _position(request.page_token) if request.page_token else None
        begin, end = getattr(request, "from"), request.to  # from is a word of Python
        # Python's times have no nanoseconds, so the window is taken a little larger and then cut.
        found = self._calendar(call).between(begin.ToDatetime(UTC), end.ToDatetime(UTC) + datetime.timedelta(microseconds=1))
        events = [
            event for event in found
            if (after is None or _place(event) > after)
            and (begin.seconds, begin.nanos) <= (_place(event)[0], 0) < (end.seconds, end.nanos)
        ]
        response = pb.ListResponse()
        for event in events[: self.page_size]:
            response.entries.add(id=event.id).time.FromSeconds(_place(event)[0])
        if len(events) > self.page_size:
            response.next_page_token = json.dumps(_place(events[self.page_size - 1])).encode()
        return response

    def read(self, request: pb.ReadRequest, call: Call) -> Iterator[pb.Record]:
        self._must_be_offered(request.stream)
        if not 1 <= len(request.ids) <= DESCRIPTION.streams[0].max_read:
            raise ConnectorError("invalid_request", f"a read takes 1 to {DESCRIPTION.streams[0].max_read} ids, not {len(request.ids)}")
        if unknown := set(request.fields) - {field.name for field in FIELDS}:
            raise ConnectorError("invalid_request", f"events have no field {min(unknown)!r}")
        now = datetime.datetime.now(UTC)
        return (_record(event, set(request.fields), now) for event in self._calendar(call).find(request.ids))

    def _calendar(self, call: Call) -> Calendar:
        if self._feed is None:
            raise ConnectorError("invalid_request", "the connector is not configured")
        try:
            calendar = Calendar(self._feed.fetch(call), self._zone)
        except Malformed as error:
            raise ConnectorError("invalid_config", f"{self._feed.name} is not in the iCalendar format: {error}") from None
        for uid, why in calendar.skipped.items():
            log.warning("an event is left out: %r: %s", uid, why)
        call.check()
        return calendar

    @staticmethod
    def _must_be_offered(stream: str) -> None:
        if stream != STREAM:
            raise ConnectorError("invalid_request", f"there is no stream {stream!r}")


def _place(event: Event) -> tuple[int, str]:
    """Returns an event's place in the order of a listing."""
    return int(event.start.timestamp()), event.id


def _position(token: bytes) -> tuple[int, str]:
    """Returns the place after which a page begins."""
    try:
        seconds, id_ = json.loads(token)
        return int(seconds), str(id_)
    except (ValueError, TypeError):
        raise ConnectorError("expired", "the page token is not one of this version of the connector") from None


def _record(event: Event, fields: set[str], now: datetime.datetime) -> pb.Record:
    component, host = event.component, event.component.first("ORGANIZER")
    values = {
        "id": event.id,
        "uid": component.text("UID"),
        "title": component.text("SUMMARY") or UNTITLED,
        "started": event.start.isoformat(timespec="seconds"),
        "duration": int(event.end.timestamp() - event.start.timestamp()),
        "all_day": event.all_day,
        "url": _url(component),
        "location": component.text("LOCATION"),
        "description": component.text("DESCRIPTION"),
        "host_email": _address(host),
        "host_name": _name(host),
        "participants": _participants(component),
    }
    record = pb.Record(
        id=event.id,
        url=_url(component),
        pending="it is not over yet" if event.end > now else "",
        data=json.dumps({name: value for name, value in values.items() if name in fields and value != ""}).encode(),
    )
    record.time.FromSeconds(_place(event)[0])
    return record


def _participants(component: Component) -> list[dict[str, str]]:
    """Returns the people, each once. Who invites is often, and need not be, among those who are invited."""
    people: dict[str, dict[str, str]] = {}
    declined: set[str] = set()
    for prop in component.all("ATTENDEE") + component.all("ORGANIZER"):
        email, name = _address(prop), _name(prop)
        who = email or name
        if not who or prop.parameters.get("CUTYPE", "").upper() in ("ROOM", "RESOURCE"):
            continue
        response = prop.parameters.get("PARTSTAT", "needs-action" if prop.name == "ATTENDEE" else "accepted").lower()
        if response == "declined":
            declined.add(who)
        person = {"name": name, "email": email, "response": response}
        people.setdefault(who, {key: value for key, value in person.items() if value})
    return [person for who, person in people.items() if who not in declined]


def _address(prop: Property | None) -> str:
    """Returns the address of a person; empty if there is none."""
    if prop is None:
        return ""
    scheme, _, address = prop.value.strip().partition(":")
    if scheme.lower() != "mailto":
        address = prop.parameters.get("EMAIL", "")  # which some programs write beside an address of their own
    return address.strip().lower()


def _name(prop: Property | None) -> str:
    """Returns the name of a person; empty if there is none but the address."""
    name = prop.parameters.get("CN", "").strip() if prop else ""
    return "" if "@" in name and name.lower() == _address(prop) else name


def _url(component: Component) -> str:
    prop = component.first("URL")
    return prop.value.strip() if prop else ""
