"""Divisions share nothing, and every column is what it says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.evaluation.bootstrap import Interval, paired_difference
from components.sources.planted.candidates import CANDIDATES
from components.tables.board import Board
from pointsman.text.tokens import Tokens
from tests.benchmarks import shift
from tests.benchmarks.shift_case import Answers, figures, percent, points, pooled, taught
from tests.benchmarks.shift_divisions import KINDS, by_length, divisions
from tests.benchmarks.shift_logs import Logs, new_tasks
from tests.benchmarks.simulated_board import simulated_board
from tests.benchmarks.translated import tasks

PROMPTS = 400


@pytest.fixture(scope="module")
def logs() -> Logs:
    """A simulated board whose prompts have lengths, dates and languages; neighbours belong together."""
    board, chance_NM = simulated_board(0, PROMPTS)
    random = np.random.default_rng(0)
    length_N = random.integers(3, 60, PROMPTS)
    date_N = np.datetime64("2026-01-01") + random.integers(0, 50, PROMPTS)
    board = replace(board, group_N=np.arange(PROMPTS, dtype=np.int32) // 2, date_N=date_N)
    words = [f"word{number}" for number in range(50)]
    return Logs(
        name="made up",
        board=board,
        tokens=Tokens(
            indptr_N1=np.concatenate([[0], np.cumsum(length_N)]),
            token_E=random.integers(0, 50, length_N.sum()).astype(np.int32),
        ),
        vocabulary=words,
        prompts=pl.DataFrame(
            {
                "prompt_id": [str(row) for row in range(PROMPTS)],
                "prompt": ["x" * length for length in length_N],
                # a group in each forty speaks both
                "language": ["fr" if row % 40 < 9 else "en" for row in range(PROMPTS)],
                "conversation_id": pl.Series([None] * PROMPTS, dtype=pl.String),
            }
        ),
        expected_NM=chance_NM,
    )


def test_no_division_shares_a_group(logs, monkeypatch):
    monkeypatch.setattr("tests.benchmarks.shift_divisions.FEWEST", 20)
    names = {}
    for kind in KINDS:
        for part in divisions(logs, kind, 5, 0):
            group_N = logs.board.group_N
            assert not set(group_N[part.train_K]) & set(group_N[part.test_K])
            names.setdefault(kind, []).append(part.name)
            if kind == "language":
                assert set(logs.language_N[part.test_K]) == {part.name}
            if kind == "date":
                assert logs.board.date_N[part.train_K].max() < logs.board.date_N[part.test_K].min()
    assert [len(names[kind]) for kind in KINDS] == [5, 2, 1, 2]
    tested = np.concatenate([part.test_K for part in divisions(logs, "in distribution", 5, 0)])
    assert sorted(tested) == list(range(PROMPTS))


def test_the_longest_and_the_shortest_fifth():
    length_N, alone_N = np.array([50, 10, 40, 20, 30, 60, 5, 70, 80, 90]), np.full(10, -1)
    longest, shortest = (by_length(length_N, alone_N, longest=one) for one in (True, False))
    assert (longest.test_K.tolist(), shortest.test_K.tolist()) == ([8, 9], [1, 6])
    joined = by_length(length_N, np.array([0, 1, 2, 3, 4, 5, 6, 7, 0, 9]), longest=True)
    assert 0 not in joined.train_K
    assert joined.test_K.tolist() == [8, 9]


def test_columns_are_what_they_say(logs):
    part = next(divisions(logs, "length", 1, 0))
    methods = taught(logs, part, 0)
    test = methods.board.take(part.test_K)
    answers = methods.answers(test)
    row = figures(answers, "unknown", 0, before=answers)
    quality_NM = logs.board.quality_NM
    single = quality_NM[part.train_K].mean(axis=0).argmax()
    assert row["best single"] == pytest.approx(quality_NM[part.test_K, single].mean())
    assert row["oracle"] == pytest.approx(quality_NM[part.test_K].max(axis=1).mean())
    labels = {
        label: quality_NM[part.train_K][logs.board.benchmark_N[part.train_K] == label].mean(axis=0).argmax()
        for label in set(logs.board.benchmark_N)
    }
    known = [quality_NM[place, labels[logs.board.benchmark_N[place]]] for place in part.test_K]
    assert row["label known"] == pytest.approx(np.mean(known))
    gap = paired_difference(answers.got_K("router"), answers.got_K("kNN100"), 0, logs.board.group_N[part.test_K])
    assert row["less kNN100, points"] == points(gap)
    assert row["best flips, %"] == "0.0 [0.0, 0.0]"
    assert row["unguarded"] == pytest.approx(
        quality_NM[part.test_K, answers.predicted_KM.argmax(axis=1)].mean(),
    )
    # nothing of the test's outcomes reaches the methods
    spoilt = quality_NM.copy()
    spoilt[part.test_K] = 1 - spoilt[part.test_K]
    again = taught(replace(logs, board=replace(logs.board, quality_NM=spoilt)), part, 0)
    for name, score_KM in again.answers(again.board.take(part.test_K)).score_KM.items():
        np.testing.assert_array_equal(score_KM, answers.score_KM[name])


def made_up(choice_K: list[int], quality_KM: np.ndarray, operating_K: tuple[int, ...] = (0,) * 4) -> Answers:
    score_KM = np.eye(quality_KM.shape[1])[choice_K]
    return Answers(
        score_KM=dict.fromkeys(("router", "unguarded", "best single", "kNN100", "MLP"), score_KM),
        predicted_KM=score_KM,
        operating_K=np.array(operating_K),
        novel_K=np.array(choice_K) == 0,
        quality_KM=quality_KM,
        group_K=np.arange(len(choice_K)),
    )


def test_changed_decisions_are_counted_and_parts_pooled():
    quality_KM = np.random.default_rng(0).random((4, 3))
    before, after = made_up([0, 1, 2, 2], quality_KM), made_up([0, 1, 1, 0], quality_KM, (0, 2, 1, 1))
    row = figures(after, "unknown", 0, before)
    assert str(row["best flips, %"]).startswith("50.0 [")
    assert str(row["operating flips, %"]).startswith("75.0 [")
    assert row["novel, %"] == 50
    both = pooled([before.take(np.array([0])), after])
    assert both.got_K("router").tolist() == quality_KM[[0, 0, 1, 2, 3], [0, 0, 1, 1, 0]].tolist()
    among = before.among(np.array([2, 1]), quality_KM[:, [2, 1]])
    assert among.got_K("MLP")[1:].tolist() == quality_KM[[1, 2, 3], [1, 2, 2]].tolist()


def test_the_ceiling_of_known_chances_is_their_best(logs):
    tested_K = np.arange(40)
    answers = made_up([0] * 40, logs.board.quality_NM[:40])
    text = shift._whole_ceiling(logs, tested_K, answers)
    assert text.startswith(f"{logs.expected_NM[:40].max(axis=1).mean():.4f} [")


def test_intervals_are_said_in_points_and_percent():
    assert points(Interval(mean=0.015, low=-0.001, high=0.031)) == "+1.5 [-0.1, +3.1]"
    assert percent(Interval(mean=0.05, low=0.02, high=0.081)) == "5.0 [2.0, 8.1]"


def test_new_tasks_have_one_outcome_however_they_are_said(logs, monkeypatch):
    found = tasks(28, 0)
    said = [task.said for task in found]

    def encoded(test: Board, texts: list[str], _features: object, _cache: object) -> Board:
        # a direction for each task, whatever the words: the fifth task is a repetition of a learnt prompt
        rows = [next(row for row, ways in enumerate(said) if text in ways.values()) for text in texts]
        return replace(test, embedding_ND=np.eye(28, 29, dtype=np.float32)[rows], features_NF=np.ones((len(rows), 1)))

    monkeypatch.setattr("tests.benchmarks.shift_logs.said_again", encoded)
    learnt = replace(logs.board, embedding_ND=np.eye(29, dtype=np.float32)[[28, 4] * (PROMPTS // 2)])
    learnt_L = np.arange(PROMPTS)
    boards, expected_KM = new_tasks(found, replace(logs, board=learnt), learnt_L, object(), Path(), 0)
    english, rows_K = boards["English"]
    assert rows_K.tolist() == list(range(27))
    kept = [task for row, task in enumerate(found) if row != 4]
    skills = {c.model: c for c in CANDIDATES}
    for row, task in enumerate(kept):
        for column, one in enumerate(skills.values()):
            logit = one.specialities.get(task.family.name, one.skill) - one.slope * (task.difficulty - 0.5)
            assert expected_KM[row, column] == pytest.approx(1 / (1 + np.exp(-logit)))
    for way, (board, at_K) in boards.items():
        assert [way in task.said for task in kept] == [row in at_K for row in range(27)]
        np.testing.assert_array_equal(board.quality_NM, english.quality_NM[at_K])
        np.testing.assert_array_equal(board.group_N, english.group_N[at_K])
    assert set(boards) == {"English", "German", "Spanish", "second wording"}
