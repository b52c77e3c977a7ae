"""Names over generations of routers: reruns, growth, splits, another hand, ids that never come twice."""

import numpy as np
import pytest

from components.tasks.identity import continue_tasks, first_tasks
from components.tasks.partition import Partition

IDS = [f"p{n}" for n in range(60)]
THIRDS = np.repeat([0, 1, 2], 20)


def tasks(task, labels, ids=IDS, named_by="keywords"):
    task = np.asarray(task, dtype=np.int32)
    return first_tasks(ids, Partition(task_N=task, membership_N=np.ones(task.size, np.float32)), labels, named_by)


def test_without_a_champion_every_task_is_new():
    first = tasks(THIRDS, ["a", "b", "c"])
    assert first.ids == ("t1", "t2", "t3")
    assert first.issued == 3
    assert first.identity == {"previous": None}


def test_a_rerun_repeats_names_and_account_however_often():
    grown = [*IDS, "new"]
    first = tasks(THIRDS, ["a", "b", "c"])
    second = continue_tasks(first, "one", tasks([*THIRDS, 0], ["a", "b", "c"], grown))
    assert second.identity["previous"] == "one"
    third = continue_tasks(second, "two", tasks([*THIRDS, 0], ["a", "b", "c"], grown))
    fourth = continue_tasks(third, "three", tasks([*THIRDS, 0], ["x", "y", "z"], grown))
    for again in (third, fourth):
        assert (again.ids, again.labels, again.issued, again.identity) == (
            second.ids,
            second.labels,
            second.issued,
            second.identity,
        )


def test_grown_data_keeps_ids_and_labels_and_counts_the_born():
    first = tasks(THIRDS, ["a", "b", "c"])
    grown = [*IDS, *(f"new{n}" for n in range(30))]
    # Numbered by size, the new task comes first and the others move.
    found = continue_tasks(first, "one", tasks([*(THIRDS + 1), *[0] * 30], ["d", "x", "y", "z"], grown))
    assert found.ids == ("t4", "t1", "t2", "t3")
    assert found.labels == ("d", "a", "b", "c")
    assert found.issued == 4
    expected = {"previous": "one", "kept": 3, "mean_overlap": 1.0, "born": ["d"], "died": [], "split": {}, "merged": {}}
    assert found.identity == expected


def test_split_merged_and_dead_tasks_are_told_by_label():
    first = tasks(np.repeat([0, 1, 2, 3], 15), ["a", "b", "c", "d"])
    after = np.repeat([0, 1, 2, 2, -1], [8, 7, 15, 15, 15])
    found = continue_tasks(first, "one", tasks(after, ["a1", "a2", "bc"]))
    account = found.identity
    assert account["split"] == {"a": ["a", "a2"]}
    assert account["merged"] == {found.labels[2]: ["b", "c"]}
    assert account["died"] == ["d"]
    assert account["born"] == []
    assert found.labels[2] in {"b", "c"}
    assert found.ids[1] == "t5"


def test_an_id_or_label_of_the_dead_is_never_given_again():
    first = tasks(THIRDS, ["a", "b", "c"])
    second = continue_tasks(first, "one", tasks(np.repeat([0, 1, -1], 20), ["a", "b"]))
    assert second.identity["died"] == ["c"]
    third = continue_tasks(second, "two", tasks(THIRDS, ["a", "b", "c"]))
    assert third.ids == ("t1", "t2", "t4")
    # Straight after its death a label is taken: history must not call two tasks the same.
    reborn = continue_tasks(
        first, "one", tasks([0] * 20 + [-1] * 40 + [1] * 30, ["a", "c"], [*IDS, *map(str, range(30))])
    )
    assert reborn.labels == ("a", "c (2)")
    assert reborn.ids == ("t1", "t4")


def test_labels_by_another_hand_are_fresh_while_ids_stay():
    first = tasks(THIRDS, ["a", "b", "c"])
    found = continue_tasks(first, "one", tasks(THIRDS, ["Sums", "Poems", "Law"], named_by="model"))
    assert found.labels == ("Sums", "Poems", "Law")
    assert found.ids == first.ids
    assert found.identity["kept"] == 3


def test_partitions_without_tasks_either_side():
    none, some = tasks([-1] * 60, []), tasks(THIRDS, ["a", "b", "c"])
    assert continue_tasks(none, "one", some).identity["born"] == ["a", "b", "c"]
    gone = continue_tasks(some, "one", none)
    assert gone.identity["died"] == ["a", "b", "c"]
    assert gone.identity["mean_overlap"] is None
    assert gone.issued == 3


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="60 ids and 2 labels"):
        tasks(THIRDS, ["a", "b"])
