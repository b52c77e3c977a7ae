"""Recorded values are ppi-python 0.2.3's on the same numbers: ppi_mean_pointestimate and ppi_mean_ci, alpha .05."""

import numpy as np
import pytest

from components.grading.correction import correct, more_to_halve, pseudo_grades, recalibrate


def _example() -> tuple[np.ndarray, np.ndarray]:
    row_N = np.arange(40)
    truth_N = 0.5 + 0.4 * np.sin(row_N * 1.7)
    judge_N = np.clip(truth_N * 0.7 + 0.25 + 0.15 * np.cos(row_N * 2.3), 0, 1)
    return judge_N[:, None], np.where(row_N < 12, truth_N, np.nan)[:, None]


@pytest.mark.parametrize(
    ("power", "mean", "low", "high"),
    [
        (1.0, 0.49192723, 0.3798461, 0.60400837),
        (None, 0.49348385, 0.38741104, 0.59955665),
    ],
)
def test_mean_and_interval_are_ppi_pythons(power: float | None, mean: float, low: float, high: float) -> None:
    found = correct(*_example(), power=power)
    assert found.mean_M[0] == pytest.approx(mean, abs=1e-7)
    # its interval is the normal one, ours Student's
    assert found.error_M[0] * 2 * 1.959964 == pytest.approx(high - low, abs=1e-7)


def test_without_a_judge_the_corrected_answers_alone_count() -> None:
    truth_NM = np.random.default_rng(0).random((30, 1))
    found = correct(truth_NM, truth_NM)
    assert found.mean_M[0] == pytest.approx(truth_NM.mean())
    assert found.error_M[0] == pytest.approx(truth_NM.std() / 30**0.5)


def test_pseudo_grades_have_the_corrected_means() -> None:
    judge_NM, truth_NM = _example()
    found = correct(judge_NM, truth_NM)
    # the same estimator: the judge's mean over all answers instead of the uncorrected ones is a power of its own
    power_M = found.power_M * 40 / 28
    assert pseudo_grades(judge_NM, truth_NM, power_M).mean() == pytest.approx(found.mean_M[0])


def test_difference_covers_the_truth_as_often_as_it_says() -> None:
    rng, hits, draws = np.random.default_rng(1), 0, 400
    for _ in range(draws):
        truth_NM = rng.random((500, 2)) * [0.9, 1.0]
        judge_NM = np.clip(truth_NM + np.array([0.1, 0.0]) + rng.normal(0, 0.15, truth_NM.shape), 0, 1)
        shown_N = rng.permutation(500) < 100
        _, low, high = correct(judge_NM, np.where(shown_N[:, None], truth_NM, np.nan)).difference(0, 1)
        hits += low <= -0.05 <= high
    assert 0.92 <= hits / draws <= 0.98


def test_corrections_on_other_prompts_are_no_pairs() -> None:
    rng = np.random.default_rng(2)
    truth_NM = rng.random((300, 1)) + np.zeros((300, 2))
    judge_NM = truth_NM + rng.normal(0, 0.05, truth_NM.shape)
    paired = np.where(np.arange(300)[:, None] < 50, truth_NM, np.nan)
    apart = paired.copy()
    apart[:, 1] = np.where((np.arange(300) >= 50) & (np.arange(300) < 100), truth_NM[:, 1], np.nan)
    widths = [np.diff(correct(judge_NM, shown).difference(0, 1)[1:])[0] for shown in (paired, apart)]
    assert widths[0] < widths[1]


def test_halving_the_interval_is_what_the_number_does() -> None:
    rng = np.random.default_rng(3)
    truth_NM = rng.random((20_000, 1))
    judge_NM = truth_NM + rng.normal(0, 0.2, truth_NM.shape)

    def shown(count: int) -> np.ndarray:
        return np.where(np.arange(20_000)[:, None] < count, truth_NM, np.nan)

    more = int(more_to_halve(judge_NM, shown(100))[0])
    before, after = (correct(judge_NM, shown(count)).error_M[0] for count in (100, 100 + more))
    assert after / before == pytest.approx(0.5, abs=0.06)


def test_no_number_of_corrections_halves_what_the_judge_leaves() -> None:
    truth_NM = np.random.default_rng(4).random((60, 1))
    assert more_to_halve(truth_NM, np.where(np.arange(60)[:, None] < 40, truth_NM, np.nan)).tolist() == [-1]


def test_recalibration_removes_each_candidates_bias() -> None:
    rng = np.random.default_rng(5)
    truth_NM = rng.random((4000, 2)) * 0.8
    judge_NM = 0.7 * truth_NM + np.array([0.2, 0.05]) + rng.normal(0, 0.05, truth_NM.shape)
    fitted = recalibrate(judge_NM, np.where(rng.random((4000, 1)) < 0.25, truth_NM, np.nan))
    assert np.abs(fitted.apply(judge_NM).mean(axis=0) - truth_NM.mean(axis=0)).max() < 0.01


def test_a_judge_that_always_says_one_becomes_each_candidates_mean() -> None:
    truth_NM = np.full((400, 2), [0.3, 0.6])
    fitted = recalibrate(np.ones((400, 2)), truth_NM)
    assert fitted.apply(np.ones((1, 2)))[0] == pytest.approx([0.3, 0.6], abs=0.02)
    found = correct(np.ones((400, 2)), np.where(np.arange(400)[:, None] < 50, truth_NM, np.nan))
    assert found.power_M.tolist() == [0, 0]


@pytest.mark.parametrize("power", [-0.1, 1.1])
def test_power_is_a_share(power: float) -> None:
    with pytest.raises(ValueError, match=r"power must be in \[0, 1\]"):
        correct(*_example(), power=power)


def test_an_uncorrected_candidate_has_no_interval() -> None:
    found = correct(np.ones((5, 1)), np.full((5, 1), np.nan))
    assert np.isnan(found.mean_M).all()
    with pytest.raises(ValueError, match="no answer has a grade by the judge and a better one"):
        recalibrate(np.ones((5, 1)), np.full((5, 1), np.nan))
