from dataclasses import replace

import numpy as np
import pytest

from pointsman.model.cost import CostHead, CostSource

HEAD = CostHead(
    weights_FM=np.array([[0.5, 0.0, 0.0]], dtype=np.float32),
    bias_M=np.array([4.0, 5.0, 0.0]),
    task_TM=np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
    low_M=np.array([3.0, 3.0, 0.0]),
    high_M=np.array([6.0, 6.0, 0.0]),
    smear_M=np.array([1.1, 1.0, 1.0]),
    smear_TM=np.array([[1.2, 1.0, 1.0], [1.3, 1.4, 1.0]]),
    mean_cost_M=np.array([np.nan, np.nan, 0.02]),
    mean_cost_TM=np.array([[np.nan, np.nan, 0.03], [np.nan, np.nan, 0.04]]),
    input_usd_per_mtok_M=np.array([1.0, 2.0, np.nan]),
    output_usd_per_mtok_M=np.array([10.0, 20.0, np.nan]),
    source_M=np.array([CostSource.REGRESSION, CostSource.MEAN_TOKENS, CostSource.MEAN_COST]),
)
FEATURES = np.array([[1.0], [-1.0], [8.0]], dtype=np.float32)
TASK = np.array([0, 1, -1], dtype=np.int32)


def expected_tokens(row: int, model: int) -> float:
    """One cell, by the formula."""
    task = int(TASK[row])
    level = HEAD.bias_M[model] + (HEAD.task_TM[task, model] if task >= 0 else 0.0)
    log = level + FEATURES[row, 0] * HEAD.weights_FM[0, model]
    log = min(max(log, HEAD.low_M[model]), HEAD.high_M[model])
    smear = HEAD.smear_TM[task, model] if task >= 0 else HEAD.smear_M[model]
    return float(max(np.exp(log) * smear - 1, 0))


def test_tokens_and_costs_are_those_of_the_formula() -> None:
    tokens_NM = HEAD.output_tokens(FEATURES, TASK)
    cost_NM = HEAD.cost_usd(FEATURES, np.array([100.0, 200.0, 300.0]), TASK)
    for row in range(3):
        for model in range(2):
            tokens = expected_tokens(row, model)
            paid = (100 * (row + 1) * (model + 1) + tokens * 10 * (model + 1)) / 1e6
            assert tokens_NM[row, model] == pytest.approx(tokens)
            assert cost_NM[row, model] == pytest.approx(paid)


def test_a_strange_prompt_is_held_within_what_was_seen() -> None:
    # 8 x 0.5 + 4 would be e^8
    assert HEAD.log_tokens(FEATURES, TASK)[2, 0] == 6.0


def test_without_tokens_the_logged_means_stand_in() -> None:
    assert np.isnan(HEAD.output_tokens(FEATURES, TASK)[:, 2]).all()
    assert HEAD.cost_usd(FEATURES, np.ones(3), TASK)[:, 2].tolist() == [0.03, 0.04, 0.02]


def test_a_router_without_tasks_has_the_candidates_own_figures() -> None:
    none = replace(HEAD, task_TM=HEAD.task_TM[:0], smear_TM=HEAD.smear_TM[:0], mean_cost_TM=HEAD.mean_cost_TM[:0])
    nowhere_N = np.full(3, -1, dtype=np.int32)
    np.testing.assert_allclose(
        none.cost_usd(FEATURES, np.ones(3), nowhere_N), HEAD.cost_usd(FEATURES, np.ones(3), nowhere_N)
    )
