"""Leaving a benchmark out: each router sees the others only, and gains what brute force says."""

import numpy as np
import pytest

from components.evaluation.bootstrap import intervals
from components.evaluation.held_out import Trained, held_out_gains

BENCHMARKS = np.repeat(["a", "b", "c", "", "tiny"], [60, 50, 40, 20, 5])
QUALITY = np.random.default_rng(0).random((BENCHMARKS.size, 3))


def fitted(seen):
    """Chooses by the parity of the row, so that the expected choices are plain."""

    def fit(train_K):
        seen.append(train_K)
        best = int(QUALITY[train_K].mean(axis=0).argmax())
        return Trained(scores=lambda rows_K: np.eye(3)[rows_K % 2], best_single=best)

    return fit


def test_each_router_never_sees_the_benchmark_it_is_judged_on():
    seen = []
    gains = held_out_gains(fitted(seen), QUALITY, BENCHMARKS, seed=0)
    assert [gain.benchmark for gain in gains] == ["a", "b", "c"]
    for gain, train_K in zip(gains, seen, strict=True):
        assert gain.benchmark not in BENCHMARKS[train_K]
        assert train_K.size == BENCHMARKS.size - list(BENCHMARKS).count(gain.benchmark)


def test_gains_are_those_of_brute_force():
    for gain in held_out_gains(fitted([]), QUALITY, BENCHMARKS, seed=0):
        rows = [row for row in range(BENCHMARKS.size) if BENCHMARKS[row] == gain.benchmark]
        rest = [row for row in range(BENCHMARKS.size) if BENCHMARKS[row] != gain.benchmark]
        best = max(range(3), key=lambda column: np.mean([QUALITY[row, column] for row in rest]))
        expected = np.mean([QUALITY[row, row % 2] - QUALITY[row, best] for row in rows])
        assert gain.gain.mean == pytest.approx(expected)
        assert gain.gain.low < gain.gain.mean < gain.gain.high
        assert gain.fallback_share == np.mean([row % 2 == best for row in rows])
        assert gain.prompts == len(rows)


def test_intervals_draw_turns_of_a_conversation_together():
    group_N = np.arange(BENCHMARKS.size) // 10
    alone = held_out_gains(fitted([]), QUALITY, BENCHMARKS, seed=0)
    for talks, gain in zip(
        held_out_gains(fitted([]), QUALITY, BENCHMARKS, seed=0, group_N=group_N), alone, strict=True
    ):
        rows = np.flatnonzero(gain.benchmark == BENCHMARKS)
        best = int(QUALITY[gain.benchmark != BENCHMARKS].mean(axis=0).argmax())
        gap = QUALITY[rows, rows % 2] - QUALITY[rows, best]
        assert talks.gain == intervals(gap[:, None], 0, group_N=group_N[rows])[0] != gain.gain


def test_nothing_is_learnt_of_what_belongs_with_a_prompt_of_the_benchmark_left_out():
    group_N = np.full(BENCHMARKS.size, -1)
    group_N[[3, 70, 71, 155]] = 5  # of a, b, b and none: a near-duplicate and a conversation
    group_N[[112, 172]] = 6  # of c and tiny
    group_N[[80, 81]] = 7  # of b alone
    seen = []
    held_out_gains(fitted(seen), QUALITY, BENCHMARKS, seed=0, group_N=group_N)
    for name, train_K in zip("abc", seen, strict=True):
        rows = [row for row in range(BENCHMARKS.size) if BENCHMARKS[row] != name]
        touched = {"a": [70, 71, 155], "b": [3, 155], "c": [172]}[name]
        assert train_K.tolist() == [row for row in rows if row not in touched]


@pytest.mark.parametrize("group_N", [None, np.full(BENCHMARKS.size, -1), np.arange(BENCHMARKS.size)])
def test_prompts_that_share_nothing_are_all_learnt_from(group_N):
    seen, gains = [], held_out_gains(fitted([]), QUALITY, BENCHMARKS, seed=0)
    for one, alone in zip(
        held_out_gains(fitted(seen), QUALITY, BENCHMARKS, seed=0, group_N=group_N), gains, strict=True
    ):
        assert (one.benchmark, one.gain.mean, one.fallback_share) == (
            alone.benchmark,
            alone.gain.mean,
            alone.fallback_share,
        )
    assert [train_K.size for train_K in seen] == [115, 125, 135]


def test_a_benchmark_that_everything_else_belongs_with_is_not_held_out():
    label_N = np.repeat(["a", "b", "c"], 58)
    group_N = np.r_[np.arange(58), np.arange(58), np.full(58, 7)]
    seen = []
    gains = held_out_gains(fitted(seen), QUALITY[:174], label_N, seed=0, group_N=group_N)
    # a and b are the same prompts, and c is more of one of them
    assert [gain.benchmark for gain in gains] == ["c"]
    assert [train_K.size for train_K in seen] == [114]


def test_only_the_largest_are_held_out():
    assert [g.benchmark for g in held_out_gains(fitted([]), QUALITY, BENCHMARKS, seed=0, most=2)] == ["a", "b"]
    assert [g.benchmark for g in held_out_gains(fitted([]), QUALITY, BENCHMARKS, seed=0, fewest=45)] == ["a", "b"]


@pytest.mark.parametrize("parts", [2, 5])
def test_parts_together_are_the_whole(parts):
    dealt = [held_out_gains(fitted([]), QUALITY, BENCHMARKS, seed=0, part=(part, parts)) for part in range(parts)]
    whole = held_out_gains(fitted([]), QUALITY, BENCHMARKS, seed=0)
    assert sorted((g for gains in dealt for g in gains), key=lambda gain: gain.benchmark) == sorted(
        whole, key=lambda gain: gain.benchmark
    )
    assert max(map(len, dealt)) < len(whole)


def test_only_common_prompts_are_compared():
    quality = QUALITY.copy()
    quality[:25, 1] = np.nan
    (gain, *_) = held_out_gains(fitted([]), quality, BENCHMARKS, seed=0)
    best = int(np.nanmean(QUALITY[BENCHMARKS != "a"], axis=0).argmax())
    expected = [quality[row, row % 2] - quality[row, best] for row in range(25, 60)]
    assert (gain.prompts, gain.gain.mean) == (35, pytest.approx(np.mean(expected)))


def test_what_cannot_be_judged_is_left_out():
    assert held_out_gains(lambda _: None, QUALITY, BENCHMARKS, seed=0) == ()
    assert held_out_gains(fitted([]), QUALITY, np.full(BENCHMARKS.size, "one"), seed=0) == ()
    assert held_out_gains(fitted([]), np.full_like(QUALITY, np.nan), np.tile(["x", "y"], 88)[:175], seed=0) == ()
