"""Neighbours: against scikit-learn, and hnswlib against the exact search."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from components.tasks.neighbours import directions, exact_search, nearest_neighbours


def test_exact_search_agrees_with_scikit_learn(blocks):
    reference = NearestNeighbors(n_neighbors=7, metric="cosine", algorithm="brute").fit(blocks.embedding)
    distance, index = reference.kneighbors()
    found = nearest_neighbours(blocks.embedding, 7, seed=0)
    np.testing.assert_allclose(found.cosine_NK, 1 - distance, atol=1e-5)
    assert (found.index_NK == index).mean() > 0.999
    assert found.recall == 1


def test_hnswlib_finds_the_same_and_measures_it(blocks):
    exact = nearest_neighbours(blocks.embedding, 7, seed=0)
    near = nearest_neighbours(blocks.embedding, 7, seed=0, exact_below=0)
    shared = np.mean([np.isin(a, b).mean() for a, b in zip(near.index_NK, exact.index_NK, strict=True)])
    assert near.recall >= 0.95
    assert shared >= 0.95
    assert not (near.index_NK == np.arange(480)[:, None]).any()
    again = nearest_neighbours(blocks.embedding, 7, seed=0, exact_below=0)
    np.testing.assert_array_equal(again.index_NK, near.index_NK)


def test_no_more_neighbours_than_there_are():
    assert nearest_neighbours(np.eye(3), 10, seed=0).index_NK.shape == (3, 2)


def test_equal_cosines_come_in_order_of_row():
    index, _ = exact_search(np.ones((4, 1), np.float32), np.ones((1, 1), np.float32), 4)
    assert index.tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize(
    ("embedding", "message"),
    [
        (np.array([[1.0], [np.nan]]), "nan or infinity, the first in row 1"),
        (np.ones(3), "must be a matrix"),
    ],
)
def test_embeddings_without_direction_are_refused(embedding, message):
    with pytest.raises(ValueError, match=message):
        directions(embedding)


def test_what_has_no_direction_is_like_nothing():
    near = nearest_neighbours(np.concatenate([np.eye(3), np.eye(3), np.zeros((1, 3))]), 2, seed=0)
    np.testing.assert_array_equal(near.cosine_NK[6], 0)
    assert 6 not in near.index_NK[:6, 0]


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="neighbours must be"):
        nearest_neighbours(np.eye(3), 0, seed=0)
    with pytest.raises(ValueError, match="at least two"):
        nearest_neighbours(np.eye(1), 1, seed=0)
