"""The served benchmark's child: PUBLISHED BESIDE ROUNDS SECONDS; prints JSON. Servers run in processes of their own."""

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import read_bundle
from tests.benchmarks import load
from tests.benchmarks.serving_case import GATHER, LONG_WORDS, SERVE, SHORT_WORDS, Server, long, server, short

CONNECTIONS = 64
Turn = tuple[float, float, int]
"""Requests a second, the server's processor milliseconds a request, errors."""


def main(published: Path, beside: Path, rounds: int, seconds: float) -> None:
    """Measures both servers on short and on long prompts."""
    bundles = {"this": read_bundle(resolve(published)), "beside": read_bundle(resolve(beside))}
    texts = [row["prompt"] for row in bundles["this"].golden]
    rows = []
    with server(SERVE, published, str(GATHER)) as mine, server(SERVE, beside, str(GATHER)) as other:
        servers = {"this": mine, "beside": other}
        for words, prompts in ((SHORT_WORDS, short(texts)), (LONG_WORDS, long(texts))):
            turns: dict[str, list[Turn]] = {name: [] for name in servers}
            for number in range(rounds + 1):
                for name, each in servers.items():
                    found = _turn(each, prompts, seconds)
                    # the first warms both up
                    if number:
                        turns[name].append(found)
            ratio = [one[0] / two[0] for one, two in zip(turns["this"], turns["beside"], strict=True)]
            for name, taken in turns.items():
                row: dict[str, object] = {
                    "words": words,
                    "encoder": bundles[name].manifest.encoder.kind,
                    "requests/s": statistics.median(rate for rate, _, _ in taken),
                    "processor ms": statistics.median(spent for _, spent, _ in taken),
                    "errors": sum(errors for _, _, errors in taken),
                }
                if name == "this":
                    row |= {"ratio": statistics.median(ratio), "least": min(ratio), "most": max(ratio)}
                rows.append(row)
    summary = {f"{name}: router": bundle.manifest.router_id for name, bundle in bundles.items()}
    print(json.dumps({"rows": rows, "summary": summary}))


def _turn(running: Server, prompts: Sequence[str], seconds: float) -> Turn:
    before = running.processor_seconds()
    found = load.run(running.port, prompts, concurrency=CONNECTIONS, seconds=seconds)
    spent = 1000 * (running.processor_seconds() - before) / len(found.taken)
    return found.rate, spent, found.errors


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
