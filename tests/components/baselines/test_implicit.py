from dataclasses import replace

import numpy as np
import pytest

from components.baselines.implicit import fit
from components.baselines.methods import METHODS, fit_predict_figures
from components.heads.implicit.head import ImplicitConfig, train_implicit_head


def test_it_is_the_implicit_head_with_the_untried_last(training):
    config = ImplicitConfig(states=8)
    head = train_implicit_head(training.features_NF, training.quality_NM, config, 0)
    expected_NM = head.predict(training.features_NF)
    expected_NM[:, 3] = 0
    np.testing.assert_allclose(fit(training, 0, config).predict(training.features_NF), expected_NM, atol=1e-8)


def test_its_training_is_stopped_by_whole_conversations(training):
    config = ImplicitConfig(states=8)
    talk_N = np.random.default_rng(1).permutation(np.repeat(np.arange(60), 5)).astype(np.int32)
    head = train_implicit_head(training.features_NF, training.quality_NM, config, 0, group_N=talk_N)
    np.testing.assert_array_equal(
        fit(replace(training, group_N=talk_N), 0, config).head.output_MS,
        head.output_MS,
    )
    assert not np.array_equal(fit(training, 0, config).head.output_MS, head.output_MS)


def test_it_tells_how_well_posed_it_is(training):
    model = fit(training, 0, ImplicitConfig(states=8))
    told, feedback_SS = model.figures(), model.head.feedback_SS.astype(np.float64)
    assert told["norm_inf"] == pytest.approx(np.linalg.norm(feedback_SS, np.inf))
    assert told["spectral_radius"] == pytest.approx(np.abs(np.linalg.eigvals(feedback_SS)).max())
    assert 0 <= told["residual"] <= model.head.solver.tolerance
    assert 1 <= told["iterations_mean"] <= told["iterations_max"]
    assert fit_predict_figures(METHODS["linear"], training, training, 0)[1] == {}
    assert set(fit_predict_figures(METHODS["implicit"], training, training, 0)[1]) == set(told)
