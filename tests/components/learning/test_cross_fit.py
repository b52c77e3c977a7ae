"""Held-out figures: whatever is said of a prompt, its own outcomes had no part in it."""

from dataclasses import replace

import numpy as np
import pytest

from components.heads.classifier import ClassifierConfig
from components.heads.experts import ExpertConfig
from components.heads.training import FitConfig
from components.learning.cross_fit import folds_of, hold_out_stage_one, hold_out_stage_two
from components.learning.granular import cluster_tables

pytestmark = pytest.mark.filterwarnings("ignore")
BRIEF = FitConfig(epochs=40, patience=8)
CLASSIFIER = ClassifierConfig(fit=BRIEF)
EXPERTS = ExpertConfig(members=1, hidden=16, general=BRIEF, special=BRIEF)


def stages(logs, quality_NM=None):
    seen = logs if quality_NM is None else replace(logs, quality_NM=quality_NM)
    folds = folds_of(seen.task_N, 3, 0)
    first = hold_out_stage_one(seen.features_NF, seen.task_N, seen.quality_NM, None, folds, CLASSIFIER)
    heads = np.ones((4, 3), dtype=bool)
    second = hold_out_stage_two(seen.features_NF, seen.task_N, seen.quality_NM, heads, first, folds, EXPERTS)
    return first, second, folds


def test_distances_are_from_clusters_drawn_without_the_prompt(logs):
    first, second, folds = stages(logs)
    for number, (rest_K, held_K) in enumerate(folds):
        clusters = cluster_tables(logs.features_NF[rest_K], logs.quality_NM[rest_K], 3 * CLASSIFIER.seed + number)
        unit_KF = logs.features_NF[held_K] / np.linalg.norm(logs.features_NF[held_K], axis=1, keepdims=True)
        away_RKC = ((clusters.centre_RCF[:, None] - unit_KF[:, None]) ** 2).sum(axis=3)
        np.testing.assert_allclose(first.distance_N[held_K], away_RKC.min(axis=2).mean(axis=0), atol=1e-5)
    np.testing.assert_array_equal(second.held.distance_N, first.distance_N)


def test_folds_hold_each_prompt_out_once_and_spread_tasks():
    task_N = np.repeat([0, 1, -1], [30, 7, 5]).astype(np.int32)
    folds = folds_of(task_N, 3, 0)
    assert sorted(np.concatenate([held_K for _, held_K in folds])) == list(range(42))
    for rest_K, held_K in folds:
        assert not set(rest_K) & set(held_K)
        assert abs((task_N[held_K] == 1).sum() - 7 / 3) < 1
    with pytest.raises(ValueError, match="folds must be in"):
        folds_of(task_N, 1, 0)


def test_prompts_that_belong_together_are_held_out_together():
    random = np.random.default_rng(0)
    task_N = random.integers(-1, 6, size=600).astype(np.int32)
    group_N = np.where(random.random(600) < 0.5, random.integers(0, 60, size=600), -1).astype(np.int32)
    folds = folds_of(task_N, 4, 0, group_N)
    assert sorted(np.concatenate([held_K for _, held_K in folds])) == list(range(600))
    for rest_K, held_K in folds:
        assert not (set(group_N[rest_K]) & set(group_N[held_K])) - {-1}
        assert abs(held_K.size - 150) < 40
    alone = folds_of(task_N, 4, 0)
    for (_, held_K), (_, again_K) in zip(alone, folds_of(task_N, 4, 0, np.full(600, -1, dtype=np.int32)), strict=True):
        np.testing.assert_array_equal(held_K, again_K)


def test_a_task_of_one_group_is_learnt_from_in_every_fold():
    task_N = np.repeat([0, 1], [40, 8]).astype(np.int32)
    group_N = np.where(task_N == 1, 7, -1).astype(np.int32)
    for rest_K, _ in folds_of(task_N, 4, 0, group_N):
        assert (task_N[rest_K] == 1).sum() == 6


def test_prompts_that_are_all_one_group_are_divided_nevertheless():
    task_N = np.full(40, -1, dtype=np.int32)
    for one, other in zip(folds_of(task_N, 4, 0, np.full(40, 7, dtype=np.int32)), folds_of(task_N, 4, 0), strict=True):
        np.testing.assert_array_equal(one[1], other[1])
        assert one[0].size == 30


def test_a_twin_s_outcomes_change_nothing_that_stage_one_says_of_its_fold(logs):
    twin_N = np.full(480, -1, dtype=np.int32)
    first_K, second_K = np.arange(0, 480, 4), np.arange(1, 480, 4)
    twin_N[first_K] = twin_N[second_K] = np.arange(120)
    folds = folds_of(logs.task_N, 3, 0, twin_N)
    held_K = folds[0][1]
    poisoned_NM = logs.quality_NM.copy()
    together = np.isin(twin_N, twin_N[held_K]) & (twin_N >= 0)
    poisoned_NM[together] = 1 - poisoned_NM[together]
    said = [
        hold_out_stage_one(logs.features_NF, logs.task_N, quality_NM, None, folds, CLASSIFIER).soft_NM[held_K]
        for quality_NM in (logs.quality_NM, poisoned_NM)
    ]
    np.testing.assert_array_equal(*said)


def test_a_prompt_s_own_outcomes_change_nothing_that_stage_one_says_of_its_fold(logs):
    first, _, folds = stages(logs)
    held_K = folds[0][1]
    poisoned_NM = logs.quality_NM.copy()
    poisoned_NM[held_K] = 1 - poisoned_NM[held_K]
    again, _, _ = stages(logs, poisoned_NM)
    np.testing.assert_array_equal(first.soft_NM[held_K], again.soft_NM[held_K])
    assert not np.allclose(first.soft_NM, again.soft_NM)


def test_held_out_quality_is_near_the_truth(logs, truth_TM):
    first, second, _ = stages(logs)
    truth_NM = truth_TM[logs.task_N]
    assert np.abs(first.soft_NM - truth_NM).mean() < 0.08
    assert np.abs(second.held.prompt_NM - truth_NM).mean() < 0.1
    recognised_N = first.task_N >= 0
    assert (first.task_N == logs.task_N)[recognised_N].mean() > 0.95
    np.testing.assert_allclose(first.posterior_NT.sum(axis=1), 1, atol=1e-5)


def test_a_candidate_of_one_fold_keeps_its_general_mean(logs):
    quality_NM = logs.quality_NM.copy()
    held_K = folds_of(logs.task_N, 3, 0)[1][1]
    quality_NM[np.setdiff1d(np.arange(480), held_K), 2] = np.nan
    first, second, _ = stages(logs, quality_NM)
    np.testing.assert_allclose(first.soft_NM[held_K, 2], np.nanmean(quality_NM[:, 2]))
    assert np.isfinite(second.held.prompt_NM).all()
