"""One split of a comparison: every method trained on the same prompts, asked about the same others.

Shapes: N prompts, M candidates; L prompts to learn from, K test prompts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.baselines.methods import fit_predict
from components.baselines.protocol import Fit
from components.evaluation.controls import random_features, shuffled_labels
from components.evaluation.operating import Asked, ParityConfig, price_grid
from components.learning.ablation import fit_heads_alone
from components.learning.judged import Judged as Outcomes
from components.learning.judged import with_expected
from components.learning.operating import choose_policy, policy_of
from components.learning.parts import one_method, phases, stage_one_quality
from components.learning.router import LEARNING, LearnConfig, discover_tasks, learn_router, with_tasks
from components.learning.two_stage import StageOne, TwoStage, TwoStageConfig, learn_stage_one
from components.tables.board import Board
from components.tasks.discovery_config import DiscoveryConfig
from pointsman.model.aggregate import mix
from pointsman.model.guard import router_scores
from pointsman.model.prediction import Prediction
from pointsman.policy.policy import decide

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """What every method says of the K test prompts."""

    predicted: dict[str, Floats]
    """Method -> scores, (K, M), each row's greatest being the choice."""
    calibrated_KM: Floats
    """The router's."""
    raw_KM: Floats
    """The router's before calibration."""
    expected_cost_KM: Floats
    """USD per call as the router expects it; nan where unknown."""
    figures: dict[str, Any]
    """How the router came to be."""


def judge_split(
    board: Board,
    fits: Mapping[str, Fit],
    learning: LearnConfig,
    seed: int,
) -> Judged:
    """Trains the router, its ablations, the peers and the controls on the learning splits, and asks all about test.

    Args:
        board: of the block, each prompt in a split.
        fits: peers by name.
        learning: of the router.
        seed: of everything random.
    """
    learn_L, test = board.rows(*LEARNING), board.take(board.rows("test"))
    learnt = learn_router(board, learn_L, learning, seed)
    found, seen, trained = learnt.found, learnt.seen, learnt.trained
    model = trained.model
    believed = model.predict(test.features_NF, test.embedding_ND, test.input_tokens_N)
    guarded_KM = router_scores(believed, int(model.fallback))
    predicted: dict[str, Floats] = {
        "router": guarded_KM,
        "router_unguarded": believed.quality_NM,
        "stage1_only": model.stage_one(test.features_NF),
        "task_table": model.task_table(test.features_NF),
        "task_table_hard": model.task_table(test.features_NF, "hard"),
    }
    if np.isfinite(believed.cost_usd_NM).all():
        predicted["router_at_parity"] = _at_parity(trained, seen, believed)
    config = learning.stages.seeded(seed)
    for method, alone in one_method(learning.discovery).items():
        one = trained.one if found.method == method else _stage_one(seen, alone, config, seed)
        predicted[f"stage1_{method}"] = stage_one_quality(one, test.features_NF)
    predicted |= phases(trained, seen, config, test)
    every: dict[str, Fit] = {
        **fits,
        "stage2_only": fit_heads_alone,
        "control_random_features": random_features(fit_heads_alone),
        "control_shuffled_labels": shuffled_labels(fit_heads_alone),
    }
    for name, fit in every.items():
        predicted[name] = fit_predict(fit, seen, test, seed)
    alphas = {
        f"{trial.posterior}-{trial.alpha:g}": [trial.quality, trial.advantage_error]
        for trial in trained.report.alpha_trials
    }
    figures = {
        "method": found.method,
        "tasks": found.partition.tasks,
        "unassigned_share": found.partition.unassigned_share,
        "candidate_share": trained.one.table.candidate_share,
        "bootstrap_ari": found.bootstrap_ari,
        "alpha": trained.report.chosen.alpha,
        "posterior": trained.report.chosen.posterior,
        "alphas": alphas,
        "guard_margin": trained.report.guard_margin,
        "doubt_margin": trained.report.doubt_margin,
        "distance_margin": trained.report.distance_margin,
        "novel_share": float(believed.novel_N.mean()),
        "task_heads_kept": bool(trained.two.experts.head_TM.any()),
        "classifier_micro": trained.one.report.micro,
        "classifier_macro": trained.one.report.macro,
        "trials": [
            {
                "method": trial.method,
                "tasks": trial.tasks,
                "validation_regret": trial.validation_regret,
                "advantage_error": trial.advantage_error,
                "stability": trial.stability,
            }
            for trial in found.trials
        ],
    }
    level_KM = mix(model.prompt_level(test.features_NF), model.stage_one(test.features_NF), float(model.alpha))
    return Judged(
        predicted=predicted,
        calibrated_KM=believed.quality_NM,
        raw_KM=level_KM,
        expected_cost_KM=believed.cost_usd_NM,
        figures=figures,
    )


def _stage_one(seen: Board, discovery: DiscoveryConfig, config: TwoStageConfig, seed: int) -> StageOne:
    """Stage 1 alone, of tasks that one method finds."""
    seen = with_tasks(seen, discover_tasks(seen, discovery, seed).partition)
    return learn_stage_one(seen, config)


def _at_parity(trained: TwoStage, seen: Board, believed: Prediction) -> Floats:
    """1 for the choice of the operating policy that a retrain on these prompts would declare, 0 elsewhere, (K, M)."""
    model, held = trained.model, trained.two.held
    fallback = int(model.fallback)
    expected_NM = model.cost.cost_usd(seen.features_NF, seen.input_tokens_N, held.task_N)
    task_NM = held.soft_NM if model.soft else held.hard_NM
    prediction = Prediction(
        quality_NM=model.calibration.apply(mix(held.prompt_NM, task_NM, float(model.alpha))),
        cost_usd_NM=expected_NM,
        task_N=held.task_N,
        margin_N=model.margin(held.doubt_N, held.distance_N),
        novel_N=np.zeros(held.task_N.size, dtype=np.bool_),
    )
    outcomes = Outcomes(quality_NM=seen.quality_NM, cost_usd_NM=seen.cost_usd_NM, group_N=seen.group_N)
    judged = with_expected(outcomes, expected_NM)
    prices = price_grid(expected_NM)
    chosen, _ = choose_policy(Asked(name="parity"), prediction, judged, fallback, prices, ParityConfig())
    choice_K = decide(believed, policy_of(chosen), fallback=fallback).candidate_N
    return np.asarray(np.eye(seen.quality_NM.shape[1])[choice_K], dtype=np.float64)
