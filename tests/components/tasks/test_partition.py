import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.tasks.partition import Partition, from_labels


@given(label_N=arrays(np.int64, 20, elements=st.integers(-2, 5)), minimum=st.integers(1, 6))
def test_agrees_with_counting_by_hand(label_N, minimum):
    partition = from_labels(label_N, minimum_size=minimum)
    groups = {name: np.flatnonzero(label_N == name).tolist() for name in set(label_N.tolist()) if name >= 0}
    kept = sorted((g for g in groups.items() if len(g[1]) >= minimum), key=lambda g: (-len(g[1]), g[0]))
    assert partition.tasks == len(kept)
    for task, (_, rows) in enumerate(kept):
        assert np.flatnonzero(partition.task_N == task).tolist() == rows
    assert partition.unassigned_share == pytest.approx(1 - sum(len(rows) for _, rows in kept) / 20)


def test_membership_is_kept_where_assigned_and_zero_elsewhere():
    partition = from_labels(np.array([0, 0, 1]), minimum_size=2, membership_N=np.array([0.5, 0.25, 1.0]))
    assert partition.membership_N.tolist() == [0.5, 0.25, 0.0]


def test_no_prompts_have_no_tasks():
    assert from_labels(np.zeros(0, dtype=np.int64), minimum_size=1).tasks == 0
    assert from_labels(np.zeros(0, dtype=np.int64), minimum_size=1).unassigned_share == 0


def test_what_is_no_partition_is_refused():
    with pytest.raises(ValueError, match="minimum_size must be >= 1, got 0"):
        from_labels(np.zeros(3, dtype=np.int64), minimum_size=0)
    with pytest.raises(ValueError, match=r"task \(3,\) and membership \(2,\)"):
        Partition(task_N=np.zeros(3, dtype=np.int32), membership_N=np.zeros(2, dtype=np.float32))
    with pytest.raises(ValueError, match="task numbers start at -1, got -2"):
        Partition(task_N=np.array([-2], dtype=np.int32), membership_N=np.zeros(1, dtype=np.float32))
