import json

import numpy as np
import polars as pl
import pytest

from components.sources.planted.world import PlantedConfig, generate
from components.tables.store import Tables, write_parquet, write_tables
from flows.platform.references import keep
from flows.stations.board import BoardRef, read_board


@pytest.fixture
def reference():
    """Stage outputs of a small world in which one candidate answers test prompts only, and a new one none."""
    world = generate(PlantedConfig(prompts=240)).tables
    ids, late = world.prompts["prompt_id"], world.candidates["model"][1]
    split = pl.Series(["train"] * 150 + ["calibration"] * 30 + ["validation"] * 30 + ["test"] * 30)
    new = world.candidates[:1].with_columns(model=pl.lit("brand-new"))
    tables = Tables(
        prompts=world.prompts,
        candidates=pl.concat([world.candidates, new]),
        outcomes=world.outcomes.filter((pl.col("model") != late) | pl.col("prompt_id").is_in(ids[210:].to_list())),
    )
    return late, BoardRef(
        tables=keep("ingest", lambda folder: write_tables(tables, folder)),
        embedded=keep("embed", lambda folder: np.save(folder / "embedding.npy", np.ones((240, 4), np.float32))),
        splits=keep(
            "divide",
            lambda folder: write_parquet(pl.DataFrame({"prompt_id": ids, "split": split}), folder / "splits.parquet"),
        ),
        features=keep(
            "featurise",
            lambda folder: np.savez(
                folder / "features.npz", features_NF=np.ones((240, 3), np.float32), input_tokens_N=np.ones(240)
            ),
        ),
    )


def test_candidates_without_training_outcomes_are_left_out_by_name(reference):
    late, ref = reference
    board = read_board(ref)
    assert set(board.excluded) == {late, "brand-new"}
    assert not set(board.matrices.models) & set(board.excluded)
    assert len(board.matrices.models) == board.training_set("test").quality_NM.shape[1]
    assert board.training_set("train").observed_NM.any(axis=0).all()
    assert json.dumps(board.excluded)
