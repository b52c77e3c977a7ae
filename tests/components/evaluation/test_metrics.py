"""Metrics against brute force and closed forms."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.metrics import aiq, apgr, cost_save, hull

points = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8)


def brute(points, at):
    """The best mean quality of a mixture of at most two points that costs at most `at`."""
    best = max((q for c, q in points if c <= at), default=-1)
    for (c, q), (d, r) in combinations(points, 2):
        if min(c, d) <= at < max(c, d):
            best = max(best, q + (r - q) * (at - c) / (d - c))
    return best


@given(points=points, at=st.floats(0, 20))
def test_the_hull_is_the_best_mixture(points, at):
    costs, qualities = hull(*np.array(points, float).T)
    if at >= costs[0]:
        assert np.interp(at, costs, qualities) == pytest.approx(brute(points, at))


@given(points=points)
def test_aiq_agrees_with_a_fine_sum(points):
    points.append((0, 0))
    grid = (np.arange(4000) + 0.5) / 200
    costs, qualities = np.array(points, float).T
    reference = np.interp(grid, *hull(costs, qualities)).mean()
    assert aiq(costs, qualities, 0, 20) == pytest.approx(reference, abs=1e-3)


def test_apgr_of_random_mixing_is_one_half():
    assert apgr(np.array([1.0, 3.0]), np.array([0.2, 0.8]), (1, 0.2), (3, 0.8)) == pytest.approx(0.5)
    assert apgr(np.array([1.0]), np.array([0.2]), (1, 0.8), (3, 0.2)) is None


def test_parity_that_is_never_reached_saves_nothing():
    assert cost_save(np.array([1.0]), np.array([0.2]), 1, 0.5) is None


def test_parity_is_reached_where_only_rounding_is_lacking():
    assert cost_save(np.array([1.0, 4.0]), np.array([0.2, 0.3]), 4.0, 0.1 + 0.2) == 0.0


def test_a_gain_of_rounding_is_no_better_point():
    """Parity is reached at 4 USD, whatever a dearer point has in its last digit."""
    assert cost_save(np.array([1.0, 4.0, 8.0]), np.array([0.2, 0.3, 0.1 + 0.2]), 4.0, 0.1 + 0.2) == 0.0


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        hull(np.empty(0), np.empty(0))
    with pytest.raises(ValueError, match="range is empty"):
        aiq(np.ones(1), np.ones(1), 1, 1)
    with pytest.raises(ValueError, match="more than the range's start"):
        aiq(np.ones(1), np.ones(1), 0, 2)
