# Zoom meetings become Totango touchpoints, with the summary that AI Companion wrote. There is no map block: the fields of a meeting
# find the attributes of a touchpoint by themselves; `durasync show zoom_meetings` says which.

job "zoom_meetings" {
  description = "Zoom meetings become Totango touchpoints"

  source {
    connection = connection.zoom.acme
    stream     = "meetings"
    grace      = "12h" # how long a meeting waits for its summary
  }

  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }

  # Zoom hides most addresses of people outside of the account. Those that it shows decide, and their domain does if Totango does not know
  # them: a meeting in which nobody's address is shown is rejected.
  resolve {
    domain_fallback = true
  }

  schedule {
    daily = "23:00"
  }
}
