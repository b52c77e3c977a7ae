"""The task of prompts that discovery did not see: a vote of their nearest neighbours. Shapes: N seen, K new prompts."""

import numpy as np
from numpy.typing import NDArray

from components.tasks.neighbours import exact_search, unit_rows
from components.tasks.partition import UNASSIGNED, Partition


def assign(
    train_embedding_ND: NDArray[np.floating],
    partition: Partition,
    embedding_KD: NDArray[np.floating],
    *,
    neighbours: int = 15,
) -> NDArray[np.int32]:
    """The task with most votes among the nearest seen prompts (`vote_shares`); ties to the larger task.

    Args:
        train_embedding_ND: embeddings of the prompts in the partition, shape (N, D).
        partition: of those prompts.
        embedding_KD: embeddings to assign, shape (K, D).
        neighbours: voters, >= 1; at most N.

    Returns:
        Task, -1 unassigned, shape (K,).

    Raises:
        ValueError: shapes that don't fit, neighbours < 1, or embeddings that are not finite.
    """
    # Task -1 is in the last column: "unassigned", which argmax then passes over in a tie.
    winner_K = vote_shares(train_embedding_ND, partition, embedding_KD, neighbours=neighbours).argmax(axis=1)
    return np.where(winner_K == partition.tasks, UNASSIGNED, winner_K).astype(np.int32)


def vote_shares(
    train_embedding_ND: NDArray[np.floating],
    partition: Partition,
    embedding_KD: NDArray[np.floating],
    *,
    neighbours: int = 15,
) -> NDArray[np.float64]:
    """Share of the nearest seen prompts' votes for each task and, last, for none; each vote weighs its cosine.

    Unassigned neighbours vote for "unassigned", so prompts from noisy regions stay with the general heads.

    Args:
        train_embedding_ND: embeddings of the prompts in the partition, shape (N, D).
        partition: of those prompts.
        embedding_KD: embeddings to assign, shape (K, D).
        neighbours: voters, >= 1; at most N.

    Returns:
        Rows that sum to one, shape (K, T + 1).

    Raises:
        ValueError: shapes that don't fit, neighbours < 1, or embeddings that are not finite.
    """
    if neighbours < 1:
        raise ValueError(f"neighbours must be >= 1, got {neighbours}")
    if train_embedding_ND.shape[0] != partition.task_N.size:
        raise ValueError(f"{train_embedding_ND.shape[0]} embeddings for a partition of {partition.task_N.size} prompts")
    base_ND, query_KD = unit_rows(train_embedding_ND), unit_rows(embedding_KD)
    if base_ND.shape[1] != query_KD.shape[1]:
        raise ValueError(f"embeddings of {query_KD.shape[1]} dimensions, the partition's have {base_ND.shape[1]}")
    vote_KT1 = np.zeros((query_KD.shape[0], partition.tasks + 1))
    if partition.tasks == 0 or query_KD.shape[0] == 0:
        vote_KT1[:, -1] = 1
        return vote_KT1
    index_KV, cosine_KV = exact_search(base_ND, query_KD, min(neighbours, base_ND.shape[0]))
    column_KV = partition.task_N[index_KV]
    np.add.at(vote_KT1, (np.arange(query_KD.shape[0])[:, None], column_KV), np.maximum(cosine_KV, 1e-6))
    return np.asarray(vote_KT1 / vote_KT1.sum(axis=1, keepdims=True), dtype=np.float64)
