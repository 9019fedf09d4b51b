"""A connector to calendars in the iCalendar format, RFC 5545."""
