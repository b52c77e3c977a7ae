import numpy as np
import polars as pl

from components.drift.conversations import conversation_numbers, conversations, one_each, turns_apart

TALK_N = np.array([4, -1, 4, 7, 4, -1, 7])


def test_one_of_each_conversation_is_any_of_its_turns_equally_often():
    drawn = [set(one_each(TALK_N, seed).tolist()) for seed in range(600)]
    assert all(len(rows) == conversations(TALK_N) == 4 and {1, 5} <= rows for rows in drawn)
    for row, chance in ((0, 1 / 3), (2, 1 / 3), (4, 1 / 3), (3, 1 / 2), (6, 1 / 2)):
        # four standard errors
        assert abs(np.mean([row in rows for rows in drawn]) - chance) < 4 * np.sqrt(chance * (1 - chance) / 600)


def test_every_conversation_comes_before_a_second_turn_of_any():
    order_N = turns_apart(TALK_N, seed=3)
    assert sorted(order_N.tolist()) == list(range(7))
    assert sorted(order_N[:4].tolist()) == one_each(TALK_N, seed=3).tolist()
    assert turns_apart(TALK_N, seed=3).tolist() == order_N.tolist() != turns_apart(TALK_N, seed=4).tolist()


def test_no_prompts_have_no_conversations():
    assert conversations(np.array([], dtype=int)) == one_each(np.array([], dtype=int), seed=0).size == 0


def test_conversations_may_be_named_by_numbers_or_not_at_all():
    assert conversation_numbers(pl.Series([12, None, 12, 13])).tolist() == [0, -1, 0, 1]
    assert conversation_numbers(pl.Series([None, None])).tolist() == [-1, -1]
