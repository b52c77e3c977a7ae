import numpy as np
import pytest

from components.baselines.observed import LEAST, candidate_means, choice_quality, unseen_last


def test_means_are_numpys_over_what_was_observed(training):
    tried_M = np.array([0, 1, 2, 4])
    assert candidate_means(training.quality_NM)[tried_M] == pytest.approx(
        np.nanmean(training.quality_NM[:, tried_M], axis=0)
    )
    assert candidate_means(training.quality_NM)[3] == 0


def test_nothing_observed_is_refused():
    with pytest.raises(ValueError, match="no outcome"):
        candidate_means(np.full((2, 2), np.nan))


def test_a_candidate_that_always_failed_still_ranks_above_an_untried_one():
    assert unseen_last(np.array([-3.0, 9.0]), np.array([True, False])).tolist() == [LEAST, 0.0]


def test_choice_quality_is_the_mean_of_argmax_on_complete_rows():
    generator = np.random.default_rng(0)
    predicted_NM, quality_NM = generator.random((2, 50, 3))
    expected = np.mean([quality_NM[n, predicted_NM[n].argmax()] for n in range(50)])
    assert choice_quality(predicted_NM, quality_NM) == pytest.approx(expected)


def test_prompts_without_outcomes_do_not_count():
    assert choice_quality(np.ones((2, 1)), np.array([[0.5], [np.nan]])) == 0.5
