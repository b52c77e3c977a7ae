"""Estimates of a policy's quality from logs of one answer a prompt, against the truth of a simulated world."""

from collections.abc import Sequence

import numpy as np

from components.evaluation.off_policy.estimators import ESTIMATORS, terms
from components.evaluation.off_policy.judge import estimate
from tests.benchmarks.off_policy_logs import LOGGINGS, as_log, draw, world
from tests.benchmarks.processes import in_processes
from tests.benchmarks.table import Cell, Table

Drawn = tuple[float, float, bool, bool]
"""Estimate less truth, its standard error, and whether the normal and the bootstrap interval cover the truth."""


_CHUNK = 25
"""Logs that a process draws at a time."""


def drawn(logging: str, size: int, seeds: Sequence[int], known: bool) -> dict[str, list[Drawn]]:
    """What each estimator says of each log, in the policy that takes each topic's best."""
    truth = world()
    best_T = truth.right_TM.argmax(axis=1)
    value = float(truth.right_TM.max(axis=1).mean())
    found: dict[str, list[Drawn]] = {name: [] for name in ESTIMATORS}
    for seed in seeds:
        shown = draw(truth, logging, size, seed)
        log = as_log(shown, known=known, seed=seed)
        for name in ESTIMATORS:
            one = estimate(terms(log, best_T[shown.topic_N], name), seed, resamples=400)
            covers = [span.low <= value <= span.high for span in (one.normal, one.bootstrap)]
            found[name].append((one.value - value, one.standard_error, covers[0], covers[1]))
    return found


def figures(logging: str, size: int, logs: int, *, known: bool) -> list[dict[str, Cell]]:
    """Bias, spread and coverage of each estimator over many logs."""
    return _rows(logging, size, known, [drawn(logging, size, range(logs), known)])


def _rows(logging: str, size: int, known: bool, parts: Sequence[dict[str, list[Drawn]]]) -> list[dict[str, Cell]]:
    rows: list[dict[str, Cell]] = []
    for name in ESTIMATORS:
        each = [one for part in parts for one in part[name]]
        gaps, errors, normal, bootstrap = (np.array(column) for column in zip(*each, strict=True))
        rows.append(
            {
                "logging": logging,
                "propensities": "known" if known else "estimated",
                "prompts": size,
                "estimator": name,
                "bias": float(gaps.mean()),
                "standard deviation": float(gaps.std()),
                "standard error said": float(errors.mean()),
                "covered, normal": float(normal.mean()),
                "covered, bootstrap": float(bootstrap.mean()),
            }
        )
    return rows


def run(*, sizes: Sequence[int] = (500, 5000), logs: int = 500, workers: int = 1) -> Table:
    """Every kind of logging, propensities known and estimated; in as many processes of one thread each."""
    kinds = [(logging, size, known) for logging in LOGGINGS for known in (True, False) for size in sizes]
    chunks = [range(start, min(start + _CHUNK, logs)) for start in range(0, logs, _CHUNK)]
    calls = [(logging, size, chunk, known) for logging, size, known in kinds for chunk in chunks]
    parts = in_processes(drawn, calls, workers)
    rows = [
        row
        for place, kind in enumerate(kinds)
        for row in _rows(*kind, parts[place * len(chunks) : (place + 1) * len(chunks)])
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
