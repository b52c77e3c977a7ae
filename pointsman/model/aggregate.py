"""Prompt-level and task-level quality as one prediction.

Shapes: N prompts, T tasks, M candidates.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pointsman.model.clusters import ClusterTables, blend
from pointsman.model.weights import ClassifierWeights, ExpertWeights, log_odds, sigmoid, soft_quality

Floats = NDArray[np.float64]
Posterior = Literal["hard", "soft"]
UNASSIGNED = -1


def task_posterior(classifier: ClassifierWeights, features_NF: NDArray[np.float32]) -> Floats:
    """Calibrated probability of each task, shape (N, T); shape (N, 0) where no tasks were found."""
    if classifier.task_bias_T.shape[0] == 0:
        return np.zeros((features_NF.shape[0], 0))
    return np.asarray(classifier.posterior(features_NF), dtype=np.float64)


def assign_tasks(posterior_NT: Floats, confidence_floor: float) -> NDArray[np.int32]:
    """The most probable task of each prompt, shape (N,); -1 where its probability is below the floor.

    >>> assign_tasks(np.array([[0.9, 0.1], [0.5, 0.5], [0.3, 0.7]]), 0.6).tolist()
    [0, -1, 1]
    """
    if posterior_NT.shape[1] == 0:
        return np.full(posterior_NT.shape[0], UNASSIGNED, dtype=np.int32)
    confident_N = posterior_NT.max(axis=1) >= confidence_floor
    return np.where(confident_N, posterior_NT.argmax(axis=1), UNASSIGNED).astype(np.int32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """What the trained heads say of each prompt, before aggregation."""

    posterior_NT: Floats
    task_N: NDArray[np.int32]
    distance_N: Floats
    """See `ClusterTables.nearest`."""
    task_NM: Floats
    """Uncalibrated quality by stage 1, in [0, 1]."""
    prompt_NM: Floats
    """Uncalibrated quality by the prompt-level heads, in [0, 1]."""


def levels(
    classifier: ClassifierWeights,
    experts: ExpertWeights,
    table_quality_TM: Floats,
    general_quality_M: Floats,
    clusters: ClusterTables,
    features_NF: NDArray[np.float32],
    posterior: Posterior,
) -> Levels:
    """Posterior, task-level and prompt-level quality of each prompt.

    The prompt level is what stage 1 expects, by the soft posterior, corrected by the heads of the prompt's task or the
    general ones: heads that start from the tables can only learn what the tables don't know.
    """
    posterior_NT = task_posterior(classifier, features_NF)
    task_N = assign_tasks(posterior_NT, float(classifier.confidence_floor))
    clusters_NM, distance_N = clusters.nearest(features_NF)
    soft_NM, task_NM = (
        blend(task_level(posterior_NT, task_N, table_quality_TM, general_quality_M, how), clusters_NM)
        for how in ("soft", posterior)
    )
    logits_NM = log_odds(soft_NM) + experts.logits(features_NF, task_N)
    return Levels(
        posterior_NT=posterior_NT,
        task_N=task_N,
        distance_N=distance_N,
        task_NM=task_NM,
        prompt_NM=sigmoid(logits_NM),
    )


def task_level(
    posterior_NT: Floats,
    task_N: NDArray[np.int32],
    table_quality_TM: Floats,
    general_quality_M: Floats,
    posterior: Posterior,
) -> Floats:
    """What the task table says about each prompt, shape (N, M).

    Hard: the row of the prompt's task, the general mean where it has none. Soft: rows averaged by the posterior, for
    every prompt: a prompt between two tasks is described by both, and an even posterior is near the general mean.

    >>> table, general = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.4, 0.6])
    >>> task_level(np.array([[0.5, 0.5]]), np.array([-1], dtype=np.int32), table, general, "hard").tolist()
    [[0.4, 0.6]]
    >>> task_level(np.array([[0.75, 0.25]]), np.array([0], dtype=np.int32), table, general, "soft").tolist()
    [[0.75, 0.25]]
    """
    if posterior == "soft" or table_quality_TM.shape[0] == 0:
        return soft_quality(posterior_NT, table_quality_TM, general_quality_M)
    general_NM = np.broadcast_to(general_quality_M, (task_N.shape[0], general_quality_M.shape[0]))
    return np.where((task_N >= 0)[:, None], table_quality_TM[np.maximum(task_N, 0)], general_NM)


def mix(prompt_NM: Floats, task_NM: Floats, alpha: float) -> Floats:
    """alpha x prompt-level + (1 - alpha) x task-level quality, shape (N, M).

    Raises:
        ValueError: alpha outside [0, 1], or the shapes differ.

    >>> mix(np.array([[1.0]]), np.array([[0.5]]), 0.5).tolist()
    [[0.75]]
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be in [0, 1], got {alpha}")
    if prompt_NM.shape != task_NM.shape:
        raise ValueError(f"prompt-level {prompt_NM.shape} and task-level {task_NM.shape} differ in shape")
    return alpha * prompt_NM + (1 - alpha) * task_NM
