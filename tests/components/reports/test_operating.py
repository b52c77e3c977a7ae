"""The operating section and the curve of policies against hand-made choices."""

import numpy as np
import pytest

from components.evaluation.gate import Played
from components.learning.judged import Judged
from components.reports.operating import best_on_task, operating_section, relative_cost, shares, whatif_curve
from pointsman.model.prediction import Prediction
from pointsman.policy.policy import Tradeoff

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


def test_a_tasks_best_candidate_was_tried_there():
    quality, count = np.array([0.9, 0.6, 0.7]), np.array([0, 12, 40])
    found = best_on_task(quality, count, ("never", "some", "often"))
    assert found == {"best": "often", "quality": 0.7, "outcomes": 40, "tried": 2}
    assert best_on_task(quality, np.zeros(3, dtype=np.int64), ("a", "b", "c"))["best"] is None
