import numpy as np
import pytest
from numpy.typing import NDArray

from components.heads.classifier import ClassifierConfig
from components.heads.implicit.classifier import ImplicitClassifierConfig
from components.heads.implicit.layer import ImplicitConfig
from components.heads.training import FitConfig
from components.learning.cross_fit import StageOneHeld, folds_of
from components.learning.implicit_peer import implicit_peer
from components.learning.two_stage import TwoStageConfig
from components.tables.board import Board

CONFIG = TwoStageConfig(classifier=ClassifierConfig(seed=3), folds=4)
QUICK = ImplicitClassifierConfig(
    layer=ImplicitConfig(states=8, fit=FitConfig(epochs=15, batch_size=64, learning_rate=0.01))
)


def board(features_NF: NDArray[np.float32], task_N: NDArray[np.int32]) -> Board:
    return Board(quality_NM=np.zeros((task_N.size, 1)), features_NF=features_NF, task_N=task_N)


def held(posterior_NT: NDArray[np.float64]) -> StageOneHeld:
    nothing_NM = np.zeros((posterior_NT.shape[0], 1))
    return StageOneHeld(
        posterior_NT=posterior_NT,
        soft_NM=nothing_NM,
        hard_NM=nothing_NM,
        task_N=np.full(posterior_NT.shape[0], -1, dtype=np.int32),
        distance_N=np.zeros(posterior_NT.shape[0]),
        temperature=1.0,
        confidence_floor=0.0,
        epochs=1,
    )


def test_both_classifiers_are_judged_on_the_first_fold_alone() -> None:
    random = np.random.default_rng(0)
    task_N = random.integers(-1, 3, size=400).astype(np.int32)
    features_NF = (2 * np.eye(4, 5)[task_N] + 0.5 * random.normal(size=(400, 5))).astype(np.float32)
    held_K = folds_of(task_N, CONFIG.folds, CONFIG.classifier.seed)[0][1]
    # Right in the first fold but for task 2, always wrong elsewhere.
    posterior_NT = np.eye(3)[(task_N + 1) % 3]
    posterior_NT[held_K] = np.eye(3)[np.where(task_N[held_K] == 2, 0, task_N[held_K])]
    found = implicit_peer(board(features_NF, task_N), np.arange(task_N.size), held(posterior_NT), CONFIG, QUICK)
    assert found is not None
    known_K = task_N[held_K] >= 0
    assert found.prompts == known_K.sum()
    assert found.router_macro == pytest.approx(2 / 3)
    assert found.router_micro == pytest.approx((task_N[held_K][known_K] != 2).mean())
    assert found.micro > 0.95
    assert found.norm_inf <= 0.95 + 1e-6


def test_without_tasks_there_is_nothing_to_compare() -> None:
    none_N = np.full(20, -1, dtype=np.int32)
    seen = board(np.zeros((20, 2), dtype=np.float32), none_N)
    assert implicit_peer(seen, np.arange(20), held(np.zeros((20, 0))), CONFIG, QUICK) is None
