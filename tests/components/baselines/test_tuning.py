from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from components.baselines.grids import GRIDS, TRIALS
from components.baselines.knn import KnnConfig
from components.baselines.knn import fit as fit_knn
from components.baselines.methods import METHODS
from components.baselines.observed import ConstantModel
from components.baselines.tuning import tuned


@pytest.fixture
def halves(training):
    return training.take(np.arange(200)), training.take(np.arange(200, 300))


def test_the_chosen_configuration_is_the_best_by_a_loop(halves):
    grid = [partial(fit_knn, config=KnnConfig(neighbours=k)) for k in (200, 3, 9, 27)]
    found = tuned(grid, *halves, seed=0, trials=4)
    expected = []
    for fit in grid:
        predicted_NM = fit(halves[0], 0).predict(halves[1].features_NF)
        got = []
        for row, outcomes in zip(predicted_NM, halves[1].quality_NM, strict=True):
            tried = [m for m in range(5) if not np.isnan(outcomes[m])]
            got.extend([outcomes[max(tried, key=lambda m: row[m])]] if tried else [])
        expected.append(np.mean(got))
    assert found.quality_K == pytest.approx(expected)
    assert found.chosen == int(np.argmax(expected)) != 0
    assert found.model.neighbours == (200, 3, 9, 27)[found.chosen]


def test_equals_go_to_the_first_and_the_model_has_seen_training_only(halves):
    asked = []

    def fit(training, seed, name):
        asked.append((name, training.features_NF.shape[0], seed))
        return ConstantModel(quality_M=np.arange(5.0))

    found = tuned([partial(fit, name=name) for name in "abc"], *halves, seed=7, trials=3)
    assert found.chosen == 0
    assert asked == [(name, 200, 7) for name in "abc"]


def test_every_method_gets_the_same_number_of_trials():
    assert {len(grid) for grid in GRIDS.values()} == {TRIALS}
    for name, grid in GRIDS.items():
        assert len({repr(fit.keywords["config"]) for fit in grid}) == TRIALS, name
    assert {"knn10", "knn100", "kmeans60", "best_single", "best_per_benchmark"} <= set(METHODS) - set(GRIDS)


def test_tuned_methods_are_no_worse_on_validation(halves):
    found = tuned(GRIDS["knn"], *halves, seed=0)
    assert found.quality_K[found.chosen] >= found.quality_K[0]


def test_bad_calls_are_refused(halves):
    with pytest.raises(ValueError, match="tuned in 6 trials, this grid has 2"):
        tuned(GRIDS["knn"][:2], *halves, seed=0)
    blind = replace(halves[1], quality_NM=np.full((100, 5), np.nan))
    with pytest.raises(ValueError, match="validation set has no outcome"):
        tuned(GRIDS["knn"], halves[0], blind, seed=0)
