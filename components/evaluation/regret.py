"""Regret of routing decisions against the per-prompt oracle.

Shapes: N prompts, M candidates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Tradeoff:
    """What a unit of quality is worth."""

    willingness_to_pay: float = float("inf")
    """USD per unit of quality and prompt, > 0; infinite: cost doesn't matter."""

    def __post_init__(self) -> None:
        if not self.willingness_to_pay > 0:
            raise ValueError(f"willingness_to_pay must be > 0 USD, got {self.willingness_to_pay}")


def utility(
    quality_NM: NDArray[np.float64], cost_usd_NM: NDArray[np.float64], tradeoff: Tradeoff
) -> NDArray[np.float64]:
    """Quality less the cost in units of quality: q - c / w (RouterBench, arXiv 2403.12031, section 3).

    Args:
        quality_NM: quality of each candidate on each prompt, in [0, 1], shape (N, M).
        cost_usd_NM: cost of the same calls, USD >= 0, shape (N, M).
        tradeoff: the price of quality.

    Returns:
        Utility, shape (N, M); quality itself where cost doesn't matter.

    Raises:
        ValueError: the shapes differ.

    >>> utility(np.array([[1.0, 0.5]]), np.array([[0.2, 0.0]]), Tradeoff(willingness_to_pay=0.4))
    array([[0.5, 0.5]])
    """
    if quality_NM.shape != cost_usd_NM.shape:
        raise ValueError(f"quality {quality_NM.shape} and cost {cost_usd_NM.shape} differ in shape")
    return quality_NM - cost_usd_NM / tradeoff.willingness_to_pay


def regret(utility_NM: NDArray[np.float64], choice_N: NDArray[np.intp]) -> NDArray[np.float64]:
    """Utility lost to the oracle on each prompt, shape (N,), never negative; 0 where the choice ties with the best.

    Args:
        utility_NM: utility of each candidate on each prompt, shape (N, M).
        choice_N: index of the chosen candidate, in [0, M), shape (N,).

    Raises:
        IndexError: a choice is no candidate.

    >>> regret(np.array([[0.2, 0.9], [0.7, 0.7]]), np.array([0, 1]))
    array([0.7, 0. ])
    """
    chosen_N = np.take_along_axis(utility_NM, choice_N[:, None], axis=1)[:, 0]
    return np.asarray(utility_NM.max(axis=1) - chosen_N, dtype=np.float64)
