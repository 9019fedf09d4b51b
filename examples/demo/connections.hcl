# How to reach the two systems. env() reads the worker's environment: here, that of `durasync demo`, which points both connections
# at simulators on this machine. No secret is ever written down in these files, and none leaves the worker.

connection "gong" "sandbox" {
  description         = "A simulated Gong with about 320 meetings"
  base_url            = env("GONG_BASE_URL")
  access_key          = env("GONG_ACCESS_KEY")
  access_key_secret   = env("GONG_ACCESS_KEY_SECRET")
  requests_per_second = env("GONG_REQUESTS_PER_SECOND") # 0 is no limit
  requests_per_day    = env("GONG_REQUESTS_PER_DAY")
}

connection "totango" "sandbox" {
  description         = "A simulated Totango with 45 accounts"
  base_url            = env("TOTANGO_BASE_URL")
  app_token           = env("TOTANGO_APP_TOKEN")
  requests_per_minute = env("TOTANGO_REQUESTS_PER_MINUTE")
}
