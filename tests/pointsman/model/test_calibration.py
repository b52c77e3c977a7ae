import numpy as np
from scipy.special import expit
from scipy.special import logit as reference

from pointsman.model.calibration import FLOOR, Calibration, identity, logit


def test_log_odds_agree_with_scipy() -> None:
    quality = np.linspace(0.001, 0.999, 50)
    np.testing.assert_allclose(logit(quality), reference(quality))


def test_certainty_has_finite_odds() -> None:
    np.testing.assert_allclose(logit(np.array([0.0, 1.0])), reference(np.array([FLOOR, 1 - FLOOR])))


def test_each_candidate_has_a_line_of_its_own() -> None:
    random = np.random.default_rng(0)
    quality_NM, slope_M, intercept_M = random.uniform(0.01, 0.99, (20, 3)), np.array([0.5, 1.0, 2.0]), np.arange(3.0)
    found_NM = Calibration(slope_M=slope_M, intercept_M=intercept_M).apply(quality_NM)
    np.testing.assert_allclose(found_NM, expit(slope_M * reference(quality_NM) + intercept_M))
    np.testing.assert_array_equal(found_NM.argsort(axis=0), quality_NM.argsort(axis=0))


def test_the_identity_changes_nothing() -> None:
    quality_NM = np.random.default_rng(1).uniform(FLOOR, 1 - FLOOR, (10, 2))
    np.testing.assert_allclose(identity(2).apply(quality_NM), quality_NM)
