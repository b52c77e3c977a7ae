"""The operating section and the curve of policies against hand-made choices."""

from dataclasses import replace

import numpy as np
import pytest

from components.evaluation.gate import Played
from components.learning.judged import Judged
from components.reports.operating import best_on_task, operating_section, relative_cost, shares, whatif_curve
from pointsman.model.prediction import Prediction
from pointsman.policy.policy import Best, Tradeoff

MODELS = ("small", "large")


def test_the_section_says_what_changes():
    choice = np.array([0, 0, 0, 1])
    got = Played(name="the router", quality_N=np.array([1.0, 0.0, 1.0, 1.0]), cost_usd_N=np.array([1.0, 1.0, 1.0, 4.0]))
    single = Played(name="large", quality_N=np.array([1.0, 1.0, 0.0, 1.0]), cost_usd_N=np.full(4, 4.0))
    found = operating_section(
        got, single, choice, 1, MODELS, policy="tradeoff=1", asked="parity", seed=0, facts={"prompts": 4}
    )
    assert found["quality"][0] == 0.75
    assert found["gain"][0] == 0.0
    assert found["cost_ratio"][0] == pytest.approx(7 / 16)
    assert found["cost_usd_per_1000"] == pytest.approx(1750)
    assert found["best_single"] == {"name": "large", "quality": 0.75, "cost_usd_per_1000": 4000.0}
    assert found["traffic_moved"] == 0.75
    assert found["shares"] == {"small": 0.75, "large": 0.25}
    assert found["prompts"] == 4


def test_unknown_costs_have_no_ratio():
    assert relative_cost(None, np.ones(2)) is None
    assert relative_cost(np.array([np.nan, 1.0]), np.ones(2)) is None
    assert relative_cost(np.ones(2), np.zeros(2)) is None


def test_the_largest_share_comes_first():
    assert list(shares(np.array([1, 1, 0]), MODELS)) == ["large", "small"]


def test_the_curve_starts_with_the_declared_policy_and_falls_with_the_price():
    generator = np.random.default_rng(0)
    quality = np.clip(np.array([0.5, 0.7]) + 0.2 * generator.normal(size=(300, 2)), 0, 1)
    cost = np.tile([0.001, 0.01], (300, 1))
    prediction = Prediction(
        quality_NM=quality,
        cost_usd_NM=cost,
        task_N=np.zeros(300, dtype=np.int32),
        margin_N=np.zeros(300),
        novel_N=np.zeros(300, dtype=bool),
    )
    curve = whatif_curve(
        prediction, Judged(quality_NM=quality, cost_usd_NM=cost), 1, MODELS, Tradeoff(willingness_to_pay=0.05), 0
    )
    assert curve[0]["policy"] == "tradeoff=0.05"
    assert len({point["policy"] for point in curve}) == len(curve)
    prices = [point for point in curve if point["policy"].startswith("tradeoff")][1:]
    costs = [point["cost_usd_per_1000"] for point in prices]
    assert costs == sorted(costs)
    best = next(point for point in curve if point["policy"] == "best")
    assert best["quality"][0] == pytest.approx(quality.max(axis=1).mean())
    assert best["prompts"] == 300


def believed(quality_NM, cost_NM):
    return Prediction(
        quality_NM=quality_NM,
        cost_usd_NM=cost_NM,
        task_N=np.zeros(len(quality_NM), dtype=np.int32),
        margin_N=np.zeros(len(quality_NM)),
        novel_N=np.zeros(len(quality_NM), dtype=bool),
    )


def section(judged, choice_N):
    """The operating section of the same choices."""
    single_N = np.ones(len(choice_N), dtype=np.intp)
    ours, theirs = (judged.played(name, one_N, judged.group_N) for name, one_N in (("r", choice_N), ("s", single_N)))
    return operating_section(ours, theirs, choice_N, 1, MODELS, policy="best", asked="best", seed=0, facts={})


def test_a_policys_intervals_are_those_of_the_operating_section():
    """Sixty conversations of twenty turns, of which each is alike, tell as much as sixty prompts."""
    generator = np.random.default_rng(0)
    first_NM = np.repeat(np.where(generator.random((60, 1)) < 0.5, [[0.9, 0.3]], [[0.2, 0.8]]), 20, axis=0)
    got_NM = np.repeat(generator.random((60, 2)) < 0.5, 20, axis=0).astype(float)
    cost_NM = np.tile([1.0, 2.0], (1200, 1))
    groups = np.repeat(np.arange(60, dtype=np.int32), 20)
    choice_N = first_NM.argmax(axis=1)
    alone = Judged(quality_NM=got_NM, cost_usd_NM=cost_NM)
    for judged in (alone, replace(alone, group_N=groups)):
        point = whatif_curve(believed(first_NM, cost_NM), judged, 1, MODELS, Best(), 0)[0]
        said = section(judged, choice_N)
        assert point["policy"] == "best"
        for name in ("quality", "gain"):
            np.testing.assert_allclose(point[name], said[name], atol=0.02)
        assert point["cost_ratio"] == said["cost_ratio"]
    # four times as wide: as of 60 prompts, not of 1,200
    (_, low, high), (_, near, far) = point["gain"], section(alone, choice_N)["gain"]
    assert high - low > 3 * (far - near)


def test_of_stand_ins_a_policys_gain_is_no_surer_than_how_they_were_come_by():
    alike_NM = np.tile([[0.501, 0.5], [0.499, 0.5]], (200, 1))
    cost_NM = np.tile([1.0, 2.0], (400, 1))
    judged = Judged(quality_NM=alike_NM, cost_usd_NM=cost_NM, variance_NM=np.full((400, 2), 0.16 * 99))
    point = whatif_curve(believed(np.tile([0.9, 0.8], (400, 1)), cost_NM), judged, 1, MODELS, Best(), 0)[0]
    assert point["gain"] == section(judged, np.zeros(400, dtype=np.intp))["gain"]
    assert point["gain"][2] - point["gain"][1] > 0.5


def test_a_tasks_best_candidate_was_tried_there():
    quality, count = np.array([0.9, 0.6, 0.7]), np.array([0, 12, 40])
    found = best_on_task(quality, count, ("never", "some", "often"))
    assert found == {"best": "often", "quality": 0.7, "outcomes": 40, "tried": 2}
    assert best_on_task(quality, np.zeros(3, dtype=np.int64), ("a", "b", "c"))["best"] is None
