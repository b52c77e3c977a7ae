import numpy as np
import pytest
from sklearn.metrics import r2_score

from components.learning.cost_error import log_r2, total_error


def test_explained_variance_agrees_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    tokens_NM = np.exp(random.normal(4, 1, size=(50, 1)))
    predicted_NM = np.log1p(tokens_NM) + random.normal(0, 0.3, size=(50, 1))
    assert log_r2(predicted_NM, tokens_NM) == pytest.approx(r2_score(np.log1p(tokens_NM), predicted_NM))


def test_candidates_are_compared_with_their_own_means() -> None:
    # candidates of very different lengths, each predicted at its mean: nothing within candidates is explained
    tokens_NM = np.array([[1.0, 100.0], [3.0, 300.0], [np.nan, 200.0]])
    predicted_NM = np.broadcast_to(np.nanmean(np.log1p(tokens_NM), axis=0), tokens_NM.shape)
    assert log_r2(predicted_NM, tokens_NM) == pytest.approx(0.0)


def test_nothing_known_is_nan() -> None:
    unknown = np.full((2, 2), np.nan)
    assert np.isnan(log_r2(np.zeros((2, 2)), unknown))
    assert np.isnan(total_error(np.zeros((2, 2)), unknown))


def test_errors_of_totals_are_averaged_over_candidates_that_cost_something() -> None:
    logged_NM = np.array([[1.0, 2.0, 0.0], [3.0, np.nan, 0.0]])
    expected_NM = np.array([[2.0, 3.0, 5.0], [3.0, 9.0, 5.0]])
    assert total_error(expected_NM, logged_NM) == pytest.approx((1 / 4 + 1 / 2) / 2)
