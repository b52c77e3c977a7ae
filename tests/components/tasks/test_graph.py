"""Graph discovery: planted blocks, networkx as a reference, and inputs without tasks."""

import networkx as nx
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from components.tasks.graph import GraphConfig, cut, edge_weights, similarities
from components.tasks.neighbours import nearest_neighbours


@pytest.fixture
def edges(blocks):
    return similarities(nearest_neighbours(blocks.embedding, 10, seed=0), blocks.quality, 0.9)


def discovered(embedding, quality, config):
    neighbours = nearest_neighbours(embedding, config.neighbours, seed=config.seed)
    return cut(similarities(neighbours, quality, config.rbo_p), config)


def test_finds_planted_blocks(blocks):
    found = discovered(blocks.embedding, blocks.quality, GraphConfig())
    assert adjusted_rand_score(blocks.task, found.task_N) >= 0.95
    assert found.membership_N.mean() > 0.8


def test_preference_tells_apart_what_meaning_does_not(draw):
    one = draw(prompts=300, tasks=1, noise=0.5)
    half = np.arange(300) % 2
    quality = np.where(half[:, None] == 0, [1.0, 0.6, 0.3, 0.1, 0.05, 0.0], [0.0, 0.05, 0.1, 0.3, 0.6, 1.0])
    config = GraphConfig(preference_mix=1.0, resolution=1.0, neighbours=30, rbo_p=0.5)
    assert adjusted_rand_score(half, discovered(one.embedding, quality, config).task_N) >= 0.95


def test_edges_are_the_union_of_neighbour_lists(edges, blocks):
    index = nearest_neighbours(blocks.embedding, 10, seed=0).index_NK
    expected = {frozenset((i, int(j))) for i, row in enumerate(index) for j in row}
    assert {frozenset(pair) for pair in zip(edges.left_E.tolist(), edges.right_E.tolist(), strict=True)} == expected


def test_leiden_is_no_worse_than_networkx_louvain(edges):
    partition = cut(edges, GraphConfig(resolution=1.0, minimum_size=1, preference_mix=0.3))
    graph = nx.Graph()
    graph.add_nodes_from(range(edges.prompts))
    weights = edge_weights(edges, 0.3).tolist()
    graph.add_weighted_edges_from(zip(edges.left_E.tolist(), edges.right_E.tolist(), weights, strict=True))
    ours = [set(np.flatnonzero(partition.task_N == task).tolist()) for task in range(partition.tasks)]
    theirs = nx.community.louvain_communities(graph, seed=0)
    assert nx.community.modularity(graph, ours) >= nx.community.modularity(graph, theirs) - 1e-6


def test_undefined_preference_leaves_the_cosine(edges):
    weight = edge_weights(edges, 0.4)
    undefined = np.isnan(edges.overlap_E)
    assert undefined.any()
    np.testing.assert_array_equal(weight[undefined], edges.cosine_E[undefined])
    assert np.isfinite(weight).all()


def test_small_communities_are_unassigned(blocks):
    found = discovered(blocks.embedding, blocks.quality, GraphConfig(minimum_size=55))
    sizes = np.bincount(found.task_N[found.task_N >= 0])
    assert sizes.min() >= 55
    assert found.unassigned_share > 0


def test_the_same_seed_gives_the_same_bits(blocks):
    one, two = (discovered(blocks.embedding, blocks.quality, GraphConfig(seed=3)) for _ in range(2))
    assert one.task_N.tobytes() == two.task_N.tobytes()
    assert one.membership_N.tobytes() == two.membership_N.tobytes()


def test_more_missing_outcomes_are_survived(draw):
    world = draw(missing=0.8)
    found = discovered(world.embedding, world.quality, GraphConfig())
    assert adjusted_rand_score(world.task, found.task_N) >= 0.9


@pytest.mark.parametrize("columns", [1, 4])
def test_without_preferences_meaning_decides(blocks, columns):
    found = discovered(blocks.embedding, np.ones((480, columns)), GraphConfig())
    assert adjusted_rand_score(blocks.task, found.task_N) >= 0.95


@pytest.mark.parametrize(
    "bad", [{"neighbours": 0}, {"preference_mix": 1.1}, {"rbo_p": 1.0}, {"resolution": 0.0}, {"minimum_size": 0}]
)
def test_ranges_are_checked(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        GraphConfig(**bad)


def test_no_task_mixes_labels_where_it_may_not(blocks):
    label = np.where(np.arange(480) % 2 == 0, "even", "odd")
    neighbours = nearest_neighbours(blocks.embedding, 10, seed=0)
    edges = similarities(neighbours, blocks.quality, 0.9, label)
    mixed, pure = (cut(edges, GraphConfig(within_labels=within, minimum_size=2)) for within in (False, True))

    def labels_of(partition):
        return [len(set(label[partition.task_N == task])) for task in range(partition.tasks)]

    assert max(labels_of(mixed)) == 2
    assert set(labels_of(pure)) == {1}
    with pytest.raises(ValueError, match="5 labels for 480 prompts"):
        similarities(neighbours, blocks.quality, 0.9, label[:5])
