import numpy as np
import polars as pl
import pytest

from components.tables.likeness import join_groups, near_duplicate_groups, normalise
from components.tables.near_duplicates import Rows, connected
from tests.components.tables.drawn import unit_rows


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

    monkeypatch.setattr("components.tables.likeness.connected", recorded)
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


def test_a_conversation_joins_the_duplicates_of_all_its_turns() -> None:
    group_N = np.array([0, 1, 2, 1, 3, 4], dtype=np.int32)
    talk = pl.Series(["a", "a", "b", "b", None, None])
    near = np.eye(6, dtype=bool)
    near[0, 1] = near[1, 0] = near[2, 3] = near[3, 2] = near[1, 3] = near[3, 1] = True
    assert join_groups(group_N, talk).tolist() == components_by_search(near)
