from collections.abc import Callable

import numpy as np
import pytest

from pointsman.policy.policy import Best, Policy, QualityBar, Tolerance, Tradeoff
from pointsman.policy.ranking import rank

RANDOM = np.random.default_rng(0)
QUALITY, COST = RANDOM.random((30, 5)), RANDOM.random((30, 5))
CHOICE = QUALITY.argmax(axis=1)

Key = Callable[[float, float, list[float]], tuple[float, ...]]


def bar(quality: float, cost: float, _: list[float]) -> tuple[float, ...]:
    return (0, cost) if quality >= 0.6 else (1, -quality)


def tolerance(quality: float, cost: float, row: list[float]) -> tuple[float, ...]:
    return (0, cost) if max(row) - quality <= 0.3 * (max(row) - min(row)) else (1, -quality)


@pytest.mark.parametrize(
    ("policy", "key"),
    [
        (Best(), lambda quality, cost, row: (-quality,)),
        (Tradeoff(willingness_to_pay=0.5), lambda quality, cost, row: (cost / 0.5 - quality,)),
        (Tradeoff(willingness_to_pay=float("inf")), lambda quality, cost, row: (-quality,)),
        (QualityBar(quality=0.6), bar),
        (Tolerance(share=0.3), tolerance),
    ],
)
def test_the_rest_come_in_the_policys_order(policy: Policy, key: Key) -> None:
    found = rank(policy, CHOICE, QUALITY, COST)
    for row in range(30):
        quality = QUALITY[row].tolist()
        rest = sorted(set(range(5)) - {int(CHOICE[row])}, key=lambda m: key(quality[m], float(COST[row, m]), quality))
        assert found[row].tolist() == [int(CHOICE[row]), *rest]


def test_who_may_not_be_asked_is_not_named() -> None:
    eligible_NM = np.ones(QUALITY.shape, dtype=bool)
    eligible_NM[:, 3] = False
    choice_N = np.where(eligible_NM, QUALITY, -1).argmax(axis=1)
    found = rank(Best(), choice_N, QUALITY, COST, eligible_NM)
    assert (found[:, -1] == -1).all()
    assert not (found == 3).any()


def test_who_has_no_outcomes_on_the_task_comes_last() -> None:
    supported_NM = np.ones((1, 3), dtype=bool)
    supported_NM[0, 2] = False
    assert rank(Best(), np.array([0]), np.array([[0.5, 0.6, 0.9]]), np.ones((1, 3)), None, supported_NM).tolist() == [
        [0, 1, 2]
    ]


def test_an_unknown_cost_is_asked_for_after_the_known_ones() -> None:
    cost_NM = np.array([[0.1, np.nan, 0.3]])
    assert rank(Tradeoff(willingness_to_pay=1.0), np.array([0]), np.array([[0.5, 0.9, 0.1]]), cost_NM).tolist() == [
        [0, 2, 1]
    ]
    assert rank(Best(), np.array([0]), np.array([[0.5, 0.9, 0.1]]), cost_NM).tolist() == [[0, 1, 2]]
