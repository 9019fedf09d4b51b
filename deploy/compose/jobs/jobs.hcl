# Each meeting becomes a touchpoint on the account that its participants belong to, every night at 23:00. examples/gong-to-totango
# shows what can be set.

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
