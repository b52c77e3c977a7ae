"""Every method a router is compared with, by name."""

from collections.abc import Mapping
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from components.baselines import (
    best_per_benchmark,
    best_single,
    cheapest,
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
    random_choice,
    router_dc,
)
from components.baselines.protocol import Fit
from components.heads.implicit.head import ImplicitConfig
from components.tables.board import Board

METHODS: Mapping[str, Fit] = {
    "random": random_choice.fit,
    "cheapest": cheapest.fit,
    "best_single": best_single.fit,
    "best_per_benchmark": best_per_benchmark.fit,
    "knn10": partial(knn.fit, config=knn.KnnConfig(neighbours=10)),
    "knn100": partial(knn.fit, config=knn.KnnConfig(neighbours=100)),
    "guarded_knn": guarded_knn.fit,
    "kmeans60": kmeans_table.fit,
    "hierarchical": hierarchical.fit,
    "linear": linear.fit,
    "kernel": kernel.fit,
    "mlp": mlp.fit,
    "mlp_no_bias": partial(mlp.fit, config=mlp.MlpConfig(bias=False)),
    "mlp_skip": partial(mlp.fit, config=mlp.MlpConfig(skip=True)),
    "implicit": implicit.fit,
    "implicit_no_feedback": partial(implicit.fit, config=ImplicitConfig(feedback="none")),
    "implicit_no_skip": partial(implicit.fit, config=ImplicitConfig(skip=False)),
    "matrix_factorisation": matrix_factorisation.fit,
    "irt": irt.fit,
    "graph_router": graph_router.fit,
    "router_dc": router_dc.fit,
    "ipr": ipr.fit,
}
"""'cheapest' raises ValueError where no cost is known; 'best_per_benchmark' reads the label, so it is no router."""


@runtime_checkable
class LabelledModel(Protocol):
    """A yardstick that must know each prompt's benchmark."""

    def predict_labelled(self, features_NF: NDArray[np.float32], benchmark_N: NDArray[np.str_]) -> NDArray[np.float64]:
        """Predicted quality, shape (N, M)."""
        ...


@runtime_checkable
class ReportingModel(Protocol):
    """A method that has more to tell than its predictions."""

    def figures(self) -> dict[str, float]:
        """Figures of what was trained, by name."""
        ...


def fit_predict(fit: Fit, training: Board, judged: Board, seed: int) -> NDArray[np.float64]:
    """Predicted quality on the judged prompts, shape (N, M); only yardsticks see their labels, nothing their outcomes.

    Raises:
        ValueError: the method can't be trained on this training set.
    """
    return fit_predict_figures(fit, training, judged, seed)[0]


def fit_predict_figures(
    fit: Fit, training: Board, judged: Board, seed: int
) -> tuple[NDArray[np.float64], dict[str, float]]:
    """As `fit_predict`, and the figures that the trained model reports; none for most.

    Raises:
        ValueError: the method can't be trained on this training set.
    """
    model = fit(training, seed)
    figures = model.figures() if isinstance(model, ReportingModel) else {}
    if isinstance(model, LabelledModel):
        return model.predict_labelled(judged.features_NF, judged.benchmark_N), figures
    return model.predict(judged.features_NF), figures
