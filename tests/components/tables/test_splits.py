import numpy as np
import polars as pl
import pytest

from components.tables.near_duplicates import Rows, connected
from components.tables.splits import (
    SPLITS,
    SplitConfig,
    assign_groups,
    groups_of,
    join_groups,
    near_duplicate_groups,
    normalise,
    split,
)
from components.tables.store import Tables


def unit_rows(count: int, seed: int = 0, width: int = 64) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def components_by_search(near: np.ndarray) -> list[int]:
    """Connected components by breadth-first search, numbered by first row: the independent reference."""
    group = [-1] * len(near)
    number = 0
    for start in range(len(near)):
        if group[start] < 0:
            queue = [start]
            while queue:
                row = queue.pop()
                if group[row] < 0:
                    group[row] = number
                    queue.extend(int(other) for other in np.flatnonzero(near[row]) if group[other] < 0)
            number += 1
    return group


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


def test_groups_are_connected_components_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.tables.near_duplicates._BLOCK", 7)
    rows = unit_rows(60, width=3)
    prompts = pl.Series([f"prompt number {i}" for i in range(60)])
    expected = components_by_search(rows @ rows.T > 0.95)
    assert 1 < max(expected) < 59
    assert near_duplicate_groups(prompts, rows, 0.95, 60).tolist() == expected


def test_same_text_joins_whatever_the_embeddings() -> None:
    prompts = pl.Series(["What's 2+2?", "other", "whats 2+2", "what s 2+2 ", "OTHER!"])
    assert near_duplicate_groups(prompts, unit_rows(5), 0.99, 100).tolist() == [0, 1, 2, 0, 1]


def test_a_template_is_divided_at_stricter_cosines() -> None:
    """Thirty pairs along one arc: neighbours are linked at 0.95, only the twins of a pair at 0.99 and above."""
    angle_N = np.repeat(np.arange(30) * 0.2, 2) + np.tile([0, 1e-3], 30)
    rows = np.stack([np.cos(angle_N), np.sin(angle_N)], axis=1).astype(np.float32)
    prompts = pl.Series([f"instance {i}" for i in range(60)])
    assert near_duplicate_groups(prompts, rows, 0.95, 100).max() == 0
    assert near_duplicate_groups(prompts, rows, 0.95, 50).tolist() == np.repeat(np.arange(30), 2).tolist()


def test_beyond_the_encoders_sight_text_decides() -> None:
    prompts = pl.Series(["a", "b", "A.", "c", "d"])
    rows = np.repeat(unit_rows(1), 5, axis=0)
    assert near_duplicate_groups(prompts, rows, 0.95, 3).tolist() == [0, 1, 0, 2, 3]


def test_a_template_without_differences_is_divided_by_text_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def recorded(text_N: Rows, embedding_ND: np.ndarray, cosine: float) -> Rows:
        asked.append(cosine)
        return connected(text_N, embedding_ND, cosine)

    monkeypatch.setattr("components.tables.splits.connected", recorded)
    rng = np.random.default_rng(0)
    prompts = pl.Series([f"item {row % 40}" for row in range(50)])
    for noise, cosines in ((0.05, [0.95, 0.975]), (0.002, [0.95])):
        asked.clear()
        rows = unit_rows(1) + noise / 8 * rng.normal(size=(50, 64))
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        groups = near_duplicate_groups(prompts, rows, 0.95, 5)
        assert asked[:2] == cosines
    assert groups.tolist() == [*range(40), *range(10)]


def test_normalise_keeps_digits_and_symbols_apart() -> None:
    assert normalise(pl.Series(["1 + 1", "1 = 1", "1 + 2"])).n_unique() == 3


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


def test_a_conversation_joins_the_duplicates_of_all_its_turns() -> None:
    group_N = np.array([0, 1, 2, 1, 3, 4], dtype=np.int32)
    talk = pl.Series(["a", "a", "b", "b", None, None])
    near = np.eye(6, dtype=bool)
    near[0, 1] = near[1, 0] = near[2, 3] = near[3, 2] = near[1, 3] = near[3, 1] = True
    assert join_groups(group_N, talk).tolist() == components_by_search(near)


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
