"""The extremes against every corner of the weights' box."""

from itertools import product

import numpy as np
import pytest

from components.evaluation.off_policy.estimators import Chosen
from components.evaluation.off_policy.sensitivity import sensitivity


def chosen_of(weight, outcome, predicted):
    return Chosen(weight_N=np.array(weight), outcome_N=np.array(outcome), predicted_N=np.array(predicted))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("gamma", [1.0, 1.5, 4.0])
def test_extremes_are_those_of_all_corners(seed, gamma):
    generator = np.random.default_rng(seed)
    weight_N = 1 / generator.uniform(0.1, 1.0, size=9)
    weight_N[::4] = 0.0
    outcome_N, predicted_N = generator.random(9) * (weight_N > 0), generator.random(9)
    seen_N = weight_N > 0
    residual = (outcome_N - predicted_N)[seen_N]
    means = []
    for side in product((1 / gamma, gamma), repeat=int(seen_N.sum())):
        weight = 1 + (weight_N[seen_N] - 1) * np.array(side)
        means.append(predicted_N.mean() + (weight * residual).sum() / weight.sum())
    got = sensitivity(chosen_of(weight_N, outcome_N, predicted_N), gamma)
    np.testing.assert_allclose(got, (min(means), max(means)))


def test_complete_logs_leave_no_doubt():
    low, high = sensitivity(chosen_of([1.0, 1.0], [0.2, 0.6], [0.9, 0.9]), 10.0)
    assert low == pytest.approx(0.4)
    assert high == pytest.approx(0.4)


def test_without_an_observed_choice_only_the_prediction_is_left():
    assert sensitivity(chosen_of([0.0], [0.0], [0.3]), 2.0) == (0.3, 0.3)


def test_gamma_is_checked():
    with pytest.raises(ValueError, match="gamma"):
        sensitivity(chosen_of([1.0], [0.0], [0.3]), 0.9)
