"""Station 6: the task classifier, the heads, the router made of both, and the peers beside it."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from prefect import task

from components.baselines.methods import METHODS, fit_predict
from components.baselines.protocol import Fit
from components.evaluation.controls import random_features, shuffled_labels
from components.heads.classifier import ClassifierConfig, train_classifier
from components.heads.experts import ExpertConfig, train_experts
from components.heads.weights import ClassifierWeights, ExpertWeights
from components.routing.fit import RouterConfig, fit_router
from components.tasks.assignment import assign
from components.tasks.partition import Partition
from components.tasks.table import TaskTable
from flows.arrays import load_arrays, save_arrays, save_named
from flows.board import BoardRef, read_board
from flows.caching import by_content
from flows.references import DataRef, keep


@task(
    cache_key_fn=by_content("components.heads", "components.tasks", "components.tables"),
    persist_result=True,
    result_serializer="json",
)
def classify(
    board_ref: BoardRef,
    discovered: DataRef,
    config: ClassifierConfig,
) -> DataRef:
    """Stage 1's classifier, and the task of every prompt: discovered in training, assigned elsewhere."""
    board = read_board(board_ref)
    train, validation = board.rows("train"), board.rows("validation")
    partition = load_arrays(Partition, discovered.file("partition.npz"))
    task_N = assign(board.embedding_ND[train], partition, board.embedding_ND)
    task_N[train] = partition.task_N
    weights, report = train_classifier(
        board.features_NF[train], task_N[train], board.features_NF[validation], task_N[validation], config
    )

    def write(folder: Path) -> None:
        save_arrays(weights, folder / "classifier.npz")
        np.save(folder / "task.npy", task_N)
        (folder / "classifier.json").write_text(json.dumps(asdict(report)))

    return keep("classify", write)


@task(cache_key_fn=by_content("components.heads", "components.tables"), persist_result=True, result_serializer="json")
def specialise(
    board_ref: BoardRef,
    discovered: DataRef,
    classified: DataRef,
    config: ExpertConfig,
) -> DataRef:
    """Stage 2's trunk, general heads and task-specific heads."""
    board = read_board(board_ref)
    train, validation = board.rows("train"), board.rows("validation")
    task_N = np.load(classified.file("task.npy"))
    weights, report = train_experts(
        board.features_NF[train],
        board.matrices.quality_NM[train],
        task_N[train],
        load_arrays(TaskTable, discovered.file("table.npz")).candidate_TM,
        board.features_NF[validation],
        board.matrices.quality_NM[validation],
        task_N[validation],
        config,
    )

    def write(folder: Path) -> None:
        save_arrays(weights, folder / "experts.npz")
        (folder / "experts.json").write_text(json.dumps(asdict(report)))

    return keep("specialise", write)


@task(cache_key_fn=by_content("components.routing", "components.tables"), persist_result=True, result_serializer="json")
def combine(
    board_ref: BoardRef,
    discovered: DataRef,
    classified: DataRef,
    specialised: DataRef,
    config: RouterConfig,
    seed: int,
) -> DataRef:
    """Both stages as one router: mixed on validation, calibrated, priced and guarded."""
    board = read_board(board_ref)
    task_N = np.load(classified.file("task.npy"))
    table = load_arrays(TaskTable, discovered.file("table.npz"))
    model, report = fit_router(
        classifier=load_arrays(ClassifierWeights, classified.file("classifier.npz")),
        experts=load_arrays(ExpertWeights, specialised.file("experts.npz")),
        table_quality_TM=table.quality_TM,
        general_quality_M=table.general_M,
        train=board.observations("train", task_N),
        validation=board.observations("validation", task_N),
        calibration=board.observations("calibration", task_N),
        input_usd_per_mtok_M=board.matrices.input_usd_per_mtok_M,
        output_usd_per_mtok_M=board.matrices.output_usd_per_mtok_M,
        config=config,
        seed=seed,
    )

    def write(folder: Path) -> None:
        save_named(model.to_arrays(), folder / "router.npz")
        (folder / "router.json").write_text(json.dumps(asdict(report), default=np.ndarray.tolist))

    return keep("combine", write)


PEERS: dict[str, Fit] = {
    **{name: METHODS[name] for name in ("best_per_benchmark", "knn10", "knn100", "kmeans60", "hierarchical")},
    **{name: METHODS[name] for name in ("linear", "mlp", "implicit")},
    "control_random_features": random_features(METHODS["mlp"]),
    "control_shuffled_labels": shuffled_labels(METHODS["mlp"]),
}
"""What every retrain compares the router with; the controls are a peer deprived of its signal."""


@task(
    cache_key_fn=by_content("components.baselines", "components.evaluation", "components.tables"),
    persist_result=True,
    result_serializer="json",
    task_run_name="baseline-{method}",
)
def baseline(board_ref: BoardRef, method: str, seed: int) -> DataRef:
    """One peer's predicted quality on the test prompts."""
    board = read_board(board_ref)
    predicted_NM = fit_predict(PEERS[method], board.training_set("train"), board.training_set("test"), seed)
    return keep("baseline", lambda folder: np.save(folder / "predicted.npy", predicted_NM))
