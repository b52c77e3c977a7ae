"""The router with one of its parts exchanged: what each is worth. Shapes: N prompts, T tasks, M candidates."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from components.learning.two_stage import StageOne, TwoStage, TwoStageConfig, final_experts
from components.tables.board import Board
from components.tasks.discovery_config import DiscoveryConfig
from pointsman.model.aggregate import assign_tasks, task_level, task_posterior
from pointsman.model.clusters import blend
from pointsman.model.weights import ExpertWeights

Floats = NDArray[np.float64]


def one_method(config: DiscoveryConfig) -> dict[str, DiscoveryConfig]:
    """Discovery by graph alone and by density alone, as far as the configuration tries them.

    >>> sorted(one_method(DiscoveryConfig())), sorted(one_method(DiscoveryConfig(density_minimum_samples=())))
    (['density', 'graph'], ['graph'])
    """
    graph, density = bool(config.graph_trials(0)), bool(config.density_trials(0))
    found = {"graph": replace(config, density_minimum_samples=())} if graph else {}
    return found | ({"density": replace(config, resolutions=())} if density else {})


def stage_one_quality(one: StageOne, features_NF: NDArray[np.float32]) -> Floats:
    """Uncalibrated quality by stage 1 alone, read by the soft posterior, shape (N, M)."""
    posterior_NT = task_posterior(one.classifier, features_NF)
    task_N = assign_tasks(posterior_NT, float(one.classifier.confidence_floor))
    table_NM = task_level(posterior_NT, task_N, one.table.quality_TM, one.table.general_M, "soft")
    return blend(table_NM, one.clusters.expected(features_NF))


def phases(trained: TwoStage, seen: Board, config: TwoStageConfig, test: Board) -> dict[str, Floats]:
    """The router's quality without task-specific heads and with them, whichever it has itself, each (N, M).

    Args:
        trained: on the prompts in `seen`.
        seen: what it learnt from, with tasks.
        config: that it was trained with.
        test: the N prompts asked about; outcomes aren't read.
    """
    model, one = trained.model, trained.one
    special = model.experts
    if not special.head_TM.any():
        special = final_experts(seen, one.table.candidate_TM, one.held, trained.two.reports, config)
    variants = {"one_phase": _general(model.experts), "two_phases": special}
    return {
        name: replace(model, experts=experts)
        .predict(test.features_NF, test.embedding_ND, test.input_tokens_N)
        .quality_NM
        for name, experts in variants.items()
    }


def _general(experts: ExpertWeights) -> ExpertWeights:
    return replace(
        experts,
        task_TMH=np.zeros_like(experts.task_TMH),
        task_bias_TM=np.zeros_like(experts.task_bias_TM),
        head_TM=np.zeros_like(experts.head_TM),
    )
