import numpy as np
import pytest

from components.tables.sampling import evenly, evenly_within, informative


def test_few_rows_are_all_taken():
    group = np.array([1, 0, 1])
    for rows in (evenly(3, 3), evenly_within(group, 3), informative(group, np.ones(3, int), 5)):
        assert rows.tolist() == [0, 1, 2]


def test_an_even_sample_is_spread_over_the_logs_without_repeats():
    rows = evenly(100_003, 999)
    assert np.unique(rows).size == 999
    assert rows[0] == 0
    assert rows[-1] == 100_002
    assert set(np.diff(rows).tolist()) <= {100, 101}
    with pytest.raises(ValueError, match="at least one"):
        evenly(5, 0)


def test_each_group_keeps_its_share():
    group = np.random.default_rng(0).choice(4, size=20_000, p=[0.7, 0.2, 0.09, 0.01])
    rows = evenly_within(group, 1000)
    count, taken = np.bincount(group), np.bincount(group[rows])
    np.testing.assert_allclose(taken, count / 20, atol=1)


def test_rare_groups_are_taken_whole_and_rows_with_several_outcomes_first():
    draw = np.random.default_rng(1)
    group = draw.choice(3, size=10_000, p=[0.9, 0.09, 0.01])
    outcomes = np.where(draw.random(10_000) < 0.02, 3, 1)
    rows = informative(group, outcomes, 2000)
    assert rows.size == 2000
    assert np.isin(np.flatnonzero(outcomes > 1), rows).all()
    assert np.isin(np.flatnonzero(group == 2), rows).all()
    single = np.bincount(group[rows][outcomes[rows] == 1])
    assert abs(single[0] - single[1]) < 10 * np.sqrt(single[1])
