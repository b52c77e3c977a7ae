"""Pairwise votes as strengths and grades. Shapes: V votes, M candidates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
_STEPS = 100
_CLOSE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceConfig:
    """How strongly candidates without votes are held to the mean."""

    ridge: float = 0.1
    """Pseudo-information on each strength, > 0: candidates that only ever won have finite strengths."""

    def __post_init__(self) -> None:
        if not self.ridge > 0:
            raise ValueError(f"ridge must be > 0, got {self.ridge}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strengths:
    """A fitted Bradley-Terry model with ties."""

    strength_M: Floats
    """Log odds scale, mean 0."""
    tie: float
    """log of Davidson's nu; -inf: no ties were seen."""

    def points(self, first: Indices, second: Indices) -> Floats:
        """Expected points of the first of each pair: 1 a win, 1/2 a tie."""
        win, tie, _ = _chances(self.strength_M[first] - self.strength_M[second], self.tie)
        return win + tie / 2

    def field(self) -> Floats:
        """Expected points of each candidate against an average of the others, shape (M,)."""
        candidates = self.strength_M.size
        if candidates == 1:
            return np.full(1, 0.5)
        first, second = np.divmod(np.arange(candidates**2), candidates)
        points_MM = self.points(first, second).reshape(candidates, candidates)
        return np.asarray((points_MM.sum(axis=1) - np.diag(points_MM)) / (candidates - 1))


def fit_strengths(
    first_V: Indices, second_V: Indices, points_V: Floats, candidates: int, config: PreferenceConfig | None = None
) -> Strengths:
    """Bradley-Terry with ties by penalised maximum likelihood (Davidson 1970, doi 10.1080/01621459.1970.10481082).

    P(i beats j) = e^(d/2) / (e^(d/2) + e^(-d/2) + nu), P(tie) = nu / (the same), with d the difference of strengths.

    Args:
        first_V: candidate of each vote, in [0, M).
        second_V: the other one.
        points_V: of the first: 1 a win, 1/2 a tie, 0 a loss.
        candidates: M >= 1.
        config: shrinkage.

    Raises:
        ValueError: no vote, a vote between a candidate and itself, or points that are none of the three.

    >>> votes = np.array([0, 0, 0]), np.array([1, 1, 1]), np.array([1.0, 1.0, 0.0])
    >>> bool(np.diff(fit_strengths(*votes, 2).strength_M)[0] < 0)
    True
    """
    config = config or PreferenceConfig()
    if first_V.size == 0:
        raise ValueError("no vote to fit strengths to")
    if (first_V == second_V).any():
        raise ValueError(f"vote {int((first_V == second_V).argmax())} is between a candidate and itself")
    if not np.isin(points_V, (0.0, 0.5, 1.0)).all():
        raise ValueError("points of a vote must be 0, 1/2 or 1")
    tied_V = points_V == 0.5
    ties = bool(tied_V.any())
    design_VP = np.zeros((first_V.size, candidates + 1))
    rows = np.arange(first_V.size)
    design_VP[rows, first_V], design_VP[rows, second_V] = 1, -1
    fit_P = np.zeros(candidates + 1)
    free = candidates + 1 if ties else candidates
    votes = (design_VP, points_V, tied_V, config.ridge, ties)

    def padded(free_P: Floats) -> Floats:
        return np.append(free_P, fit_P[free_P.size :])

    found = minimize(
        lambda free_P: _loss(padded(free_P), *votes),
        fit_P[:free],
        jac=lambda free_P: _slopes(padded(free_P), *votes)[0][:free],
        hess=lambda free_P: _slopes(padded(free_P), *votes)[1][:free, :free],
        method="trust-exact",
        options={"gtol": _CLOSE},
    )
    fit_P = padded(found.x)
    strength_M = fit_P[:-1] - fit_P[:-1].mean()
    return Strengths(strength_M=strength_M, tie=float(fit_P[-1]) if ties else -np.inf)


def grade_votes(
    prompt_V: Indices, first_V: Indices, second_V: Indices, points_V: Floats, fitted: Strengths
) -> tuple[Indices, Indices, Floats]:
    """A grade in [0, 1] for each (prompt, candidate) that was voted on.

    The candidate's points against an average of the field, plus what it scored on the prompt beyond what was expected
    against those it met there: a win over a strong opponent is worth more than one over a weak one.

    Returns:
        Prompt, candidate and grade, sorted by prompt and candidate.
    """
    candidates = fitted.strength_M.size
    expected_V = fitted.points(first_V, second_V)
    cell_W = np.concatenate([prompt_V * candidates + first_V, prompt_V * candidates + second_V])
    surplus_W = np.concatenate([points_V - expected_V, expected_V - points_V])
    cells, inverse_W, count = np.unique(cell_W, return_inverse=True, return_counts=True)
    mean = np.bincount(inverse_W, surplus_W) / count
    prompt, candidate = np.divmod(cells, candidates)
    return prompt, candidate, np.clip(fitted.field()[candidate] + mean, 0, 1)


def _chances(difference_V: Floats, tie: float) -> tuple[Floats, Floats, Floats]:
    """Probabilities of a win, a tie and a loss."""
    scores = np.stack([difference_V / 2, np.full_like(difference_V, tie), -difference_V / 2])
    scores = np.exp(scores - scores.max(axis=0))
    win, tied, lost = scores / scores.sum(axis=0)
    return win, tied, lost


def _loss(
    fit_P: Floats, design_VP: Floats, points_V: Floats, tied_V: NDArray[np.bool_], ridge: float, ties: bool
) -> float:
    win, tied, lost = _chances(design_VP[:, :-1] @ fit_P[:-1], float(fit_P[-1]) if ties else -np.inf)
    seen_V = np.where(tied_V, tied, np.where(points_V == 1, win, lost))
    return float(-np.log(np.maximum(seen_V, 1e-300)).sum() + ridge * (fit_P[:-1] ** 2).sum() / 2)


def _slopes(
    fit_P: Floats, design_VP: Floats, points_V: Floats, tied_V: NDArray[np.bool_], ridge: float, ties: bool
) -> tuple[Floats, Floats]:
    """Gradient and Hessian of the loss: a multinomial logit with half differences and one constant for ties."""
    half_VM = design_VP[:, :-1] / 2
    win, tied, lost = _chances(design_VP[:, :-1] @ fit_P[:-1], float(fit_P[-1]) if ties else -np.inf)
    lean_V = win - lost
    gradient_P = np.append(half_VM.T @ (lean_V - (2 * points_V - 1)), (tied - tied_V).sum())
    spread_V = win + lost - lean_V**2
    hessian_PP = np.zeros((fit_P.size, fit_P.size))
    hessian_PP[:-1, :-1] = (half_VM * spread_V[:, None]).T @ half_VM
    hessian_PP[-1, :-1] = hessian_PP[:-1, -1] = -half_VM.T @ (lean_V * tied)
    hessian_PP[-1, -1] = (tied * (1 - tied)).sum() + 1e-12
    gradient_P[:-1] += ridge * fit_P[:-1]
    hessian_PP[:-1, :-1] += ridge * np.eye(fit_P.size - 1)
    return gradient_P, hessian_PP
