"""Kernel ridge regression on centres, what all candidates share and what sets them apart penalised each on its own.

Outcomes are rotated first: their mean over candidates, and the principal axes of what departs from it. Each axis has a
length scale and a penalty of its own, by leave-one-out errors: how hard a prompt is can be read from its text far
better than which candidate wins, and one penalty for both believes too much of the latter.
Shapes: N prompts, M candidates, F features, C centres, B basis functions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from components.baselines.observed import candidate_means, unseen_last
from components.tables.board import Board
from pointsman.model.unit import unit_rows

Floats = NDArray[np.float64]
_JITTER = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelConfig:
    """What is tried."""

    centres: int = 500
    """Of the Nystroem approximation (Williams and Seeger 2001), >= 1; at most a third of the prompts."""
    scales: tuple[float, ...] = (0.5, 0.8, 1.2)
    """Length scales of the Gaussian kernel between unit features, each > 0."""
    penalties: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
    """Ridge penalties, each > 0."""
    shared: bool = True
    """Whether outcomes are rotated; without, each candidate is regressed by itself."""

    def __post_init__(self) -> None:
        if self.centres < 1 or not self.scales or not self.penalties or min(*self.scales, *self.penalties) <= 0:
            raise ValueError(f"centres must be >= 1, scales and penalties > 0 and at least one each, got {self}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basis:
    """Unit features, and Gaussian bumps at centres, whitened."""

    centre_CF: Floats
    whiten_CC: Floats
    scale: float

    def __call__(self, features_NF: NDArray[np.float32]) -> Floats:
        """Shape (N, B)."""
        unit_NF = unit_rows(features_NF).astype(np.float64)
        bump_NC = np.exp(-_squares(unit_NF, self.centre_CF) / (2 * self.scale**2))
        return np.hstack([unit_NF, bump_NC @ self.whiten_CC])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KernelModel:
    """One linear map a length scale, into the rotated outcomes, and back."""

    bases: tuple[Basis, ...]
    weight_BMs: tuple[Floats, ...]
    """Of each basis; zero in the columns that another scale predicts."""
    centre_M: Floats
    """What the rotated outcomes are at the mean basis, rotated back: the mean outcome."""
    axis_MM: Floats
    """Orthonormal columns."""
    seen_M: NDArray[np.bool_]

    def predict(self, features_NF: NDArray[np.float32]) -> Floats:
        """Predicted quality, shape (N, M); may exceed [0, 1], for cutting there would lose the order."""
        rotated_NM = sum(basis(features_NF) @ weight for basis, weight in zip(self.bases, self.weight_BMs, strict=True))
        return unseen_last(rotated_NM @ self.axis_MM.T + self.centre_M, self.seen_M)


def fit(training: Board, seed: int, config: KernelConfig = KernelConfig()) -> KernelModel:
    """Missing outcomes are filled with the candidate's mean and the prompt's ease among the candidates that it has.

    Raises:
        ValueError: no outcome.
    """
    general_M = candidate_means(training.quality_NM)
    outcome_NM = _filled(training.quality_NM, general_M)
    centre_M = outcome_NM.mean(axis=0)
    axis_MM = _axes(outcome_NM - centre_M) if config.shared else np.eye(centre_M.size)
    target_NM = (outcome_NM - centre_M) @ axis_MM
    unit_NF = unit_rows(training.features_NF).astype(np.float64)
    count = max(1, min(config.centres, len(unit_NF) // 3))
    means = MiniBatchKMeans(count, random_state=seed, n_init=1, max_iter=20, batch_size=2048).fit(unit_NF)
    centre_CF = np.asarray(means.cluster_centers_, dtype=np.float64)
    bases = tuple(_basis(centre_CF, scale) for scale in config.scales)
    score_SM, shift_SM, weights = [], [], []
    for basis in bases:
        score_M, weight_BM, shift_M = _ridge(basis(training.features_NF), target_NM, config.penalties)
        score_SM.append(score_M)
        shift_SM.append(shift_M)
        weights.append(weight_BM)
    best_M = np.stack(score_SM).argmin(axis=0)
    chosen_SM = best_M == np.arange(len(bases))[:, None]
    shift_M = np.where(chosen_SM, np.stack(shift_SM), 0).sum(axis=0)
    return KernelModel(
        bases=bases,
        weight_BMs=tuple(np.where(mine_M, weight, 0.0) for mine_M, weight in zip(chosen_SM, weights, strict=True)),
        centre_M=centre_M + shift_M @ axis_MM.T,
        axis_MM=axis_MM,
        seen_M=general_M > 0,
    )


def _filled(quality_NM: Floats, general_M: Floats) -> Floats:
    above_NM = np.where(np.isnan(quality_NM), 0.0, quality_NM - general_M)
    ease_N1 = above_NM.sum(axis=1, keepdims=True) / np.maximum((~np.isnan(quality_NM)).sum(axis=1, keepdims=True), 1)
    return np.where(np.isnan(quality_NM), general_M + ease_N1, quality_NM)


def _axes(centred_NM: Floats) -> Floats:
    """The even direction first, then the principal axes of the departures from it, shape (M, M)."""
    size = centred_NM.shape[1]
    departure_NM = centred_NM - centred_NM.mean(axis=1, keepdims=True)
    _, vector_MM = np.linalg.eigh(departure_NM.T @ departure_NM)
    # of the least eigenvalue, 0, is the even direction itself; a QR keeps the others orthogonal to it exactly
    even_M1 = np.full((size, 1), size**-0.5)
    return np.asarray(np.linalg.qr(np.hstack([even_M1, vector_MM[:, :0:-1]]))[0], dtype=np.float64)


def _basis(centre_CF: Floats, scale: float) -> Basis:
    value_C, vector_CC = np.linalg.eigh(np.exp(-_squares(centre_CF, centre_CF) / (2 * scale**2)))
    return Basis(centre_CF=centre_CF, whiten_CC=vector_CC / np.sqrt(np.maximum(value_C, 0) + _JITTER), scale=scale)


def _squares(a_NF: Floats, b_CF: Floats) -> Floats:
    """Squared distances, shape (N, C)."""
    square_NC = (a_NF**2).sum(axis=1)[:, None] + (b_CF**2).sum(axis=1) - 2 * a_NF @ b_CF.T
    return np.asarray(np.maximum(square_NC, 0), dtype=np.float64)


def _ridge(basis_NB: Floats, target_NM: Floats, penalties: tuple[float, ...]) -> tuple[Floats, Floats, Floats]:
    """Of each column: least squared leave-one-out error, weights (B, M) and intercept.

    The leave-one-out error is exact: residual / (1 - leverage) (Allen 1974, PRESS).
    """
    prompts = len(basis_NB)
    centre_B, centre_M = basis_NB.mean(axis=0), target_NM.mean(axis=0)
    target_NM = target_NM - centre_M
    value_B, vector_BB = np.linalg.eigh((basis_NB - centre_B).T @ (basis_NB - centre_B))
    rotated_NB = (basis_NB - centre_B) @ vector_BB
    projected_BM = rotated_NB.T @ target_NM
    best_M = np.full(target_NM.shape[1], np.inf)
    weight_BM = np.zeros_like(projected_BM)
    for penalty in penalties:
        inverse_B = 1 / (np.maximum(value_B, 0) + penalty)
        tried_BM = projected_BM * inverse_B[:, None]
        leverage_N1 = (rotated_NB**2 @ inverse_B + 1 / prompts)[:, None]
        left_NM = (target_NM - rotated_NB @ tried_BM) / np.maximum(1 - leverage_N1, 1e-6)
        score_M = (left_NM**2).mean(axis=0)
        weight_BM = np.where(score_M < best_M, tried_BM, weight_BM)
        best_M = np.minimum(score_M, best_M)
    weight_BM = vector_BB @ weight_BM
    return best_M, weight_BM, centre_M - centre_B @ weight_BM
