"""Stability of known discoverers."""

import numpy as np
import pytest

from components.tasks.partition import from_labels
from components.tasks.stability import bootstrap_aris


def partition_of(label):
    return from_labels(np.asarray(label), minimum_size=1)


def bootstrap_ari(discover, partition, **drawn):
    """The score of one partition."""
    return bootstrap_aris(lambda rows: [discover(rows)], [partition], **drawn)[0]


def test_a_discoverer_that_always_agrees_and_one_that_guesses():
    label = np.arange(300) % 5
    assert bootstrap_ari(lambda rows: partition_of(label[rows]), partition_of(label), seed=0) == 1
    rng = np.random.default_rng(0)
    assert (
        abs(bootstrap_ari(lambda rows: partition_of(rng.integers(0, 5, rows.size)), partition_of(label), seed=0)) < 0.1
    )


def test_the_seed_alone_decides_the_subsamples():
    seen = []
    for _ in range(2):
        rows = []
        bootstrap_ari(
            lambda r, rows=rows: rows.append(r) or partition_of(r % 2), partition_of(np.arange(20) % 2), seed=5
        )
        seen.append(rows)
    np.testing.assert_array_equal(seen[0], seen[1])


def test_no_tasks_have_no_stability():
    none = partition_of(np.full(20, -1))
    assert bootstrap_ari(lambda rows: partition_of(rows % 2), none, seed=0) == 0
    half = partition_of(np.arange(20) % 2)
    assert bootstrap_aris(lambda rows: [partition_of(np.full(rows.size, -1))], [half], seed=0) == [0]


def test_bad_requests_are_refused():
    half = partition_of(np.arange(20) % 2)
    with pytest.raises(ValueError, match="repeats"):
        bootstrap_ari(lambda rows: half, half, seed=0, repeats=0)
    with pytest.raises(ValueError, match="share"):
        bootstrap_ari(lambda rows: half, half, seed=0, share=0)
