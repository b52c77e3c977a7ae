"""Stage 1's classifier beside an implicit one. Shapes: N prompts, F features, T tasks."""

from dataclasses import dataclass, replace

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
    seen: Board,
    held: StageOneHeld,
    config: TwoStageConfig,
    implicit: ImplicitClassifierConfig = ImplicitClassifierConfig(),  # noqa: B008  frozen
) -> ImplicitPeer | None:
    """An implicit classifier trained without the first fold, and the router's own, on that fold; None without tasks.

    Args:
        seen: the prompts that stage 1 learnt from, with their tasks.
        held: what stage 1 says of each when it is held out.
        config: that stage 1 was learnt with: its folds are used again.
        implicit: see ImplicitClassifierConfig; the seed is that of stage 1's classifier.
    """
    features_NF, task_N = seen.features_NF, seen.task_N
    if not (task_N >= 0).any():
        return None
    rest_K, held_K = folds_of(task_N, config.folds, config.classifier.seed, seen.group_N)[0]
    rows = config.classifier.rows
    rest_K = rest_K[evenly_within(task_N[rest_K], rows)]
    held_K = held_K[evenly_within(task_N[held_K], rows)]
    seeded = replace(implicit, seed=config.classifier.seed)
    _, found = train_implicit_classifier(
        features_NF[rest_K], task_N[rest_K], features_NF[held_K], task_N[held_K], seeded
    )
    ours = recognition(held.posterior_NT[held_K], task_N[held_K], held.temperature, held.confidence_floor)
    return ImplicitPeer(
        macro=found.recognition.macro,
        micro=found.recognition.micro,
        ece=found.recognition.ece,
        router_macro=ours.macro,
        router_micro=ours.micro,
        router_ece=ours.ece,
        prompts=int((task_N[held_K] >= 0).sum()),
        residual=found.statistics.residual,
        iterations_mean=found.statistics.iterations_mean,
        iterations_max=found.statistics.iterations_max,
        norm_inf=found.statistics.norm_inf,
        spectral_radius=found.statistics.spectral_radius,
    )
