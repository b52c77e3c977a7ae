"""Years of verdicts on simulated outcomes whose truth is known: nothing is trained.

A year starts with a best single candidate and, in some scenarios, a first champion. Each week brings a challenger whose
outcomes differ from the best single candidate's on a given share of the prompts, drawn anew for each challenger: noise
that is independent from week to week is the worst case for a year's error. Shapes: N prompts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from components.evaluation.gate import Played, Verdict, judge
from components.evaluation.gate_config import GateConfig

Floats = NDArray[np.float64]
PROMPTS, WEEKS = 6_000, 52


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a router is really worth."""

    gain: float
    """Quality less the best single candidate's."""
    cost: float
    """Relative to the best single candidate's."""


def play(truth: Truth, share: float, single_N: Floats, name: str, generator: np.random.Generator) -> Played:
    """Outcomes of a router that differs from the best single candidate on about a share of the prompts.

    A wrong answer turns right, and a right one wrong, at rates that make the expected difference `gain`.
    """
    right = float(single_N.mean())
    up, down = (share + truth.gain) / 2 / (1 - right), (share - truth.gain) / 2 / right
    flip_N = generator.random(single_N.size) < np.where(single_N > 0, down, up)
    return Played(
        name=name,
        quality_N=np.where(flip_N, 1 - single_N, single_N),
        # a few of each: savings are never in doubt here
        cost_usd_N=truth.cost * np.where(np.arange(single_N.size) % 2, 0.5, 1.5),
    )


def single_outcomes(prompts: int, generator: np.random.Generator) -> Played:
    """The best single candidate: right on seven prompts of ten."""
    quality_N = (generator.random(prompts) < 0.7).astype(np.float64)
    return Played(name="always using X", quality_N=quality_N, cost_usd_N=np.full(prompts, 1.0))


def once(
    truth: Truth, share: float, champion: Truth | None, generator: np.random.Generator, config: GateConfig
) -> Verdict:
    """The verdict on one challenger, in the champion's first week if there is one."""
    single = single_outcomes(PROMPTS, generator)
    first = None if champion is None else play(champion, share, single.quality_N, "the champion", generator)
    challenger = play(truth, share, single.quality_N, "the challenger", generator)
    return judge(
        challenger=challenger,
        best_single=single,
        champion=first,
        anchor=first,
        calibration_error=0.02,
        self_check=True,
        config=config,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """How 52 weekly verdicts went."""

    promotions: int
    below: bool
    """A router was promoted that is really more than the margin below the anchor."""


def year(
    next_truth: Callable[[Truth], Truth],
    first: Truth | None,
    share: float,
    generator: np.random.Generator,
    config: GateConfig,
) -> Year:
    """A year in which each challenger's truth follows from the champion's.

    Args:
        next_truth: of the champion's truth; of the best single candidate's where there is no champion.
        first: the first champion; None: there is none, and none is kept (each week is judged for itself).
        share: of prompts on which a router's outcome differs from the best single candidate's.
        generator: of all that is drawn.
        config: of the gate.
    """
    single = single_outcomes(PROMPTS, generator)
    champion_truth = first or Truth(gain=0.0, cost=1.0)
    anchor = None if first is None else play(first, share, single.quality_N, "the first champion", generator)
    champion, looks, promotions, below = anchor, 0, 0, False
    for _ in range(WEEKS):
        truth = next_truth(champion_truth)
        challenger = play(truth, share, single.quality_N, "the challenger", generator)
        verdict = judge(
            challenger=challenger,
            best_single=single,
            champion=champion,
            anchor=anchor,
            looks=looks,
            calibration_error=0.02,
            self_check=True,
            config=config,
        )
        looks += verdict.anchor_looks
        if verdict.verdict == "promoted":
            promotions += 1
            below |= truth.gain < (first.gain if first else 0.0) - config.champion_margin - 1e-12
            if first is not None:
                champion, champion_truth = challenger, truth
    return Year(promotions=promotions, below=below)


def _constant(truth: Truth) -> Callable[[Truth], Truth]:
    return lambda _: truth


def _step(worse: float, cheaper: float, champion: Truth) -> Truth:
    return Truth(gain=champion.gain - worse, cost=champion.cost * (1 - cheaper))


def chain(worse: float, cheaper: float) -> Callable[[Truth], Truth]:
    """Challengers that are each a step below the champion of their week, and a step cheaper."""
    return partial(_step, worse, cheaper)


def power(share: float, draws: int, seed: int, config: GateConfig) -> Mapping[str, float]:
    """Shares of verdicts that aren't 'promoted' where the truth is worth promoting."""
    saver, dear = Truth(gain=0.0, cost=0.6), Truth(gain=0.0, cost=1.0)
    cases = {
        "saves 40 %, no champion": (saver, None),
        "saves 40 %, champion of equal quality at full cost": (saver, dear),
        "saves 40 %, two points better, no champion": (Truth(gain=0.02, cost=0.6), None),
    }
    found = {}
    for number, (name, (truth, champion)) in enumerate(cases.items()):
        generator = np.random.default_rng([seed, number])
        words = [once(truth, share, champion, generator, config).verdict for _ in range(draws)]
        found[name] = float(np.mean([word != "promoted" for word in words]))
    return found


def errors(share: float, years: int, seed: int, config: GateConfig) -> Mapping[str, float]:
    """What goes wrong in a year where it should not."""
    saver = 0.6
    two_below, at_margin = Truth(gain=-0.02, cost=saver), Truth(gain=-config.parity_margin, cost=saver)
    found: dict[str, float] = {}

    def played(number: int, rule: Callable[[Truth], Truth], first: Truth | None) -> list[Year]:
        generator = np.random.default_rng([seed, 100 + number])
        return [year(rule, first, share, generator, config) for _ in range(years)]

    found["any promotion, all 2 points below"] = float(
        np.mean([one.promotions > 0 for one in played(0, _constant(two_below), None)])
    )
    found["promotions a year, all at the margin"] = float(
        np.mean([one.promotions for one in played(1, _constant(at_margin), None)])
    )
    firsts = Truth(gain=0.0, cost=saver), Truth(gain=0.02, cost=saver)
    chains = [(worse, 0.05) for worse in (0.001, 0.002, 0.005)]
    worst = 0.0
    for number, (worse, cheaper) in enumerate(chains):
        for first in firsts:
            below = np.mean([one.below for one in played(2 + number, chain(worse, cheaper), first)])
            worst = max(worst, float(below))
    found["worst chain ends below the anchor"] = worst
    return found
