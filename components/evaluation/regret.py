"""Regret of routing decisions against the per-prompt oracle.

Shapes: N prompts, M candidates.
"""

import numpy as np
from numpy.typing import NDArray


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
