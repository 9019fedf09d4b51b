# Where meetings come from and where they go. Set the variables where `durasync worker` (or `durasync dev`) runs: env() is read there
# and nowhere else.

connection "gong" "acme" {
  description       = "Acme's Gong"
  access_key        = env("GONG_ACCESS_KEY") # a Gong administrator makes both under Company settings > API
  access_key_secret = env("GONG_ACCESS_KEY_SECRET")
}

connection "file" "meetings" {
  description = "One line for each meeting"
  path        = "meetings.jsonl" # where the worker was started; .csv is a table, and .gz behind either packs it
}
