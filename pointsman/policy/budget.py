"""Spending a budget over a batch. Shapes: N prompts, M candidates."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Choices = NDArray[np.intp]


def spend(quality_NM: Floats, cost_usd_NM: Floats, usd: float) -> Choices:
    """The choices of highest total quality within a total cost, by Lagrangian relaxation and bisection.

    For a price p of money each prompt takes the highest quality - p x cost; total cost falls as p rises. Bisection
    finds the price at which the budget just holds, and what is left over is then spent on the prompts that are
    indifferent at it, the best ratio first. Total quality is within one prompt's upgrade of the optimum (the bound of
    the multiple-choice knapsack's linear relaxation: Sinha and Zoltners 1979, doi 10.1287/opre.27.3.503).

    Args:
        quality_NM: predicted quality, shape (N, M).
        cost_usd_NM: expected USD of the same calls, shape (N, M).
        usd: budget of the batch.

    Returns:
        Chosen candidates, shape (N,); their total expected cost is at most `usd`.

    Raises:
        ValueError: even the cheapest choices cost more.

    >>> spend(np.array([[0.5, 0.9], [0.5, 0.6]]), np.array([[1.0, 3.0], [1.0, 3.0]]), 4.0).tolist()
    [1, 0]
    """
    rows_N = np.arange(quality_NM.shape[0])
    thrifty_N = cheapest(quality_NM, cost_usd_NM)
    least = _total(cost_usd_NM, thrifty_N)
    if least > usd:
        raise ValueError(
            f"budget of {usd:.6g} USD is below the cheapest choice for {rows_N.size} prompts, {least:.6g} USD expected"
        )
    lavish_N: Choices = quality_NM.argmax(axis=1)
    if _total(cost_usd_NM, lavish_N) <= usd:
        return lavish_N
    # invariant: thrifty_N keeps within the budget, lavish_N doesn't; where they agree, every price between agrees
    low, high = 0.0, np.inf
    for _ in range(200):
        active_N = np.flatnonzero(thrifty_N != lavish_N)
        price = (low + high) / 2 if np.isfinite(high) else max(2 * low, 1.0) * 4
        if price in (low, high) or not np.isfinite(price):
            break
        trial_N = thrifty_N.copy()
        trial_N[active_N] = (quality_NM[active_N] - price * cost_usd_NM[active_N]).argmax(axis=1)
        if _total(cost_usd_NM, trial_N) <= usd:
            thrifty_N, high = trial_N, price
        else:
            lavish_N, low = trial_N, price
    return _spend_rest(quality_NM, cost_usd_NM, usd, thrifty_N, lavish_N)


def _spend_rest(quality_NM: Floats, cost_usd_NM: Floats, usd: float, thrifty_N: Choices, lavish_N: Choices) -> Choices:
    """Upgrades from thrifty to lavish choices, by quality per USD, while the budget holds."""
    rows_N = np.arange(thrifty_N.size)
    gain_N = quality_NM[rows_N, lavish_N] - quality_NM[rows_N, thrifty_N]
    price_N = cost_usd_NM[rows_N, lavish_N] - cost_usd_NM[rows_N, thrifty_N]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio_N = np.where(price_N > 0, gain_N / price_N, np.inf)
    order = np.lexsort((rows_N, -ratio_N))
    choice_N, spent = thrifty_N.copy(), _total(cost_usd_NM, thrifty_N)
    upgraded: list[int] = []
    for row in order[gain_N[order] > 0].tolist():
        if spent + price_N[row] <= usd:
            choice_N[row] = lavish_N[row]
            spent += price_N[row]
            upgraded.append(row)
    # a running sum drifts by rounding: the batch itself must keep within its budget
    while upgraded and _total(cost_usd_NM, choice_N) > usd:
        row = upgraded.pop()
        choice_N[row] = thrifty_N[row]
    return choice_N


def cheapest(quality_NM: Floats, cost_usd_NM: Floats) -> Choices:
    """The cheapest candidate of each prompt, the best among equally cheap ones."""
    cheap_NM = cost_usd_NM == cost_usd_NM.min(axis=1, keepdims=True)
    choice_N: Choices = np.where(cheap_NM, quality_NM, -np.inf).argmax(axis=1)
    return choice_N


def _total(cost_usd_NM: Floats, choice_N: Choices) -> float:
    """Summed cost of the choices."""
    return float(cost_usd_NM[np.arange(choice_N.size), choice_N].sum())
