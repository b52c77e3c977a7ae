"""Regret of routing by a table against a loop, and ties by hand."""

import numpy as np

from components.tasks.assignment import assign
from components.tasks.criterion import routing_regret, ties
from components.tasks.partition import from_labels
from components.tasks.table import task_table


def test_regret_agrees_with_a_loop(draw):
    world = draw(missing=0.5)
    world.quality[-3] = np.nan
    partition = from_labels(world.task[:400], minimum_size=60)
    table = task_table(partition, world.quality[:400])
    task = assign(world.embedding[:400], partition, world.embedding[400:])
    expected = []
    for row, own in zip(world.quality[400:], task, strict=True):
        seen = np.flatnonzero(~np.isnan(row))
        if seen.size:
            by = table.general_M if own < 0 else table.quality_TM[own]
            expected.append(row[seen].max() - row[max(seen, key=lambda m: by[m])])
    np.testing.assert_allclose(routing_regret(table, task, world.quality[400:]), expected)


def test_a_trial_without_tasks_never_ties():
    assert ties(np.array([[0.0, 0.0], [0.5, 0.4]]), np.array([False, True])).tolist() == [False, True]
    assert not ties(np.zeros((2, 2)), np.array([False, False])).any()


def test_two_paired_standard_errors_tie_by_hand():
    best = np.zeros(100)
    worse = np.tile([1.0, -0.8, 0.0, 0.0], 25)  # mean 0.05, standard error of the mean 0.0639
    clearly = np.tile([0.1, 0.0], 50)  # mean 0.05, standard error of the mean 0.0050
    assert ties(np.array([best, worse, clearly]), np.full(3, True)).tolist() == [True, True, False]
