"""What can be learnt at all is estimated right where it is known in closed form."""

import numpy as np
import pytest
from scipy.stats import binom

from tests.benchmarks.limits_case import by_halves, by_judges, by_twins, reached

RIGHT, WRONG, PROMPTS = 0.8, 0.4, 4000


def two_candidates(random: np.random.Generator, prompts: int = PROMPTS) -> np.ndarray:
    """Chances of right answers of two candidates, of which now one, now the other is better: nobody gets above .8."""
    swapped_N = random.random(prompts) < 0.5
    return np.where(swapped_N[:, None], [WRONG, RIGHT], [RIGHT, WRONG])


def of_answers(count: int) -> float:
    """What a choice by `count` answers of each candidate gets on a later one, a coin deciding where they tie."""
    share = np.arange(count + 1)
    better, worse = binom.pmf(share, count, RIGHT), binom.pmf(share, count, WRONG)
    both = better[:, None] * worse[None, :]
    tie, found = np.trace(both), np.tril(both, -1).sum()
    return float(RIGHT * (found + tie / 2) + WRONG * (1 - found - tie / 2))


def close(got_N: np.ndarray, expected: float) -> bool:
    return abs(got_N.mean() - expected) < 4 * got_N.std() / np.sqrt(got_N.size)


def test_half_of_the_samples_reach_what_binomial_counts_say():
    random = np.random.default_rng(0)
    chance_NM = two_candidates(random)
    quality_NM = random.binomial(10, chance_NM) / 10
    none_NM, alone_N = np.full(quality_NM.shape, 0.5), np.full(PROMPTS, -1)
    got_N = by_halves(quality_NM, 10, none_NM, alone_N, 0, repeats=10)
    expected = of_answers(5)
    assert close(got_N, expected)
    # below what can be reached, which the oracle that judges by the samples it chose by exceeds
    assert got_N.mean() < RIGHT < quality_NM.max(axis=1).mean()
    assert expected == pytest.approx(0.747, abs=0.02)


def test_a_twin_reaches_what_one_answer_tells():
    random = np.random.default_rng(1)
    chance_NM = np.repeat(two_candidates(random), 2, axis=0)
    quality_NM = (random.random(chance_NM.shape) < chance_NM).astype(float)
    group_N = np.concatenate([np.repeat(np.arange(PROMPTS), 2), [-1, 2 * PROMPTS]])
    quality_NM = np.concatenate([quality_NM, np.ones((2, 2))])
    rows_K, got_K = by_twins(quality_NM, np.full(quality_NM.shape, 0.5), group_N, 0)
    assert rows_K.tolist() == list(range(2 * PROMPTS))
    pairs_P = got_K.reshape(-1, 2).mean(axis=1)
    # p(1 - q) p + q(1 - p) q + (pq + (1 - p)(1 - q)) (p + q) / 2
    assert of_answers(1) == pytest.approx(0.48 * 0.8 + 0.08 * 0.4 + 0.44 * 0.6)
    assert close(pairs_P, of_answers(1))


def test_answers_that_tell_nothing_take_nothing_from_the_prior():
    random = np.random.default_rng(2)
    chance_M = np.array([0.6, 0.5, 0.5, 0.5])
    seen_NM, judged_NM = (random.random((2, PROMPTS, 4)) < chance_M).astype(float)
    got_N = reached(np.tile(chance_M, (PROMPTS, 1)), seen_NM, np.ones(PROMPTS), judged_NM, np.full(PROMPTS, -1), 0)
    np.testing.assert_array_equal(got_N, judged_NM[:, 0])
    # the oracle of one draw: 1 - .4 * .5^3
    assert judged_NM.max(axis=1).mean() == pytest.approx(0.95, abs=0.02)


def test_a_prior_that_knows_reaches_all():
    random = np.random.default_rng(3)
    chance_NM = two_candidates(random)
    seen_NM, judged_NM = (random.random((2, *chance_NM.shape)) < chance_NM).astype(float)
    got_N = reached(chance_NM, seen_NM, np.ones(PROMPTS), judged_NM, np.full(PROMPTS, -1), 0)
    assert close(got_N, RIGHT)


def test_how_much_the_prior_counts_is_chosen_on_other_groups():
    # in each half the other half's answers mislead: who chose on the same prompts would see it
    prior_NM, seen_NM = np.tile([1.0, 0.0], (8, 1)), np.tile([0.0, 1.0], (8, 1))
    group_N = np.repeat([0, 1], 4)
    judged_NM = np.where(group_N[:, None] == 0, [1.0, 0.0], [0.0, 1.0])
    got_N = reached(prior_NM, seen_NM, np.full(8, 1.0), judged_NM, group_N, 0)
    assert got_N.tolist() == [0.0] * 8


def test_judges_who_agree_reach_the_oracle_and_those_who_guess_nothing():
    random = np.random.default_rng(4)
    grade_NM, alone_N = random.random((500, 3)), np.full(500, -1)
    prior_NM = np.full(grade_NM.shape, 0.5)
    same = by_judges(np.repeat(grade_NM[:, :, None], 3, axis=2), prior_NM, alone_N, 0)
    np.testing.assert_allclose(same, grade_NM.max(axis=1))
    guessed = by_judges(random.random((4000, 3, 3)), np.full((4000, 3), 0.5), np.full(4000, -1), 0)
    assert close(guessed, 0.5)


def test_what_is_no_share_of_the_samples_is_refused():
    for quality, samples in ((0.25, 10), (0.2, 5)):
        with pytest.raises(ValueError, match="even number"):
            by_halves(np.full((4, 2), quality), samples, np.zeros((4, 2)), np.full(4, -1), 0)


def test_without_twins_there_is_nothing_to_tell():
    rows_K, got_K = by_twins(np.ones((3, 2)), np.ones((3, 2)), np.array([4, -1, -1]), 0)
    assert rows_K.size == got_K.size == 0
