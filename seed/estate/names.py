"""What the estate's systems are called, wherever they happen to listen."""

from __future__ import annotations

DATABASE = "setbytes"
BUCKET = "setbytes-data"
ACCOUNT = "acct_setbytes"
DATABASE_NAMESPACE = "postgres://control-plane.setbytes.example:5432"
BUCKET_NAMESPACE = f"s3://{BUCKET}"
ZONE = "setbytes.example"
DATABASE_SOURCE = "control-plane"
BUCKET_SOURCE = "object-store"
VENDOR_SOURCE = "payments"
ZONE_SOURCE = "domain"
REPOSITORY_SOURCE = "code"
ZONE_NAMESPACE = f"dns://{ZONE}"
REPOSITORY_NAMESPACE = f"repository://{REPOSITORY_SOURCE}"
VENDOR_NAMESPACE = f"stripe://{ACCOUNT}"
