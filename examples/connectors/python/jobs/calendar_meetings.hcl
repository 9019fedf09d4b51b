# Meetings in a calendar become Totango touchpoints. There is no map block: the fields of an event find the attributes of a touchpoint
# by themselves; `durasync show calendar_meetings` says which.

job "calendar_meetings" {
  description = "Calendar meetings become Totango touchpoints"

  source {
    connection = connection.ical.team
    stream     = "events"
    initial    = "30d"
    where      = !event.all_day
  }

  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }

  schedule {
    daily = "23:00"
  }
}
