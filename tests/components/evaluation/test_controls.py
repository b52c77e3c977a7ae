"""Controls deprive a method of what they say, and of nothing else."""

from types import SimpleNamespace

import numpy as np

from components.evaluation.controls import random_features, shuffled_labels
from components.tables.board import Board

TRAINING = Board(
    features_NF=np.eye(6, 3, dtype=np.float32),
    quality_NM=np.arange(12.0).reshape(6, 2) / 12,
    cost_usd_NM=np.arange(12.0).reshape(6, 2),
    benchmark_N=np.array(list("abcdef")),
)


def fit(training, seed):
    return SimpleNamespace(training=training, predict=lambda features: features)


def test_shuffled_labels_keep_rows_and_move_them():
    seen = shuffled_labels(fit)(TRAINING, 0).training
    assert sorted(map(tuple, seen.quality_NM)) == sorted(map(tuple, TRAINING.quality_NM))
    assert (seen.quality_NM != TRAINING.quality_NM).any()
    np.testing.assert_array_equal(seen.quality_NM * 12, seen.cost_usd_NM)


def test_random_features_forget_the_prompt():
    model = random_features(fit)(TRAINING, 0)
    a, b = model.predict(TRAINING.features_NF), model.predict(np.zeros((6, 3), np.float32))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), 1, rtol=1e-6)
