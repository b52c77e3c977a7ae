"""Avengers-Pro (Zhang et al. 2025, arXiv 2508.12631, section 2), from its description. Imports nothing of ours.

`python learn.py SOURCE.npz CHOICES.json`. SOURCE.npz: features_ND of N prompts to learn from, quality_NM in [0, 1],
cost_usd_NM (nan where unknown), test_KD, seed. CHOICES.json: trade-off -> the column chosen on each test prompt.

Unit vectors are grouped by k-means into 60 clusters. A candidate's score on a cluster is alpha times its mean quality
there plus 1 - alpha times one minus its mean cost there, both brought to 0 to 1 over the candidates. A prompt goes to
the candidate with the greatest sum of scores over the 4 clusters nearest to it.
"""

import json
import sys

import numpy as np
from sklearn.cluster import KMeans

CLUSTERS, NEAREST = 60, 4
ALPHAS = (1.0, 0.75, 0.5)


def main(source: str, target: str) -> None:
    """Choices on the test prompts by quality alone, and at trade-offs where every candidate has a known cost."""
    given = dict(np.load(source))
    learn_ND, test_KD = (_unit(given[name]) for name in ("features_ND", "test_KD"))
    distinct = len(np.unique(learn_ND, axis=0))
    means = KMeans(min(CLUSTERS, distinct), n_init=10, random_state=int(given["seed"])).fit(learn_ND)
    quality_CM = _scaled(_means(given["quality_NM"], means.labels_))
    costs = bool(np.isfinite(given["cost_usd_NM"]).any(axis=0).all())
    near_KP = means.transform(test_KD).argsort(axis=1)[:, :NEAREST]
    chosen = {}
    for alpha in ALPHAS if costs else ALPHAS[:1]:
        score_CM = alpha * quality_CM
        if alpha < 1:
            score_CM = score_CM + (1 - alpha) * (1 - _scaled(_means(given["cost_usd_NM"], means.labels_)))
        chosen[f"alpha {alpha:g}"] = score_CM[near_KP].sum(axis=1).argmax(axis=1).tolist()
    with open(target, "w", encoding="utf-8") as file:
        json.dump(chosen, file)


def _unit(rows_ND: np.ndarray) -> np.ndarray:
    rows_ND = rows_ND.astype(np.float64)
    return rows_ND / np.maximum(np.linalg.norm(rows_ND, axis=1, keepdims=True), 1e-12)


def _means(value_NM: np.ndarray, cluster_N: np.ndarray) -> np.ndarray:
    """Mean of what is known in each cluster, shape (C, M); where nothing is, the mean over all prompts."""
    known_NM = np.isfinite(value_NM)
    member_CN = (cluster_N == np.arange(cluster_N.max() + 1)[:, None]).astype(np.float64)
    count_CM = member_CN @ known_NM
    total_CM = member_CN @ np.where(known_NM, value_NM, 0)
    return np.where(count_CM > 0, total_CM / np.maximum(count_CM, 1), np.nanmean(value_NM, axis=0))


def _scaled(value_CM: np.ndarray) -> np.ndarray:
    """From 0 to 1 over each cluster's candidates; 0 where all are equal."""
    low_C1, high_C1 = value_CM.min(axis=1, keepdims=True), value_CM.max(axis=1, keepdims=True)
    return (value_CM - low_C1) / np.where(high_C1 > low_C1, high_C1 - low_C1, 1)


if __name__ == "__main__":
    main(*sys.argv[1:3])
