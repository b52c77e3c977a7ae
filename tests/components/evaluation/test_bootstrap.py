"""The bootstrap against scipy's, and each promised error."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from components.evaluation.bootstrap import intervals, paired_difference


def test_intervals_agree_with_scipy():
    values = np.random.default_rng(0).random((400, 1))
    ours = intervals(values, 1, resamples=4000)[0]
    theirs = bootstrap((values[:, 0],), np.mean, n_resamples=4000, method="percentile", rng=2).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=3e-3)
    assert ours.high == pytest.approx(theirs.high, abs=3e-3)
    assert ours.mean == values.mean()


def test_pairing_cancels_what_both_share():
    noise = np.random.default_rng(0).random(200)
    interval = paired_difference(noise + 0.1, noise, 0)
    np.testing.assert_allclose(interval.as_list(), [0.1, 0.1, 0.1])


def test_pairs_of_one_group_are_drawn_together():
    gap, group = np.random.default_rng(0).random(200), np.repeat(np.arange(20), 10)
    assert paired_difference(gap, np.zeros(200), 0, group) == intervals(gap[:, None], 0, group_N=group)[0]


def test_many_prompts_drawn_in_blocks_spread_as_prompts_drawn_alone_do():
    values = np.random.default_rng(0).random((50_001, 1))
    interval = intervals(values, 1)[0]
    error = values.std() / np.sqrt(len(values))
    assert interval.mean == values.mean()
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.08)


@pytest.mark.parametrize("turns", [1, 3])
def test_the_order_of_many_rows_does_not_widen_their_interval(turns):
    # logs sorted by benchmark: the first half goes well, the second badly
    prompts = 100_000
    draw = np.random.default_rng(0)
    sorted_N = (draw.random(prompts) < np.where(np.arange(prompts) < prompts / 2, 0.9, 0.1)).astype(float)
    value = np.repeat(sorted_N, turns)[:, None]
    group = None if turns == 1 else np.repeat(np.arange(prompts), turns)
    interval = intervals(value, 1, group_N=group)[0]
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * sorted_N.std() / np.sqrt(prompts), rel=0.08)


def test_a_seed_decides_everything():
    values = np.random.default_rng(0).random((50, 3))
    assert intervals(values, 3) == intervals(values, 3) != intervals(values, 4)


def test_nan_nothing_and_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="nan"):
        intervals(np.array([[np.nan]]), 0)
    with pytest.raises(ValueError, match="no prompts"):
        intervals(np.empty((0, 1)), 0)
    with pytest.raises(ValueError, match="differ in shape"):
        paired_difference(np.zeros(2), np.zeros(3), 0)
    with pytest.raises(ValueError, match="level"):
        intervals(np.zeros((2, 1)), 0, level=1)
