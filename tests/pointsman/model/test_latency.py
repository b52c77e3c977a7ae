from dataclasses import replace

import numpy as np
import pytest

from pointsman.model.latency import LatencyHead

HEAD = LatencyHead(
    centre_SM=np.array([[5.0, 6.0], [5.5, 6.5], [5.2, np.nan]]),
    input_M=np.array([0.1, 0.2]),
    half_M=np.array([0.0, 0.1]),
    most_M=np.array([1.0, 1.5]),
)
TASK, TOKENS = np.array([0, 1, -1], dtype=np.int32), np.array([0, 99, 999])


def test_times_are_those_of_the_formula() -> None:
    for found_NM, above_M in ((HEAD.median_ms(TASK, TOKENS), HEAD.half_M), (HEAD.most_ms(TASK, TOKENS), HEAD.most_M)):
        for row, task in enumerate(TASK):
            for model in range(2):
                log = HEAD.centre_SM[task, model] + HEAD.input_M[model] * np.log(1 + TOKENS[row]) + above_M[model]
                np.testing.assert_allclose(found_NM[row, model], np.exp(log))


def test_a_prompt_without_a_task_has_the_last_row() -> None:
    found_NM = HEAD.median_ms(np.array([-1], dtype=np.int32), np.array([0]))
    assert found_NM[0, 0] == pytest.approx(np.exp(5.2))
    assert np.isnan(found_NM[0, 1])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"centre_SM": np.zeros((0, 2))}, "row for each task"),
        ({"input_M": np.zeros(3)}, "latency.input_M"),
        ({"half_M": np.zeros(2, dtype=np.int64)}, "latency.half_M"),
        ({"most_M": np.array([np.inf, 0.0])}, "infinite"),
    ],
)
def test_arrays_that_cannot_be_are_refused(wrong: dict[str, np.ndarray], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        replace(HEAD, **wrong)
