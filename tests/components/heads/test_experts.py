from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from components.heads.experts import ExpertConfig, train_experts
from components.heads.training import FitConfig

QUICK = ExpertConfig(hidden=16, members=2, general=FitConfig(epochs=15), special=FitConfig(epochs=15))


class Planted:
    """Prompts whose best candidate turns on their task, which the features show only in part."""

    def __init__(self, prompts: int, seed: int, *, tasks: int = 4, candidates: int = 5) -> None:
        random = np.random.default_rng(seed)
        self.task_N = random.integers(tasks, size=prompts).astype(np.int32)
        features_NF = random.normal(size=(prompts, 12))
        features_NF[:, 0] += self.task_N
        self.features_NF = features_NF.astype(np.float32)
        level_TM = np.random.default_rng(99).uniform(0.1, 0.9, size=(tasks, candidates))
        self.truth_NM = level_TM[self.task_N]
        self.quality_NM = (random.uniform(size=(prompts, candidates)) < self.truth_NM).astype(np.float64)
        self.quality_NM[random.uniform(size=self.quality_NM.shape) < 0.3] = np.nan

    @property
    def rows(self) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int32]]:
        return self.features_NF, self.quality_NM, self.task_N


EVERY = np.ones((4, 5), dtype=bool)


def test_both_phases_approach_the_planted_quality() -> None:
    train, validation, test = Planted(1500, 0), Planted(400, 1), Planted(400, 2)
    features_NF, quality_NM, task_N = train.rows
    weights, report = train_experts(features_NF, quality_NM, task_N, EVERY, *validation.rows, QUICK)
    assert report.special is not None
    assert report.special.validation_loss < report.special.losses[0]

    def error(task_N: NDArray[np.int32]) -> float:
        predicted_NM = 1 / (1 + np.exp(-weights.logits(test.features_NF, task_N)))
        return float(np.abs(predicted_NM - test.truth_NM).mean())

    baseline = float(np.abs(np.nanmean(train.quality_NM, axis=0) - test.truth_NM).mean())
    assert error(test.task_N) < error(np.full_like(test.task_N, -1)) < baseline
    assert error(test.task_N) < 0.1


def test_a_sample_of_many_prompts_teaches_as_much_as_so_many_prompts_do() -> None:
    train, validation, test = Planted(6000, 0), Planted(400, 1), Planted(400, 2)
    features_NF, quality_NM, task_N = train.rows
    weights, _ = train_experts(features_NF, quality_NM, task_N, EVERY, *validation.rows, replace(QUICK, rows=1500))
    predicted_NM = 1 / (1 + np.exp(-weights.logits(test.features_NF, test.task_N)))
    assert float(np.abs(predicted_NM - test.truth_NM).mean()) < 0.1


def test_phase_two_leaves_trunk_and_general_heads_untouched_to_the_bit() -> None:
    train, validation = Planted(600, 0), Planted(200, 1)
    with_tasks, _ = train_experts(*train.rows, EVERY, *validation.rows, QUICK)
    none_N = np.full(600, -1, dtype=np.int32)
    without, report = train_experts(*train.rows[:2], none_N, EVERY, *validation.rows, QUICK)
    assert report.special is None
    for name in ("trunk_FH", "trunk_bias_H", "general_HM", "general_bias_M"):
        np.testing.assert_array_equal(getattr(with_tasks, name), getattr(without, name))


def test_only_the_candidates_of_a_task_get_an_offset() -> None:
    train, validation = Planted(600, 0), Planted(200, 1)
    head_TM = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1]], dtype=bool)
    weights, _ = train_experts(*train.rows, head_TM, *validation.rows, QUICK)
    np.testing.assert_array_equal(weights.head_TM, head_TM)
    assert not weights.task_TMH[~head_TM].any()
    assert not weights.task_bias_TM[~head_TM].any()
    assert weights.task_bias_TM[head_TM].all()


