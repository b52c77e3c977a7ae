"""The overhead benchmark's child: PUBLISHED ROUNDS SECONDS; prints JSON. Servers run in processes of their own."""

import contextlib
import json
import statistics
import sys
import tempfile
from pathlib import Path

from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import read_bundle
from tests.benchmarks import load
from tests.benchmarks.serving_case import server, short

CONCURRENCY = (1, 16)
BESIDE = {
    "plain": "",
    "log": "log=LogConfig(folder=Path(sys.argv[3]))",
    "log and exploration": "log=LogConfig(folder=Path(sys.argv[3])), explore=ExplorationConfig(rate=0.05)",
    "log, exploration and shadow": (
        "log=LogConfig(folder=Path(sys.argv[3])), explore=ExplorationConfig(rate=0.05), shadow=sys.argv[1]"
    ),
}
SERVE = (
    "import sys; from pathlib import Path; from pointsman.serving.app import ServingConfig, serve; "
    "from pointsman.serving.decision_log import LogConfig; from pointsman.policy.exploration import ExplorationConfig; "
    "serve(sys.argv[1], port=int(sys.argv[2]), config=ServingConfig({beside}))"
)


def main(published: Path, rounds: int, seconds: float) -> None:
    """Measures servers of the router in service, each with more beside it than the one before."""
    bundle = read_bundle(resolve(published))
    prompts = short([row["prompt"] for row in bundle.golden])
    taken: dict[tuple[str, int], list[float]] = {}
    with contextlib.ExitStack() as stack:
        logs = stack.enter_context(tempfile.TemporaryDirectory())
        servers = {
            name: stack.enter_context(server(SERVE.format(beside=beside), published, str(Path(logs) / str(place))))
            for place, (name, beside) in enumerate(BESIDE.items())
        }
        for each in servers.values():
            load.run(each.port, prompts, concurrency=4, seconds=seconds)
        for _ in range(rounds):
            for concurrency in CONCURRENCY:
                for name, each in servers.items():
                    before = each.processor_seconds()
                    found = load.run(each.port, prompts, concurrency=concurrency, seconds=seconds)
                    spent = 1000 * (each.processor_seconds() - before) / len(found.taken)
                    taken.setdefault((name, concurrency), []).append(spent)
    rows = [
        {
            "beside answering": name,
            "concurrency": concurrency,
            "processor ms": statistics.median(taken[name, concurrency]),
            "over plain": statistics.median(
                mine / plain - 1
                for mine, plain in zip(taken[name, concurrency], taken["plain", concurrency], strict=True)
            ),
        }
        for concurrency in CONCURRENCY
        for name in BESIDE
    ]
    print(
        json.dumps(
            {"rows": rows, "summary": {"router": bundle.manifest.router_id, "encoder": bundle.manifest.encoder.kind}}
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
