"""A world whose tasks are plain from the features, with labels that hide half of them."""

import numpy as np
import pytest

from components.tables.board import Board
from tests.fixtures.fitted_world import fit_world, fitted

__all__ = ["fit_world", "fitted"]

TASKS, DIMENSION = 4, 12
TRUTH_TM = np.array([[0.95, 0.1, 0.5], [0.1, 0.9, 0.5], [0.15, 0.2, 0.9], [0.5, 0.9, 0.1]])


def draw_logs(rows=480, seed=0, missing=0.0):
    draw = np.random.default_rng(seed)
    task_N = draw.integers(TASKS, size=rows).astype(np.int32)
    embedding_ND = 2 * np.eye(DIMENSION)[task_N] + 0.3 * draw.normal(size=(rows, DIMENSION))
    embedding_ND = (embedding_ND / np.linalg.norm(embedding_ND, axis=1, keepdims=True)).astype(np.float32)
    quality_NM = (draw.random((rows, 3)) < TRUTH_TM[task_N]).astype(np.float64)
    quality_NM[draw.random((rows, 3)) < missing] = np.nan
    prices_M = np.array([10.0, 40.0, 100.0])
    return Board(
        features_NF=embedding_ND,
        embedding_ND=embedding_ND,
        quality_NM=quality_NM,
        output_tokens_NM=np.full(quality_NM.shape, 100.0),
        cost_usd_NM=np.tile([0.001, 0.004, 0.01], (rows, 1)),
        input_tokens_N=np.full(rows, 10.0),
        task_N=task_N,
        split_N=np.where(draw.random(rows) < 1 / 8, "validation", "train"),
        benchmark_N=np.array(["ab", "ab", "cd", "cd"])[task_N],
        input_usd_per_mtok_M=prices_M,
        output_usd_per_mtok_M=prices_M,
    )


@pytest.fixture(scope="session")
def logs():
    return draw_logs()


@pytest.fixture(scope="session")
def truth_TM():
    return TRUTH_TM
