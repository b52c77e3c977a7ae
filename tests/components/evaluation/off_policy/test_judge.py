"""Values with intervals: closed forms, pairing, and coverage over many logs with known truth."""

import numpy as np
import pytest
from scipy import stats

from components.evaluation.off_policy.estimators import Log
from components.evaluation.off_policy.judge import difference, estimate, policy_value
from tests.benchmarks.off_policy import figures
from tests.benchmarks.off_policy_logs import LOGGINGS, as_log, draw, world


def test_the_normal_interval_is_the_textbooks():
    term_N = np.random.default_rng(0).random(300)
    got = estimate(term_N, 0)
    low, high = stats.norm.interval(0.95, loc=term_N.mean(), scale=stats.sem(term_N))
    assert (got.normal.low, got.normal.high) == pytest.approx((low, high))
    assert got.standard_error == pytest.approx(stats.sem(term_N))


def test_complete_logs_give_the_plain_mean_full_support_and_no_doubt():
    truth_NM = np.random.default_rng(0).random((50, 3))
    nothing_NM = np.full(truth_NM.shape, np.nan)
    choice_N = np.arange(50) % 3
    got = policy_value(
        Log(outcome_NM=truth_NM, inclusion_NM=np.ones(truth_NM.shape), predicted_NM=nothing_NM), choice_N, 0
    )
    assert got.estimates["doubly_robust"].value == pytest.approx(truth_NM[np.arange(50), choice_N].mean())
    assert "direct" not in got.estimates
    assert (got.effective_sample_size, got.observed_share, got.support, got.prompts) == (50, 1, 1, 50)


def test_support_counts_prompts_whose_choice_could_have_been_observed():
    inclusion_NM = np.tile([0.5, 0.5, 0.0], (40, 1))
    outcome_NM = np.where(np.arange(3) == (np.arange(40) % 2)[:, None], 1.0, np.nan)
    log = Log(outcome_NM=outcome_NM, inclusion_NM=inclusion_NM, predicted_NM=np.full((40, 3), 0.5))
    got = policy_value(log, np.repeat([0, 2], 20), 0)
    assert got.support == 0.5
    assert got.observed_share == 0.25
    assert got.effective_sample_size == pytest.approx(10)


def test_a_policy_of_which_nothing_was_observed_has_no_weighted_ratio():
    log = Log(outcome_NM=np.array([[1.0, np.nan]]), inclusion_NM=np.ones((1, 2)), predicted_NM=np.full((1, 2), 0.4))
    got = policy_value(log, np.array([1]), 0)
    assert set(got.estimates) == {"ips", "direct", "doubly_robust"}
    assert got.effective_sample_size == 0


def test_pairing_takes_out_what_two_policies_share():
    drawn = draw(world(), "uniform", 400, 0)
    log = as_log(drawn, known=True, seed=0)
    choice_N = np.zeros(400, dtype=np.intp)
    other_N = choice_N.copy()
    other_N[:20] = 1
    paired = difference(log, choice_N, other_N, "doubly_robust", 0)
    alone = policy_value(log, choice_N, 0).estimates["doubly_robust"]
    assert paired.standard_error < alone.standard_error / 3
    same = difference(log, choice_N, choice_N, "doubly_robust", 0)
    assert (same.value, same.standard_error) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("logging", LOGGINGS)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("size", [500, 5000])
def test_nominal_95_percent_intervals_cover(logging, known, size):
    found = {row["estimator"]: row for row in figures(logging, size, 500, known=known)}
    assert found["doubly_robust"]["covered, normal"] >= 0.92
    assert found["doubly_robust"]["covered, bootstrap"] >= 0.92


def test_intervals_cover_on_small_logs():
    found = {row["estimator"]: row for row in figures("uniform", 300, 40, known=True)}
    assert found["doubly_robust"]["covered, normal"] >= 0.87
    assert abs(found["doubly_robust"]["bias"]) < 0.03
