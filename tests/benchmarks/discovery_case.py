"""One case of the discovery benchmark: METHOD SIZE SEED; prints JSON. Shapes: N prompts, D dimensions, M candidates."""

import json
import resource
import sys
import time

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from components.tasks.density import DensityConfig, cut_density, reduce
from components.tasks.graph import GraphConfig, cut, similarities
from components.tasks.neighbours import directions, nearest_neighbours
from components.tasks.partition import Partition
from flows.platform.settings import prepare_environment

CLUSTERS, DIMENSIONS, CANDIDATES = 300, 384, 11
SPREAD = 1.5
"""Length of a prompt's offset over its centre's: cosine about 0.31 inside a cluster, 0 on average across."""
WARM = 4_500
"""Prompts of the first call: above 4,096, where UMAP compiles the search that it uses on large data."""


def planted(prompts: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]:
    """Unit embeddings (N, D) around random centres, 0/1 quality (N, M) that has nothing to do with them, clusters."""
    rng = np.random.default_rng(seed)
    centre_CD = rng.standard_normal((CLUSTERS, DIMENSIONS), dtype=np.float32)
    cluster_N = rng.integers(CLUSTERS, size=prompts)
    embedding_ND = rng.standard_normal((prompts, DIMENSIONS), dtype=np.float32)
    embedding_ND *= SPREAD
    for start in range(0, prompts, 4096):  # block by block: no second matrix adds to the peak
        embedding_ND[start : start + 4096] += centre_CD[cluster_N[start : start + 4096]]
    embedding_ND /= np.linalg.norm(embedding_ND, axis=1, keepdims=True)
    quality_NM = (rng.random((prompts, CANDIDATES)) < rng.random(CANDIDATES)).astype(np.float64)
    return embedding_ND, quality_NM, cluster_N


def discover(
    method: str, embedding_ND: NDArray[np.float32], quality_NM: NDArray[np.float64], seed: int
) -> tuple[Partition, float | None]:
    """A partition by one of the methods with its defaults, and the recall of its neighbour search if it has one.

    Raises:
        ValueError: no such method.
    """
    if method == "graph":
        config = GraphConfig(seed=seed)
        neighbours = nearest_neighbours(embedding_ND, config.neighbours, seed=seed)
        return cut(similarities(neighbours, quality_NM, config.rbo_p), config), neighbours.recall
    if method == "density":
        config = DensityConfig(seed=seed)
        return cut_density(reduce(directions(embedding_ND), config), config), None
    raise ValueError(f"method must be graph or density, got {method!r}")


def main(method: str, prompts: int, seed: int) -> None:
    """Measures one case."""
    prepare_environment()
    discover(method, *planted(WARM, seed + 1)[:2], seed)
    embedding_ND, quality_NM, cluster_N = planted(prompts, seed)
    start, worked = time.perf_counter(), time.process_time()
    partition, recall = discover(method, embedding_ND, quality_NM, seed)
    found = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - worked,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,  # Linux counts in KiB
        "recall": recall,
        "ari": float(adjusted_rand_score(cluster_N, partition.task_N)),
        "tasks": partition.tasks,
        "unassigned": partition.unassigned_share,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
