"""Scanners of buckets: each module here with a `SCANNER`, on the one engine in `bucket.py`.

`grouping.py` makes datasets of keys, `objects.py` lists and reads, `content.py` unpacks, `formats/` reads tables.
"""
