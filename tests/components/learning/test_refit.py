"""Training again without some prompts, on a world whose best candidates are known."""

from dataclasses import replace

import numpy as np
import pytest

from components.evaluation.held_out import held_out_gains
from components.learning.refit import refitting
from components.tables.board import Board

pytestmark = pytest.mark.filterwarnings("ignore")
TASKS, DIMENSION = 3, 12
TRUTH_TM = np.array([[0.95, 0.1, 0.5], [0.05, 0.9, 0.5], [0.1, 0.2, 0.9]])


def world(rows=600, seed=0):
    draw = np.random.default_rng(seed)
    task_N = draw.integers(TASKS, size=rows).astype(np.int32)
    embedding_ND = np.eye(DIMENSION)[task_N] + 0.1 * draw.normal(size=(rows, DIMENSION))
    embedding_ND = (embedding_ND / np.linalg.norm(embedding_ND, axis=1, keepdims=True)).astype(np.float32)
    quality_NM = (draw.random((rows, TASKS)) < TRUTH_TM[task_N]).astype(np.float64)
    prices_M = np.ones(TASKS)
    return Board(
        features_NF=embedding_ND,
        embedding_ND=embedding_ND,
        quality_NM=quality_NM,
        output_tokens_NM=np.full(quality_NM.shape, 100.0),
        cost_usd_NM=np.full(quality_NM.shape, 0.001),
        input_tokens_N=np.full(rows, 10.0),
        task_N=task_N,
        split_N=np.where(draw.random(rows) < 0.9, "train", "test"),
        input_usd_per_mtok_M=prices_M,
        output_usd_per_mtok_M=prices_M,
    )


def test_with_all_prompts_the_best_candidate_is_chosen():
    known = world()
    trained = refitting(known)(np.arange(600))
    choice_N = trained.scores(np.arange(600)).argmax(axis=1)
    assert (choice_N == TRUTH_TM.argmax(axis=1)[known.task_N]).mean() > 0.95


def test_what_is_held_out_changes_nothing():
    known = world()
    given = np.flatnonzero(known.task_N != 1)
    poisoned = known.quality_NM.copy()
    poisoned[known.task_N == 1] = [1.0, 0.0, 0.0]
    again = replace(known, quality_NM=poisoned)
    first, second = refitting(known)(given), refitting(again)(given)
    np.testing.assert_array_equal(first.scores(np.arange(600)), second.scores(np.arange(600)))
    assert first.best_single == second.best_single


def test_a_benchmark_left_out_falls_back():
    known = world()
    benchmark_N = np.array(["sums", "songs", "code"])[known.task_N]
    gains = held_out_gains(refitting(known), known.quality_NM, benchmark_N, seed=0)
    # a benchmark in a direction never trained on is novel: nothing is gained there, and nothing lost
    assert [gain.benchmark for gain in gains] == ["code", "songs", "sums"]
    for gain in gains:
        assert gain.fallback_share > 0.9
        assert abs(gain.gain.mean) < 0.1


def test_rows_that_cannot_train_a_router_give_none():
    known = world()
    quality_NM = known.quality_NM.copy()
    quality_NM[known.task_N != 1, 0] = np.nan
    lonely = replace(known, quality_NM=quality_NM)
    assert refitting(lonely)(np.flatnonzero(known.task_N != 1)) is None
    assert refitting(known)(known.rows("test")) is None
    talk = replace(known, group_N=np.array(7, dtype=np.int32), task_N=np.array(-1, dtype=np.int32))
    assert refitting(talk)(np.arange(600)) is None
