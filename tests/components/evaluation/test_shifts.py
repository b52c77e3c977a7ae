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
