"""Which partition to keep: the one that routes validation prompts best, and of those that tie, the steadiest.

The rule, the same for every data set: each trial's partition becomes its shrunken task table, validation prompts are
given to tasks by `vote_shares`, and each goes to the best candidate of their rows. Trials whose mean regret is within
two standard errors (of the paired difference) of the least tie; two rather than one, since the least of many is so
partly by luck. Among those the bootstrap ARI decides, in steps of 0.05; then the lower advantage error, a
steadier figure than the regret of so few prompts; then the earlier trial. Trials that found the very same partition are
one contender, the first.

Shapes: N training and K validation prompts, M candidates.
"""

from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from components.tasks.assignment import voting
from components.tasks.criterion import advantage_error, expected_quality, routing_regret, ties
from components.tasks.discovery_config import DiscoveryConfig
from components.tasks.graph import nothing
from components.tasks.neighbours import directions
from components.tasks.partition import Partition
from components.tasks.sweep import Setting, method_of, partitions, stabilities
from components.tasks.table import known_labels, label_quality, task_table

Method = Literal["graph", "density", "none"]
STABILITY_STEP = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One partition that was tried; everything in it can be written as JSON."""

    method: Method
    parameters: dict[str, int | float]
    tasks: int
    unassigned_share: float
    validation_regret: float
    """Mean quality lost to the oracle on validation prompts, in [0, 1]."""
    advantage_error: float
    """Mean squared error of the candidates' advantages over the prompt's mean, on validation prompts."""
    tied: bool
    """Within two standard errors of the least regret."""
    stability: float | None
    """Bootstrap ARI; None where the trial wasn't a contender."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Discovery:
    """The partition that was kept and all that were tried."""

    partition: Partition
    method: Method
    reason: str
    """Why this one, in a sentence for the report."""
    trials: tuple[Trial, ...]
    bootstrap_ari: float
    """Of the chosen partition; 0 without tasks."""
    neighbour_recall: float | None = None
    """Share of true neighbours that the graphs' search found, on a sample; None where no graph was built."""


