"""What both stages say of prompts they were not trained on, for every prompt that there is to learn from.

A few hundred validation prompts can't tell routers apart that differ by a hundredth. Cross-fitting makes a validation
prompt of each: weights, calibration and guard are chosen on all of them, and the final fit keeps none back.
Shapes: N prompts, F features, T tasks, M candidates.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.heads.classifier import ClassifierConfig, choose_floor, train_classifier
from components.heads.experts import ExpertConfig, ExpertReport, train_experts
from components.heads.task_heads import gained
from components.learning.granular import cluster_tables
from components.learning.mixing import HeldOut
from components.tables.groups import divisible
from components.tasks.partition import Partition
from components.tasks.table import task_table
from pointsman.model.aggregate import Posterior, assign_tasks, task_level
from pointsman.model.clusters import blend
from pointsman.model.guard import doubt
from pointsman.model.weights import log_odds, sigmoid

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
SOFT: Posterior = "soft"
HARD: Posterior = "hard"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageOneHeld:
    """Stage 1 on every prompt, by a classifier and a table trained without it."""

    posterior_NT: Floats
    soft_NM: Floats
    """Rows of the fold's table averaged by the posterior."""
    hard_NM: Floats
    """The row of the most probable task, general means below the floor; both blended with the cluster tables."""
    task_N: NDArray[np.int32]
    """Recognised task, -1: unsure."""
    distance_N: Floats
    """From the fold's clusters, see `ClusterTables.nearest`."""
    temperature: float
    confidence_floor: float
    epochs: int
    """Passes that training took, mean over folds."""


def folds_of(
    task_N: NDArray[np.int32], folds: int, seed: int, group_N: NDArray[np.int32] | None = None
) -> tuple[tuple[Rows, Rows], ...]:
    """Rows to learn from and rows held out, fold by fold; each task is spread over the folds, groups stay whole.

    What is said of a prompt would be no judgement had its near-duplicate or another turn of its conversation been
    learnt from. A task whose prompts would all fall into one fold is divided nevertheless, for nothing else knows of
    it, and so are prompts that are all one group.

    Args:
        task_N: task of each prompt, -1: none.
        folds: in [2, N].
        seed: of the order in which prompts fall to folds.
        group_N: prompts that belong together, below 0: to nobody; None: all are independent.

    Raises:
        ValueError: folds < 2, or fewer prompts than folds.
    """
    if not 2 <= folds <= task_N.size:
        raise ValueError(f"folds must be in [2, {task_N.size}], got {folds}")
    order_N = np.random.default_rng(seed).permutation(task_N.size)
    ranked_N = order_N[np.argsort(task_N[order_N], kind="stable")]
    whole_N = np.full(task_N.size, -1) if group_N is None else divisible(group_N)
    # a group falls where its first prompt in this order would
    _, first_U, group_R = np.unique(
        np.where(whole_N < 0, -1 - np.arange(task_N.size), whole_N)[ranked_N], return_index=True, return_inverse=True
    )
    fold_N = np.empty(task_N.size, dtype=np.intp)
    fold_N[ranked_N] = np.argsort(np.argsort(first_U))[group_R] % folds
    count_TF = np.zeros((int(task_N.max(initial=-1)) + 1, folds), dtype=np.intp)
    np.add.at(count_TF, (task_N[task_N >= 0], fold_N[task_N >= 0]), 1)
    lone_R = ranked_N[np.isin(task_N[ranked_N], np.flatnonzero((count_TF > 0).sum(axis=1) == 1))]
    fold_N[lone_R] = np.arange(lone_R.size) % folds
    return tuple((np.flatnonzero(fold_N != fold), np.flatnonzero(fold_N == fold)) for fold in range(folds))


