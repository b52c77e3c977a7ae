import numpy as np
import pytest

from components.baselines.best_per_benchmark import fit as fit_benchmark
from components.baselines.methods import METHODS, fit_predict

ROUTERS = (
    *("knn10", "knn100", "guarded_knn", "hierarchical", "linear", "kernel", "mlp", "implicit"),
    *("matrix_factorisation", "irt", "graph_router", "router_dc", "ipr"),
)


@pytest.mark.parametrize("name", METHODS)
def test_predictions_are_finite_repeatable_and_never_choose_the_untried(training, name):
    judged = training.take(np.arange(250, 300))
    one_NM, same_NM = (fit_predict(METHODS[name], training.take(np.arange(250)), judged, 3) for _ in range(2))
    assert one_NM.shape == (50, 5)
    assert np.isfinite(one_NM).all()
    assert (one_NM.argmax(axis=1) != 3).all()
    np.testing.assert_array_equal(one_NM, same_NM)


@pytest.mark.parametrize("name", ROUTERS)
def test_every_router_learns_a_linear_world(training, name):
    judged = training.take(np.arange(200, 300))
    single_NM, predicted_NM = (
        fit_predict(METHODS[method], training.take(np.arange(200)), judged, 0) for method in ("best_single", name)
    )
    chosen, single = (
        np.nanmean(np.take_along_axis(judged.quality_NM, p_NM.argmax(axis=1)[:, None], axis=1))
        for p_NM in (predicted_NM, single_NM)
    )
    assert chosen > single + 0.1


@pytest.mark.parametrize("name", METHODS)
def test_no_prompts_give_no_predictions(training, name):
    assert fit_predict(METHODS[name], training, training.take(np.arange(0)), 0).shape == (0, 5)


@pytest.mark.parametrize("name", METHODS)
def test_no_outcome_is_refused(training, name):
    nothing = training.take(np.arange(20))
    nothing.quality_NM[:] = np.nan
    with pytest.raises(ValueError, match="no outcome"):
        METHODS[name](nothing, 0)


def test_only_yardsticks_see_labels(training):
    predicted_NM = fit_predict(METHODS["best_per_benchmark"], training, training, 0)
    expected_NM = fit_benchmark(training, 0).predict_labelled(training.features_NF, training.benchmark_N)
    np.testing.assert_array_equal(predicted_NM, expected_NM)
