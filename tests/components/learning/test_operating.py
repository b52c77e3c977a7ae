"""The operating policy from held-out predictions, where it is known which candidates are worth their price."""

from dataclasses import replace

import numpy as np
import pytest

from components.evaluation.operating import Asked, ParityConfig
from components.learning.fit import RouterConfig
from components.learning.judged import Judged, with_expected
from components.learning.mixing import HeldOut
from components.learning.operating import choose_policy, counts, default_wish, operate
from components.tables.board import Board
from pointsman.model.prediction import Prediction

PROMPTS, COST = 1200, np.array([0.001, 0.004, 0.02])


@pytest.fixture(scope="module")
def world():
    """The cheapest is as good as the best on half of the prompts, and the parts know which."""
    generator = np.random.default_rng(0)
    easy = generator.random(PROMPTS) < 0.5
    chance = np.where(easy[:, None], [0.9, 0.9, 0.9], [0.2, 0.4, 0.8])
    quality = (generator.random(chance.shape) < chance).astype(float)
    quality[easy] = quality[easy, :1]
    task = np.where(easy, 0, 1).astype(np.int32)
    held = HeldOut(
        task_N=task,
        doubt_N=np.zeros(PROMPTS),
        distance_N=np.zeros(PROMPTS),
        soft_NM=chance,
        hard_NM=chance,
        prompt_NM=np.clip(chance + 0.02 * generator.normal(size=chance.shape), 0.01, 0.99),
    )
    cost = np.tile(COST, (PROMPTS, 1))
    return held, Board(quality_NM=quality, cost_usd_NM=cost, task_N=task), cost


def chosen(world, asked):
    held, seen, cost = world
    judged = Judged(quality_NM=seen.quality_NM, cost_usd_NM=cost)
    return operate(held, seen, judged, cost, 2, asked=asked, config=RouterConfig(), seed=0)


def test_parity_sends_the_easy_half_to_the_cheapest(world):
    found = chosen(world, None)
    assert found.asked == Asked(name="parity")
    assert found.chosen.name == "tradeoff"
    assert 0 < found.loss <= 0.01
    _, seen, cost = world
    got, paid = Judged(quality_NM=seen.quality_NM, cost_usd_NM=cost).at(found.held_choice_N)
    assert paid.mean() < 0.65 * COST[2]
    assert got.mean() > seen.quality_NM[:, 2].mean() - 0.01


def test_a_log_of_one_conversation_is_divided_nevertheless(world):
    held, seen, cost = world
    found = chosen((held, replace(seen, group_N=np.zeros(PROMPTS, dtype=np.int32)), cost), Asked(name="best"))
    assert (found.held_choice_N >= 0).all()


def test_the_guard_is_let_go_of_by_conversations_not_by_turns():
    # a second candidate that looks better by the luck of conversations, and costs twice as much
    draw, group_N = np.random.default_rng(5), np.repeat(np.arange(40, dtype=np.int32), 30)
    luck = draw.normal(0, 0.2, 40)
    quality_NM = np.clip(np.stack([np.full(40, 0.5), 0.52 + luck - luck.mean()], axis=1), 0, 1)[group_N]
    said_NM = np.tile([0.5, 0.55], (PROMPTS, 1))
    held = HeldOut(
        task_N=np.zeros(PROMPTS, dtype=np.int32),
        doubt_N=np.zeros(PROMPTS),
        distance_N=np.zeros(PROMPTS),
        soft_NM=said_NM,
        hard_NM=said_NM,
        prompt_NM=said_NM,
    )
    seen = Board(quality_NM=quality_NM, task_N=np.zeros(PROMPTS, dtype=np.int32))
    cost_NM, best, rests = np.tile([1.0, 2.0], (PROMPTS, 1)), Asked(name="best"), []
    judged = Judged(quality_NM=quality_NM, cost_usd_NM=cost_NM)
    for board in (seen, replace(seen, group_N=group_N)):
        found = operate(held, board, judged, cost_NM, 0, asked=best, config=RouterConfig(), seed=0)
        rests.append((found.held_choice_N == 0).mean())
    assert rests == [0.0, 1.0]


def test_other_wishes_are_kept(world):
    for wish in (Asked(name="best"), Asked(name="tolerance", figure=1.0)):
        found = chosen(world, wish)
        assert (found.asked, found.chosen, found.loss) == (wish, wish, 0.0)
    # tolerance=1: the cheapest, by every fold
    assert set(found.held_choice_N.tolist()) == {0}


def test_without_costs_the_wish_is_best(world):
    held, seen, cost = world
    judged = Judged(quality_NM=seen.quality_NM, cost_usd_NM=np.full(cost.shape, np.nan))
    found = operate(held, seen, judged, judged.cost_usd_NM, 2, asked=None, config=RouterConfig(), seed=0)
    assert found.chosen == Asked(name="best")


