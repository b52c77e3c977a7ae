from dataclasses import replace

import numpy as np
import pytest

from components.learning.evidence import Evidence, judged_outcomes
from components.learning.judged import Judged, judge_sample, with_expected
from components.tables.board import Board
from pointsman.model.clusters import ClusterTables

QUALITY = np.array([[1.0, 0.0], [0.5, 1.0], [np.nan, 0.5], [0.0, 1.0]])
COST = np.array([[0.1, 0.2], [0.1, np.nan], [0.1, 0.2], [0.3, 0.2]])


def test_a_choice_gets_its_own_cells() -> None:
    got_N, paid_N = Judged(quality_NM=QUALITY, cost_usd_NM=COST).at(np.array([0, 1, 0, -1]))
    np.testing.assert_array_equal(got_N, [1.0, 1.0, np.nan, np.nan])
    np.testing.assert_array_equal(paid_N, [0.1, np.nan, 0.1, np.nan])


def test_what_is_not_known_to_be_good_is_not_paid_for_either() -> None:
    judged = Judged(quality_NM=QUALITY, cost_usd_NM=COST, variance_NM=np.full(QUALITY.shape, 0.04))
    played = judged.played("the router", np.array([0, 0, 0, -1]), np.arange(4, dtype=np.int32))
    np.testing.assert_array_equal(played.cost_usd_N, [0.1, 0.1, np.nan, np.nan])
    assert played.variance_N is not None
    np.testing.assert_array_equal(played.variance_N, [0.04, 0.04, 0.04, 0.0])


def test_the_least_error_of_independent_outcomes_is_that_of_a_mean() -> None:
    random = np.random.default_rng(0)
    quality_NM = random.random((200, 2))
    judged = Judged(quality_NM=quality_NM, cost_usd_NM=np.zeros((200, 2)))
    choice_N = random.integers(0, 2, 200)
    gap_N = quality_NM[np.arange(200), choice_N] - quality_NM[:, 1]
    assert judged.least_error(choice_N, 1) == pytest.approx(gap_N.std() / np.sqrt(200))


def test_turns_of_one_conversation_count_as_fewer_prompts() -> None:
    random = np.random.default_rng(1)
    quality_NM = np.repeat(random.random((50, 2)), 4, axis=0)
    alone = Judged(quality_NM=quality_NM, cost_usd_NM=np.zeros((200, 2)))
    together = replace(alone, group_N=np.repeat(np.arange(50, dtype=np.int32), 4))
    choice_N = np.zeros(200, dtype=np.intp)
    ratio = together.least_error(choice_N, 1) / alone.least_error(choice_N, 1)
    # four equal turns tell as much as one
    assert ratio == pytest.approx(2.0, rel=0.05)


def test_stand_ins_are_never_surer_than_how_they_were_come_by() -> None:
    quality_NM = np.full((100, 2), 0.5)
    judged = Judged(quality_NM=quality_NM, cost_usd_NM=quality_NM, variance_NM=np.full((100, 2), 0.08))
    choice_N = np.arange(100) % 2
    # half of the choices differ from candidate 0, each difference of two stand-ins
    assert judged.least_error(choice_N, 0) == pytest.approx(np.sqrt(50 * 0.16) / 100)


def test_rows_are_taken_with_all_that_is_known_of_them() -> None:
    judged = Judged(quality_NM=QUALITY, cost_usd_NM=COST, variance_NM=QUALITY, group_N=np.arange(4, dtype=np.int32))
    part = judged.take(np.array([3, 1]))
    np.testing.assert_array_equal(part.quality_NM, QUALITY[[3, 1]])
    assert part.variance_NM is not None
    assert part.group_N is not None
    np.testing.assert_array_equal(part.variance_NM, QUALITY[[3, 1]])
    assert part.group_N.tolist() == [3, 1]


def test_expected_costs_fill_what_was_not_logged_and_nothing_else() -> None:
    filled = with_expected(Judged(quality_NM=QUALITY, cost_usd_NM=COST), np.full(COST.shape, 9.0))
    np.testing.assert_array_equal(filled.cost_usd_NM, np.where(np.isnan(COST), 9.0, COST))


def test_a_sample_is_judged_as_all_prompts_would_be() -> None:
    random = np.random.default_rng(2)
    quality_NM = random.random((50, 2))
    quality_NM[np.arange(50), random.integers(0, 2, 50)] = np.nan
    board = Board(
        quality_NM=quality_NM,
        inclusion_NM=np.full((50, 2), 0.5),
        features_NF=random.normal(size=(50, 3)).astype(np.float32),
    )
    clusters = ClusterTables(
        centre_RCF=random.normal(size=(1, 4, 3)).astype(np.float32), quality_RCM=random.random((1, 4, 2))
    )
    learnt_K = np.flatnonzero(random.random(50) < 0.7)
    held_KM = random.random((learnt_K.size, 2))
    predicted_NM = clusters.expected(board.features_NF)
    predicted_NM[learnt_K] = held_KM
    evidence = Evidence(inclusion_NM=board.inclusion_NM, kind="one_answer", propensities="estimated")
    whole_NM = judged_outcomes(quality_NM, predicted_NM, evidence)
    sample, judged_NM = judge_sample(board, learnt_K, held_KM, clusters, 20, 0)
    rows_N = np.linspace(0, 49, 20).astype(int)
    np.testing.assert_array_equal(sample.features_NF, board.features_NF[rows_N])
    np.testing.assert_allclose(judged_NM, whole_NM[rows_N])
