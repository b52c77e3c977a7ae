import json
from dataclasses import replace

import numpy as np
import pytest

from components.evaluation.bootstrap import intervals
from components.evaluation.gate import Played, judge
from components.evaluation.paired import difference
from components.reports.report import TestOutcomes as Outcomes
from components.reports.report import compose, control_choices, plain


@pytest.fixture
def world():
    random = np.random.default_rng(0)
    quality_NM = (random.random((300, 3)) < np.array([0.5, 0.6, 0.4])).astype(float)
    predicted_NM = np.clip(quality_NM * 0.6 + 0.2 + 0.1 * random.standard_normal((300, 3)), 0, 1)
    outcomes = Outcomes(
        quality_NM=quality_NM,
        judged_quality_NM=quality_NM,
        judged_cost_usd_NM=np.tile([1e-3, 2e-3, 5e-4], (300, 1)),
        benchmark_N=np.repeat(["a", "b"], 150),
        best_single=1,
    )
    return outcomes, predicted_NM


def judged(outcomes, predicted_NM):
    rows = np.arange(len(predicted_NM))
    return judge(
        challenger=Played(name="the router", quality_N=outcomes.quality_NM[rows, predicted_NM.argmax(axis=1)]),
        best_single=Played(name="always using b", quality_N=outcomes.quality_NM[:, outcomes.best_single]),
        calibration_error=0.05,
        self_check=True,
    )


def test_controls_are_compared_among_what_can_be_judged(world):
    outcomes, predicted_NM = world
    holed_NM = np.where(np.eye(300, 3, dtype=bool), np.nan, outcomes.quality_NM)
    holed_NM[5] = np.nan
    holed = replace(outcomes, judged_quality_NM=holed_NM)
    found = control_choices(predicted_NM, {"noise": predicted_NM[:, ::-1]}, holed)
    kept = np.delete(np.arange(300), 5)
    got = [
        holed_NM[kept, np.where(np.isnan(holed_NM), -1, scores_NM)[kept].argmax(axis=1)]
        for scores_NM in (predicted_NM, predicted_NM[:, ::-1])
    ]
    assert found["noise"] == difference(*got)
    assert found["noise"].mean > 0
    # in conversations of three the same prompts say less
    group_N = np.arange(300, dtype=np.int32) // 3
    (talked,) = control_choices(
        predicted_NM, {"noise": predicted_NM[:, ::-1]}, replace(holed, group_N=group_N)
    ).values()
    assert talked == difference(*got, group_N[kept])
    assert talked.groups == 100
    # no two prompts share a pair of observed candidates: there is no common block, and nothing to refuse
    sparse_NM = np.where(np.arange(3) == (np.arange(300) % 3)[:, None], outcomes.quality_NM, np.nan)
    sparse = control_choices(predicted_NM, {"noise": predicted_NM}, replace(outcomes, judged_quality_NM=sparse_NM))
    assert sparse["noise"].count == 300


def test_the_report_is_plain_json_with_what_was_observed(world):
    outcomes, predicted_NM = world
    report = compose(
        {"router": predicted_NM},
        outcomes,
        calibrated_NM=predicted_NM,
        verdict=judged(outcomes, predicted_NM),
        discovery={"method": "none", "bootstrap_ari": float("nan")},
        sections={"seeds": np.int64(3)},
        seed=0,
        task_N=np.array(["sums", "songs", "unassigned"])[np.arange(300) % 3],
    )
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    chosen = outcomes.quality_NM[np.arange(300), predicted_NM.argmax(axis=1)]
    assert report["methods"]["router"]["quality"][0] == pytest.approx(chosen.mean())
    assert report["methods"]["oracle"]["quality"][0] == pytest.approx(outcomes.quality_NM.max(axis=1).mean())
    assert report["methods"]["router"]["per_task"]["songs"]["quality"] == pytest.approx(chosen[1::3].mean())
    assert report["discovery"]["bootstrap_ari"] is None
    assert report["seeds"] == 3


def test_the_methods_table_draws_turns_of_a_conversation_together(world):
    outcomes, predicted_NM = world
    talks = replace(outcomes, group_N=np.arange(300, dtype=np.int32) // 10)
    report = compose(
        {"router": predicted_NM},
        talks,
        calibrated_NM=predicted_NM,
        verdict=judged(outcomes, predicted_NM),
        discovery={},
        sections={},
        seed=0,
    )
    got_N = outcomes.quality_NM[np.arange(300), predicted_NM.argmax(axis=1)]
    gap_N = got_N - outcomes.quality_NM[:, 1]
    (expected,) = intervals(gap_N[:, None], 0, group_N=talks.group_N)
    assert report["methods"]["router"]["gain"] == pytest.approx(expected.as_list())
    assert expected != intervals(gap_N[:, None], 0)[0]


def test_plain_leaves_no_numpy():
    assert plain({"a": [np.float32(0.5), np.inf], "b": np.bool_(True)}) == {"a": [0.5, None], "b": True}
