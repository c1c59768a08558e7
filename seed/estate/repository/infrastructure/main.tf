terraform {
  required_providers {
    cloudflare = { source = "cloudflare/cloudflare" }
    google = {
      source  = "hashicorp/google"
      version = "~> 6.14"
    }
  }
}

resource "cloudflare_record" "www" {
  zone_id = var.zone
  name    = "www"
  type    = "CNAME"
  content = "setbytes-www.pages.dev"
}

resource "google_storage_bucket" "builds" {
  name     = "setbytes-builds"
  location = "NORTHAMERICA-NORTHEAST1"
}
