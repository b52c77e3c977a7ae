"""Every method judged on the same prompts and candidates. Shapes: N prompts, M candidates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import Interval, intervals
from components.evaluation.curves import operating_points
from components.evaluation.metrics import aiq, apgr, cost_save, gap_at_oracle, perf_gain


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodScore:
    """One method's figures on the test prompts."""

    quality: Interval
    cost_usd_per_1000: Interval | None
    """USD per 1000 prompts; None where a chosen call's cost is unknown."""
    regret: float
    """Mean quality lost to the per-prompt oracle."""
    gap_at_oracle: float
    perf_gain: float
    gain: Interval
    """Quality less that of the best single candidate, paired."""
    aiq: float | None = None
    apgr: float | None = None
    cost_save: float | None = None
    per_benchmark: dict[str, dict[str, float]] = field(default_factory=dict)
    """Benchmark -> quality, regret and the count of prompts."""
    per_task: dict[str, dict[str, float]] = field(default_factory=dict)
    """The same for each task; empty where tasks weren't given."""

    def as_dict(self) -> dict[str, Any]:
        """As report.json holds it: intervals are [mean, low, high]."""
        return {
            "quality": self.quality.as_list(),
            "cost_usd_per_1000": self.cost_usd_per_1000.as_list() if self.cost_usd_per_1000 else None,
            "regret": self.regret,
            "aiq": self.aiq,
            "apgr": self.apgr,
            "cost_save": self.cost_save,
            "gap_at_oracle": self.gap_at_oracle,
            "perf_gain": self.perf_gain,
            "gain": self.gain.as_list(),
            "per_benchmark": self.per_benchmark,
            "per_task": self.per_task,
        }


def choose(predicted_NM: NDArray[np.float64], columns_C: NDArray[np.intp]) -> NDArray[np.intp]:
    """Position within `columns_C` of each prompt's best prediction; nan is never chosen, ties go to the first.

    Raises:
        ValueError: a prompt with no prediction for any of the columns.
    """
    among_NC = predicted_NM[:, columns_C]
    if np.isnan(among_NC).all(axis=1).any():
        raise ValueError("a prompt has no prediction for any of the compared candidates")
    return np.asarray(np.where(np.isnan(among_NC), -np.inf, among_NC).argmax(axis=1), dtype=np.intp)


def score_methods(
    predictions: Mapping[str, NDArray[np.float64]],
    *,
    quality_NM: NDArray[np.float64],
    cost_usd_NM: NDArray[np.float64],
    benchmark_N: NDArray[np.str_],
    best_single: int,
    seed: int,
    task_N: NDArray[np.str_] | None = None,
    group_N: NDArray[np.integer] | None = None,
    expected_cost: Mapping[str, NDArray[np.float64]] | None = None,
) -> dict[str, MethodScore]:
    """Scores of each method, and of the oracle, the best single candidate and random choice (in expectation, exact).

    All are compared on the same prompts: those on which the best single candidate and another can be judged. Each
    prompt's choice is among the candidates that can be judged on it.

    Args:
        predictions: name -> predicted quality, shape (N, M); one named oracle, best_single or random is replaced.
        quality_NM: what a choice is worth: observed quality in [0, 1], or its stand-in (a pseudo-outcome, of any size)
            where a prompt's were not all observed; nan where nothing supports the choice.
        cost_usd_NM: the same of USD per call; nan where unknown.
        benchmark_N: the logs' label of each prompt.
        best_single: column of the candidate that is best on the training prompts.
        seed: of the bootstrap.
        task_N: the label of each prompt's task, assigned without its outcomes; None: no scores by task.
        group_N: prompts that belong together, such as turns of a conversation, below 0: to nothing; intervals draw
            them together. None: all are independent.
        expected_cost: name -> USD per call as the method expects it, shape (N, M), for its cost-quality curve; each
            candidate's mean for methods that aren't named.

    Raises:
        ValueError: a shape differs, nothing can be compared, or a prompt has no prediction.
    """
    for name, predicted_NM in predictions.items():
        if predicted_NM.shape != quality_NM.shape:
            raise ValueError(f"{name} predicts {predicted_NM.shape}, outcomes are {quality_NM.shape}")
    if task_N is not None and task_N.shape != benchmark_N.shape:
        raise ValueError(f"{task_N.shape[0]} tasks for {benchmark_N.shape[0]} prompts")
    if group_N is not None and group_N.shape != benchmark_N.shape:
        raise ValueError(f"{group_N.shape[0]} groups for {benchmark_N.shape[0]} prompts")
    judged_NM = ~np.isnan(quality_NM)
    rows = np.flatnonzero(judged_NM[:, best_single] & (judged_NM.sum(axis=1) >= 2))
    if rows.size == 0:
        raise ValueError(
            "no common prompts: there is no prompt on which the best single candidate and another can be judged"
        )
    quality, cost, best = quality_NM[rows], cost_usd_NM[rows], best_single
    # a stand-in may lie outside [0, 1]; the oracle isn't to live off the luck of its weights
    bounded = np.where(np.isnan(quality), -1.0, np.clip(quality, 0.0, 1.0))
    # Among equally good candidates the oracle takes the cheapest: its quality alone would leave its cost to chance.
    cheap = np.where(np.isnan(cost), np.inf, cost)
    weight = {"oracle": _one_hot(_oracle(bounded, cheap), quality.shape[1])}
    weight["best_single"] = _one_hot(np.full(len(rows), best), quality.shape[1])
    weight["random"] = judged_NM[rows] / judged_NM[rows].sum(axis=1, keepdims=True)
    for name, predicted_NM in predictions.items():
        if name not in weight:
            among_NM = np.where(judged_NM[rows], predicted_NM[rows], np.nan)
            weight[name] = _one_hot(choose(among_NM, np.arange(quality.shape[1])), quality.shape[1])
    names = list(weight)
    worth = np.nan_to_num(quality)
    gained_NK = np.stack(
        [(weight[name] * (bounded if name == "oracle" else worth)).sum(axis=1) for name in names], axis=1
    )
    paid_NK = np.stack([_paid(weight[name], cost) for name in names], axis=1)
    single_N = gained_NK[:, names.index("best_single")]
    priced = [column for column in range(len(names)) if not np.isnan(paid_NK[:, column]).any()]
    # the same resamples serve all columns, so that they are drawn once
    shown = intervals(
        np.concatenate([gained_NK, gained_NK - single_N[:, None], 1000 * paid_NK[:, priced]], axis=1),
        seed,
        group_N=None if group_N is None else group_N[rows],
    )
    quality_K, gain_K = shown[: len(names)], shown[len(names) : 2 * len(names)]
    cost_K = dict(zip(priced, shown[2 * len(names) :], strict=True))
    best_N, top = bounded.max(axis=1), float(bounded.max(axis=1).mean())
    single = quality_K[names.index("best_single")].mean
    benchmark_K = _Groups.of(benchmark_N[rows], best_N)
    task_K = None if task_N is None else _Groups.of(task_N[rows], best_N)
    scores = {}
    for column, name in enumerate(names):
        mean = quality_K[column].mean
        curve: dict[str, float | None] = {}
        if (
            name in predictions
            and name not in ("oracle", "best_single", "random")
            and not (np.isnan(cost).any() or np.isnan(quality).any())
        ):
            believed = (expected_cost or {}).get(name)
            curve = _curve(
                predictions[name][rows],
                quality,
                cost,
                best,
                None if believed is None or np.isnan(believed).any() else believed[rows],
            )
        scores[name] = MethodScore(
            quality=quality_K[column],
            cost_usd_per_1000=cost_K.get(column),
            regret=float((best_N - gained_NK[:, column]).mean()),
            gap_at_oracle=gap_at_oracle(mean, top),
            perf_gain=perf_gain(mean, single),
            gain=gain_K[column],
            per_benchmark=benchmark_K.worth(gained_NK[:, column]),
            per_task={} if task_K is None else task_K.worth(gained_NK[:, column]),
            **curve,
        )
    return scores


