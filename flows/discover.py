"""Station 5: features, and the tasks found in the training prompts."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from prefect import task

from components.embeddings.encoder import Encoder
from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.tables.store import read_tables
from components.tasks.choice import DiscoveryConfig, choose_partition
from components.tasks.labels import describe
from components.tasks.table import task_table
from flows.arrays import save_arrays
from flows.board import BoardRef, read_board, read_splits
from flows.caching import by_content
from flows.references import DataRef, keep


@task(cache_key_fn=by_content("components.embeddings"), persist_result=True, result_serializer="json")
def featurise(tables: DataRef, embedded: DataRef, splits: DataRef, encoder: DataRef, config: FeatureConfig) -> DataRef:
    """The matrix that every learner takes; its map is fitted on training prompts only."""
    prompts = read_tables(tables.path).prompts
    reader = Encoder.load(encoder.path)
    train = np.flatnonzero(read_splits(splits, prompts["prompt_id"]) == "train")
    feature_map = fit_features(reader.tokenize(prompts["prompt"].gather(train).to_list()), reader.vocabulary, config)
    tokens = reader.tokenize(prompts["prompt"].to_list())
    features_NF = feature_map.transform(np.load(embedded.file("embedding.npy")), tokens)

    def write(folder: Path) -> None:
        save_arrays(feature_map, folder / "feature_map.npz")
        np.savez(folder / "features.npz", features_NF=features_NF, input_tokens_N=tokens.length_N)

    return keep("featurise", write)


@task(cache_key_fn=by_content("components.tasks", "components.tables"), persist_result=True, result_serializer="json")
def discover(board_ref: BoardRef, config: DiscoveryConfig, seed: int) -> DataRef:
    """The chosen partition of the training prompts, its quality table, descriptions, and every partition tried."""
    board = read_board(board_ref)
    train, validation = board.rows("train"), board.rows("validation")
    quality_NM = board.matrices.quality_NM
    found = choose_partition(
        board.embedding_ND[train],
        quality_NM[train],
        board.embedding_ND[validation],
        quality_NM[validation],
        config,
        seed,
    )
    table = task_table(found.partition, quality_NM[train])
    described = describe(found.partition, [board.prompts[row] for row in train], board.embedding_ND[train], seed)

    def write(folder: Path) -> None:
        save_arrays(found.partition, folder / "partition.npz")
        save_arrays(table, folder / "table.npz")
        summary = {
            "method": found.method,
            "bootstrap_ari": found.bootstrap_ari,
            "trials": [asdict(t) for t in found.trials],
        }
        (folder / "discovery.json").write_text(json.dumps(summary))
        (folder / "tasks.json").write_text(json.dumps([asdict(d) for d in described], default=int))

    return keep("discover", write)