def choose_partition(
    train_embedding_ND: NDArray[np.floating],
    train_quality_NM: NDArray[np.floating],
    validation_embedding_KD: NDArray[np.floating],
    validation_quality_KM: NDArray[np.floating],
    config: DiscoveryConfig,
    seed: int,
    semantic_ND: NDArray[np.floating] | None = None,
    label_N: NDArray[np.str_] | None = None,
    validation_group_K: NDArray[np.integer] | None = None,
) -> Discovery:
    """The best partition of the training prompts by the rule at the top of this module.

    Args:
        train_embedding_ND: shape (N, D).
        train_quality_NM: quality in [0, 1], nan where missing, shape (N, M).
        validation_embedding_KD: shape (K, D).
        validation_quality_KM: shape (K, M).
        config: what is tried.
        seed: of everything random; the same seed gives the same partition bit for bit.
        semantic_ND: what partitions are cut from, such as embeddings of the prompts' descriptions, shape (N, any);
            the training embeddings if not given. Partitions are judged by those either way: a router in service has
            no descriptions.
        label_N: the logs' own label of each training prompt, shape (N,); None: they have none. Labels of fewer prompts
            than a task must have count as one.
        validation_group_K: validation prompts that belong together, such as turns of a conversation, shape (K,); None:
            all are independent.

    Returns:
        The choice. Method 'none' and no tasks, with the reason, where tasks can't be found or can't matter: too few
        prompts, all the same, one candidate, all outcomes equal, or all noise in every trial.

    Raises:
        ValueError: shapes that don't fit, embeddings that are not finite, or no validation outcome.
    """
    _check_shapes(train_embedding_ND, train_quality_NM, validation_embedding_KD, validation_quality_KM)
    train_ND, validation_KD = directions(train_embedding_ND), directions(validation_embedding_KD)
    cut_ND = train_ND if semantic_ND is None else directions(semantic_ND)
    prompts = train_ND.shape[0]
    if cut_ND.shape[0] != prompts:
        raise ValueError(f"{cut_ND.shape[0]} semantic embeddings for {prompts} training prompts")
    hopeless = _why_no_tasks(cut_ND, train_quality_NM, config)
    if hopeless:
        return _none(prompts, hopeless, ())
    if np.isnan(validation_quality_KM).all():
        raise ValueError("no validation prompt has an outcome: partitions can't be compared")

    labels_N = known_labels(label_N, config.minimum_size)
    graphs = [graph for graph in config.graph_trials(seed) if labels_N is not None or not graph.within_labels]
    settings: list[Setting] = [*graphs, *config.density_trials(seed)]
    found, recall = partitions(cut_ND, train_quality_NM, settings, labels_N)
    prior_NM = None if labels_N is None else label_quality(labels_N, train_quality_NM)
    votes = voting(train_ND, validation_KD, neighbours=config.neighbours)
    expected_SKM = [
        expected_quality(task_table(partition, train_quality_NM, prior_NM), votes.shares(partition))
        for partition in found
    ]
    regret_SK = np.array([routing_regret(expected_KM, validation_quality_KM) for expected_KM in expected_SKM])
    known_K = ~np.isnan(validation_quality_KM).all(axis=1)
    tied_S = ties(
        regret_SK,
        np.array([partition.tasks > 0 for partition in found]),
        group_K=None if validation_group_K is None else validation_group_K[known_K],
    )
    stability_S = stabilities(
        cut_ND, train_quality_NM, settings, found, tied_S, label_N=labels_N, repeats=config.repeats, seed=seed
    )
    trials = tuple(
        Trial(
            method=method_of(setting),
            parameters=asdict(setting),
            tasks=partition.tasks,
            unassigned_share=partition.unassigned_share,
            validation_regret=float(regret_K.mean()),
            advantage_error=advantage_error(expected_KM, validation_quality_KM),
            tied=bool(tied),
            stability=stability,
        )
        for setting, partition, expected_KM, regret_K, tied, stability in zip(
            settings, found, expected_SKM, regret_SK, tied_S, stability_S, strict=True
        )
    )
    if not tied_S.any():
        return replace(_none(prompts, "every trial left every prompt unassigned", trials), neighbour_recall=recall)
    contenders = [s for s, stability in enumerate(stability_S) if stability is not None]
    best = min(contenders, key=lambda s: (*_preference(trials[s]), s))
    return Discovery(
        partition=found[best],
        method=trials[best].method,
        reason=f"steadiest of the {int(tied_S.sum())} trials of {len(trials)} that tie for the least validation regret",
        trials=trials,
        bootstrap_ari=float(trials[best].stability or 0.0),
        neighbour_recall=recall,
    )


def _preference(trial: Trial) -> tuple[float, float]:
    return -round((trial.stability or 0.0) / STABILITY_STEP), trial.advantage_error


def _why_no_tasks(unit_ND: NDArray[np.float32], quality_NM: NDArray[np.floating], config: DiscoveryConfig) -> str:
    prompts, candidates = quality_NM.shape
    least = max(2, config.minimum_size)
    if prompts < least:
        return f"{prompts} training prompts are fewer than the minimum size of a task, {least}"
    if candidates < 2:
        return "one candidate: there is nothing to choose between"
    if np.all(unit_ND == unit_ND[0]):
        return "all training prompts have the same embedding"
    if np.nanmin(quality_NM) == np.nanmax(quality_NM):
        return "all outcomes are equal: no candidate is preferred anywhere"
    return ""


def _none(prompts: int, reason: str, trials: tuple[Trial, ...]) -> Discovery:
    return Discovery(partition=nothing(prompts), method="none", reason=reason, trials=trials, bootstrap_ari=0.0)


def _check_shapes(
    train_ND: NDArray[np.floating],
    train_NM: NDArray[np.floating],
    validation_KD: NDArray[np.floating],
    validation_KM: NDArray[np.floating],
) -> None:
    if train_ND.ndim != 2 or train_NM.ndim != 2 or train_ND.shape[0] != train_NM.shape[0]:
        raise ValueError(f"training embeddings {train_ND.shape} and quality {train_NM.shape} don't fit")
    if validation_KD.ndim != 2 or validation_KM.ndim != 2 or validation_KD.shape[0] != validation_KM.shape[0]:
        raise ValueError(f"validation embeddings {validation_KD.shape} and quality {validation_KM.shape} don't fit")
    if train_ND.shape[1] != validation_KD.shape[1] or train_NM.shape[1] != validation_KM.shape[1]:
        raise ValueError("training and validation differ in dimensions or candidates")
    if train_ND.shape[0] and np.isnan(train_NM).all():
        raise ValueError("no training prompt has an outcome")
