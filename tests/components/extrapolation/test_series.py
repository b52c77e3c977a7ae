"""Windows against a loop, and what can't be cut."""

import numpy as np
import pytest

from components.extrapolation.problem import ProblemError
from components.extrapolation.series import Span, check_apart, windows


def test_windows_agree_with_a_loop():
    series = np.random.default_rng(0).standard_normal(30)
    seen, after = windows(series, 4, 2, Span(first=5, last=20))
    expected = [(series[t : t + 4], series[t + 4 : t + 6]) for t in range(5, 15)]
    np.testing.assert_array_equal(seen, [one for one, _ in expected])
    np.testing.assert_array_equal(after, [one for _, one in expected])


def test_a_series_shorter_than_the_window_is_refused():
    with pytest.raises(ProblemError, match="a series of 5 values is shorter than a window of 4 and a horizon of 2"):
        windows(np.zeros(5), 4, 2)
    assert len(windows(np.zeros(6), 4, 2)[0]) == 1


def test_nan_is_refused_with_its_place():
    with pytest.raises(ProblemError, match="nan or infinite values, the first at 3"):
        windows(np.array([0.0, 1, 2, np.nan, 4]), 2, 1)


def test_a_test_before_the_end_of_training_is_refused():
    with pytest.raises(ProblemError, match="the test begins at 9, but training ends at 10: they overlap"):
        check_apart(Span(first=0, last=10), Span(first=9, last=12))
    check_apart(Span(first=0, last=10), Span(first=10, last=12))


@pytest.mark.parametrize(("first", "last"), [(3, 3), (-1, 2), (4, 2)])
def test_an_empty_span_is_refused(first, last):
    with pytest.raises(ProblemError, match="0 <= first < last"):
        Span(first=first, last=last)


def test_windows_and_horizons_are_positive():
    with pytest.raises(ProblemError, match="window and horizon must be >= 1"):
        windows(np.zeros(5), 0, 1)
