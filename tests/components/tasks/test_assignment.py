"""Assignment: against scikit-learn's weighted vote, ties, and bad input."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from components.tasks.assignment import assign, vote_shares
from components.tasks.graph import nothing
from components.tasks.partition import from_labels


def test_agrees_with_scikit_learns_vote(blocks):
    label = np.where(np.arange(480) % 9 == 0, -1, blocks.task)
    partition = from_labels(label, minimum_size=1)
    vote = KNeighborsClassifier(15, metric="cosine", algorithm="brute", weights=lambda distance: 1 - distance)
    vote.fit(blocks.embedding[:400], partition.task_N[:400])
    first = from_labels(partition.task_N[:400], minimum_size=1)
    renamed = {int(old): int(new) for old, new in zip(partition.task_N[:400], first.task_N, strict=True)}
    expected = [renamed[int(task)] for task in vote.predict(blocks.embedding[400:])]
    np.testing.assert_array_equal(assign(blocks.embedding[:400], first, blocks.embedding[400:]), expected)


def test_a_tie_goes_to_a_task_and_to_the_larger():
    partition = from_labels(np.array([0, 0, 0, 1, 1, -1]), minimum_size=1)
    base = np.array([[1, 0], [0, 1], [0, 1], [1, 0], [0, 1], [1, 0]], float)
    assert assign(base, partition, np.array([[1.0, 0.0]]), neighbours=3).tolist() == [0]


def test_unassigned_neighbours_leave_a_prompt_unassigned():
    partition = from_labels(np.array([0, 0, -1, -1, -1]), minimum_size=1)
    base = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [0, 1]], float)
    assert assign(base, partition, np.array([[0.0, 1.0], [1.0, 0.0]]), neighbours=2).tolist() == [-1, 0]


def test_without_tasks_or_prompts(blocks):
    assert assign(blocks.embedding, nothing(480), blocks.embedding[:4]).tolist() == [-1] * 4
    assert assign(blocks.embedding, nothing(480), blocks.embedding[:0]).shape == (0,)


def test_bad_input_is_refused(blocks):
    partition = from_labels(blocks.task, minimum_size=1)
    with pytest.raises(ValueError, match="neighbours"):
        assign(blocks.embedding, partition, blocks.embedding, neighbours=0)
    with pytest.raises(ValueError, match="partition of 480"):
        assign(blocks.embedding[:5], partition, blocks.embedding)
    with pytest.raises(ValueError, match="dimensions"):
        assign(blocks.embedding, partition, blocks.embedding[:, :5])
    with pytest.raises(ValueError, match="nan"):
        assign(blocks.embedding, partition, np.full((1, 48), np.nan))


def test_votes_are_cosines_by_hand():
    base = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    partition = from_labels(np.array([0, -1, 0]), minimum_size=1)
    share = vote_shares(base, partition, np.array([[1.0, 0.0], [0.0, 1.0]]), neighbours=2)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(share, [[1, 0], [half / (1 + half), 1 / (1 + half)]], rtol=1e-6)
    assert vote_shares(base, from_labels(np.full(3, -1), minimum_size=1), base).tolist() == [[1.0]] * 3
