"""Estimated propensities against those the logs were drawn with; logged ones that can't be are refused."""

import numpy as np
import pytest

from components.evaluation.off_policy.frequencies import frequencies, frequency_model
from components.evaluation.off_policy.propensity import check_logged, estimated_inclusion


def seen_of(share_NM, seed):
    generator = np.random.default_rng(seed)
    choice_N = (generator.random((len(share_NM), 1)) > share_NM.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return np.eye(share_NM.shape[1], dtype=bool)[choice_N]


def test_uniform_choices_have_the_same_probability_everywhere():
    seen_NM = seen_of(np.full((900, 3), 1 / 3), 0)
    features_NF = np.random.default_rng(1).standard_normal((900, 40)).astype(np.float32)
    got_NM = estimated_inclusion(seen_NM, features_NF, None, 0)
    assert np.abs(got_NM - 1 / 3).max() < 0.08


def test_choices_that_depend_on_features_are_told():
    features_NF = np.random.default_rng(0).standard_normal((3000, 2)).astype(np.float32)
    first_N = 1 / (1 + np.exp(-2.0 * features_NF[:, 0].astype(np.float64)))
    share_NM = np.stack([first_N, 1 - first_N], axis=1)
    got_NM = estimated_inclusion(seen_of(share_NM, 1), features_NF, None, 0)
    assert np.abs(got_NM - share_NM).mean() < 0.03


def test_groups_are_read_without_features():
    share_GM = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    group_N = np.arange(2000) % 2
    got_NM = estimated_inclusion(seen_of(share_GM[group_N], 0), None, group_N, 0)
    assert np.abs(got_NM - share_GM[group_N]).max() < 0.06


def test_fully_observed_prompts_are_certain_and_say_nothing_of_the_others():
    seen_NM = seen_of(np.tile([0.9, 0.1], (500, 1)), 0)
    seen_NM[:100] = True
    got_NM = estimated_inclusion(seen_NM, None, None, 0)
    assert (got_NM[:100] == 1).all()
    assert got_NM[100:, 0].mean() == pytest.approx(seen_NM[100:, 0].mean(), abs=0.01)


def test_a_rule_is_told_from_a_choice():
    # the third candidate is never asked in the first group and always in the second: no chance is in it
    group_N = np.repeat([0, 1], 100)
    seen_NM = np.zeros((200, 3), dtype=bool)
    seen_NM[:, :2] = seen_of(np.full((200, 2), 0.5), 0)
    seen_NM[group_N == 1, 2] = True
    got_NM = estimated_inclusion(seen_NM, None, group_N, 0)
    assert (got_NM[:100, 2] == 0).all()
    assert (got_NM[100:, 2] == 1).all()
    assert ((got_NM[:, :2] > 0.3) & (got_NM[:, :2] < 0.7)).all()


def test_several_answers_a_prompt_have_probabilities_of_their_own():
    generator = np.random.default_rng(0)
    share_M = np.array([0.2, 0.5, 0.8])
    features_NF = generator.standard_normal((2000, 4)).astype(np.float32)
    got_NM = estimated_inclusion(generator.random((2000, 3)) < share_M, features_NF, None, 0)
    # of the prompts that weren't asked of all: given that they weren't
    full = share_M.prod()
    partly_KM = got_NM[(got_NM < 1).all(axis=1)]
    np.testing.assert_allclose(partly_KM.mean(axis=0), (share_M - full) / (1 - full), atol=0.03)


def test_complete_logs_are_certain():
    assert (estimated_inclusion(np.ones((5, 2), dtype=bool), None, None, 0) == 1).all()


def test_a_fold_never_reads_itself():
    seen_KM = np.array([[True], [False], [True], [False]])
    fold_K = np.array([0, 0, 1, 1])
    got_KM = frequency_model(seen_KM, np.zeros(4, dtype=np.intp), fold_K)
    seen_KM[:2] = False
    again_KM = frequency_model(seen_KM, np.zeros(4, dtype=np.intp), fold_K)
    assert (got_KM[:2] == again_KM[:2]).all()
    assert (got_KM[2:] != again_KM[2:]).all()
    np.testing.assert_allclose(frequencies(seen_KM, fold_K), [[0.0], [0.5]])


def talks(seed, conversations=150, turns=15):
    """Whom each turn went to, its features, and its conversation, which stays with a candidate of three by chance."""
    generator = np.random.default_rng(seed)
    own_KF, chosen_K = generator.standard_normal((conversations, 64)), generator.integers(3, size=conversations)
    together_N = np.repeat(np.arange(conversations), turns)
    features_NF = 0.9 * own_KF[together_N] + 0.45 * generator.standard_normal((together_N.size, 64))
    return np.eye(3, dtype=bool)[chosen_K[together_N]], features_NF.astype(np.float32), together_N


def test_turns_do_not_tell_whom_their_conversation_stays_with():
    # features name the conversation: its other turns would say nearly for sure who answers this one
    observed, errors = [], []
    for seed in range(5):
        seen_NM, features_NF, together_N = talks(seed)
        got_NM = estimated_inclusion(seen_NM, features_NF, None, 0, together_N=together_N)
        observed.append(got_NM[seen_NM].mean())
        errors.append(np.abs(got_NM - 1 / 3).mean())
    assert np.mean(observed) == pytest.approx(1 / 3, abs=0.03)
    assert np.mean(errors) < 0.06


@pytest.mark.parametrize("conversations", [2, 5])
def test_a_few_conversations_that_stay_elsewhere_are_no_rule(conversations):
    seen_NM, _, together_N = talks(0)
    got_NM = estimated_inclusion(seen_NM, None, together_N // conversations, 0, together_N=together_N)
    assert ((got_NM > 0) & (got_NM < 1)).all()


def test_enough_conversations_that_stay_elsewhere_are_a_rule():
    seen_NM, _, together_N = talks(0)
    never_N = together_N < 30
    seen_NM[never_N, 0] |= seen_NM[never_N, 2]
    seen_NM[never_N, 2] = False
    got_NM = estimated_inclusion(seen_NM, None, together_N // 30, 0, together_N=together_N)
    assert (got_NM[never_N, 2] == 0).all()
    assert (got_NM[~never_N] > 0).all()


def test_near_duplicates_that_are_each_chosen_for_anew_are_prompts_like_others():
    # a label of one template: held out whole nothing would be known of it
    share_GM = np.array([[0.8, 0.2], [0.2, 0.8]])
    group_N = np.repeat([0, 1], 500)
    seen_NM = seen_of(share_GM[group_N], 0)
    got_NM = estimated_inclusion(seen_NM, None, group_N, 0, together_N=group_N)
    np.testing.assert_array_equal(got_NM, estimated_inclusion(seen_NM, None, group_N, 0))
    assert np.abs(got_NM - share_GM[group_N]).max() < 0.06


def test_a_candidate_of_one_conversation_is_rare_and_not_ruled_out():
    seen_NM, _, together_N = talks(1)
    seen_NM[:, :2] |= seen_NM[:, 2:] & [True, False]
    seen_NM[:, 2] = False
    seen_NM[together_N == 7] = [False, False, True]
    got_NM = estimated_inclusion(seen_NM, None, None, 0, together_N=together_N)
    assert ((got_NM[:, 2] > 0) & (got_NM[:, 2] < 0.05)).all()


def test_one_conversation_alone_is_estimated_by_its_turns():
    seen_NM = seen_of(np.full((60, 2), 0.5), 0)
    whole_N = np.zeros(60, dtype=int)
    np.testing.assert_array_equal(
        estimated_inclusion(seen_NM, None, None, 0, together_N=whole_N), estimated_inclusion(seen_NM, None, None, 0)
    )


def test_logged_propensities_of_few_conversations_are_no_contradiction():
    # a candidate of one in ten got two conversations of ten: chance, of ten choices and not of a thousand
    together_N = np.repeat(np.arange(10), 100)
    rare_N = together_N < 2
    seen_NM = np.stack([~rare_N, rare_N], axis=1)
    propensity_NM = np.where(seen_NM, [0.9, 0.1], np.nan)
    with pytest.raises(ValueError, match="inconsistent"):
        check_logged(propensity_NM, seen_NM)
    check_logged(propensity_NM, seen_NM, None, together_N)


@pytest.mark.parametrize("wrong", [0.0, -0.2, 1.2, np.inf])
def test_impossible_propensities_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=r"propensity must be in \(0, 1\], got .* in 1 outcomes, the first of small"):
        check_logged(np.array([[wrong, np.nan]]), np.array([[True, False]]), ["small", "big"])


def test_propensities_that_contradict_the_choices_are_refused():
    share_NM = np.tile([0.7, 0.3], (1000, 1))
    seen_NM = seen_of(share_NM, 0)
    check_logged(np.where(seen_NM, share_NM, np.nan), seen_NM)
    with pytest.raises(ValueError, match=r"inconsistent: candidate 0 was chosen on 67.8% of prompts"):
        check_logged(np.where(seen_NM, 0.1, np.nan), seen_NM)


def test_a_policy_without_chance_or_without_propensities_is_no_contradiction():
    seen_NM = seen_of(np.tile([0.7, 0.3], (200, 1)), 0)
    check_logged(np.where(seen_NM, 1.0, np.nan), seen_NM)
    check_logged(np.full(seen_NM.shape, np.nan), seen_NM)


def test_folds_are_checked():
    with pytest.raises(ValueError, match="folds"):
        estimated_inclusion(np.ones((5, 2), dtype=bool), None, None, 0, folds=1)


@pytest.mark.parametrize(("row", "expected"), [([True, False, False], 1 / 3), ([False, False, False], 0.0)])
@pytest.mark.filterwarnings("error")
def test_a_single_gap_in_a_complete_log_needs_no_model(row, expected):
    seen_NM = np.ones((40, 3), dtype=bool)
    seen_NM[7] = row
    features_NF = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)
    got_NM = estimated_inclusion(seen_NM, features_NF, np.arange(40) % 2, 0)
    np.testing.assert_allclose(got_NM[7], expected)
    assert np.delete(got_NM, 7, axis=0).min() == 1.0


@pytest.mark.parametrize("gaps", [2, 3, 5])
@pytest.mark.filterwarnings("error")
def test_few_gaps_are_estimated_from_each_other(gaps):
    seen_NM = np.ones((40, 3), dtype=bool)
    seen_NM[:gaps, 1:] = False
    features_NF = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)
    got_NM = estimated_inclusion(seen_NM, features_NF, np.arange(40) % 2, 0)
    assert np.isfinite(got_NM).all()
    assert ((got_NM >= 0) & (got_NM <= 1)).all()
    assert (got_NM[seen_NM] > 0).all()
