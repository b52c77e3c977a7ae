import numpy as np
import polars as pl
import pytest

from components.grading.stand_ins import stand_ins_of
from components.sources.planted.world import PlantedConfig, generate
from components.tables.store import Tables, read_tables, write_parquet, write_tables
from flows.platform.references import keep
from flows.stations.board import excluded_candidates, lay_out_board, read_board, read_prompts


def laid(tables, splits):
    """The board of 240 prompts that nothing is told apart by."""
    return lay_out_board.fn(
        tables=tables,
        embedded=keep("embed", lambda folder: np.save(folder / "embedding.npy", np.ones((240, 4), np.float32))),
        splits=keep("divide", lambda folder: write_parquet(splits, folder / "splits.parquet")),
        features=keep(
            "featurise",
            lambda folder: np.savez(
                folder / "features.npz", features_NF=np.ones((240, 3), np.float32), input_tokens_N=np.ones(240)
            ),
        ),
        seed=0,
    )


@pytest.fixture
def reference():
    """Stage outputs of a small world in which one candidate answers test prompts only, and a new one none."""
    world = generate(PlantedConfig(prompts=240)).tables
    ids, late = world.prompts["prompt_id"], world.candidates["model"][1]
    split = pl.Series(["train"] * 180 + ["validation"] * 30 + ["test"] * 30)
    new = world.candidates[:1].with_columns(model=pl.lit("brand-new"))
    tables = Tables(
        prompts=world.prompts,
        candidates=pl.concat([world.candidates, new]),
        outcomes=world.outcomes.filter((pl.col("model") != late) | pl.col("prompt_id").is_in(ids[210:].to_list())),
    )
    kept = keep("ingest", lambda folder: write_tables(tables, folder))
    laid_out = laid(kept, pl.DataFrame({"prompt_id": ids, "split": split}))
    return late, kept, laid_out


def test_candidates_without_training_outcomes_are_left_out_by_name(reference):
    late, tables, laid_out = reference
    board = read_board(laid_out)
    excluded = excluded_candidates(laid_out)
    assert set(excluded) == {late, "brand-new"}
    assert not set(board.models) & set(excluded)
    assert board.quality_NM.shape == (240, len(board.models))
    assert board.take(board.rows("train")).observed_NM.any(axis=0).all()
    assert len(read_prompts(tables)) == 240


def test_arrays_are_mapped_from_the_files_of_one_station(reference):
    board = read_board(reference[2])
    assert isinstance(board.quality_NM, np.memmap)
    assert np.isfinite(board.inclusion_NM).all()


def test_near_duplicates_correct_a_judge_together():
    world = generate(PlantedConfig(prompts=240)).tables
    cells, rng = world.outcomes.select("prompt_id", "model"), np.random.default_rng(0)
    grades = [
        cells.with_columns(
            pl.lit(grader).alias("grader"), pl.lit(kind).alias("kind"), pl.Series("grade", rng.random(cells.height))
        )
        for grader, kind in (("judge:m", "judge"), ("people", "person"))
    ]
    graded_by = pl.lit("judge:m").alias("graded_by")
    kept = keep(
        "ingest",
        lambda folder: write_tables(
            Tables(
                prompts=world.prompts,
                candidates=world.candidates,
                outcomes=world.outcomes.with_columns(graded_by),
                grades=pl.concat([grades[0], grades[1][::3]]),
            ),
            folder,
        ),
    )
    group = pl.Series("group", np.arange(240) // 4, dtype=pl.Int32)
    board = read_board(
        laid(kept, pl.DataFrame({"prompt_id": world.prompts["prompt_id"], "split": "train"}).with_columns(group))
    )
    together, alone = (stand_ins_of(read_tables(kept.path), 0, group_N) for group_N in (group.to_numpy(), None))
    np.testing.assert_array_equal(board.corrected_NM, together.grade_NM)
    assert not np.array_equal(board.corrected_NM, alone.grade_NM)
