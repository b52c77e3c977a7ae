"""Least squares and ridge against scikit-learn; HAR against its formula."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from components.extrapolation.linear import har, least_squares


@pytest.fixture
def samples():
    generator = np.random.default_rng(0)
    return generator.standard_normal((60, 4)), generator.standard_normal((60, 2)), generator.standard_normal((7, 4))


def test_least_squares_agrees_with_scikit_learn(samples):
    inputs, targets, unseen = samples
    expected = LinearRegression().fit(inputs, targets).predict(unseen)
    np.testing.assert_allclose(least_squares(inputs, targets)(unseen), expected)


def test_ridge_agrees_with_scikit_learn(samples):
    inputs, targets, unseen = samples
    expected = Ridge(alpha=0.3 * len(inputs)).fit(inputs, targets).predict(unseen)
    np.testing.assert_allclose(least_squares(inputs, targets, ridge=0.3)(unseen), expected)


def test_a_negative_ridge_is_refused(samples):
    with pytest.raises(ValueError, match="ridge must be >= 0"):
        least_squares(samples[0], samples[1], ridge=-1)


def test_har_averages_day_week_and_month():
    window = np.random.default_rng(1).random((5, 30))
    expected = [[row[-1], sum(row[-5:]) / 5, sum(row[-22:]) / 22] for row in window]
    np.testing.assert_allclose(har(window), expected)
    with pytest.raises(ValueError, match="HAR needs windows of 22 days, got 21"):
        har(window[:, :21])
