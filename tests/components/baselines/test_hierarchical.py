from dataclasses import replace

import numpy as np
import pytest

from components.baselines.hierarchical import ClusterTable, HierarchyConfig, fit, shrunken_table
from components.tables.board import Board


def test_a_row_is_that_of_the_nearest_centre():
    draw = np.random.default_rng(3)
    centre_CF, asked_NF = (draw.normal(size=(n, 4)).astype(np.float32) for n in (6, 30))
    nearest_N = np.linalg.norm(asked_NF[:, None] - centre_CF[None], axis=2).argmin(axis=1)
    table = ClusterTable(centre_CF=centre_CF, quality_CM=np.arange(12.0).reshape(6, 2))
    np.testing.assert_array_equal(table.predict(asked_NF)[:, 0], 2.0 * nearest_N)


def test_shrinkage_lies_between_parent_and_mean_and_vanishes_with_data():
    draw = np.random.default_rng(4)
    truth_C, size_C = np.array([0.1, 0.9, 0.5, 0.7]), np.array([4, 4, 4000, 4000])
    cluster_N = np.repeat(np.arange(4), size_C)
    quality_NM = (draw.random(cluster_N.size) < truth_C[cluster_N])[:, None].astype(np.float64)
    table_CM = shrunken_table(cluster_N, quality_NM, np.full(quality_NM.shape, 0.6), 4)
    for cluster in range(4):
        mean = quality_NM[cluster_N == cluster].mean()
        assert min(0.6, mean) - 1e-9 <= table_CM[cluster, 0] <= max(0.6, mean) + 1e-9
    np.testing.assert_allclose(table_CM[2:, 0], truth_C[2:], atol=0.03)


def test_without_effects_the_children_follow_their_parents():
    draw = np.random.default_rng(5)
    cluster_N, parent_N = np.arange(6000) % 60, np.arange(6000) % 2
    parent_NM = np.where(parent_N == 0, 0.2, 0.8)[:, None]
    quality_NM = (draw.random(6000) < parent_NM[:, 0])[:, None].astype(np.float64)
    table_CM = shrunken_table(cluster_N, quality_NM, parent_NM, 60)
    np.testing.assert_allclose(table_CM[:, 0], np.where(np.arange(60) % 2 == 0, 0.2, 0.8), atol=0.03)


def test_one_outcome_a_cluster_is_not_taken_for_certain():
    cluster_N = np.repeat(np.arange(8), 60)
    draw = np.random.default_rng(0)
    quality_NM = (draw.random((480, 2)) < [0.7, 0.3]).astype(float)
    quality_NM[np.arange(480) % 60 > 0, 1] = np.nan
    quality_NM[::60, 1] = [0, 1, 0, 1, 0, 0, 1, 0]
    table_CM = shrunken_table(cluster_N, quality_NM, np.tile([0.7, 0.375], (480, 1)), 8)
    np.testing.assert_allclose(table_CM[:, 1], 0.375, atol=0.1)


def test_a_cluster_without_outcomes_is_its_parents_estimate():
    quality_NM = np.array([[1.0], [1.0], [np.nan], [np.nan]])
    parent_NM = np.array([[0.5], [0.5], [0.3], [0.1]])
    table_CM = shrunken_table(np.array([0, 0, 1, 1]), quality_NM, parent_NM, 3)
    assert table_CM[1, 0] == pytest.approx(0.2)
    assert table_CM[2, 0] == pytest.approx(0.35)


def test_planted_clusters_are_routed_right():
    draw = np.random.default_rng(6)
    task_N = np.arange(400) % 4
    features_NF = (np.eye(8)[task_N] + 0.05 * draw.normal(size=(400, 8))).astype(np.float32)
    likely_NM = np.where(task_N[:, None] == np.arange(4), 0.9, 0.3)
    quality_NM = (draw.random((400, 4)) < likely_NM).astype(np.float64)
    training = Board(
        features_NF=features_NF,
        quality_NM=quality_NM,
        cost_usd_NM=np.full((400, 4), np.nan),
        benchmark_N=np.full(400, "one"),
    )
    model = fit(training, 0, HierarchyConfig(clusters=(2, 4, 8), repeats=2))
    np.testing.assert_array_equal(model.predict(np.eye(8, dtype=np.float32)[:4]).argmax(axis=1), np.arange(4))


def test_identical_prompts_give_the_means(training):
    same = replace(training, features_NF=np.ones_like(training.features_NF))
    predicted_NM = fit(same, 0).predict(same.features_NF[:1])
    np.testing.assert_allclose(predicted_NM[0, 0], np.nanmean(training.quality_NM[:, 0]), atol=1e-6)


@pytest.mark.parametrize("clusters", [(), (0,), (20, 8)])
def test_bad_levels_are_refused(clusters):
    with pytest.raises(ValueError, match="clusters"):
        HierarchyConfig(clusters=clusters)
    with pytest.raises(ValueError, match="repeats"):
        HierarchyConfig(repeats=0)
