"""The series has the spikes it promises, and tests come after training."""

import numpy as np
import pytest

from components.extrapolation.problem import ProblemError
from components.extrapolation.spiky import WINDOW, spiky, spiky_series


def test_spikes_grow_over_time():
    series = spiky_series(10_000, 0)
    t = np.arange(10_000)
    left = series - np.sin(t / 8) - 0.5 * np.sin(t / 27)
    early, late = np.sort(left[:3000])[-30:], np.sort(left[7000:])[-30:]
    assert late.mean() > 1.5 * early.mean() > 3
    assert np.quantile(left, 0.3) < 0.1


def test_the_next_value_follows_its_window_and_no_test_window_reaches_into_training():
    problem = spiky(1, train=700, test=300)
    series = spiky_series(1000, 1)
    np.testing.assert_array_equal(problem.train_inputs_NF[5], series[5 : 5 + WINDOW])
    assert problem.train_targets_NM[5, 0] == series[5 + WINDOW]
    assert len(problem.train_inputs_NF) == 700 - WINDOW
    for number, test in enumerate(problem.tests):
        first = 700 + 100 * number
        np.testing.assert_array_equal(test.inputs_NF[0], series[first : first + WINDOW])
        assert len(test.inputs_NF) == 100 - WINDOW


def test_a_series_too_short_for_its_window_is_refused():
    with pytest.raises(ProblemError, match="is shorter than a window of 20"):
        spiky(0, train=15, test=300)
