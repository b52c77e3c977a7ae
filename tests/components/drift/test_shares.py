import math

import numpy as np
import pytest
from scipy import stats

from components.drift.shares import class_counts, mix_shift, share_rise, stability_index


@pytest.mark.parametrize(("hits", "known"), [(9, 4), (0, 7), (20, 0)])
def test_the_rise_of_a_share_has_fishers_exact_p(hits, known):
    recent_N, reference_K = np.arange(40) < hits, np.arange(60) < known
    shift = share_rise(recent_N, reference_K, seed=1)
    exact = stats.fisher_exact([[hits, 40 - hits], [known, 60 - known]], alternative="greater")
    assert shift.p == pytest.approx(exact.pvalue, rel=1e-9)
    assert shift.figure == pytest.approx(hits / 40 - known / 60)
    assert shift.low <= shift.figure <= shift.high


def test_the_interval_of_a_rise_is_as_wide_as_its_standard_error():
    recent_N, reference_K = np.arange(400) < 120, np.arange(500) < 50
    shift = share_rise(recent_N, reference_K, seed=0, resamples=4000)
    error = math.sqrt(0.3 * 0.7 / 400 + 0.1 * 0.9 / 500)
    assert (shift.high - shift.low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.08)


def test_the_index_is_the_symmetric_sum_over_classes():
    recent_C, reference_C = np.array([10, 0, 30]), np.array([20, 5, 25])
    expected = 0.0
    for one, other in zip(recent_C.tolist(), reference_C.tolist(), strict=True):
        p, q = (one + 0.5) / 41.5, (other + 0.5) / 51.5
        expected += (p - q) * math.log(p / q)
    assert stability_index(recent_C[None], reference_C[None])[0] == pytest.approx(expected)
    assert stability_index(reference_C[None], recent_C[None])[0] == pytest.approx(expected)


def test_p_is_the_exact_one_of_all_relabellings():
    recent_C, reference_C = np.array([14, 6]), np.array([16, 24])
    observed = stability_index(recent_C[None], reference_C[None])[0]
    hits_S = np.arange(21)
    split_SC = np.stack([hits_S, 20 - hits_S], axis=1)
    weight_S = stats.hypergeom.pmf(hits_S, 60, 30, 20)
    exact = weight_S[stability_index(split_SC, np.array([[30, 30]]) - split_SC) >= observed - 1e-12].sum()
    drawn = mix_shift(recent_C, reference_C, seed=0, permutations=20_000, resamples=2).p
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000))


def test_the_interval_covers_the_true_index():
    p_C, q_C = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.25, 0.25, 0.25, 0.25])
    true = float(((p_C - q_C) * np.log(p_C / q_C)).sum())
    draws = np.random.default_rng(3)
    covered, middles = 0, []
    for seed in range(200):
        shift = mix_shift(
            draws.multinomial(200, p_C), draws.multinomial(300, q_C), seed=seed, permutations=1, resamples=300
        )
        covered += shift.low <= true <= shift.high
        middles.append(shift.figure)
    assert covered >= 175
    assert np.mean(middles) == pytest.approx(true, rel=0.06)


def test_chance_alone_is_no_drift_however_many_classes():
    draws, q_C = np.random.default_rng(0), np.full(30, 1 / 30)
    shifts, raw = [], []
    for seed in range(60):
        recent_C, reference_C = draws.multinomial(150, q_C), draws.multinomial(300, q_C)
        shifts.append(mix_shift(recent_C, reference_C, seed, permutations=99, resamples=99))
        raw.append(stability_index(recent_C[None], reference_C[None])[0])
    assert np.mean(raw) > 0.2
    assert np.mean([shift.figure for shift in shifts]) < 0.1
    assert np.mean([shift.p <= 0.1 for shift in shifts]) <= 0.2


def test_classes_count_the_unassigned_first():
    assert class_counts(np.array([1, -1, 1], dtype=np.int32), 3).tolist() == [1, 0, 2, 0]


def test_mixes_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="2 and 3 classes"):
        mix_shift(np.array([1, 2]), np.array([1, 2, 3]), 0, permutations=1, resamples=1)
    with pytest.raises(ValueError, match="at least one prompt"):
        mix_shift(np.array([0, 0]), np.array([1, 2]), 0, permutations=1, resamples=1)
