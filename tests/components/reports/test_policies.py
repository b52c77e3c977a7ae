import numpy as np
import pytest

from components.reports.policies import policy_curves
from pointsman.model.prediction import Prediction


def world(rows=200, seed=0):
    draw = np.random.default_rng(seed)
    truth_NM = draw.uniform(0.2, 1.0, size=(rows, 3))
    cost_NM = np.array([0.001, 0.004, 0.02]) * draw.uniform(0.5, 1.5, size=(rows, 3))
    prediction = Prediction(
        quality_NM=truth_NM,
        cost_usd_NM=cost_NM,
        task_N=np.zeros(rows, dtype=np.int32),
        margin_N=np.zeros(rows),
        novel_N=np.zeros(rows, dtype=np.bool_),
    )
    return prediction, truth_NM.copy(), cost_NM.copy()


def test_each_policy_is_realised_as_it_decides():
    prediction, quality_NM, cost_NM = world()
    curves = policy_curves(prediction, quality_NM, cost_NM, fallback=2)
    for price, usd, quality in curves["tradeoff"]:
        choice_N = (prediction.quality_NM - prediction.cost_usd_NM / price).argmax(axis=1)
        assert usd == pytest.approx(1000 * cost_NM[np.arange(200), choice_N].mean())
        assert quality == pytest.approx(quality_NM[np.arange(200), choice_N].mean())
    for budget, usd, _ in curves["budget"]:
        assert usd <= 1000 * budget * (1 + 1e-6)
    costs = [usd for _, usd, _ in curves["quality"]]
    assert costs == sorted(costs)


def test_prompts_with_gaps_don_t_count_and_unknown_costs_give_no_curve():
    prediction, quality_NM, cost_NM = world()
    holed_NM = quality_NM.copy()
    holed_NM[:100, 0] = np.nan
    half = policy_curves(prediction, holed_NM, cost_NM, fallback=2)
    whole = policy_curves(prediction, quality_NM, cost_NM, fallback=2)
    assert half["quality"] != whole["quality"]
    assert policy_curves(prediction, quality_NM, np.full_like(cost_NM, np.nan), fallback=2) == {}
