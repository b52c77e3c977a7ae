import numpy as np
import polars as pl
import pytest

from components.tables.splits import SPLITS, SplitConfig, assign_groups, groups_of, split
from components.tables.store import Tables
from tests.components.tables.drawn import unit_rows


def with_tables(tables: Tables, **columns: pl.Series) -> Tables:
    return Tables(
        prompts=tables.prompts.with_columns(**columns), candidates=tables.candidates, outcomes=tables.outcomes
    )


def test_shares_and_stratification(tables: Tables) -> None:
    result = split(tables, unit_rows(200), SplitConfig(seed=1))
    assert result["prompt_id"].to_list() == tables.prompts["prompt_id"].to_list()
    assert result.schema == {"prompt_id": pl.String(), "split": pl.String(), "group": pl.Int32()}
    counts = result.with_columns(benchmark=tables.prompts["benchmark"]).group_by("benchmark", "split").len()
    for name, expected in zip(SPLITS, (35, 5, 10), strict=True):
        assert counts.filter(pl.col("split") == name)["len"].to_list() == [expected] * 4


def test_seed_decides(tables: Tables) -> None:
    rows = unit_rows(200)
    assert split(tables, rows, SplitConfig(seed=1)).equals(split(tables, rows, SplitConfig(seed=1)))
    assert not split(tables, rows, SplitConfig(seed=1)).equals(split(tables, rows, SplitConfig(seed=2)))


def test_groups_never_straddle(tables: Tables) -> None:
    rows = unit_rows(200)
    rows[::5] = rows[0]  # forty near-duplicates over all benchmarks
    result = split(tables, rows, SplitConfig(seed=3))
    assert result.group_by("group").agg(pl.col("split").n_unique())["split"].max() == 1
    assert result["group"].n_unique() == 161
    assert set(result["split"]) == set(SPLITS)


def test_conversations_never_straddle(tables: Tables) -> None:
    talk = pl.Series([None if row % 3 == 0 else f"talk {row // 6}" for row in range(200)])
    result = split(with_tables(tables, conversation_id=talk), unit_rows(200), SplitConfig(seed=3))
    together = result.with_columns(talk=talk).drop_nulls("talk").group_by("talk")
    assert together.agg(pl.col("split").n_unique())["split"].max() == 1
    assert result["group"].n_unique() == 67 + 34  # alone, and in conversations
    assert set(result["split"]) == set(SPLITS)


def test_groups_are_of_duplicates_and_conversations() -> None:
    prompts = pl.DataFrame({"prompt": ["a", "b", "A.", "c", "d"], "conversation_id": [None, "x", "x", None, None]})
    assert groups_of(prompts, unit_rows(5), SplitConfig(seed=0)).tolist() == [0, 0, 0, 1, 2]


def test_prompts_without_a_label_are_one_stratum(tables: Tables) -> None:
    unlabelled = with_tables(tables, benchmark=pl.Series([None] * 200, dtype=pl.String))
    counts = split(unlabelled, unit_rows(200), SplitConfig(seed=0)).group_by("split").len()
    assert dict(counts.iter_rows()) == {"train": 140, "validation": 20, "test": 40}


def test_frozen_prompts_stay_in_test_with_their_group(tables: Tables) -> None:
    rows = unit_rows(200)
    rows[1] = rows[0]
    first = split(tables, rows, SplitConfig(seed=1))
    frozen = frozenset(first.filter(pl.col("split") == "test")["prompt_id"]) | {"p0", "gone"}
    again = split(tables, rows, SplitConfig(seed=99), frozen)
    test = set(again.filter(pl.col("split") == "test")["prompt_id"])
    assert frozen - {"gone"} <= test
    assert "p1" in test
    assert len(test) <= 40 + 2  # no new prompt joins a test split that is full


def test_benchmark_with_one_prompt(tables: Tables) -> None:
    benchmark = pl.Series(["lonely", *tables.prompts["benchmark"][1:]])
    result = split(with_tables(tables, benchmark=benchmark), unit_rows(200), SplitConfig(seed=0))
    assert result.height == 200
    assert result["split"].null_count() == 0


def test_many_tiny_benchmarks_are_shared_out_together() -> None:
    names = np.array([f"b{i}" for i in range(100)])
    split_N = assign_groups(np.arange(100, dtype=np.int32), names, np.zeros(100, dtype=bool), SplitConfig(seed=0))
    assert np.bincount(split_N).tolist() == [70, 10, 20]


def test_thirty_prompts_fill_all_splits(tables: Tables) -> None:
    few = Tables(prompts=tables.prompts[:30], candidates=tables.candidates, outcomes=tables.outcomes[:90])
    counts = split(few, unit_rows(30), SplitConfig(seed=0)).group_by("split").len()
    assert dict(counts.iter_rows()) == {"train": 21, "validation": 3, "test": 6}


def test_identical_prompts_leave_splits_empty(tables: Tables) -> None:
    same = with_tables(tables, prompt=pl.Series(["the same"] * 200))
    with pytest.raises(ValueError, match="200 prompts form only 1 groups of near-duplicates and conversations"):
        split(same, unit_rows(200), SplitConfig(seed=0))


def test_embeddings_must_fit_and_be_finite(tables: Tables) -> None:
    with pytest.raises(ValueError, match="don't fit 200 prompts"):
        split(tables, unit_rows(3), SplitConfig(seed=0))
    with pytest.raises(ValueError, match="must be finite"):
        split(tables, np.full((200, 4), np.nan, dtype=np.float32), SplitConfig(seed=0))


def test_config_refuses_bad_values() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        SplitConfig(seed=0, train=0.8)
    with pytest.raises(ValueError, match="near_duplicate_cosine"):
        SplitConfig(seed=0, near_duplicate_cosine=0)
    with pytest.raises(ValueError, match="largest_group"):
        SplitConfig(seed=0, largest_group=0)


def test_a_second_run_divides_the_same_prompts_as_the_first(tables: Tables) -> None:
    rows = unit_rows(200)
    first = split(tables, rows, SplitConfig(seed=3))
    frozen = frozenset(first.filter(pl.col("split") == "test")["prompt_id"])
    assert split(tables, rows, SplitConfig(seed=3), frozen).equals(first)
