"""Stage 1's classifier beside an implicit one. Shapes: N prompts, F features, T tasks; K and L choices of rows."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.heads.classifier import recognition
from components.heads.implicit.classifier import ImplicitClassifierConfig, train_implicit_classifier
from components.learning.cross_fit import StageOneHeld, folds_of
from components.learning.two_stage import TwoStageConfig
from components.tables.board import Board
from components.tables.sampling import evenly_within


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitPeer:
    """Both classifiers on the same prompts, seen by neither in training."""

    macro: float
    """The implicit classifier's accuracy averaged over tasks."""
    micro: float
    """Its accuracy over prompts that have a task."""
    ece: float
    """Its expected calibration error."""
    router_macro: float
    router_micro: float
    router_ece: float
    prompts: int
    """Held-out prompts that have a task."""
    residual: float
    """Largest relative residual of its fixed points."""
    iterations_mean: float
    iterations_max: int
    norm_inf: float
    """||A||_inf."""
    spectral_radius: float


def implicit_peer(
    board: Board,
    learnt_K: NDArray[np.intp],
    held: StageOneHeld,
    config: TwoStageConfig,
    implicit: ImplicitClassifierConfig = ImplicitClassifierConfig(),  # noqa: B008  frozen
) -> ImplicitPeer | None:
    """An implicit classifier trained without the first fold, and the router's own, on that fold; None without tasks.

    Args:
        board: prompts with their tasks; only the rows that are needed are read of it.
        learnt_K: rows that stage 1 learnt from.
        held: what stage 1 says of each of these when it is held out.
        config: that stage 1 was learnt with: its folds are used again.
        implicit: see ImplicitClassifierConfig; the seed is that of stage 1's classifier.
    """
    task_K = board.task_N[learnt_K]
    if not (task_K >= 0).any():
        return None
    rest_L, held_L = folds_of(task_K, config.folds, config.classifier.seed, board.group_N[learnt_K])[0]
    rows = config.classifier.rows
    rest_L = rest_L[evenly_within(task_K[rest_L], rows)]
    held_L = held_L[evenly_within(task_K[held_L], rows)]
    _, found = train_implicit_classifier(
        board.features_NF[learnt_K[rest_L]],
        task_K[rest_L],
        board.features_NF[learnt_K[held_L]],
        task_K[held_L],
        replace(implicit, seed=config.classifier.seed),
    )
    ours = recognition(held.posterior_NT[held_L], task_K[held_L], held.temperature, held.confidence_floor)
    return ImplicitPeer(
        macro=found.recognition.macro,
        micro=found.recognition.micro,
        ece=found.recognition.ece,
        router_macro=ours.macro,
        router_micro=ours.micro,
        router_ece=ours.ece,
        prompts=int((task_K[held_L] >= 0).sum()),
        residual=found.statistics.residual,
        iterations_mean=found.statistics.iterations_mean,
        iterations_max=found.statistics.iterations_max,
        norm_inf=found.statistics.norm_inf,
        spectral_radius=found.statistics.spectral_radius,
    )
