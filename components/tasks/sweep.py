"""Many ways to cut the same prompts, sharing what can be shared. Shapes: N prompts, M candidates, S settings."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from components.tasks.density import DensityConfig, cut_density, reduce
from components.tasks.graph import GraphConfig, cut, nothing, similarities
from components.tasks.neighbours import nearest_neighbours
from components.tasks.partition import Partition
from components.tasks.stability import bootstrap_aris

Setting = GraphConfig | DensityConfig
"""Settings of a sweep may differ in the cut (mix, resolution, sizes), not in neighbours, rbo_p, epochs or seed."""


def method_of(setting: Setting) -> Literal["graph", "density"]:
    """Which method a setting is of."""
    return "graph" if isinstance(setting, GraphConfig) else "density"


def partitions(
    unit_ND: NDArray[np.float32],
    quality_NM: NDArray[np.floating],
    settings: Sequence[Setting],
    label_N: NDArray[np.str_] | None = None,
) -> tuple[list[Partition], float | None]:
    """One partition a setting; neighbours, overlaps and UMAP, which settings of a method share, are computed once.

    Returns:
        The partitions, and the share of true neighbours that the graphs' search found, None without graphs.
    """
    recall = None
    graphs = [setting for setting in settings if isinstance(setting, GraphConfig)]
    densities = [setting for setting in settings if isinstance(setting, DensityConfig)]
    found: dict[Setting, Partition] = {}
    if graphs:
        neighbours = nearest_neighbours(unit_ND, graphs[0].neighbours, seed=graphs[0].seed)
        recall = neighbours.recall
        edges = similarities(neighbours, quality_NM, graphs[0].rbo_p, label_N)
        found |= {graph: cut(edges, graph) for graph in graphs}
    if densities and unit_ND.shape[0] >= densities[0].dimensions + 3:
        point_NL = reduce(unit_ND, densities[0])
        found |= {density: cut_density(point_NL, density) for density in densities}
    return [found.get(setting, nothing(unit_ND.shape[0])) for setting in settings], recall


def stabilities(
    unit_ND: NDArray[np.float32],
    quality_NM: NDArray[np.floating],
    settings: Sequence[Setting],
    found: Sequence[Partition],
    tied_S: NDArray[np.bool_],
    *,
    label_N: NDArray[np.str_] | None = None,
    repeats: int,
    seed: int,
) -> list[float | None]:
    """Bootstrap ARI of every contender: the first tied trial of each distinct partition; None for the rest."""
    first = {partition.task_N.tobytes(): s for s, partition in reversed(list(enumerate(found))) if tied_S[s]}
    contenders = sorted(first.values())
    stability_S: list[float | None] = [None] * len(found)
    for method, draws in (("graph", repeats), ("density", max(1, repeats // 2))):
        rows = [s for s in contenders if method_of(settings[s]) == method]
        if not rows:
            continue
        chosen = [settings[s] for s in rows]

        def rediscover(row_K: NDArray[np.int64], chosen: Sequence[Setting] = chosen) -> list[Partition]:
            # The least size shrinks with the sample, or small tasks would vanish from it for no fault of the method.
            share = row_K.size / unit_ND.shape[0]
            smaller = [replace(one, minimum_size=max(2, round(one.minimum_size * share))) for one in chosen]
            return partitions(
                unit_ND[row_K], quality_NM[row_K], smaller, label_N if label_N is None else label_N[row_K]
            )[0]

        score = bootstrap_aris(rediscover, [found[s] for s in rows], seed=seed, repeats=draws)
        for s, value in zip(rows, score, strict=True):
            stability_S[s] = value
    return stability_S
