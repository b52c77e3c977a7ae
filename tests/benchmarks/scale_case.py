"""One step of the scale benchmark in a process of its own: writes logs, or says what a router is worth."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from pointsman.router import Router
from tests.benchmarks.scale_world import MODELS, expected_cost_usd, world, write_logs

FRESH = 987_654_321
"""Seed of prompts that no logs hold."""


def judge(bundle: Path, prompts: int, seed: int) -> dict[str, float]:
    """What the operating policy and `best` get on fresh prompts, beside the best single candidate and the oracle."""
    drawn = world(seed).draw(prompts, FRESH)
    router, cost_NM, rows = Router.load(bundle), expected_cost_usd(drawn), np.arange(prompts)
    single = int(drawn.expected_NM.mean(axis=0).argmax())
    found = {
        "best single": float(drawn.expected_NM[:, single].mean()),
        "oracle": float(drawn.expected_NM.max(axis=1).mean()),
    }
    for policy in ("operating", "best"):
        # the columns of a router are its candidates, which may be in another order
        chosen = router.route(drawn.prompts, policy).candidate
        column_N = np.array([MODELS.index(name) for name in chosen])
        found[f"quality at {policy}"] = float(drawn.expected_NM[rows, column_N].mean())
        found[f"cost at {policy}"] = float(cost_NM[rows, column_N].mean() / cost_NM[:, single].mean())
    return found


def main(what: str, path: str, prompts: str, seed: str) -> dict[str, float]:
    """`write FOLDER N SEED`, `complete FOLDER N SEED` or `judge BUNDLE N SEED`."""
    start = time.perf_counter()
    if what == "judge":
        return judge(Path(path), int(prompts), int(seed))
    write_logs(Path(path), int(prompts), int(seed), complete=what == "complete")
    return {"seconds": time.perf_counter() - start}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
