import numpy as np
import pytest

from pointsman.model.clusters import ClusterTables


def test_each_repeat_reads_its_nearest_centre():
    draw = np.random.default_rng(0)
    centre_RCF = draw.normal(size=(3, 5, 4)).astype(np.float32)
    quality_RCM = draw.random((3, 5, 2))
    features_NF = draw.normal(size=(20, 4)).astype(np.float32)
    features_NF[0] = 0  # a prompt without features is as near to all centres as their lengths say
    expected_NM, distance_N = [], []
    for features_F in features_NF:
        unit_F = features_F / max(np.linalg.norm(features_F), 1e-12)
        rows = [quality_RCM[r, ((centre_RCF[r] - unit_F) ** 2).sum(axis=1).argmin()] for r in range(3)]
        expected_NM.append(np.mean(rows, axis=0))
        distance_N.append(np.mean([((centre_RCF[r] - unit_F) ** 2).sum(axis=1).min() for r in range(3)]))
    tables = ClusterTables(centre_RCF=centre_RCF, quality_RCM=quality_RCM)
    np.testing.assert_allclose(tables.expected(features_NF), expected_NM)
    found_NM, found_N = tables.nearest(features_NF)
    np.testing.assert_allclose(found_NM, expected_NM)
    np.testing.assert_allclose(found_N, distance_N, atol=1e-5)
    assert found_N.max() <= tables.farthest()


def test_the_farthest_prompt_points_away_from_the_only_centre():
    centre_RCF = np.array([[[0.6, 0.0]], [[0.8, 0.0]]], dtype=np.float32)
    tables = ClusterTables(centre_RCF=centre_RCF, quality_RCM=np.zeros((2, 1, 1)))
    _, distance_N = tables.nearest(np.array([[-2.0, 0.0], [5.0, 0.0]], dtype=np.float32))
    np.testing.assert_allclose(distance_N, [(1.6**2 + 1.8**2) / 2, (0.4**2 + 0.2**2) / 2], rtol=1e-5)
    assert tables.farthest() == pytest.approx(distance_N[0], rel=1e-5)


def test_many_prompts_are_looked_at_part_by_part(monkeypatch):
    draw = np.random.default_rng(1)
    tables = ClusterTables(
        centre_RCF=draw.normal(size=(2, 5, 4)).astype(np.float32), quality_RCM=draw.random((2, 5, 3))
    )
    features_NF = draw.normal(size=(20, 4)).astype(np.float32)
    whole_NM, whole_N = tables.nearest(features_NF)
    monkeypatch.setattr("pointsman.model.clusters._STEP", 6)
    found_NM, found_N = tables.nearest(features_NF)
    np.testing.assert_allclose(found_NM, whole_NM)
    np.testing.assert_allclose(found_N, whole_N, rtol=1e-5)
    assert tables.nearest(features_NF[:0])[0].shape == (0, 3)
