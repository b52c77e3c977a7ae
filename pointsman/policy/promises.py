"""What a policy promises, which neither a draw nor a session may break. Shapes: N prompts, M candidates."""

import numpy as np
from numpy.typing import NDArray

from pointsman.policy.policy import Budget, Policy, QualityBar, Tradeoff, of_cost

Floats = NDArray[np.float64]


def within(
    policy: Policy, choice_N: NDArray[np.intp], quality_NM: Floats, cost_usd_NM: Floats
) -> NDArray[np.bool_] | None:
    """Who may take the choice's place with the promise kept, shape (N, M); None: the policy promises nothing.

    Within a budget for one prompt is who costs no more than it; of several prompts only the choices are known to add up
    to no more. Where the choice clears a quality bar, the others must clear it, too.

    Args:
        policy: what decided.
        choice_N: its choices.
        quality_NM: predicted quality.
        cost_usd_NM: expected cost, nan: unknown.

    >>> found = within(QualityBar(quality=0.5), np.array([1]), np.array([[0.4, 0.6, 0.9]]), np.ones((1, 3)))
    >>> found.tolist()
    [[False, True, True]]
    """
    rows_N = np.arange(choice_N.size)
    match policy:
        case Budget(usd=usd):
            found_NM = cost_usd_NM <= usd if choice_N.size == 1 else np.zeros(quality_NM.shape, dtype=np.bool_)
        case QualityBar(quality=bar):
            found_NM = (quality_NM >= bar) | (quality_NM[rows_N, choice_N] < bar)[:, None]
        case _:
            return None
    found_NM[rows_N, choice_N] = True
    return np.asarray(found_NM, dtype=np.bool_)


def lost(policy: Policy, choice: int, other: int, quality_M: Floats, cost_usd_M: Floats) -> float:
    """By how much the choice is better than another candidate of the same prompt, in units of quality.

    Under a trade-off that is quality less cost / willingness to pay, else quality alone; inf: the other's cost is
    needed and unknown.

    >>> lost(Tradeoff(willingness_to_pay=2), 0, 1, np.array([0.5, 0.75]), np.array([1.0, 3.0]))
    0.75
    """
    gain = float(quality_M[choice] - quality_M[other])
    if isinstance(policy, Tradeoff) and of_cost(policy):
        saved = float(cost_usd_M[other] - cost_usd_M[choice])
        with np.errstate(over="ignore"):
            gain += float(np.float64(saved) / policy.willingness_to_pay)
    return float("inf") if np.isnan(gain) else gain
