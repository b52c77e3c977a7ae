"""The operating policy of a router, and what it chooses on the prompts that the router learnt from.

Every part of such a choice is made without the prompt: both stages by cross-fitting, and the weighing, calibration,
guard and price on the prompts of the other folds. Verdicts may so rest on every prompt once, not on the test split
alone. The tasks themselves are the exception: their discovery has seen the outcomes of training prompts.
Shapes: N prompts, M candidates, P policies; K a choice of rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.evaluation.operating import (
    Asked,
    ParityConfig,
    cheapest_at_parity,
    default_asked,
    parity_loss,
    price_grid,
    tried,
)
from components.evaluation.paired import difference
from components.learning.fit import RouterConfig
from components.learning.judged import Judged
from components.learning.mixing import HeldOut, choose_mixing
from components.tables.board import Board
from components.tables.groups import divisible, numbered
from components.tables.units import dealt
from pointsman.bundle.evidence import CHOICE
from pointsman.model.prediction import Prediction
from pointsman.policy.policy import Best, Policy, decide, parse

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
CAUTIOUS_LEVEL = 0.001
"""Probability of an error of parity where outcomes have gaps: weights, calibration and prices were chosen on the same
noisy stand-ins, which flatters all of them. On simulated worlds a hundredth lost parity more often, for little more
savings."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operating:
    """The declared policy and how it came to be."""

    asked: Asked
    chosen: Asked
    loss: float
    """Quality that parity may give up on average, in [0, 1]; 0 where parity wasn't asked for."""
    held_choice_N: NDArray[np.intp]
    """Choice on each learning prompt by parts and policies that were made without it."""


def operate(
    held: HeldOut,
    seen: Board,
    judged: Judged,
    expected_cost_usd_NM: Floats,
    fallback: int,
    *,
    asked: Asked | None,
    config: RouterConfig,
    seed: int,
    parity: ParityConfig | None = None,
    folds: int = 4,
) -> Operating:
    """Chooses the operating policy on held-out predictions.

    Args:
        held: what parts trained without each prompt say of it.
        seen: the prompts.
        judged: what choices on them are worth.
        expected_cost_usd_NM: as the router expects them.
        fallback: index of the best single candidate.
        asked: what a person wants; None: see `default_wish`.
        config: what the router's weighing is chosen among.
        seed: of the folds.
        parity: see ParityConfig.
        folds: of the choices on learning prompts, >= 2.
    """
    prices = price_grid(expected_cost_usd_NM)
    parity = parity or ParityConfig()
    table = counts(seen) > 0
    every_N = np.arange(seen.quality_NM.shape[0])
    cautious = not seen.observed_NM.all()
    if cautious:
        parity = replace(parity, level=min(parity.level, CAUTIOUS_LEVEL))
    parts = (held, seen, judged, expected_cost_usd_NM, table, fallback, config)
    whole = _believing(*parts, every_N)(every_N)
    wish = asked or default_wish(seen, whole, judged, fallback, parity.level)
    chosen, loss = choose_policy(wish, whole, judged, fallback, prices, parity, cautious)
    choice_N = np.full(every_N.size, -1, dtype=np.intp)
    for rest_K, out_K in _folds(seen, folds, seed):
        believe = _believing(*parts, rest_K)
        priced, _ = choose_policy(wish, believe(rest_K), judged.take(rest_K), fallback, prices, parity, cautious)
        choice_N[out_K] = decide(believe(out_K), policy_of(priced), fallback=fallback).candidate_N
    return Operating(asked=wish, chosen=chosen, loss=loss, held_choice_N=choice_N)


def default_wish(seen: Board, prediction: Prediction, judged: Judged, fallback: int, level: float) -> Asked:
    """What is wanted where nobody says: parity where two candidates or more have known costs, else best.

    Where costs are only supposed, from prices and an answer of usual length, quality that is shown to be gained isn't
    given away for them: best where it is better than the best single candidate for sure, parity where it isn't.

    Args:
        seen: the prompts, with what was logged of costs and tokens.
        prediction: beliefs of parts that hadn't seen them.
        judged: what choices on them are worth.
        fallback: index of the best single candidate.
        level: one-sided error probability of being better.
    """
    wish = default_asked(prediction.cost_usd_NM)
    measured_M = (np.isfinite(seen.cost_usd_NM) | np.isfinite(seen.output_tokens_NM)).any(axis=0)
    if wish.name == "best" or measured_M.sum() >= 2:
        return wish
    got_N, _ = judged.at(decide(prediction, Best(), fallback=fallback).candidate_N)
    single_N, _ = judged.at(np.full(got_N.size, fallback))
    known_N = ~np.isnan(got_N) & ~np.isnan(single_N)
    if not known_N.any():
        return wish
    group_K = None if judged.group_N is None else judged.group_N[known_N]
    gain = difference(got_N[known_N], single_N[known_N], group_K)
    return Asked(name="best") if gain.interval(level).low > 0 else wish


