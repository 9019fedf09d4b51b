# The systems and their credentials. Set the variables where `durasync worker` (or `durasync dev`) runs: env() is read there
# and nowhere else. file("/run/secrets/gong") reads a file instead.

connection "gong" "acme" {
  description       = "Acme's Gong"
  access_key        = env("GONG_ACCESS_KEY") # a Gong administrator makes both under Company settings > API
  access_key_secret = env("GONG_ACCESS_KEY_SECRET")

  # If your Gong has its own API host (the same page shows it), name it:
  # base_url = "https://us-12345.api.gong.io"
}

connection "totango" "success" {
  description = "Customer success"
  region      = "us"                     # or "eu"
  app_token   = env("TOTANGO_APP_TOKEN") # a global administrator's: Edit profile > Integration > Create Token
}

# Somebody to tell about runs, such as a channel of Slack. A job's notify block names it.
# notifier "webhook" "ops" {
#   url = env("SLACK_WEBHOOK_URL")
# }
