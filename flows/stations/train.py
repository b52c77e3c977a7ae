"""Station 6: the task classifier, the heads, the router made of both, and the peers beside it."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from components.baselines.methods import METHODS, fit_predict_figures
from components.baselines.protocol import Fit
from components.evaluation.controls import random_features, shuffled_labels
from components.learning.ablation import fit_heads_alone
from components.learning.cross_fit import StageOneHeld
from components.learning.fit import RouterConfig, fit_router
from components.learning.implicit_peer import implicit_peer
from components.learning.mixing import HeldOut
from components.learning.router import LEARNING, with_tasks
from components.learning.two_stage import TwoStageConfig, learn_stage_one, learn_stage_two
from components.tables.board import Board
from components.tables.sampling import evenly
from components.tasks.partition import Partition
from components.tasks.table import TaskTable
from flows.platform.arrays import load_arrays, save_arrays, save_named
from flows.platform.caching import cached_task
from flows.platform.references import DataRef, keep
from flows.stations.board import read_board
from pointsman.model.clusters import ClusterTables
from pointsman.model.weights import ClassifierWeights, ExpertWeights


@cached_task(name="train: classifier")
def classify(*, laid_out: DataRef, discovered: DataRef, config: TwoStageConfig) -> DataRef:
    """Stage 1: the task of every prompt, discovered in training and assigned elsewhere; their table and classifier."""
    board = with_tasks(read_board(laid_out), load_arrays(Partition, discovered.file("partition.npz")))
    one = learn_stage_one(_learning(board.without_embedding()), config)

    def write(folder: Path) -> None:
        save_arrays(one.classifier, folder / "classifier.npz")
        save_arrays(one.table, folder / "table.npz")
        save_arrays(one.clusters, folder / "clusters.npz")
        save_arrays(one.held, folder / "held.npz")
        np.save(folder / "task.npy", board.task_N)
        (folder / "classifier.json").write_text(json.dumps(asdict(one.report)))

    return keep("classify", write)


@cached_task(name="train: implicit classifier")
def classify_implicitly(*, laid_out: DataRef, classified: DataRef, config: TwoStageConfig) -> DataRef:
    """Stage 1's classifier beside an implicit one, which nothing is built on."""
    board, held = _with_tasks(laid_out, classified), load_arrays(StageOneHeld, classified.file("held.npz"))
    peer = implicit_peer(board, board.rows(*LEARNING), held, config)
    figures = asdict(peer) if peer else {}
    return keep("implicit_classifier", lambda folder: (folder / "figures.json").write_text(json.dumps(figures)))


@cached_task(name="train: heads")
def specialise(*, laid_out: DataRef, classified: DataRef, config: TwoStageConfig) -> DataRef:
    """Stage 2: trunk, general heads and task-specific heads."""
    seen = seen_board(laid_out=laid_out, classified=classified)
    table, held = load_arrays(TaskTable, classified.file("table.npz")), classified.file("held.npz")
    two = learn_stage_two(seen, table.candidate_TM, load_arrays(StageOneHeld, held), config)

    def write(folder: Path) -> None:
        save_arrays(two.experts, folder / "experts.npz")
        save_arrays(two.held, folder / "held.npz")
        (folder / "experts.json").write_text(json.dumps([asdict(report) for report in two.reports]))

    return keep("specialise", write)


@cached_task(name="train: router")
def combine(
    *, laid_out: DataRef, classified: DataRef, specialised: DataRef, config: RouterConfig, seed: int
) -> DataRef:
    """Both stages as one router: mixed, calibrated, priced and guarded."""
    table = load_arrays(TaskTable, classified.file("table.npz"))
    model, report = fit_router(
        classifier=load_arrays(ClassifierWeights, classified.file("classifier.npz")),
        experts=load_arrays(ExpertWeights, specialised.file("experts.npz")),
        table_quality_TM=table.quality_TM,
        general_quality_M=table.general_M,
        clusters=load_arrays(ClusterTables, classified.file("clusters.npz")),
        seen=seen_board(laid_out=laid_out, classified=classified, embedded=True),
        held=load_arrays(HeldOut, specialised.file("held.npz")),
        config=config,
        seed=seed,
    )

    def write(folder: Path) -> None:
        save_named(model.to_arrays(), folder / "router.npz")
        (folder / "router.json").write_text(json.dumps(asdict(report), default=np.ndarray.tolist))

    return keep("combine", write)


def seen_board(*, laid_out: DataRef, classified: DataRef, embedded: bool = False) -> Board:
    """The prompts that the router learns from, with their tasks, and with their embeddings for what reads these."""
    board = _with_tasks(laid_out, classified)
    return _learning(board if embedded else board.without_embedding())


def _with_tasks(laid_out: DataRef, classified: DataRef) -> Board:
    return replace(read_board(laid_out), task_N=np.load(classified.file("task.npy")))


def _learning(board: Board) -> Board:
    return board.take(board.rows(*LEARNING))


PEERS: dict[str, Fit] = {
    **{name: METHODS[name] for name in ("best_per_benchmark", "knn10", "knn100", "kmeans60", "hierarchical")},
    **{name: METHODS[name] for name in ("linear", "mlp", "implicit")},
    "stage2_only": fit_heads_alone,
    "control_random_features": random_features(METHODS["mlp"]),
    "control_shuffled_labels": shuffled_labels(METHODS["mlp"]),
}
"""What every retrain compares the router with; the controls are a peer deprived of its signal."""


@cached_task(name="train: peer", run_name="train: {method}")
def baseline(*, laid_out: DataRef, method: str, seed: int, most: int) -> DataRef:
    """One peer's predicted quality on the test prompts, learnt from `most` prompts at most."""
    board = read_board(laid_out)
    learning_K = board.rows(*LEARNING)
    learning = board.take(learning_K[evenly(learning_K.size, most)])
    predicted_NM, figures = fit_predict_figures(PEERS[method], learning, board.take(board.rows("test")), seed)

    def write(folder: Path) -> None:
        np.save(folder / "predicted.npy", predicted_NM)
        (folder / "figures.json").write_text(json.dumps(figures))

    return keep("baseline", write)
