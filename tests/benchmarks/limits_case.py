"""What prompts that are nearly the same share of their outcomes. Shapes: N prompts, M candidates, P pairs of twins."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def parts(quality_NM: Floats) -> tuple[Floats, Floats]:
    """What candidates share of each prompt's outcomes, (N, 1), and what each departs from that, (N, M)."""
    above_NM = quality_NM - quality_NM.mean(axis=0)
    shared_N1 = above_NM.mean(axis=1, keepdims=True)
    return shared_N1, above_NM - shared_N1


def twins(group_N: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of neighbours within each group of near-duplicates."""
    order_N = np.argsort(group_N, kind="stable")
    same = group_N[order_N][:-1] == group_N[order_N][1:]
    return order_N[:-1][same], order_N[1:][same]


def agreement(value_NC: Floats, first_P: NDArray[np.intp], second_P: NDArray[np.intp]) -> tuple[float, float]:
    """Mean product of twins as a share of the mean square, and its standard error over pairs."""
    whole = float((value_NC**2).sum(axis=1).mean())
    product_P = (value_NC[first_P] * value_NC[second_P]).sum(axis=1) / whole
    return float(product_P.mean()), float(product_P.std() / np.sqrt(product_P.size))


def by_label(value_NC: Floats, benchmark_N: NDArray[np.str_]) -> float:
    """Share of the variance that a mean for each label explains."""
    _, label_N = np.unique(benchmark_N, return_inverse=True)
    count_L1 = np.bincount(label_N)[:, None]
    sum_LC = np.zeros((count_L1.size, value_NC.shape[1]))
    np.add.at(sum_LC, label_N, value_NC)
    return float(((sum_LC / count_L1)[label_N] ** 2).sum() / (value_NC**2).sum())
