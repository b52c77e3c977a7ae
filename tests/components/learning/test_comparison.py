from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from components.baselines.methods import METHODS
from components.evaluation.bootstrap import paired_difference
from components.learning import comparison
from components.learning.comparison import judge_split
from components.learning.refit import QUICK
from components.learning.router import LearnConfig
from components.reports.comparison import block_report
from components.reports.comparison_page import headline, markdown, write_comparison
from components.tasks.discovery_config import DiscoveryConfig

pytestmark = pytest.mark.filterwarnings("ignore")
GRAPHS = DiscoveryConfig(density_minimum_samples=(), resolutions=(1.0,), preference_mixes=(0.0,), repeats=1)
TALKS = np.arange(480, dtype=np.int32) // 2
CHOSEN_BY = []
PEERS = {name: METHODS[name] for name in ("best_single", "random", "knn100", "best_per_benchmark", "mlp")}


@pytest.fixture(scope="module")
def halves(logs):
    learning = LearnConfig(discovery=GRAPHS, stages=QUICK)
    half_N = np.random.default_rng(0).permutation(480) < 240
    logs = replace(logs, group_N=TALKS)
    folds = [replace(logs, split_N=np.where(tested_N, "test", logs.split_N)) for tested_N in (half_N, ~half_N)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "choose_policy", partial(noting, comparison.choose_policy))
        return [(fold.rows("test"), judge_split(fold, PEERS, learning, 0)) for fold in folds]


def noting(choose, asked, prediction, outcomes, *rest):
    """Chooses a policy, and keeps which prompts belonged together in the choice."""
    CHOSEN_BY.append(outcomes.group_N)
    return choose(asked, prediction, outcomes, *rest)


def _gains(*means):
    return [
        {"benchmark": name, "gain": {"mean": mean, "low": mean, "high": mean}}
        for name, mean in zip(("ab", "cd"), means, strict=True)
    ]


def test_stage_one_of_the_method_that_was_found_is_the_router_s_own(halves):
    for _, judged in halves:
        assert judged.figures["method"] == "graph"
        if judged.figures["posterior"] == "soft":
            np.testing.assert_allclose(judged.predicted["stage1_graph"], judged.predicted["stage1_only"])


def test_parity_is_judged_as_a_retrain_judges_it_by_conversations(halves):
    assert len(CHOSEN_BY) == len(halves)
    for group_L, (test_K, _) in zip(CHOSEN_BY, halves, strict=True):
        assert group_L.tolist() == np.delete(TALKS, test_K).tolist()


def test_every_method_speaks_of_every_test_prompt(halves):
    test_K, judged = halves[0]
    assert {*PEERS, "router", "stage1_only", "stage2_only", "task_table", "control_shuffled_labels"} <= set(
        judged.predicted
    )
    for name, scores_KM in judged.predicted.items():
        assert scores_KM.shape == (test_K.size, 3), name


def test_the_block_report_has_its_figures_from_the_outcomes(logs, halves, tmp_path):
    row_N = np.concatenate([test_K for test_K, _ in halves])
    joined = {name: np.concatenate([judged.predicted[name] for _, judged in halves]) for name in halves[0][1].predicted}
    group_N = TALKS[row_N]
    report = block_report(
        joined,
        quality_NM=logs.quality_NM[row_N],
        cost_usd_NM=logs.cost_usd_NM[row_N],
        benchmark_N=logs.benchmark_N[row_N],
        split_N=np.repeat([0, 1], 240),
        group_N=group_N,
        calibrated_NM=np.concatenate([judged.calibrated_KM for _, judged in halves]),
        raw_NM=np.concatenate([judged.raw_KM for _, judged in halves]),
        expected_cost_NM=np.concatenate([judged.expected_cost_KM for _, judged in halves]),
        models=["a", "b", "c"],
        splits=[judged.figures for _, judged in halves],
        held_out=[],
        peers_held_out={"mlp": [_gains(0.1, -0.3), _gains(0.3, -0.1)], "linear": [[], []]},
        tuned={},
        seed=0,
    )
    got = logs.quality_NM[row_N, joined["router"].argmax(axis=1)].mean()
    assert report["methods"]["router"]["quality"][0] == pytest.approx(got)
    assert np.mean(report["methods"]["router"]["per_split"]) == pytest.approx(got)
    won, single = (logs.quality_NM[row_N, joined[name].argmax(axis=1)] for name in ("router", "best_single"))
    less = paired_difference(won, single, 0, group_N).as_list()
    assert report["router_less"]["best_single"] == pytest.approx(less)
    assert report["methods"]["router"]["gain"] == pytest.approx(less)
    # labels join tasks of different best candidates: routing by task beats routing by label
    assert report["router_less"]["best_per_benchmark"][1] > 0
    assert report["router_less"]["control_shuffled_labels"][1] > 0
    assert report["best_peer"] in {"knn100", "mlp"}
    assert report["parity"]["cost_share"] < 1
    assert list(report["peers_held_out"]) == ["mlp"]
    assert report["peers_held_out"]["mlp"]["seeds"] == pytest.approx([-0.1, 0.1])
    assert report["peers_held_out"]["mlp"]["benchmarks"] == pytest.approx({"ab": 0.2, "cd": -0.2})
    assert {"one_phase", "two_phases", "stage1_graph"} <= set(report["ablation"])
    page = write_comparison({"world": report}, tmp_path, {})
    assert page.read_text().startswith("<!doctype html>")
    text = markdown({"world": report})
    assert "| router |" in text
    assert f"| world | {got:.4f} |" in text
    assert "| mlp | -0.1000 +0.1000 | +0.200 | -0.200 |" in text
    assert headline("world", report).startswith("world: router 0.")
