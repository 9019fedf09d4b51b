# Each external meeting becomes one line of a file: {"key":"gong/calls/7782342274025937895","id":...}. A meeting that is in the file is
# not written again. A job whose source is connection.file.meetings, stream "rows", can take the lines on to somewhere else: there
# row.values.title is the title.

job "gong_to_file" {
  description = "Gong meetings are written to a file"

  source {
    connection = connection.gong.acme
    stream     = "calls"
    where      = call.scope == "External"
  }

  destination {
    connection = connection.file.meetings
    object     = "row"
  }

  map {
    values = {
      id           = call.id
      time         = call.started
      title        = call.title
      url          = call.url
      minutes      = call.duration == null ? null : ceil(call.duration / 60)
      host         = call.host_email
      participants = [for p in call.parties : p.email if p.email != null]
      brief        = call.brief
    }
  }

  schedule {
    every = "1h"
  }
}