def choose_policy(
    asked: Asked,
    prediction: Prediction,
    judged: Judged,
    fallback: int,
    prices: tuple[float, ...],
    parity: ParityConfig,
    cautious: bool = False,
) -> tuple[Asked, float]:
    """The policy that a wish ends in on these prompts, and what parity may give up on average.

    Where no policy is at parity the answer is `best`: what the gate will say of it is then the person's to read.
    Pseudo-outcomes of single answers are right on average but noisy, and of many policies the luckiest would be taken:
    a `cautious` choice also wants the predictions themselves, which are steady, to expect parity.
    """
    if asked.name != "parity":
        return asked, 0.0
    row_N = np.arange(judged.quality_NM.shape[0])
    single_N = judged.quality_NM[:, fallback]
    policies = tried(asked, prices)
    # a hundred policies on a million prompts: only their choices are kept, in two bytes each
    choices = [decide(prediction, policy_of(one), fallback=fallback).candidate_N.astype(CHOICE) for one in policies]
    known_N = ~np.isnan(single_N)
    for choice_N in choices:
        known_N &= ~np.isnan(judged.quality_NM[row_N, choice_N])
    if not known_N.any():
        return Asked(name="best"), 0.0
    known_KM = ~np.isnan(judged.quality_NM)
    mean_M = np.where(known_KM, judged.quality_NM, 0).sum(axis=0) / np.maximum(known_KM.sum(axis=0), 1)
    loss = parity_loss(np.where(known_KM.any(axis=0), mean_M, np.nan), parity)
    cost_P = np.array([judged.cost_usd_NM[row_N, choice_N][known_N].mean() for choice_N in choices])
    if cautious:
        above_NM = prediction.quality_NM - prediction.quality_NM[:, fallback, None]
        expected_P = np.array([above_NM[row_N, choice_N][known_N].mean() for choice_N in choices])
        cost_P = np.where(expected_P >= -loss, cost_P, np.nan)
    place = cheapest_at_parity(
        (judged.quality_NM[row_N, choice_N][known_N] for choice_N in choices),
        cost_P,
        single_N[known_N],
        margin=parity.margin,
        loss=loss,
        level=parity.level,
        least_error_P=np.array([judged.least_error(choice_N, fallback) for choice_N in choices]),
    )
    return (Asked(name="best") if place is None else policies[place]), loss


def policy_of(asked: Asked) -> Policy:
    """The policy of a wish other than parity."""
    return parse(asked.text())


def counts(seen: Board) -> NDArray[np.int64]:
    """Observed outcomes by task, and of all prompts in the last row, shape (T + 1, M)."""
    observed_NM = seen.observed_NM
    tasks = int(seen.task_N.max(initial=-1)) + 1
    table = np.zeros((tasks + 1, observed_NM.shape[1]), dtype=np.int64)
    np.add.at(table, seen.task_N, observed_NM.astype(np.int64))
    table[-1] = observed_NM.sum(axis=0)
    return table


def _believing(
    held: HeldOut,
    seen: Board,
    judged: Judged,
    expected_cost_usd_NM: Floats,
    table: NDArray[np.bool_],
    fallback: int,
    config: RouterConfig,
    fit_K: Rows,
) -> Callable[[Rows], Prediction]:
    """Beliefs about any rows, weighed, calibrated and guarded on these."""
    tasks = int(seen.task_N.max(initial=-1)) + 1
    mixing = choose_mixing(
        held.take(fit_K),
        seen.quality_NM[fit_K],
        judged.quality_NM[fit_K],
        fallback,
        **config.mixing(tasks),
        cost_usd_NM=expected_cost_usd_NM[fit_K],
        group_N=seen.group_N[fit_K],
    )

    def believe(rows_K: Rows) -> Prediction:
        part = held.take(rows_K)
        allowed_KM = table[part.task_N]
        return Prediction(
            quality_NM=mixing.calibration.apply(mixing.mixed(part)),
            cost_usd_NM=expected_cost_usd_NM[rows_K],
            task_N=part.task_N,
            margin_N=mixing.margin(part),
            # the floor of novelty is set so that hardly any of such prompts is below it
            novel_N=np.zeros(rows_K.size, dtype=np.bool_),
            supported_NM=None if allowed_KM.all() else allowed_KM,
        )

    return believe


def _folds(seen: Board, folds: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Rows to choose on and rows left out; groups stay whole, unless all prompts are one."""
    fold_N = dealt(numbered(divisible(seen.group_N)), folds, seed)
    return [(np.flatnonzero(fold_N != fold), np.flatnonzero(fold_N == fold)) for fold in range(folds)]
