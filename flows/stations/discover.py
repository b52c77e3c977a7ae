"""Station 5: features, and the tasks found in the training prompts."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.learning.router import discover_tasks
from components.reports.task_map import NO_TASK, points
from components.tables.store import read_tables
from components.tasks.density import LayoutConfig, lay_out
from components.tasks.discovery_config import DiscoveryConfig
from components.tasks.labels import describe
from components.tasks.partition import Partition
from components.tasks.table import task_table
from flows.platform.arrays import load_arrays, save_arrays
from flows.platform.caching import cached_task
from flows.platform.references import DataRef, keep
from flows.stations.board import read_board, read_prompts, split_names
from pointsman.text.encoder import read_tokenizer
from pointsman.text.lengths import prompt_tokens


@cached_task(name="discover: features")
def featurise(
    *, tables: DataRef, embedded: DataRef, splits: DataRef, encoder: DataRef, config: FeatureConfig
) -> DataRef:
    """The matrix that every learner takes; its map is fitted on training prompts only."""
    prompts = read_tables(tables.path).prompts
    reader = read_tokenizer(encoder.path)
    train = np.flatnonzero(split_names(splits, prompts["prompt_id"]) == "train")
    texts = prompts["prompt"].to_list()
    tokens = reader.tokenize(texts)
    feature_map = fit_features(tokens.take(train), reader.vocabulary, config)
    features_NF = feature_map.transform(np.load(embedded.file("embedding.npy")), tokens)

    def write(folder: Path) -> None:
        save_arrays(feature_map, folder / "feature_map.npz")
        input_tokens_N = prompt_tokens(tokens.length_N, texts)
        np.savez(folder / "features.npz", features_NF=features_NF, input_tokens_N=input_tokens_N)

    return keep("featurise", write)


@cached_task(name="discover")
def discover(
    *, tables: DataRef, laid_out: DataRef, sentences: DataRef | None, config: DiscoveryConfig, seed: int
) -> DataRef:
    """The chosen partition of the training prompts, its quality table, descriptions, and every partition tried."""
    board, prompts = read_board(laid_out), read_prompts(tables)
    semantic_ND = np.load(sentences.file("embedding.npy")) if sentences else None
    found = discover_tasks(board, config, seed, semantic_ND)
    train = board.rows("train")
    table = task_table(found.partition, board.quality_NM[train])
    described = describe(found.partition, [prompts[row] for row in train], board.embedding_ND[train], seed)

    def write(folder: Path) -> None:
        save_arrays(found.partition, folder / "partition.npz")
        save_arrays(table, folder / "table.npz")
        summary = {
            "method": found.method,
            "reason": found.reason,
            "bootstrap_ari": found.bootstrap_ari,
            "neighbour_recall": found.neighbour_recall,
            "trials": [asdict(t) for t in found.trials],
        }
        (folder / "discovery.json").write_text(json.dumps(summary))
        (folder / "tasks.json").write_text(json.dumps([asdict(d) for d in described], default=int))

    return keep("discover", write)


@cached_task(name="discover: map")
def chart(*, tables: DataRef, laid_out: DataRef, discovered: DataRef, config: LayoutConfig, quoting: bool) -> DataRef:
    """The training prompts in the plane, each with its task's label and, if that is wanted, its text: the map."""
    board, prompts = read_board(laid_out), read_prompts(tables)
    train = board.rows("train")
    layout = lay_out(board.embedding_ND[train], config)
    labels = [row["label"] for row in json.loads(discovered.file("tasks.json").read_text())]
    label_K = [
        [*labels, NO_TASK][task]
        for task in load_arrays(Partition, discovered.file("partition.npz")).task_N[layout.row_K]
    ]
    shown = points(layout.point_K2, label_K, [prompts[row] if quoting else "" for row in train[layout.row_K]])
    # Of too few prompts, or the same one again and again, there is no map.
    return keep("chart", lambda folder: (folder / "map.json").write_text(json.dumps(shown if label_K else None)))
