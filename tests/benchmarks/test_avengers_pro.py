"""Avengers-Pro from its description, on topics whose scores can be worked out by hand."""

import sys
from itertools import product
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans

from tests.benchmarks.peer_process import PEERS, peer_choices

SCRIPT = PEERS / "avengers_pro" / "learn.py"
PYTHON = Path(sys.executable)


def planted(cost_usd_M: list[float]) -> dict[str, np.ndarray]:
    """Two topics of four points each, ten prompts a point; candidates get 1, .5, 0 on one and 0, .5, 1 on the other."""
    draw = np.random.default_rng(0)
    topic_P = np.repeat([0, 1], 4)
    point_PD = 10 * np.eye(8)[topic_P] + draw.normal(size=(8, 8))
    quality_TM = np.array([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]])
    return {
        "features_ND": np.repeat(point_PD, 10, axis=0),
        "quality_NM": np.repeat(quality_TM[topic_P], 10, axis=0),
        "cost_usd_NM": np.tile(cost_usd_M, (80, 1)),
        "test_KD": 3 * point_PD,
        "seed": np.array(0),
    }


def test_planted_topics_are_routed_by_score():
    # at .75 the topic's best has .75 x 1, the cheap one .75 x .5 + .25; at .5 they have .5 and .75
    chosen = peer_choices(PYTHON, SCRIPT, **planted([4.0, 0.0, 4.0]))
    assert chosen == {
        "alpha 1": [0, 0, 0, 0, 2, 2, 2, 2],
        "alpha 0.75": [0, 0, 0, 0, 2, 2, 2, 2],
        "alpha 0.5": [1] * 8,
    }


def test_without_a_candidates_costs_there_is_quality_alone():
    assert list(peer_choices(PYTHON, SCRIPT, **planted([4.0, np.nan, 4.0]))) == ["alpha 1"]


def test_scores_are_those_of_a_plain_loop():
    draw = np.random.default_rng(1)
    given = {
        "features_ND": draw.normal(size=(400, 6)),
        "quality_NM": draw.integers(0, 2, size=(400, 4)).astype(float),
        "cost_usd_NM": draw.exponential(size=(400, 4)),
        "test_KD": draw.normal(size=(30, 6)),
        "seed": np.array(3),
    }
    unit_ND, test_KD = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (given["features_ND"], given["test_KD"])
    )
    means = KMeans(60, n_init=10, random_state=3).fit(unit_ND)
    chosen = peer_choices(PYTHON, SCRIPT, **given)
    for alpha in (1.0, 0.75, 0.5):
        assert chosen[f"alpha {alpha:g}"] == plainly(given, means, test_KD, alpha)


def plainly(given: dict[str, np.ndarray], means: KMeans, test_KD: np.ndarray, alpha: float) -> list[int]:
    """Choices of the same clusters, worked out one score at a time."""
    score = np.zeros((60, 4))
    for cluster, column in product(range(60), range(4)):
        inside = means.labels_ == cluster
        good_M, paid_M = given["quality_NM"][inside].mean(axis=0), given["cost_usd_NM"][inside].mean(axis=0)
        quality = 0.0 if np.ptp(good_M) == 0 else (good_M[column] - good_M.min()) / np.ptp(good_M)
        score[cluster, column] = alpha * quality + (1 - alpha) * (1 - (paid_M[column] - paid_M.min()) / np.ptp(paid_M))
    expected = []
    for prompt in test_KD:
        distance = ((means.cluster_centers_ - prompt) ** 2).sum(axis=1)
        total = sum(score[cluster] for cluster in np.argsort(distance)[:4])
        expected.append(int(np.argmax(total)))
    return expected
