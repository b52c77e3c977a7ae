import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from components.tables import near_duplicates
from components.tables.near_duplicates import connected, connected_exactly, connected_in_cells


def drawn(groups, copies, noise, seed=0):
    """Prompts in groups of near-duplicates, in no order."""
    rng = np.random.default_rng(seed)
    centre = np.repeat(rng.normal(size=(groups, 48)), copies, axis=0)
    rows = centre + rng.normal(scale=noise, size=centre.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    order = rng.permutation(len(rows))
    return rows[order].astype(np.float32)


def same(first, second):
    """Whether two numberings say the same."""
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    return len(pairs) == len(set(first.tolist())) == len(set(second.tolist()))


def test_every_pair_is_compared(monkeypatch):
    monkeypatch.setattr(near_duplicates, "_BLOCK", 7)
    rows = drawn(20, 3, 0.12)
    expected = connected_components(rows @ rows.T > 0.97, directed=False)[1]
    assert same(connected_exactly(np.arange(60), rows, 0.97), expected)


def test_cells_find_what_all_pairs_find(monkeypatch):
    monkeypatch.setattr(near_duplicates, "_CELL", 50)
    rows = drawn(500, 4, 0.05)
    texts = np.arange(2000)
    assert same(connected_in_cells(texts, rows, 0.95), connected_exactly(texts, rows, 0.95))


@pytest.mark.parametrize("few", [0.0, 1.0], ids=["pairs compared together", "one by one"])
def test_few_directions_rule_out_no_pair_that_is_near(monkeypatch, few):
    monkeypatch.setattr(near_duplicates, "_DIRECTIONS", 6)
    monkeypatch.setattr(near_duplicates, "_FEW", few)
    monkeypatch.setattr(near_duplicates, "_BLOCK", 64)
    monkeypatch.setattr(near_duplicates, "_CELL", 10_000)
    # about half of a group's pairs are nearer than the bound
    rows, texts = drawn(80, 6, 0.22), np.arange(480)
    near = (rows @ rows.T > 0.95).sum() - 480
    assert 0.2 < near / (480 * 5) < 0.8
    assert same(connected_in_cells(texts, rows, 0.95), connected_exactly(texts, rows, 0.95))


def test_equal_texts_stay_together_whatever_their_cells(monkeypatch):
    monkeypatch.setattr(near_duplicates, "_CELL", 10)
    rows = drawn(60, 1, 0.0)
    texts = np.arange(60) % 30
    assert same(connected_in_cells(texts, rows, 0.999), texts)


def test_a_template_is_one_component(monkeypatch):
    monkeypatch.setattr(near_duplicates, "_CELL", 100)
    rows = np.tile(drawn(1, 1, 0.0), (1000, 1))
    assert connected_in_cells(np.arange(1000), rows, 0.95).max() == 0


@pytest.mark.parametrize("links", [1, 100, 10_000])
def test_few_links_at_a_time_join_the_same(monkeypatch, links):
    monkeypatch.setattr(near_duplicates, "_LINKS", links)
    monkeypatch.setattr(near_duplicates, "_BLOCK", 64)
    rows, texts = drawn(40, 10, 0.15), np.arange(400) % 390
    linked = (rows @ rows.T > 0.95) | (texts[:, None] == texts)
    assert same(connected_exactly(texts, rows, 0.95), connected_components(linked, directed=False)[1])


def test_a_template_is_joined_without_a_link_for_each_pair(monkeypatch):
    given = []

    def joined(component_N, left_E, right_E, inner=near_duplicates._joined):
        given.append(left_E.size)
        return inner(component_N, left_E, right_E)

    monkeypatch.setattr(near_duplicates, "_joined", joined)
    monkeypatch.setattr(near_duplicates, "_LINKS", 1000)
    alike = drawn(1, 3000, 1e-4)
    assert connected_exactly(np.arange(3000), alike, 0.95).max() == 0
    assert sum(given) < 2 * 3000


def test_equal_embeddings_are_compared_once(monkeypatch):
    compared = []

    def exactly(text_N, embedding_ND, cosine, inner=connected_exactly):
        compared.append(len(embedding_ND))
        return inner(text_N, embedding_ND, cosine)

    monkeypatch.setattr(near_duplicates, "connected_exactly", exactly)
    rows = drawn(30, 4, 0.08)[np.random.default_rng(1).integers(120, size=900)]
    texts = np.arange(900) % 800
    linked = (rows @ rows.T > 0.95) | (texts[:, None] == texts)
    assert same(connected(texts, rows, 0.95), connected_components(linked, directed=False)[1])
    assert compared == [len(np.unique(rows, axis=0))]


def test_embeddings_of_zeros_connect_nothing():
    rows = np.concatenate([np.zeros((3, 4)), np.eye(4)[:1], np.eye(4)[:1]]).astype(np.float32)
    assert same(connected(np.array([0, 0, 1, 2, 3]), rows, 0.95), np.array([0, 0, 1, 2, 2]))
