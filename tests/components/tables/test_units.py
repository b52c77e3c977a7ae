import numpy as np
import pytest

from components.tables.units import apart, joined, members, tenth, units


def test_groups_are_units_and_so_is_each_prompt_of_none():
    group_N = np.random.default_rng(0).integers(-1, 9, size=60)
    unit_N = units(group_N)
    together_NN = (group_N[:, None] == group_N) & (group_N >= 0) | np.eye(60, dtype=bool)
    np.testing.assert_array_equal(unit_N[:, None] == unit_N, together_NN)
    assert list(dict.fromkeys(unit_N.tolist())) == list(range(unit_N.max() + 1))
    rows = members(unit_N)
    assert all((np.flatnonzero(unit_N == unit) == rows[unit]).all() for unit in range(len(rows)))
    assert sorted(joined(rows)) == list(range(60))


@pytest.mark.parametrize(
    "group_N", [np.full(40, -1), np.random.default_rng(0).permutation(40), np.arange(40), np.zeros(40, dtype=int)]
)
def test_prompts_that_share_nothing_are_drawn_as_ever(group_N):
    np.testing.assert_array_equal(units(group_N), np.arange(40))
    np.testing.assert_array_equal(apart(group_N, 0.2, 3), np.random.default_rng(3).random(40) < 0.2)


def test_whole_groups_are_held_apart_about_a_share_of_them():
    group_N = np.random.default_rng(0).permutation(np.repeat(np.arange(400), 5))
    apart_N = apart(group_N, 0.125, 0)
    assert not set(group_N[apart_N]) & set(group_N[~apart_N])
    # a binomial draw of 400: .125 with an error of .017
    assert 0.075 < apart_N.mean() < 0.175


@pytest.mark.parametrize("seed", range(20))
def test_of_few_groups_one_is_held_and_one_is_left(seed):
    group_N = np.repeat([4, 8], 30)
    apart_N = apart(group_N, 0.125, seed)
    assert apart_N.sum() == 30
    assert len(set(group_N[apart_N])) == 1


@pytest.mark.parametrize("rows", [0, 1, 9, 10, 40])
def test_a_tenth_of_prompts_that_share_nothing_is_the_first_tenth_of_their_order(rows):
    order_N = np.random.default_rng(3).permutation(rows)
    for group_N in (np.full(rows, -1), np.arange(rows), np.zeros(rows, dtype=int)):
        held_K, rest_K = tenth(group_N, 3)
        assert held_K.tolist() == order_N[: rows // 10].tolist()
        assert rest_K.tolist() == order_N[rows // 10 :].tolist()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("sizes", "fewest", "most"),
    [
        ([4] * 50, 20, 23),
        # none of a large conversation while small ones do
        ([100] + [1] * 100, 20, 20),
        # of large ones the smallest
        ([90, 60, 50], 50, 50),
        ([150, 50], 50, 50),
        # all but the largest at most
        ([1, 199], 1, 1),
    ],
)
def test_about_a_tenth_is_held_out_and_no_group_is_divided(sizes, fewest, most, seed):
    group_N = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    held_K, rest_K = tenth(group_N, seed)
    assert sorted([*held_K, *rest_K]) == list(range(sum(sizes)))
    assert not set(group_N[held_K]) & set(group_N[rest_K])
    assert fewest <= held_K.size <= most
