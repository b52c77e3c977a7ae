"""The attacks benchmark's child: PUBLISHED SECONDS; prints JSON. The server runs in a process of its own."""

import asyncio
import contextlib
import json
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import read_bundle
from tests.benchmarks import load
from tests.benchmarks.child import ROOT
from tests.benchmarks.serving_case import Server, long, short

SILENT, UNFINISHED, BATCHES, BATCH = 1024, 900, 4, 256
ANNOUNCED, SENT, CHUNK = 4_000_000, 3_900_000, 65_536
WARM = 4.0
"""Seconds from the attack's start to the measurement's."""
FILES = 1024
"""Open files that the server may have, as most systems give a process."""


def main(published: Path, seconds: float) -> None:
    """Measures idle and attacked in turn."""
    texts = [row["prompt"] for row in read_bundle(resolve(published)).golden]
    brief, lengthy = short(texts), long(texts)
    unfinished = _head(ANNOUNCED) + b'{"prompt": "' + b"a" * (SENT - 12)
    rows: list[dict[str, object]] = []
    with _server(published) as (server, _):
        load.run(server.port, brief, concurrency=2, seconds=seconds)
        for name, attack in (
            (f"{SILENT} silent connections", _beside(hold, server.port, SILENT, b"")),
            (f"{UNFINISHED} unfinished bodies", _beside(hold, server.port, UNFINISHED, unfinished)),
            (f"{BATCHES} full batches", _beside(ask_much, server.port, lengthy)),
        ):
            idle = _row("idle", server, brief, seconds, None)
            with attack:
                rows += [idle, _row(name, server, brief, seconds, idle)]
    with _server(published) as (server, process), socket.create_connection(("127.0.0.1", server.port)) as half:
        half.sendall(_head(ANNOUNCED) + b"{")
        time.sleep(0.5)
        begun = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        process.wait(120)
        summary = {"seconds from SIGTERM to the end, beside a half-sent request": time.perf_counter() - begun}
    print(json.dumps({"rows": rows, "summary": summary}))


def _row(name: str, server: Server, prompts: list[str], seconds: float, idle: dict[str, object] | None) -> dict:
    slowest: list[float] = []
    ended = threading.Event()
    watching = threading.Thread(target=_health, args=(server.port, ended, slowest))
    watching.start()
    found = load.run(server.port, prompts, concurrency=2, seconds=seconds)
    ended.set()
    watching.join()
    figures: dict[str, object] = {"beside": name, "requests/s": found.rate, **found.quantiles_ms()}
    figures["times idle"] = None if idle is None else figures["p99 ms"] / idle["p99 ms"]  # type: ignore[operator]
    return figures | {
        "errors": found.errors,
        "health, slowest ms": 1000 * max(slowest),
        "resident MB": server.resident_mb(),
    }


def _health(port: int, ended: threading.Event, slowest: list[float]) -> None:
    while not ended.is_set():
        begun = time.perf_counter()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30).close()
            slowest.append(time.perf_counter() - begun)
        except OSError:
            slowest.append(float("inf"))
        ended.wait(0.2)


def _head(length: int) -> bytes:
    return (
        f"POST /v1/route HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


@contextlib.contextmanager
def _beside(attack: Callable[..., None], *arguments: object) -> Iterator[None]:
    """An attack in a process of its own, so that it doesn't hold up whoever measures."""
    process = get_context("spawn").Process(target=attack, args=arguments, daemon=True)
    process.start()
    time.sleep(WARM)
    try:
        yield
    finally:
        process.terminate()
        process.join()


def hold(port: int, count: int, content: bytes) -> None:
    """So many connections that have said this; what the server closes is opened again, as an attacker would."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))

    async def all_of_them() -> None:
        await asyncio.gather(*(_hold_one(port, content) for _ in range(count)))

    asyncio.run(all_of_them())


async def _hold_one(port: int, content: bytes) -> None:
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                for start in range(0, len(content), CHUNK):
                    writer.write(content[start : start + CHUNK])
                    await writer.drain()
                await reader.read()
        await asyncio.sleep(1)


def ask_much(port: int, lengthy: list[str]) -> None:
    """Clients that ask for full batches again and again."""
    body = json.dumps({"prompts": (lengthy * (1 + BATCH // len(lengthy)))[:BATCH]}).encode()

    def ask() -> None:
        while True:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/route", body, {"content-type": "application/json"}
            )
            with contextlib.suppress(OSError):
                urllib.request.urlopen(request, timeout=120).read()

    threads = [threading.Thread(target=ask) for _ in range(BATCHES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def _server(published: Path) -> Iterator[tuple[Server, subprocess.Popen[bytes]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # prlimit is util-linux's: a limit of this process would bind the attackers too
    command = ["prlimit", f"--nofile={FILES}:{FILES}", sys.executable, "-m", "pointsman", "serve"]
    command += ["--router", str(published), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        for _ in range(1200):
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
                break
            time.sleep(0.1)
        yield Server(port, process.pid), process
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
