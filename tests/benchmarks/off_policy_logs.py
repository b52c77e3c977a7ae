"""Logs of one answer a prompt with known truth, drawn from a small world. Shapes: N prompts, M candidates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.off_policy.estimators import Log
from components.evaluation.off_policy.propensity import estimated_inclusion

TOPICS, CANDIDATES, FEATURES = 4, 5, 8
LOGGINGS = ("uniform", "skewed", "contextual")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Right answers by topic and candidate; prompts show their topic with noise."""

    right_TM: NDArray[np.float64]
    centre_TF: NDArray[np.float64]

    def value(self, policy_TM: NDArray[np.float64]) -> float:
        """Mean quality of a policy that answers each topic with these shares, topics being equally frequent."""
        return float((policy_TM * self.right_TM).sum() / TOPICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One log."""

    topic_N: NDArray[np.intp]
    features_NF: NDArray[np.float32]
    outcome_NM: NDArray[np.float64]
    propensity_NM: NDArray[np.float64]


def world(seed: int = 0) -> World:
    """A world in which the best candidate changes with the topic."""
    generator = np.random.default_rng(seed)
    return World(
        right_TM=generator.uniform(0.2, 0.9, size=(TOPICS, CANDIDATES)),
        centre_TF=2.0 * generator.standard_normal((TOPICS, FEATURES)),
    )


def shares(logging: str) -> NDArray[np.float64]:
    """Probability of each candidate on each topic, shape (T, M)."""
    if logging == "uniform":
        return np.full((TOPICS, CANDIDATES), 1 / CANDIDATES)
    skewed = np.array([0.7, *[0.3 / (CANDIDATES - 1)] * (CANDIDATES - 1)])
    if logging == "skewed":
        return np.tile(skewed, (TOPICS, 1))
    return np.stack([np.roll(skewed, topic) for topic in range(TOPICS)])


def draw(truth: World, logging: str, size: int, seed: int) -> Drawn:
    """A log of `size` prompts with one answer each."""
    generator = np.random.default_rng(seed)
    topic_N = generator.integers(TOPICS, size=size)
    features_NF = truth.centre_TF[topic_N] + generator.standard_normal((size, FEATURES))
    share_NM = shares(logging)[topic_N]
    choice_N = (generator.random((size, 1)) > share_NM.cumsum(axis=1)[:, :-1]).sum(axis=1)
    right_N = generator.random(size) < truth.right_TM[topic_N, choice_N]
    outcome_NM = np.full((size, CANDIDATES), np.nan)
    outcome_NM[np.arange(size), choice_N] = right_N
    return Drawn(
        topic_N=topic_N,
        features_NF=features_NF.astype(np.float32),
        outcome_NM=outcome_NM,
        propensity_NM=share_NM,
    )


def cross_fitted(drawn: Drawn, folds: int = 5, ridge: float = 10.0) -> NDArray[np.float64]:
    """Quality by a ridge regression for each candidate on the other folds' observed cells, towards its mean."""
    size = len(drawn.outcome_NM)
    design = np.concatenate([np.ones((size, 1)), drawn.features_NF], axis=1).astype(np.float64)
    penalty = ridge * np.diag([0.0, *[1.0] * drawn.features_NF.shape[1]])
    fold_N = np.arange(size) % folds
    predicted_NM = np.empty(drawn.outcome_NM.shape)
    for fold in range(folds):
        for column in range(CANDIDATES):
            seen_N = (fold_N != fold) & ~np.isnan(drawn.outcome_NM[:, column])
            rows = design[seen_N]
            weight = np.linalg.solve(rows.T @ rows + penalty, rows.T @ drawn.outcome_NM[seen_N, column])
            predicted_NM[fold_N == fold, column] = design[fold_N == fold] @ weight
    return predicted_NM


def as_log(drawn: Drawn, *, known: bool, seed: int) -> Log:
    """The log as it is judged: propensities as they were, or estimated from the features."""
    inclusion_NM = drawn.propensity_NM
    if not known:
        inclusion_NM = estimated_inclusion(~np.isnan(drawn.outcome_NM), drawn.features_NF, None, seed, folds=3)
    return Log(outcome_NM=drawn.outcome_NM, inclusion_NM=inclusion_NM, predicted_NM=cross_fitted(drawn))