def _oracle(quality: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.intp]:
    tied = quality == quality.max(axis=1, keepdims=True)
    first = tied.argmax(axis=1)
    cheapest = np.where(tied, cost, np.inf).argmin(axis=1)
    choice = np.where(np.take_along_axis(tied, cheapest[:, None], axis=1)[:, 0], cheapest, first)
    return np.asarray(choice, dtype=np.intp)


def _one_hot(choice_N: NDArray[np.intp], width: int) -> NDArray[np.float64]:
    return np.asarray(np.eye(width)[choice_N], dtype=np.float64)


def _paid(weight: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float64]:
    # An unknown cost matters only where it may be paid: 0 x nan would spoil the others.
    return np.asarray(np.where(weight > 0, weight * cost, 0.0).sum(axis=1), dtype=np.float64)


def _curve(
    predicted: NDArray[np.float64],
    quality: NDArray[np.float64],
    cost: NDArray[np.float64],
    best: int,
    expected: NDArray[np.float64] | None,
) -> dict[str, float | None]:
    mean_C, value_C = cost.mean(axis=0), quality.mean(axis=0)
    cheapest, most_expensive = float(mean_C.min()), float(mean_C.max())
    if not cheapest < most_expensive:
        return {}
    weak = int(mean_C.argmin())
    costs, qualities = operating_points(predicted, quality, cost, expected)
    weak_point, strong_point = (cheapest, float(value_C[weak])), (float(mean_C[best]), float(value_C[best]))
    return {
        "aiq": aiq(costs, qualities, cheapest, most_expensive),
        "apgr": apgr(costs, qualities, weak_point, strong_point),
        "cost_save": cost_save(costs, qualities, strong_point[0], strong_point[1]),
    }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Groups:
    """Prompts by label, and what could be had on them."""

    names: list[str]
    place_N: NDArray[np.intp]
    count_G: NDArray[np.intp]
    best_N: NDArray[np.float64]

    @classmethod
    def of(cls, label_N: NDArray[np.str_], best_N: NDArray[np.float64]) -> "_Groups":
        names, place_N, count_G = np.unique(label_N, return_inverse=True, return_counts=True)
        return cls(names=names.tolist(), place_N=place_N, count_G=count_G, best_N=best_N)

    def worth(self, gained_N: NDArray[np.float64]) -> dict[str, dict[str, float]]:
        """Quality, regret and the count of prompts by label."""
        quality_G, regret_G = (
            np.bincount(self.place_N, values_N) / self.count_G for values_N in (gained_N, self.best_N - gained_N)
        )
        return {
            name: {"quality": float(quality), "regret": float(regret), "count": float(count)}
            for name, quality, regret, count in zip(self.names, quality_G, regret_G, self.count_G, strict=True)
        }
