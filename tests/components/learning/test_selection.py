import numpy as np
import pytest
from scipy import stats

from components.baselines.observed import choice_quality
from components.learning.selection import AlphaTrial, best_single, choose_guard, choose_slope, choose_trial


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


def trial(error: float) -> AlphaTrial:
    return AlphaTrial(alpha=0.0, posterior="hard", quality=0.5, brier=0.2, advantage_error=error)


def test_of_trials_that_tie_the_least_advantage_error_decides():
    generator = np.random.default_rng(0)
    best_K = generator.integers(2, size=400).astype(float)
    near_K = np.where(np.arange(400) % 100 == 0, 1 - best_K, best_K)
    outcome_SK = np.stack([best_K, near_K, np.zeros(400)])
    assert choose_trial([trial(0.3), trial(0.2), trial(0.1)], outcome_SK) == 1
    assert choose_trial([trial(0.2), trial(0.2), trial(0.1)], outcome_SK) == 0
    assert choose_trial([trial(np.nan)] * 3, outcome_SK) == 0


def test_a_router_that_has_proven_itself_is_not_guarded():
    generator = np.random.default_rng(0)
    best_N = generator.integers(3, size=300)
    quality_NM = (generator.random((300, 3)) < 0.2 + 0.7 * np.eye(3)[best_N]).astype(float)
    margin, trials = choose_guard(0.3 + 0.4 * np.eye(3)[best_N], quality_NM, 1, (0.0, 0.1))
    assert margin == 0
    assert [trial.margin for trial in trials] == [0, 0.1, 1]
    assert trials[0].quality == choice_quality(np.eye(3)[best_N], quality_NM)
    assert trials[-1].quality == pytest.approx(quality_NM[:, 1].mean())


def test_the_luck_of_conversations_proves_nothing():
    # the second candidate is no better; whole conversations go well or badly with it
    draw, opened = np.random.default_rng(3), np.zeros(2)
    group_N = np.repeat(np.arange(50), 20)
    predicted_NM = np.tile([0.5, 0.6], (1000, 1))
    for _ in range(200):
        luck = draw.normal(0, 0.3, 50)
        quality_NM = np.stack([np.full(1000, 0.5), 0.5 + luck[group_N]], axis=1)
        free = [choose_guard(predicted_NM, quality_NM, 0, (0.0, 0.05), group_N=one)[0] == 0 for one in (group_N, None)]
        assert free[0] == (stats.ttest_1samp(luck, 0).statistic > 1)
        opened += free
    assert opened[0] / 200 < 0.2  # a normal mean is above one standard error 16 % of the time
    assert opened[1] / 200 > 0.35


def test_turns_that_repeat_each_other_count_once():
    draw = np.random.default_rng(1)
    quality_NM = draw.random((300, 3)) * [0.9, 1.0, 0.95]
    quality_NM[:40] = np.nan  # groups are cut as outcomes are
    predicted_NM, cost_NM, doubt_N = draw.random((300, 3)), np.tile([1.0, 0.5, 0.2], (300, 1)), draw.random(300)
    outcome_SK = draw.random((3, 260)) + np.array([[0.0], [0.02], [0.04]])
    trials = [trial(0.1), trial(0.2), trial(0.3)]

    def chosen(times, group_N):
        told = [np.repeat(one, times, axis=0) for one in (predicted_NM, quality_NM, cost_NM, doubt_N)]
        predicted, quality, cost, doubt = told
        group_K = None if group_N is None else group_N[40 * times :]
        return (
            choose_guard(predicted, quality, 0, (0.0, 0.1, 0.3), cost, group_N)[0],
            choose_slope(predicted, quality, 0, np.full(len(doubt), 0.1), doubt, (0.0, 0.02, 0.05, 0.1, 0.2), group_N)[
                0
            ],
            choose_trial(trials, np.repeat(outcome_SK, times, axis=1), group_K),
            best_single(quality, 1.64, group_N),
        )

    together_N = np.repeat(np.arange(300), 25)
    assert chosen(25, together_N) == chosen(1, None) == chosen(1, np.full(300, -1))
    assert chosen(25, together_N) != chosen(25, None)


def test_the_best_single_is_not_the_luck_of_one_conversation():
    # stand-ins of a log that sent three conversations of a hundred to the second candidate, and they went well
    draw = np.random.default_rng(2)
    group_N = np.repeat(np.arange(100), 20)
    second_N = 0.5 + np.where(group_N < 3, 0.3 / 0.03, 0.0)
    judged_NM = np.stack([(draw.random(2000) < 0.6) * 1.0, second_N], axis=1)
    assert best_single(judged_NM, errors=1.64) == 1
    assert best_single(judged_NM, errors=1.64, group_N=group_N) == 0


