"""One way to learn a router: on complete logs as before, and on logs of one answer a prompt."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from components.learning.refit import QUICK
from components.learning.router import LearnConfig, discover_tasks, learn_router, with_tasks
from components.tables.sampling import evenly
from components.tasks.discovery_config import DiscoveryConfig
from pointsman.model.guard import router_scores
from tests.components.learning.conftest import TRUTH_TM, draw_logs

pytestmark = pytest.mark.filterwarnings("ignore")
GRAPHS = DiscoveryConfig(density_minimum_samples=(), resolutions=(1.0,), repeats=1)
CONFIG = LearnConfig(discovery=GRAPHS, stages=QUICK)


def one_answer(board, share_M, seed=0):
    """One answer a prompt, each candidate with its share."""
    draw = np.random.default_rng(seed)
    seen_NM = np.eye(3, dtype=bool)[draw.choice(3, size=len(board.quality_NM), p=share_M)]
    hidden = {name: np.where(seen_NM, getattr(board, name), np.nan) for name in ("quality_NM", "cost_usd_NM")}
    return replace(board, **hidden, output_tokens_NM=np.where(seen_NM, 100.0, np.nan), answered_NM=seen_NM)


def worth(learnt, board):
    """Mean true quality of the router's choices."""
    prediction = learnt.trained.model.predict(board.features_NF, board.embedding_ND, board.input_tokens_N)
    choice_N = router_scores(prediction, int(learnt.trained.model.fallback)).argmax(axis=1)
    return TRUTH_TM[board.task_N, choice_N].mean()


@pytest.mark.parametrize("share_M", [[1 / 3, 1 / 3, 1 / 3], [0.7, 0.15, 0.15]])
def test_single_answers_teach_a_router_that_beats_the_best_single(share_M):
    board = draw_logs(1200)
    learnt = learn_router(one_answer(board, share_M), np.arange(1200), CONFIG, 0)
    fresh = draw_logs(600, seed=5)
    best_single = TRUTH_TM[fresh.task_N].mean(axis=0).max()
    assert learnt.trained.report.evidence == "one_answer"
    assert learnt.trained.report.propensities == "estimated"
    assert worth(learnt, fresh) > best_single + 0.15


def test_discovery_says_when_its_edges_are_semantic():
    board = one_answer(draw_logs(480), [1 / 3] * 3)
    found = discover_tasks(board, GRAPHS, 0)
    assert found.reason.endswith("edges are semantic: 0.0% of prompts have two outcomes")
    assert {trial.parameters["preference_mix"] for trial in found.trials} == {0.0}
    assert "semantic" not in discover_tasks(draw_logs(480), GRAPHS, 0).reason


def test_tasks_found_in_a_sample_are_the_tasks_of_all_prompts():
    board = draw_logs(2400)
    found = discover_tasks(board, replace(GRAPHS, sample=400), 0)
    train = board.rows("train")
    assert found.partition.task_N.size == train.size > 400
    assert adjusted_rand_score(board.task_N[train], found.partition.task_N) > 0.95
    assert found.partition.unassigned_share < 0.05
    everywhere = with_tasks(board, found.partition).task_N
    np.testing.assert_array_equal(everywhere[train], found.partition.task_N)
    assert adjusted_rand_score(board.task_N, everywhere) > 0.95


def test_a_candidate_that_the_sample_misses_does_not_stop_discovery():
    board = draw_logs(2400)
    train = board.rows("train")
    missed = np.setdiff1d(train, train[evenly(train.size, 400)])
    for kept in (missed[:1], missed[::100]):
        quality_NM = board.quality_NM.copy()
        quality_NM[~np.isin(np.arange(2400), kept), 2] = np.nan
        found = discover_tasks(replace(board, quality_NM=quality_NM), replace(GRAPHS, sample=400), 0)
        assert adjusted_rand_score(board.task_N[train], found.partition.task_N) > 0.95


def test_grades_that_the_sample_misses_do_not_stop_discovery():
    board = draw_logs(2400)
    train = board.rows("train")
    missed = np.setdiff1d(train, train[evenly(train.size, 400)])
    graded = np.isin(np.arange(2400), np.concatenate([missed[::50], board.rows("validation")]))
    board = replace(board, quality_NM=np.where(graded[:, None], board.quality_NM, np.nan))
    assert discover_tasks(board, replace(GRAPHS, sample=400), 0).partition.task_N.size == train.size


def test_only_learning_splits_are_learnt_from(logs):
    judged_N = np.arange(480) % 5 == 0
    split_N = np.where(judged_N, "test", logs.split_N)
    poisoned = np.where(judged_N[:, None], [1.0, 0.0, 0.0], logs.quality_NM)
    boards = [replace(logs, split_N=split_N), replace(logs, split_N=split_N, quality_NM=poisoned)]
    first, second = (learn_router(board, np.arange(480), CONFIG, 0).trained.model.to_arrays() for board in boards)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])
