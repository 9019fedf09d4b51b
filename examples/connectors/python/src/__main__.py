"""The program durasync-connector-ical."""

from ical.connector import Calendars
from serving import serve

serve(Calendars())
