"""The task of prompts that discovery did not see: a vote of their nearest neighbours. Shapes: N seen, K new prompts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.tasks.neighbours import directions, exact_search
from components.tasks.partition import Partition
from pointsman.model.aggregate import UNASSIGNED


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
    return voting(train_embedding_ND, embedding_KD, neighbours=neighbours).shares(partition)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Voting:
    """Who votes on each of K prompts: found once, counted for any number of partitions."""

    index_KV: NDArray[np.int64]
    cosine_KV: NDArray[np.float32]

    def shares(self, partition: Partition) -> NDArray[np.float64]:
        """See `vote_shares`."""
        prompts = self.index_KV.shape[0]
        vote_KT1 = np.zeros((prompts, partition.tasks + 1))
        if partition.tasks == 0 or prompts == 0:
            vote_KT1[:, -1] = 1
            return vote_KT1
        column_KV = partition.task_N[self.index_KV]
        np.add.at(vote_KT1, (np.arange(prompts)[:, None], column_KV), np.maximum(self.cosine_KV, 1e-6))
        return np.asarray(vote_KT1 / vote_KT1.sum(axis=1, keepdims=True), dtype=np.float64)


def voting(
    train_embedding_ND: NDArray[np.floating], embedding_KD: NDArray[np.floating], *, neighbours: int = 15
) -> Voting:
    """The nearest seen prompts of each prompt, at most N.

    Raises:
        ValueError: embeddings of different width, or that are not finite.
    """
    base_ND, query_KD = directions(train_embedding_ND), directions(embedding_KD)
    if base_ND.shape[1] != query_KD.shape[1]:
        raise ValueError(f"embeddings of {query_KD.shape[1]} dimensions, the partition's have {base_ND.shape[1]}")
    index_KV, cosine_KV = exact_search(base_ND, query_KD, min(neighbours, base_ND.shape[0]))
    return Voting(index_KV=index_KV, cosine_KV=cosine_KV)
