"""Which prompts a verdict rests on."""

import numpy as np
import pytest

from components.evaluation.gate import Played
from components.evaluation.standing import standing

TEST = np.arange(2000) % 4 == 0
GENERATOR = np.random.default_rng(0)
SINGLE = (GENERATOR.random(2000) < 0.7).astype(float)


def played(quality):
    return Played(name="x", quality_N=quality, cost_usd_N=np.ones(2000))


def test_every_prompt_is_judged_once_where_learning_prompts_do_not_flatter():
    router = np.where(GENERATOR.random(2000) < 0.1, 1 - SINGLE, SINGLE)
    router[5], holed = np.nan, SINGLE.copy()
    holed[8] = np.nan
    found = standing(played(router), played(holed), TEST)
    assert (found.rows_N.sum(), found.wanted, found.test, found.flattered) == (1998, 2000, 499, False)
    assert played(router).take(found.rows_N).quality_N.size == 1998


def test_learning_prompts_that_flatter_are_left_out():
    flattered = np.where(TEST, SINGLE, np.where(GENERATOR.random(2000) < 0.3, 1.0, SINGLE))
    found = standing(played(flattered), played(SINGLE), TEST)
    assert (found.rows_N.sum(), found.wanted, found.test, found.flattered) == (500, 500, 500, True)


def test_a_verdict_may_rest_on_the_test_split_alone():
    only = np.where(TEST, SINGLE, np.nan)
    found = standing(played(only), played(SINGLE), TEST)
    assert (found.rows_N.sum(), found.wanted, found.flattered) == (500, 2000, False)


def costing(paid, quality, group=None):
    return Played(name="x", quality_N=quality, cost_usd_N=paid, group_N=group)


def test_savings_that_only_learning_prompts_have_are_left_out():
    cost = np.exp(np.random.default_rng(1).normal(size=2000))
    saving = np.where(np.random.default_rng(2).random(2000) < np.where(TEST, 0.04, 0.2), 0.2 * cost, cost)
    found = standing(costing(saving, SINGLE), costing(cost, SINGLE), TEST)
    assert (found.rows_N.sum(), found.flattered_in, found.wanted) == (500, ("cost",), 500)
    # twenty prompts that are alike say one thing: of five conversations in the test split little is known
    talks = np.arange(2000) // 20
    in_test, moved = talks % 20 == 0, np.isin(talks, (1, 2, 3, 4))
    few = standing(costing(np.where(moved, 0.0, cost), SINGLE, talks), costing(cost, SINGLE, talks), in_test)
    assert few.flattered_in == ()


def test_both_are_said_and_dearer_learning_prompts_flatter_nothing():
    cost = np.ones(2000)
    lucky = np.where(TEST, SINGLE, 1.0)
    both = standing(costing(np.where(TEST, 1.0, 0.5), lucky), costing(cost, SINGLE), TEST)
    assert both.flattered_in == ("quality", "cost")
    dearer = standing(costing(np.where(TEST, 0.5, 1.0), SINGLE), costing(cost, SINGLE), TEST)
    assert dearer.flattered_in == ()


@pytest.mark.parametrize("rival", [np.zeros(2000), np.full(2000, np.nan), np.linspace(0.1, 0.3, 2000)])
def test_costs_that_cannot_be_compared_or_are_in_proportion_leave_nothing_out(rival):
    paid = np.where(TEST, 3.0, 1.0) if not rival.any() else 0.3 * rival
    assert standing(costing(paid, SINGLE), costing(rival, SINGLE), TEST).rows_N.all()


def world(seed, *, prompts, moved, tail, turns):
    """Choices whose worth is the same in and outside the test split: log-normal costs, conversations of some turns."""
    generator = np.random.default_rng(seed)
    talk_N = np.repeat(np.arange(prompts), generator.geometric(1 / turns, prompts))[:prompts]
    talks = talk_N[-1] + 1
    test_N = (generator.random(talks) < 0.2)[talk_N]
    moved_N = (generator.random(talks) < moved)[talk_N]
    cost_N = np.exp(tail * generator.normal(size=talks)[talk_N] + 0.5 * generator.normal(size=prompts))
    right_N = generator.random(talks)[talk_N]
    single_N, other_N = (generator.random((2, prompts)) < right_N).astype(float)
    router = costing(np.where(moved_N, 0.2 * cost_N, cost_N), np.where(moved_N, other_N, single_N), talk_N)
    return router, costing(cost_N, single_N, talk_N), test_N


@pytest.mark.parametrize("turns", [1, 6])
@pytest.mark.parametrize("tail", [0.5, 2.0])
@pytest.mark.parametrize("moved", [0.01, 0.1, 0.5, 0.9])
def test_false_alarms_stay_near_their_level_where_nothing_flatters(moved, tail, turns):
    reasons = [standing(*world(s, prompts=900, moved=moved, tail=tail, turns=turns)).flattered_in for s in range(500)]
    # one in 44 each is allowed: at most 4.5 % of 500 draws, and as much again as chance may add (99.9 %)
    assert sum("cost" in found for found in reasons) <= 22
    assert sum(map(bool, reasons)) <= 37


def test_savings_that_learning_prompts_invent_are_found():
    found = []
    for seed in range(100):
        router, single, test_N = world(seed, prompts=900, moved=0.13, tail=0.5, turns=1)
        kept_N = np.random.default_rng(seed).random(900) < 0.7
        paid_N = np.where(test_N & kept_N, single.cost_usd_N, router.cost_usd_N)
        found.append("cost" in standing(costing(paid_N, single.quality_N), single, test_N).flattered_in)
    assert np.mean(found) > 0.7
