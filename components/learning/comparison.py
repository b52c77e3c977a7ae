"""One split of a comparison: every method trained on the same prompts, asked about the same others.

Shapes: N prompts, M candidates; L prompts to learn from, K test prompts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.baselines.methods import fit_predict
from components.baselines.protocol import Fit, TrainingSet
from components.evaluation.controls import random_features, shuffled_labels
from components.evaluation.curves import parity_price
from components.learning.ablation import fit_heads_alone
from components.learning.fit import Observations
from components.learning.parts import one_method, phases, stage_one_quality
from components.learning.two_stage import StageOne, TwoStage, TwoStageConfig, learn, learn_stage_one
from components.tasks.assignment import assign
from components.tasks.choice import Discovery, DiscoveryConfig, choose_partition
from pointsman.model.aggregate import mix
from pointsman.model.guard import counted, router_scores

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logs:
    """Everything that is known of the N prompts of a block."""

    seen: Observations
    """Its task_N isn't read."""
    benchmark_N: NDArray[np.str_]
    input_usd_per_mtok_M: Floats
    output_usd_per_mtok_M: Floats

    def training_set(self, rows_K: Rows) -> TrainingSet:
        """What a peer may learn from."""
        return TrainingSet(
            features_NF=self.seen.features_NF[rows_K],
            quality_NM=self.seen.quality_NM[rows_K],
            cost_usd_NM=self.seen.cost_usd_NM[rows_K],
            benchmark_N=self.benchmark_N[rows_K],
        )


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


def discover(
    logs: Logs, learn_L: Rows, config: DiscoveryConfig, seed: int
) -> tuple[Discovery, Rows, NDArray[np.int32]]:
    """Discovers tasks on seven eighths of the prompts, chosen between on the rest, which are then assigned.

    Args:
        logs: of the block.
        learn_L: rows to learn from.
        config: what partitions are tried.
        seed: of everything random.

    Returns:
        What was found; the rows in the order of `learning_order`; the task of each, shape (L,).
    """
    order_L = learning_order(learn_L, seed)
    validation_K, train_K = np.split(order_L, [order_L.size // 8])
    features_NF, quality_NM = logs.seen.features_NF, logs.seen.quality_NM
    found = choose_partition(
        features_NF[train_K],
        quality_NM[train_K],
        features_NF[validation_K],
        quality_NM[validation_K],
        config,
        seed,
        label_N=logs.benchmark_N[train_K],
    )
    assigned_K = assign(features_NF[train_K], found.partition, features_NF[validation_K])
    return found, order_L, np.concatenate([assigned_K, found.partition.task_N])


def train_router(
    logs: Logs, learn_L: Rows, discovery: DiscoveryConfig, config: TwoStageConfig, seed: int
) -> tuple[Discovery, Observations, TwoStage]:
    """Tasks, the prompts with them, and both stages from some of the prompts.

    Args:
        logs: of the block.
        learn_L: rows to learn from.
        discovery: what partitions are tried.
        config: of both stages.
        seed: of everything random.
    """
    found, order_L, task_L = discover(logs, learn_L, discovery, seed)
    seen = replace(take(logs.seen, order_L), task_N=task_L)
    prices = logs.input_usd_per_mtok_M, logs.output_usd_per_mtok_M
    return found, seen, learn(seen, logs.benchmark_N[order_L], *prices, config.seeded(seed), seed)


def _stage_one(logs: Logs, learn_L: Rows, discovery: DiscoveryConfig, config: TwoStageConfig, seed: int) -> StageOne:
    _, order_L, task_L = discover(logs, learn_L, discovery, seed)
    seen = logs.seen
    return learn_stage_one(
        seen.features_NF[order_L], task_L, seen.quality_NM[order_L], logs.benchmark_N[order_L], config
    )


def learning_order(learn_L: Rows, seed: int) -> Rows:
    """The rows to learn from as `train_router` takes them: its held-out figures are in this order."""
    return np.random.default_rng(seed).permutation(learn_L)


def judge_split(
    logs: Logs,
    learn_L: Rows,
    test_K: Rows,
    fits: Mapping[str, Fit],
    discovery: DiscoveryConfig,
    config: TwoStageConfig,
    seed: int,
) -> Judged:
    """Trains the router, its ablations, the peers and the controls on some prompts, and asks all about others.

    Args:
        logs: of the block.
        learn_L: rows to learn from.
        test_K: rows to judge on.
        fits: peers by name.
        discovery: what partitions the router tries.
        config: of the router.
        seed: of everything random.
    """
    found, seen, trained = train_router(logs, learn_L, discovery, config, seed)
    model, test = trained.model, take(logs.seen, test_K)
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
        predicted["router_at_parity"] = guarded_KM - believed.cost_usd_NM / _parity(trained, seen)
    config = config.seeded(seed)
    for method, alone in one_method(discovery).items():
        one = trained.one if found.method == method else _stage_one(logs, learn_L, alone, config, seed)
        predicted[f"stage1_{method}"] = stage_one_quality(one, test.features_NF)
    predicted |= phases(trained, seen, config, test)
    training, judged = logs.training_set(learn_L), logs.training_set(test_K)
    every: dict[str, Fit] = {
        **fits,
        "stage2_only": fit_heads_alone,
        "control_random_features": random_features(fit_heads_alone),
        "control_shuffled_labels": shuffled_labels(fit_heads_alone),
    }
    for name, fit in every.items():
        predicted[name] = fit_predict(fit, training, judged, seed)
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


def _parity(trained: TwoStage, seen: Observations) -> float:
    """The price at which held-out choices are as good as the fallback alone."""
    model, held = trained.model, trained.two.held
    task_NM = held.soft_NM if model.soft else held.hard_NM
    believed_NM = model.calibration.apply(mix(held.prompt_NM, task_NM, float(model.alpha)))
    believed_NM = counted(believed_NM, model.margin(held.doubt_N), int(model.fallback))
    expected_NM = model.cost.cost_usd(seen.features_NF, seen.input_tokens_N, held.task_N)
    return parity_price(believed_NM, seen.quality_NM, expected_NM, int(model.fallback))


def take(seen: Observations, rows_K: Rows) -> Observations:
    """The same columns on a choice of prompts."""
    return Observations(**{entry.name: getattr(seen, entry.name)[rows_K] for entry in fields(Observations)})