def hold_out_stage_one(
    features_NF: NDArray[np.float32],
    task_N: NDArray[np.int32],
    quality_NM: Floats,
    prior_NM: Floats | None,
    folds: tuple[tuple[Rows, Rows], ...],
    config: ClassifierConfig,
) -> StageOneHeld:
    """Posterior and expected quality of each prompt by the fold that didn't see it.

    Args:
        features_NF: of all prompts.
        task_N: their tasks, each with two prompts or more; -1: none.
        quality_NM: quality in [0, 1]; nan where not observed.
        prior_NM: see `task_table`.
        folds: see `folds_of`.
        config: of the classifier.
    """
    tasks, general_M = int(task_N.max(initial=-1)) + 1, task_table(_partition(task_N), quality_NM).general_M
    posterior_NT = np.zeros((task_N.size, tasks))
    soft_NM = np.tile(general_M, (task_N.size, 1))
    hard_NM = soft_NM.copy()
    recognised_N = np.full(task_N.size, -1, dtype=np.int32)
    distance_N = np.zeros(task_N.size)
    temperatures, epochs = [], []
    for number, (rest_K, held_K) in enumerate(folds):
        # A candidate whose few outcomes all fall into one fold keeps its general mean there.
        known_M = ~np.isnan(quality_NM[rest_K]).all(axis=0)
        table = task_table(
            _partition(task_N[rest_K]),
            quality_NM[np.ix_(rest_K, known_M)],
            None if prior_NM is None else prior_NM[np.ix_(rest_K, known_M)],
        )
        if table.size_T.size != tasks:
            raise ValueError(f"a task has a single prompt: {tasks} tasks, {table.size_T.size} without fold {number}")
        fold = replace(config, seed=config.seed * len(folds) + number)
        rest_KF, held_KF = features_NF[rest_K], features_NF[held_K]
        weights, report = train_classifier(rest_KF, task_N[rest_K], held_KF, task_N[held_K], fold)
        held_KT = np.asarray(weights.posterior(held_KF), dtype=np.float64).reshape(held_K.size, tasks)
        confident_K = assign_tasks(held_KT, float(weights.confidence_floor))
        posterior_NT[held_K], recognised_N[held_K] = held_KT, confident_K
        cells = np.ix_(held_K, known_M)
        clusters = cluster_tables(rest_KF, quality_NM[np.ix_(rest_K, known_M)], fold.seed)
        clusters_KM, distance_N[held_K] = clusters.nearest(held_KF)
        for level_NM, posterior in ((soft_NM, SOFT), (hard_NM, HARD)):
            table_KM = task_level(held_KT, confident_K, table.quality_TM, table.general_M, posterior)
            level_NM[cells] = blend(table_KM, clusters_KM)
        temperatures.append(report.temperature)
        epochs.append(report.fit.best_epoch if report.fit else 0)
    floor = choose_floor(posterior_NT.astype(np.float32), task_N, config.mistake_cost) if tasks else 0.0
    return StageOneHeld(
        posterior_NT=posterior_NT,
        soft_NM=soft_NM,
        hard_NM=hard_NM,
        task_N=recognised_N,
        distance_N=distance_N,
        temperature=float(np.exp(np.mean(np.log(temperatures)))),
        confidence_floor=floor,
        epochs=max(1, round(float(np.mean(epochs)))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTwoHeld:
    """How the heads of the folds fared."""

    held: HeldOut
    reports: tuple[ExpertReport, ...]
    """One a fold."""
    special: bool
    """Whether tasks have heads of their own in it: whether those of every fold gained."""


def hold_out_stage_two(
    features_NF: NDArray[np.float32],
    task_N: NDArray[np.int32],
    quality_NM: Floats,
    head_TM: NDArray[np.bool_],
    first: StageOneHeld,
    folds: tuple[tuple[Rows, Rows], ...],
    config: ExpertConfig,
) -> StageTwoHeld:
    """Prompt-level quality of each prompt by heads that didn't see it, on top of what stage 1 expected of it.

    Args:
        features_NF: of all prompts.
        task_N: their tasks; -1: none.
        quality_NM: quality in [0, 1]; nan where not observed.
        head_TM: the candidates of each task.
        first: stage 1, by the same folds.
        folds: see `folds_of`.
        config: of the heads.
    """
    general_NM, special_NM = np.empty(quality_NM.shape), np.empty(quality_NM.shape)
    reports = []
    for number, (rest_K, held_K) in enumerate(folds):
        experts, report = train_experts(
            features_NF[rest_K],
            quality_NM[rest_K],
            task_N[rest_K],
            head_TM,
            features_NF[held_K],
            quality_NM[held_K],
            first.task_N[held_K],
            replace(config, seed=config.seed * len(folds) + number),
            expected_NM=first.soft_NM[rest_K],
            validation_expected_NM=first.soft_NM[held_K],
        )
        general_NM[held_K] = experts.general_logits(features_NF[held_K])
        special_NM[held_K] = experts.logits(features_NF[held_K], first.task_N[held_K])
        reports.append(report)
    special = gained([report.special for report in reports])
    held = HeldOut(
        task_N=first.task_N,
        doubt_N=doubt(first.posterior_NT),
        distance_N=first.distance_N,
        soft_NM=first.soft_NM,
        hard_NM=first.hard_NM,
        prompt_NM=sigmoid(log_odds(first.soft_NM) + (special_NM if special else general_NM)),
    )
    return StageTwoHeld(held=held, reports=tuple(reports), special=special)


def _partition(task_N: NDArray[np.int32]) -> Partition:
    return Partition(task_N=task_N, membership_N=(task_N >= 0).astype(np.float32))
