"""The routing benchmark's child: PUBLISHED ROUNDS; prints JSON."""

import json
import statistics
import sys
from functools import partial
from pathlib import Path

from components.embeddings.encoder import Encoder
from components.release.bundle import read_bundle
from components.release.pointer import resolve
from components.release.router import Router
from tests.benchmarks.child import medians

PROMPTS = 16


def main(published: Path, rounds: int) -> None:
    """Measures the reigning router."""
    bundle = read_bundle(resolve(published))
    router, encoder = Router.load(bundle.folder, threads=1), Encoder.load(bundle.folder, threads=1)
    prompts = [row["prompt"] for row in bundle.golden[:PROMPTS]]
    taken = [
        medians([partial(encoder.encode, [prompt]), partial(router.route, [prompt])], rounds=rounds)
        for prompt in prompts
    ]
    encode, route = (statistics.mean(column) for column in zip(*taken, strict=True))
    words = statistics.mean(len(prompt.split()) for prompt in prompts)
    row = {"prompts": len(prompts), "words, mean": words, "encode ms": 1000 * encode, "route ms": 1000 * route}
    rows = [{**row, "ratio": route / encode, "overhead": route / encode - 1}]
    print(
        json.dumps(
            {"rows": rows, "summary": {"router": router.router_id, "tasks": len(bundle.manifest.provenance.tasks)}}
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
