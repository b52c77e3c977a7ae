import numpy as np
import pytest

from components.evaluation.curves import operating_points


def world(rows=400, seed=0):
    draw = np.random.default_rng(seed)
    easy_N = draw.random(rows) < 0.6
    truth_NM = np.where(easy_N[:, None], [0.9, 0.9], [0.1, 0.8])
    quality_NM = (draw.random((rows, 2)) < truth_NM).astype(float)
    cost_NM = np.array([1.0, 10.0]) * draw.uniform(0.5, 1.5, size=(rows, 2))
    return truth_NM, quality_NM, cost_NM


def test_points_agree_with_a_loop_over_prompts():
    truth_NM, quality_NM, cost_NM = world(60)
    costs, qualities = operating_points(truth_NM, quality_NM, cost_NM, cost_NM)
    spread = cost_NM.mean(axis=0)[1] - cost_NM.mean(axis=0)[0]
    for point, price in enumerate(np.geomspace(1e-3, 1e3, 40) * spread):
        chosen = [max((0, 1), key=lambda m: truth_NM[n, m] - cost_NM[n, m] / price) for n in range(60)]
        assert costs[2 + point] == pytest.approx(np.mean([cost_NM[n, m] for n, m in enumerate(chosen)]))
        assert qualities[2 + point] == pytest.approx(np.mean([quality_NM[n, m] for n, m in enumerate(chosen)]))


def test_the_first_points_are_the_cheapest_candidate_and_the_best_predicted():
    truth_NM, quality_NM, cost_NM = world()
    costs, qualities = operating_points(truth_NM, quality_NM, cost_NM)
    assert (costs[0], qualities[0]) == (cost_NM[:, 0].mean(), quality_NM[:, 0].mean())
    assert qualities[1] == quality_NM[np.arange(400), truth_NM.argmax(axis=1)].mean()


def test_a_call_s_own_cost_decides_nothing_unless_it_was_expected():
    truth_NM, quality_NM, cost_NM = world()
    dear_NM = cost_NM.copy()
    dear_NM[0], dear_NM[1] = cost_NM[1], cost_NM[0]  # the same means, other rows
    first, second = operating_points(truth_NM, quality_NM, cost_NM), operating_points(truth_NM, quality_NM, dear_NM)
    np.testing.assert_allclose(first[1], second[1])
