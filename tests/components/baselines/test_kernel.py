from dataclasses import replace

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from components.baselines.kernel import KernelConfig, _axes, _basis, _ridge, fit
from components.tables.board import Board


def test_leave_one_out_errors_and_weights_are_those_of_refitting():
    draw = np.random.default_rng(0)
    basis_NB, target_NM = draw.normal(size=(40, 6)), draw.normal(size=(40, 2))
    score_M, weight_BM, shift_M = _ridge(basis_NB, target_NM, (3.0,))
    again_NM = cross_val_predict(Ridge(alpha=3.0), basis_NB, target_NM, cv=LeaveOneOut())
    # scikit-learn centres each fit anew; so does the leverage with 1 / N
    np.testing.assert_allclose(score_M, ((again_NM - target_NM) ** 2).mean(axis=0), rtol=1e-6)
    whole = Ridge(alpha=3.0).fit(basis_NB, target_NM)
    np.testing.assert_allclose(weight_BM.T, whole.coef_, atol=1e-10)
    np.testing.assert_allclose(shift_M, whole.intercept_, atol=1e-10)


def test_whitened_bumps_are_the_gaussian_kernel_at_the_centres():
    draw = np.random.default_rng(1)
    centre_CF = draw.normal(size=(7, 3))
    centre_CF /= np.linalg.norm(centre_CF, axis=1, keepdims=True)
    bumps = _basis(centre_CF, 0.8)(centre_CF.astype(np.float32))[:, 3:]
    np.testing.assert_allclose(bumps @ bumps.T, RBF(0.8)(centre_CF), atol=1e-4)


def test_axes_are_orthonormal_and_begin_with_what_all_share():
    axis_MM = _axes(np.random.default_rng(2).normal(size=(50, 4)))
    np.testing.assert_allclose(axis_MM.T @ axis_MM, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(np.abs(axis_MM[:, 0]), 0.5)


def test_difficulty_that_all_share_is_learnt_and_no_difference_is_made_up():
    draw = np.random.default_rng(3)
    features_NF = draw.normal(size=(600, 20)).astype(np.float32)
    chance_N = 1 / (1 + np.exp(-3 * features_NF[:, 0]))
    quality_NM = (draw.random((600, 5)) < chance_N[:, None]).astype(float)
    board = Board(features_NF=features_NF, quality_NM=quality_NM)
    seen, asked = board.take(np.arange(400)), np.arange(400, 600)
    shared, apart = (
        fit(seen, 0, KernelConfig(centres=60, shared=way)).predict(features_NF[asked]) for way in (True, False)
    )
    assert np.corrcoef(shared.mean(axis=1), chance_N[asked])[0, 1] > 0.85
    spread = [np.std(found - found.mean(axis=1, keepdims=True) - found.mean(axis=0)) for found in (shared, apart)]
    assert spread[0] < 0.7 * spread[1]


def test_gaps_and_untried_candidates_are_no_obstacle(training):
    quality_NM = training.quality_NM.copy()
    quality_NM[::3, 0], quality_NM[:, 1] = np.nan, np.nan
    predicted_NM = fit(replace(training, quality_NM=quality_NM), 0).predict(training.features_NF)
    assert np.isfinite(predicted_NM).all()
    assert (predicted_NM[:, 1] == 0).all()


@pytest.mark.parametrize("bad", [{"centres": 0}, {"scales": ()}, {"penalties": (0.0,)}])
def test_bad_settings_are_refused(bad):
    with pytest.raises(ValueError, match="centres"):
        KernelConfig(**bad)
