"""A bucket read by worker processes, and on machines without room for files."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inventory.model import Aspect, Covered, DatasetSeen, Finding
from scanners.base import ScanContext
from scanners.buckets.s3 import S3Scanner, S3Settings

CSV = b"name,email\nJane,jane@canary.example\nBob,bob@canary.example\n"
TABLES = 12  # three chunks


@pytest.fixture
def lake(s3, monkeypatch):
    """The scanner of a bucket with a few datasets, whose keys are in the environment."""
    client = s3.client()
    client.create_bucket(Bucket="divided")
    for number in range(TABLES):
        client.put_object(Bucket="divided", Key=f"tables/{'abcdefghijkl'[number]}.csv", Body=CSV)
    monkeypatch.setenv("KEY_ID", "admin")
    monkeypatch.setenv("KEY", "admin")
    keys = {"access_key_id": {"env": "KEY_ID"}, "secret_access_key": {"env": "KEY"}}
    content = {"name": "lake", "type": "s3", "bucket": "divided", "endpoint": s3.address, "allow_http": True}
    return lambda **more: S3Scanner(S3Settings.model_validate({**content, **keys, **more}))


def test_workers_read_what_the_scan_reads(lake):
    from inventory.scan.run import run_scans
    from inventory.scan.workers import process_workers
    from scanners.detection import ColumnDetector

    context = ScanContext(ColumnDetector())
    alone = list(lake().scan(context))
    spent = lake(name="short", budget={"bytes": 1, "concurrency": 2})
    with process_workers(2) as workers, ThreadPoolExecutor(2) as threads:
        done = run_scans([lake(), spent], context, lambda _, said: list(said), threads, workers)
        helped = {outcome.source: outcome for outcome in done}
    assert helped["lake"].complete
    assert sorted(map(repr, helped["lake"].report or ())) == sorted(map(repr, alone))
    short = helped["short"].report or []
    assert {f.code for f in short if isinstance(f, Finding)} == {"over-budget"}
    assert sum(isinstance(one, DatasetSeen) for one in short) == TABLES
    read = [one for one in short if isinstance(one, Covered) and one.aspect is Aspect.CONTENT]
    assert len(read) < TABLES


WITHOUT_FILES = """
import resource, sys
sys.path.insert(0, "{samples}")
import samples
from scanners.base import Sampling
from scanners.buckets.content import Content
from scanners.buckets.formats import tables_of

files = dict(csv=samples.CSV, avro=samples.avro(), arrow=samples.arrow_file(), orc=samples.orc(),
    parquet=samples.parquet(), xlsx=samples.workbook(), sqlite=samples.sqlite(), sql=samples.PG_DUMP, xml=samples.XML,
    eml=samples.mail_with_attachments(), mbox=samples.BOX, docx=samples.docx(), pdf=samples.pdf(),
    zip=samples.zipped(dict(a=samples.CSV, b=samples.sqlite())), tar=samples.tarred(dict(a=samples.CSV)),
    gz=samples.WRAPPINGS[".gz"](samples.sqlite()), bz2=samples.WRAPPINGS[".bz2"](samples.CSV),
    zst=samples.zstd(samples.parquet()), log=samples.SYSLOG)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    with open("{folder}/file", "wb") as file:
        file.write(b"x")
except OSError:
    print("full")
for suffix, data in files.items():
    content = Content("s", "a." + suffix, len(data), lambda start, end: data[start:end], 2**20)
    if not sum(batch.num_rows for table in tables_of(content, Sampling()) for batch in table.batches):
        print("nothing of", suffix)
print("read")
"""


def test_a_full_disk_is_none_of_our_business(tmp_path):
    """Every format reads from memory: in a process that can write no byte to any file, all of them are read."""
    folder = Path(__file__).parents[2] / "unit" / "buckets"
    code = WITHOUT_FILES.replace("{folder}", str(tmp_path)).replace("{samples}", str(folder))
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=environment)
    assert (done.returncode, done.stdout) == (0, "full\nread\n"), done.stderr[-2000:]
