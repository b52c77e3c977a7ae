import numpy as np
import pytest
from scipy import stats

from components.drift.observed import quality_gap

MODELS = ("small", "large")
LEVEL = 0.005 / 7
"""Of one check among seven in a run of which one in two hundred may alarm falsely."""


def test_a_prompt_counts_once_and_candidates_are_told_apart():
    predicted_NM = np.array([[0.8, 0.6], [0.5, 0.9], [0.4, 0.4]])
    observed_NM = np.array([[1.0, 0.0], [0.0, np.nan], [np.nan, np.nan]])
    gap = quality_gap(predicted_NM, observed_NM, MODELS, 0.05, seed=0)
    assert gap.prompts == 2
    assert gap.shift.figure == pytest.approx(((-0.2 + 0.6) / 2 + 0.5) / 2)
    assert gap.predicted - gap.observed == pytest.approx(gap.shift.figure)
    assert gap.by_candidate == pytest.approx({"small": (-0.2 + 0.5) / 2, "large": 0.6})


@pytest.mark.parametrize("bias", [0.15, -0.15])
def test_p_is_a_t_test_against_the_tolerance(bias):
    draws = np.random.default_rng(0)
    predicted_NM = np.full((300, 1), 0.6)
    observed_NM = predicted_NM - bias + 0.3 * draws.normal(size=(300, 1))
    gap = quality_gap(predicted_NM, observed_NM, ("one",), 0.1, seed=0)
    sample = (predicted_NM - observed_NM)[:, 0] * np.sign(bias)
    assert gap.shift.p == pytest.approx(stats.ttest_1samp(sample, 0.1, alternative="greater").pvalue)
    assert gap.shift.low < bias < gap.shift.high


def test_a_gap_within_the_tolerance_never_alarms_however_many_outcomes():
    predicted_NM = np.full((5000, 1), 0.6)
    observed_NM = predicted_NM - 0.03 + 0.3 * np.random.default_rng(0).normal(size=predicted_NM.shape)
    assert quality_gap(predicted_NM, observed_NM, ("one",), 0.05, seed=0).shift.p > 0.99


def test_a_constant_gap_has_no_error():
    predicted_NM = np.full((4, 1), 0.75)
    assert quality_gap(predicted_NM, predicted_NM - 0.5, ("one",), 0.05, seed=0).shift.p == 0
    assert quality_gap(predicted_NM, predicted_NM, ("one",), 0.05, seed=0).shift.p == 1


def test_without_outcomes_there_is_nothing_to_judge():
    assert quality_gap(np.full((3, 2), 0.5), np.full((3, 2), np.nan), MODELS, 0.05, seed=0) is None


def test_shapes_must_fit():
    with pytest.raises(ValueError, match="2 candidates"):
        quality_gap(np.zeros((3, 3)), np.zeros((3, 3)), MODELS, 0.05, seed=0)


def simulated(seed, factor=1.0, answers=200, candidates=8):
    """One answer a prompt; the last candidate's real quality is its predicted one times a factor."""
    draws = np.random.default_rng(seed)
    rows = answers * candidates
    predicted_NM = draws.uniform(0.5, 0.9, size=(rows, candidates))
    truth_NM = predicted_NM.copy()
    truth_NM[:, -1] *= factor
    observed_NM = (draws.random(truth_NM.shape) < truth_NM).astype(float)
    asked_N = np.repeat(np.arange(candidates), answers)
    observed_NM[np.arange(candidates) != asked_N[:, None]] = np.nan
    return quality_gap(predicted_NM, observed_NM, tuple("abcdefgh"[:candidates]), 0.05, seed=seed)


def test_one_model_that_fails_is_found_within_two_hundred_of_its_outcomes():
    found = [simulated(seed, factor=0.3) for seed in range(20)]
    assert sum(gap.worst.model == "h" and gap.worst.shift.p < 0.005 / 7 for gap in found) >= 19
    assert all(gap.worst.shift.low > 0.05 for gap in found)
    assert all(gap.worst.outcomes == 200 for gap in found)


@pytest.mark.slow
def test_sound_models_hardly_ever_alarm():
    # the hypothesis includes gaps up to the tolerance, so that errors are rarer than the level
    assert sum(simulated(seed).worst.shift.p < 0.05 for seed in range(100)) <= 5


def test_a_candidate_with_few_outcomes_is_not_tested_alone():
    assert simulated(0, answers=19).worst is None
    assert simulated(0, answers=20).worst is not None


def chance_of_alarm(quality, answers, tolerance=0.05, level=LEVEL):
    """In closed form, of one candidate that is as good as predicted: every number of right answers, by its chance."""
    predicted_NM = quality + 0.01 * np.where(np.arange(answers) % 2, 1, -1)[:, None]
    chance = 0.0
    for right in range(answers + 1):
        observed_NM = (np.arange(answers) < right).astype(float)[:, None]
        worst = quality_gap(predicted_NM, observed_NM, ("one",), tolerance, seed=0, resamples=2).worst
        alarm = worst.shift.p <= level and abs(worst.shift.figure) >= tolerance
        chance += alarm * stats.binom.pmf(right, answers, quality)
    return chance


