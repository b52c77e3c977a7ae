"""What the gate asks: thresholds and error probabilities, declared before the run."""

from dataclasses import dataclass

from components.evaluation.error_budget import look_level


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """What a challenger must clear."""

    parity_margin: float = 0.01
    """Quality in [0, 1] by which the interval against the best single candidate may reach below 0."""
    champion_margin: float = 0.01
    """The same against the router in service, and against the first one of the year."""
    least_savings: float = 0.05
    """Share of the best single candidate's cost that counts as a saving, in [0, 1)."""
    greatest_cost_ratio: float = 2.0
    """Cost relative to the best single candidate's that better quality may take, >= 1."""
    champion_cost_ratio: float = 1.1
    """Cost relative to the champion's that a challenger no better than it may take, >= 1."""
    weekly_error: float = 0.05
    """Probability of a wrong verdict against the best single candidate or the champion, one-sided, in (0, 0.5]."""
    yearly_error: float = 0.05
    """Probability that a year's promotions lead below the first champion's margin, in (0, 1); see error_budget."""
    least_prompts: int = 100
    """Prompts below which there isn't enough evidence, whatever they say, >= 1."""
    least_share: float = 0.2
    """The same as a share of the prompts that were to be judged, in [0, 1]."""
    most_more: float = 3.0
    """Times as many prompts as there are that may be asked for before a verdict is 'refused', >= 0."""
    calibration_error: float = 0.10
    """Greatest expected calibration error, in [0, 1]."""
    leave_one_out_floor: float = -0.05
    """Mean gain over the best single candidate on benchmarks not trained on, each counting the same, in [-1, 1]."""
    latency_ms: float = 250.0
    """Greatest milliseconds of processor time per prompt, one at a time, > 0."""

    def __post_init__(self) -> None:
        for name in ("parity_margin", "champion_margin", "least_share", "calibration_error"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        if not 0 <= self.least_savings < 1:
            raise ValueError(f"least_savings must be in [0, 1), got {self.least_savings}")
        if not min(self.greatest_cost_ratio, self.champion_cost_ratio) >= 1:
            raise ValueError("greatest_cost_ratio and champion_cost_ratio must be >= 1")
        if not 0 < self.weekly_error <= 0.5:
            raise ValueError(f"weekly_error must be in (0, 0.5], got {self.weekly_error}")
        look_level(1, self.yearly_error)
        if self.least_prompts < 1 or not self.most_more >= 0:
            raise ValueError(f"least_prompts must be >= 1 and most_more >= 0, got {self}")
        if not -1 <= self.leave_one_out_floor <= 1:
            raise ValueError(f"leave_one_out_floor must be in [-1, 1], got {self.leave_one_out_floor}")
        if not 0 < self.latency_ms < float("inf"):
            raise ValueError(f"latency_ms must be > 0 and finite, got {self.latency_ms}")
