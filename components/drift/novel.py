"""Groups of recent prompts that training hardly knew. Shapes: N recent and K reference prompts, D dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from components.drift.config import DriftConfig
from components.tasks.graph import GraphConfig, cut, nothing, similarities
from components.tasks.labels import describe
from components.tasks.neighbours import nearest_neighbours
from components.tasks.partition import Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class NovelGroup:
    """A group in which recent prompts are far denser than training prompts."""

    keywords: tuple[str, ...]
    """Most telling first; empty where only embeddings are known."""
    examples: tuple[int, ...]
    """Recent prompts nearest to the group's middle, most typical first."""
    recent: int
    reference: int
    share: float
    """Of the recent prompts, in [0, 1]."""
    p: float
    """Chance of such a group anywhere without drift: Fisher's exact one-sided p times the number of groups."""
    row_K: NDArray[np.intp]
    """All its recent prompts, ascending."""


def novel_groups(
    recent_ND: NDArray[np.floating],
    reference_KD: NDArray[np.floating],
    prompts: Sequence[str] | None,
    config: DriftConfig,
    level: float,
    seed: int,
    stray: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
) -> tuple[tuple[NovelGroup, ...], float]:
    """Recent and reference prompts grouped together, blind to their side; novel is a group that is nearly all recent.

    A task that the classifier confidently mistakes for a known one is found as well: no assignment is asked. Blindness
    keeps the test exact: without drift every group draws its recent prompts like an urn its balls (hypergeometric).

    Args:
        recent_ND: embeddings of the recent prompts.
        reference_KD: embeddings of the reference.
        prompts: the recent prompts' texts; None: only embeddings are known.
        config: how large and how dense a novel group must be.
        level: greatest p of a novel group.
        seed: of the grouping, of samples and keywords.
        stray: recent and reference prompts that alone are grouped, coarsely; None: all.

    Returns:
        Novel groups, largest first, and the least p of any group that is large and dense enough (1: there is none).

    Raises:
        ValueError: embeddings that aren't finite or differ in width, or other texts than embeddings.
    """
    recent = recent_ND.shape[0]
    partition = _partition(np.concatenate([recent_ND, reference_KD]), stray, config.novel_size, seed)
    if partition.tasks == 0:
        return (), 1.0
    count_T = np.bincount(partition.task_N[:recent][partition.task_N[:recent] >= 0], minlength=partition.tasks)
    size_T = np.bincount(partition.task_N[partition.task_N >= 0], minlength=partition.tasks)
    p_T = enrichment(count_T, size_T, recent, reference_KD.shape[0])
    share_T, known_T = count_T / recent, (size_T - count_T) / reference_KD.shape[0]
    matters_T = (
        (count_T >= config.novel_size) & (share_T >= config.novel_share) & (share_T >= config.novel_fold * known_T)
    )
    found_G = np.flatnonzero(matters_T & (p_T <= level))
    found_G = found_G[np.argsort(-count_T[found_G], kind="stable")]
    # Keywords tell a group from all others, so every group with recent prompts is read.
    own_N = partition.task_N[:recent]
    if stray is not None:
        own_N = np.where(stray[0], own_N, partition.tasks).astype(np.int32)
    described = _describe(own_N, recent_ND, prompts, seed)
    groups = tuple(
        NovelGroup(
            keywords=described[group][0],
            examples=described[group][1],
            recent=int(count_T[group]),
            reference=int(size_T[group] - count_T[group]),
            share=float(share_T[group]),
            p=float(p_T[group]),
            row_K=np.flatnonzero(own_N == group),
        )
        for group in found_G.tolist()
    )
    return groups, float(p_T[matters_T].min(initial=1.0))


def _partition(
    embedding_AD: NDArray[np.floating],
    stray: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None,
    minimum_size: int,
    seed: int,
) -> Partition:
    """Groups of all prompts, or of the stray ones with the rest unassigned."""
    if stray is None:
        return grouped(embedding_AD, minimum_size, seed)
    rows = np.flatnonzero(np.concatenate(stray))
    whole = nothing(embedding_AD.shape[0])
    if rows.size > minimum_size:
        part = grouped(embedding_AD[rows], minimum_size, seed, resolution=0.5)
        whole.task_N[rows], whole.membership_N[rows] = part.task_N, part.membership_N
    return whole


def grouped(embedding_AD: NDArray[np.floating], minimum_size: int, seed: int, *, resolution: float = 2.0) -> Partition:
    """Communities of the neighbour graph of all prompts, by meaning alone."""
    neighbours = nearest_neighbours(embedding_AD, 10, seed=seed)
    unknown_AM = np.full((embedding_AD.shape[0], 1), np.nan)
    config = GraphConfig(neighbours=10, preference_mix=0.0, minimum_size=minimum_size, seed=seed, resolution=resolution)
    return cut(similarities(neighbours, unknown_AM, config.rbo_p), config)


def enrichment(
    count_T: NDArray[np.integer], size_T: NDArray[np.integer], recent: int, reference: int
) -> NDArray[np.float64]:
    """Chance of at least so many recent prompts in a group, times the number of groups (Bonferroni), shape (T,).

    >>> enrichment(np.array([2, 0]), np.array([2, 2]), 2, 2).round(4).tolist()
    [0.3333, 1.0]
    """
    p_T = stats.hypergeom.sf(count_T - 1, recent + reference, recent, size_T)
    return np.minimum(1.0, np.asarray(p_T, dtype=np.float64) * count_T.size)


def _describe(
    group_N: NDArray[np.int32], embedding_ND: NDArray[np.floating], prompts: Sequence[str] | None, seed: int
) -> dict[int, tuple[tuple[str, ...], tuple[int, ...]]]:
    """Keywords and most typical rows of each group that has recent prompts."""
    present_G, number_N = np.unique(group_N, return_inverse=True)
    start = int(present_G[0] < 0)
    partition = Partition(task_N=(number_N - start).astype(np.int32), membership_N=np.ones(group_N.size, np.float32))
    # Without texts, each row's number stands for its text: medoids still need to tell prompts apart.
    texts = [str(row) for row in range(group_N.size)] if prompts is None else prompts
    return {
        int(present_G[one.task + start]): (one.keywords if prompts is not None else (), one.medoids)
        for one in describe(partition, texts, embedding_ND, seed)
    }
