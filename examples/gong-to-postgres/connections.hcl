# Where meetings come from and where they go. Set the variables where `durasync worker` (or `durasync dev`) runs: env() is read there
# and nowhere else.

connection "gong" "acme" {
  description       = "Acme's Gong"
  access_key        = env("GONG_ACCESS_KEY") # a Gong administrator makes both under Company settings > API
  access_key_secret = env("GONG_ACCESS_KEY_SECRET")
}

connection "postgres" "meetings" {
  description = "One row for each meeting"
  url         = env("WAREHOUSE_URL") # postgres://user:password@host:5432/database?sslmode=verify-full
  table       = "sales.meetings"
}
