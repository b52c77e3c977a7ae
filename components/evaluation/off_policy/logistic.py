"""Which cells are observed, by logistic regression on features.

Shapes: K prompts, M candidates, F features.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from components.tables.sampling import evenly

_MOST_FEATURES = 32
_MOST_PROMPTS = 20_000
"""Fitted on at most: 32 features need no more, and time grows with the prompts."""
_MOST_LABELS = 64
"""Labels with a column of their own, the most frequent: of free text there may be as many as prompts."""
_FEWEST = 5
"""Prompts on which a candidate must be observed, and not be, for a model of its own."""


def logistic_model(
    seen_KM: NDArray[np.bool_],
    features_KF: NDArray[np.float32],
    group_K: NDArray[np.intp],
    fold_K: NDArray[np.intp],
    *,
    strength: float = 0.01,
) -> NDArray[np.float64]:
    """Each prompt's probabilities by a model of the other folds, shape (K, M).

    One answer a prompt: one multinomial model. Else a model for each candidate: whether it was asked.

    Args:
        seen_KM: where there is an outcome.
        features_KF: what choices may depend on; the 32 directions of greatest variance are used.
        group_K: number of each prompt's group, a further feature: one of the 64 of most prompts, or another.
        fold_K: number of each prompt's fold; each fold is judged by the others.
        strength: inverse of the ridge penalty on standardised features, > 0.
    """
    design = _design(features_KF, group_K)
    single = bool((seen_KM.sum(axis=1) == 1).all())
    inclusion_KM = np.empty(seen_KM.shape)
    for fold in np.unique(fold_K):
        out_K = fold_K == fold
        rest_L = np.flatnonzero(~out_K)
        # evenly spread over the logs, in their order
        rest_L = rest_L[:: -(-rest_L.size // _MOST_PROMPTS)]
        fit = _multinomial if single else _binary
        inclusion_KM[out_K] = fit(design[rest_L], seen_KM[rest_L], design[out_K], strength)
    return inclusion_KM


def _design(features_KF: NDArray[np.float32], group_K: NDArray[np.intp]) -> NDArray[np.float64]:
    centre_F = features_KF.mean(axis=0, dtype=np.float64)
    if features_KF.shape[1] > _MOST_FEATURES:
        # directions of the features alone: no fold's choices are read
        sample = features_KF[evenly(len(features_KF), _MOST_PROMPTS)].astype(np.float64) - centre_F
        _, vectors = np.linalg.eigh(sample.T @ sample)
        kept = vectors[:, ::-1][:, :_MOST_FEATURES]
        parts = range(0, len(features_KF), _MOST_PROMPTS)
        centred = np.concatenate([(features_KF[at : at + _MOST_PROMPTS] - centre_F) @ kept for at in parts])
    else:
        centred = features_KF.astype(np.float64) - centre_F
    spread = centred.std(axis=0)
    standard = centred / np.where(spread > 0, spread, 1.0)
    label_K = _frequent(group_K)
    labels = int(label_K.max()) + 1
    return np.concatenate([standard, np.eye(labels)[label_K]], axis=1) if labels > 1 else standard


def _frequent(group_K: NDArray[np.intp]) -> NDArray[np.intp]:
    """The groups of most prompts, numbered in their order, and all others as one after them."""
    count_G = np.bincount(group_K)
    most = np.sort(np.argsort(-count_G, kind="stable")[:_MOST_LABELS])
    label_G = np.full(count_G.size, most.size)
    label_G[most] = np.arange(most.size)
    return np.asarray(label_G[group_K], dtype=np.intp)


def _multinomial(
    design: NDArray[np.float64], seen: NDArray[np.bool_], judged: NDArray[np.float64], strength: float
) -> NDArray[np.float64]:
    choice = seen.argmax(axis=1)
    inclusion = np.zeros((len(judged), seen.shape[1]))
    chosen = np.unique(choice)
    if chosen.size == 1:
        inclusion[:, chosen[0]] = 1.0
        return inclusion
    model = LogisticRegression(C=strength, max_iter=1000).fit(design, choice)
    inclusion[:, model.classes_] = model.predict_proba(judged)
    return inclusion


def _binary(
    design: NDArray[np.float64], seen: NDArray[np.bool_], judged: NDArray[np.float64], strength: float
) -> NDArray[np.float64]:
    columns = []
    for seen_K in seen.T:
        if min(int(seen_K.sum()), int((~seen_K).sum())) < _FEWEST:
            columns.append(np.full(len(judged), seen_K.mean()))
            continue
        model = LogisticRegression(C=strength, max_iter=1000).fit(design, seen_K)
        columns.append(model.predict_proba(judged)[:, 1])
    return np.stack(columns, axis=1)
