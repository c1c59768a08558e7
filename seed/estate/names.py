"""What the estate's systems are called, wherever they happen to listen."""

from __future__ import annotations

DATABASE = "setbytes"
BUCKET = "setbytes-data"
ACCOUNT = "acct_setbytes"
DATABASE_NAMESPACE = "postgres://control-plane.setbytes.example:5432"
BUCKET_NAMESPACE = f"s3://{BUCKET}"
VENDOR_NAMESPACE = f"stripe://{ACCOUNT}"
