"""Which prompts a verdict rests on."""

import numpy as np

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
