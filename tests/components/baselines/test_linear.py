import numpy as np
import pytest
from sklearn.linear_model import Ridge

from components.baselines.linear import LinearConfig, fit
from components.tables.board import Board


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


def test_the_penalty_has_the_least_leave_one_out_error():
    draw = np.random.default_rng(2)
    x_KF = draw.normal(size=(40, 30)).astype(np.float32)
    y_K = 0.5 + x_KF @ np.linspace(0, 0.1, 30) + 0.3 * draw.normal(size=40)
    penalties = (0.1, 1.0, 10.0, 100.0, 1000.0)
    errors = []
    for penalty in penalties:
        left_out = [
            y_K[out] - Ridge(alpha=penalty).fit(np.delete(x_KF, out, 0), np.delete(y_K, out)).predict(x_KF[[out]])[0]
            for out in range(40)
        ]
        errors.append(np.square(left_out).sum())
    best = penalties[int(np.argmin(errors))]
    assert penalties[0] < best < penalties[-1]
    model = fit(Board(quality_NM=y_K[:, None], features_NF=x_KF), 0, LinearConfig(penalties=penalties))
    np.testing.assert_allclose(model.weight_FM[:, 0], Ridge(alpha=best).fit(x_KF.astype(float), y_K).coef_, atol=1e-6)


def test_of_many_prompts_an_even_sample_is_enough(training, monkeypatch):
    monkeypatch.setattr("components.baselines.linear._MOST", 100)
    model = fit(training, 0, LinearConfig(penalties=(1.0,)))
    rows = np.flatnonzero(training.observed_NM[:, 0])
    rows = rows[np.linspace(0, rows.size - 1, 100).astype(int)]
    reference = Ridge(alpha=1.0).fit(training.features_NF[rows].astype(float), training.quality_NM[rows, 0])
    np.testing.assert_allclose(model.weight_FM[:, 0], reference.coef_, atol=1e-9)


def test_one_prompt_predicts_its_outcome(training):
    row = np.flatnonzero(training.observed_NM[:, 0])[:1]
    predicted_NM = fit(training.take(row), 0).predict(training.features_NF[:2])
    np.testing.assert_allclose(predicted_NM[:, 0], training.quality_NM[row[0], 0], atol=1e-8)


def test_a_penalty_of_nothing_is_refused():
    with pytest.raises(ValueError, match="penalties"):
        LinearConfig(penalties=(0.0,))
