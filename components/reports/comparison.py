"""What a comparison of methods found on one block of logs, as plain JSON. Shapes: N prompts, M candidates."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import paired_difference
from components.evaluation.curves import operating_points
from components.evaluation.reliability import expected_calibration_error
from components.evaluation.scoring import score_methods
from components.learning.selection import best_single
from components.reports.report import plain

Floats = NDArray[np.float64]
ABLATIONS = (
    *("router", "router_unguarded", "one_phase", "two_phases", "stage2_only"),
    *("stage1_only", "stage1_graph", "stage1_density", "task_table", "task_table_hard"),
)
"""The whole and its parts, in the order they are read."""
CONTROLS = ("control_random_features", "control_shuffled_labels")
NOT_PEERS = frozenset({*ABLATIONS, *CONTROLS, "router_at_parity", "best_per_benchmark", "oracle"})
"""What 'above every peer' isn't about: the router itself, controls, and what knows labels or outcomes."""
RIVALS = ("best_single", "knn100", "kmeans60", "mlp", "best_per_benchmark")
"""Whom the router is set beside first; the other peers follow."""


def block_report(
    predicted: Mapping[str, Floats],
    *,
    quality_NM: Floats,
    cost_usd_NM: Floats,
    benchmark_N: NDArray[np.str_],
    split_N: NDArray[np.intp],
    group_N: NDArray[np.integer] | None,
    calibrated_NM: Floats,
    raw_NM: Floats,
    expected_cost_NM: Floats,
    models: Sequence[str],
    splits: Sequence[Mapping[str, Any]],
    held_out: Sequence[Mapping[str, Any]],
    peers_held_out: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]],
    tuned: Mapping[str, int],
    seed: int,
) -> dict[str, Any]:
    """Scores, paired differences, curves and calibration of one block, every prompt judged once.

    Args:
        predicted: method -> scores, shape (N, M), each row by what was trained without it.
        quality_NM: observed quality, complete.
        cost_usd_NM: USD per call; nan where unknown.
        benchmark_N: the logs' label of each prompt.
        split_N: in which split each prompt was judged.
        group_N: prompts that belong together, which intervals draw together; None: all are independent.
        calibrated_NM: the router's quality.
        raw_NM: the same before calibration.
        expected_cost_NM: USD per call as the router expects it; nan where unknown.
        models: names of the candidates.
        splits: how the router came to be in each split.
        held_out: gain on each benchmark of a router trained without it.
        peers_held_out: method -> the same of a peer, seed by seed.
        tuned: method -> its place in its grid.
        seed: of the bootstrap.
    """
    single = best_single(quality_NM)
    # whatever is exchanged of the router, its costs stay
    own_cost = dict.fromkeys((*ABLATIONS, "router_at_parity"), expected_cost_NM)
    scores = score_methods(
        predicted,
        quality_NM=quality_NM,
        cost_usd_NM=cost_usd_NM,
        benchmark_N=benchmark_N,
        best_single=single,
        seed=seed,
        group_N=group_N,
        expected_cost=own_cost,
    )
    outcome = {name: _outcome(scores_NM, quality_NM) for name, scores_NM in predicted.items()}
    outcome["best_single"] = quality_NM[:, single]
    methods = {name: score.as_dict() for name, score in scores.items()}
    for name, value_N in outcome.items():
        methods[name]["per_split"] = [float(value_N[split_N == split].mean()) for split in np.unique(split_N)]
    peers = {name: value_N for name, value_N in outcome.items() if name not in NOT_PEERS}
    best_peer = max(sorted(peers), key=lambda name: float(peers[name].mean()))
    rivals = dict.fromkeys((*RIVALS, best_peer, *peers, *CONTROLS, "stage1_only", "stage2_only"))
    curves = {
        name: np.stack(operating_points(predicted[name], quality_NM, cost_usd_NM, own_cost.get(name)), axis=1)
        for name in predicted
        if name not in {*CONTROLS, "router_at_parity", "random"} and not np.isnan(cost_usd_NM).any()
    }
    report: dict[str, Any] = plain(
        {
            "prompts": len(quality_NM),
            "candidates": list(models),
            "best_single": models[single],
            "best_peer": best_peer,
            "methods": methods,
            "router_less": {
                name: paired_difference(outcome["router"], outcome[name], seed, group_N).as_list()
                for name in rivals
                if name in outcome
            },
            "ablation": {name: methods[name]["quality"] for name in ABLATIONS if name in methods},
            "parity": _parity(methods),
            "ece": {
                "before": expected_calibration_error(raw_NM, quality_NM),
                "after": expected_calibration_error(calibrated_NM, quality_NM),
            },
            "curves": {name: 1000 * curve * [1, 1e-3] for name, curve in curves.items()},
            "splits": list(splits),
            "held_out": list(held_out),
            "peers_held_out": {name: _by_seed(seeds) for name, seeds in peers_held_out.items() if any(seeds)},
            "tuned": dict(tuned),
        }
    )
    return report


def over_blocks(report: Mapping[str, Any]) -> dict[str, list[float]]:
    """The router less each rival in the mean over blocks: mean and ends of the 95 % interval, the nearest rival first.

    Each block counts the same, and blocks share no prompts: half the width of an interval adds up as independent
    standard errors do.

    Args:
        report: block -> what `block_report` made of it.

    >>> half = {"router_less": {"knn": [0.01, 0.0, 0.02]}}
    >>> [round(figure, 4) for figure in over_blocks({"one": half, "two": half})["knn"]]
    [0.01, 0.0029, 0.0171]
    """
    each = [block["router_less"] for block in report.values()]
    shared = [name for name in each[0] if all(name in one for one in each)] if each else []
    found = {}
    for name in shared:
        mean_B, low_B, high_B = np.array([one[name] for one in each]).T
        mean = float(mean_B.mean())
        half = float(np.sqrt(((high_B - low_B) ** 2).sum())) / (2 * len(each))
        found[name] = [mean, mean - half, mean + half]
    return dict(sorted(found.items(), key=lambda item: item[1][0]))


def _by_seed(seeds: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Mean gain over benchmarks, seed by seed, and each benchmark's over seeds."""
    each = [{gain["benchmark"]: float(gain["gain"]["mean"]) for gain in gains} for gains in seeds]
    return {
        "seeds": [float(np.mean(list(gains.values()))) for gains in each],
        "benchmarks": {name: float(np.mean([gains[name] for gains in each])) for name in each[0]},
    }


def _outcome(scores_NM: Floats, quality_NM: Floats) -> Floats:
    return np.asarray(quality_NM[np.arange(len(quality_NM)), np.nan_to_num(scores_NM, nan=-np.inf).argmax(axis=1)])


def _parity(methods: Mapping[str, Any]) -> dict[str, Any] | None:
    """Cost of the router, at a price chosen without the test prompts, as a share of the best single candidate's."""
    if "router_at_parity" not in methods or methods["best_single"]["cost_usd_per_1000"] is None:
        return None
    own, single = methods["router_at_parity"], methods["best_single"]
    return {
        "cost_share": own["cost_usd_per_1000"][0] / single["cost_usd_per_1000"][0],
        "gain": own["gain"],
        "cost_share_on_the_curve": None if (save := methods["router"]["cost_save"]) is None else 1 - save,
    }
