from collections import Counter

import numpy as np
import pytest

from components.drift.reference import Reference
from components.drift.sight import NEIGHBOURS, majority, see_embeddings
from components.learning.novelty_fit import NoveltyConfig, fit_novelty


def test_the_majority_is_the_most_frequent_and_then_the_smallest():
    task_NK = np.random.default_rng(0).integers(-1, 3, size=(50, 5)).astype(np.int32)
    expected = [min(Counter(row).items(), key=lambda item: (-item[1], item[0]))[0] for row in task_NK.tolist()]
    assert majority(task_NK).tolist() == expected


def test_embeddings_take_the_task_of_their_neighbours_and_the_reference_does_without_itself(world):
    reference_KD, recent_ND = world(120, seed=0), world(60, seed=1, new=6)
    task_K = np.random.default_rng(2).integers(-1, 4, size=120).astype(np.int32)
    reference = Reference(embedding_KD=reference_KD, task_K=task_K, far_K=np.zeros(120, dtype=np.bool_))
    novelty = fit_novelty(world(300, seed=3), reference_KD, NoveltyConfig(centroids=30), seed=0)
    sight = see_embeddings(novelty, recent_ND, reference)
    for own, side_ND, skip in ((sight.task_N, recent_ND, False), (sight.task_K, reference_KD, True)):
        for row, vector in enumerate(side_ND):
            cosine_K = reference_KD @ vector
            if skip:
                cosine_K[row] = -np.inf
            nearest = task_K[np.argsort(-cosine_K)[:NEIGHBOURS]].tolist()
            assert own[row] == min(Counter(nearest).items(), key=lambda item: (-item[1], item[0]))[0]
    assert sight.far_N[-6:].all()
    assert sight.far_N[:-6].mean() < 0.1
    assert sight.quality_NM is None


def test_embeddings_must_fit_the_reference(world):
    novelty = fit_novelty(world(30, seed=3), world(30, seed=4), NoveltyConfig(centroids=5), seed=0)
    tiny = Reference(
        embedding_KD=world(5, seed=0), task_K=np.zeros(5, dtype=np.int32), far_K=np.zeros(5, dtype=np.bool_)
    )
    with pytest.raises(ValueError, match="3 dimensions, the router's encoder has 16"):
        see_embeddings(novelty, np.eye(3, dtype=np.float32), tiny)
    with pytest.raises(ValueError, match="more than 5 prompts"):
        see_embeddings(novelty, world(4, seed=1), tiny)


def test_a_reference_has_one_of_each(world):
    with pytest.raises(ValueError, match="one embedding, task and flag a prompt"):
        Reference(embedding_KD=world(5, seed=0), task_K=np.zeros(4, dtype=np.int32), far_K=np.zeros(5, dtype=np.bool_))
