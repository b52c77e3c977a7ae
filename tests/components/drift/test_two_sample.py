from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from components.drift.two_sample import energy_test, pairwise_distances


def _brute(x, y):
    """Unbiased energy distance and coefficient, pair by pair."""
    cross = np.mean([np.linalg.norm(a - b) for a in x for b in y])
    inside = [np.mean([np.linalg.norm(a - b) for a, b in combinations(side, 2)]) for side in (x, y)]
    energy = 2 * cross - sum(inside)
    return energy, energy / (2 * cross), inside, cross


def test_distances_are_scipys():
    rows_AD = np.random.default_rng(0).normal(size=(40, 7))
    np.testing.assert_allclose(pairwise_distances(rows_AD), cdist(rows_AD, rows_AD), atol=2e-3)
    assert np.diag(pairwise_distances(rows_AD)).max() == 0


def test_the_coefficient_is_the_brute_force_one_and_fits_scipys_energy_distance():
    draws = np.random.default_rng(1)
    x, y = draws.normal(size=(13, 1)), draws.normal(1, 2, size=(9, 1))
    energy, coefficient, inside, cross = _brute(x, y)
    assert energy_test(x, y, 0, permutations=1, resamples=1).figure == pytest.approx(coefficient, abs=1e-5)
    # scipy's counts each point's distance 0 to itself
    biased = energy + inside[0] / 13 + inside[1] / 9
    assert stats.energy_distance(x[:, 0], y[:, 0]) ** 2 == pytest.approx(biased, rel=1e-9)
    assert coefficient == pytest.approx(energy / (2 * cross))


def test_p_is_the_share_of_all_relabellings_at_least_as_far_apart():
    draws = np.random.default_rng(2)
    rows = draws.normal(size=(9, 3)) + np.array([0.9, 0, 0]) * (np.arange(9) < 4)[:, None]
    observed = _brute(rows[:4], rows[4:])[0]
    splits = [list(chosen) for chosen in combinations(range(9), 4)]
    far = [_brute(rows[own], np.delete(rows, own, axis=0))[0] >= observed - 1e-9 for own in splits]
    exact = np.mean(far)
    drawn = energy_test(rows[:4], rows[4:], 0, permutations=4000, resamples=1).p
    assert 0 < exact < 1
    assert drawn == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 4000))


def test_without_drift_p_is_uniform():
    draws = np.random.default_rng(3)
    p = [
        energy_test(draws.normal(size=(20, 4)), draws.normal(size=(30, 4)), seed, permutations=99, resamples=1).p
        for seed in range(120)
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) < 0.12


@pytest.mark.parametrize("change", ["middle", "spread", "minority"])
def test_any_difference_is_seen(change):
    draws = np.random.default_rng(4)
    x, y = draws.normal(size=(150, 5)), draws.normal(size=(200, 5))
    match change:
        case "middle":
            x += 0.5
        case "spread":
            x *= 1.6
        case _:
            x[:25] = 0.2 * x[:25] + 3
    shift = energy_test(x, y, 0, permutations=999)
    assert shift.p == 0.001
    assert 0 < shift.low < shift.figure < shift.high


def test_the_same_seed_gives_the_same_answer():
    draws = np.random.default_rng(5)
    x, y = draws.normal(size=(30, 3)), draws.normal(size=(30, 3))
    assert energy_test(x, y, 7, permutations=300) == energy_test(x, y, 7, permutations=300)


def test_unfit_samples_are_refused():
    with pytest.raises(ValueError, match="can't be compared"):
        energy_test(np.zeros((3, 2)), np.zeros((3, 4)), 0)
    with pytest.raises(ValueError, match="two prompts on each side, got 1"):
        energy_test(np.zeros((1, 2)), np.zeros((3, 2)), 0)
