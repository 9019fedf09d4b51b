# The systems and their credentials. Set the variables where `durasync worker` (or `durasync dev`) runs: env() is read there
# and nowhere else.

connection "zoom" "acme" {
  description   = "Acme's Zoom"
  account_id    = env("ZOOM_ACCOUNT_ID") # a Server-to-Server OAuth app in the Zoom App Marketplace shows all three
  client_id     = env("ZOOM_CLIENT_ID")
  client_secret = env("ZOOM_CLIENT_SECRET")

  # If the account does not write summaries, or does not offer their scope to its apps:
  # read_summaries = false
}

connection "totango" "success" {
  description = "Customer success"
  region      = "us" # or "eu"
  app_token   = env("TOTANGO_APP_TOKEN")
}
