import numpy as np

from components.baselines.implicit import fit
from components.heads.implicit import ImplicitConfig, train_implicit_head


def test_it_is_the_implicit_head_with_the_untried_last(training):
    config = ImplicitConfig(states=8)
    head = train_implicit_head(training.features_NF, training.quality_NM, config, 0)
    expected_NM = head.predict(training.features_NF)
    expected_NM[:, 3] = 0
    np.testing.assert_allclose(fit(training, 0, config).predict(training.features_NF), expected_NM, atol=1e-8)
