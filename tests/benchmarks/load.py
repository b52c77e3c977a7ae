"""A load of keep-alive connections on plain sockets: an HTTP library would take the processors from the server."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

POINTS = (0.5, 0.95, 0.99)


@dataclass
class Load:
    """What one run of requests met."""

    seconds: float = 0.0
    taken: list[float] = field(default_factory=list)
    """Seconds of each answered request."""
    errors: int = 0
    """Answers other than 200, and broken connections."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.taken) / self.seconds

    def quantiles_ms(self) -> dict[str, float]:
        """p50, p95 and p99 in milliseconds."""
        ordered = sorted(self.taken)
        return {f"p{100 * point:.0f} ms": 1000 * ordered[int(point * (len(ordered) - 1))] for point in POINTS}


def run(port: int, prompts: Sequence[str], *, concurrency: int, seconds: float) -> Load:
    """Asks for a prompt at a time on each connection until the time is over."""
    return asyncio.run(_run(port, [_request(prompt) for prompt in prompts], concurrency, seconds))


async def _run(port: int, requests: Sequence[bytes], concurrency: int, seconds: float) -> Load:
    load, start = Load(), time.perf_counter()
    await asyncio.gather(*(_connection(port, requests, turn, start + seconds, load) for turn in range(concurrency)))
    load.seconds = time.perf_counter() - start
    return load


async def _connection(port: int, requests: Sequence[bytes], turn: int, end: float, load: Load) -> None:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (begun := time.perf_counter()) < end:
            writer.write(requests[turn % len(requests)])
            turn += 1
            status = await _answer(reader)
            if status == 200:
                load.taken.append(time.perf_counter() - begun)
            else:
                load.errors += 1
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        load.errors += 1


async def _answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
    length = next(int(line.removeprefix("content-length:")) for line in head if line.startswith("content-length:"))
    await reader.readexactly(length)
    return int(head[0].split()[1])


def _request(prompt: str) -> bytes:
    body = json.dumps({"prompt": prompt}).encode()
    head = (
        f"POST /v1/route HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
