# Each external meeting becomes one POST with this JSON. The receiver verifies Webhook-Signature with its secret, and drops a request
# whose Webhook-Id it has seen: after an answer that was lost, the same meeting is sent again with the same id.

job "gong_to_webhook" {
  description = "Gong meetings are sent to a webhook"

  source {
    connection = connection.gong.acme
    stream     = "calls"
    where      = call.scope == "External"
  }

  destination {
    connection = connection.webhook.meetings
    object     = "request"
  }

  map {
    event = "meeting.ended"
    body = {
      id           = call.id
      title        = call.title
      url          = call.url
      started      = call.started
      minutes      = call.duration == null ? null : ceil(call.duration / 60)
      host         = call.host_email
      participants = [for p in call.parties : p.email if p.email != null]
      brief        = call.brief
      next_steps   = call.action_items
    }
  }

  schedule {
    every = "1h"
  }
}
