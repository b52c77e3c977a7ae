"""A challenger that decides for a share of sessions, and is stopped when its outcomes are worse beyond chance.

Outcomes may be looked at after each one: the intervals hold at all times together (Waudby-Smith et al. 2021,
arXiv 2103.06476, asymptotic confidence sequences, equation 9).
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from pointsman.policy.exploration import unit

Arm = Literal["champion", "challenger"]
_RHO = 0.05
"""Where the sequence is tightest: at about 1 / rho^2 outcomes."""
LEAST = 30
"""Outcomes of each arm before anything is concluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryConfig:
    """How much, and what is too much."""

    share: float
    """Of sessions, in (0, 1)."""
    level: float = 0.05
    """Chance of a false alarm over the canary's whole life, in (0, 1)."""
    more_errors: float = 0.02
    """By which the share of failed calls may be higher, >= 0."""
    less_quality: float = 0.02
    """By which told quality may be lower, >= 0."""
    more_thumbs_down: float = 0.05
    """By which the share of thumbs down may be higher, >= 0."""
    cost_ratio: float = 1.5
    """Times as expensive as the champion that it may be, >= 1."""
    latency_ratio: float = 1.5
    """Times as slow that it may be, >= 1."""
    enough: int = 1000
    """Decisions of the challenger with outcomes, without a step back, after which it has succeeded, >= 1; of the
    champion's LEAST are wanted as well."""

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"the canary's share must be in (0, 1), got {self.share}")
        if not 0 < self.level < 1:
            raise ValueError(f"the canary's level must be in (0, 1), got {self.level}")
        if self.enough < 1:
            raise ValueError(f"the canary must want at least one outcome, got {self.enough}")


@dataclass(slots=True)
class Mean:
    """Running mean and variance (Welford 1962)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Takes one more value."""
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)

    def remove(self, value: float) -> None:
        """Takes one of its values back."""
        self.count -= 1
        if not self.count:
            self.mean = self.squares = 0.0
            return
        step = value - self.mean
        self.mean -= step / self.count
        # rounding must not leave a variance below 0
        self.squares = max(self.squares - step * (value - self.mean), 0.0)

    def half_width(self, level: float) -> float:
        """Of an interval that holds at all times together, with probability 1 - level."""
        if self.count < 2:
            return math.inf
        scaled = self.count * _RHO**2 + 1
        deviation = math.sqrt(self.squares / (self.count - 1))
        # without any variation seen, one more value could differ
        deviation = max(deviation, 1 / self.count)
        return deviation * math.sqrt(2 * scaled / (self.count * _RHO) ** 2 * math.log(math.sqrt(scaled) / level))


@dataclass(slots=True)
class _Guard:
    """One figure of both arms."""

    champion: Mean = field(default_factory=Mean)
    challenger: Mean = field(default_factory=Mean)

    def worse_by(self, level: float, ratio: float = 1.0) -> float:
        """At least so much is the challenger's mean above `ratio` times the champion's; -inf: nothing is known."""
        if min(self.champion.count, self.challenger.count) < LEAST:
            return -math.inf
        widths = self.challenger.half_width(level / 2) + ratio * self.champion.half_width(level / 2)
        return self.challenger.mean - ratio * self.champion.mean - widths


class Canary:
    """Who decides, and whether the challenger goes on. Not for several threads at a time."""

    def __init__(self, config: CanaryConfig, router_id: str = "") -> None:
        """`router_id`: of the challenger."""
        self.config, self.router_id = config, router_id
        self.stopped = ""
        """Why the challenger was stopped; '': it goes on."""
        self.succeeded = ""
        """What it succeeded by; '': it is being tried, or was stopped. It goes on deciding for its share."""
        names = ("errors", "thumbs_down", "lost_quality", "cost_usd", "latency_ms")
        self._guards = {name: _Guard() for name in names}

    def arm(self, key: str) -> Arm:
        """Who decides for a session, the same each time; after a step back the champion for all."""
        return "challenger" if not self.stopped and unit(f"canary:{key}") < self.config.share else "champion"

    def told(self, arm: Arm, figures: dict[str, Any], before: dict[str, Any] | None = None) -> bool:
        """Counts what is known of a decision; whether that ends the trial: the challenger is stopped, or has succeeded.

        Args:
            arm: who decided.
            figures: all that was told of it.
            before: what of that is counted already, and goes: a decision counts once, however often it is told of.
        """
        for name, value in (_values(before) if before else {}).items():
            getattr(self._guards[name], arm).remove(value)
        for name, value in _values(figures).items():
            getattr(self._guards[name], arm).add(value)
        if self.stopped:
            return False
        self.stopped = self._verdict()
        heard = self._guards["errors"]
        enough = heard.challenger.count >= self.config.enough and heard.champion.count >= LEAST
        if self.stopped or self.succeeded or not enough:
            return bool(self.stopped)
        self.succeeded = self._account()
        return True

    def _account(self) -> str:
        """What was heard of both, in words."""
        heard = self._guards["errors"].challenger.count
        both = (
            f"{name.replace('_', ' ')} {guard.challenger.mean:.4g} against {guard.champion.mean:.4g}"
            for name, guard in self._guards.items()
            if guard.challenger.count and guard.champion.count
        )
        return f"{heard} outcomes without a step back; {', '.join(both)}"

    def _verdict(self) -> str:
        config = self.config
        level = config.level / len(self._guards)
        allowed = {
            "errors": (config.more_errors, 1.0, "more calls fail"),
            "thumbs_down": (config.more_thumbs_down, 1.0, "more thumbs are down"),
            "lost_quality": (config.less_quality, 1.0, "quality is lower"),
            "cost_usd": (0.0, config.cost_ratio, "calls cost more"),
            "latency_ms": (0.0, config.latency_ratio, "calls take longer"),
        }
        for name, (slack, ratio, words) in allowed.items():
            guard = self._guards[name]
            if guard.worse_by(level, ratio) > slack:
                return f"{words}: {guard.challenger.mean:.4g} against {guard.champion.mean:.4g}"
        return ""

    def described(self) -> dict[str, Any]:
        """Share, state and figures of both arms."""
        figures = {
            name: {"champion": [guard.champion.count, guard.champion.mean],
                   "challenger": [guard.challenger.count, guard.challenger.mean]}
            for name, guard in self._guards.items()
        }  # fmt: skip
        ends = {"stopped": self.stopped, "succeeded": self.succeeded}
        return {"share": self.config.share, "router_id": self.router_id, **ends, "figures": figures}


def _values(figures: dict[str, Any]) -> dict[str, float]:
    """What guards compare, by their names: each the higher, the worse."""
    values = {"errors": float(bool(figures.get("error")))}
    if "thumb" in figures:
        values["thumbs_down"] = float(figures["thumb"] == "down")
    if "quality" in figures:
        values["lost_quality"] = 1 - float(figures["quality"])
    return values | {name: float(figures[name]) for name in ("cost_usd", "latency_ms") if name in figures}
