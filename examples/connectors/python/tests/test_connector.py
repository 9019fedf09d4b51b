"""What the connector makes of configurations, pages and events. How it reads from servers is examined by durasync's own tests."""

import json
import logging
import os
import tempfile
import unittest
from datetime import datetime

from durasync.connector.v1 import connector_pb2 as pb
from ical.connector import DESCRIPTION, FIELDS, Calendars
from ical.events import UTC
from serving import Call, ConnectorError

FULL = r"""BEGIN:VCALENDAR
X-WR-CALNAME:Customer success
BEGIN:VEVENT
UID:full@x
DTSTART;TZID=Europe/Berlin:20260105T090000
DTEND;TZID=Europe/Berlin:20260105T094500
SUMMARY:Review\, Q4
DESCRIPTION:Agenda\n- numbers
LOCATION:Room 7
URL:https://meet.example/7
ORGANIZER;CN=Hana Host:mailto:Hana@Ours.example
ATTENDEE;CN=hana@ours.example;PARTSTAT=ACCEPTED:mailto:hana@ours.example
ATTENDEE;CN=Pat;PARTSTAT=TENTATIVE:MAILTO:pat@acme.example
ATTENDEE;CN=Kim;EMAIL=kim@acme.example:urn:uuid:1
ATTENDEE;CN=Nobody;PARTSTAT=DECLINED:mailto:no@acme.example
ATTENDEE;CUTYPE=ROOM;CN=Room 7:mailto:room7@ours.example
END:VEVENT
BEGIN:VEVENT
UID:bare@x
DTSTART;VALUE=DATE:20260106
END:VEVENT
BEGIN:VEVENT
UID:declined@x
DTSTART:20260107T090000Z
ORGANIZER:mailto:hana@ours.example
ATTENDEE;PARTSTAT=DECLINED:mailto:hana@ours.example
END:VEVENT
BEGIN:VEVENT
UID:future@x
DTSTART:21500105T090000Z
END:VEVENT
BEGIN:VEVENT
UID:odd@x
DTSTART;TZID=Nowhere:20260105T090000
END:VEVENT
END:VCALENDAR
"""


class Context:
    """As much of gRPC's as a call needs."""

    def is_active(self) -> bool:
        return True

    def add_callback(self, callback: object) -> bool:
        return True


def call() -> Call:
    return Call(Context())


