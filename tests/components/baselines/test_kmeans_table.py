import numpy as np

from components.baselines.hierarchical import HierarchyConfig
from components.baselines.kmeans_table import fit


def test_one_cluster_is_the_best_single(training):
    predicted_NM = fit(training, 0, HierarchyConfig(clusters=(1,), repeats=1)).predict(training.features_NF)
    tried_M = np.array([0, 1, 2, 4])
    means_M = np.nanmean(training.quality_NM[:, tried_M], axis=0)
    np.testing.assert_allclose(predicted_NM[:, tried_M], np.tile(means_M, (300, 1)), atol=1e-6)


def test_there_are_sixty_rows_at_most(training):
    assert len(np.unique(fit(training, 0).predict(training.features_NF), axis=0)) <= 60
