"""Nearest neighbours of prompts by cosine. Shapes: N prompts, D dimensions, K neighbours, Q queries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.model.unit import unit_rows

EXACT_BELOW = 20_000
"""Prompts below which every pair is compared; above, hnswlib searches a graph."""
RECALL_SAMPLE = 500
RECALL_TARGET = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """The K nearest other prompts of each prompt, nearest first."""

    index_NK: NDArray[np.int64]
    cosine_NK: NDArray[np.float32]
    recall: float
    """Share of the true neighbours found, on a sample; 1 for the exact search."""


def directions(embedding_ND: NDArray[np.floating]) -> NDArray[np.float32]:
    """`unit_rows` of embeddings; one of zeros, as of a prompt without known tokens, stays zero and is like none.

    Raises:
        ValueError: not a matrix, or a row holds nan or infinity.
    """
    rows_ND = np.asarray(embedding_ND, dtype=np.float32)
    if rows_ND.ndim != 2:
        raise ValueError(f"embeddings must be a matrix, got shape {rows_ND.shape}")
    broken_N = ~np.isfinite(rows_ND).all(axis=1)
    if broken_N.any():
        raise ValueError(f"{int(broken_N.sum())} embeddings hold nan or infinity, the first in row {broken_N.argmax()}")
    return unit_rows(rows_ND)


def exact_search(
    base_ND: NDArray[np.float32], query_QD: NDArray[np.float32], k: int, *, skip_Q: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The k base rows of highest cosine to each query, nearest first; equal cosines in order of row.

    Args:
        base_ND: unit rows, shape (N, D).
        query_QD: unit rows, shape (Q, D).
        k: neighbours wanted, in [1, N], or N - 1 with skip_Q.
        skip_Q: a base row that each query may not return (itself), shape (Q,).

    Returns:
        Indices and cosines, shape (Q, k) each.
    """
    index_QK = np.empty((query_QD.shape[0], k), dtype=np.int64)
    cosine_QK = np.empty((query_QD.shape[0], k), dtype=np.float32)
    step = max(1, 16_000_000 // max(1, base_ND.shape[0]))
    for start in range(0, query_QD.shape[0], step):
        chunk = slice(start, start + step)
        cosine_BN = query_QD[chunk] @ base_ND.T
        if skip_Q is not None:
            cosine_BN[np.arange(cosine_BN.shape[0]), skip_Q[chunk]] = -np.inf
        near_BK = np.sort(np.argpartition(-cosine_BN, k - 1, axis=1)[:, :k], axis=1)
        near_cosine_BK = np.take_along_axis(cosine_BN, near_BK, axis=1)
        order_BK = np.argsort(-near_cosine_BK, axis=1, kind="stable")
        index_QK[chunk] = np.take_along_axis(near_BK, order_BK, axis=1)
        cosine_QK[chunk] = np.take_along_axis(near_cosine_BK, order_BK, axis=1)
    return index_QK, np.clip(cosine_QK, -1, 1)


def nearest_neighbours(
    embedding_ND: NDArray[np.floating], k: int, *, seed: int, exact_below: int = EXACT_BELOW
) -> Neighbours:
    """The k nearest other prompts of each prompt: exact below `exact_below` prompts, else hnswlib with recall measured.

    hnswlib builds on one thread, since with several the graph depends on their timing; ef is doubled until recall@k on
    a seeded sample reaches 0.95 (at most 1600), and what was reached is returned.

    Args:
        embedding_ND: one embedding a prompt, shape (N, D); rows need not be unit.
        k: neighbours wanted, >= 1; at most N - 1 are returned.
        seed: of the hnswlib graph and of the sample.
        exact_below: prompts below which the search is exact.

    Raises:
        ValueError: k < 1, fewer than two prompts, or embeddings that are not finite.
    """
    if k < 1:
        raise ValueError(f"neighbours must be >= 1, got {k}")
    unit_ND = directions(embedding_ND)
    prompts = unit_ND.shape[0]
    if prompts < 2:
        raise ValueError(f"neighbours need at least two prompts, got {prompts}")
    k = min(k, prompts - 1)
    itself_N = np.arange(prompts)
    if prompts < exact_below:
        index_NK, cosine_NK = exact_search(unit_ND, unit_ND, k, skip_Q=itself_N)
        return Neighbours(index_NK=index_NK, cosine_NK=cosine_NK, recall=1.0)
    return _approximate(unit_ND, k, seed)


def _approximate(unit_ND: NDArray[np.float32], k: int, seed: int) -> Neighbours:
    import hnswlib  # noqa: PLC0415 - only large data needs it

    prompts, dimensions = unit_ND.shape
    sample_Q = np.sort(np.random.default_rng(seed).choice(prompts, size=min(RECALL_SAMPLE, prompts), replace=False))
    truth_QK, _ = exact_search(unit_ND, unit_ND[sample_Q], k, skip_Q=sample_Q)
    index = hnswlib.Index(space="ip", dim=dimensions)
    index.init_index(max_elements=prompts, ef_construction=128, M=16, random_seed=seed)
    index.add_items(unit_ND, num_threads=1)
    ef = max(100, 2 * (k + 1))
    while True:
        index.set_ef(ef)
        found_QK = _without_itself(index, unit_ND, sample_Q, k)[0]
        recall = float(np.mean([np.isin(row, truth).mean() for row, truth in zip(found_QK, truth_QK, strict=True)]))
        if recall >= RECALL_TARGET or ef >= 1600:
            break
        ef *= 2
    index_NK, cosine_NK = _without_itself(index, unit_ND, np.arange(prompts), k)
    return Neighbours(index_NK=index_NK, cosine_NK=cosine_NK, recall=recall)


def _without_itself(
    index: object, unit_ND: NDArray[np.float32], row_Q: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    found_QK1, distance_QK1 = index.knn_query(unit_ND[row_Q], k=k + 1, num_threads=1)  # type: ignore[attr-defined]
    found_QK1 = found_QK1.astype(np.int64)
    # Itself is dropped wherever it stands; where the search missed it (duplicates), the farthest goes instead.
    drop_QK1 = found_QK1 == row_Q[:, None]
    drop_QK1[~drop_QK1.any(axis=1), -1] = True
    shape = (row_Q.size, k)
    return found_QK1[~drop_QK1].reshape(shape), np.clip(1 - distance_QK1[~drop_QK1].reshape(shape), -1, 1)
