"""Order statistics against simulation, and ratios against hand-made errors."""

import numpy as np
import pytest

from components.extrapolation.summary import LEVEL, median_interval, ratio, summarise


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 9, 12])
def test_intervals_cover_the_median_as_often_as_they_say(count):
    draws = np.random.default_rng(count).standard_exponential((4000, count))
    found = [median_interval(row.tolist()) for row in draws]
    hit = np.mean([one.low <= np.log(2) <= one.high for one in found])
    assert hit == pytest.approx(found[0].coverage, abs=0.025)
    assert found[0].coverage >= LEVEL or found[0].low == draws[0].min()


def test_one_seed_covers_nothing():
    assert median_interval([2.0]).coverage == 0
    with pytest.raises(ValueError, match="no values"):
        median_interval([])


def test_an_infinite_error_keeps_its_place():
    one = median_interval([1.0, float("inf"), 2.0])
    assert (one.median, one.high) == (2.0, float("inf"))


def test_the_summary_takes_medians_over_seeds(rows):
    found = summarise(rows("identity", {"mlp": {1: [3.0, 1.0, 2.0], 10: [30.0, 50.0, 40.0]}}))
    assert [(one.at, one.error.median, one.seeds, one.inside) for one in found] == [(1, 2, 3, True), (10, 40, 3, False)]


def test_ratios_are_paired_by_seed_and_geometric_over_shifts(rows):
    measured = rows("identity", {"a": {1: [2.0, 30.0], 10: [8.0, 30.0]}, "b": {1: [1.0, 10.0], 10: [1.0, 10.0]}})
    found = ratio(measured, "a", "b", "rmse")
    assert (found.low, found.high) == (pytest.approx(3), pytest.approx(4))


def test_two_perfect_or_two_infinite_models_are_equal(rows):
    for error in (0.0, float("inf")):
        found = ratio(rows("identity", {"a": {1: [error]}, "b": {1: [error]}}), "a", "b", "error rate")
        assert found.median == 1


def test_models_measured_on_other_seeds_are_not_compared(rows):
    with pytest.raises(ValueError, match="a and b weren't measured on the same"):
        ratio(rows("identity", {"a": {1: [1.0, 2.0]}, "b": {1: [1.0]}}), "a", "b", "rmse")
