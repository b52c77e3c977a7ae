"""Whether a challenger may reign: criteria are data, declared before the run; refusal is a normal outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import Interval, paired_difference
from components.evaluation.latency import rounded_up


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """What a challenger must clear, on the frozen test split."""

    champion_margin: float = 0.01
    """Quality in [0, 1] by which the paired interval against the champion may reach below 0."""
    parity_margin: float = 0.01
    """The same against the best single candidate, where the challenger costs less."""
    calibration_error: float = 0.10
    """Greatest expected calibration error, in [0, 1]."""
    control_margin: float = 0.0
    """Mean quality by which each control must be beaten, in [0, 1]."""
    leave_one_out_floor: float = -0.05
    """Mean gain over the best single candidate on benchmarks not trained on, each counting the same, in [-1, 1]."""
    latency_ms: float = 250.0
    """Greatest milliseconds of processor time per prompt, one at a time, > 0."""

    def __post_init__(self) -> None:
        for name in ("champion_margin", "parity_margin", "calibration_error", "control_margin"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        if not -1 <= self.leave_one_out_floor <= 1:
            raise ValueError(f"leave_one_out_floor must be in [-1, 1], got {self.leave_one_out_floor}")
        if not 0 < self.latency_ms < float("inf"):
            raise ValueError(f"latency_ms must be > 0 and finite, got {self.latency_ms}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One condition and how it turned out."""

    name: str
    figure: float
    threshold: float
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's word: promoted only if every criterion passed."""

    verdict: Literal["promoted", "refused"]
    criteria: tuple[Criterion, ...]

    def as_dict(self) -> dict[str, Any]:
        """As report.json holds it."""
        return {
            "verdict": self.verdict,
            "criteria": [
                {"name": c.name, "figure": c.figure, "threshold": c.threshold, "passed": c.passed}
                for c in self.criteria
            ],
        }


def judge(
    *,
    challenger_quality_N: NDArray[np.float64],
    best_single_quality_N: NDArray[np.float64],
    calibration_error: float,
    self_check: bool,
    seed: int,
    challenger_cost_N: NDArray[np.float64] | None = None,
    best_single_cost_N: NDArray[np.float64] | None = None,
    champion_quality_N: NDArray[np.float64] | None = None,
    controls: Mapping[str, NDArray[np.float64]] | None = None,
    leave_one_out: Mapping[str, Interval] | None = None,
    latency_ms: float | None = None,
    config: GateConfig | None = None,
) -> Verdict:
    """Judges a challenger on the quality its choices got, prompt by prompt, on the frozen test split.

    Args:
        challenger_quality_N: quality of the challenger's choices.
        best_single_quality_N: of the best single candidate, on the same prompts.
        calibration_error: expected calibration error of the challenger's predictions.
        self_check: whether the bundle made its golden decisions again.
        seed: of the bootstrap.
        challenger_cost_N: USD of the choices; None or nan: no claim of lower cost is made.
        best_single_cost_N: the same of the best single candidate.
        champion_quality_N: of the reigning champion's choices; None: there is none.
        controls: name -> quality of the choices of a control, such as random features.
        leave_one_out: benchmark -> gain over the best single candidate without having trained on it. Their mean is
            judged, each benchmark counting the same: the least of many would fall below any floor by chance.
        latency_ms: milliseconds per prompt, listed rounded up to fifths of the budget; None: not measured, not judged.
        config: the thresholds.

    Raises:
        ValueError: the prompts differ in number, there are none, or a quality is nan.
    """
    config = config or GateConfig()
    criteria = []

    def at_least(name: str, figure: float, threshold: float) -> None:
        passed = bool(figure >= threshold)
        criteria.append(Criterion(name=name, figure=figure, threshold=threshold, passed=passed))

    if champion_quality_N is not None:
        low = paired_difference(challenger_quality_N, champion_quality_N, seed).low
        at_least("not worse than the champion (interval low)", low, -config.champion_margin)
    gain = paired_difference(challenger_quality_N, best_single_quality_N, seed)
    if gain.low <= 0 and _cheaper(challenger_cost_N, best_single_cost_N):
        at_least("parity with the best single at lower cost (interval low)", gain.low, -config.parity_margin)
    else:
        # Strictly above: a router that only repeats the best single candidate gains exactly 0.
        name = "better than the best single (interval low)"
        criteria.append(Criterion(name=name, figure=gain.low, threshold=0.0, passed=gain.low > 0))
    criteria.append(
        Criterion(
            name="expected calibration error",
            figure=calibration_error,
            threshold=config.calibration_error,
            passed=bool(calibration_error <= config.calibration_error),
        )
    )
    for name, quality_N in sorted((controls or {}).items()):
        mean = paired_difference(challenger_quality_N, quality_N, seed).mean
        passed = mean > config.control_margin
        criteria.append(
            Criterion(name=f"control beaten: {name}", figure=mean, threshold=config.control_margin, passed=passed)
        )
    if leave_one_out:
        worst = min(leave_one_out, key=lambda name: leave_one_out[name].mean)
        mean = float(np.mean([gain.mean for gain in leave_one_out.values()]))
        at_least(f"leave one benchmark out, mean (worst: {worst})", mean, config.leave_one_out_floor)
    if latency_ms is not None:
        name, figure = (
            "milliseconds of processor time per prompt (rounded up)",
            rounded_up(latency_ms, config.latency_ms),
        )
        fast = bool(latency_ms <= config.latency_ms)
        criteria.append(Criterion(name=name, figure=figure, threshold=config.latency_ms, passed=fast))
    at_least("bundle self-check", float(self_check), 1.0)
    return Verdict(
        verdict="promoted" if all(criterion.passed for criterion in criteria) else "refused", criteria=tuple(criteria)
    )


def _cheaper(a_N: NDArray[np.float64] | None, b_N: NDArray[np.float64] | None) -> bool:
    # nan compares false: an unknown cost is never a lower one.
    return a_N is not None and b_N is not None and bool(a_N.mean() < b_N.mean())
