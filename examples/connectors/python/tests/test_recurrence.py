"""The examples of RFC 5545, section 3.8.5.3, with the results that stand there."""

import unittest
from datetime import datetime

from ical.events import UTC, Calendar


def calendar(*lines: str) -> Calendar:
    """Returns a calendar with one event, at nine in New York for an hour."""
    event = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", "DURATION:PT1H", *lines, "END:VEVENT", "END:VCALENDAR", ""]
    return Calendar("\r\n".join(event).encode(), UTC)


class Examples(unittest.TestCase):
    def check(self, start: str, rule: str, want: str, count: int = 0) -> None:
        """Checks that the first instances are on the days, each month followed by its days, at nine o'clock in New York."""
        with self.subTest(rule):
            found = calendar(f"DTSTART;TZID=America/New_York:{start}T090000", *rule.split()).between(
                datetime(1990, 1, 1, tzinfo=UTC), datetime(2010, 1, 1, tzinfo=UTC)
            )
            days = []
            for part in want.split(";"):
                month, numbers = part.split(":")
                days += [f"{month.strip()}-{int(day):02d}" for day in numbers.split(",")]
            self.assertEqual([e.start.strftime("%Y-%m-%d") for e in found][: len(days)], days)
            self.assertEqual({e.start.strftime("%H:%M") for e in found}, {"09:00"})
            if count:
                self.assertEqual(len(found), count)

    def test_by_day(self) -> None:
        self.check("19970902", "RRULE:FREQ=DAILY;COUNT=10", "1997-09:2,3,4,5,6,7,8,9,10,11", 10)
        self.check("19970902", "RRULE:FREQ=DAILY;UNTIL=19971224T000000Z", "1997-09:2,3", 113)
        self.check("19970902", "RRULE:FREQ=DAILY;INTERVAL=2", "1997-09:2,4,6,8,10,12,14,16,18,20,22,24,26,28,30;1997-10:2")
        self.check("19970902", "RRULE:FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09:2,12,22;1997-10:2,12", 5)
        self.check("19980101", "RRULE:FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "1998-01:1,2,3", 93)

    def test_by_week(self) -> None:
        self.check("19970902", "RRULE:FREQ=WEEKLY;COUNT=10", "1997-09:2,9,16,23,30;1997-10:7,14,21,28;1997-11:4", 10)
        self.check("19970902", "RRULE:FREQ=WEEKLY;UNTIL=19971224T000000Z", "1997-09:2,9,16,23,30", 17)
        self.check("19970902", "RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997-09:2,16,30;1997-10:14,28;1997-11:11,25;1997-12:9,23")
        tuesday_thursday = "1997-09:2,4,9,11,16,18,23,25,30;1997-10:2"
        self.check("19970902", "RRULE:FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH", tuesday_thursday, 10)
        self.check("19970902", "RRULE:FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", tuesday_thursday, 10)
        self.check(
            "19970901", "RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
            "1997-09:1,3,5,15,17,19,29;1997-10:1,3,13,15,17,27,29,31;1997-11:10,12,14,24,26,28;1997-12:8,10,12,22", 25,
        )
        self.check("19970902", "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997-09:2,4,16,18,30;1997-10:2,14,16", 8)
        self.check("19970805", "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08:5,10,19,24", 4)
        self.check("19970805", "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08:5,17,19,31", 4)

    def test_by_month(self) -> None:
        self.check(
            "19970905", "RRULE:FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
            "1997-09:5;1997-10:3;1997-11:7;1997-12:5;1998-01:2;1998-02:6;1998-03:6;1998-04:3;1998-05:1;1998-06:5", 10,
        )
        self.check(
            "19970907", "RRULE:FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
            "1997-09:7,28;1997-11:2,30;1998-01:4,25;1998-03:1,29;1998-05:3,31", 10,
        )
        self.check("19970922", "RRULE:FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09:22;1997-10:20;1997-11:17;1997-12:22;1998-01:19;1998-02:16", 6)
        self.check("19970928", "RRULE:FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09:28;1997-10:29;1997-11:28;1997-12:29;1998-01:29;1998-02:26")
        self.check(
            "19970902", "RRULE:FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15", "1997-09:2,15;1997-10:2,15;1997-11:2,15;1997-12:2,15;1998-01:2,15", 10,
        )
        self.check(
            "19970930", "RRULE:FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
            "1997-09:30;1997-10:1,31;1997-11:1,30;1997-12:1,31;1998-01:1,31;1998-02:1", 10,
        )
        self.check(
            "19970910", "RRULE:FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
            "1997-09:10,11,12,13,14,15;1999-03:10,11,12,13", 10,
        )
        self.check("19970902", "RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=TU", "1997-09:2,9,16,23,30;1997-11:4,11,18,25;1998-01:6,13,20,27")
        self.check(
            "19970902", "EXDATE;TZID=America/New_York:19970902T090000 RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            "1998-02:13;1998-03:13;1998-11:13;1999-08:13;2000-10:13",
        )
        self.check(
            "19970913", "RRULE:FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
            "1997-09:13;1997-10:11;1997-11:8;1997-12:13;1998-01:10;1998-02:7;1998-03:7;1998-04:11;1998-05:9;1998-06:13",
        )
        self.check("19970904", "RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09:4;1997-10:7;1997-11:6", 3)
        self.check(
            "19970929", "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
            "1997-09:29;1997-10:30;1997-11:27;1997-12:30;1998-01:29;1998-02:26;1998-03:30",
        )
        self.check("20070115", "RRULE:FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01:15,30;2007-02:15;2007-03:15,30", 5)

    def test_by_year(self) -> None:
        self.check(
            "19970610", "RRULE:FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
            "1997-06:10;1997-07:10;1998-06:10;1998-07:10;1999-06:10;1999-07:10;2000-06:10;2000-07:10;2001-06:10;2001-07:10", 10,
        )
        self.check(
            "19970310", "RRULE:FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
            "1997-03:10;1999-01:10;1999-02:10;1999-03:10;2001-01:10;2001-02:10;2001-03:10;2003-01:10;2003-02:10;2003-03:10", 10,
        )
        self.check("19970313", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997-03:13,20,27;1998-03:5,12,19,26;1999-03:4,11,18,25")
        self.check(
            "19961105", "RRULE:FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11:5;2000-11:7;2004-11:2",
        )
        self.check("20000229", "RRULE:FREQ=YEARLY", "2000-02:29;2004-02:29;2008-02:29", 3)  # not of the RFC's: a day that most years lack

    def test_what_is_not_supported_is_left_out_as_a_whole(self) -> None:
        for rule in (
            "FREQ=HOURLY;INTERVAL=3", "FREQ=YEARLY;BYDAY=20MO", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "FREQ=YEARLY;BYYEARDAY=1,100",
            "FREQ=DAILY;BYHOUR=9,10", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=WEEKLY;BYSETPOS=1;BYDAY=MO", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=x",
            "FREQ=MONTHLY;BYDAY=0MO", "COUNT=3", "FREQ=DAILY;UNTIL=soon", "RSCALE=CHINESE;FREQ=YEARLY", "",
        ):
            with self.subTest(rule):
                found = calendar("DTSTART:19970902T090000Z", f"RRULE:{rule}")
                self.assertEqual(found.between(datetime(1990, 1, 1, tzinfo=UTC), datetime(2010, 1, 1, tzinfo=UTC)), [])
                self.assertIn("1", found.skipped)
