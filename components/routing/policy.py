"""What to choose, given what is believed. Shapes: N prompts, M candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.routing.prediction import Decision, Prediction

Floats = NDArray[np.float64]
Choices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The candidate of highest predicted quality."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tradeoff:
    """The highest quality - cost / willingness_to_pay (RouterBench, arXiv 2403.12031, section 3)."""

    willingness_to_pay: float
    """USD per unit of quality and prompt, > 0; infinite: cost doesn't matter."""

    def __post_init__(self) -> None:
        if not self.willingness_to_pay > 0:
            raise ValueError(f"willingness_to_pay must be > 0 USD, got {self.willingness_to_pay}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The highest total quality whose total expected cost keeps within a sum for the whole batch."""

    usd: float
    """USD for all prompts of the batch together, >= 0."""

    def __post_init__(self) -> None:
        if not 0 <= self.usd < float("inf"):
            raise ValueError(f"budget must be >= 0 USD and finite, got {self.usd}")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityBar:
    """The cheapest candidate whose calibrated quality clears a bar, else the best (IPR, arXiv 2509.06274)."""

    quality: float
    """In [0, 1]."""

    def __post_init__(self) -> None:
        if not 0 <= self.quality <= 1:
            raise ValueError(f"quality must be in [0, 1], got {self.quality}")


Policy = Best | Tradeoff | Budget | QualityBar


def parse(text: str) -> Policy:
    """A policy from its command-line form: best, budget=USD, quality=Q or tradeoff=W.

    Raises:
        ValueError: no such policy, no number, or a number out of its range.

    >>> parse("budget=0.25")
    Budget(usd=0.25)
    """
    name, equals, figure = text.strip().partition("=")
    if name == "best" and not equals:
        return Best()
    if name not in {"budget", "quality", "tradeoff"} or not equals:
        raise ValueError(f"unknown policy {text!r}: want best, budget=USD, quality=Q or tradeoff=W")
    try:
        number = float(figure)
    except ValueError:
        raise ValueError(f"policy {text!r}: {figure!r} is no number") from None
    if name == "budget":
        return Budget(usd=number)
    return QualityBar(quality=number) if name == "quality" else Tradeoff(willingness_to_pay=number)


def decide(
    prediction: Prediction,
    policy: Policy,
    *,
    fallback: int,
    guard_margin: float = 0.0,
    models: Sequence[str] | None = None,
) -> Decision:
    """The choice of a policy for each prompt, and what it rests on.

    The guard credits the fallback with `guard_margin` of quality, so another is chosen only where it promises more
    than that; a quality bar is still measured on the calibrated quality alone. Novel prompts go to the fallback;
    under a budget too small for that they are chosen like others, since the budget comes first. Ties go to the lowest
    index.

    Args:
        prediction: beliefs on N prompts and M candidates.
        policy: what is wanted.
        fallback: index of the best single candidate, in [0, M).
        guard_margin: quality by which a candidate must beat the fallback, >= 0.
        models: candidates' names, for messages.

    Raises:
        ValueError: costs are needed but unknown for a candidate; a budget below the cheapest choice; arguments out of
            range.
    """
    quality_NM, cost_NM = prediction.quality_NM, prediction.cost_usd_NM
    if not 0 <= fallback < quality_NM.shape[1]:
        raise ValueError(f"fallback must be in [0, {quality_NM.shape[1]}), got {fallback}")
    if not guard_margin >= 0:
        raise ValueError(f"guard_margin must be >= 0, got {guard_margin}")
    if not isinstance(policy, Best) and policy != Tradeoff(willingness_to_pay=float("inf")):
        _require_costs(cost_NM, policy, models)
    guarded_NM = quality_NM.copy()
    guarded_NM[:, fallback] += guard_margin
    pinned_N = prediction.novel_N
    match policy:
        case Best():
            choice_N, free_N = guarded_NM.argmax(axis=1), quality_NM.argmax(axis=1)
        case Tradeoff(willingness_to_pay=price):
            spent_NM = np.zeros_like(cost_NM) if price == float("inf") else cost_NM / price
            choice_N, free_N = (guarded_NM - spent_NM).argmax(axis=1), (quality_NM - spent_NM).argmax(axis=1)
        case QualityBar(quality=bar):
            choice_N = _clear_bar(quality_NM, cost_NM, bar, guarded_NM)
            free_N = _clear_bar(quality_NM, cost_NM, bar, quality_NM)
        case Budget(usd=usd):
            choice_N, pinned_N = _spend_with_pins(guarded_NM, cost_NM, usd, fallback, prediction.novel_N)
            # spending again only says what the guard changed
            free_N = _spend_with_pins(quality_NM, cost_NM, usd, fallback, pinned_N)[0] if guard_margin else choice_N
    choice_N = np.where(pinned_N, fallback, choice_N).astype(np.intp)
    held_N = pinned_N | ((choice_N == fallback) & (free_N != fallback))
    reason_N = np.where(held_N, "fallback", np.where(prediction.task_N >= 0, "task", "general"))
    return Decision(candidate_N=choice_N, reason_N=reason_N)


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
    thrifty_N = _cheapest(quality_NM, cost_usd_NM)
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


def _spend_with_pins(
    quality_NM: Floats, cost_usd_NM: Floats, usd: float, fallback: int, novel_N: NDArray[np.bool_]
) -> tuple[Choices, NDArray[np.bool_]]:
    """`spend` with novel prompts held to the fallback if the budget allows; and which were held."""
    thrifty_N = np.where(novel_N, fallback, _cheapest(quality_NM, cost_usd_NM))
    if not novel_N.any() or _total(cost_usd_NM, thrifty_N) > usd:
        return spend(quality_NM, cost_usd_NM, usd), np.zeros_like(novel_N)
    pinned_quality_NM, pinned_cost_NM = quality_NM.copy(), cost_usd_NM.copy()
    pinned_quality_NM[novel_N] = quality_NM[novel_N, fallback][:, None]
    pinned_cost_NM[novel_N] = cost_usd_NM[novel_N, fallback][:, None]
    return np.where(novel_N, fallback, spend(pinned_quality_NM, pinned_cost_NM, usd)), novel_N


def _clear_bar(quality_NM: Floats, cost_usd_NM: Floats, bar: float, guarded_NM: Floats) -> Choices:
    """The cheapest candidate at or above the bar; the best of guarded_NM where none is."""
    clears_NM = quality_NM >= bar
    cheapest_N = _cheapest(quality_NM, np.where(clears_NM, cost_usd_NM, np.inf))
    return np.where(clears_NM.any(axis=1), cheapest_N, guarded_NM.argmax(axis=1))


def _cheapest(quality_NM: Floats, cost_usd_NM: Floats) -> Choices:
    """The cheapest candidate of each prompt, the best among equally cheap ones."""
    cheap_NM = cost_usd_NM == cost_usd_NM.min(axis=1, keepdims=True)
    choice_N: Choices = np.where(cheap_NM, quality_NM, -np.inf).argmax(axis=1)
    return choice_N


def _total(cost_usd_NM: Floats, choice_N: Choices) -> float:
    """Summed cost of the choices."""
    return float(cost_usd_NM[np.arange(choice_N.size), choice_N].sum())


def _require_costs(cost_usd_NM: Floats, policy: Policy, models: Sequence[str] | None) -> None:
    """Refuses where a candidate's cost is unknown."""
    unknown_M = np.flatnonzero(np.isnan(cost_usd_NM).any(axis=0)).tolist()
    if unknown_M:
        names = ", ".join(str(m) if models is None else models[m] for m in unknown_M)
        raise ValueError(
            f"policy {type(policy).__name__} needs expected costs; unknown for {len(unknown_M)} of "
            f"{cost_usd_NM.shape[1]} candidates: {names}. Give prices and output tokens, or route with policy best"
        )
