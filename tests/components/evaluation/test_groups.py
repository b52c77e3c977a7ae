"""Prompts of one conversation aren't independent: against a bootstrap by hand and repeated draws."""

import numpy as np
import pytest

from components.evaluation.bootstrap import intervals
from components.evaluation.off_policy.judge import estimate
from components.evaluation.paired import difference, ratio
from components.tables.groups import design_effect, numbered


def talks(generator, conversations=120, turns=5):
    """Outcomes whose conversations go well or badly as a whole."""
    group = np.repeat(np.arange(conversations), generator.integers(1, 2 * turns, conversations))
    luck = generator.normal(size=conversations)[group]
    return (generator.normal(size=group.size) + luck > 0).astype(float), group


def test_the_bootstrap_draws_whole_groups():
    value, group = talks(np.random.default_rng(0))
    (ours,) = intervals(value[:, None], 1, resamples=4000, group_N=group)
    draw, names = np.random.default_rng(2), np.unique(group)
    by_hand = []
    for _ in range(4000):
        rows = np.concatenate([np.flatnonzero(group == name) for name in draw.choice(names, names.size)])
        by_hand.append(value[rows].mean())
    np.testing.assert_allclose([ours.low, ours.high], np.quantile(by_hand, [0.025, 0.975]), atol=6e-3)
    assert ours.mean == value.mean()
    closed = estimate(value, 0, group_N=group)
    assert closed.standard_error == pytest.approx(np.std(by_hand), rel=0.06)
    assert closed.normal.low == pytest.approx(ours.low, abs=0.01)


def test_groups_cover_where_single_prompts_do_not():
    generator, covered = np.random.default_rng(3), np.zeros(2)
    for seed in range(200):
        value, group = talks(generator)
        for place, together in enumerate((group, None)):
            span = estimate(value, seed, resamples=200, group_N=together).normal
            covered[place] += span.low <= 0.5 <= span.high
    assert covered[0] / 200 >= 0.92
    assert covered[1] / 200 < 0.85


def test_prompts_of_no_group_are_as_before():
    value = np.random.default_rng(4).random(300)
    alone, none = np.arange(300, dtype=np.int32), np.full(300, -1, dtype=np.int32)
    for group in (alone, none):
        assert design_effect(value, group) == 1.0
        assert difference(value, np.zeros(300), group) == difference(value, np.zeros(300))
        assert ratio(value, np.ones(300), group) == ratio(value, np.ones(300))
        assert np.unique(numbered(group)).size == 300
    assert design_effect(np.ones(4), np.arange(4) // 2) == 1.0


def test_what_one_group_says_is_one_thing():
    for value in (np.ones(4), np.random.default_rng(6).random(4)):
        assert design_effect(value, np.zeros(4, dtype=int)) == 4.0


@pytest.mark.parametrize("groups", [2, 3, 5, 10, 20])
def test_few_groups_have_an_interval_that_errs_as_seldom_as_it_says(groups):
    generator, below = np.random.default_rng(groups), 0
    group = np.repeat(np.arange(groups), 20)
    for _ in range(2000):
        # as much of the spread between conversations as within them
        gap = generator.normal(size=groups)[group] + generator.normal(size=group.size)
        below += difference(gap, np.zeros(group.size), group).interval(0.05).low > 0
    assert below / 2000 <= 0.065


def test_pairs_of_the_same_prompt_count_once():
    value = np.random.default_rng(5).random(200)
    twice = np.repeat(value, 2)
    found = difference(twice, np.zeros(400), np.repeat(np.arange(200), 2))
    assert found.error == pytest.approx(difference(value, np.zeros(200)).error, rel=0.03)
    assert ratio(twice, twice**2 + 1, np.repeat(np.arange(200), 2)).error == pytest.approx(
        ratio(value, value**2 + 1).error, rel=0.005
    )
