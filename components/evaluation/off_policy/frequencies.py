"""How often a cell is observed, by group of prompts. Shapes: K prompts, M candidates, G groups."""

import numpy as np
from numpy.typing import NDArray


def frequencies(
    seen_KM: NDArray[np.bool_], group_K: NDArray[np.intp], groups: int | None = None
) -> NDArray[np.float64]:
    """Share of each group's prompts on which each candidate is observed, shape (G, M); 0 for an empty group."""
    count = np.zeros((int(group_K.max()) + 1 if groups is None else groups, seen_KM.shape[1]))
    np.add.at(count, group_K, seen_KM)
    size = np.bincount(group_K, minlength=len(count))
    return np.asarray(count / np.maximum(size, 1)[:, None], dtype=np.float64)


def frequency_model(
    seen_KM: NDArray[np.bool_], group_K: NDArray[np.intp], fold_K: NDArray[np.intp], *, prior: float = 5.0
) -> NDArray[np.float64]:
    """Each prompt's probabilities by the shares in its group in the other folds, shape (K, M).

    Args:
        seen_KM: where there is an outcome.
        group_K: number of each prompt's group, from 0.
        fold_K: number of each prompt's fold; each fold is judged by the others.
        prior: prompts of all groups that each group's shares are drawn towards, >= 0.
    """
    groups = int(group_K.max()) + 1
    inclusion_KM = np.empty(seen_KM.shape)
    for fold in np.unique(fold_K):
        out_K = fold_K == fold
        others = seen_KM[~out_K]
        overall_M = others.mean(axis=0)
        size_G = np.bincount(group_K[~out_K], minlength=groups)[:, None]
        share_GM = frequencies(others, group_K[~out_K], groups)
        shrunk_GM = (share_GM * size_G + prior * overall_M) / np.maximum(size_G + prior, 1e-12)
        inclusion_KM[out_K] = shrunk_GM[group_K[out_K]]
    return inclusion_KM
