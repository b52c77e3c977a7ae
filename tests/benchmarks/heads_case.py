"""The heads benchmark's child: ROUNDS; prints JSON. Shapes: N prompts, F features, H hidden, T tasks, M candidates."""

import json
import sys
from functools import partial

import numpy as np

from pointsman.model.weights import ExpertWeights
from tests.benchmarks.child import medians

TASKS, CANDIDATES, FEATURES, HIDDEN = 332, 11, 384, 96
BATCHES = (1, 64, 256, 4096)


def drawn(rng: np.random.Generator) -> ExpertWeights:
    """Random weights: time doesn't depend on what they are."""

    def draw(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, dtype=np.float32)

    return ExpertWeights(
        trunk_FH=draw(FEATURES, HIDDEN),
        trunk_bias_H=draw(HIDDEN),
        general_HM=draw(HIDDEN, CANDIDATES),
        general_bias_M=draw(CANDIDATES),
        task_TMH=draw(TASKS, CANDIDATES, HIDDEN),
        task_bias_TM=draw(TASKS, CANDIDATES),
        head_TM=np.ones((TASKS, CANDIDATES), dtype=np.bool_),
    )


def main(rounds: int) -> None:
    """Measures every batch size."""
    rng = np.random.default_rng(0)
    weights = drawn(rng)
    rows = []
    for batch in BATCHES:
        features_NF = rng.standard_normal((batch, FEATURES), dtype=np.float32)
        task_N = rng.integers(TASKS, size=batch).astype(np.int32)
        general, special = medians(
            [partial(weights.general_logits, features_NF), partial(weights.logits, features_NF, task_N)],
            rounds=rounds,
        )
        rows.append(
            {"batch": batch, "general ms": 1000 * general, "task ms": 1000 * special, "ratio": special / general}
        )
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
