"""Tuning parity: every tunable method gets the same number of trials, on validation prompts only."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.baselines.grids import TRIALS
from components.baselines.observed import choice_quality
from components.baselines.protocol import Fit, QualityModel
from components.tables.board import Board


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tuned:
    """The best of a grid."""

    model: QualityModel
    """Trained on the training set alone."""
    chosen: int
    """Its place in the grid."""
    quality_K: tuple[float, ...]
    """Validation quality of each configuration, in the grid's order."""


def tuned(grid: Sequence[Fit], training: Board, validation: Board, seed: int, trials: int = TRIALS) -> Tuned:
    """The configuration whose choices are best on validation prompts; equals go to the first.

    Args:
        grid: one way to train for each configuration.
        training: what each is trained on.
        validation: where each is judged by the mean observed outcome of its best predictions.
        seed: the same for each configuration.
        trials: configurations that every method gets.

    Raises:
        ValueError: a grid of another size, or no outcome in training or validation.
    """
    if len(grid) != trials:
        raise ValueError(f"every method is tuned in {trials} trials, this grid has {len(grid)}")
    if not validation.observed_NM.any():
        raise ValueError("the validation set has no outcome")
    models = [fit(training, seed) for fit in grid]
    quality_K = tuple(choice_quality(model.predict(validation.features_NF), validation.quality_NM) for model in models)
    chosen = max(range(trials), key=lambda k: (quality_K[k], -k))
    return Tuned(model=models[chosen], chosen=chosen, quality_K=quality_K)
