"""The evaluation report of one router as plain JSON: what the bundle keeps, the page shows and the gate decided."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.gate import Verdict
from components.evaluation.paired import Moments, difference
from components.evaluation.reliability import reliability
from components.evaluation.scoring import score_methods

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
    group_N: NDArray[np.integer] | None = None
    """Prompts that belong together, such as turns of a conversation; None: all are independent."""


def control_choices(router_NM: Floats, controls: Mapping[str, Floats], outcomes: TestOutcomes) -> dict[str, Moments]:
    """Quality of the router's choices at `best` less each control's, each among the candidates that can be judged.

    Args:
        router_NM: scores whose best is the router's choice, shape (N, M).
        controls: name -> predicted quality of a method deprived of its signal.
        outcomes: of the test prompts.
    """
    judged_NM = outcomes.judged_quality_NM
    rows_K = np.flatnonzero(~np.isnan(judged_NM).all(axis=1))

    def got(predicted_NM: Floats) -> Floats:
        unknown_KM = np.isnan(judged_NM[rows_K]) | np.isnan(predicted_NM[rows_K])
        choice_K = np.where(unknown_KM, -np.inf, predicted_NM[rows_K]).argmax(axis=1)
        return np.asarray(judged_NM[rows_K, choice_K], dtype=np.float64)

    ours_K = got(router_NM)
    found = {}
    for name, predicted_NM in controls.items():
        theirs_K = got(predicted_NM)
        both_K = ~np.isnan(ours_K) & ~np.isnan(theirs_K)
        if both_K.any():
            group_K = None if outcomes.group_N is None else outcomes.group_N[rows_K][both_K]
            found[name] = difference(ours_K[both_K], theirs_K[both_K], group_K)
    return found


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
        group_N=outcomes.group_N,
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
