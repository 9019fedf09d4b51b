# The systems and their credentials. Set the variables where `durasync worker` (or `durasync dev`) runs: env() is read there
# and nowhere else.

connection "ical" "team" {
  description = "The team's calendar"
  url         = env("TEAM_CALENDAR_URL") # in Google Calendar the secret address in iCal format, in Outlook a published calendar's ICS link
  timezone    = "Europe/Berlin"          # of events that last whole days
}

connection "totango" "success" {
  description = "Customer success"
  region      = "us" # or "eu"
  app_token   = env("TOTANGO_APP_TOKEN")
}
