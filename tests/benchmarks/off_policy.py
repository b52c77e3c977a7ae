"""Estimates of a policy's quality from logs of one answer a prompt, against the truth of a simulated world."""

from collections import defaultdict

import numpy as np

from components.evaluation.off_policy.estimators import ESTIMATORS, terms
from components.evaluation.off_policy.judge import estimate
from tests.benchmarks.off_policy_logs import LOGGINGS, as_log, draw, world
from tests.benchmarks.table import Cell, Table


def figures(logging: str, size: int, logs: int, *, known: bool) -> list[dict[str, Cell]]:
    """Bias, spread and coverage of each estimator over many logs, in the policy that takes each topic's best."""
    truth = world()
    best_T = truth.right_TM.argmax(axis=1)
    value = float(truth.right_TM.max(axis=1).mean())
    found: dict[str, list[tuple[float, float, bool, bool]]] = defaultdict(list)
    for seed in range(logs):
        drawn = draw(truth, logging, size, seed)
        log = as_log(drawn, known=known, seed=seed)
        for name in ESTIMATORS:
            one = estimate(terms(log, best_T[drawn.topic_N], name), seed, resamples=400)
            covers = [span.low <= value <= span.high for span in (one.normal, one.bootstrap)]
            found[name].append((one.value, one.standard_error, covers[0], covers[1]))
    rows: list[dict[str, Cell]] = []
    for name, each in found.items():
        values, errors, normal, bootstrap = (np.array(column) for column in zip(*each, strict=True))
        rows.append(
            {
                "logging": logging,
                "propensities": "known" if known else "estimated",
                "prompts": size,
                "estimator": name,
                "bias": float(values.mean() - value),
                "standard deviation": float(values.std()),
                "standard error said": float(errors.mean()),
                "covered, normal": float(normal.mean()),
                "covered, bootstrap": float(bootstrap.mean()),
            }
        )
    return rows


def run(*, sizes: tuple[int, ...] = (500, 5000), logs: int = 200) -> Table:
    """Every kind of logging, propensities known and estimated."""
    rows = [
        row
        for logging in LOGGINGS
        for known in (True, False)
        for size in sizes
        for row in figures(logging, size, logs, known=known)
    ]
    return Table(
        name="off_policy",
        claim=(
            f"A policy's quality from logs with one answer a prompt, over {logs} logs each: five candidates, four "
            "topics; logged uniformly, 70 % by one candidate (skewed), or 70 % by another candidate for each topic "
            "(contextual). Shares of nominal 95 % intervals that cover the truth. The direct method's intervals leave "
            "out the error of its model and aren't expected to cover."
        ),
        rows=rows,
        summary={
            "least coverage of doubly robust, normal": min(
                float(row["covered, normal"] or 0) for row in rows if row["estimator"] == "doubly_robust"
            ),
        },
    )
