"""Tasks as dense regions: UMAP, then HDBSCAN; noise is unassigned. And prompts in the plane, for the task map.

Shapes: N prompts, D dimensions, L reduced ones, K prompts on the map.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.tasks.graph import nothing
from components.tasks.neighbours import directions, nearest_neighbours
from components.tasks.partition import Partition, from_labels


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityConfig:
    """One UMAP reduction and one HDBSCAN cut."""

    neighbours: int = 15
    """UMAP's neighbourhood, >= 2."""
    dimensions: int = 5
    """L, dimensions that HDBSCAN sees, >= 2."""
    epochs: int = 200
    """UMAP's optimisation epochs, >= 1."""
    minimum_size: int = 15
    """Prompts a task must have, >= 2."""
    minimum_samples: int = 5
    """HDBSCAN's neighbourhood for density, >= 1; more calls more prompts noise."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (
            ("neighbours", 2),
            ("dimensions", 2),
            ("epochs", 1),
            ("minimum_size", 2),
            ("minimum_samples", 1),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be >= {least}, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutConfig:
    """One UMAP of a sample of prompts to the plane."""

    points: int = 10_000
    """K, prompts on the map at most, >= 5; a seeded sample of more."""
    neighbours: int = 15
    """UMAP's neighbourhood, >= 2."""
    distance: float = 0.15
    """Least distance of points in the plane, in [0, 1]; 0 packs a task into a dot."""
    epochs: int = 200
    """UMAP's optimisation epochs, >= 1."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("points", 5), ("neighbours", 2), ("epochs", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be >= {least}, got {getattr(self, name)}")
        if not 0 <= self.distance <= 1:
            raise ValueError(f"distance must be in [0, 1], got {self.distance}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """Where prompts are on the map."""

    row_K: NDArray[np.int64]
    """Their rows among the N prompts, ascending; none where a map can't be drawn."""
    point_K2: NDArray[np.float32]


def reduce(embedding_ND: NDArray[np.floating], config: DensityConfig) -> NDArray[np.float32]:
    """UMAP coordinates (McInnes, Healy, Melville 2018, arXiv 1802.03426), shape (N, L); one thread, seeded.

    Reproducible with a seed on one machine, not from one machine to another.

    Raises:
        ValueError: embeddings that are not finite, or too few prompts for the neighbourhood and the dimensions.
    """
    unit_ND = directions(embedding_ND)
    least = config.dimensions + 3
    if unit_ND.shape[0] < least:
        raise ValueError(f"UMAP to {config.dimensions} dimensions needs at least {least} prompts, got {len(unit_ND)}")
    return _umap(unit_ND, config.neighbours, config.dimensions, config.epochs, 0.0, config.seed)


def lay_out(embedding_ND: NDArray[np.floating], config: LayoutConfig) -> Layout:
    """Prompts in the plane by UMAP, similar ones near each other; at most `config.points` of them.

    Args:
        embedding_ND: one embedding a prompt, shape (N, D).
        config: sample and reduction.

    Returns:
        A layout of prompts whose embedding isn't zero; without points where those are fewer than five or all the same.

    Raises:
        ValueError: embeddings that are not finite.
    """
    unit_ND = directions(embedding_ND)
    # What has no direction is near nothing: it would lie anywhere.
    row_K = np.flatnonzero(unit_ND.any(axis=1))
    if row_K.size < 5 or np.all(unit_ND[row_K] == unit_ND[row_K[0]]):
        return Layout(row_K=np.empty(0, dtype=np.int64), point_K2=np.empty((0, 2), dtype=np.float32))
    if row_K.size > config.points:
        row_K = np.sort(np.random.default_rng(config.seed).choice(row_K, size=config.points, replace=False))
    point_K2 = _umap(unit_ND[row_K], config.neighbours, 2, config.epochs, config.distance, config.seed)
    return Layout(row_K=row_K, point_K2=point_K2)


def _umap(
    unit_ND: NDArray[np.float32], neighbours: int, dimensions: int, epochs: int, distance: float, seed: int
) -> NDArray[np.float32]:
    import umap  # noqa: PLC0415 - seconds to import

    _keep_compiled()
    # the search for neighbours is ours: umap's own compares all pairs of a few thousand prompts one by one, ten times
    # what the rest of it takes
    near = nearest_neighbours(unit_ND, min(neighbours, unit_ND.shape[0] - 1) - 1, seed=seed)
    index_NK = np.column_stack([np.arange(unit_ND.shape[0]), near.index_NK])
    distance_NK = np.column_stack([np.zeros(unit_ND.shape[0], dtype=np.float32), 1 - near.cosine_NK])
    model = umap.UMAP(
        n_neighbors=index_NK.shape[1],
        precomputed_knn=(index_NK, distance_NK),
        force_approximation_algorithm=True,  # else the neighbours are ignored
        n_components=dimensions,
        n_epochs=epochs,
        min_dist=distance,
        metric="cosine",
        init="pca",  # spectral initialisation warns and falls back to noise on graphs in several pieces
        random_state=seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(model.fit_transform(unit_ND), dtype=np.float32)


def _keep_compiled() -> None:
    """Has what umap compiles kept on disk: else each process compiles it anew, which takes 12 s."""
    from numba.core.dispatcher import Dispatcher  # noqa: PLC0415
    from umap import layouts, umap_  # noqa: PLC0415

    for function in (*vars(umap_).values(), *vars(layouts).values()):
        if isinstance(function, Dispatcher) and not function.signatures:
            function.enable_caching()


def compile_ahead() -> None:
    """Compiles what UMAP needs, which is kept beside its files: a minute of one core that no first run has to spend."""
    _umap(directions(np.random.default_rng(0).normal(size=(50, 4))), 15, 2, 1, 0.0, 0)


def cut_density(point_NL: NDArray[np.floating], config: DensityConfig) -> Partition:
    """HDBSCAN's clusters of points in few dimensions (Campello, Moulavi, Sander 2013), noise unassigned."""
    import hdbscan  # noqa: PLC0415 - compiles on import

    if point_NL.shape[0] < config.minimum_size:
        return nothing(point_NL.shape[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = hdbscan.HDBSCAN(
            min_cluster_size=config.minimum_size,
            min_samples=min(config.minimum_samples, point_NL.shape[0] - 1),
            core_dist_n_jobs=1,
        ).fit(np.asarray(point_NL, dtype=np.float64))
    membership_N = np.clip(np.nan_to_num(model.probabilities_), 0, 1)
    return from_labels(model.labels_, minimum_size=config.minimum_size, membership_N=membership_N)
