"""A TCP proxy that makes a server on this machine as far away as one over a link: each way takes half its delay.

python -m benchmarks.scan.link 5432 0.02     prints the port that it listens on, until its input ends
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def far_away(port: int, delay: float) -> Iterator[int]:
    """The port of a proxy to `port` in a process of its own; `delay` seconds for there and back."""
    command = [sys.executable, "-m", "benchmarks.scan.link", str(port), str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdin is not None
        assert proxy.stdout is not None
        try:
            yield int(proxy.stdout.readline())
        finally:
            proxy.stdin.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """What comes in goes out after the delay, however much is on its way."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(2**16):
        loop.call_later(delay, writer.write, data)
    loop.call_later(delay, writer.close)


async def _serve(port: int, delay: float) -> None:
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near, far = await asyncio.open_connection("127.0.0.1", port)
        tasks.update(asyncio.create_task(_carry(*way, delay / 2)) for way in ((reader, far), (near, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
