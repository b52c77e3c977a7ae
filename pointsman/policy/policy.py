"""What to choose, given what is believed. Shapes: N prompts, M candidates."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pointsman.model.guard import counted
from pointsman.model.prediction import Decision, Prediction
from pointsman.policy.budget import Choices, Floats, cheapest, spend_with_pins


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
    """The cheapest candidate whose calibrated quality clears a bar, the same for all prompts, else the best."""

    quality: float
    """In [0, 1]."""

    def __post_init__(self) -> None:
        if not 0 <= self.quality <= 1:
            raise ValueError(f"quality must be in [0, 1], got {self.quality}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """The cheapest candidate that clears a bar of each prompt's own (IPR, arXiv 2509.06274, section 4).

    The bar lies a share of the way from the best predicted quality down to the worst: hard prompts, on which all are
    far below any fixed bar, are routed by price too.
    """

    share: float
    """tau, in [0, 1]; 0: the best candidate, 1: the cheapest."""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"tolerance must be in [0, 1], got {self.share}")


REASONS = np.array(["general", "task", "fallback"])
# decisions look at it
REASONS.flags.writeable = False
FALLBACK = 2
"""Where it is among REASONS."""
Policy = Best | Tradeoff | Budget | QualityBar | Tolerance


@lru_cache(maxsize=64)
def parse(text: str) -> Policy:
    """A policy from its command-line form: best, budget=USD, quality=Q, tradeoff=W or tolerance=T.

    Raises:
        ValueError: no such policy, no number, or a number out of its range.

    >>> parse("budget=0.25")
    Budget(usd=0.25)
    """
    name, equals, figure = text.strip().partition("=")
    if name == "best" and not equals:
        return Best()
    if name not in {"budget", "quality", "tradeoff", "tolerance"} or not equals:
        raise ValueError(f"unknown policy {text!r}: want best, budget=USD, quality=Q, tradeoff=W or tolerance=T")
    try:
        number = float(figure)
    except ValueError:
        raise ValueError(f"policy {text!r}: {figure!r} is no number") from None
    if name == "budget":
        return Budget(usd=number)
    if name == "tolerance":
        return Tolerance(share=number)
    return QualityBar(quality=number) if name == "quality" else Tradeoff(willingness_to_pay=number)


def decide(
    prediction: Prediction,
    policy: Policy,
    *,
    fallback: int,
    models: Sequence[str] | None = None,
) -> Decision:
    """The choice of a policy for each prompt, and what it rests on.

    Of what others promise beyond the fallback only more than the prompt's margin counts, see `counted`; a quality bar
    is still measured on the calibrated quality alone. Novel prompts go to the fallback; under a budget too small for
    that they are chosen like others, since the budget comes first. Ties go to the lowest index.

    Args:
        prediction: beliefs on N prompts and M candidates.
        policy: what is wanted.
        fallback: index of the best single candidate, in [0, M).
        models: candidates' names, for messages.

    Raises:
        ValueError: costs are needed but unknown for a candidate; a budget below the cheapest choice; arguments out of
            range.
    """
    quality_NM, cost_NM = prediction.quality_NM, prediction.cost_usd_NM
    if not 0 <= fallback < quality_NM.shape[1]:
        raise ValueError(f"fallback must be in [0, {quality_NM.shape[1]}), got {fallback}")
    if not isinstance(policy, Best) and policy != Tradeoff(willingness_to_pay=float("inf")):
        _require_costs(cost_NM, policy, models)
    if isinstance(policy, Best) and quality_NM.shape[0] == 1:
        return _best_of_one(prediction, fallback)
    guarded_NM = counted(quality_NM, prediction.margin_N, fallback)
    choice_N, pinned_N = _choose(policy, guarded_NM, quality_NM, cost_NM, fallback, prediction.novel_N)
    free_N = choice_N
    if guarded_NM is not quality_NM:
        # choosing again only says what the guard changed
        free_N, _ = _choose(policy, quality_NM, quality_NM, cost_NM, fallback, pinned_N)
    held_N = ((choice_N == fallback) & (free_N != fallback)) | pinned_N
    choice_N[pinned_N] = fallback
    code_N = (prediction.task_N >= 0).view(np.int8)
    code_N[held_N] = FALLBACK
    return Decision(candidate_N=choice_N, reason_N=REASONS.take(code_N))


def _best_of_one(prediction: Prediction, fallback: int) -> Decision:
    """`decide` on a lone prompt with policy best, which is what a gateway asks for most."""
    quality_M, margin = prediction.quality_NM[0], prediction.margin_N[0]
    choice = int(quality_M.argmax())
    unproven = choice != fallback and margin > 0 and quality_M[choice] <= quality_M[fallback] + margin
    code = int(prediction.task_N[0] >= 0)
    if unproven or prediction.novel_N[0]:
        choice, code = fallback, FALLBACK
    return Decision(candidate_N=np.array([choice]), reason_N=REASONS[code : code + 1])


def _choose(
    policy: Policy,
    guarded_NM: Floats,
    quality_NM: Floats,
    cost_NM: Floats,
    fallback: int,
    novel_N: NDArray[np.bool_],
) -> tuple[Choices, NDArray[np.bool_]]:
    """The policy's choice of each prompt, and which of the novel ones are held to the fallback."""
    match policy:
        case Best():
            return guarded_NM.argmax(axis=1), novel_N
        case Tradeoff(willingness_to_pay=price):
            spent_NM = np.zeros_like(cost_NM) if price == float("inf") else cost_NM / price
            return (guarded_NM - spent_NM).argmax(axis=1), novel_N
        case QualityBar(quality=bar):
            return _clear_bar(quality_NM, cost_NM, bar, guarded_NM), novel_N
        case Tolerance(share=share):
            return _within(guarded_NM, cost_NM, share), novel_N
        case Budget(usd=usd):
            return spend_with_pins(guarded_NM, cost_NM, usd, fallback, novel_N)


def _clear_bar(quality_NM: Floats, cost_usd_NM: Floats, bar: float, guarded_NM: Floats) -> Choices:
    """The cheapest candidate at or above the bar; the best of guarded_NM where none is."""
    clears_NM = quality_NM >= bar
    cheapest_N = cheapest(quality_NM, np.where(clears_NM, cost_usd_NM, np.inf))
    return np.where(clears_NM.any(axis=1), cheapest_N, guarded_NM.argmax(axis=1))


def _within(quality_NM: Floats, cost_usd_NM: Floats, share: float) -> Choices:
    """The cheapest candidate that falls short of the best by at most a share of the range of qualities."""
    best_N1, worst_N1 = quality_NM.max(axis=1, keepdims=True), quality_NM.min(axis=1, keepdims=True)
    # As a shortfall: best - (best - worst) isn't worst in floating point.
    enough_NM = best_N1 - quality_NM <= share * (best_N1 - worst_N1)
    return cheapest(quality_NM, np.where(enough_NM, cost_usd_NM, np.inf))


def _require_costs(cost_usd_NM: Floats, policy: Policy, models: Sequence[str] | None) -> None:
    """Refuses where a candidate's cost is unknown."""
    unknown_M = np.flatnonzero(np.isnan(cost_usd_NM).any(axis=0)).tolist()
    if unknown_M:
        names = ", ".join(str(m) if models is None else models[m] for m in unknown_M)
        raise ValueError(
            f"policy {type(policy).__name__} needs expected costs; unknown for {len(unknown_M)} of "
            f"{cost_usd_NM.shape[1]} candidates: {names}. Give prices and output tokens, or route with policy best"
        )
