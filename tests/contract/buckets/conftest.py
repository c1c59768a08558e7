"""A real S3 server: moto's, in a process of its own, on loopback."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

#: Requests that moto lets through before it looks at who asks: those that set up the keys of `guarded`.
UNGUARDED = 3
_OF_THE_CONNECTION = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})


class S3Server:
    """Where it is, and an administrator's clients (boto3) to fill it."""

    def __init__(self, address: str) -> None:
        self.address = address

    def client(self, service: str = "s3", key: str = "admin", secret: str = "admin") -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}),
        )


def _serve(folder: Path, **environment: str) -> Iterator[S3Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment})
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > end or process.poll() is not None:
                    raise
                threading.Event().wait(0.02)
        yield S3Server(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def s3(tmp_path_factory) -> Iterator[S3Server]:
    """An S3 that lets everyone in."""
    yield from _serve(tmp_path_factory.mktemp("s3"))


@pytest.fixture(scope="session")
def guarded(tmp_path_factory) -> Iterator[tuple[S3Server, str, str]]:
    """An S3 that checks keys, and a pair of keys that may do anything with S3 and IAM."""
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    for server in _serve(tmp_path_factory.mktemp("guarded"), INITIAL_NO_AUTH_ACTION_COUNT=str(UNGUARDED)):
        iam = server.client("iam")
        iam.create_user(UserName="admin")
        iam.put_user_policy(UserName="admin", PolicyName="all", PolicyDocument=policy)
        key = iam.create_access_key(UserName="admin")["AccessKey"]
        yield server, key["AccessKeyId"], key["SecretAccessKey"]


@pytest.fixture
def endless_s3(s3: S3Server) -> Iterator[str]:
    """The S3 behind a door that never ends: each page of a listing is the first one, each object goes on and on."""
    import httpx

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if "Range" in self.headers:
                begins, ends = self.headers["Range"].removeprefix("bytes=").split("-")
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {begins}-{ends}/{2**40}")
                self.send_header("Last-Modified", "Sat, 31 Jan 2026 10:00:00 GMT")
                self.send_header("Content-Length", str(2**40))
                with suppress(OSError):
                    self.end_headers()
                    while True:
                        self.wfile.write(b"x" * 2**16)
                return
            answer = httpx.get(
                s3.address + re.sub("continuation-token=[^&]*&", "", self.path), headers=dict(self.headers)
            )
            body = answer.content.replace(b"<IsTruncated>false", b"<IsTruncated>true")
            body = body.replace(b"<Prefix", b"<NextContinuationToken>x</NextContinuationToken><Prefix", 1)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    yield from _behind(Door)


@pytest.fixture
def busy_s3(s3: S3Server) -> Iterator[tuple[str, list[str], Callable[[str, int], None]]]:
    """The S3 behind a door: its address, the paths asked for in turn, and a way to let it say 503 so many times.

    `refuse(part, times)` is for the next requests whose path and query hold `part`. A page of a listing has ten keys.
    The server behind looks at no signature, so requests may be passed on.
    """
    import httpx

    asked: list[str] = []
    refusals: dict[str, int] = {}

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            part = next((part for part, left in refusals.items() if left and part in self.path), None)
            if part is not None:
                refusals[part] -= 1
                self._answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
                return
            pages = "&max-keys=10" if "list-type" in self.path else ""
            answer = httpx.get(s3.address + self.path + pages, headers=dict(self.headers))
            kept = {name: value for name, value in answer.headers.items() if name not in _OF_THE_CONNECTION}
            self._answer(answer.status_code, kept, answer.content)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in (*headers.items(), ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    for address in _behind(Door):
        yield address, asked, refusals.__setitem__


def _behind(door: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
