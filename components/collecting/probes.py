"""Which answers to buy. Shapes: N prompts, M candidates; every cell's chance of being bought is known.

A part of the probes is drawn evenly and asks every candidate: what is judged on them is unbiased whatever the router
believed. The rest is drawn where an answer tells most about the router's savings: where it would leave the best single
candidate, and only the candidates are asked that it might choose there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LEAST = 0.05
"""Share of the greatest weight that every prompt has: predictions may be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeConfig:
    """How probes are drawn."""

    even_share: float = 0.3
    """Share of the probes that is drawn evenly, in (0, 1]."""

    def __post_init__(self) -> None:
        if not 0 < self.even_share <= 1:
            raise ValueError(f"even_share must be in (0, 1], got {self.even_share}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Believed:
    """What a router predicts of the prompts that may be probed."""

    quality_NM: Floats
    """In [0, 1]."""
    choice_N: NDArray[np.intp]
    """The router's choice under its operating policy."""
    single: int
    """The best single candidate, which savings are measured against."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probes:
    """Cells to buy, the most random order first: any beginning is a fair part of the whole."""

    prompt_K: NDArray[np.intp]
    candidate_K: NDArray[np.intp]
    inclusion_K: Floats
    """Probability with which each cell was drawn, in (0, 1]."""
    design_NM: Floats
    """The same of every cell, had it been open, in [0, 1]: what was answered before could have been drawn as well."""


def draw_probes(
    open_NM: NDArray[np.bool_],
    task_N: NDArray[np.int32],
    prompts: int,
    believed: Believed | None,
    config: ProbeConfig,
    seed: int,
) -> Probes:
    """Cells to buy.

    Args:
        open_NM: cells without an answer yet.
        task_N: the tasks that probes are spread over; -1: none.
        prompts: about how many to probe, >= 1; fewer where the two draws meet.
        believed: a router's predictions; None: all probes are drawn evenly.
        config: how.
        seed: of the draws.

    Returns:
        Cells grouped by prompt, prompts in random order.

    Raises:
        ValueError: nothing is open, or prompts < 1.
    """
    if prompts < 1:
        raise ValueError(f"prompts must be >= 1, got {prompts}")
    left_N = open_NM.any(axis=1)
    if not left_N.any():
        raise ValueError("every candidate has an answer to every prompt already")
    even_rng, weighted_rng, order_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    share = 1.0 if believed is None else config.even_share
    even_N = _chances(np.where(left_N, 1.0, 0.0), share * prompts)
    taken_NM = open_NM & _systematic(even_N, task_N, even_rng)[:, None]
    design_NM = np.broadcast_to(even_N[:, None], open_NM.shape)
    if believed is not None and share < 1:
        asked_NM = _plausible(believed)
        weight_N: Floats = np.where((asked_NM & open_NM).any(axis=1), _weights(believed), 0.0)
        weighted_N = _chances(weight_N, (1 - share) * prompts)
        taken_NM |= open_NM & asked_NM & _systematic(weighted_N, task_N, weighted_rng)[:, None]
        # drawn by one of two independent draws
        design_NM = 1 - (1 - design_NM) * (1 - np.where(asked_NM, weighted_N[:, None], 0.0))
    drawn = order_rng.permutation(np.flatnonzero(taken_NM.any(axis=1)))
    rows, candidate_K = np.nonzero(taken_NM[drawn])
    prompt_K = drawn[rows]
    return Probes(
        prompt_K=prompt_K,
        candidate_K=candidate_K,
        inclusion_K=np.clip(design_NM[prompt_K, candidate_K], 1e-9, 1.0),
        design_NM=design_NM,
    )


def _weights(believed: Believed) -> Floats:
    """Spread of an answer's quality difference to the best single candidate, where the router leaves it."""
    rows = np.arange(believed.choice_N.size)
    quality_NM = np.clip(believed.quality_NM, 0.02, 0.98)
    chosen_N, single_N = quality_NM[rows, believed.choice_N], quality_NM[:, believed.single]
    spread_N = np.sqrt(chosen_N * (1 - chosen_N) + single_N * (1 - single_N))
    weight_N = np.where(believed.choice_N == believed.single, 0.0, spread_N)
    return np.asarray(np.maximum(weight_N, _LEAST * max(float(weight_N.max(initial=0.0)), 1e-9)))


def _plausible(believed: Believed) -> NDArray[np.bool_]:
    """Candidates worth an answer: the router's choice, the best single one, and the likeliest best."""
    rows = np.arange(believed.choice_N.size)
    asked_NM = np.zeros(believed.quality_NM.shape, dtype=bool)
    asked_NM[rows, believed.choice_N] = True
    asked_NM[rows, believed.quality_NM.argmax(axis=1)] = True
    asked_NM[:, believed.single] = True
    return asked_NM


def _chances(weight_N: Floats, prompts: float) -> Floats:
    """Chances in [0, 1] in proportion to the weights, that draw so many prompts."""
    chance_N = np.zeros(weight_N.size)
    free_N = weight_N > 0
    left = prompts
    while free_N.any() and left > 0:
        chance_N[free_N] = left / float(weight_N[free_N].sum()) * weight_N[free_N]
        over_N = free_N & (chance_N >= 1)
        if not over_N.any():
            break
        chance_N[over_N] = 1.0
        left -= float(over_N.sum())
        free_N &= ~over_N
        chance_N[free_N] = 0.0
    return chance_N


def _systematic(chance_N: Floats, task_N: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draws with exactly these chances, spread over the tasks (Madow 1949): a comb laid over prompts sorted by task."""
    order_N = rng.permutation(task_N.size)
    order_N = order_N[np.argsort(task_N[order_N], kind="stable")]
    # sums of floats must not lose a tooth of the comb
    upto_N = np.round(np.cumsum(chance_N[order_N]), 9)
    teeth_N = np.floor(upto_N + rng.random())
    drawn_N = np.zeros(task_N.size, dtype=bool)
    drawn_N[order_N] = np.diff(teeth_N, prepend=0.0) > 0
    return drawn_N
