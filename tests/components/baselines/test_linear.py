import numpy as np
import pytest
from sklearn.linear_model import Ridge

from components.baselines.linear import LinearConfig, fit, ridge


@pytest.mark.parametrize("penalty", [0.1, 30.0])
def test_weights_are_scikit_learns_on_observed_rows(training, penalty):
    model = fit(training, 0, LinearConfig(penalties=(penalty,)))
    for candidate in (0, 1, 2, 4):
        rows = training.observed_NM[:, candidate]
        reference = Ridge(alpha=penalty).fit(
            training.features_NF[rows].astype(np.float64), training.quality_NM[rows, candidate]
        )
        np.testing.assert_allclose(model.weight_FM[:, candidate], reference.coef_, atol=1e-9)
        assert model.intercept_M[candidate] == pytest.approx(reference.intercept_)
    assert (model.predict(training.features_NF)[:, 3] == 0).all()


def test_the_penalty_has_the_least_generalised_cross_validation_error():
    draw = np.random.default_rng(2)
    x_KF, y_K = draw.normal(size=(40, 30)), draw.normal(size=40)
    penalties = (0.1, 1.0, 10.0, 100.0, 1000.0)
    centred_KF = x_KF - x_KF.mean(axis=0)
    errors = []
    for penalty in penalties:
        hat_KK = centred_KF @ np.linalg.solve(centred_KF.T @ centred_KF + penalty * np.eye(30), centred_KF.T) + 1 / 40
        errors.append(((y_K - hat_KK @ y_K) ** 2).sum() / (1 - np.trace(hat_KK) / 40) ** 2)
    best = penalties[int(np.argmin(errors))]
    weight_F1, _ = ridge(x_KF, y_K[:, None], penalties)
    np.testing.assert_allclose(weight_F1[:, 0], Ridge(alpha=best).fit(x_KF, y_K).coef_, atol=1e-9)


def test_one_prompt_predicts_its_outcome(training):
    row = np.flatnonzero(training.observed_NM[:, 0])[:1]
    predicted_NM = fit(training.take(row), 0).predict(training.features_NF[:2])
    np.testing.assert_allclose(predicted_NM[:, 0], training.quality_NM[row[0], 0], atol=1e-8)


def test_a_penalty_of_nothing_is_refused():
    with pytest.raises(ValueError, match="penalties"):
        LinearConfig(penalties=(0.0,))
