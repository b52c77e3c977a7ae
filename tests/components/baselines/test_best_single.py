import numpy as np

from components.baselines.best_single import fit


def test_every_prompt_gets_the_best_mean(training):
    best = int(np.nanmean(np.delete(training.quality_NM, 3, axis=1), axis=0).argmax())
    chosen_N = fit(training, 0).predict(training.features_NF).argmax(axis=1)
    assert set(chosen_N) == {(0, 1, 2, 4)[best]}
