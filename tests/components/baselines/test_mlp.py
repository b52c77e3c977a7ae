import numpy as np
import pytest

from components.baselines.mlp import MlpConfig, fit
from components.heads.training import FitConfig


def log_odds(quality_NM):
    tried_NK = quality_NM[:, [0, 1, 2, 4]]
    return np.log(tried_NK / (1 - tried_NK))


def test_without_bias_the_logits_scale_with_the_features_and_with_bias_not(training):
    quick = FitConfig(epochs=3)
    free, biased = (fit(training, 0, MlpConfig(hidden=16, bias=bias, fit=quick)) for bias in (False, True))
    features_NF = training.features_NF[:20]
    for model, scales in ((free, True), (biased, False)):
        one_NM, two_NM = log_odds(model.predict(features_NF)), log_odds(model.predict(2 * features_NF))
        assert np.allclose(two_NM, 2 * one_NM, atol=1e-4) == scales


def test_the_skip_alone_is_a_linear_model(training):
    model = fit(training, 0, MlpConfig(hidden=1, dropout=0.0, skip=True, fit=FitConfig(epochs=30, learning_rate=0.02)))
    without = fit(training, 0, MlpConfig(hidden=1, dropout=0.0, fit=FitConfig(epochs=30, learning_rate=0.02)))
    # One hidden unit can't follow four linear logits; a linear map can.
    assert model.report.validation_loss < without.report.validation_loss - 0.02


@pytest.mark.parametrize("values", [{"hidden": 0}, {"dropout": 1.0}, {"dropout": -0.1}])
def test_bad_configs_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        MlpConfig(**values)
