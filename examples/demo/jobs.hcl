# A job says what goes from where to where. This one leaves everything else to its defaults: each meeting becomes a touchpoint on the
# account that its participants belong to, with the title, date, host, participants and text of the meeting, every night at 23:00.
# examples/gong-to-totango shows what can be set.

job "gong_meetings" {
  description = "Gong meetings become Totango touchpoints"

  source {
    connection = connection.gong.sandbox
    stream     = "calls"
    initial    = "30d" # the first run looks back this far; without it, 7 days
  }

  destination {
    connection = connection.totango.sandbox
    object     = "touchpoint"
  }
}
