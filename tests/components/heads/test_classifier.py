from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score

from components.heads.classifier import (
    ClassifierConfig,
    calibration_error,
    choose_floor,
    fit_temperature,
    train_classifier,
)
from components.heads.training import FitConfig

QUICK = ClassifierConfig(hidden=24, fit=FitConfig(epochs=30, batch_size=64))


def blobs(prompts: int, seed: int, *, stray: float = 0.2) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Three unequal tasks around unit centres, and prompts near none of them."""
    random = np.random.default_rng(seed)
    task_N = random.choice(3, size=prompts, p=[0.75, 0.2, 0.05]).astype(np.int32)
    task_N[random.uniform(size=prompts) < stray] = -1
    centre_TF = 2.5 * np.eye(4, 8)
    features_NF = centre_TF[task_N] + random.normal(size=(prompts, 8))
    return features_NF.astype(np.float32), task_N


def test_a_sample_of_many_prompts_teaches_enough() -> None:
    train, (features_NF, task_N) = blobs(3000, 0), blobs(800, 1)
    weights, report = train_classifier(*train, features_NF, task_N, replace(QUICK, rows=600))
    assert weights.posterior(features_NF).shape == (800, 3)
    assert report.micro > 0.9


def test_recognises_tasks_and_reports_what_it_reached() -> None:
    train, validation = blobs(1200, 0), blobs(400, 1)
    weights, report = train_classifier(*train, *validation, QUICK)
    features_NF, task_N = validation
    posterior_NT = weights.posterior(features_NF)
    known_N = task_N >= 0
    assert report.micro == pytest.approx((posterior_NT.argmax(axis=1) == task_N)[known_N].mean())
    assert report.macro == pytest.approx(balanced_accuracy_score(task_N[known_N], posterior_NT[known_N].argmax(axis=1)))
    assert report.micro > 0.9
    assert report.macro > 0.85
    assert report.coverage == pytest.approx((posterior_NT.max(axis=1) >= weights.confidence_floor).mean())
    assert 0 < report.confidence_floor < 1


def test_balance_raises_the_recall_of_rare_tasks() -> None:
    train, validation = blobs(500, 0, stray=0), blobs(1500, 1, stray=0)
    recall = {}
    for balance in (0.0, 1.0):
        config = ClassifierConfig(hidden=24, balance=balance, fit=FitConfig(epochs=15, batch_size=64))
        recall[balance] = train_classifier(*train, *validation, config)[1].macro
    assert recall[1.0] > recall[0.0]


def test_numpy_posterior_is_that_of_torch() -> None:
    train, validation = blobs(300, 0), blobs(100, 1)
    weights, _ = train_classifier(*train, *validation, QUICK)
    hidden = torch.relu(torch.tensor(train[0]) @ torch.tensor(weights.hidden_FH) + torch.tensor(weights.hidden_bias_H))
    logits = hidden @ torch.tensor(weights.task_HT) + torch.tensor(weights.task_bias_T)
    expected = torch.softmax(logits / torch.tensor(weights.temperature), dim=1)
    np.testing.assert_allclose(weights.posterior(train[0]), expected.numpy(), atol=1e-5)


def test_temperature_undoes_a_known_overconfidence() -> None:
    random = np.random.default_rng(0)
    logits_NT = random.normal(scale=2, size=(20_000, 4))
    probability_NT = np.exp(logits_NT) / np.exp(logits_NT).sum(axis=1, keepdims=True)
    task_N = (random.uniform(size=(20_000, 1)) > probability_NT.cumsum(axis=1)).sum(axis=1).astype(np.int32)
    assert fit_temperature((3 * logits_NT).astype(np.float32), task_N) == pytest.approx(3, rel=0.05)


def test_temperature_is_one_where_nothing_can_be_learnt() -> None:
    assert fit_temperature(np.zeros((0, 3), dtype=np.float32), np.zeros(0, dtype=np.int32)) == 1
    assert fit_temperature(np.ones((5, 1), dtype=np.float32), np.zeros(5, dtype=np.int32)) == 1


def test_calibration_error_of_a_calibrated_and_an_overconfident_posterior() -> None:
    random = np.random.default_rng(0)
    confidence_N = random.uniform(0.3, 1, size=50_000).astype(np.float32)
    assert calibration_error(confidence_N, random.uniform(size=50_000) < confidence_N) < 0.01
    assert calibration_error(np.ones(50, dtype=np.float32), np.arange(50) < 20) == pytest.approx(0.6)
    assert np.isnan(calibration_error(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=bool)))


@pytest.mark.parametrize("cost", [0.0, 0.5, 3.0])
def test_floor_matches_a_search_by_hand(cost: float) -> None:
    random = np.random.default_rng(3)
    posterior_NT = random.dirichlet([0.5, 0.5, 0.5], size=60).astype(np.float32)
    task_N = random.integers(-1, 3, size=60).astype(np.int32)

    def gain(floor: float) -> float:
        total = 0.0
        for row, task in zip(posterior_NT, task_N, strict=True):
            if row.max() >= np.float32(floor):
                total += 1 if row.argmax() == task else -cost
        return total

    gains = [gain(step / 100) for step in range(100)]
    assert choose_floor(posterior_NT, task_N, cost) == pytest.approx(int(np.argmax(gains)) / 100)


def test_works_without_tasks_and_without_validation_prompts() -> None:
    features_NF, task_N = blobs(40, 0)
    weights, report = train_classifier(
        features_NF, np.full_like(task_N, -1), features_NF, np.full_like(task_N, -1), QUICK
    )
    assert weights.posterior(features_NF).shape == (40, 0)
    assert report.fit is None
    weights, report = train_classifier(features_NF, task_N, features_NF[:0], task_N[:0], QUICK)
    assert np.isfinite(weights.posterior(features_NF)).all()
    assert np.isnan(report.micro)


def test_one_task_is_always_certain() -> None:
    features_NF, task_N = blobs(40, 0)
    weights, _ = train_classifier(features_NF, np.minimum(task_N, 0), features_NF, np.minimum(task_N, 0), QUICK)
    np.testing.assert_array_equal(weights.posterior(features_NF), 1)


def test_bad_input_is_named() -> None:
    features_NF, task_N = blobs(40, 0)
    with pytest.raises(ValueError, match="nan or infinite"):
        train_classifier(features_NF * np.float32(np.nan), task_N, features_NF, task_N, QUICK)
    with pytest.raises(ValueError, match="don't match"):
        train_classifier(features_NF, task_N[:5], features_NF, task_N, QUICK)
    with pytest.raises(ValueError, match="isn't among the"):
        train_classifier(features_NF, task_N, features_NF, task_N + 7, QUICK)
    with pytest.raises(ValueError, match="dropout"):
        ClassifierConfig(dropout=1)
