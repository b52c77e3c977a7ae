"""The chance that tables show an answer, by the log or by a purchase. Shapes: N prompts, M candidates.

An answer that a log shows with probability p and a purchase with probability b is there with 1 - (1 - p) (1 - b).
Judged by that chance, all answers count once, whoever asked (Horvitz and Thompson 1952); judged by p and b apart,
prompts that were asked twice over would count double.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_PRIOR = 5.0
"""Prompts of all labels that each label's shares are drawn towards."""


def either(logged: Floats, bought: Floats) -> Floats:
    """Chance of at least one of two independent draws.

    >>> either(np.array([0.5]), np.array([0.5])).tolist()
    [0.75]
    """
    return np.asarray(1 - (1 - logged) * (1 - bought))


def shown_before(answered_NM: NDArray[np.bool_], propensity_NM: Floats, label_N: NDArray[np.int32]) -> Floats:
    """Chance of each cell before a purchase: as logged where there is an answer, else its candidate's share by label.

    Args:
        answered_NM: where there is an answer.
        propensity_NM: as logged; nan where not.
        label_N: what shares may depend on.
    """
    groups_N = np.unique(label_N, return_inverse=True)[1]
    size_G = np.bincount(groups_N)[:, None]
    count_GM = np.zeros((size_G.size, answered_NM.shape[1]))
    np.add.at(count_GM, groups_N, answered_NM)
    share_GM = (count_GM + _PRIOR * answered_NM.mean(axis=0)) / (size_G + _PRIOR)
    return np.where(np.isfinite(propensity_NM) & answered_NM, propensity_NM, share_GM[groups_N])
