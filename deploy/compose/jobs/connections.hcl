# How to reach the two systems: the simulated ones, at their address in the Compose network. file() reads a secret each time that a
# connection is made, from the directory credentials beside this one.

connection "gong" "sandbox" {
  description         = "A simulated Gong with about 320 meetings"
  base_url            = "http://sandbox:8082"
  access_key          = file("/run/secrets/durasync/gong_access_key")
  access_key_secret   = file("/run/secrets/durasync/gong_access_key_secret")
  requests_per_second = 0 # no limit
  requests_per_day    = 0
}

connection "totango" "sandbox" {
  description         = "A simulated Totango with 45 accounts"
  base_url            = "http://sandbox:8083"
  app_token           = file("/run/secrets/durasync/totango_app_token")
  requests_per_minute = 0
}
