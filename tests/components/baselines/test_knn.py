from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from components.baselines import knn
from components.baselines.knn import KnnConfig, fit


@pytest.mark.parametrize("k", [1, 10, 100])
def test_means_over_scikit_learns_neighbours(training, k, monkeypatch):
    monkeypatch.setattr(knn, "_BLOCK", 7)
    asked_NF = np.random.default_rng(1).normal(size=(20, 8)).astype(np.float32)
    nearest = NearestNeighbors(n_neighbors=k, metric="cosine").fit(training.features_NF)
    predicted_NM = fit(training, 0, KnnConfig(neighbours=k)).predict(asked_NF)
    for row, neighbours_k in enumerate(nearest.kneighbors(asked_NF, return_distance=False)):
        for candidate in (0, 1, 2, 4):
            outcomes = training.quality_NM[neighbours_k, candidate]
            outcomes = outcomes[~np.isnan(outcomes)]
            expected = outcomes.mean() if outcomes.size else np.nanmean(training.quality_NM[:, candidate])
            assert predicted_NM[row, candidate] == pytest.approx(expected, abs=1e-8)
    assert (predicted_NM[:, 3] == 0).all()


def test_more_neighbours_than_prompts_is_the_mean(training):
    few = training.take(np.arange(5))
    few = replace(few, quality_NM=np.tile([0.0, 0.5, 1.0, np.nan, 0.25], (5, 1)))
    predicted_NM = fit(few, 0).predict(training.features_NF[:3])
    np.testing.assert_allclose(predicted_NM, np.tile([0, 0.5, 1, 0, 0.25], (3, 1)), atol=1e-8)


def test_no_neighbours_are_refused():
    with pytest.raises(ValueError, match="neighbours"):
        KnnConfig(neighbours=0)
