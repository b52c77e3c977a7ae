"""What a policy promised is still true of whoever takes the choice's place."""

import numpy as np
import pytest

from pointsman.policy.policy import Best, Budget, QualityBar, Tolerance, Tradeoff
from pointsman.policy.promises import lost, within

QUALITY_NM = np.array([[0.4, 0.6, 0.9], [0.1, 0.2, 0.3]])
COST_NM = np.array([[1.0, 2.0, np.nan], [1.0, 2.0, 3.0]])


def test_who_keeps_a_promise():
    choice_N = np.array([1, 2])
    bar = within(QualityBar(quality=0.5), choice_N, QUALITY_NM, COST_NM)
    # nobody clears the second prompt's bar, so that anybody may be drawn
    assert bar.tolist() == [[False, True, True], [True, True, True]]
    assert within(Budget(usd=2), choice_N[:1], QUALITY_NM[:1], COST_NM[:1]).tolist() == [[True, True, False]]
    assert within(Budget(usd=9), choice_N, QUALITY_NM, COST_NM).tolist() == [[False, True, False], [False, False, True]]
    for policy in (Best(), Tradeoff(willingness_to_pay=1), Tolerance(share=0.1)):
        assert within(policy, choice_N, QUALITY_NM, COST_NM) is None


def test_what_is_lost_is_measured_as_the_policy_does():
    quality_M, cost_M = QUALITY_NM[0], COST_NM[0]
    assert lost(Best(), 2, 1, quality_M, cost_M) == pytest.approx(0.3)
    assert lost(Tradeoff(willingness_to_pay=10), 0, 1, quality_M, cost_M) == pytest.approx(-0.2 + 0.1)
    # cheap money: cost decides, and may overflow; an unknown cost is worse than any
    assert lost(Tradeoff(willingness_to_pay=1e-320), 0, 1, quality_M, cost_M) == np.inf
    assert lost(Tradeoff(willingness_to_pay=10), 0, 2, quality_M, cost_M) == np.inf
    assert lost(Tradeoff(willingness_to_pay=np.inf), 2, 0, quality_M, cost_M) == pytest.approx(0.5)
