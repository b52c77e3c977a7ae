"""The one way to compose a router: tasks, both stages, and what holds them together, from a board.

`pointsman retrain` calls the same parts in the same order, a station each; `compare`, the trainings without a benchmark
and the tests call `learn_router`. Shapes: N prompts, M candidates; K and L choices of rows.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from components.learning.evidence import evidence_of, judged_outcomes
from components.learning.granular import cluster_tables
from components.learning.two_stage import TwoStage, TwoStageConfig, learn
from components.tables.board import Board
from components.tables.sampling import evenly
from components.tasks.assignment import assign
from components.tasks.choice import Discovery, choose_partition
from components.tasks.discovery_config import DiscoveryConfig
from components.tasks.partition import Partition

Rows = NDArray[np.intp]
LEARNING = ("train", "validation")
"""Splits that a router learns from: tasks are found in the first and compared on the second; the rest reads both, and
makes choices that need unseen prompts by cross-fitting."""
VOTERS = 8_000
"""Training prompts that vote on the task of others at most, >= 1: the time of an assignment grows with them."""
_STEP = 50_000
"""Prompts that are assigned at a time."""
_RARE = 10
"""Rows at most of a candidate that an even sample misses, which are added to it."""
_PREFERRING = 0.05
"""Share of prompts with two outcomes from which preferences between prompts are compared in discovery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnConfig:
    """What a router is made with."""

    discovery: DiscoveryConfig = field(default_factory=DiscoveryConfig)
    stages: TwoStageConfig = field(default_factory=TwoStageConfig)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learnt:
    """A router and what it came from."""

    found: Discovery
    seen: Board
    """The prompts that it learnt from, with their tasks."""
    trained: TwoStage


def learn_router(board: Board, rows_K: Rows, config: LearnConfig, seed: int) -> Learnt:
    """Discovers tasks, trains both stages and assembles the router.

    Args:
        board: embedded, with features, and each prompt in a split.
        rows_K: rows to learn from; those in no learning split are left out.
        config: of every step.
        seed: of everything random.

    Raises:
        ValueError: no training prompt or no validation prompt with an outcome among the rows.
    """
    seen = board.take(rows_K[np.isin(board.split_N[rows_K], LEARNING)])
    found = discover_tasks(seen, config.discovery, seed)
    seen = with_tasks(seen, found.partition)
    return Learnt(found=found, seen=seen, trained=learn(seen, config.stages.seeded(seed), seed))


def discover_tasks(
    board: Board, config: DiscoveryConfig, seed: int, semantic_ND: NDArray[np.floating] | None = None
) -> Discovery:
    """The partition of the training prompts that routes the validation prompts best.

    Where hardly a prompt has two outcomes, no prompt prefers one candidate to another: the graph's edges are semantic
    alone, and the reason says so. Validation prompts that weren't fully observed are judged by pseudo-outcomes, with
    cluster tables of the training prompts as the model of quality.

    Args:
        board: the prompts to learn from, and perhaps others; of many, tasks are found in an even sample, to which a few
            prompts are added of each candidate that it would miss.
        config: what partitions are tried.
        seed: of everything random.
        semantic_ND: see `choose_partition`.
    """
    train_K, validation_K = board.rows("train"), board.rows("validation")
    sample_S = _sampled(board.observed_NM[train_K], config.sample)
    judged_K = validation_K[evenly(validation_K.size, config.sample // 2)]
    learning = board.take(np.sort(np.concatenate([train_K[sample_S], judged_K])))
    train, validation = learning.take(learning.rows("train")), learning.take(learning.rows("validation"))
    evidence = evidence_of(learning, seed)
    judged_KM = validation.worth_NM
    if evidence.kind != "complete":
        clusters = cluster_tables(train.features_NF, train.quality_NM, seed)
        predicted_KM = clusters.expected(validation.features_NF)
        judged_KM = judged_outcomes(validation.worth_NM, predicted_KM, evidence.take(learning.rows("validation")))
    pairs = float((train.observed_NM.sum(axis=1) >= 2).mean())
    config, semantic = _semantic(config, pairs)
    found = choose_partition(
        train.features_NF,
        train.quality_NM,
        validation.features_NF,
        judged_KM,
        config,
        seed,
        label_N=train.benchmark_N,
        validation_group_K=validation.group_N,
        semantic_ND=None if semantic_ND is None else semantic_ND[sample_S],
    )
    if semantic and found.method == "graph":
        found = replace(found, reason=f"{found.reason}; edges are semantic: {pairs:.1%} of prompts have two outcomes")
    return replace(found, partition=_for_all(board, train_K, sample_S, found.partition))


def with_tasks(board: Board, partition: Partition) -> Board:
    """The board with each prompt's task: discovered in training, assigned elsewhere."""
    train_K = board.rows("train")
    other_K = np.flatnonzero(board.split_N != "train")
    voters = evenly(train_K.size, VOTERS)
    task_N = np.empty(board.split_N.size, dtype=np.int32)
    task_N[train_K] = partition.task_N
    task_N[other_K] = _assigned(board, train_K[voters], partition.take(voters), other_K)
    return replace(board, task_N=task_N)


def _sampled(observed_NM: NDArray[np.bool_], most: int) -> Rows:
    """Rows at equal distances, ascending, with a few more of each candidate that has outcomes in none of them."""
    sample_S = evenly(len(observed_NM), most)
    missed_C = np.flatnonzero(observed_NM.any(axis=0) & ~observed_NM[sample_S].any(axis=0))
    own = [np.flatnonzero(observed_NM[:, column]) for column in missed_C]
    return np.unique(np.concatenate([sample_S, *(rows[evenly(rows.size, _RARE)] for rows in own)]))


def _for_all(board: Board, train_K: Rows, sample_S: Rows, found: Partition) -> Partition:
    """A sample's partition for all training prompts: the others are assigned, as firmly as the sample's median."""
    rest_S = np.setdiff1d(np.arange(train_K.size), sample_S, assume_unique=True)
    task_K, membership_K = np.empty(train_K.size, np.int32), np.zeros(train_K.size, np.float32)
    task_K[sample_S], membership_K[sample_S] = found.task_N, found.membership_N
    task_K[rest_S] = _assigned(board, train_K[sample_S], found, train_K[rest_S])
    if found.tasks:
        usual = np.median(found.membership_N[found.task_N >= 0])
        membership_K[rest_S] = np.where(task_K[rest_S] >= 0, usual, 0)
    return Partition(task_N=task_K, membership_N=membership_K)


def _assigned(board: Board, voters_K: Rows, partition: Partition, rows_K: Rows) -> NDArray[np.int32]:
    """Tasks of some rows, by the votes of others that have one; a part at a time."""
    voters_KF = board.features_NF[voters_K]
    parts = [
        assign(voters_KF, partition, board.features_NF[rows_K[start : start + _STEP]])
        for start in range(0, rows_K.size, _STEP)
    ]
    return np.concatenate([np.empty(0, dtype=np.int32), *parts])


def _semantic(config: DiscoveryConfig, pairs: float) -> tuple[DiscoveryConfig, bool]:
    """The configuration without preference edges, if prompts with two outcomes are too few for any."""
    if pairs >= _PREFERRING or not config.resolutions:
        return config, False
    return replace(config, preference_mixes=(0.0,)), True
