"""Rarely asked candidates are taken at a lower bound: levels by hand, and luck that isn't picked."""

import numpy as np
import pytest

from components.learning.caution import cautious
from pointsman.model.calibration import identity


def test_levels_go_down_by_the_error_of_the_difference():
    generator = np.random.default_rng(0)
    predicted = np.tile([0.6, 0.5, 0.7], (1000, 1)) + 0.05 * generator.normal(size=(1000, 3))
    seen = np.zeros((1000, 3), dtype=bool)
    seen[:, 0], seen[:100, 1], seen[:10, 2] = True, True, True
    quality = np.where(seen, (generator.random((1000, 3)) < predicted) * 1.0, np.nan)
    found = cautious(identity(3), predicted, quality, 0, 1.5).apply(predicted).mean(axis=0)
    spread = np.nanmean((quality - predicted) ** 2)
    # the best single candidate was seen everywhere: its mean over these prompts has no error
    error = np.sqrt(spread * np.array([0.0, 0.9 / 100, 0.99 / 10]))
    np.testing.assert_allclose(found, predicted.mean(axis=0) - 1.5 * error, atol=0.004)
    # within a candidate the order stays
    order = predicted[:, 2].argsort()
    assert (np.diff(cautious(identity(3), predicted, quality, 0, 1.5).apply(predicted)[order, 2]) >= 0).all()


def test_complete_logs_and_no_caution_change_nothing():
    predicted, whole = np.full((50, 2), 0.5), np.ones((50, 2))
    gaps = np.where(np.arange(50)[:, None] % 2 == 0, whole, np.nan)
    same = identity(2)
    assert cautious(same, predicted, whole, 0, 2.0) is same
    assert cautious(same, predicted, gaps, 0, 0.0) is same
    assert cautious(same, predicted, np.full((50, 2), np.nan), 0, 2.0) is same


def test_turns_that_repeat_each_other_count_once():
    generator = np.random.default_rng(2)
    predicted = np.tile([0.6, 0.5, 0.7], (600, 1))
    quality = np.where(generator.random((600, 3)) < [1.0, 0.2, 0.05], generator.random((600, 3)) < 0.6, np.nan)
    once = cautious(identity(3), predicted, quality, 0, 1.0)
    talks = np.repeat(predicted, 15, axis=0), np.repeat(quality, 15, axis=0)
    grouped = cautious(identity(3), *talks, 0, 1.0, np.repeat(np.arange(600), 15))
    np.testing.assert_allclose(grouped.intercept_M, once.intercept_M, rtol=0.01)
    assert (cautious(identity(3), *talks, 0, 1.0).intercept_M[1:] > once.intercept_M[1:] / 2).all()
    alone = cautious(identity(3), predicted, quality, 0, 1.0, np.full(600, -1))
    np.testing.assert_array_equal(alone.intercept_M, once.intercept_M)


@pytest.mark.parametrize(("errors", "most", "least"), [(0.0, 1.0, 0.5), (1.0, 0.35, 0.0)])
def test_the_luck_of_a_few_answers_is_seldom_followed(errors, most, least):
    generator, followed = np.random.default_rng(1), 0
    rows, true = 2000, np.array([0.75, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7])
    for _ in range(200):
        choice = generator.choice(7, size=rows, p=[0.91, *[0.015] * 6])
        quality = np.full((rows, 7), np.nan)
        quality[np.arange(rows), choice] = generator.random(rows) < true[choice]
        predicted = np.tile(np.nanmean(quality, axis=0), (rows, 1))
        found = cautious(identity(7), predicted, quality, 0, errors).apply(predicted)[0]
        followed += found.argmax() != 0
    assert least <= followed / 200 <= most
