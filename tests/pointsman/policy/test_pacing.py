"""Pacing: the mean cost of a stream is the target, also after prices change."""

import numpy as np
import pytest

from pointsman.policy.pacing import Pace, Pacer

BASE = np.array([0.0002, 0.001, 0.004, 0.02])


def stream(rows, seed):
    draw = np.random.default_rng(seed)
    quality = np.clip(np.array([0.45, 0.6, 0.7, 0.8]) + draw.normal(0, 0.12, (rows, 4)), 0, 1)
    return quality, BASE * draw.lognormal(0, 0.5, (rows, 4))


def spend(quality, cost, target):
    pacer, spent = Pacer(Pace(usd_per_1000=1000 * target)), []
    for quality_M, cost_M in zip(quality, cost, strict=True):
        spent.append(cost_M[(quality_M - cost_M / pacer.willingness_to_pay).argmax()])
        pacer.spent(spent[-1])
    return np.array(spent)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_two_thousand_requests_keep_the_mean_within_two_per_cent(share, seed):
    quality, cost = stream(2000, seed)
    target = share * cost[np.arange(2000), quality.argmax(axis=1)].mean()
    assert abs(spend(quality, cost, target).mean() / target - 1) < 0.02


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("factor", [0.4, 3.0])
def test_a_price_change_is_made_up_for_within_three_hundred(factor, seed):
    quality, cost = stream(3000, seed)
    target = 0.3 * cost[np.arange(3000), quality.argmax(axis=1)].mean()
    cost[1500:] *= factor
    assert abs(spend(quality, cost, target)[1800:].mean() / target - 1) < 0.02


def test_a_target_beyond_the_best_is_the_best():
    quality, cost = stream(500, 0)
    best = cost[np.arange(500), quality.argmax(axis=1)]
    assert spend(quality, cost, 100 * best.mean())[200:].mean() == pytest.approx(best[200:].mean())
    for wrong in (0, 1e-322, np.nan, np.inf):
        with pytest.raises(ValueError, match="must be >= 1e-09 USD per 1000 requests and finite"):
            Pace(usd_per_1000=wrong)
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="a decision's cost must be >= 0 USD and finite"):
            Pacer(Pace(usd_per_1000=1e-9)).spent(wrong)


@pytest.mark.parametrize("usd", [1e-9, 1e300])
def test_a_pace_at_the_end_of_its_range_has_a_price(usd):
    pacer = Pacer(Pace(usd_per_1000=usd))
    for cost in (0.0, 1e-12, 1e9) * 200:
        assert 0 < pacer.willingness_to_pay < np.inf
        pacer.spent(cost)
