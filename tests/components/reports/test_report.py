import json

import numpy as np
import pytest

from components.evaluation.gate import GateConfig
from components.reports.report import TestOutcomes as Outcomes
from components.reports.report import compose, judge_router, plain


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


def judged(outcomes, predicted_NM, **changed):
    arguments = {
        "calibrated_NM": outcomes.quality_NM,
        "champion_NM": None,
        "controls": {},
        "self_check": True,
        "config": GateConfig(),
        "seed": 0,
    }
    return judge_router({"router": predicted_NM}, outcomes, **{**arguments, **changed})


def test_a_better_router_is_promoted_and_an_uncalibrated_one_refused(world):
    outcomes, predicted_NM = world
    assert judged(outcomes, predicted_NM).verdict == "promoted"
    refused = judged(outcomes, predicted_NM, calibrated_NM=1 - outcomes.quality_NM)
    assert refused.verdict == "refused"
    assert [c.name for c in refused.criteria if not c.passed] == ["expected calibration error"]


def test_a_champion_is_met_only_where_it_knows_the_candidates(world):
    outcomes, predicted_NM = world
    perfect = judged(outcomes, predicted_NM[:, ::-1], champion_NM=outcomes.quality_NM)
    assert not perfect.criteria[0].passed
    stranger = judged(outcomes, predicted_NM, champion_NM=np.full((300, 3), np.nan))
    assert all("champion" not in c.name for c in stranger.criteria)


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


def test_plain_leaves_no_numpy():
    assert plain({"a": [np.float32(0.5), np.inf], "b": np.bool_(True)}) == {"a": [0.5, None], "b": True}
