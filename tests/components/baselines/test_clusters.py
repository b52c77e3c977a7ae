import numpy as np
from sklearn.metrics import adjusted_rand_score

from components.baselines.clusters import cluster


def test_centres_are_the_means_of_their_members_and_the_nearest_of_each():
    unit_NF = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    centre_CF, cluster_N = cluster(unit_NF, 5, 0)
    for c in range(5):
        np.testing.assert_allclose(centre_CF[c], unit_NF[cluster_N == c].mean(axis=0), atol=1e-5)
    distance_NC = np.linalg.norm(unit_NF[:, None] - centre_CF, axis=2)
    np.testing.assert_array_equal(distance_NC.argmin(axis=1), cluster_N)


def test_there_are_no_more_clusters_than_distinct_prompts():
    assert cluster(np.repeat(np.eye(3, dtype=np.float32), 4, axis=0), 8, 0)[0].shape == (3, 3)


def test_centres_from_a_sample_serve_all_prompts():
    draw = np.random.default_rng(1)
    truth_N = draw.integers(0, 4, 3000)
    unit_NF = (np.eye(4, 6)[truth_N] + 0.05 * draw.normal(size=(3000, 6))).astype(np.float32)
    centre_CF, cluster_N = cluster(unit_NF, 4, 0, sample=400)
    assert adjusted_rand_score(truth_N, cluster_N) == 1
    distance_NC = np.linalg.norm(unit_NF[:, None] - centre_CF, axis=2)
    np.testing.assert_array_equal(distance_NC.argmin(axis=1), cluster_N)


def test_a_sample_clusters_along_its_principal_directions_as_well_as_whole():
    draw = np.random.default_rng(2)
    wide_NF = draw.normal(size=(1200, 200)) * np.geomspace(1, 0.02, 200)
    unit_NF = (wide_NF / np.linalg.norm(wide_NF, axis=1, keepdims=True)).astype(np.float32)
    spread = [float(_spread(unit_NF, *cluster(unit_NF, 20, seed, sample=1000))) for seed in range(4)]
    whole = [float(_spread(unit_NF, *cluster(unit_NF, 20, seed))) for seed in range(4)]
    assert np.mean(spread) < 1.02 * np.mean(whole)


def test_centres_of_a_sample_of_few_distinct_prompts_are_those_prompts():
    unit_NF = np.repeat(np.eye(3, 80, dtype=np.float32), 50, axis=0)
    centre_CF, cluster_N = cluster(unit_NF, 8, 0, sample=30)
    np.testing.assert_allclose(centre_CF[cluster_N], unit_NF, atol=1e-6)


def _spread(unit_NF, centre_CF, cluster_N):
    return np.mean(np.sum((unit_NF - centre_CF[cluster_N]) ** 2, axis=1))
