"""Shifts share nothing between training and test."""

import numpy as np
import pytest

from components.evaluation.shifts import by_date, leave_one_out


def test_each_label_is_left_out_once():
    label = np.array(["a", "b", "a", "", "c"])
    shifts = list(leave_one_out(label))
    assert [s.name for s in shifts] == ["a", "b", "c"]
    for s in shifts:
        assert set(label[s.test_K]) == {s.name}
        assert sorted([*s.train_K, *s.test_K]) == list(range(5))


def test_what_belongs_with_a_test_prompt_is_in_no_training():
    label = np.array(["a", "b", "a", "", "c", "c"])
    group = np.array([4, 4, -1, 4, -1, 9])
    assert [(s.train_K.tolist(), s.test_K.tolist()) for s in leave_one_out(label, group_N=group)] == [
        ([4, 5], [0, 2]),
        ([2, 4, 5], [1]),
        ([0, 1, 2, 3], [4, 5]),
    ]
    date = np.array(["2026-01-01"] * 4 + ["2026-01-02"] * 2, dtype="datetime64[D]")
    shift = by_date(date, group_N=np.array([1, 2, -1, 3, 1, -1]))
    assert (shift.train_K.tolist(), shift.test_K.tolist()) == ([1, 2, 3], [4, 5])


def test_a_shift_that_leaves_nothing_to_learn_from_is_none():
    assert [s.name for s in leave_one_out(np.array(["a", "b", "b"]), group_N=np.array([1, 1, -1]))] == ["a"]
    with pytest.raises(ValueError, match="belong with later ones"):
        by_date(np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[D]"), group_N=np.array([1, 1]))


def test_days_are_not_divided():
    date = np.array(["2026-01-01"] * 3 + ["2026-01-02"] * 6 + ["NaT"], dtype="datetime64[D]")
    shift = by_date(date)
    np.testing.assert_array_equal(shift.train_K, range(3))
    np.testing.assert_array_equal(shift.test_K, range(3, 9))


def test_one_label_or_day_is_refused():
    with pytest.raises(ValueError, match="at least two labels"):
        list(leave_one_out(np.array(["a", "a", ""])))
    with pytest.raises(ValueError, match="at least two days"):
        by_date(np.array(["2026-01-01"], dtype="datetime64[D]"))
    with pytest.raises(ValueError, match="test_share"):
        by_date(np.array(["2026-01-01"], dtype="datetime64[D]"), 1.0)
