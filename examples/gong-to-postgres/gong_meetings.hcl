# Each external meeting becomes one row of a table, and a meeting that Gong changes within the overlap changes its row. The table has to
# be there, with a unique index on its key:
#
#   CREATE SCHEMA sales;
#   CREATE TABLE sales.meetings (
#     id           text PRIMARY KEY,
#     time         timestamptz NOT NULL,
#     title        text,
#     url          text,
#     minutes      integer,
#     host         text,
#     participants text[],
#     brief        text
#   );
#   CREATE INDEX ON sales.meetings (time, id); -- for jobs that read the table
#
# A job whose source is connection.postgres.meetings, stream "rows", can take the rows on to somewhere else: there row.values.title is
# the title.

job "gong_to_postgres" {
  description = "Gong meetings are written to a table"

  source {
    connection = connection.gong.acme
    stream     = "calls"
    where      = call.scope == "External"
  }

  destination {
    connection = connection.postgres.meetings
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
