import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from components.heads.implicit.classifier import ImplicitClassifierConfig, train_implicit_classifier
from components.heads.implicit.layer import ImplicitConfig
from components.heads.training import FitConfig

QUICK = ImplicitClassifierConfig(
    layer=ImplicitConfig(states=16, fit=FitConfig(epochs=12, batch_size=64, learning_rate=0.02))
)


def rings(prompts: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Three tasks by distance from the centre, which no linear classifier can tell apart, and prompts without one."""
    random = np.random.default_rng(seed)
    task_N = random.choice(3, size=prompts, p=[0.5, 0.3, 0.2]).astype(np.int32)
    direction_NF = random.normal(size=(prompts, 3))
    direction_NF /= np.linalg.norm(direction_NF, axis=1, keepdims=True)
    features_NF = direction_NF * (0.3 + task_N + 0.1 * random.normal(size=prompts))[:, None]
    task_N[random.uniform(size=prompts) < 0.1] = -1
    return features_NF.astype(np.float32), task_N


def test_learns_what_a_linear_classifier_cannot_and_reports_what_it_reached() -> None:
    train, (features_KF, task_K) = rings(600, 0), rings(300, 1)
    model, report = train_implicit_classifier(*train, features_KF, task_K, QUICK)
    known_K = task_K >= 0
    posterior_KT = model.posterior(features_KF)
    guess_K = posterior_KT.argmax(axis=1)[known_K]
    assert report.recognition.micro == pytest.approx((guess_K == task_K[known_K]).mean())
    assert report.recognition.macro == pytest.approx(balanced_accuracy_score(task_K[known_K], guess_K))
    linear = LogisticRegression().fit(train[0][train[1] >= 0], train[1][train[1] >= 0])
    assert report.recognition.micro > 0.9 > linear.score(features_KF[known_K], task_K[known_K]) + 0.2
    np.testing.assert_allclose(posterior_KT.sum(axis=1), 1, atol=1e-12)
    assert report.recognition.ece < 0.1
    assert report.statistics.spectral_radius - 1e-12 <= report.statistics.norm_inf <= 0.95 + 1e-6
    assert report.statistics.residual <= QUICK.layer.solver.tolerance


def test_posterior_is_the_softmax_of_the_fixed_point_by_hand() -> None:
    train = rings(200, 0)
    model, _ = train_implicit_classifier(*train, *rings(60, 1), QUICK)
    head = model.head
    for features, posterior in zip(train[0][:5].astype(float), model.posterior(train[0]), strict=False):
        state = np.zeros(16)
        for _ in range(1000):
            state = np.maximum(head.feedback_SS @ state + head.drive_SF @ features + head.drive_bias_S, 0)
        odds = np.exp((head.output_MS @ state + head.skip_MF @ features + head.output_bias_M) / model.temperature)
        np.testing.assert_allclose(posterior, odds / odds.sum(), atol=5e-3)


def test_the_same_seed_gives_the_same_classifier() -> None:
    first, second = (train_implicit_classifier(*rings(100, 0), *rings(40, 1), QUICK)[1] for _ in range(2))
    assert first == second


def test_bad_input_is_named() -> None:
    features_NF, task_N = rings(40, 0)
    with pytest.raises(ValueError, match="validation features hold nan"):
        train_implicit_classifier(features_NF, task_N, features_NF * np.float32(np.nan), task_N, QUICK)
    with pytest.raises(ValueError, match="don't match"):
        train_implicit_classifier(features_NF, task_N[:5], features_NF, task_N, QUICK)
    with pytest.raises(ValueError, match="no prompt has a task"):
        train_implicit_classifier(features_NF, np.full_like(task_N, -1), features_NF, task_N, QUICK)
    with pytest.raises(ValueError, match="isn't among the 3 tasks"):
        train_implicit_classifier(features_NF, task_N, features_NF, task_N + 7, QUICK)
    with pytest.raises(ValueError, match="balance"):
        ImplicitClassifierConfig(balance=2)
