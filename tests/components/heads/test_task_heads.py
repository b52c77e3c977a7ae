import numpy as np
import pytest

from components.heads.task_heads import Rows, gained, train_task_heads
from components.heads.training import FitConfig, FitReport
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
    weights, report = train_task_heads(frozen(), rows((30, 10)), none(), HEAD, ridge=1e-6, config=CONFIG, seed=0)
    assert report is not None
    np.testing.assert_allclose(weights.task_bias_TM[:, 0], log_odds(np.array([0.75, 0.25])), atol=0.02)


def test_the_prior_holds_by_as_many_prompts_as_it_says() -> None:
    ridge = 10.0
    weights, _ = train_task_heads(frozen(), rows((30, 10)), none(), HEAD, ridge=ridge, config=CONFIG, seed=0)
    bias = float(weights.task_bias_TM[0, 0])
    # the posterior's gradient is zero: n (sigmoid(b) - share) + ridge b = 0
    assert 40 * (1 / (1 + np.exp(-bias)) - 0.75) + ridge * bias == pytest.approx(0.0, abs=0.2)
    assert 0 < bias < log_odds(np.array([0.75]))[0]


def test_losses_are_told_before_and_after() -> None:
    data = rows((36, 4))
    _, report = train_task_heads(frozen(), data, data, HEAD, ridge=0.1, config=CONFIG, seed=0)
    assert report is not None
    assert report.losses[0] == pytest.approx(np.log(2))
    assert report.validation_loss == min(report.losses) < report.losses[0]


def test_without_prompts_of_a_task_with_heads_nothing_is_trained() -> None:
    no_head = np.zeros((2, 1), dtype=bool)
    weights, report = train_task_heads(frozen(), rows((30, 10)), none(), no_head, ridge=1.0, config=CONFIG, seed=0)
    assert report is None
    assert not weights.task_bias_TM.any()


def told(*losses: float) -> FitReport:
    return FitReport(epochs=len(losses) - 1, best_epoch=int(np.argmin(losses)), losses=losses)


def test_heads_gain_where_they_do_in_every_fold_after_the_epochs_of_the_others() -> None:
    better, late = told(0.7, 0.6, 0.5), told(0.7, 0.71, 0.72, 0.6)
    assert gained([better, better, told(0.7, 0.69, 0.68)])
    # after two epochs, which the others take, the third fold's heads are worse, however good they are after three
    assert not gained([better, better, late])
    # and after three, as far as it ran, a fold that stopped earlier is read where it ended
    assert gained([late, late, late, better])
    assert not gained([better, told(0.7, 0.8)])
    assert not gained([better, None])
    assert not gained([better])


def test_heads_of_noise_are_kept_far_more_seldom_than_their_own_best_epochs_would_have_it() -> None:
    draw, kept, best = np.random.default_rng(0), 0, 0
    config = FitConfig(epochs=8, patience=5, learning_rate=0.01, batch_size=100)
    for seed in range(40):
        quality_NM = (draw.random((480, 1)) < 0.5).astype(np.float64)
        task_N = np.tile(np.arange(2, dtype=np.int32), 240)
        parts = []
        for fold in range(4):
            held_N = np.arange(480) // 120 == fold
            training, validation = (
                (
                    np.zeros((int(n.sum()), 3), np.float32),
                    quality_NM[n],
                    task_N[n],
                    np.zeros((int(n.sum()), 1), np.float32),
                )
                for n in (~held_N, held_N)
            )
            parts.append(train_task_heads(frozen(), training, validation, HEAD, ridge=1.0, config=config, seed=seed)[1])
        kept += gained(parts)
        best += sum(report.losses[0] - report.validation_loss for report in parts if report) > 0
    assert kept <= 4
    assert best > 30
