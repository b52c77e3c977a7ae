import numpy as np
import pytest

from components.baselines.observed import choice_quality
from components.routing.selection import AlphaTrial, best_single, choose_trial, guard_trials


def test_the_best_single_is_compared_on_common_prompts_where_there_are_enough():
    quality_NM = np.full((100, 2), np.nan)
    quality_NM[:30] = [0.4, 0.6]
    quality_NM[30:, 0] = 1.0  # easy prompts that only the first answered
    assert best_single(quality_NM) == 1
    assert best_single(quality_NM[1:]) == 0


def test_a_candidate_without_outcomes_is_never_the_best_single():
    assert best_single(np.array([[np.nan, 0.0]])) == 1
    with pytest.raises(ValueError, match="no outcome"):
        best_single(np.full((2, 2), np.nan))


def test_equal_candidates_go_to_the_lowest_index():
    assert best_single(np.full((40, 3), 0.5)) == 0


def trial(quality: float, brier: float) -> AlphaTrial:
    return AlphaTrial(alpha=0.0, posterior="hard", quality=quality, brier=brier)


def test_near_equal_trials_are_decided_by_the_brier_score():
    trials = [trial(0.700, 0.30), trial(0.699, 0.20), trial(0.690, 0.10)]
    assert choose_trial(trials, 0.002) == 1
    assert choose_trial(trials, 0.0) == 0
    assert choose_trial(trials, 1.0) == 2
    assert choose_trial([trial(0.7, 0.3)] * 2, 0.0) == 0


def test_a_wide_guard_is_the_fallback_alone():
    generator = np.random.default_rng(0)
    predicted_NM, quality_NM = generator.random((2, 40, 3))
    trials = guard_trials(predicted_NM, quality_NM, 1, (0.0, 2.0))
    assert trials[0].quality == choice_quality(predicted_NM, quality_NM)
    assert trials[1].quality == pytest.approx(quality_NM[:, 1].mean())
