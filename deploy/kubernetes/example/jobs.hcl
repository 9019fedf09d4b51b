job "gong_meetings" {
  description = "Gong meetings become Totango touchpoints"

  source {
    connection = connection.gong.acme
    stream     = "calls"
  }

  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }

  schedule {
    daily    = "23:00"
    timezone = "America/New_York"
  }
}
