"""Which partitions are tried, and how they are judged."""

from dataclasses import dataclass

from components.tasks.density import DensityConfig
from components.tasks.graph import GraphConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryConfig:
    """What is tried, and how partitions are judged."""

    resolutions: tuple[float, ...] = (0.5, 1.0, 3.0, 8.0)
    """Leiden resolutions, each > 0; empty: no graph."""
    preference_mixes: tuple[float, ...] = (0.0, 0.3)
    """Shares of preference in edge weights, each in [0, 1]; crossed with the resolutions."""
    within_labels: tuple[bool, ...] = (False, True)
    """Whether tasks may mix the logs' own labels or not; without two labels that fill a task, only the former."""
    density_minimum_samples: tuple[int, ...] = (5, 15)
    """HDBSCAN's minimum_samples, each >= 1; they share one UMAP. Empty: no density trial."""
    neighbours: int = 15
    """Neighbours in graph, UMAP and assignment, >= 2."""
    rbo_p: float = 0.9
    """Persistence of Rank Biased Overlap, in (0, 1)."""
    minimum_size: int = 15
    """Prompts a task must have, >= 2."""
    epochs: int = 100
    """UMAP's epochs, >= 1."""
    repeats: int = 3
    """Subsamples of a graph trial's bootstrap ARI, >= 1; density trials take half, at least one: each is a UMAP."""
    sample: int = 8_000
    """Training prompts that tasks are found in at most, and half as many validation prompts that partitions are
    compared on, >= 100; of more, an even sample, and the other training prompts are assigned."""

    def __post_init__(self) -> None:
        if not (self.resolutions and self.preference_mixes) and not self.density_minimum_samples:
            raise ValueError("nothing to try: give resolutions and preference_mixes, or density_minimum_samples")
        if self.repeats < 1 or self.sample < 100:
            raise ValueError(f"repeats must be >= 1 and sample >= 100, got {self.repeats} and {self.sample}")
        self.graph_trials(0)
        self.density_trials(0)

    def graph_trials(self, seed: int) -> tuple[GraphConfig, ...]:
        """Every graph to try, in order; each checks its own ranges."""
        return tuple(
            GraphConfig(
                neighbours=self.neighbours,
                preference_mix=mix,
                rbo_p=self.rbo_p,
                resolution=resolution,
                within_labels=within,
                minimum_size=self.minimum_size,
                seed=seed,
            )
            for within in self.within_labels
            for mix in self.preference_mixes
            for resolution in self.resolutions
        )

    def density_trials(self, seed: int) -> tuple[DensityConfig, ...]:
        """Every density cut to try, in order; each checks its own ranges."""
        return tuple(
            DensityConfig(
                neighbours=self.neighbours,
                epochs=self.epochs,
                minimum_size=self.minimum_size,
                minimum_samples=samples,
                seed=seed,
            )
            for samples in self.density_minimum_samples
        )
