"""Tasks as communities of a neighbour graph, in meaning and in preference. Shapes: N prompts, M candidates, E edges."""

import random
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.tasks.neighbours import Neighbours
from components.tasks.partition import Partition, from_labels
from components.tasks.preference import rank_biased_overlap
from pointsman.model.aggregate import UNASSIGNED

if TYPE_CHECKING:
    import igraph


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphConfig:
    """One way to build the graph and to cut it."""

    neighbours: int = 15
    """Nearest prompts that each prompt is joined to, >= 1."""
    preference_mix: float = 0.3
    """Share of preference similarity in an edge's weight, in [0, 1]; the rest is cosine."""
    rbo_p: float = 0.9
    """Persistence of Rank Biased Overlap, in (0, 1)."""
    resolution: float = 2.0
    """Leiden's resolution, > 0; more gives more and smaller tasks."""
    within_labels: bool = False
    """Only prompts that the logs label alike are joined, so that no task mixes labels."""
    minimum_size: int = 15
    """Prompts a task must have, >= 1; smaller communities are unassigned."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError(f"neighbours must be >= 1, got {self.neighbours}")
        if not 0 <= self.preference_mix <= 1:
            raise ValueError(f"preference_mix must be in [0, 1], got {self.preference_mix}")
        if not 0 < self.rbo_p < 1:
            raise ValueError(f"rbo_p must be in (0, 1), got {self.rbo_p}")
        if not self.resolution > 0:
            raise ValueError(f"resolution must be > 0, got {self.resolution}")
        if self.minimum_size < 1:
            raise ValueError(f"minimum_size must be >= 1, got {self.minimum_size}")


# without slots, which leave no place for what is worked out once
@dataclass(frozen=True, kw_only=True, eq=False)
class Similarities:
    """Every edge with both its similarities, so that a sweep computes them once, whatever it tries."""

    prompts: int
    left_E: NDArray[np.int64]
    right_E: NDArray[np.int64]
    cosine_E: NDArray[np.float64]
    """In [0, 1]; opposite directions count as 0."""
    overlap_E: NDArray[np.float64]
    """Rank Biased Overlap in [0, 1]; nan where undefined."""
    alike_E: NDArray[np.bool_]
    """Whether the logs label both ends alike; true where they don't label."""
    recall: float
    """Share of true neighbours among the edges' ends, measured on a sample."""

    @cached_property
    def within_labels(self) -> "Similarities":
        """The edges whose ends the logs label alike."""
        kept_E = self.alike_E
        return replace(
            self,
            left_E=self.left_E[kept_E],
            right_E=self.right_E[kept_E],
            cosine_E=self.cosine_E[kept_E],
            overlap_E=self.overlap_E[kept_E],
            alike_E=kept_E[kept_E],
        )

    @cached_property
    def topology(self) -> "igraph.Graph":
        """Who is joined to whom, as igraph keeps it: it takes as long to make as Leiden takes to cut it."""
        import igraph  # noqa: PLC0415 - a second of imports, drawing among them

        return igraph.Graph(n=self.prompts, edges=np.column_stack([self.left_E, self.right_E]))


def similarities(
    neighbours: Neighbours,
    quality_NM: NDArray[np.floating],
    rbo_p: float,
    label_N: NDArray[np.str_] | None = None,
) -> Similarities:
    """The undirected neighbour graph: i and j are joined if either is among the other's nearest.

    Args:
        neighbours: of N prompts.
        quality_NM: quality, nan where missing, shape (N, M).
        rbo_p: persistence of Rank Biased Overlap.
        label_N: the logs' own labels, shape (N,); None: they have none.

    Raises:
        ValueError: quality or labels have another number of prompts.
    """
    prompts, k = neighbours.index_NK.shape
    if quality_NM.shape[0] != prompts:
        raise ValueError(f"{quality_NM.shape[0]} rows of quality for {prompts} prompts")
    if label_N is not None and label_N.shape != (prompts,):
        raise ValueError(f"{label_N.shape[0]} labels for {prompts} prompts")
    from_E, to_E = np.repeat(np.arange(prompts), k), neighbours.index_NK.ravel()
    key_E = np.minimum(from_E, to_E) * prompts + np.maximum(from_E, to_E)
    key_E, first_E = np.unique(key_E, return_index=True)
    left_E, right_E = key_E // prompts, key_E % prompts
    return Similarities(
        prompts=prompts,
        left_E=left_E,
        right_E=right_E,
        cosine_E=np.clip(neighbours.cosine_NK.ravel()[first_E].astype(np.float64), 0, 1),
        overlap_E=rank_biased_overlap(quality_NM, left_E, right_E, p=rbo_p),
        alike_E=np.ones(left_E.size, dtype=bool) if label_N is None else label_N[left_E] == label_N[right_E],
        recall=neighbours.recall,
    )


def edge_weights(edges: Similarities, preference_mix: float) -> NDArray[np.float64]:
    """(1 - mix) cosine + mix overlap, and cosine alone where the overlap is undefined; shape (E,), in [0, 1]."""
    mixed_E = (1 - preference_mix) * edges.cosine_E + preference_mix * edges.overlap_E
    return np.where(np.isnan(edges.overlap_E), edges.cosine_E, mixed_E)


def cut(edges: Similarities, config: GraphConfig) -> Partition:
    """The communities Leiden finds (Traag, Waltman, van Eck 2019; igraph's C code, modularity with resolution).

    Membership is the share of a prompt's edge weight that stays inside its task.
    """
    import igraph  # noqa: PLC0415 - a second of imports, drawing among them

    if config.within_labels:
        edges = edges.within_labels
    weight_E, graph = edge_weights(edges, config.preference_mix), edges.topology
    igraph.set_random_number_generator(random.Random(config.seed))  # noqa: S311 - seeded on purpose, no secret
    try:
        found = graph.community_leiden(
            objective_function="modularity", weights=weight_E.tolist(), resolution=config.resolution, n_iterations=10
        )
    finally:
        igraph.set_random_number_generator(random)
    label_N = np.asarray(found.membership, dtype=np.int64)
    inside_E = label_N[edges.left_E] == label_N[edges.right_E]
    ends_2E = np.concatenate([edges.left_E, edges.right_E])
    total_N = np.bincount(ends_2E, np.tile(weight_E, 2), minlength=edges.prompts)
    inner_N = np.bincount(ends_2E, np.tile(weight_E * inside_E, 2), minlength=edges.prompts)
    membership_N = np.clip(inner_N / np.maximum(total_N, 1e-12), 0, 1)
    return from_labels(label_N, minimum_size=config.minimum_size, membership_N=membership_N)


def nothing(prompts: int) -> Partition:
    """A partition without tasks: every prompt is left to the general heads.

    >>> nothing(3).tasks
    0
    """
    return Partition(task_N=np.full(prompts, UNASSIGNED, dtype=np.int32), membership_N=np.zeros(prompts, np.float32))
