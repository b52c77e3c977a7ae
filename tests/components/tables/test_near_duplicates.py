import numpy as np
from scipy.sparse.csgraph import connected_components

from components.tables import near_duplicates
from components.tables.near_duplicates import connected_exactly, connected_in_cells


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


def test_equal_texts_stay_together_whatever_their_cells(monkeypatch):
    monkeypatch.setattr(near_duplicates, "_CELL", 10)
    rows = drawn(60, 1, 0.0)
    texts = np.arange(60) % 30
    assert same(connected_in_cells(texts, rows, 0.999), texts)


def test_a_template_is_one_component(monkeypatch):
    monkeypatch.setattr(near_duplicates, "_CELL", 100)
    rows = np.tile(drawn(1, 1, 0.0), (1000, 1))
    assert connected_in_cells(np.arange(1000), rows, 0.95).max() == 0
