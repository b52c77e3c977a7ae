"""Closed forms against scipy's t interval, the bootstrap and the delta method by simulation."""

import numpy as np
import pytest
from scipy import stats

from components.evaluation.bootstrap import intervals
from components.evaluation.error_budget import look_level
from components.evaluation.paired import Moments, critical, difference, prompts_needed, ratio


def test_the_difference_agrees_with_scipy_and_the_bootstrap():
    generator = np.random.default_rng(0)
    a = (generator.random(5000) < 0.7).astype(float)
    b = np.where(generator.random(5000) < 0.1, 1 - a, a)
    found = difference(a, b)
    wanted = stats.ttest_rel(a, b).confidence_interval(0.95)
    interval = found.interval(0.025)
    np.testing.assert_allclose([interval.low, interval.high], [wanted.low, wanted.high], atol=2e-4)
    (drawn,) = intervals((a - b)[:, None], seed=1, resamples=4000)
    np.testing.assert_allclose([interval.low, interval.high], [drawn.low, drawn.high], atol=1e-3)


def test_few_prompts_that_agree_by_chance_keep_a_width():
    a = np.ones(40)
    b = np.ones(40)
    b[0] = 0
    assert difference(a, b).error > np.std(a - b) / np.sqrt(40)
    assert difference(a, a) == Moments(mean=0.0, error=0.0, count=40)


@pytest.mark.parametrize("count", [2, 40])
@pytest.mark.parametrize("unit", [1.0, -1.0])
def test_prompts_that_agree_by_a_whole_unit_keep_a_width(count, unit):
    found = difference(np.full(count, unit), np.zeros(count))
    assert found.mean == unit
    # the two prompts more, written out
    assert found.error == pytest.approx(np.std([*[unit] * count, 1, -1]) / np.sqrt(count + 2))
    assert found.interval(0.025).low < unit < found.interval(0.025).high


def test_the_two_prompts_more_change_next_to_nothing_where_there_are_many():
    generator = np.random.default_rng(3)
    gap = generator.choice([-1.0, 0.0, 1.0], p=[0.1, 0.75, 0.15], size=500)
    found = difference(gap, np.zeros(500))
    assert found.error == pytest.approx(np.std([*gap, 1, -1]) / np.sqrt(502), rel=1e-12)
    assert found.error == pytest.approx(stats.sem(gap), rel=0.01)


def test_the_ratio_has_the_spread_of_its_draws():
    generator = np.random.default_rng(2)
    drawn, errors = [], []
    for _ in range(400):
        b = generator.lognormal(0, 1, 500)
        found = ratio(b * generator.lognormal(-0.5, 0.5, 500), b)
        drawn.append(found.mean)
        errors.append(found.error)
    assert np.mean(errors) == pytest.approx(np.std(drawn), rel=0.1)


def test_a_wrong_shape_nan_or_level_is_refused():
    with pytest.raises(ValueError, match="shape"):
        difference(np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match="no prompts"):
        difference(np.ones(0), np.ones(0))
    with pytest.raises(ValueError, match="nan"):
        difference(np.array([np.nan]), np.ones(1))
    with pytest.raises(ValueError, match="nan"):
        ratio(np.array([np.nan]), np.ones(1))
    with pytest.raises(ValueError, match="> 0"):
        ratio(np.ones(1), np.zeros(1))
    with pytest.raises(ValueError, match="level"):
        critical(0.6)


def test_prompts_needed_put_the_low_end_on_the_threshold():
    moments = Moments(mean=0.004, error=0.01, count=1000)
    needed = prompts_needed(moments, -0.01, 0.05)
    there = Moments(mean=0.004, error=0.01 * np.sqrt(1000 / needed), count=needed)
    assert there.interval(0.05).low == pytest.approx(-0.01, abs=1e-4)
    assert prompts_needed(Moments(mean=-0.02, error=0.01, count=1000), -0.01, 0.05) is None


def test_all_looks_of_a_year_spend_less_than_its_error():
    assert sum(look_level(look, 0.05) for look in range(1, 100_000)) < 0.05
    with pytest.raises(ValueError, match="from 1"):
        look_level(0, 0.05)
    with pytest.raises(ValueError, match="yearly_error"):
        look_level(1, 0.0)
