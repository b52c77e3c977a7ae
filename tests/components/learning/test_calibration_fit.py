import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.evaluation.reliability import expected_calibration_error, reliability
from components.learning.calibration_fit import CalibrationConfig, _fit, _loss, fit_calibration
from pointsman.model.calibration import identity, logit
from pointsman.model.weights import sigmoid


def overconfident(rows: int, seed: int, slope: float, intercept: float):
    generator = np.random.default_rng(seed)
    logits_NM = generator.normal(scale=3, size=(rows, 2))
    quality_NM = (generator.random((rows, 2)) < sigmoid(slope * logits_NM + intercept)).astype(np.float64)
    return sigmoid(logits_NM), quality_NM


def test_a_known_distortion_is_recovered():
    predicted_NM, quality_NM = overconfident(20_000, 0, slope=0.5, intercept=-0.4)
    fitted = fit_calibration(predicted_NM, quality_NM, CalibrationConfig())
    np.testing.assert_allclose(fitted.slope_M, 0.5, atol=0.03)
    np.testing.assert_allclose(fitted.intercept_M, -0.4, atol=0.05)
    fresh_NM, truth_NM = overconfident(5_000, 1, slope=0.5, intercept=-0.4)
    assert expected_calibration_error(fresh_NM, truth_NM) > 0.1
    assert expected_calibration_error(fitted.apply(fresh_NM), truth_NM) < 0.02


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), rows=st.integers(3, 60), flip=st.booleans())
def test_the_fit_is_at_least_as_good_as_a_grid(seed, rows, flip):
    generator = np.random.default_rng(seed)
    logits_N = generator.normal(scale=2, size=rows)
    quality_N = sigmoid((-2 if flip else 2) * logits_N + generator.normal(size=rows))
    prior_2 = np.array([1.0, 0.0])
    fit_2 = _fit(logits_N, quality_N, prior_2, np.ones(2))
    found = _loss(fit_2, logits_N, quality_N, prior_2, np.ones(2))[0]
    grid = [
        _loss(np.array([slope, intercept]), logits_N, quality_N, prior_2, np.ones(2))[0]
        for slope in np.linspace(0.01, 4, 60)
        for intercept in np.linspace(-3, 3, 61)
    ]
    assert found <= min(grid) + 1e-9


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 200), missing=st.floats(0, 1))
def test_every_calibration_keeps_each_columns_order_and_the_unit_interval(seed, rows, missing):
    generator = np.random.default_rng(seed)
    predicted_NM = generator.random((rows, 3))
    # the observed order is the reverse of the predicted one: the worst case for monotony
    quality_NM = np.where(generator.random((rows, 3)) < missing, np.nan, np.round(1 - predicted_NM))
    fitted = fit_calibration(predicted_NM, quality_NM, CalibrationConfig(minimum_cells=1, strength=1))
    line_K3 = np.tile(np.linspace(0.001, 0.999, 50)[:, None], (1, 3))
    calibrated_K3 = fitted.apply(line_K3)
    # float64 may saturate at the ends, but never turns back
    assert (np.diff(calibrated_K3, axis=0) >= 0).all()
    assert ((calibrated_K3 >= 0) & (calibrated_K3 <= 1)).all()


def test_few_cells_change_nothing():
    fitted = fit_calibration(np.full((10, 2), 0.9), np.zeros((10, 2)), CalibrationConfig(minimum_cells=21))
    assert fitted.slope_M.tolist() == [1, 1]
    assert fitted.intercept_M.tolist() == [0, 0]
    np.testing.assert_allclose(identity(1).apply(np.array([[0.3]])), 0.3)


def test_a_candidate_without_outcomes_takes_the_shared_fit():
    predicted_NM, quality_NM = overconfident(2_000, 0, slope=0.5, intercept=0)
    quality_NM[:, 1] = np.nan
    fitted = fit_calibration(predicted_NM, quality_NM, CalibrationConfig())
    np.testing.assert_allclose(fitted.slope_M[1], 0.5, atol=0.05)


def test_candidates_that_really_differ_are_calibrated_apart():
    mild_NM, mild_truth_NM = overconfident(5_000, 0, slope=0.8, intercept=0.5)
    wild_NM, wild_truth_NM = overconfident(5_000, 1, slope=0.3, intercept=-0.5)
    fitted = fit_calibration(
        np.hstack([mild_NM, wild_NM]), np.hstack([mild_truth_NM, wild_truth_NM]), CalibrationConfig()
    )
    np.testing.assert_allclose(fitted.slope_M, [0.8, 0.8, 0.3, 0.3], atol=0.06)
    np.testing.assert_allclose(fitted.intercept_M, [0.5, 0.5, -0.5, -0.5], atol=0.1)


def test_candidates_that_differ_by_noise_alone_keep_their_order():
    apart = []
    for seed in range(20):
        predicted_NM, quality_NM = (
            np.hstack(pair)
            for pair in zip(
                *(overconfident(150, 100 * seed + m, slope=0.5, intercept=0) for m in range(5)), strict=True
            )
        )
        level_M = fit_calibration(predicted_NM, quality_NM, CalibrationConfig()).apply(np.full((1, 10), 0.5))[0]
        apart.append(np.ptp(level_M))
    # ten free fits on 150 prompts each spread by about three standard errors of .04
    assert np.median(apart) < 0.03


def test_ece_by_hand():
    predicted_NM = np.array([[0.05, 0.95], [0.15, 0.95]])
    quality_NM = np.array([[0.0, 1.0], [np.nan, 0.0]])
    # bin 0: |.05 - 0| x 1, bin 9: |.95 - .5| x 2, of three cells
    assert expected_calibration_error(predicted_NM, quality_NM) == pytest.approx((0.05 + 0.45 * 2) / 3)
    assert np.isnan(expected_calibration_error(predicted_NM, np.full((2, 2), np.nan)))


def test_a_prediction_of_one_is_in_the_last_bin():
    assert reliability(np.array([[1.0]]), np.array([[1.0]]), bins=4).count_B.tolist() == [0, 0, 0, 1]


def test_logits_of_certainties_are_finite():
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize("bad", [{"minimum_cells": 0}, {"strength": 0.0}, {"strength": float("nan")}])
def test_configs_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        CalibrationConfig(**bad)


def test_shapes_and_bins_are_checked():
    with pytest.raises(ValueError, match="differ in shape"):
        fit_calibration(np.zeros((2, 1)), np.zeros((1, 1)), CalibrationConfig())
    with pytest.raises(ValueError, match="differ in shape"):
        reliability(np.zeros((2, 1)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="bins must be"):
        reliability(np.zeros((1, 1)), np.zeros((1, 1)), bins=0)
