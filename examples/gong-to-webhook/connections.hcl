# Where meetings come from and where they go. Set the variables where `durasync worker` (or `durasync dev`) runs: env() is read there
# and nowhere else.

connection "gong" "acme" {
  description       = "Acme's Gong"
  access_key        = env("GONG_ACCESS_KEY") # a Gong administrator makes both under Company settings > API
  access_key_secret = env("GONG_ACCESS_KEY_SECRET")
}

connection "webhook" "meetings" {
  description = "Our own service, told of each meeting"
  url         = env("MEETINGS_WEBHOOK_URL")
  secret      = env("MEETINGS_WEBHOOK_SECRET") # signs the requests: whsec_ and 32 random bytes in Base64
}
