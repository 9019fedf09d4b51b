"""What a calendar says, and which events come of it."""

import unittest
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ical.events import UTC, Calendar
from ical.parser import Malformed, parse

BERLIN = ZoneInfo("Europe/Berlin")


def calendar(*events: str) -> Calendar:
    """Returns a calendar with events, each given by its lines after the UID."""
    lines = ["BEGIN:VCALENDAR", "X-WR-CALNAME:Team"]
    for event in events:
        lines += ["BEGIN:VEVENT", *event.split("\n"), "END:VEVENT"]
    return Calendar("\r\n".join([*lines, "END:VCALENDAR", ""]).encode(), BERLIN)


def everything(found: Calendar) -> list[tuple[str, str, str]]:
    """Returns ids, beginnings and ends."""
    return [
        (e.id, e.start.isoformat(), e.end.isoformat())
        for e in found.between(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    ]


class Syntax(unittest.TestCase):
    def event(self, *lines: bytes):
        data = b"\r\n".join([b"BEGIN:VCALENDAR", b"BEGIN:VEVENT", *lines, b"END:VEVENT", b"END:VCALENDAR", b""])
        return parse(data)[0].components[0]

    def test_a_fold_may_cut_a_character(self) -> None:
        umlaut = "ü".encode()
        event = self.event(b"SUMMARY:M" + umlaut[:1] + b"\r\n " + umlaut[1:] + b"nchen\r\n\t calling")
        self.assertEqual(event.text("SUMMARY"), "München calling")

    def test_a_byte_order_mark_and_bytes_of_another_encoding_cost_nothing_else(self) -> None:
        calendar = parse(b"\xef\xbb\xbfBEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:M\xfcnchen\nUID:1\nEND:VEVENT\nEND:VCALENDAR")[0]
        self.assertEqual((calendar.components[0].text("SUMMARY"), calendar.components[0].text("UID")), ("M\ufffdnchen", "1"))

    def test_texts_are_escaped(self) -> None:
        event = self.event(rb"DESCRIPTION:one\, two\;\nthree\\nfour\N", b"SUMMARY:https://x.example:8080/;a,b")
        self.assertEqual(event.text("DESCRIPTION"), "one, two;\nthree\\nfour")
        self.assertEqual(event.text("SUMMARY"), "https://x.example:8080/;a,b")

    def test_parameters_may_hold_the_signs_that_separate_them(self) -> None:
        person = self.event(b'attendee;cn="Doe; Jane: ^\'J^\', Dr.";ROLE=CHAIR;DELEGATED-TO="mailto:a@x","mailto:b@x":mailto:j@x.example').first("ATTENDEE")
        self.assertEqual(dict(person.parameters), {"CN": 'Doe; Jane: "J", Dr.', "ROLE": "CHAIR", "DELEGATED-TO": "mailto:a@x"})
        self.assertEqual(person.value, "mailto:j@x.example")

    def test_components_keep_their_properties(self) -> None:
        event = self.event(b"SUMMARY:Talk", b"BEGIN:VALARM", b"SUMMARY:Alarm", b"END:VALARM", b"LOCATION:Room\xe2\x80\xa87")
        self.assertEqual([p.value for p in event.all("SUMMARY")], ["Talk"])
        self.assertEqual(event.text("LOCATION"), "Room\u20287")  # which is no end of a line here

    def test_what_is_no_calendar_or_not_a_whole_one_is_refused(self) -> None:
        for data in (b"", b"<html>Sign in</html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1", b"END:VCALENDAR", b"BEGIN:VCALENDAR\nEND:VEVENT\n"):
            with self.subTest(data), self.assertRaises(Malformed):
                parse(data)


class Times(unittest.TestCase):
    def check(self, lines: str, start: str, end: str) -> None:
        with self.subTest(lines):
            self.assertEqual(everything(calendar("UID:1\n" + lines)), [("1", start, end)])

    def test_every_form_of_a_beginning_and_an_end(self) -> None:
        nine, ten = "2026-01-05T09:00:00", "2026-01-05T10:00:00"
        self.check("DTSTART:20260105T090000Z\nDTEND:20260105T100000Z", nine + "+00:00", ten + "+00:00")
        self.check("DTSTART;TZID=America/New_York:20260105T090000\nDURATION:PT1H", nine + "-05:00", ten + "-05:00")
        self.check("DTSTART:20260105T090000\nDURATION:PT60M", nine + "+01:00", ten + "+01:00")  # the calendar's zone
        self.check("DTSTART:20260105T090000Z", nine + "+00:00", nine + "+00:00")
        self.check("DTSTART;VALUE=DATE:20260105", "2026-01-05T00:00:00+01:00", "2026-01-06T00:00:00+01:00")
        self.check("DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260108", "2026-01-05T00:00:00+01:00", "2026-01-08T00:00:00+01:00")
        self.check("DTSTART:20260105T090000Z\nDURATION:P1W", nine + "+00:00", "2026-01-12T09:00:00+00:00")
        self.check("DTSTART:20260105T090000Z\nDTEND:20260105T080000Z", nine + "+00:00", nine + "+00:00")  # not before it begins

    def test_the_night_in_which_clocks_are_put_forward(self) -> None:
        eve = "2026-03-28T23:00:00+01:00"
        self.check("DTSTART;TZID=Europe/Berlin:20260328T230000\nDURATION:PT24H", eve, "2026-03-30T00:00:00+02:00")
        self.check("DTSTART;TZID=Europe/Berlin:20260328T230000\nDURATION:P1D", eve, "2026-03-29T23:00:00+02:00")
        self.check("DTSTART;TZID=Europe/Berlin:20260328T230000\nDTEND;TZID=Europe/Berlin:20260329T030000", eve, "2026-03-29T03:00:00+02:00")
        self.check("DTSTART;VALUE=DATE:20260329", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00")
        found = calendar("UID:1\nDTSTART;TZID=Europe/Berlin:20260328T230000\nDTEND;TZID=Europe/Berlin:20260329T030000")
        event = next(found.find(["1"]))
        self.assertEqual(event.end.timestamp() - event.start.timestamp(), 3 * 3600)

    def test_a_series_keeps_the_time_on_the_wall(self) -> None:
        found = calendar("UID:1\nDTSTART;TZID=Europe/Berlin:20260323T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2")
        self.assertEqual([start for _, start, _ in everything(found)], ["2026-03-23T09:00:00+01:00", "2026-03-30T09:00:00+02:00"])

    def test_what_is_not_understood_is_left_out_with_the_reason(self) -> None:
        for lines, why in {
            "DTSTART;TZID=Pacific Standard Time:20260105T090000": "'Pacific Standard Time'",
            "DTSTART:20260230T090000Z": "'20260230T090000Z'",
            "DTSTART:tomorrow": "'tomorrow'",
            "SUMMARY:Never": "no DTSTART",
            "DTSTART:20260105T090000Z\nDTEND;VALUE=DATE:20260106": "begins at a date and ends at a time",
            "DTSTART:20260105T090000Z\nDURATION:-PT1H": "'-PT1H'",
            "DTSTART:20260105T090000Z\nDURATION:PT" + "9" * 5000 + "H": "DURATION",
            "DTSTART:99991231T235959Z\nDURATION:P9W": "out of bounds",
            "DTSTART:20260105T090000Z\nRDATE;VALUE=PERIOD:20260106T090000Z/PT1H": "RDATE",
            "DTSTART:20260105T090000Z\nEXRULE:FREQ=DAILY": "EXRULE",
            "DTSTART:20260105T090000Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260105T090000Z": "all that follow",
        }.items():
            with self.subTest(lines[:80]):
                found = calendar("UID:bad\n" + lines, "UID:good\nDTSTART:20260105T090000Z")
                self.assertEqual([id_ for id_, _, _ in everything(found)], ["good"])
                self.assertIn(why, found.skipped["bad"])
        self.assertIn("", calendar("DTSTART:20260105T090000Z").skipped)


class Series(unittest.TestCase):
    WEEKLY = "UID:w\nDTSTART;TZID=Europe/Berlin:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4"

    def starts(self, *events: str) -> list[str]:
        return [start for _, start, _ in everything(calendar(*events))]

    def test_instances_have_the_time_at_which_they_were_planned_in_their_ids(self) -> None:
        moved = "UID:w\nRECURRENCE-ID;TZID=Europe/Berlin:20260112T090000\nDTSTART:20260114T120000Z\nDTEND:20260114T123000Z"
        self.assertEqual(everything(calendar(self.WEEKLY, moved)), [
            ("w#20260105T080000Z", "2026-01-05T09:00:00+01:00", "2026-01-05T10:00:00+01:00"),
            ("w#20260112T080000Z", "2026-01-14T12:00:00+00:00", "2026-01-14T12:30:00+00:00"),
            ("w#20260119T080000Z", "2026-01-19T09:00:00+01:00", "2026-01-19T10:00:00+01:00"),
            ("w#20260126T080000Z", "2026-01-26T09:00:00+01:00", "2026-01-26T10:00:00+01:00"),
        ])

    def test_an_instance_is_found_where_it_was_moved_to(self) -> None:
        moved = "UID:w\nRECURRENCE-ID:20260126T080000Z\nDTSTART:20260101T120000Z\nDURATION:PT1H"
        found = calendar(self.WEEKLY, moved).between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
        self.assertEqual([e.id for e in found], ["w#20260126T080000Z"])
        self.assertEqual(len(self.starts(self.WEEKLY, moved)), 4)

    def test_instances_are_left_out_and_added(self) -> None:
        self.assertEqual(
            self.starts(self.WEEKLY + "\nEXDATE;TZID=Europe/Berlin:20260112T090000,20260119T090000\nRDATE:20260202T080000Z,20260105T080000Z"),
            ["2026-01-05T09:00:00+01:00", "2026-01-26T09:00:00+01:00", "2026-02-02T08:00:00+00:00"],
        )
        self.assertEqual(len(self.starts(self.WEEKLY + "\nEXDATE;VALUE=DATE:20260112")), 3)

    def test_what_is_cancelled_or_not_public_is_not_there(self) -> None:
        cancelled = "UID:w\nRECURRENCE-ID:20260112T080000Z\nDTSTART:20260112T080000Z\nSTATUS:CANCELLED"
        self.assertEqual(len(self.starts(self.WEEKLY, cancelled)), 3)
        moved = "UID:w\nRECURRENCE-ID:20260112T080000Z\nDTSTART:20260112T090000Z"
        for line in ("STATUS:CANCELLED", "CLASS:PRIVATE", "CLASS:CONFIDENTIAL", "CLASS:X-SECRET"):
            self.assertEqual(self.starts(self.WEEKLY + "\n" + line, moved), [], line)
            self.assertEqual(self.starts("UID:1\nDTSTART:20260105T090000Z\n" + line), [], line)

    def test_of_revisions_the_latest_counts(self) -> None:
        old, new = "UID:1\nDTSTART:20260105T090000Z\nSEQUENCE:1", "UID:1\nDTSTART:20260106T090000Z\nSEQUENCE:2"
        for events in ((old, new), (new, old)):
            self.assertEqual(self.starts(*events), ["2026-01-06T09:00:00+00:00"])

    def test_an_instance_may_come_without_its_series(self) -> None:
        self.assertEqual(
            everything(calendar("UID:w\nRECURRENCE-ID:20260112T080000Z\nDTSTART:20260112T090000Z")),
            [("w#20260112T080000Z", "2026-01-12T09:00:00+00:00", "2026-01-12T09:00:00+00:00")],
        )

    def test_a_last_day_counts_as_a_whole(self) -> None:
        daily = "UID:1\nDTSTART:20260105T230000Z\nRRULE:FREQ=DAILY;UNTIL=20260107"
        self.assertEqual(len(self.starts(daily)), 3)
        self.assertEqual(len(self.starts("UID:1\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=DAILY;UNTIL=20260107")), 3)
        self.assertEqual(len(self.starts("UID:1\nDTSTART;TZID=Europe/Berlin:20260105T230000\nRRULE:FREQ=DAILY;UNTIL=20260107T220000Z")), 3)
        self.assertEqual(len(self.starts("UID:1\nDTSTART;TZID=Europe/Berlin:20260105T230000\nRRULE:FREQ=DAILY;UNTIL=20260107T215959Z")), 2)

    def test_everything_that_is_listed_is_found_by_its_id(self) -> None:
        found = calendar(
            self.WEEKLY,
            "UID:w\nRECURRENCE-ID:20260112T080000Z\nDTSTART:20270101T090000Z",
            "UID:single\nDTSTART:20260105T090000Z",
            "UID:like#20260105\nDTSTART:20260105T090000Z",
            "UID:days\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=DAILY;COUNT=3",
            "UID:with spaces, ü and more\nDTSTART:20260105T090000Z\nRRULE:FREQ=DAILY;COUNT=2",
            "UID:" + "long" * 50 + "\nDTSTART:20260105T090000Z",
            "UID:more\nDTSTART:20260105T090000Z\nRDATE:20280105T090000Z",
        )
        listed = found.between(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        self.assertEqual(len(listed), 14)
        self.assertEqual(len({e.id for e in listed}), 14)
        for event in listed:
            self.assertRegex(event.id, r"^[!-~]{1,128}$")
            self.assertEqual(list(found.find([event.id])), [event])
        by_id = sorted(found.find([e.id for e in listed]), key=lambda e: (e.start.timestamp(), e.id))
        self.assertEqual(by_id, listed)
        for unknown in ("", "x", "w", "w#20260106T080000Z", "w#99999999", "w#20260105", "single#20260105T090000Z", "days#20260108"):
            self.assertEqual(list(found.find([unknown])), [], unknown)

    def test_a_series_without_an_end_is_cut_at_the_window(self) -> None:
        found = calendar("UID:1\nDTSTART:20260105T090000Z\nRRULE:FREQ=DAILY")
        begin = datetime(2026, 3, 1, 9, tzinfo=UTC)
        self.assertEqual([e.start for e in found.between(begin, begin + timedelta(days=2))], [begin, begin + timedelta(days=1)])
