"""What logs show: kinds, propensities logged and estimated, and stand-ins that leave complete logs alone."""

from dataclasses import replace

import numpy as np
import pytest

from components.evaluation.gate import judge
from components.evaluation.off_policy.estimators import Log
from components.evaluation.off_policy.judge import policy_value
from components.learning.evidence import (
    evidence_of,
    judged_board,
    judged_outcomes,
    kind_of,
    stand_in_variance,
    support_of,
    with_inclusion,
)
from components.learning.judged import Judged
from components.tables.board import Board


def log(rows=600, seed=0, *, graded=1.0):
    """One answer a prompt, the first of three candidates in seven of ten; `graded`: share of answers with a grade."""
    draw = np.random.default_rng(seed)
    share_M = np.array([0.7, 0.2, 0.1])
    seen_NM = np.eye(3, dtype=bool)[draw.choice(3, size=rows, p=share_M)]
    grades_N = draw.random(rows) < graded
    quality_NM = np.where(seen_NM & grades_N[:, None], (draw.random((rows, 3)) < 0.6) * 1.0, np.nan)
    return Board(
        quality_NM=quality_NM,
        answered_NM=seen_NM,
        cost_usd_NM=np.where(seen_NM, 0.5, np.nan),
        propensity_NM=np.where(seen_NM, share_M, np.nan),
        model_M=np.array(["a", "b", "c"]),
    )


def test_kinds():
    whole = np.ones((300, 2), dtype=bool)
    single = np.eye(2, dtype=bool)[np.arange(300) % 2]
    assert kind_of(whole) == "complete"
    assert kind_of(single) == "one_answer"
    assert kind_of(np.concatenate([whole[:30], single])) == "mixed"


def test_logged_propensities_are_taken_as_they_are_and_others_estimated():
    board = log()
    evidence = evidence_of(board, 0)
    assert (evidence.kind, evidence.propensities) == ("one_answer", "logged")
    np.testing.assert_array_equal(evidence.inclusion_NM[board.observed_NM], board.propensity_NM[board.observed_NM])
    unlogged = evidence_of(replace(board, propensity_NM=np.full((600, 3), np.nan)), 0)
    assert unlogged.propensities == "estimated"
    np.testing.assert_allclose(unlogged.inclusion_NM.mean(axis=0), [0.7, 0.2, 0.1], atol=0.04)
    half_NM = np.where(np.arange(600)[:, None] < 300, board.propensity_NM, np.nan)
    assert evidence_of(replace(board, propensity_NM=half_NM), 0).propensities == "logged and estimated"


def test_answers_without_a_grade_make_a_graded_one_rarer():
    evidence = evidence_of(log(4000, graded=0.5), 0)
    np.testing.assert_allclose(np.unique(evidence.inclusion_NM[evidence.inclusion_NM > 0.3]), 0.35, atol=0.03)


def test_complete_logs_are_judged_by_their_outcomes():
    quality_NM = np.random.default_rng(0).random((40, 3))
    board = Board(quality_NM=quality_NM, cost_usd_NM=quality_NM / 9)
    evidence = evidence_of(board, 0)
    assert (evidence.kind, evidence.propensities) == ("complete", "none needed")
    judged = judged_board(board, np.zeros((40, 3)), np.zeros((40, 3)), 0)
    np.testing.assert_array_equal(judged.quality_NM, quality_NM)
    np.testing.assert_array_equal(judged.cost_usd_NM, board.cost_usd_NM)


def test_stand_ins_of_quality_and_cost_are_right_on_average():
    board = log(6000)
    judged = judged_board(board, np.full((6000, 3), 0.2), np.full((6000, 3), 0.1), 0)
    np.testing.assert_allclose(judged.quality_NM.mean(axis=0), 0.6, atol=0.06)
    np.testing.assert_allclose(judged.cost_usd_NM.mean(axis=0), 0.5, atol=0.04)


def test_support_is_told_in_full_and_by_parts():
    board = log(4000)
    choice_N = np.repeat([0, 2], 2000)
    evidence, predicted_NM = evidence_of(board, 0), np.full((4000, 3), 0.6)
    judged_NM = judged_outcomes(board.quality_NM, predicted_NM, evidence)
    got = support_of(board, evidence, judged_NM, choice_N)
    known = Log(outcome_NM=board.quality_NM, inclusion_NM=evidence.inclusion_NM, predicted_NM=predicted_NM)
    value = policy_value(known, choice_N, 0)
    assert got["sensitivity"]["quality"] == pytest.approx(value.sensitivity)
    assert got["effective_sample_size"] == pytest.approx(value.effective_sample_size)
    assert got["evidence"] == "one_answer"
    assert got["support"] == 1
    assert got["observed_share"] == pytest.approx(0.4, abs=0.03)
    # (2000 + 2000)^2 / (2000 / .7 + 2000 / .1)
    assert got["effective_sample_size"] == pytest.approx(700, rel=0.1)
    low, high = got["sensitivity"]["quality"]
    assert low < 0.6 < high
    whole = Board(quality_NM=np.ones((30, 2)))
    full = support_of(whole, evidence_of(whole, 0), whole.quality_NM, np.zeros(30, dtype=np.intp))
    assert (full["effective_sample_size"], full["support"], full["sensitivity"]["quality"]) == (30, 1, [1, 1])


