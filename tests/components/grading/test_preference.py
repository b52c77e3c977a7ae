"""Strengths against scipy's optimum of the same likelihood, and the closed form of two candidates."""

import numpy as np
import pytest
from scipy.optimize import minimize

from components.grading.preference import PreferenceConfig, fit_strengths, grade_votes


def _votes(seed: int, votes: int = 400, candidates: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, candidates, votes)
    second = (first + rng.integers(1, candidates, votes)) % candidates
    return first, second, rng.choice([0.0, 0.5, 1.0], votes, p=[0.3, 0.2, 0.5])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_strengths_are_scipys(seed: int) -> None:
    first, second, points = _votes(seed)

    def loss(fit: np.ndarray) -> float:
        half = (fit[first] - fit[second]) / 2
        total = np.exp(half) + np.exp(-half) + np.exp(fit[-1])
        seen = np.where(points == 0.5, np.exp(fit[-1]), np.exp(half * (2 * points - 1)))
        return float(-np.log(seen / total).sum() + 0.1 * (fit[:-1] ** 2).sum() / 2)

    wanted = minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-7}).x
    found = fit_strengths(first, second, points, 5)
    assert found.strength_M == pytest.approx(wanted[:-1] - wanted[:-1].mean(), abs=1e-5)
    assert found.tie == pytest.approx(wanted[-1], abs=1e-5)


def test_two_candidates_have_the_odds_of_their_wins() -> None:
    points = np.array([1.0] * 30 + [0.0] * 10)
    found = fit_strengths(np.zeros(40, dtype=int), np.ones(40, dtype=int), points, 2, PreferenceConfig(ridge=1e-9))
    assert np.diff(found.strength_M)[0] == pytest.approx(-np.log(3), abs=1e-4)
    assert found.points(np.array([0]), np.array([1]))[0] == pytest.approx(0.75, abs=1e-4)


def test_a_candidate_that_always_won_has_a_finite_strength() -> None:
    found = fit_strengths(np.zeros(9, dtype=int), np.ones(9, dtype=int), np.ones(9), 3)
    assert np.isfinite(found.strength_M).all()
    assert found.strength_M.argmax() == 0


def test_expected_points_of_every_pair_sum_to_the_field() -> None:
    found = fit_strengths(*_votes(4), 5)
    pairs = [[found.points(np.array([a]), np.array([b]))[0] for b in range(5) if b != a] for a in range(5)]
    assert found.field() == pytest.approx(np.mean(pairs, axis=1))
    assert found.field().mean() == pytest.approx(0.5)


def test_grades_average_to_the_field_and_stay_in_range() -> None:
    first, second, points = _votes(5)
    fitted = fit_strengths(first, second, points, 5)
    prompt, candidate, grade = grade_votes(np.arange(400) // 4, first, second, points, fitted)
    assert grade.min() >= 0
    assert grade.max() <= 1
    assert len(set(zip(prompt.tolist(), candidate.tolist(), strict=True))) == grade.size


@pytest.mark.parametrize(
    ("first", "second", "points", "wrong"),
    [([], [], [], "no vote"), ([1], [1], [1.0], "itself"), ([0], [1], [0.3], "0, 1/2 or 1")],
)
def test_impossible_votes_are_refused(first: list[int], second: list[int], points: list[float], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        fit_strengths(np.array(first, dtype=int), np.array(second, dtype=int), np.array(points), 2)