@pytest.mark.parametrize("answers", [20, 30, 60])
@pytest.mark.parametrize("quality", [0.07, 0.5, 0.86, 0.93, 0.97])
def test_few_outcomes_that_are_as_predicted_do_not_alarm(quality, answers):
    assert chance_of_alarm(quality, answers) <= LEVEL


def test_a_tolerance_of_nothing_asks_both_sides():
    assert chance_of_alarm(0.5, 100, tolerance=0.0, level=0.05) <= 0.06
    predicted_NM = np.full((300, 1), 0.6)
    observed_NM = 0.62 + 0.3 * np.random.default_rng(0).normal(size=(300, 1))
    found = quality_gap(predicted_NM, observed_NM, ("one",), 0.0, seed=0, resamples=2)
    assert found.shift.p == pytest.approx(stats.ttest_1samp((predicted_NM - observed_NM)[:, 0], 0).pvalue)


def test_ten_sound_candidates_of_few_outcomes_hardly_ever_alarm():
    alarms, right_M = 0, np.linspace(0.86, 0.93, 10)
    for seed in range(100):
        draws = np.random.default_rng(seed)
        predicted_NM = right_M + 0.01 * draws.standard_normal((250, 10))
        observed_NM = np.where(np.arange(250)[:, None] % 10 == np.arange(10), draws.random((250, 10)), np.nan)
        observed_NM = np.where(np.isnan(observed_NM), np.nan, observed_NM < predicted_NM)
        worst = quality_gap(predicted_NM, observed_NM, tuple("abcdefghij"), 0.05, seed, resamples=2).worst
        alarms += worst.shift.p <= LEVEL and abs(worst.shift.figure) >= 0.05
    assert alarms <= 1


def test_answers_that_are_right_together_do_not_count_as_many():
    """Eight answers a prompt, all right or all wrong: that all of twenty prompts are right isn't rare."""
    predicted_NM, models = np.full((20, 8), 0.8), tuple("abcdefgh")
    together = quality_gap(predicted_NM, np.ones((20, 8)), models, 0.05, seed=0)
    one = quality_gap(predicted_NM[:, :1], np.ones((20, 1)), ("a",), 0.05, seed=0)
    assert together.shift.p == pytest.approx(one.shift.p)
    assert together.shift.p > LEVEL


def test_outcomes_that_are_all_alike_have_an_interval_all_the_same():
    found = quality_gap(np.full((20, 1), 0.9), np.ones((20, 1)), ("one",), 0.05, seed=0).worst.shift
    assert found.low < -0.1 - 0.1 < found.figure < 0 < found.high


def test_grades_between_keep_their_own_spread():
    """A judge that grades nearly all alike shows a fall within a hundred grades."""
    observed_NM = 0.7 + 0.05 * np.random.default_rng(0).standard_normal((100, 1))
    assert quality_gap(np.full((100, 1), 0.8), observed_NM, ("one",), 0.05, seed=0).worst.shift.p < LEVEL


def test_a_conversation_counts_once_by_the_mean_of_its_turns():
    predicted_NM = np.array([[0.8, 0.6], [0.5, 0.9], [0.4, 0.4], [0.7, 0.7]])
    observed_NM = np.array([[1.0, 0.0], [0.0, np.nan], [0.3, np.nan], [np.nan, np.nan]])
    gap = quality_gap(predicted_NM, observed_NM, MODELS, 0.05, seed=0, conversation_N=np.array([5, -1, 5, 6]))
    assert gap.prompts == 2
    assert gap.shift.figure == pytest.approx((((-0.2 + 0.6) / 2 + 0.1) / 2 + 0.5) / 2)
    assert gap.predicted - gap.observed == pytest.approx(gap.shift.figure)
    assert gap.by_candidate == pytest.approx({"small": ((-0.2 + 0.1) / 2 + 0.5) / 2, "large": 0.6})
    assert quality_gap(predicted_NM, observed_NM, MODELS, 0.05, seed=0, conversation_N=np.zeros(4, int)) is None


def test_turns_that_fail_together_are_one_outcome():
    """In 25 conversations of 8 turns each: as surely as one turn of each tells it, and not as 200 would."""
    talk_N, draws = np.repeat(np.arange(25), 8), np.random.default_rng(0)
    observed_NM = (draws.random((25, 1)) < 0.35).astype(float)[talk_N]
    predicted_NM = np.full((200, 1), 0.6)
    together = quality_gap(predicted_NM, observed_NM, ("one",), 0.05, seed=0, conversation_N=talk_N)
    alone = quality_gap(predicted_NM[::8], observed_NM[::8], ("one",), 0.05, seed=0)
    assert together.worst.shift.p == pytest.approx(alone.worst.shift.p)
    assert together.worst.outcomes == 25
    assert quality_gap(predicted_NM, observed_NM, ("one",), 0.05, seed=0).worst.shift.p < together.worst.shift.p
