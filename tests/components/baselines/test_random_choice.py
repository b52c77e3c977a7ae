import numpy as np

from components.baselines.random_choice import fit


def test_tried_candidates_are_chosen_equally_often(training):
    features_NF = np.zeros((8000, 8), dtype=np.float32)
    chosen_N = fit(training, 1).predict(features_NF).argmax(axis=1)
    share_M = np.bincount(chosen_N, minlength=5) / 8000
    assert share_M[3] == 0
    np.testing.assert_allclose(np.delete(share_M, 3), 0.25, atol=0.02)


def test_the_seed_decides(training):
    one, same, other = (fit(training, seed).predict(training.features_NF) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()
