"""Pseudo-outcomes: one dense matrix in place of outcomes with holes. Shapes: N prompts, M candidates."""

import numpy as np
from numpy.typing import NDArray

FLOOR = 0.005
"""Least probability that an answer's weight is worked out with: no answer weighs more than two hundred.

Logs that explore a few percent of requests over ten candidates are so used as they are."""


def pseudo_outcomes(
    outcome_NM: NDArray[np.float64],
    predicted_NM: NDArray[np.float64],
    inclusion_NM: NDArray[np.float64],
    *,
    floor: float = FLOOR,
) -> NDArray[np.float64]:
    """Doubly robust stand-ins: q + (y - q) / p where an outcome was observed, q where none was (Dudik, Langford, Li
    2011, arXiv 1103.4601, equation 2).

    Their mean over prompts estimates the mean of the outcomes without bias where either q or p is right. With p = 1
    the stand-in is the outcome itself, so complete logs are left as they are. Each observed cell is corrected on its
    own, so a prompt may have any number of answers.

    Args:
        outcome_NM: what was observed, of any unit; nan where it wasn't.
        predicted_NM: q, predicted by a model that didn't see the prompt's own outcomes; nan where unknown.
        inclusion_NM: p, the probability that the cell was observed, in (0, 1], read at observed cells only.
        floor: least p used, in (0, 1]: bounds the weights and trades a little bias for variance.

    Returns:
        Shape (N, M); not within the outcomes' range. nan where q is unknown, but for cells with p = 1.

    Raises:
        ValueError: shapes differ, floor isn't in (0, 1], or an observed cell has no p in (0, 1].

    >>> pseudo_outcomes(np.array([[1.0, np.nan]]), np.array([[0.6, 0.5]]), np.array([[0.5, 0.5]]))
    array([[1.4, 0.5]])
    """
    observed_NM = ~np.isnan(outcome_NM)
    weight_NM = cell_weights(observed_NM, inclusion_NM, floor=floor)
    if predicted_NM.shape != outcome_NM.shape:
        raise ValueError(f"predictions {predicted_NM.shape} and outcomes {outcome_NM.shape} differ in shape")
    corrected_NM = predicted_NM + weight_NM * np.where(observed_NM, outcome_NM - predicted_NM, 0.0)
    # as it was observed, not (q + y) - q: complete logs are judged to the last bit as ever
    return np.asarray(np.where(weight_NM == 1.0, outcome_NM, corrected_NM), dtype=np.float64)


def cell_weights(
    observed_NM: NDArray[np.bool_], inclusion_NM: NDArray[np.float64], *, floor: float = FLOOR
) -> NDArray[np.float64]:
    """1 / p of each observed cell and 0 elsewhere, shape (N, M); p below the floor counts as the floor.

    Raises:
        ValueError: shapes differ, floor isn't in (0, 1], or an observed cell has no p in (0, 1].

    >>> cell_weights(np.array([[True, False]]), np.array([[0.25, np.nan]]))
    array([[4., 0.]])
    """
    if observed_NM.shape != inclusion_NM.shape:
        raise ValueError(f"propensities {inclusion_NM.shape} and outcomes {observed_NM.shape} differ in shape")
    if not 0 < floor <= 1:
        raise ValueError(f"floor must be in (0, 1], got {floor}")
    bad_NM = observed_NM & ~((inclusion_NM > 0) & (inclusion_NM <= 1))
    if bad_NM.any():
        row, column = (int(place[0]) for place in np.nonzero(bad_NM))
        raise ValueError(
            f"propensity must be in (0, 1] where there is an outcome, got {inclusion_NM[row, column]} "
            f"(prompt {row}, candidate {column}; {int(bad_NM.sum())} such)"
        )
    return np.where(observed_NM, 1.0 / np.maximum(np.where(observed_NM, inclusion_NM, 1.0), floor), 0.0)
