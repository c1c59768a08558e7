"""Scanners of buckets: each module here with a `SCANNER`, on the one engine in `bucket.py`.

`grouping.py` makes datasets of keys, `objects.py` lists and reads within the budget that `metered.py` keeps,
`reading.py` reads a group, `content.py` unpacks, `formats/` reads tables; `posture.py` says how a bucket is protected.
"""
