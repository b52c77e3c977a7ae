import numpy as np
import pytest

from components.heads.task_heads import Rows, train_task_heads
from components.heads.training import FitConfig
from pointsman.model.weights import ExpertWeights, log_odds

CONFIG = FitConfig(epochs=300, patience=300, learning_rate=0.05, batch_size=1000)
HEAD = np.ones((2, 1), dtype=bool)


def frozen(features: int = 3, hidden: int = 2) -> ExpertWeights:
    """General heads that expect one half of everything."""
    return ExpertWeights(
        trunk_FH=np.zeros((features, hidden), dtype=np.float32),
        trunk_bias_H=np.zeros(hidden, dtype=np.float32),
        general_HM=np.zeros((hidden, 1), dtype=np.float32),
        general_bias_M=np.zeros(1, dtype=np.float32),
        task_TMH=np.zeros((2, 1, hidden), dtype=np.float32),
        task_bias_TM=np.zeros((2, 1), dtype=np.float32),
        head_TM=np.zeros((2, 1), dtype=bool),
    )


def rows(right: tuple[int, int], each: int = 40) -> Rows:
    """So many right answers of `each` on either task."""
    quality_NM = np.concatenate([(np.arange(each) < count).astype(np.float64) for count in right])[:, None]
    task_N = np.repeat(np.arange(2, dtype=np.int32), each)
    return np.zeros((2 * each, 3), dtype=np.float32), quality_NM, task_N, np.zeros((2 * each, 1), dtype=np.float32)


def none() -> Rows:
    features, quality, task, offset = rows((0, 0))
    return features[:0], quality[:0], task[:0], offset[:0]


def test_a_weak_prior_lets_each_task_have_its_own_odds() -> None:
    weights, report, _, _ = train_task_heads(frozen(), rows((30, 10)), none(), HEAD, ridge=1e-6, config=CONFIG, seed=0)
    assert report is not None
    np.testing.assert_allclose(weights.task_bias_TM[:, 0], log_odds(np.array([0.75, 0.25])), atol=0.02)


def test_the_prior_holds_by_as_many_prompts_as_it_says() -> None:
    ridge = 10.0
    weights, _, _, _ = train_task_heads(frozen(), rows((30, 10)), none(), HEAD, ridge=ridge, config=CONFIG, seed=0)
    bias = float(weights.task_bias_TM[0, 0])
    # the posterior's gradient is zero: n (sigmoid(b) - share) + ridge b = 0
    assert 40 * (1 / (1 + np.exp(-bias)) - 0.75) + ridge * bias == pytest.approx(0.0, abs=0.2)
    assert 0 < bias < log_odds(np.array([0.75]))[0]


def test_losses_are_told_before_and_after() -> None:
    data = rows((36, 4))
    _, _, before, after = train_task_heads(frozen(), data, data, HEAD, ridge=0.1, config=CONFIG, seed=0)
    assert before == pytest.approx(np.log(2))
    assert after < before


def test_without_prompts_of_a_task_with_heads_nothing_is_trained() -> None:
    no_head = np.zeros((2, 1), dtype=bool)
    weights, report, before, _ = train_task_heads(
        frozen(), rows((30, 10)), none(), no_head, ridge=1.0, config=CONFIG, seed=0
    )
    assert report is None
    assert np.isnan(before)
    assert not weights.task_bias_TM.any()
