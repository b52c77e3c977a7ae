"""Figures of a routing method from its cost-quality points. Pure functions; P points, N prompts."""

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-12
"""Quality that two ways to sum the same outcomes may differ by."""


def hull(
    cost_P: NDArray[np.float64], quality_P: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The non-decreasing concave hull of cost-quality points, sorted by cost.

    RouterBench (arXiv 2403.12031, section 3). Any point on it is reached by mixing two routers at random.

    Raises:
        ValueError: no points, or the shapes differ.

    >>> hull(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.2, 0.3, 0.8, 0.7]))
    (array([0., 2.]), array([0.2, 0.8]))
    """
    if cost_P.shape != quality_P.shape or cost_P.size == 0:
        raise ValueError(f"need as many costs as qualities, at least one: {cost_P.shape} and {quality_P.shape}")
    kept: list[tuple[float, float]] = []
    for cost, quality in sorted(zip(cost_P.tolist(), quality_P.tolist(), strict=True), key=lambda p: (p[0], -p[1])):
        if kept and quality <= kept[-1][1] + _ROUNDING:
            continue
        while len(kept) > 1 and _below(kept[-2], kept[-1], (cost, quality)):
            kept.pop()
        kept.append((cost, quality))
    costs, qualities = zip(*kept, strict=True)
    return np.array(costs), np.array(qualities)


def _below(left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]) -> bool:
    return (middle[1] - left[1]) * (right[0] - left[0]) <= (right[1] - left[1]) * (middle[0] - left[0])


def aiq(cost_P: NDArray[np.float64], quality_P: NDArray[np.float64], cheapest: float, most_expensive: float) -> float:
    """Average quality of the hull over [cheapest, most_expensive] (RouterBench, equation 4); flat after its last point.

    Raises:
        ValueError: the range is empty or the hull begins after its start.
    """
    if not cheapest < most_expensive:
        raise ValueError(f"the cost range is empty: {cheapest} to {most_expensive} USD")
    costs, qualities = hull(cost_P, quality_P)
    if costs[0] > cheapest * (1 + 1e-9):
        raise ValueError(f"the cheapest point costs {costs[0]} USD, more than the range's start {cheapest}")
    inside = costs[(costs > cheapest) & (costs < most_expensive)]
    grid = np.concatenate([[cheapest], inside, [most_expensive]])
    return float(np.trapezoid(np.interp(grid, costs, qualities), grid) / (most_expensive - cheapest))


def apgr(
    cost_P: NDArray[np.float64],
    quality_P: NDArray[np.float64],
    weak: tuple[float, float],
    strong: tuple[float, float],
) -> float | None:
    """Average share of the gap from the weak to the strong candidate recovered between their costs.

    RouteLLM (arXiv 2406.18665, equation 7), with cost in place of the share of calls so that it holds for M > 2.
    None where the strong candidate isn't both better and dearer.

    Args:
        cost_P: mean USD of each operating point.
        quality_P: mean quality of each.
        weak: (cost, quality) of the cheapest candidate.
        strong: the same of the best single candidate.
    """
    if not (strong[0] > weak[0] and strong[1] > weak[1]):
        return None
    return (aiq(cost_P, quality_P, weak[0], strong[0]) - weak[1]) / (strong[1] - weak[1])


def gap_at_oracle(quality: float, oracle: float) -> float:
    """(oracle - router) / oracle: the share of attainable quality that is lost; 0 where the oracle has none.

    >>> gap_at_oracle(0.6, 0.8)
    0.25000000000000006
    """
    return (oracle - quality) / oracle if oracle > 0 else 0.0


def perf_gain(quality: float, best_single: float) -> float:
    """Quality gained relative to the best single candidate; 0 where that has none.

    >>> perf_gain(0.75, 0.5)
    0.5
    """
    return quality / best_single - 1 if best_single > 0 else 0.0


def cost_save(
    cost_P: NDArray[np.float64], quality_P: NDArray[np.float64], best_cost: float, best_quality: float
) -> float | None:
    """Share of the best single candidate's cost saved at equal quality; negative: parity costs more; None: not reached.

    >>> cost_save(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 1.0, 0.5)
    0.5
    """
    costs, qualities = hull(cost_P, quality_P)
    if qualities[-1] < best_quality - _ROUNDING or best_cost <= 0:
        return None
    return 1 - float(np.interp(min(best_quality, qualities[-1]), qualities, costs)) / best_cost