def test_a_router_that_only_guesses_leaves_the_fallback_alone():
    generator = np.random.default_rng(0)
    quality_NM = (generator.random((300, 3)) < [0.5, 0.8, 0.5]).astype(float)
    margin, _ = choose_guard(0.05 * generator.random((300, 3)) + 0.5, quality_NM, 1, (0.0, 0.01, 0.1))
    assert margin == 1  # of equal margins the largest


def test_of_guards_that_cannot_be_told_apart_the_cheaper_wins():
    # the second candidate is as good as the fallback, and is promised to be a little better
    generator = np.random.default_rng(0)
    quality_NM = (generator.random((400, 2)) < 0.7).astype(float)
    quality_NM[:, 1] = np.where(generator.random(400) < 0.9, quality_NM[:, 0], quality_NM[:, 1])
    predicted_NM, cheap_NM, dear_NM = (np.tile(row, (400, 1)) for row in ([0.70, 0.71], [1.0, 0.1], [0.1, 1.0]))
    assert choose_guard(predicted_NM, quality_NM, 0, (0.0, 0.1), cheap_NM)[0] == 0
    assert choose_guard(predicted_NM, quality_NM, 0, (0.0, 0.1), dear_NM)[0] == 1
    quality_NM[:, 1] *= generator.random(400) < 0.9  # shown to be worse: its price doesn't matter
    assert choose_guard(predicted_NM, quality_NM, 0, (0.0, 0.1), cheap_NM)[0] == 1
    unknown_NM = np.tile([1.0, np.nan], (400, 1))
    assert choose_guard(predicted_NM, quality_NM, 0, (0.0, 0.1), unknown_NM)[0] == 1


def test_the_largest_margin_in_doubt_that_costs_nothing():
    # in doubt the second candidate promises .1 that it doesn't keep; elsewhere .3 that it does
    doubt_N = np.repeat([0.9, 0.1], 200)
    predicted_NM = np.where(doubt_N[:, None] > 0.5, [0.5, 0.6], [0.5, 0.8])
    quality_NM = np.where(doubt_N[:, None] > 0.5, [0.5, 0.3], [0.5, 0.8])
    margins = (0.0, 0.05, 0.2, 1.0, 2.0, 4.0)
    margin, trials = choose_slope(predicted_NM, quality_NM, 0, np.zeros(400), doubt_N, margins)
    assert margin == 2  # of .1 doubt: .2, less than what is promised there; 4 would ask for .4
    assert [trial.margin for trial in trials] == list(margins)
    assert [trial.quality for trial in trials] == pytest.approx([0.55, 0.55, 0.65, 0.65, 0.65, 0.5])


def test_margins_in_doubt_that_all_cost_are_left_alone():
    quality_NM = np.tile([0.5, 0.6], (50, 1))
    margin, _ = choose_slope(quality_NM, quality_NM, 0, np.zeros(50), np.ones(50), (0.0, 0.2))
    assert margin == 0


def test_the_best_single_where_few_were_asked_is_the_one_known_to_be_good():
    # pseudo-outcomes of a log that asked the first candidate nearly always: the second looks better by a few answers
    draw = np.random.default_rng(0)
    first_N = (draw.random(2000) < 0.62) * 1.0
    second_N = np.where(np.arange(2000) < 20, 68.0, 0.0)
    judged_NM = np.stack([first_N, second_N], axis=1)
    assert best_single(judged_NM) == 1
    assert best_single(judged_NM, errors=1.64) == 0
    assert best_single(np.tile([0.2, 0.9], (50, 1)), errors=1.64) == 1


def test_a_slope_may_cost_as_many_standard_errors_as_it_is_given():
    draw = np.random.default_rng(0)
    # half of the prompts are better off with the second candidate, by an advantage that a margin would mute
    predicted_NM = np.tile([0.5, 0.6], (400, 1))
    quality_NM = np.stack([np.full(400, 0.5), 0.5 + np.where(np.arange(400) % 10 == 0, 1.0, -0.05)], axis=1)
    quality_NM[:, 1] += draw.normal(scale=0.01, size=400)
    chosen = [
        choose_slope(predicted_NM, quality_NM, 0, np.zeros(400), np.ones(400), (0.0, 0.2), errors=errors)[0]
        for errors in (0.0, 1.0, 100.0)
    ]
    assert chosen == [0.0, 0.0, 0.2]
