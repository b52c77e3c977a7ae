"""Peers' own code beside ours: what is asked of a peer, which two candidates, and how divisions are pooled."""

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from components.evaluation.bootstrap import intervals
from components.tables.board import Board
from flows.stations.blocks import Block
from tests.benchmarks.own_code import MEAN, paired, run, table_of
from tests.benchmarks.own_code_case import OF_TWO, ROUTER, judge_board, on_hull, strong_and_weak
from tests.benchmarks.own_code_judged import Case, Judged, keep, kept
from tests.benchmarks.routing import Skipped
from tests.benchmarks.simulated_board import simulated_board
from tests.benchmarks.spread import Spread

FAKE = """
import json, sys
import numpy as np
given = np.load(sys.argv[1])
best = int(given["quality_NM"].mean(axis=0).argmax())
tests = len(given["test_KD"])
json.dump({"MF": [int(given["pair_2"][1])] * tests, "always the best": [best] * tests}, open(sys.argv[2], "w"))
"""
PAIR = (ROUTER, "fake: one")


def judged(block: Block, seed: int, lead: float, prompts: int = 300) -> Judged:
    draw = np.random.default_rng((seed, 7))
    worse_K = draw.integers(0, 2, size=prompts).astype(float)
    return Judged(
        case=Case(block=block, seed=seed),
        group_K=np.arange(prompts, dtype=np.int32),
        quality={ROUTER: worse_K + lead + draw.normal(scale=0.2, size=prompts), PAIR[1]: worse_K},
        cost_usd={ROUTER: np.full(prompts, 0.001), PAIR[1]: np.full(prompts, np.nan)},
        note="two",
    )


def test_without_a_peer_nothing_is_run(tmp_path):
    with pytest.raises(Skipped, match="--peer NAME=PYTHON"):
        run(Spread(data=tmp_path, cache=tmp_path), pythons={"paretobandit": Path("python")})


def test_the_hull_is_what_no_mix_of_two_beats():
    draw = np.random.default_rng(0)
    for _ in range(50):
        cost_M, quality_M = draw.uniform(1, 2, size=7), draw.uniform(size=7)
        cost_M[3] = cost_M[4]
        expected = []
        for one in range(7):
            others = [other for other in range(7) if other != one]
            single = any(cost_M[a] <= cost_M[one] and quality_M[a] >= quality_M[one] for a in others)
            mixed = any(
                quality_M[a] + (cost_M[one] - cost_M[a]) / (cost_M[b] - cost_M[a]) * (quality_M[b] - quality_M[a])
                >= quality_M[one]
                for pair in combinations(others, 2)
                for a, b in [sorted(pair, key=lambda column: cost_M[column])]
                if cost_M[a] < cost_M[one] < cost_M[b]
            )
            if not single and not mixed:
                expected.append(one)
        assert sorted(on_hull(cost_M, quality_M)) == expected


def test_the_weak_candidate_is_on_the_hull_at_half_the_cost():
    quality_NM = np.tile([0.9, 0.8, 0.5, 0.85], (10, 1))
    assert strong_and_weak(Board(quality_NM=quality_NM, cost_usd_NM=np.tile([10.0, 4.0, 1.0, 6.0], (10, 1)))) == (0, 1)
    # nothing costs half as much, or nothing is known to cost anything: the second best
    assert strong_and_weak(Board(quality_NM=quality_NM, cost_usd_NM=np.tile([10.0, 8.0, 7.0, 9.0], (10, 1)))) == (0, 3)
    assert strong_and_weak(Board(quality_NM=quality_NM)) == (0, 3)


def test_one_divisions_interval_is_the_bootstraps():
    one = judged(Block(name="a", folder="a"), 0, 0.1)
    found = paired([[one]], [PAIR])[0]
    gap_N1 = (one.quality[ROUTER] - one.quality[PAIR[1]])[:, None]
    expected = intervals(gap_N1, 0, resamples=2000, group_N=one.group_K)[0]
    assert found.as_list() == pytest.approx(expected.as_list(), abs=1e-12)


def test_a_prompt_that_two_divisions_judge_is_one_prompt():
    one = judged(Block(name="a", folder="a"), 0, 0.1)
    assert paired([[one, one]], [PAIR])[0].as_list() == pytest.approx(paired([[one]], [PAIR])[0].as_list(), abs=1e-12)


def test_blocks_weigh_the_same_and_those_of_one_folder_count_once():
    blocks = [Block(name="a", folder="a"), Block(name="part of a", folder="a"), Block(name="b", folder="b")]
    leads, sizes = (0.1, 0.5, 0.3), (300, 300, 60)
    given = [judged(*one) for one in zip(blocks, (0, 1, 2), leads, sizes, strict=True)]
    rows = {(row["block"], row["method"]): row for row in table_of(given).rows}
    assert len(rows) == 8
    mean = rows[MEAN, PAIR[1]]
    gaps = [float((one.quality[ROUTER] - one.quality[PAIR[1]]).mean()) for one in given]
    assert mean["router less it"] == pytest.approx((gaps[0] + gaps[2]) / 2)
    assert mean["low"] < mean["router less it"] < mean["high"]
    assert mean["code"] == "own"
    assert mean["USD"] is None
    assert rows["b", ROUTER]["USD"] == pytest.approx(1)


def test_divisions_are_kept_between_runs(tmp_path):
    one = judged(Block(name="a", folder="a"), 3, 0.1, 5)
    file = tmp_path / "rows.json"
    assert kept(file, [one.case]) == {}
    keep(file, judged(Block(name="b", folder="b"), 3, 0.2, 5))
    keep(file, one)
    other = Case(block=one.case.block, seed=4)
    found = kept(file, [one.case, other])
    assert list(found) == [one.case]
    assert table_of([found[one.case]]) == table_of([one])
    file.write_text('[{"block": "a", "seed": 3}]')
    with pytest.raises(ValueError, match="holds no rows of own_code"):
        kept(file, [one.case])


@pytest.mark.slow
def test_a_peer_is_judged_on_the_prompts_that_the_router_is(tmp_path):
    folder = tmp_path / "routellm"
    folder.mkdir()
    (folder / "learn.py").write_text(FAKE)
    board, _ = simulated_board(0, 900)
    case = Case(block=Block(name="simulated", folder="simulated"), seed=0)
    found = judge_board(case, board, {"routellm": Path(sys.executable)}, tmp_path)
    test = board.take(board.rows("test"))
    strong, weak = strong_and_weak(board.take(board.rows("train", "validation")))
    np.testing.assert_array_equal(found.quality["routellm: MF"], test.quality_NM[:, weak])
    np.testing.assert_array_equal(found.quality["routellm: always the best"], found.quality["ours: best_single"])
    np.testing.assert_array_equal(found.cost_usd["ours: best_single"], test.cost_usd_NM[:, strong])
    # restricted to two, the router gets what one of the two gets
    both_K2 = test.quality_NM[:, [strong, weak]]
    assert (found.quality[OF_TWO] >= both_K2.min(axis=1)).all()
    assert (found.quality[OF_TWO] <= both_K2.max(axis=1)).all()
    row = next(row for row in table_of([found]).rows if row["method"] == "routellm: MF")
    expected = float((found.quality["ours: matrix_factorisation, of the two"] - test.quality_NM[:, weak]).mean())
    assert row["ours less it"] == pytest.approx(expected)
    assert row["router less it"] == pytest.approx(float((found.quality[OF_TWO] - test.quality_NM[:, weak]).mean()))
