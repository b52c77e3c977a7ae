"""A newcomer judged on probes that are turns of conversations. What is chosen is said by hand."""

from dataclasses import replace

import numpy as np
import pytest

from components.learning.newcomer import NewcomerProbes, remove_candidate
from components.learning.onboarding import OnboardConfig, judge_newcomer
from tests.fixtures.fitted_world import observe

NEWCOMER, CONVERSATIONS, TURNS = 1, 30, 12


@pytest.fixture(scope="module")
def before(fitted):
    return remove_candidate(fitted[0], NEWCOMER)


def probes_of(conversations, turns, seed=0):
    """The newcomer has luck or none for a whole conversation; the first of the others gets .5 of everything."""
    rng = np.random.default_rng(seed)
    group_K = rng.permutation(np.repeat(np.arange(conversations), turns)).astype(np.int32)
    seen = observe(group_K.size, seed, tasks=3, costs=True, missing=0.0)
    unknown_K = np.full(group_K.size, np.nan)
    return NewcomerProbes(
        features_KF=seen.features_NF,
        quality_K=rng.choice([0.2, 1.0], size=conversations)[group_K],
        others_KM=np.full((group_K.size, 3), 0.5),
        weight_K=rng.uniform(0.5, 2.0, size=group_K.size),
        input_tokens_K=seen.input_tokens_N,
        output_tokens_K=unknown_K,
        cost_usd_K=unknown_K,
        group_K=group_K,
    )


def always_the_newcomer(model, rows):
    return np.full(rows.size, 3 if model.general_quality_M.size == 4 else 0)


def test_a_conversation_is_never_learnt_from_and_judged_on(before):
    probes, held = probes_of(CONVERSATIONS, TURNS), []

    def choose(model, rows):
        held.append(rows)
        return always_the_newcomer(model, rows)

    judge_newcomer(before, probes, choose, OnboardConfig(), 0)
    folds = held[1:]
    assert sorted(np.concatenate(folds)) == list(range(CONVERSATIONS * TURNS))
    talks = [set(probes.group_K[rows]) for rows in folds]
    assert len(talks) == 5
    assert sum(map(len, talks)) == CONVERSATIONS


def test_the_error_is_that_of_conversations(before):
    probes = probes_of(CONVERSATIONS, TURNS)
    whole = judge_newcomer(before, probes, always_the_newcomer, OnboardConfig(), 0).gain
    alone = judge_newcomer(before, replace(probes, group_K=None), always_the_newcomer, OnboardConfig(), 0).gain
    # variance of a weighted mean, clustered (Liang and Zeger 1986), against the one of independent probes
    share_K = probes.weight_K / probes.weight_K.sum()
    gain_K = probes.quality_K - 0.5
    off_K = share_K * (gain_K - share_K @ gain_K)
    by_talk = [off_K[probes.group_K == talk].sum() for talk in range(CONVERSATIONS)]
    widened = np.sum(np.square(by_talk)) / np.sum(off_K**2) * CONVERSATIONS / (CONVERSATIONS - 1)
    assert widened > TURNS / 2
    assert whole.error == pytest.approx(alone.error * np.sqrt(widened))
    assert whole.mean == pytest.approx(share_K @ gain_K)
    assert (whole.groups, alone.groups) == (CONVERSATIONS, None)


@pytest.mark.parametrize(("conversations", "turns"), [(10, 30), (2, 30), (1, 300)])
def test_few_conversations_are_not_enough_evidence(before, conversations, turns):
    probes = replace(probes_of(conversations, turns), quality_K=np.ones(conversations * turns))
    judged = judge_newcomer(before, probes, always_the_newcomer, OnboardConfig(), 0)
    assert judged.verdict(OnboardConfig()) == "not enough evidence"
    assert f"of {conversations} conversations" in judged.criterion(OnboardConfig()).words
    alone = judge_newcomer(before, replace(probes, group_K=None), always_the_newcomer, OnboardConfig(), 0)
    assert alone.verdict(OnboardConfig()) == "promoted"


def test_a_conversation_that_is_nearly_everything_leaves_enough_to_fit_on(before):
    probes = probes_of(24, 1)
    probes = replace(probes, group_K=np.where(np.arange(24) < 20, 0, np.arange(24)).astype(np.int32))
    judged = judge_newcomer(before, probes, always_the_newcomer, OnboardConfig(), 0)
    assert judged.verdict(OnboardConfig()) == "not enough evidence"


def test_probes_that_share_nothing_are_judged_as_independent_ones(before):
    probes = probes_of(60, 1)
    alone = replace(probes, group_K=None)
    found = [judge_newcomer(before, one, always_the_newcomer, OnboardConfig(), 3) for one in (probes, alone)]
    assert found[0] == found[1]


def test_configs_out_of_range_are_refused():
    with pytest.raises(ValueError, match="least_groups >= 1"):
        OnboardConfig(least_groups=0)


@pytest.mark.parametrize("margin", [-0.1, 5.0, float("nan")])
def test_a_margin_beyond_all_quality_is_refused(margin):
    with pytest.raises(ValueError, match=r"margin in \[0, 1\]"):
        OnboardConfig(margin=margin)
