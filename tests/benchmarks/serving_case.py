"""The serving benchmark's child: PUBLISHED SECONDS SOAK; prints JSON. Servers run in processes of their own."""

import contextlib
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import read_bundle
from pointsman.router import Router
from tests.benchmarks import load
from tests.benchmarks.child import ROOT

CONCURRENCY = (1, 8, 64)
PROMPTS = 24
SHORT_WORDS, LONG_WORDS = 12, 250
GATHER = 16
ROUNDS = 9
SERVE = (
    "import sys; from pointsman.serving.app import ServingConfig, serve; "
    "serve(sys.argv[1], port=int(sys.argv[2]), config=ServingConfig(gather=int(sys.argv[3])))"
)


def main(published: Path, seconds: float, soak: float) -> None:
    """Measures servers of the router in service, with and without gathering requests."""
    bundle = read_bundle(resolve(published))
    texts = [row["prompt"] for row in bundle.golden]
    kinds = {"short": short(texts), "long": long(texts)}
    alone = {kind: _alone(bundle.folder, prompts) for kind, prompts in kinds.items()}
    rows = []
    with server(SERVE, published, str(GATHER)) as together, server(SERVE, published, "1") as apart:
        for kind, prompts in kinds.items():
            for each in (together, apart):
                load.run(each.port, prompts, concurrency=2, seconds=seconds / 3)
            # in turn, so that a slow moment of the machine hits both alike
            for concurrency in CONCURRENCY:
                for gathered, each in (("yes", together), ("no", apart)):
                    before = each.processor_seconds()
                    found = load.run(each.port, prompts, concurrency=concurrency, seconds=seconds)
                    spent = 1000 * (each.processor_seconds() - before) / len(found.taken)
                    rows.append(
                        {
                            "prompts": kind,
                            "gathered": gathered,
                            "concurrency": concurrency,
                            "requests/s": found.rate,
                            **found.quantiles_ms(),
                            "processor ms": spent,
                            "over encoder": spent / alone[kind]["encode"] - 1,
                            "errors": found.errors,
                        }
                    )
    summary: dict[str, object] = {}
    for kind, taken in alone.items():
        summary[f"encoder alone, {kind}, processor ms"] = taken["encode"]
        summary[f"router alone, {kind}, processor ms"] = taken["route"]
        summary[f"overhead over the encoder, {kind}"] = taken["route"] / taken["encode"] - 1
    if soak:
        summary |= _soak(published, kinds["short"], soak)
    print(json.dumps({"rows": rows, "summary": {"router": bundle.manifest.router_id, **summary}}))


def short(texts: Sequence[str]) -> list[str]:
    """The first words of each text."""
    return [" ".join(text.split()[:SHORT_WORDS]) for text in texts[:PROMPTS]]


def long(texts: Sequence[str]) -> list[str]:
    words = " ".join(texts).split()
    turned = (words[start:] + words[:start] for start in range(0, 10 * PROMPTS, 10))
    return [" ".join((row * (1 + LONG_WORDS // len(row)))[:LONG_WORDS]) for row in turned]


def _alone(folder: Path, prompts: Sequence[str]) -> dict[str, float]:
    router, encoder = Router.load(folder, threads=1), read_bundle(folder).encoder(threads=1)
    calls = {"encode": encoder.encode, "route": router.route}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for prompt in prompts:
        quickest = dict.fromkeys(calls, math.inf)
        for _ in range(ROUNDS):
            for name, call in calls.items():
                start = time.process_time()
                call([prompt])
                quickest[name] = min(quickest[name], 1000 * (time.process_time() - start))
        for name in calls:
            taken[name].append(quickest[name])
    return {name: statistics.fmean(each) for name, each in taken.items()}


def _soak(published: Path, prompts: Sequence[str], seconds: float) -> dict[str, object]:
    with server(SERVE, published, str(GATHER)) as running:
        load.run(running.port, prompts, concurrency=64, seconds=max(5.0, seconds / 6))
        before = running.resident_mb()
        found = load.run(running.port, prompts, concurrency=64, seconds=seconds)
        after = running.resident_mb()
    return {
        "soak at 64, seconds": seconds,
        "soak, requests": len(found.taken),
        "soak, errors": found.errors,
        "soak, resident MB at start": before,
        "soak, resident MB at end": after,
    }


@dataclass(frozen=True)
class Server:
    """A server's process, as Linux tells of it."""

    port: int
    pid: int

    def processor_seconds(self) -> float:
        """User and system time of all its threads."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """Memory that it holds."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


@contextlib.contextmanager
def server(code: str, published: Path, *rest: str) -> Iterator[Server]:
    """A server in a process of its own: Python code that is given the router's folder, a free port, and the rest."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = subprocess.Popen([sys.executable, "-c", code, str(published), str(port), *rest], cwd=ROOT)
    try:
        for _ in range(600):
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
                break
            time.sleep(0.1)
        yield Server(port, started.pid)
    finally:
        started.terminate()
        started.wait(30)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
