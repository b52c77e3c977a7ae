"""How alike two prompts' preferences over the candidates are: Rank Biased Overlap of their rankings.

Shapes: N prompts, M candidates, E pairs of prompts (edges), D depths.

Ties: Webber's rule. Candidates tied for ranks d..d+t-1 all enter at rank d, and agreement at a depth is
2 |S n T| / (|S| + |T|) over the two, possibly longer, prefixes. So two prompts with the same outcomes have overlap 1
however many ties they hold, which the average-over-permutations variant would not give.

Missing outcomes: an unobserved outcome is no evidence of a rank, so both prompts are ranked over the candidates that
were observed on *both*. Where fewer than two remain, or where either prompt's remaining outcomes are all equal, there
is no preference to compare, and the overlap is nan: undefined, not 0 and not 1.
"""

import numpy as np
from numpy.typing import NDArray

CHUNK_CELLS = 4_000_000
"""Cells of the largest temporary array; bounds memory, never changes the result."""


def ranks(quality_KM: NDArray[np.floating]) -> NDArray[np.int32]:
    """Rank of each candidate by quality, 1 the best; tied candidates share the lowest rank; missing ones get M + 1.

    Args:
        quality_KM: quality of each candidate, nan where missing, shape (K, M).

    Returns:
        Ranks, shape (K, M).

    >>> ranks(np.array([[0.2, 0.9, 0.9, np.nan]])).tolist()
    [[3, 1, 1, 5]]
    """
    candidates = quality_KM.shape[1]
    rank_KM = np.empty(quality_KM.shape, dtype=np.int32)
    step = max(1, CHUNK_CELLS // max(1, candidates**2))
    for start in range(0, quality_KM.shape[0], step):
        block_BM = quality_KM[start : start + step]
        rank_KM[start : start + step] = 1 + (block_BM[:, None, :] > block_BM[:, :, None]).sum(axis=2)
    return np.where(np.isnan(quality_KM), candidates + 1, rank_KM).astype(np.int32)


def agreement(left_rank_EM: NDArray[np.integer], right_rank_EM: NDArray[np.integer], depth: int) -> NDArray[np.float64]:
    """Overlap of the two prefixes at each depth 1..D as a share of their sizes (Webber et al. 2010, section 4.4).

    Args:
        left_rank_EM: ranks from 1 as `ranks` gives them, shape (E, M).
        right_rank_EM: ranks of the other side, shape (E, M).
        depth: D, >= 1.

    Returns:
        Agreement in [0, 1], shape (E, D).

    >>> agreement(np.array([[1, 2, 3]]), np.array([[2, 1, 3]]), 3).tolist()
    [[0.0, 1.0, 1.0]]
    """
    agreement_ED = np.zeros((left_rank_EM.shape[0], depth))
    for position in range(depth):
        left_EM, right_EM = left_rank_EM <= position + 1, right_rank_EM <= position + 1
        common_E = np.count_nonzero(left_EM & right_EM, axis=1)
        size_E = np.count_nonzero(left_EM, axis=1) + np.count_nonzero(right_EM, axis=1)
        agreement_ED[:, position] = 2.0 * common_E / np.maximum(size_E, 1)
    return agreement_ED


def extrapolate(
    agreement_ED: NDArray[np.float64], p: float, length_E: NDArray[np.integer] | None = None
) -> NDArray[np.float64]:
    """RBO_EXT from agreements: A_k p^k + (1 - p) / p * sum over d <= k of A_d p^d (Webber et al. 2010, equation 30).

    Args:
        agreement_ED: agreement at depths 1..D, shape (E, D).
        p: persistence in (0, 1); the top 1 / (1 - p) ranks carry most of the weight.
        length_E: k of each pair, in [1, D]; D if not given.

    Returns:
        Overlap in [0, 1], shape (E,).

    Raises:
        ValueError: p outside (0, 1).

    >>> extrapolate(np.array([[0.0, 1.0]]), 0.5).tolist()
    [0.5]
    """
    if not 0 < p < 1:
        raise ValueError(f"p must be in (0, 1), got {p}")
    edges, depth = agreement_ED.shape
    last_E = np.full(edges, depth) if length_E is None else np.asarray(length_E)
    power_D = p ** np.arange(1, depth + 1)
    counted_ED = np.arange(1, depth + 1) <= last_E[:, None]
    tail_E = np.take_along_axis(agreement_ED, last_E[:, None] - 1, axis=1)[:, 0] * power_D[last_E - 1]
    head_E = (agreement_ED * counted_ED) @ power_D * (1 - p) / p
    return np.asarray(head_E + tail_E, dtype=np.float64)


def rank_biased_overlap(
    quality_NM: NDArray[np.floating],
    left_E: NDArray[np.integer],
    right_E: NDArray[np.integer],
    *,
    p: float = 0.9,
    depth: int | None = None,
) -> NDArray[np.float64]:
    """Extrapolated RBO of the candidates' rankings on each pair of prompts (Webber, Moffat, Zobel 2010, TOIS 28(4)).

    Ties and missing outcomes: see the top of this module.

    Args:
        quality_NM: quality of each candidate on each prompt, nan where missing, shape (N, M).
        left_E: prompt on one side of each pair, in [0, N), shape (E,).
        right_E: prompt on the other side, shape (E,).
        p: persistence in (0, 1).
        depth: ranks looked at, >= 1; all common candidates if not given.

    Returns:
        Overlap in [0, 1], nan where undefined, shape (E,). Symmetric in left and right.

    Raises:
        ValueError: p or depth out of range, or sides of different length.
    """
    if not 0 < p < 1:
        raise ValueError(f"p must be in (0, 1), got {p}")
    if depth is not None and depth < 1:
        raise ValueError(f"depth must be >= 1, got {depth}")
    if left_E.shape != right_E.shape or left_E.ndim != 1:
        raise ValueError(f"left {left_E.shape} and right {right_E.shape} must be equal and flat")
    candidates = quality_NM.shape[1]
    overlap_E = np.full(left_E.shape, np.nan)
    if candidates < 2:
        return overlap_E
    reach = candidates if depth is None else min(depth, candidates)
    complete = not np.isnan(quality_NM).any()
    rank_NM = ranks(quality_NM) if complete else None
    step = max(1, CHUNK_CELLS // candidates)
    for start in range(0, left_E.size, step):
        chunk = slice(start, start + step)
        left_B, right_B = left_E[chunk], right_E[chunk]
        if rank_NM is not None:
            left_rank_BM, right_rank_BM = rank_NM[left_B], rank_NM[right_B]
            common_B = np.full(left_B.shape, candidates)
        else:
            seen_BM = ~np.isnan(quality_NM[left_B]) & ~np.isnan(quality_NM[right_B])
            common_B = seen_BM.sum(axis=1)
            left_rank_BM = ranks(np.where(seen_BM, quality_NM[left_B], np.nan))
            right_rank_BM = ranks(np.where(seen_BM, quality_NM[right_B], np.nan))
        # Some common candidate ranks below the first: the side does prefer something.
        prefers_B = (((left_rank_BM > 1) & (left_rank_BM <= candidates)).any(axis=1)) & (
            ((right_rank_BM > 1) & (right_rank_BM <= candidates)).any(axis=1)
        )
        length_B = np.clip(common_B, 1, reach)
        value_B = extrapolate(agreement(left_rank_BM, right_rank_BM, reach), p, length_B)
        overlap_E[chunk] = np.where(prefers_B & (common_B >= 2), value_B, np.nan)
    return overlap_E
