"""Regret of routing by a table against a loop, and ties by hand."""

import numpy as np
import pytest

from components.tasks.assignment import vote_shares
from components.tasks.criterion import advantage_error, expected_quality, routing_regret, ties
from components.tasks.partition import from_labels
from components.tasks.table import task_table


def test_regret_agrees_with_a_loop(draw):
    world = draw(missing=0.5)
    world.quality[-3] = np.nan
    partition = from_labels(world.task[:400], minimum_size=60)
    table = task_table(partition, world.quality[:400])
    share = vote_shares(world.embedding[:400], partition, world.embedding[400:])
    expected = []
    for row, own in zip(world.quality[400:], share, strict=True):
        seen = np.flatnonzero(~np.isnan(row))
        if seen.size:
            by = sum(own[t] * table.quality_TM[t] for t in range(partition.tasks)) + own[-1] * table.general_M
            expected.append(row[seen].max() - row[max(seen, key=lambda m: by[m])])
    np.testing.assert_allclose(routing_regret(expected_quality(table, share), world.quality[400:]), expected)


def test_a_trial_without_tasks_never_ties():
    assert ties(np.array([[0.0, 0.0], [0.5, 0.4]]), np.array([False, True])).tolist() == [False, True]
    assert not ties(np.zeros((2, 2)), np.array([False, False])).any()


def test_two_paired_standard_errors_tie_by_hand():
    best = np.zeros(100)
    worse = np.tile([1.0, -0.8, 0.0, 0.0], 25)  # mean 0.05, standard error of the mean 0.0639
    clearly = np.tile([0.1, 0.0], 50)  # mean 0.05, standard error of the mean 0.0050
    assert ties(np.array([best, worse, clearly]), np.full(3, True)).tolist() == [True, True, False]


def test_turns_of_one_conversation_tie_as_one_prompt_does():
    draw = np.random.default_rng(3)
    regret_SK = draw.random((4, 60)) + np.array([[0.0], [0.05], [0.1], [0.3]])
    allowed_S, group_K = np.full(4, True), np.repeat(np.arange(60), 30)
    wanted = ties(regret_SK, allowed_S).tolist()
    assert ties(np.repeat(regret_SK, 30, axis=1), allowed_S, group_K=group_K).tolist() == wanted
    assert ties(np.repeat(regret_SK, 30, axis=1), allowed_S).tolist() != wanted
    assert ties(regret_SK, allowed_S, group_K=np.full(60, -1)).tolist() == wanted


def test_the_advantage_error_agrees_with_a_loop():
    generator = np.random.default_rng(2)
    predicted_NM, quality_NM = generator.random((2, 50, 4))
    quality_NM[generator.random((50, 4)) < 0.5] = np.nan
    squares = []
    for predicted_M, quality_M in zip(predicted_NM, quality_NM, strict=True):
        seen = np.isfinite(quality_M)
        if seen.sum() >= 2:
            p, q = predicted_M[seen], quality_M[seen]
            squares += list(((p - p.mean()) - (q - q.mean())) ** 2)
    assert advantage_error(predicted_NM, quality_NM) == pytest.approx(np.mean(squares))
    assert np.isnan(advantage_error(predicted_NM[:, :1], quality_NM[:, :1]))
