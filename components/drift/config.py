"""When drift becomes an alarm: thresholds are data, declared before the prompts are seen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftConfig:
    """Thresholds and sizes of one comparison. A check alarms only if it is both significant and large enough."""

    level: float = 0.005
    """Greatest chance of a false alarm in a run, all checks together (Bonferroni), in (0, 0.5)."""
    unassigned_rise: float = 0.05
    """Rise of the unassigned share that matters, in [0, 1]."""
    far_rise: float = 0.05
    """Rise of the share of prompts unlike anything trained on that matters, in [0, 1]."""
    stability_index: float = 0.1
    """Population stability index of the task mix that matters, >= 0; 0.1 is the customary bound of a small shift."""
    energy: float = 0.01
    """Energy coefficient between the embeddings that matters, in [0, 1]."""
    novel_share: float = 0.01
    """Share of the recent prompts that a novel group must hold, in [0, 1]."""
    novel_fold: float = 4.0
    """How many times denser than in training a novel group must be, > 1."""
    novel_size: int = 5
    """Recent prompts that a novel group must hold, those of one conversation counting once, >= 2."""
    quality_gap: float = 0.05
    """Difference of mean predicted and observed quality that matters, in [0, 1]."""
    minimum_prompts: int = 50
    """Fewer recent prompts can't be judged, those of one conversation counting once, >= 2."""
    sample: int = 1000
    """Prompts of each side in the pairwise comparisons, >= 2: memory and time grow with its square."""
    permutations: int = 1999
    """Relabellings of the permutation tests; (permutations + 1) x level must be at least the number of checks."""
    resamples: int = 1000
    """Bootstrap resamples of the intervals, >= 1."""

    def __post_init__(self) -> None:
        if not 0 < self.level < 0.5:
            raise ValueError(f"level must be in (0, 0.5), got {self.level}")
        for name in ("unassigned_rise", "far_rise", "energy", "novel_share", "quality_gap"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        if not self.stability_index >= 0 or not self.novel_fold > 1:
            raise ValueError(
                f"stability_index must be >= 0 and novel_fold > 1, got {self.stability_index} and {self.novel_fold}"
            )
        for name, least in (("novel_size", 2), ("minimum_prompts", 2), ("sample", 2), ("resamples", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be >= {least}, got {getattr(self, name)}")
        if (self.permutations + 1) * self.level < CHECKS:
            raise ValueError(
                f"{self.permutations} permutations can't reach level {self.level} in {CHECKS} checks: "
                f"at least {CHECKS / self.level - 1:.0f} are needed"
            )


CHECKS = 6
"""Checks of one run where outcomes exist; five without."""
