import numpy as np

from components.baselines.hierarchical import fit
from components.learning.granular import cluster_tables
from components.tables.board import Board


def test_the_router_expects_what_the_peer_of_the_same_clusters_predicts() -> None:
    random = np.random.default_rng(0)
    features_NF = random.normal(size=(300, 6)).astype(np.float32)
    quality_NM = (random.random((300, 3)) < 1 / (1 + np.exp(-features_NF[:, :3]))).astype(np.float64)
    tables = cluster_tables(features_NF, quality_NM, 5)
    peer = fit(Board(features_NF=features_NF, quality_NM=quality_NM), 5)
    new_NF = random.normal(size=(50, 6)).astype(np.float32)
    assert tables.centre_RCF.shape == (4, 60, 6)
    np.testing.assert_allclose(tables.expected(new_NF), peer.predict(new_NF))
