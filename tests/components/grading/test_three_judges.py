"""Intervals on real grades: three judges on three models' answers, the strictest taken as true."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.grading.correction import correct

_TRUE, _JUDGE, _CORRECTED, _DRAWS = "deepseek-r1", "gpt-4.1-mini", 100, 500
_PAIRS = ((0, 1), (0, 2), (1, 2))


def _grades(folder: Path, judge: str) -> np.ndarray:
    wide = pl.read_parquet(folder / "grades.parquet").filter(pl.col("judge") == judge)
    return wide.pivot(on="model", index="prompt_id", values="grade").sort("prompt_id").drop("prompt_id").to_numpy()


@pytest.mark.slow
def test_corrected_means_and_differences_cover_the_truth_and_are_narrower(shared_data: Path) -> None:
    truth_NM, judge_NM = (_grades(shared_data / "pareto", name) for name in (_TRUE, _JUDGE))
    mean_M, rng = truth_NM.mean(axis=0), np.random.default_rng(0)
    gap = {pair: mean_M[pair[0]] - mean_M[pair[1]] for pair in _PAIRS}
    mean_hits, gap_hits, narrower, narrower_gaps = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3)
    for _ in range(_DRAWS):
        shown_NM = rng.permuted(np.tile(np.arange(len(truth_NM))[:, None], (1, 3)), axis=0) < _CORRECTED
        seen_NM = np.where(shown_NM, truth_NM, np.nan)
        ours, alone = correct(judge_NM, seen_NM), correct(np.where(shown_NM, judge_NM, np.nan), seen_NM)
        low_M, high_M = ours.interval()
        mean_hits += (low_M <= mean_M) & (mean_M <= high_M)
        narrower += high_M - low_M < np.subtract(*alone.interval()[::-1])
        for number, pair in enumerate(_PAIRS):
            _, low, high = ours.difference(*pair)
            gap_hits[number] += low <= gap[pair] <= high
            narrower_gaps[number] += high - low < np.subtract(*alone.difference(*pair)[:0:-1])
    assert mean_hits.min() / _DRAWS >= 0.92
    assert gap_hits.min() / _DRAWS >= 0.92
    assert min(narrower.min(), narrower_gaps.min()) / _DRAWS >= 0.95
    # uncorrected, the judge is sure of what isn't so
    error_M = judge_NM.std(axis=0) / len(judge_NM) ** 0.5
    assert (np.abs(judge_NM.mean(axis=0) - mean_M) > 1.96 * error_M).all()
