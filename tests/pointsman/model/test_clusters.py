import numpy as np

from pointsman.model.clusters import ClusterTables


def test_each_repeat_reads_its_nearest_centre():
    draw = np.random.default_rng(0)
    centre_RCF = draw.normal(size=(3, 5, 4)).astype(np.float32)
    quality_RCM = draw.random((3, 5, 2))
    features_NF = draw.normal(size=(20, 4)).astype(np.float32)
    features_NF[0] = 0  # a prompt without features is as near to all centres as their lengths say
    expected_NM = []
    for features_F in features_NF:
        unit_F = features_F / max(np.linalg.norm(features_F), 1e-12)
        rows = [quality_RCM[r, ((centre_RCF[r] - unit_F) ** 2).sum(axis=1).argmin()] for r in range(3)]
        expected_NM.append(np.mean(rows, axis=0))
    tables = ClusterTables(centre_RCF=centre_RCF, quality_RCM=quality_RCM)
    np.testing.assert_allclose(tables.expected(features_NF), expected_NM)
