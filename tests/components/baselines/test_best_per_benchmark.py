from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from components.baselines.best_per_benchmark import fit
from components.baselines.best_single import fit as fit_single


def test_rows_are_the_means_of_polars(training):
    frame = pl.DataFrame(training.quality_NM, schema=list("abcde")).fill_nan(None)
    means = frame.with_columns(benchmark=training.benchmark_N).group_by("benchmark").mean().sort("benchmark")
    expected_BM = np.maximum(means.drop("benchmark").fill_null(0).cast(pl.Float64).to_numpy(), 0)
    two = np.zeros((2, 8), dtype=np.float32)
    predicted_BM = fit(training, 0).predict_labelled(two, np.array(["arc", "gsm8k"]))
    np.testing.assert_allclose(predicted_BM, expected_BM, atol=1e-8)


def test_a_new_benchmark_or_none_gets_the_general_means(training):
    model, one = fit(training, 0), np.zeros((1, 8), dtype=np.float32)
    general_NM = fit_single(training, 0).predict(one)
    np.testing.assert_array_equal(model.predict(one), general_NM)
    for unknown in ("aaa", "math", "zzz"):
        np.testing.assert_array_equal(model.predict_labelled(one, np.array([unknown])), general_NM)


def test_a_candidate_untried_on_a_benchmark_keeps_its_general_mean(training):
    quality_NM = training.quality_NM.copy()
    quality_NM[training.benchmark_N == "arc", 0] = np.nan
    model = fit(replace(training, quality_NM=quality_NM), 0)
    assert model.quality_BM[0, 0] == pytest.approx(np.nanmean(quality_NM[:, 0]))


def test_labels_must_match_prompts(training):
    with pytest.raises(ValueError, match="1 labels for 2 prompts"):
        fit(training, 0).predict_labelled(np.zeros((2, 8), dtype=np.float32), np.array(["arc"]))
