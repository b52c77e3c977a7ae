"""What to choose, given what is believed. Shapes: N prompts, M candidates."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pointsman.model.guard import EVERYTHING, counted
from pointsman.model.prediction import Prediction, Selection
from pointsman.policy.budget import Choices, Floats, cheapest, spend


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


REASONS = np.array(["general", "task", "doubt", "novel"])
"""What a decision rests on: the heads of all prompts, those of the prompt's task, or, where an advantage over the best
single candidate is within the prompt's margin or the prompt is unlike any in training, that none was counted."""
# decisions look at it
REASONS.flags.writeable = False
DOUBT, NOVEL = 2, 3
"""Where they are among REASONS."""
LEAST_PRICE = 1e-200
"""USD per unit of quality below which prices aren't divided by."""
Policy = Best | Tradeoff | Budget | QualityBar | Tolerance


def form(policy: Policy) -> str:
    """The command-line form of a policy; `parse` is the inverse.

    >>> form(Tradeoff(willingness_to_pay=0.25))
    'tradeoff=0.25'
    """
    match policy:
        case Best():
            return "best"
        case Tradeoff(willingness_to_pay=figure):
            return f"tradeoff={figure!r}"
        case QualityBar(quality=figure):
            return f"quality={figure!r}"
        case Tolerance(share=figure):
            return f"tolerance={figure!r}"
        case Budget(usd=figure):
            return f"budget={figure!r}"


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
        # Python also takes 1_000 and digits of other scripts, which nobody means
        number = float(figure) if figure.isascii() and "_" not in figure else float("none")
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
) -> Selection:
    """The choice of a policy for each prompt, and what it rests on.

    Of what others promise beyond the fallback only more than the prompt's margin counts, see `counted`; a quality bar
    is still measured on the calibrated quality alone. On novel prompts no promise counts: `best` goes to the fallback,
    a policy of cost to the cheapest candidate that is predicted to be no worse, or to one whose shortfall is worth it.
    Candidates without outcomes on a prompt's task aren't chosen there; candidates of unknown cost aren't chosen by a
    policy of cost. Ties go to the lowest index.

    Args:
        prediction: beliefs on N prompts and M candidates.
        policy: what is wanted.
        fallback: index of the best single candidate, in [0, M).
        models: candidates' names, for messages.

    Raises:
        ValueError: costs are needed and known for no candidate; a budget below the cheapest choice; arguments out of
            range.
    """
    if not 0 <= fallback < prediction.quality_NM.shape[1]:
        raise ValueError(f"fallback must be in [0, {prediction.quality_NM.shape[1]}), got {fallback}")
    costly = of_cost(policy)
    if costly:
        known_M = np.asarray(np.isfinite(prediction.cost_usd_NM).all(axis=0), dtype=np.bool_)
        if not known_M.all():
            require_costs(known_M, policy, models)
            return _among_known(prediction, policy, known_M, fallback)
    if isinstance(policy, Best) and prediction.quality_NM.shape[0] == 1 and prediction.supported_NM is None:
        return _best_of_one(prediction, fallback)
    quality_NM, cost_NM, margin_N = _eligible(prediction, fallback)
    novel_N = prediction.novel_N & (margin_N >= 0)
    if costly:
        margin_N = np.where(novel_N, np.maximum(margin_N, EVERYTHING), margin_N)
    guarded_NM = counted(quality_NM, np.maximum(margin_N, 0), fallback)
    choice_N = _choose(policy, guarded_NM, quality_NM, cost_NM)
    code_N = (prediction.task_N >= 0).view(np.int8)
    if guarded_NM is not quality_NM:
        # choosing again only says what the guard changed
        code_N[(margin_N > 0) & (choice_N != _choose(policy, quality_NM, quality_NM, cost_NM))] = DOUBT
    code_N[prediction.novel_N] = NOVEL
    if not costly:
        choice_N[novel_N] = fallback
    return Selection(candidate_N=choice_N, reason_N=REASONS.take(code_N))


def of_cost(policy: Policy) -> bool:
    """Whether a policy's choices depend on costs.

    >>> of_cost(Best()), of_cost(Tradeoff(willingness_to_pay=0.1))
    (False, True)
    """
    return not isinstance(policy, Best) and policy != Tradeoff(willingness_to_pay=float("inf"))


