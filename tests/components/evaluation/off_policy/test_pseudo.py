"""Pseudo-outcomes against the formula, by expectation over all possible logs, and each promised error."""

import numpy as np
import pytest

from components.evaluation.off_policy.pseudo import cell_weights, pseudo_outcomes

TRUTH_NM = np.array([[0.9, 0.1, 0.4], [0.2, 0.7, 0.5]])


def test_complete_logs_are_left_as_they_are_even_without_predictions():
    nothing_NM = np.full(TRUTH_NM.shape, np.nan)
    assert (pseudo_outcomes(TRUTH_NM, nothing_NM, np.ones(TRUTH_NM.shape)) == TRUTH_NM).all()


def test_the_mean_over_all_logs_is_the_truth_whatever_the_prediction():
    share_M = np.array([0.7, 0.2, 0.1])
    predicted_NM = np.random.default_rng(0).random(TRUTH_NM.shape)
    mean_NM = np.zeros(TRUTH_NM.shape)
    for column, share in enumerate(share_M):
        outcome_NM = np.full(TRUTH_NM.shape, np.nan)
        outcome_NM[:, column] = TRUTH_NM[:, column]
        mean_NM += share * pseudo_outcomes(outcome_NM, predicted_NM, np.tile(share_M, (2, 1)))
    np.testing.assert_allclose(mean_NM, TRUTH_NM)


def test_several_answers_a_prompt_are_corrected_each_by_its_own_probability():
    # of three candidates two are asked, every pair as often: each cell is seen with probability 2/3
    predicted_NM = np.random.default_rng(1).random(TRUTH_NM.shape)
    logs = []
    for left_out in range(3):
        outcome_NM = TRUTH_NM.copy()
        outcome_NM[:, left_out] = np.nan
        logs.append(pseudo_outcomes(outcome_NM, predicted_NM, np.full(TRUTH_NM.shape, 2 / 3)))
    np.testing.assert_allclose(np.mean(logs, axis=0), TRUTH_NM)


def test_a_right_prediction_makes_up_for_wrong_propensities():
    outcome_NM = np.where(np.eye(2, 3, dtype=bool), TRUTH_NM, np.nan)
    np.testing.assert_allclose(pseudo_outcomes(outcome_NM, TRUTH_NM, np.full(TRUTH_NM.shape, 0.123)), TRUTH_NM)


def test_no_answer_weighs_more_than_the_floor_allows():
    seen = np.array([[True, True, False]])
    np.testing.assert_allclose(cell_weights(seen, np.array([[0.001, 0.5, np.nan]]), floor=0.1), [[10, 2, 0]])


def test_unknown_predictions_leave_unknown_values():
    got = pseudo_outcomes(np.array([[1.0, np.nan]]), np.full((1, 2), np.nan), np.array([[0.5, 0.5]]))
    assert np.isnan(got).all()


@pytest.mark.parametrize("wrong", [0.0, -0.1, 1.5, np.nan, np.inf])
def test_an_observed_cell_needs_a_probability(wrong):
    with pytest.raises(ValueError, match=r"propensity must be in \(0, 1\].*prompt 0, candidate 1"):
        pseudo_outcomes(np.array([[np.nan, 1.0]]), np.zeros((1, 2)), np.array([[np.nan, wrong]]))


def test_shapes_and_floor_are_checked():
    with pytest.raises(ValueError, match="differ in shape"):
        pseudo_outcomes(np.zeros((1, 2)), np.zeros((1, 3)), np.ones((1, 2)))
    with pytest.raises(ValueError, match="differ in shape"):
        pseudo_outcomes(np.zeros((1, 2)), np.zeros((1, 2)), np.ones((2, 2)))
    for floor in (0.0, 1.1):
        with pytest.raises(ValueError, match="floor"):
            cell_weights(np.ones((1, 1), dtype=bool), np.ones((1, 1)), floor=floor)
