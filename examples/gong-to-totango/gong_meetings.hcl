# Gong meetings become Totango touchpoints. The blocks source and destination are all that a job needs: leave out the others and it
# does what the comments call the default.
#
#   durasync validate              checks the files without touching either system
#   durasync dev                   runs everything on this machine, with Temporal and its web UI
#   durasync sync gong_meetings    runs the job now

job "gong_meetings" {
  description = "Gong meetings become Totango touchpoints"

  source {
    connection = connection.gong.acme
    stream     = "calls"
    initial    = "7d" # how far back the first run looks (default)
    overlap    = "7d" # how far back later runs look again, for meetings that Gong published late (default)

    # Only meetings with people from outside. Private calls are never read, whatever this says.
    where = call.scope == "External"
  }

  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }

  # What a touchpoint holds. `call` is the meeting; its fields are in the connector's documentation. Attributes that are not set here
  # (date, creator, participants, ...) come from the meeting by themselves.
  map {
    flow    = "adoption" # default: the account's default flow
    content = templatefile("notes.tmpl", { call = call })

    # Locked attributes, which make a touchpoint what it is, can be set beside override = true only.
    # override = true
    # subject  = "[Gong] ${call.title}"
  }

  # Whose timeline it goes on: the account that Totango knows the participants of.
  resolve {
    on_ambiguous     = "most_participants" # if several accounts took part (default); or "contact_first", "host_team", "first", "skip"
    internal_domains = ["acme.com"]        # besides those whom Gong says to be yours

    # People whom Totango knows under another address, and, last of all, the account that others of the same domain belong to:
    # aliases         = { "pat@old.example" = "pat@new.example" }
    # domain_fallback = true
  }

  settings {
    allow_create = true # touchpoints are created and never changed, so this is always true
  }

  schedule {
    daily         = "23:00"            # right before Totango's daily processing (default); or workdays, weekly, every, cron, ...
    timezone      = "America/New_York" # that of your Totango instance
    sync_on_apply = true               # also run now
    enabled       = true               # false keeps the job without running it
  }

  # Tell the notifier of connections.hcl about runs that failed, or that rejected meetings for the first time.
  # notify {
  #   to = notifier.webhook.ops
  #   on = ["failed", "rejected"]
  # }
}
