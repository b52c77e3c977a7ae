"""Does an implicit head follow candidates that change from week to week with fewer outcomes than its controls?

A world drifts: every week each candidate's strength at each topic takes a step. A gateway's log of the last weeks, one
answer a prompt from a candidate drawn uniformly, teaches each method, and the next week's prompts judge its choices by
their true chances. Shapes: N prompts, T topics, F features, M candidates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from components.baselines.methods import METHODS, fit_predict
from components.tables.board import Board
from tests.benchmarks.processes import in_processes
from tests.benchmarks.table import Cell, Table

Floats = NDArray[np.float64]
CONTROLS = ("implicit_no_feedback", "implicit_no_skip", "mlp_skip", "linear")
STEPS = (0.0, 0.5)
"""Standard deviation of a week's step in strength, logits; 0: nothing changes."""
PER_WEEK = (100, 400, 1600)
"""Outcomes of a week."""
WEEKS, WORLDS, JUDGED = 4, 40, 1000
TOPICS, CANDIDATES, FEATURES = 8, 6, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What stays the same from week to week."""

    centre_TF: Floats
    ease_T: Floats
    slope_FM: Floats

    def week(self, strength_TM: Floats, prompts: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
        """Unit features of new prompts, shape (N, F), and every candidate's chance of a right answer, (N, M)."""
        topic_N = generator.integers(TOPICS, size=prompts)
        noise_NF = generator.standard_normal((prompts, FEATURES))
        features_NF = self.centre_TF[topic_N] + noise_NF
        ease_N = self.ease_T[topic_N] + generator.standard_normal(prompts)
        logit_NM = ease_N[:, None] + strength_TM[topic_N] + noise_NF @ self.slope_FM
        return features_NF / np.linalg.norm(features_NF, axis=1, keepdims=True), 1 / (1 + np.exp(-logit_NM))


def worth(seed: int, step: float, per_week: int) -> dict[str, float]:
    """Mean true chance of each method's choices in the week after the log, of one world; the oracle's beside it."""
    generator = np.random.default_rng((seed, 71, round(100 * step), per_week))
    world = World(
        centre_TF=1.2 * generator.standard_normal((TOPICS, FEATURES)),
        ease_T=0.5 + 0.8 * generator.standard_normal(TOPICS),
        slope_FM=0.3 * generator.standard_normal((FEATURES, CANDIDATES)) / np.sqrt(FEATURES),
    )
    strength_TM = 0.8 * generator.standard_normal((TOPICS, CANDIDATES))
    seen, got = [], []
    for _ in range(WEEKS):
        features_NF, chance_NM = world.week(strength_TM, per_week, generator)
        asked_N1 = generator.integers(CANDIDATES, size=(per_week, 1))
        quality_NM = np.full(chance_NM.shape, np.nan)
        right_N1 = generator.random((per_week, 1)) < np.take_along_axis(chance_NM, asked_N1, 1)
        np.put_along_axis(quality_NM, asked_N1, right_N1.astype(np.float64), 1)
        seen.append(features_NF)
        got.append(quality_NM)
        strength_TM = strength_TM + step * generator.standard_normal(strength_TM.shape)
    judged_NF, chance_NM = world.week(strength_TM, JUDGED, generator)
    training = Board(quality_NM=np.concatenate(got), features_NF=np.concatenate(seen).astype(np.float32))
    judged = Board(quality_NM=chance_NM, features_NF=judged_NF.astype(np.float32))
    found = {"oracle": float(chance_NM.max(axis=1).mean())}
    for name in ("implicit", *CONTROLS, "best_single"):
        chosen_N = fit_predict(METHODS[name], training, judged, seed).argmax(axis=1)
        found[name] = float(chance_NM[np.arange(JUDGED), chosen_N].mean())
    return found


def less(first: Sequence[float], second: Sequence[float]) -> tuple[float, float, float]:
    """Mean difference of paired figures with its 95 % interval (Student's t over worlds)."""
    gap = np.subtract(first, second)
    mean, error = float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(gap.size))
    half = float(stats.t.ppf(0.975, gap.size - 1)) * error
    return mean, mean - half, mean + half


def run(*, worlds: int = WORLDS, workers: int = 1) -> Table:
    """Every method's worth by how fast the world changes and how many outcomes a week brings."""
    places = [(step, per_week) for step in STEPS for per_week in PER_WEEK]
    found = in_processes(worth, [(seed, *place) for place in places for seed in range(worlds)], workers)
    rows: list[dict[str, Cell]] = []
    for number, (step, per_week) in enumerate(places):
        each = found[number * worlds : (number + 1) * worlds]
        of = {name: [one[name] for one in each] for name in each[0]}
        for name in ("implicit", *CONTROLS, "best_single"):
            mean, low, high = less(of["implicit"], of[name])
            rows.append(
                {
                    "step a week": step,
                    "outcomes a week": per_week,
                    "method": name,
                    "quality": float(np.mean(of[name])),
                    "regret": float(np.mean(of["oracle"]) - np.mean(of[name])),
                    "implicit less this, points": None if name == "implicit" else 100 * mean,
                    "low": None if name == "implicit" else 100 * low,
                    "high": None if name == "implicit" else 100 * high,
                }
            )
    return Table(
        name="adapting",
        claim=(
            f"{WEEKS} weeks of one answer a prompt teach, the week after judges ({JUDGED:,} prompts, true chances), "
            f"{CANDIDATES} candidates, {worlds} worlds. A step is the standard deviation, in logits, by which each "
            "candidate's strength at each topic changes a week. implicit_no_feedback: A = 0; implicit_no_skip: D = 0. "
            "Differences are paired by world, with 95 % intervals."
        ),
        rows=rows,
        summary={},
    )
