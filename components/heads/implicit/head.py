"""Implicit models as quality heads: trained, stored as arrays, evaluated.

El Ghaoui et al. 2021 (arXiv 1908.06315); Decugis et al. 2024 (arXiv 2407.14430).
Shapes: N samples, F inputs, S states, M outputs.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from components.heads.implicit.fixed_point import (
    Activation,
    NotConverged,
    SolverConfig,
    activate,
    layer_step,
    solve,
)
from components.heads.implicit.layer import ImplicitConfig, ImplicitLayer, ImplicitStatistics
from components.heads.losses import masked_bce
from components.heads.training import FitReport, fit, seeded
from components.tables.units import tenth
from pointsman.model.weights import sigmoid

__all__ = [
    "ImplicitConfig",
    "ImplicitHead",
    "ImplicitLayer",
    "ImplicitStatistics",
    "NotConverged",
    "to_head",
    "train_implicit_head",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImplicitHead:
    """A trained implicit head as arrays, checked to be well-posed whenever it is made.

    Raises:
        ValueError: A isn't square, ||A||_inf >= 1, shapes don't match or a value isn't finite.
    """

    feedback_SS: NDArray[np.float32]
    drive_SF: NDArray[np.float32]
    drive_bias_S: NDArray[np.float32]
    output_MS: NDArray[np.float32]
    skip_MF: NDArray[np.float32]
    output_bias_M: NDArray[np.float32]
    activation: Activation
    solver: SolverConfig
    statistics: ImplicitStatistics
    fit: FitReport

    def __post_init__(self) -> None:
        if self.feedback_SS.ndim != 2 or self.feedback_SS.shape[0] != self.feedback_SS.shape[1]:
            raise ValueError(f"A must be square, got {self.feedback_SS.shape}")
        states, inputs, outputs = self.feedback_SS.shape[0], self.drive_SF.shape[-1], self.output_MS.shape[0]
        arrays = {
            "A": (self.feedback_SS, (states, states)),
            "B": (self.drive_SF, (states, inputs)),
            "b": (self.drive_bias_S, (states,)),
            "C": (self.output_MS, (outputs, states)),
            "D": (self.skip_MF, (outputs, inputs)),
            "c": (self.output_bias_M, (outputs,)),
        }
        for name, (array, shape) in arrays.items():
            if array.shape != shape:
                raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds nan or infinite values")
        norm = float(np.abs(self.feedback_SS).sum(axis=1, dtype=np.float64).max())
        if norm >= 1:
            raise ValueError(f"||A||_inf must be below 1 for a unique fixed point, got {norm:.6g}")

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predicted quality in [0, 1], shape (N, M).

        Raises:
            ValueError: features don't match B or aren't finite.
            NotConverged: a sample's state didn't settle.
        """
        return sigmoid(self.logits(features_NF))

    def logits(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """The layer's outputs, shape (N, M); raises what `predict` does."""
        if features_NF.ndim != 2 or features_NF.shape[1] != self.drive_SF.shape[1]:
            raise ValueError(f"features must have shape (N, {self.drive_SF.shape[1]}), got {features_NF.shape}")
        if not np.isfinite(features_NF).all():
            raise ValueError("features hold nan or infinite values")
        feedback_SS = torch.tensor(self.feedback_SS, dtype=torch.float64)
        drive_NS = torch.tensor(features_NF @ self.drive_SF.T + self.drive_bias_S, dtype=torch.float64)
        found = solve(
            layer_step(feedback_SS, self.activation), activate(self.activation, drive_NS), (drive_NS,), self.solver
        )
        state_NS = found.state_NS.numpy()
        logits_NM: NDArray[np.float64] = state_NS @ self.output_MS.T + features_NF @ self.skip_MF.T + self.output_bias_M
        return logits_NM


def train_implicit_head(
    features_NF: NDArray[np.float32],
    quality_NM: NDArray[np.float64],
    config: ImplicitConfig = ImplicitConfig(),  # noqa: B008  frozen
    seed: int = 0,
    *,
    validation_features_NF: NDArray[np.float32] | None = None,
    validation_quality_NM: NDArray[np.float64] | None = None,
    group_N: NDArray[np.integer] | None = None,
) -> ImplicitHead:
    """An implicit layer from features to the quality of each candidate, by masked cross-entropy.

    Without validation rows, a `tenth` of the rows is held out to stop training.

    Args:
        features_NF: finite.
        quality_NM: quality in [0, 1]; nan: not observed.
        config: see ImplicitConfig.
        seed: of initial weights, order and held-out rows.
        validation_features_NF: features of other rows, (K, F).
        validation_quality_NM: their quality, (K, M).
        group_N: prompts that belong together, such as turns of a conversation, and are held out together; below 0: to
            nothing. None: all are independent.

    Raises:
        ValueError: shapes don't match, features hold nan, or there is no outcome.
        NotConverged: a fixed point wasn't found.
    """
    if features_NF.ndim != 2 or quality_NM.ndim != 2 or features_NF.shape[0] != quality_NM.shape[0]:
        raise ValueError(f"features {features_NF.shape} and quality {quality_NM.shape} don't match")
    if not np.isfinite(features_NF).all():
        raise ValueError("features hold nan or infinite values")
    observed_N = ~np.isnan(quality_NM).all(axis=1)
    if not observed_N.any():
        raise ValueError("no row has an outcome")
    if np.nanmin(quality_NM) < 0 or np.nanmax(quality_NM) > 1:
        raise ValueError("quality must be in [0, 1] or nan")
    rows_K = np.flatnonzero(observed_N)
    if validation_features_NF is None or validation_quality_NM is None:
        held_K, rest_K = tenth(np.full(rows_K.size, -1) if group_N is None else group_N[rows_K], seed)
        validation_features_NF, validation_quality_NM = features_NF[rows_K[held_K]], quality_NM[rows_K[held_K]]
        rows_K = rows_K[rest_K]
    else:
        rows_K = np.random.default_rng(seed).permutation(rows_K)
    with seeded(seed):
        layer = ImplicitLayer(features_NF.shape[1], quality_NM.shape[1], config)
    training = (torch.tensor(features_NF[rows_K]), torch.tensor(quality_NM[rows_K], dtype=torch.float32))
    judged_K = ~np.isnan(validation_quality_NM).all(axis=1)
    validation = (
        torch.tensor(validation_features_NF[judged_K]),
        torch.tensor(validation_quality_NM[judged_K], dtype=torch.float32),
    )
    report = fit(
        layer,
        lambda batch: masked_bce(layer(batch[0]), batch[1]),
        training,
        validation,
        config.fit,
        seed,
        after_step=layer.project,
    )
    return to_head(layer, training[0], report)


def to_head(layer: ImplicitLayer, inputs_NF: Tensor, report: FitReport) -> ImplicitHead:
    """A layer's arrays, with its statistics on some inputs."""

    def array(tensor: Tensor | None, *shape: int) -> NDArray[np.float32]:
        return np.zeros(shape, dtype=np.float32) if tensor is None else tensor.detach().numpy().copy()

    states, outputs = layer.config.states, layer.output.out_features
    return ImplicitHead(
        feedback_SS=array(layer.feedback_SS),
        drive_SF=array(layer.drive.weight),
        drive_bias_S=array(layer.drive.bias, states),
        output_MS=array(layer.output.weight),
        skip_MF=array(layer.skip.weight if layer.skip is not None else None, outputs, layer.drive.in_features),
        output_bias_M=array(layer.output.bias, outputs),
        activation=layer.config.activation,
        solver=layer.config.solver,
        statistics=layer.statistics(inputs_NF),
        fit=report,
    )
