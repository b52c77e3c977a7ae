"""Deciding among some candidates, against deciding where there are no others."""

import numpy as np
import pytest

from pointsman.model.prediction import Prediction
from pointsman.policy.among import decide_among
from pointsman.policy.eligibility import columns_of
from pointsman.policy.policy import Best, Budget, QualityBar, Tolerance, Tradeoff, decide

MODELS = ("small", "middle", "large", "huge")
GENERAL_M = np.array([0.4, 0.6, 0.7, 0.5])


@pytest.fixture
def beliefs():
    draw = np.random.default_rng(0)
    return Prediction(
        quality_NM=draw.random((60, 4)),
        cost_usd_NM=draw.random((60, 4)),
        task_N=np.zeros(60, dtype=np.int32),
        margin_N=np.full(60, 0.1),
        novel_N=draw.random(60) < 0.2,
    )


@pytest.mark.parametrize(
    "policy",
    [Best(), Tradeoff(willingness_to_pay=1), Budget(usd=40), QualityBar(quality=0.5), Tolerance(share=0.3)],
)
def test_the_others_might_as_well_not_exist(beliefs, policy):
    columns_C = columns_of(MODELS, ["huge", "middle"])
    found = decide_among(beliefs, policy, columns_C, fallback=3, general_quality_M=GENERAL_M, models=MODELS)
    alone = Prediction(
        quality_NM=beliefs.quality_NM[:, [1, 3]],
        cost_usd_NM=beliefs.cost_usd_NM[:, [1, 3]],
        task_N=beliefs.task_N,
        margin_N=beliefs.margin_N,
        novel_N=beliefs.novel_N,
    )
    expected = decide(alone, policy, fallback=1)
    assert found.candidate_N.tolist() == [(1, 3)[choice] for choice in expected.candidate_N]
    assert found.reason_N.tolist() == expected.reason_N.tolist()


def test_an_absent_fallback_is_stood_in_for_by_the_best_in_general(beliefs):
    found = decide_among(beliefs, Best(), np.array([0, 1]), fallback=2, general_quality_M=GENERAL_M, models=MODELS)
    assert set(found.candidate_N[beliefs.novel_N]) == {1}


def test_costs_of_absent_candidates_may_be_unknown(beliefs):
    beliefs.cost_usd_NM[:, 3] = np.nan
    decide_among(
        beliefs,
        Budget(usd=60),
        np.array([0, 1]),
        fallback=0,
        general_quality_M=GENERAL_M,
        models=MODELS,
    )
    found = decide_among(
        beliefs,
        Budget(usd=60),
        np.array([0, 3]),
        fallback=0,
        general_quality_M=GENERAL_M,
        models=MODELS,
    )
    assert set(found.candidate_N) == {0}
    with pytest.raises(ValueError, match="unknown for all 1 candidates: huge"):
        decide_among(beliefs, Budget(usd=60), np.array([3]), fallback=0, general_quality_M=GENERAL_M, models=MODELS)
