from dataclasses import replace

import numpy as np
import pytest

from components.heads.classifier import ClassifierConfig
from components.heads.experts import ExpertConfig
from components.heads.training import FitConfig
from components.learning.ablation import fit_heads_alone
from components.learning.granular import cluster_tables
from components.learning.two_stage import TwoStageConfig, learn

pytestmark = pytest.mark.filterwarnings("ignore")
BRIEF = FitConfig(epochs=40, patience=8)
QUICK = TwoStageConfig(
    classifier=ClassifierConfig(fit=BRIEF),
    experts=ExpertConfig(members=1, hidden=16, general=BRIEF, special=BRIEF),
    folds=2,
)


def learnt(logs, seen=None, seed=0):
    return learn(seen or logs, QUICK.seeded(seed), seed)


@pytest.fixture(scope="module")
def trained(logs):
    return learnt(logs)


def test_the_router_finds_each_task_s_best_candidate(logs, trained, truth_TM):
    seen = logs
    prediction = trained.model.predict(seen.features_NF, seen.embedding_ND, seen.input_tokens_N)
    chosen_N = prediction.quality_NM.argmax(axis=1)
    assert (chosen_N == truth_TM.argmax(axis=1)[seen.task_N]).mean() > 0.97
    assert (prediction.task_N == seen.task_N)[prediction.task_N >= 0].mean() > 0.97


def test_choices_rest_on_every_prompt_held_out(logs, trained):
    assert trained.two.held.prompt_NM.shape == logs.quality_NM.shape
    assert len(trained.two.reports) == 2
    assert trained.report.guard_margin == 0  # routing has proven itself here
    assert trained.one.report.micro > 0.95
    assert float(trained.one.classifier.temperature) == pytest.approx(trained.one.held.temperature)


def test_learning_is_deterministic(logs, trained):
    again = learnt(logs)
    for name, array in again.model.to_arrays().items():
        np.testing.assert_array_equal(array, trained.model.to_arrays()[name])


def test_without_tasks_the_clusters_and_heads_route_on(logs, truth_TM):
    nowhere = replace(logs, task_N=np.full(480, -1, dtype=np.int32))
    model = learnt(logs, nowhere).model
    prediction = model.predict(nowhere.features_NF, nowhere.embedding_ND, nowhere.input_tokens_N)
    assert (prediction.task_N == -1).all()
    assert (prediction.quality_NM.argmax(axis=1) == truth_TM.argmax(axis=1)[logs.task_N]).mean() > 0.9


def test_cluster_tables_agree_with_the_hierarchy_they_come_from(logs):
    from components.baselines.hierarchical import fit

    training = logs
    tables = cluster_tables(training.features_NF, training.quality_NM, 3)
    expected_NM = fit(training, 3).predict(training.features_NF)
    np.testing.assert_allclose(tables.expected(training.features_NF), expected_NM, atol=1e-6)


def test_heads_alone_learn_and_know_no_task(logs, truth_TM):
    predicted_NM = fit_heads_alone(logs, 0).predict(logs.features_NF)
    assert (predicted_NM.argmax(axis=1) == truth_TM.argmax(axis=1)[logs.task_N]).mean() > 0.9


@pytest.mark.parametrize("change", [{"folds": 1}, {"fold_members": 0}, {"smallest_label": 0}])
def test_configurations_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match="folds >= 2"):
        TwoStageConfig(**change)