def test_numpy_logits_are_those_of_torch_layers() -> None:
    train, validation = Planted(400, 0), Planted(100, 1)
    weights, _ = train_experts(*train.rows, EVERY, *validation.rows, QUICK)
    tensor = {name: torch.tensor(getattr(weights, name)) for name in weights.__dataclass_fields__}
    trunk_NH = torch.relu(
        torch.nn.functional.linear(torch.tensor(train.features_NF), tensor["trunk_FH"].T, tensor["trunk_bias_H"])
    )
    expected_NM = torch.stack(
        [
            torch.nn.functional.linear(
                trunk,
                tensor["general_HM"].T + tensor["task_TMH"][task],
                tensor["general_bias_M"] + tensor["task_bias_TM"][task],
            )
            for trunk, task in zip(trunk_NH, train.task_N, strict=True)
        ]
    )
    np.testing.assert_allclose(weights.logits(train.features_NF, train.task_N), expected_NM.numpy(), atol=1e-4)


def test_the_same_seed_gives_the_same_weights_whatever_the_global_state() -> None:
    train, validation = Planted(200, 0), Planted(60, 1)
    first, _ = train_experts(*train.rows, EVERY, *validation.rows, QUICK)
    torch.manual_seed(12345)
    before = torch.get_rng_state()
    second, _ = train_experts(*train.rows, EVERY, *validation.rows, QUICK)
    for name in first.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert torch.equal(torch.get_rng_state(), before)


def test_works_without_tasks() -> None:
    train, validation = Planted(200, 0), Planted(60, 1)
    no_N, no_K = np.full(200, -1, dtype=np.int32), np.full(60, -1, dtype=np.int32)
    weights, report = train_experts(
        *train.rows[:2], no_N, np.zeros((0, 5), dtype=bool), *validation.rows[:2], no_K, QUICK
    )
    assert report.special is None
    assert weights.logits(train.features_NF, no_N).shape == (200, 5)


def test_a_candidate_without_outcomes_is_named_and_predicted_at_the_overall_mean() -> None:
    train, validation = Planted(300, 0), Planted(60, 1)
    train.quality_NM[:, 2] = np.nan
    weights, report = train_experts(*train.rows, EVERY, *validation.rows, QUICK)
    assert report.unobserved == (2,)
    logits_N = weights.logits(train.features_NF, train.task_N)[:, 2]
    mean = np.nansum(train.quality_NM) / np.isfinite(train.quality_NM).sum()
    np.testing.assert_allclose(1 / (1 + np.exp(-logits_N)), mean, atol=1e-5)


def test_thirty_prompts_and_no_validation_prompts_are_enough() -> None:
    train = Planted(30, 0)
    empty = Planted(0, 1)
    weights, report = train_experts(*train.rows, EVERY, *empty.rows, QUICK)
    assert np.isfinite(weights.logits(train.features_NF, train.task_N)).all()
    assert report.special is not None
    assert weights.head_TM.all()  # held to the general heads by the prior alone


def test_bad_input_is_named() -> None:
    train, validation = Planted(40, 0), Planted(20, 1)
    features_NF, quality_NM, task_N = train.rows
    with pytest.raises(ValueError, match="no training prompt has an outcome"):
        train_experts(features_NF, np.full_like(quality_NM, np.nan), task_N, EVERY, *validation.rows, QUICK)
    with pytest.raises(ValueError, match=r"quality must be in \[0, 1\]"):
        train_experts(features_NF, quality_NM + 1, task_N, EVERY, *validation.rows, QUICK)
    with pytest.raises(ValueError, match="nan or infinite"):
        train_experts(features_NF * np.float32(np.inf), quality_NM, task_N, EVERY, *validation.rows, QUICK)
    with pytest.raises(ValueError, match="has no row in head_TM"):
        train_experts(features_NF, quality_NM, task_N, EVERY[:2], *validation.rows, QUICK)
    with pytest.raises(ValueError, match="don't match"):
        train_experts(features_NF, quality_NM[:3], task_N, EVERY, *validation.rows, QUICK)
    with pytest.raises(ValueError, match="ridge > 0"):
        ExpertConfig(ridge=0)
