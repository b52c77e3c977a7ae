from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_rel
from sklearn.neighbors import NearestNeighbors

from components.baselines.guarded_knn import GuardedConfig, fit
from components.baselines.knn import KnnConfig
from components.baselines.knn import fit as fit_knn

TRIED = (0, 1, 2, 4)


@pytest.mark.parametrize("z", [0.0, 1.0, 2.5])
def test_choices_are_those_of_scipys_paired_statistic(training, z):
    asked_NF = np.random.default_rng(1).normal(size=(60, 8)).astype(np.float32)
    nearest = NearestNeighbors(n_neighbors=25, metric="cosine").fit(training.features_NF)
    model = fit(training, 0, GuardedConfig(neighbours=25, z=z))
    best = max(TRIED, key=lambda m: np.nanmean(training.quality_NM[:, m]))
    chosen_N = model.predict(asked_NF).argmax(axis=1)
    for row, neighbours_k in enumerate(nearest.kneighbors(asked_NF, return_distance=False)):
        gains = {best: 0.0}
        for candidate in set(TRIED) - {best}:
            pair_k2 = training.quality_NM[neighbours_k][:, [candidate, best]]
            pair_k2 = pair_k2[~np.isnan(pair_k2).any(axis=1)]
            if ttest_rel(*pair_k2.T).statistic > z:
                gains[candidate] = float(np.subtract(*pair_k2.T).mean())
        top = [candidate for candidate, gain in gains.items() if gain > max(gains.values()) - 1e-9]
        assert chosen_N[row] in top
    assert len(set(chosen_N)) > 1


def test_certainty_beyond_reach_is_the_best_single(training):
    chosen_N = fit(training, 0, GuardedConfig(z=1e6)).predict(training.features_NF).argmax(axis=1)
    assert set(chosen_N) == {max(TRIED, key=lambda m: np.nanmean(training.quality_NM[:, m]))}


def test_where_everything_fails_nothing_speaks_against_the_fallback(training):
    quality_NM = np.zeros((300, 5))
    quality_NM[0, 4] = 1.0
    model = fit(replace(training, quality_NM=quality_NM), 0, GuardedConfig(neighbours=5))
    asked_NF = -training.features_NF[:1]
    assert model.predict(asked_NF).argmax() == 4


def test_the_fallback_is_predicted_as_by_plain_neighbours(training):
    best = max(TRIED, key=lambda m: np.nanmean(training.quality_NM[:, m]))
    plain_NM = fit_knn(training, 0, KnnConfig(neighbours=25)).predict(training.features_NF)
    guarded_NM = fit(training, 0, GuardedConfig(neighbours=25)).predict(training.features_NF)
    np.testing.assert_allclose(guarded_NM[:, best], plain_NM[:, best], atol=1e-8)


def test_candidates_never_tried_together_give_no_reason_to_leave(training):
    quality_NM = np.full((300, 5), np.nan)
    quality_NM[:150, 0], quality_NM[150:, 1] = 0.6, 0.5
    chosen_N = fit(replace(training, quality_NM=quality_NM), 0).predict(training.features_NF).argmax(axis=1)
    assert set(chosen_N) == {0}


@pytest.mark.parametrize("values", [{"neighbours": 0}, {"z": -0.1}, {"z": float("nan")}])
def test_bad_configs_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        GuardedConfig(**values)
