"""The evaluation report of one router as plain JSON: what the bundle keeps, the page shows and the gate decided."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.block import common_block
from components.evaluation.bootstrap import Interval
from components.evaluation.gate import GateConfig, Verdict, judge
from components.evaluation.reliability import expected_calibration_error, reliability
from components.evaluation.scoring import choose, score_methods

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TestOutcomes:
    """What really happened on the N test prompts with the M candidates."""

    quality_NM: Floats
    """Quality in [0, 1]; nan where not observed."""
    judged_quality_NM: Floats
    """What choices are judged by: pseudo-outcomes, which are the outcomes on fully observed prompts; nan where nothing
    supports a choice."""
    judged_cost_usd_NM: Floats
    """The same of USD per call; nan where unknown."""
    benchmark_N: NDArray[np.str_]
    best_single: int
    """Column of the candidate that is best on training prompts."""


def judge_router(
    predictions: Mapping[str, Floats],
    outcomes: TestOutcomes,
    *,
    calibrated_NM: Floats,
    champion_NM: Floats | None,
    controls: Mapping[str, Floats],
    self_check: bool,
    config: GateConfig,
    seed: int,
    leave_one_out: Mapping[str, Interval] | None = None,
    latency_ms: float | None = None,
) -> Verdict:
    """The gate's verdict on the method called 'router', on the prompts that every method is compared on.

    Args:
        predictions: method -> predicted quality, shape (N, M).
        outcomes: of the test prompts.
        calibrated_NM: the router's calibrated quality, shape (N, M).
        champion_NM: the reigning router's predicted quality, nan for candidates it doesn't know; None: there is none.
        controls: name -> predicted quality of a method deprived of its signal.
        self_check: whether the router decides from text as it does from the stored features.
        config: thresholds.
        seed: of the bootstrap.
        leave_one_out: benchmark -> gain over the best single candidate of a router trained without it.
        latency_ms: milliseconds per prompt, one at a time; None: not measured.
    """
    block = common_block(~np.isnan(outcomes.judged_quality_NM), required=(outcomes.best_single,))
    quality, cost = (
        x[np.ix_(block.rows_K, block.columns_C)] for x in (outcomes.judged_quality_NM, outcomes.judged_cost_usd_NM)
    )

    def got(value: Floats, predicted_NM: Floats) -> Floats:
        choice_K = choose(predicted_NM[block.rows_K], block.columns_C)
        return np.asarray(np.take_along_axis(value, choice_K[:, None], axis=1)[:, 0])

    single = int(np.flatnonzero(block.columns_C == outcomes.best_single)[0])
    comparable = champion_NM is not None and np.isfinite(champion_NM[:, block.columns_C]).any()
    return judge(
        challenger_quality_N=got(quality, predictions["router"]),
        best_single_quality_N=quality[:, single],
        challenger_cost_N=got(cost, predictions["router"]),
        best_single_cost_N=cost[:, single],
        champion_quality_N=got(quality, champion_NM) if champion_NM is not None and comparable else None,
        controls={name: got(quality, predicted_NM) for name, predicted_NM in controls.items()},
        calibration_error=expected_calibration_error(calibrated_NM, outcomes.quality_NM),
        self_check=self_check,
        leave_one_out=leave_one_out,
        latency_ms=latency_ms,
        config=config,
        seed=seed,
    )


def compose(
    predictions: Mapping[str, Floats],
    outcomes: TestOutcomes,
    *,
    calibrated_NM: Floats,
    verdict: Verdict,
    discovery: Mapping[str, Any],
    sections: Mapping[str, Any],
    seed: int,
    task_N: NDArray[np.str_] | None = None,
    expected_cost: Mapping[str, Floats] | None = None,
) -> dict[str, Any]:
    """The report: methods, discovery, gate, reliability, and the sections given.

    Args:
        predictions: method -> predicted quality, shape (N, M).
        outcomes: of the test prompts.
        calibrated_NM: the router's calibrated quality, shape (N, M).
        verdict: the gate's.
        discovery: method, tasks, unassigned_share, candidate_share, bootstrap_ari, planted_ari or None.
        sections: further parts, by name.
        seed: of the bootstrap.
        task_N: the label of each test prompt's task; None: no scores by task.
        expected_cost: method -> USD per call as it expects it, for its cost-quality curve.

    Returns:
        Plain JSON; what isn't a finite number is None.
    """
    scores = score_methods(
        predictions,
        quality_NM=outcomes.judged_quality_NM,
        cost_usd_NM=outcomes.judged_cost_usd_NM,
        benchmark_N=outcomes.benchmark_N,
        best_single=outcomes.best_single,
        seed=seed,
        task_N=task_N,
        expected_cost=expected_cost,
    )
    bins = reliability(calibrated_NM, outcomes.quality_NM)
    report: dict[str, Any] = plain(
        {
            "methods": {name: score.as_dict() for name, score in scores.items()},
            "discovery": dict(discovery),
            "gate": verdict.as_dict(),
            "reliability": [
                {"predicted": p, "observed": o, "count": c}
                for p, o, c in zip(bins.predicted_B, bins.observed_B, bins.count_B, strict=True)
            ],
            **sections,
        }
    )
    return report


def plain(value: Any) -> Any:
    """Arrays and numpy scalars as JSON's own types, and None for what isn't finite.

    >>> plain({"a": np.array([1.0, np.nan]), "b": (np.int64(2),)})
    {'a': [1.0, None], 'b': [2]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
