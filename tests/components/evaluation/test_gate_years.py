"""Years of verdicts where the truth is known: the benchmark's simulation, few draws."""

import numpy as np

from components.evaluation.gate_config import GateConfig
from tests.benchmarks.gate_case import Truth, chain, once, play, single_outcomes, year

SAVER = Truth(gain=0.0, cost=0.6)
CONFIG = GateConfig()


def test_the_simulated_routers_have_their_truth():
    generator = np.random.default_rng(0)
    single = single_outcomes(200_000, generator)
    router = play(Truth(gain=-0.02, cost=0.6), 0.1, single.quality_N, "x", generator)
    gap = router.quality_N - single.quality_N
    assert abs(gap.mean() + 0.02) < 0.003
    assert abs((gap != 0).mean() - 0.1) < 0.003
    assert abs(router.cost_usd_N.mean() - 0.6) < 1e-9


def test_a_router_that_saves_at_equal_quality_is_mostly_promoted():
    generator = np.random.default_rng(1)
    promoted = [once(SAVER, 0.05, None, generator, CONFIG).verdict == "promoted" for _ in range(100)]
    assert np.mean(promoted) >= 0.9


def test_a_year_of_routers_two_points_worse_promotes_none():
    generator = np.random.default_rng(2)
    worse = Truth(gain=-0.02, cost=0.6)
    assert year(lambda _: worse, None, 0.1, generator, CONFIG).promotions == 0


def test_a_chain_of_slightly_worse_routers_stays_above_the_margin():
    generator = np.random.default_rng(3)
    found = [year(chain(0.002, 0.05), SAVER, 0.05, generator, CONFIG) for _ in range(4)]
    assert not any(one.below for one in found)
    assert any(one.promotions for one in found)
