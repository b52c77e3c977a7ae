"""The crowd benchmark's child: PUBLISHED SECONDS SOAK; prints JSON. Servers run in processes of their own."""

import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import read_bundle
from pointsman.serving.decision_log import read_log
from tests.benchmarks import load
from tests.benchmarks.overhead_case import BESIDE, SERVE
from tests.benchmarks.serving_case import Server, server, short

CODE = SERVE.format(beside=BESIDE["log, exploration and shadow"])
SHORT, LONG, SOAK, LAST = 8, 2, 64, 32
LENGTH = 100_000


def main(published: Path, seconds: float, soak: float) -> None:
    """Measures one server after the other."""
    texts = [row["prompt"] for row in read_bundle(resolve(published)).golden]
    prompts, words = short(texts), " ".join(texts)
    long = [(words[start:] + words * (1 + LENGTH // len(words)))[:LENGTH] for start in range(0, 200, 20)]
    with tempfile.TemporaryDirectory() as folder:
        with server(CODE, published, folder) as running:
            rows = beside(running, prompts, long, seconds)
            summary = soaked(running, prompts, soak)
        with server(CODE, published, f"{folder}/last") as running:
            summary |= goodbye(running, prompts, Path(folder) / "last")
    print(json.dumps({"rows": rows, "summary": summary}))


def beside(running: Server, prompts: Sequence[str], long: Sequence[str], seconds: float) -> list[dict[str, object]]:
    """Short prompts alone and beside long ones."""
    load.run(running.port, [*prompts, *long], concurrency=4, seconds=seconds / 2)
    alone = load.run(running.port, prompts, concurrency=SHORT, seconds=seconds)
    others: list[load.Load] = []

    def ask() -> None:
        others.append(load.run(running.port, long, concurrency=LONG, seconds=seconds))

    thread = threading.Thread(target=ask)
    thread.start()
    both = load.run(running.port, prompts, concurrency=SHORT, seconds=seconds)
    thread.join()
    named = (("short alone", alone), ("short beside long", both), ("long", others[0]))
    return [
        {"prompts": name, "requests/s": found.rate, **found.quantiles_ms(), "errors": found.errors}
        for name, found in named
    ]


def soaked(running: Server, prompts: Sequence[str], seconds: float) -> dict[str, object]:
    """Requests, errors and memory of a soak."""
    load.run(running.port, prompts, concurrency=SOAK, seconds=max(2.0, seconds / 6))
    before = running.resident_mb()
    found = load.run(running.port, prompts, concurrency=SOAK, seconds=seconds)
    return {
        f"soak at {SOAK}, seconds": seconds,
        "soak, requests": len(found.taken),
        "soak, errors": found.errors,
        "soak, resident MB at start": before,
        "soak, resident MB at end": running.resident_mb(),
    }


def goodbye(running: Server, prompts: Sequence[str], log: Path) -> dict[str, object]:
    """Requests that were answered until SIGTERM took effect, and decisions that the log has of them."""
    ended = threading.Timer(2.0, lambda: os.kill(running.pid, signal.SIGTERM))
    ended.start()
    found = load.run(running.port, prompts, concurrency=LAST, seconds=6.0)
    ended.join()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{running.pid}/stat").exists() and time.monotonic() < deadline:
        if Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.1)
    return {"goodbye, answered": len(found.taken), "goodbye, decisions in the log": read_log(log).height}


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