def test_what_is_never_observed_by_rule_supports_no_choice():
    # two benchmarks, and the last candidate is asked on the second alone
    group_N = np.repeat(["sums", "code"], 300)
    board = replace(log(), benchmark_N=group_N, propensity_NM=np.full((600, 3), np.nan))
    rule_NM = (group_N == "sums")[:, None] & (np.arange(3) == 2)
    board = replace(board, quality_NM=np.where(rule_NM, np.nan, board.quality_NM), answered_NM=np.array(False))
    judged_NM = judged_outcomes(board.quality_NM, np.full((600, 3), 0.5), evidence_of(board, 0))
    assert np.isnan(judged_NM[rule_NM]).all()
    assert np.isfinite(judged_NM[~rule_NM]).all()


def test_a_board_that_knows_its_probabilities_is_not_estimated_again():
    board = with_inclusion(replace(log(), propensity_NM=np.full((600, 3), np.nan)), 0)
    again = evidence_of(board, 99)
    np.testing.assert_array_equal(again.inclusion_NM, board.inclusion_NM)
    np.testing.assert_array_equal(again.take(np.array([3])).inclusion_NM, board.inclusion_NM[[3]])


def test_impossible_propensities_are_refused_by_name():
    board = log()
    with pytest.raises(ValueError, match=r"propensity must be in \(0, 1\]"):
        evidence_of(replace(board, propensity_NM=board.propensity_NM * 3), 0)


def test_answers_bought_for_some_prompts_beside_an_ungraded_log():
    """A gateway's log without grades and propensities, and two of three candidates asked on an even fifth of it."""
    draw = np.random.default_rng(4)
    logged_NM = np.eye(3, dtype=bool)[np.zeros(500, dtype=int)]
    bought_NM = (np.arange(500) % 5 == 0)[:, None] & np.array([False, True, True])
    board = Board(
        quality_NM=np.where(bought_NM, draw.random((500, 3)), np.nan),
        answered_NM=logged_NM | bought_NM,
        propensity_NM=np.where(bought_NM, 0.2, np.nan),
        model_M=np.array(["a", "b", "c"]),
    )
    evidence = evidence_of(board, 0)
    assert evidence.propensities == "logged"
    assert evidence.inclusion_NM[bought_NM] == pytest.approx(0.2)


def test_attack_3_leaving_out_what_a_router_lost_does_not_promote_it():
    """A router that chooses by chance, on 500 prompts; of 40 that it lost, the outcome of its choice is left out."""
    draw = np.random.default_rng(3)
    quality_NM = (draw.random((500, 3)) < [0.62, 0.55, 0.5]) * 1.0
    choice_N, at = draw.integers(3, size=500), np.arange(500)
    lost = np.flatnonzero(quality_NM[at, choice_N] < quality_NM[:, 0])[:40]
    seen_NM = quality_NM.copy()
    seen_NM[lost, choice_N[lost]] = np.nan
    whole_N = np.isfinite(seen_NM).all(axis=1)
    # where everybody was observed it looks better than the best single candidate
    assert (quality_NM[at, choice_N] - quality_NM[:, 0])[whole_N].mean() > 0 > (quality_NM[at, choice_N].mean() - 0.62)
    board = Board(quality_NM=seen_NM, cost_usd_NM=np.ones_like(seen_NM), model_M=np.array(["a", "b", "c"]))
    evidence, predicted_NM = evidence_of(board, 0), np.tile(np.nanmean(seen_NM, axis=0), (500, 1))
    judged = Judged(
        quality_NM=judged_outcomes(seen_NM, predicted_NM, evidence),
        cost_usd_NM=board.cost_usd_NM,
        variance_NM=stand_in_variance(predicted_NM, evidence),
    )
    found = judge(
        challenger=judged.played("the router", choice_N, at),
        best_single=judged.played("always using a", np.zeros(500, dtype=np.intp), at),
        calibration_error=0.05,
        self_check=True,
    )
    assert found.verdict != "promoted"
