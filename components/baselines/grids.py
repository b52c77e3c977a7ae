"""What each tunable method may be configured as: declared before any run, as many configurations for each.

The first of a grid is the method's default, which wins where validation can't tell them apart. knn10, knn100 and
kmeans60 stay as the literature has them; "knn" and "kmeans" are their tuned forms.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from components.baselines import (
    graph_router,
    guarded_knn,
    hierarchical,
    implicit,
    ipr,
    irt,
    kernel,
    kmeans_table,
    knn,
    linear,
    matrix_factorisation,
    mlp,
    router_dc,
)
from components.baselines.graph_router import GraphConfig
from components.baselines.guarded_knn import GuardedConfig
from components.baselines.hierarchical import HierarchyConfig
from components.baselines.ipr import IprConfig
from components.baselines.irt import IrtConfig
from components.baselines.kernel import KernelConfig
from components.baselines.knn import KnnConfig
from components.baselines.linear import LinearConfig
from components.baselines.matrix_factorisation import FactorConfig
from components.baselines.mlp import MlpConfig
from components.baselines.protocol import Fit, QualityModel
from components.baselines.router_dc import ContrastConfig
from components.heads.implicit.head import ImplicitConfig
from components.heads.training import FitConfig

TRIALS = 6
"""Configurations of each grid."""


def _each(fit: Callable[..., QualityModel], *configs: object) -> tuple[Fit, ...]:
    return tuple(partial(fit, config=config) for config in configs)


GRIDS: Mapping[str, Sequence[Fit]] = {
    "knn": _each(knn.fit, *(KnnConfig(neighbours=k) for k in (100, 10, 20, 40, 200, 400))),
    "guarded_knn": _each(
        guarded_knn.fit,
        *(
            GuardedConfig(neighbours=k, z=z)
            for k, z in ((100, 1.0), (100, 0.5), (100, 1.5), (50, 0.5), (50, 1.0), (200, 1.5))
        ),
    ),
    "kmeans": _each(kmeans_table.fit, *(HierarchyConfig(clusters=(c,), repeats=1) for c in (60, 8, 20, 40, 100, 160))),
    "hierarchical": _each(
        hierarchical.fit,
        *(
            HierarchyConfig(clusters=clusters)
            for clusters in ((8, 20, 60), (20,), (8, 20), (20, 60), (8, 20, 60, 120), (4, 16, 64))
        ),
    ),
    "linear": _each(
        linear.fit,
        LinearConfig(),
        *(LinearConfig(penalties=(penalty,)) for penalty in (1.0, 3.0, 10.0, 30.0, 100.0)),
    ),
    "kernel": _each(
        kernel.fit,
        KernelConfig(),
        KernelConfig(centres=250),
        KernelConfig(centres=1000),
        KernelConfig(scales=(0.3, 0.5, 0.8)),
        KernelConfig(scales=(0.8, 1.2, 2.0)),
        KernelConfig(shared=False),
    ),
    "mlp": _each(
        mlp.fit,
        MlpConfig(),
        MlpConfig(hidden=128),
        MlpConfig(hidden=512),
        MlpConfig(dropout=0.1),
        MlpConfig(dropout=0.5),
        MlpConfig(fit=FitConfig(learning_rate=7e-4, weight_decay=0.02)),
    ),
    "matrix_factorisation": _each(
        matrix_factorisation.fit,
        *(FactorConfig(rank=rank) for rank in (32, 8, 16, 64, 128)),
        FactorConfig(fit=FitConfig(learning_rate=7e-4, weight_decay=0.05)),
    ),
    "irt": _each(
        irt.fit,
        *(IrtConfig(abilities=abilities) for abilities in (16, 4, 8, 32, 64)),
        IrtConfig(fit=FitConfig(learning_rate=7e-4, weight_decay=0.05)),
    ),
    "implicit": _each(
        implicit.fit,
        *(ImplicitConfig(states=states) for states in (64, 16, 32, 128)),
        ImplicitConfig(fit=FitConfig(learning_rate=7e-4, weight_decay=0.05)),
        ImplicitConfig(fit=FitConfig(learning_rate=2e-3, weight_decay=0.2)),
    ),
    "graph_router": _each(
        graph_router.fit,
        GraphConfig(),
        GraphConfig(hidden=64),
        GraphConfig(tasks=8),
        GraphConfig(tasks=60),
        GraphConfig(dropout=0.5),
        GraphConfig(fit=FitConfig(learning_rate=7e-4, weight_decay=0.05)),
    ),
    "router_dc": _each(
        router_dc.fit,
        ContrastConfig(),
        ContrastConfig(temperature=0.05),
        ContrastConfig(temperature=0.2),
        ContrastConfig(clusters=5),
        ContrastConfig(clusters=40),
        ContrastConfig(sample_weight=0.3),
    ),
    "ipr": _each(
        ipr.fit,
        IprConfig(),
        IprConfig(identity=64),
        IprConfig(hidden=64),
        IprConfig(hidden=256),
        IprConfig(dropout=0.5),
        IprConfig(fit=FitConfig(learning_rate=7e-4, weight_decay=0.02)),
    ),
}
"""Name -> ways to train, TRIALS of each."""
