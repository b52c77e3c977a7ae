"""Identity over retrains: brute force over permutations, and each fate of a task."""

from itertools import permutations

import numpy as np
import pytest

from components.tasks.matching import MatchConfig, carry_names, match_tasks
from components.tasks.partition import Partition

IDS = [str(i) for i in range(60)]


def partition(task):
    task = np.asarray(task, dtype=np.int32)
    return Partition(task_N=task, membership_N=np.ones(task.size, np.float32))


def test_renumbered_tasks_keep_their_identity_on_grown_data():
    old = partition(np.repeat([0, 1, 2], 20))
    grown = [*IDS[::-1], "new1", "new2"]
    new = partition([*np.repeat([1, 2, 0], 20), 1, 0])
    found = match_tasks(IDS, old, grown, new)
    assert found.old_T.tolist() == [0, 2, 1]
    assert found.overlap_T.tolist() == [1, 1, 1]
    assert (found.born, found.died, found.split, found.merged) == ((), (), {}, {})


def test_the_matching_is_the_best_of_all_permutations():
    rng = np.random.default_rng(0)
    old, new = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    jaccard = np.array(
        [[np.sum((old == o) & (new == t)) / np.sum((old == o) | (new == t)) for t in range(4)] for o in range(4)]
    )
    best = max(sum(jaccard[o, t] for t, o in enumerate(order)) for order in permutations(range(4)))
    found = match_tasks(IDS, partition(old), IDS, partition(new), MatchConfig(minimum_overlap=1e-9))
    assert found.overlap_T.sum() == pytest.approx(best)
    assert sorted(found.old_T.tolist()) == [0, 1, 2, 3]


def test_a_split_task_lives_on_in_its_largest_part():
    old = partition(np.repeat([0, 1], 30))
    new = partition(np.repeat([0, 1, 2], [30, 18, 12]))
    found = match_tasks(IDS, old, IDS, new)
    assert found.old_T.tolist() == [0, 1, -1]
    assert found.split == {1: (1, 2)}
    assert found.born == ()


def test_merged_tasks_are_told_from_dead_ones():
    old = partition(np.repeat([0, 1, 2], 20))
    found = match_tasks(IDS, old, IDS, partition([0] * 40 + [-1] * 20))
    assert found.merged == {0: (0, 1)}
    assert found.died == (2,)


def test_a_task_of_new_prompts_is_born():
    old = partition([0] * 60)
    found = match_tasks(IDS, old, [*IDS, "a", "b"], partition([0] * 60 + [1] * 2))
    assert found.born == (1,)


def test_partitions_without_tasks():
    none, one = partition([-1] * 60), partition([0] * 60)
    assert match_tasks(IDS, none, IDS, one).born == (0,)
    assert match_tasks(IDS, one, IDS, none).died == (0,)
    assert match_tasks([], partition([]), IDS, one).old_T.tolist() == [-1]


def test_names_are_carried_and_never_reused():
    old = partition(np.repeat([0, 1, 2], 20))
    new = partition(np.repeat([1, -1, 0], 20))
    found = match_tasks(IDS, old, [*IDS, *"abc"], partition([*new.task_N, 2, 2, 2]))
    assert carry_names(found, ["x", "y", "z"], ["p", "q", "y"]) == ("z", "x", "y (2)")
    with pytest.raises(ValueError, match="names for"):
        carry_names(found, ["x", "y", "z"], ["p"])


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="2 old ids"):
        match_tasks(["a", "b"], partition([0]), ["a"], partition([0]))
    with pytest.raises(ValueError, match="new ids repeat"):
        match_tasks(["a"], partition([0]), ["a", "a"], partition([0, 0]))
    with pytest.raises(ValueError, match="part"):
        MatchConfig(part=0)
