from dataclasses import replace

import numpy as np
import torch
from torch import nn

from components.baselines.neural import train
from components.heads.training import FitConfig


def test_biases_alone_learn_each_candidates_graded_quality(training):
    class Biases(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bias_M = nn.Parameter(torch.zeros(5))

        def forward(self, features_NF: torch.Tensor) -> torch.Tensor:
            return self.bias_M.expand(features_NF.shape[0], 5)

    config = FitConfig(epochs=300, batch_size=300, learning_rate=0.05, patience=300)
    quality_M = np.array([0.2, 0.4, 0.9, 0.5, 0.7])
    graded = replace(training, quality_NM=np.where(training.observed_NM, quality_M, np.nan))
    model = train(graded, 0, Biases, config)
    tried_M = np.array([0, 1, 2, 4])
    predicted_M = model.predict(training.features_NF[:1])[0]
    np.testing.assert_allclose(predicted_M[tried_M], quality_M[tried_M], atol=0.01)
    assert predicted_M[3] == 0


def test_training_is_stopped_by_whole_conversations(training):
    talk_N = np.random.default_rng(1).permutation(np.repeat(np.arange(60), 5))
    held, learnt = [], []

    def loss(kept):
        def of(module, batch):
            kept.append(batch[0].numpy())
            return module(batch[0]).square().mean()

        return of

    def rows(kept):
        return np.flatnonzero((training.features_NF[:, None] == np.concatenate(kept)).all(axis=2).any(axis=1))

    talks = replace(training, group_N=talk_N.astype(np.int32))
    train(talks, 0, lambda: nn.Linear(8, 5), FitConfig(epochs=1), loss=loss(learnt), validation_loss=loss(held))
    assert 30 <= rows(held).size <= 34
    assert sorted([*rows(held), *rows(learnt)]) == list(range(300))
    assert not set(talk_N[rows(held)]) & set(talk_N[rows(learnt)])


def test_torchs_random_state_is_left_alone(training):
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    train(training, 0, lambda: nn.Linear(8, 5), FitConfig(epochs=1))
    assert torch.rand(1) == expected