class CalendarFile(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable()
        self.addCleanup(logging.disable, logging.NOTSET)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "team.ics")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(FULL)
        self.calendars = Calendars()
        self.calendars.configure({"path": self.path, "timezone": "Europe/Berlin"})

    def read(self, *ids: str, fields: list[str] | None = None) -> list[pb.Record]:
        names = [f.name for f in FIELDS] if fields is None else fields
        return list(self.calendars.read(pb.ReadRequest(stream="events", ids=ids, fields=names), call()))

    def list(self, start: datetime, end: datetime, token: bytes = b"") -> pb.ListResponse:
        request = pb.ListRequest(stream="events", to=pb.ListRequest().to, page_token=token)
        getattr(request, "from").FromDatetime(start)
        request.to.FromDatetime(end)
        return self.calendars.list(request, call())

    def refused(self, code: str, says: str, call_: object, *args: object) -> ConnectorError:
        with self.assertRaises(ConnectorError) as caught:
            call_(*args)
        self.assertEqual(caught.exception.code, code)
        self.assertIn(says, str(caught.exception))
        return caught.exception

    def test_an_event_with_everything(self) -> None:
        record, = self.read("full@x")
        self.assertEqual(record.time.ToDatetime(UTC), datetime(2026, 1, 5, 8, tzinfo=UTC))
        self.assertEqual((record.url, record.pending), ("https://meet.example/7", ""))
        self.assertEqual(json.loads(record.data), {
            "id": "full@x", "uid": "full@x", "title": "Review, Q4", "started": "2026-01-05T09:00:00+01:00", "duration": 2700, "all_day": False,
            "url": "https://meet.example/7", "location": "Room 7", "description": "Agenda\n- numbers",
            "host_email": "hana@ours.example", "host_name": "Hana Host",
            "participants": [
                {"email": "hana@ours.example", "response": "accepted"},
                {"name": "Pat", "email": "pat@acme.example", "response": "tentative"},
                {"name": "Kim", "email": "kim@acme.example", "response": "needs-action"},
            ],
        })

    def test_an_event_with_next_to_nothing(self) -> None:
        record, = self.read("bare@x")
        self.assertEqual(json.loads(record.data), {
            "id": "bare@x", "uid": "bare@x", "title": "Untitled event", "started": "2026-01-06T00:00:00+01:00", "duration": 86400,
            "all_day": True, "participants": [],
        })

    def test_who_invites_may_decline(self) -> None:
        self.assertEqual(json.loads(self.read("declined@x", fields=["participants"])[0].data), {"participants": []})

    def test_an_event_waits_until_it_is_over(self) -> None:
        self.assertEqual([r.pending for r in self.read("future@x")], ["it is not over yet"])

    def test_what_does_not_exist_is_left_out(self) -> None:
        self.assertEqual(self.read("odd@x", "other@x"), [])

    def test_pages_follow_each_other_whatever_happens_to_the_calendar(self) -> None:
        self.calendars.page_size = 2
        begin, end = datetime(2026, 1, 1), datetime(2027, 1, 1)
        first = self.list(begin, end)
        self.assertEqual([e.id for e in first.entries], ["full@x", "bare@x"])
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(FULL.replace("full@x", "gone@x"))
        last = self.list(begin, end, first.next_page_token)
        self.assertEqual([e.id for e in last.entries], ["declined@x"])
        self.assertEqual(last.next_page_token, b"")
        for token in (b"x", b"[1]", b"{}", b"\xff", b'["a", "b"]'):
            self.refused("expired", "page token", self.list, begin, end, token)

    def test_a_window_is_exact(self) -> None:
        nine, after = datetime(2026, 1, 5, 8), datetime(2026, 1, 5, 8, 0, 0, 1)
        self.assertEqual([e.id for e in self.list(nine, after).entries], ["full@x"])
        self.assertEqual([e.id for e in self.list(after, datetime(2026, 1, 5, 9)).entries], [])
        self.assertEqual([e.id for e in self.list(datetime(2026, 1, 5), nine).entries], [])
        at, request = int(nine.replace(tzinfo=UTC).timestamp()), pb.ListRequest(stream="events")
        for begin, end, want in (((at, 0), (at, 1), ["full@x"]), ((at, 1), (at + 1, 0), []), ((at - 1, 0), (at, 0), [])):
            getattr(request, "from").seconds, getattr(request, "from").nanos = begin
            request.to.seconds, request.to.nanos = end
            self.assertEqual([e.id for e in self.calendars.list(request, call()).entries], want)

    def test_check_says_what_it_found_and_what_it_leaves_out(self) -> None:
        said = self.calendars.check(call())
        self.assertEqual(said, "Customer success, 4 events and series; 1 more are left out, such as 'odd@x': "
                               "the time zone 'Nowhere' is not one of the IANA database")

    def test_files_that_cannot_be_read(self) -> None:
        directory = os.path.dirname(self.path)
        fifo = os.path.join(directory, "fifo")
        os.mkfifo(fifo)
        text = os.path.join(directory, "text")
        with open(text, "w", encoding="utf-8") as file:
            file.write("Hello")
        for path, code, says in (
            (os.path.join(directory, "none.ics"), "not_found", "does not exist"),
            (directory, "invalid_config", "is no file"),
            (fifo, "invalid_config", "is no file"),
            (text, "invalid_config", "not in the iCalendar format"),
        ):
            with self.subTest(path):
                self.calendars.configure({"path": path, "timezone": "UTC"})
                self.refused(code, says, self.calendars.check, call())

    def test_configurations_that_cannot_work(self) -> None:
        for config, attribute in (
            ({}, "url"),
            ({"url": "https://x.example/a.ics", "path": "/a.ics"}, "path"),
            ({"path": "a.ics"}, "path"),
            ({"path": "/a\0.ics"}, "path"),
            ({"url": "x.example/secret"}, "url"),
            ({"url": "ftp://x.example/secret"}, "url"),
            ({"url": "https:///secret"}, "url"),
            ({"url": "https://me:secret@x.example/"}, "url"),
            ({"url": "https://[secret"}, "url"),
            ({"url": "https://x.example:secret/"}, "url"),
            ({"url": "https://x.example/se cret"}, "url"),
            ({"path": "/a.ics", "timezone": "Europe/Berln"}, "timezone"),
            ({"path": "/a.ics", "timezone": "Europe"}, "timezone"),
            ({"path": "/a.ics", "timezone": "../../etc/passwd"}, "timezone"),
        ):
            with self.subTest(config):
                error = self.refused("invalid_config", "", Calendars().configure, {"timezone": "UTC", **config})
                self.assertEqual(error.attribute, attribute)
                self.assertNotIn("secret", str(error))

    def test_questions_that_make_no_sense(self) -> None:
        self.refused("invalid_request", "no stream 'meetings'", self.calendars.list, pb.ListRequest(stream="meetings"), call())
        self.refused("invalid_request", "no stream 'meetings'", self.calendars.read, pb.ReadRequest(stream="meetings"), call())
        self.refused("invalid_request", "not 0", self.calendars.read, pb.ReadRequest(stream="events"), call())
        self.refused("invalid_request", "'nme'", self.calendars.read, pb.ReadRequest(stream="events", ids=["1"], fields=["nme"]), call())
        self.refused("invalid_request", "not configured", Calendars().check, call())

    def test_the_description_does_not_change(self) -> None:
        self.assertIs(Calendars().describe(), DESCRIPTION)
