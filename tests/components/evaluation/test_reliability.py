import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from components.evaluation.reliability import expected_calibration_error, reliability


def test_bins_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    predicted_NM = random.uniform(0.05, 0.95, size=(400, 3))
    quality_NM = (random.random((400, 3)) < predicted_NM**2).astype(np.float64)
    found = reliability(predicted_NM, quality_NM, bins=7)
    observed_B, mean_B = calibration_curve(quality_NM.ravel(), predicted_NM.ravel(), n_bins=7)
    np.testing.assert_allclose(found.observed_B, observed_B)
    np.testing.assert_allclose(found.predicted_B, mean_B)
    assert found.ece == pytest.approx(np.average(np.abs(observed_B - mean_B), weights=found.count_B))


def test_cells_that_were_not_observed_count_nowhere() -> None:
    predicted_NM = np.array([[0.2, 0.9], [0.4, 0.1]])
    quality_NM = np.array([[0.0, np.nan], [1.0, np.nan]])
    found = reliability(predicted_NM, quality_NM, bins=2)
    assert found.count_B.tolist() == [2, 0]
    assert np.isnan(found.observed_B[1])
    assert found.ece == pytest.approx(abs(0.3 - 0.5))


def test_without_outcomes_there_is_no_error_to_tell() -> None:
    assert np.isnan(expected_calibration_error(np.array([[0.5]]), np.array([[np.nan]])))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="bins"):
        reliability(np.zeros((1, 1)), np.zeros((1, 1)), bins=0)
    with pytest.raises(ValueError, match="differ in shape"):
        reliability(np.zeros((1, 2)), np.zeros((1, 1)))