def _eligible(prediction: Prediction, fallback: int) -> tuple[Floats, Floats, Floats]:
    """Quality, cost and margin with candidates that may not be chosen made unattractive under every policy.

    Where no candidate has outcomes on the task, all may be chosen. The margin is -1 where the fallback itself has none.
    """
    quality_NM, cost_NM, supported_NM = prediction.quality_NM, prediction.cost_usd_NM, prediction.supported_NM
    if supported_NM is None:
        return quality_NM, cost_NM, prediction.margin_N
    supported_NM = supported_NM | ~supported_NM.any(axis=1, keepdims=True)
    # worse than any, and no cheaper than the most expensive: nobody's first, and the range of qualities stays
    worst_N1 = np.where(supported_NM, quality_NM, np.inf).min(axis=1, keepdims=True)
    most_N1 = np.where(supported_NM, cost_NM, -np.inf).max(axis=1, keepdims=True)
    return (
        np.where(supported_NM, quality_NM, np.nextafter(worst_N1, -1)),
        np.where(supported_NM, cost_NM, most_N1),
        np.where(supported_NM[:, fallback], prediction.margin_N, -1.0),
    )


def _among_known(prediction: Prediction, policy: Policy, known_M: NDArray[np.bool_], fallback: int) -> Selection:
    """The decision among candidates of known cost; without a margin where the fallback isn't one of them."""
    columns_C = np.flatnonzero(known_M)
    held = np.flatnonzero(columns_C == fallback)
    supported_NM = prediction.supported_NM
    part = Prediction(
        quality_NM=prediction.quality_NM[:, columns_C],
        cost_usd_NM=prediction.cost_usd_NM[:, columns_C],
        task_N=prediction.task_N,
        margin_N=prediction.margin_N if held.size else np.zeros_like(prediction.margin_N),
        novel_N=prediction.novel_N if held.size else np.zeros_like(prediction.novel_N),
        supported_NM=None if supported_NM is None else supported_NM[:, columns_C],
    )
    decision = decide(part, policy, fallback=int(held[0]) if held.size else 0)
    reason_N = np.where(prediction.novel_N, REASONS[NOVEL], decision.reason_N)
    return Selection(candidate_N=columns_C[decision.candidate_N], reason_N=reason_N)


def _best_of_one(prediction: Prediction, fallback: int) -> Selection:
    """`decide` on a lone prompt with policy best, which is what a gateway asks for most."""
    quality_M, margin = prediction.quality_NM[0], prediction.margin_N[0]
    choice = int(quality_M.argmax())
    code = int(prediction.task_N[0] >= 0)
    if prediction.novel_N[0]:
        choice, code = fallback, NOVEL
    elif choice != fallback and margin > 0 and quality_M[choice] <= quality_M[fallback] + margin:
        choice, code = fallback, DOUBT
    return Selection(candidate_N=np.array([choice]), reason_N=REASONS[code : code + 1])


def _choose(policy: Policy, guarded_NM: Floats, quality_NM: Floats, cost_NM: Floats) -> Choices:
    """The policy's choice of each prompt."""
    match policy:
        case Best():
            return np.asarray(guarded_NM.argmax(axis=1), dtype=np.intp)
        case Tradeoff(willingness_to_pay=price):
            if price < LEAST_PRICE:
                # cost / price would overflow
                return np.asarray((guarded_NM * price - cost_NM).argmax(axis=1), dtype=np.intp)
            spent_NM = np.zeros_like(cost_NM) if price == float("inf") else cost_NM / price
            return np.asarray((guarded_NM - spent_NM).argmax(axis=1), dtype=np.intp)
        case QualityBar(quality=bar):
            return _clear_bar(quality_NM, cost_NM, bar, guarded_NM)
        case Tolerance(share=share):
            return _within(guarded_NM, cost_NM, share)
        case Budget(usd=usd):
            return spend(guarded_NM, cost_NM, usd)


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


def require_costs(known_M: NDArray[np.bool_], policy: Policy, models: Sequence[str] | None) -> None:
    """Refuses where no candidate's cost is known.

    Raises:
        ValueError: it is so; names the policy and the candidates.
    """
    if known_M.any():
        return
    named = "" if models is None else f": {', '.join(models)}"
    raise ValueError(
        f"policy {form(policy)} needs expected costs, which are unknown for all {known_M.size} candidates{named}. "
        "Give prices (input_usd_per_mtok, output_usd_per_mtok) or logged costs and retrain, or route with policy best"
    )
