import numpy as np

from components.tasks.partition import Partition, from_labels
from flows.platform.arrays import load_arrays, load_named, save_arrays


def test_a_dataclass_of_arrays_comes_back_bit_for_bit(tmp_path):
    partition = from_labels(np.array([1, 1, 0, -1]), minimum_size=1)
    save_arrays(partition, tmp_path / "partition.npz")
    again = load_arrays(Partition, tmp_path / "partition.npz")
    np.testing.assert_array_equal(again.task_N, partition.task_N)
    assert again.membership_N.dtype == np.float32


def test_the_same_arrays_give_the_same_bytes(tmp_path):
    partition = from_labels(np.array([1, 1, 0, -1]), minimum_size=1)
    for name in ("a.npz", "b.npz"):
        save_arrays(partition, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert set(load_named(tmp_path / "a.npz")) == {"task_N", "membership_N"}
