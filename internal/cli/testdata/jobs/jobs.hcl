# What durasync show prints of it is testdata/golden/show*.txt.
connection "gong" "acme" {
  access_key        = env("GONG_ACCESS_KEY")
  access_key_secret = env("GONG_ACCESS_KEY_SECRET")
  base_url          = "https://acme.api.gong.io"
}

connection "totango" "success" {
  app_token = env("TOTANGO_APP_TOKEN")
}

notifier "webhook" "ops" {
  url = env("SLACK_WEBHOOK_URL")
}

job "meetings" {
  description = "Gong meetings become Totango touchpoints"

  source {
    connection = connection.gong.acme
    stream     = "calls"
    where      = call.scope == "External"
    overlap    = "14d"
  }

  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }

  map {
    override = true
    subject  = "[Gong] ${call.title}"
    flow     = call.duration > 3600 ? "onboarding_of_large_accounts" : "adoption"
    content  = <<-EOT
      Hello
      %{for k in call.key_points}
      - ${k}
      %{endfor}
      1
      2
      3
      4
      5
    EOT
  }

  resolve {
    on_ambiguous     = "contact_first"
    internal_domains = ["acme.com", "acme.io"]
    aliases          = { "pat@old.example" = "pat@new.example" }
    domain_fallback  = true
  }

  schedule {
    workdays      = "18:30"
    timezone      = "Europe/Berlin"
    jitter        = "5m"
    sync_on_apply = true
  }

  notify {
    to = notifier.webhook.ops
    on = ["failed", "empty"]
  }
}

job "plain" {
  source {
    connection = connection.gong.acme
    stream     = "calls"
  }

  destination {
    connection = connection.totango.success
    object     = "touchpoint"
  }

  schedule {
    enabled = false
  }
}
