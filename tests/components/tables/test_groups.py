"""What stays whole, and what is divided nevertheless; intervals by groups are tested where they are made."""

import numpy as np

from components.tables.groups import divisible, group_count


def test_one_group_alone_is_divided_and_no_other():
    assert divisible(np.full(5, 3)).tolist() == [-1] * 5
    for group_N in (
        np.array([3, 3, -1]),
        np.array([1, 1, 2, 2]),
        np.full(5, -1),
        np.array([4]),
        np.empty(0, dtype=int),
    ):
        np.testing.assert_array_equal(divisible(group_N), group_N)
    assert group_count(np.empty(0, dtype=int)) is None
