"""Latency by tokens: planted laws are found, and quantiles hold on calls that weren't fitted."""

import numpy as np
import pytest

from components.learning.latency_fit import LEAST, fit_latency

TASKS = 3


def calls(rows, seed):
    """Two candidates with laws of their own, a third that is hardly ever timed, and one answer a prompt."""
    draw = np.random.default_rng(seed)
    task_N = draw.integers(-1, TASKS, rows).astype(np.int32)
    input_N = draw.integers(10, 4000, rows).astype(float)
    log_output_NM = 4 + task_N[:, None] + 0.3 * draw.normal(size=(rows, 3))
    log_ms_NM = [5, 6, 5] + [0.8, 0.5, 0] * log_output_NM + np.log1p(input_N)[:, None] * [0.1, 0.2, 0]
    log_ms_NM += 0.4 * draw.normal(size=(rows, 3))
    hidden_NM = np.eye(3, dtype=bool)[draw.choice(3, rows, p=[0.55, 0.44, 0.01])]
    latency_NM = np.where(hidden_NM, np.exp(log_ms_NM), np.nan)
    return task_N, input_N, np.where(hidden_NM, np.expm1(log_output_NM), np.nan), latency_NM, np.exp(log_ms_NM)


def test_quantiles_hold_on_calls_that_were_not_fitted():
    task_N, input_N, output_NM, latency_NM, _ = calls(2000, 0)
    assert np.isfinite(latency_NM[:, 2]).sum() < LEAST
    head = fit_latency(latency_NM, input_N, output_NM, task_N, TASKS)
    task_N, input_N, _, _, everybody_NM = calls(4000, 1)
    half_NM, most_NM = (each(task_N, input_N.astype(int)) for each in (head.median_ms, head.most_ms))
    assert np.isnan(half_NM[:, 2]).all()
    for m in range(2):
        for task in range(-1, TASKS):
            rows = task_N == task
            assert (everybody_NM[rows, m] <= half_NM[rows, m]).mean() == pytest.approx(0.5, abs=0.1)
            assert (everybody_NM[rows, m] <= most_NM[rows, m]).mean() == pytest.approx(0.95, abs=0.03)
    assert head.input_M[:2] == pytest.approx([0.1, 0.2], abs=0.05)


def test_nobody_timed_is_no_head():
    task_N, input_N, output_NM, latency_NM, _ = calls(200, 0)
    assert fit_latency(np.full_like(latency_NM, np.nan), input_N, output_NM, task_N, TASKS) is None
    # without tokens the calls themselves tell
    head = fit_latency(latency_NM, input_N, np.full_like(output_NM, np.nan), np.full_like(task_N, -1), 0)
    assert head.centre_SM.shape == (1, 3)
    assert np.isfinite(head.centre_SM[0, :2]).all()