def test_supposed_costs_buy_no_quality_that_is_proven(world):
    held, seen, cost = world
    unlogged = Board(quality_NM=seen.quality_NM, task_N=seen.task_N)

    def wished(judged_NM, quality_NM):
        prediction = Prediction(
            quality_NM=quality_NM,
            cost_usd_NM=cost,
            task_N=seen.task_N,
            margin_N=np.zeros(PROMPTS),
            novel_N=np.zeros(PROMPTS, dtype=bool),
        )
        judged = Judged(quality_NM=judged_NM, cost_usd_NM=cost)
        return [default_wish(board, prediction, judged, 2, 0.05).name for board in (seen, unlogged)]

    # choosing by task gains nothing over the most expensive candidate: parity, whatever is known of costs
    assert wished(seen.quality_NM, held.soft_NM) == ["parity", "parity"]
    # the cheapest is shown to be better on the easy half: supposed costs aren't worth giving that away
    better_NM = seen.quality_NM.copy()
    better_NM[seen.task_N == 0, 0] = 1.0
    sure_NM = held.soft_NM + np.where(seen.task_N[:, None] == 0, [0.05, 0.0, 0.0], 0.0)
    assert wished(better_NM, sure_NM) == ["parity", "best"]


def test_no_policy_at_parity_ends_in_best():
    prediction = Prediction(
        quality_NM=np.tile([0.9, 0.1], (50, 1)),
        cost_usd_NM=np.tile([1.0, 2.0], (50, 1)),
        task_N=np.zeros(50, dtype=np.int32),
        margin_N=np.zeros(50),
        novel_N=np.zeros(50, dtype=bool),
    )
    judged = Judged(quality_NM=np.tile([0.0, 1.0], (50, 1)), cost_usd_NM=prediction.cost_usd_NM)
    assert choose_policy(Asked(name="parity"), prediction, judged, 1, (0.1, 100.0), ParityConfig())[0] == Asked(
        name="best"
    )


def test_luck_of_single_answers_is_not_believed_against_the_predictions():
    # the cheap candidate looks as good as the best by lucky stand-ins; the predictions know that it is worse
    judged = Judged(quality_NM=np.tile([1.0, 1.0], (400, 1)), cost_usd_NM=np.tile([0.001, 0.01], (400, 1)))
    prediction = Prediction(
        quality_NM=np.tile([0.5, 0.9], (400, 1)),
        cost_usd_NM=judged.cost_usd_NM,
        task_N=np.zeros(400, np.int32),
        margin_N=np.zeros(400),
        novel_N=np.zeros(400, bool),
    )
    arguments = Asked(name="parity"), prediction, judged, 1, (0.001, 100.0), ParityConfig()
    assert choose_policy(*arguments)[0] == Asked(name="tradeoff", figure=0.001)
    assert choose_policy(*arguments, cautious=True)[0] != Asked(name="tradeoff", figure=0.001)


def test_outcomes_are_counted_by_task_and_in_all():
    quality = np.array([[1.0, np.nan], [0.5, 0.5], [np.nan, 0.0]])
    seen = Board(quality_NM=quality, task_N=np.array([0, 1, -1], dtype=np.int32))
    assert counts(seen).tolist() == [[1, 0], [1, 1], [2, 2]]


def test_expected_costs_stand_in_where_none_was_logged():
    judged = Judged(quality_NM=np.ones((1, 2)), cost_usd_NM=np.array([[np.nan, 3.0]]))
    assert with_expected(judged, np.array([[1.0, 2.0]])).cost_usd_NM.tolist() == [[1.0, 3.0]]
    got, paid = judged.at(np.array([-1]))
    assert np.isnan(got).all()
    assert np.isnan(paid).all()


def test_a_few_lucky_answers_and_turns_of_one_conversation_do_not_make_parity():
    # stand-ins that happen to agree, though each rests on one answer in a hundred
    same = np.full((400, 2), 0.8)
    cost = np.tile([0.001, 0.01], (400, 1))
    prediction = Prediction(
        quality_NM=same,
        cost_usd_NM=cost,
        task_N=np.zeros(400, np.int32),
        margin_N=np.zeros(400),
        novel_N=np.zeros(400, bool),
    )
    observed = Judged(quality_NM=same, cost_usd_NM=cost)
    arguments = Asked(name="parity"), prediction
    assert choose_policy(*arguments, observed, 1, (0.001,), ParityConfig())[0].name == "tradeoff"
    rare = Judged(quality_NM=same, cost_usd_NM=cost, variance_NM=np.full((400, 2), 0.16 * 99))
    assert rare.least_error(np.zeros(400, dtype=np.intp), 1) == pytest.approx((2 * 0.16 * 99 / 400) ** 0.5)
    assert rare.least_error(np.ones(400, dtype=np.intp), 1) == 0.0
    assert choose_policy(*arguments, rare, 1, (0.001,), ParityConfig())[0].name == "best"
    # a gap that varies by conversation is known as if each conversation were one prompt
    gap = np.repeat(np.random.default_rng(0).normal(size=20), 20)
    talks = Judged(
        quality_NM=np.stack([gap, np.zeros(400)], axis=1),
        cost_usd_NM=cost,
        group_N=np.repeat(np.arange(20), 20).astype(np.int32),
    )
    assert talks.least_error(np.zeros(400, dtype=np.intp), 1) == pytest.approx((20 / 19) ** 0.5 * gap.std() / 20**0.5)
