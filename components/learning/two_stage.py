"""The whole method on arrays: tasks in, router out. Shapes: N prompts, T tasks, M candidates."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from components.heads.classifier import ClassifierConfig, ClassifierReport, recognition, train_classifier
from components.heads.experts import ExpertConfig, ExpertReport, train_experts
from components.heads.training import FitConfig
from components.learning.cross_fit import StageOneHeld, folds_of, hold_out_stage_one, hold_out_stage_two
from components.learning.fit import FitReport, RouterConfig, fit_router
from components.learning.granular import cluster_tables
from components.learning.mixing import HeldOut
from components.tables.board import Board
from components.tasks.partition import Partition
from components.tasks.table import TaskTable, known_labels, label_quality, task_table
from pointsman.model.clusters import ClusterTables
from pointsman.model.router_model import RouterModel
from pointsman.model.weights import ClassifierWeights, ExpertWeights

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStageConfig:
    """The configuration of every step after discovery."""

    classifier: ClassifierConfig = field(default_factory=ClassifierConfig)
    experts: ExpertConfig = field(default_factory=ExpertConfig)
    router: RouterConfig = field(default_factory=RouterConfig)
    folds: int = 4
    """Of cross-fitting, >= 2."""
    fold_members: int = 1
    """Networks averaged in each fold's heads, >= 1; the final heads have the experts' own number."""
    smallest_label: int = 15
    """Prompts that one of the logs' labels needs for a table of its own, >= 1."""

    def __post_init__(self) -> None:
        if self.folds < 2 or min(self.fold_members, self.smallest_label) < 1:
            raise ValueError(f"folds >= 2, fold_members and smallest_label >= 1; got {self}")

    def seeded(self, seed: int) -> "TwoStageConfig":
        """The same with another seed in every network."""
        return replace(self, classifier=replace(self.classifier, seed=seed), experts=replace(self.experts, seed=seed))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageOne:
    """What is learnt of tasks."""

    table: TaskTable
    classifier: ClassifierWeights
    clusters: ClusterTables
    report: ClassifierReport
    """On prompts that the classifiers of the folds hadn't seen."""
    held: StageOneHeld


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageTwo:
    """What is learnt of prompts beyond their tasks."""

    experts: ExpertWeights
    reports: tuple[ExpertReport, ...]
    """One a fold."""
    held: HeldOut


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TwoStage:
    """A trained router and how it came to be."""

    model: RouterModel
    report: FitReport
    one: StageOne
    two: StageTwo


def learn_stage_one(seen: Board, config: TwoStageConfig) -> StageOne:
    """Table and classifier of all prompts, and what they expect of each when it is held out.

    Args:
        seen: what is learnt from: each task with two prompts or more. The logs' own labels are what the tasks' table
            is shrunken towards; prompts of a group are held out together.
        config: see TwoStageConfig.
    """
    features_NF, task_N, quality_NM = seen.features_NF, seen.task_N, seen.quality_NM
    known_N = known_labels(seen.benchmark_N, config.smallest_label)
    prior_NM = None if known_N is None else label_quality(known_N, quality_NM)
    folds = folds_of(task_N, config.folds, config.classifier.seed, seen.group_N)
    held = hold_out_stage_one(features_NF, task_N, quality_NM, prior_NM, folds, config.classifier)
    final = replace(config.classifier, fit=_for(config.classifier.fit, held.epochs))
    classifier, _ = train_classifier(features_NF, task_N, features_NF[:0], task_N[:0], final)
    return StageOne(
        table=task_table(Partition(task_N=task_N, membership_N=(task_N >= 0).astype(np.float32)), quality_NM, prior_NM),
        classifier=replace(
            classifier,
            temperature=np.array(held.temperature, dtype=np.float32),
            confidence_floor=np.array(held.confidence_floor, dtype=np.float32),
        ),
        clusters=cluster_tables(features_NF, quality_NM, config.classifier.seed),
        report=recognition(held.posterior_NT, task_N, held.temperature, held.confidence_floor),
        held=held,
    )


def learn_stage_two(
    seen: Board, candidate_TM: NDArray[np.bool_], first: StageOneHeld, config: TwoStageConfig
) -> StageTwo:
    """Heads that learn what stage 1 doesn't know, and what they say of each prompt when it is held out.

    Args:
        seen: as stage 1 had it.
        candidate_TM: the candidates of each task, which may get heads of their own.
        first: stage 1, held out.
        config: see TwoStageConfig.
    """
    features_NF, task_N, quality_NM = seen.features_NF, seen.task_N, seen.quality_NM
    folds = folds_of(task_N, config.folds, config.classifier.seed, seen.group_N)
    fewer = replace(config.experts, members=config.fold_members)
    second = hold_out_stage_two(features_NF, task_N, quality_NM, candidate_TM, first, folds, fewer)
    head_TM = candidate_TM if second.special else np.zeros_like(candidate_TM)
    experts = final_experts(seen, head_TM, first, second.reports, config)
    return StageTwo(experts=experts, reports=second.reports, held=second.held)


def final_experts(
    seen: Board,
    head_TM: NDArray[np.bool_],
    first: StageOneHeld,
    reports: tuple[ExpertReport, ...],
    config: TwoStageConfig,
) -> ExpertWeights:
    """Heads of all prompts, trained for as long as the folds' were.

    Args:
        seen: as stage 1 had it.
        head_TM: which tasks get heads of their own for which candidates.
        first: stage 1, held out.
        reports: of the folds.
        config: see TwoStageConfig.
    """
    special = [report.special.best_epoch for report in reports if report.special]
    final = replace(
        config.experts,
        general=_for(config.experts.general, _mean([g.best_epoch for r in reports for g in r.general])),
        special=_for(config.experts.special, _mean(special)),
    )
    experts, _ = train_experts(
        seen.features_NF,
        seen.quality_NM,
        seen.task_N,
        head_TM,
        seen.features_NF[:0],
        seen.quality_NM[:0],
        seen.task_N[:0],
        final,
        expected_NM=first.soft_NM,
        validation_expected_NM=first.soft_NM[:0],
    )
    return experts


def learn(seen: Board, config: TwoStageConfig, seed: int) -> TwoStage:
    """A router from prompts with tasks.

    Args:
        seen: what is learnt from.
        config: of every step.
        seed: of the novelty reference; networks have theirs in the config.
    """
    one = learn_stage_one(seen, config)
    two = learn_stage_two(seen, one.table.candidate_TM, one.held, config)
    model, report = fit_router(
        classifier=one.classifier,
        experts=two.experts,
        table_quality_TM=one.table.quality_TM,
        general_quality_M=one.table.general_M,
        clusters=one.clusters,
        seen=seen,
        held=two.held,
        config=config.router,
        seed=seed,
    )
    return TwoStage(model=model, report=report, one=one, two=two)


def _for(fit: FitConfig, epochs: int) -> FitConfig:
    """Exactly so many epochs: nothing is held back that could stop training."""
    return replace(fit, epochs=epochs, patience=epochs)


def _mean(epochs: list[int]) -> int:
    return max(1, round(sum(epochs) / len(epochs))) if epochs else 1
