# The files are those of the Secret durasync-connections.

connection "gong" "acme" {
  description       = "Acme's Gong"
  access_key        = file("/run/secrets/durasync/gong_access_key")
  access_key_secret = file("/run/secrets/durasync/gong_access_key_secret")
  base_url          = "https://us-12345.api.gong.io" # your company's own API host
}

connection "totango" "success" {
  description = "Customer success"
  region      = "us"
  app_token   = file("/run/secrets/durasync/totango_app_token")
}
