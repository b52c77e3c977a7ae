"""Deciding among some candidates, against deciding where there are no others."""

import numpy as np
import pytest

from pointsman.model.prediction import Prediction
from pointsman.policy.among import decide_among, decide_eligible
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


@pytest.mark.parametrize("margin", [0.0, 0.1, 1.0])
def test_a_budget_for_prompts_of_different_candidates_keeps_within_it_and_to_them(margin):
    """Whatever the margin, nobody ineligible is chosen and no more than the budget is spent."""
    for seed in range(40):
        draw = np.random.default_rng(seed)
        rows, cost_NM = np.arange(4), draw.random((4, 4)) + np.array([0.1, 0.5, 1, 8])
        eligible_NM = draw.random((4, 4)) < 0.6
        eligible_NM[rows, draw.integers(0, 4, 4)] = True
        # the best single candidate, which is promised most of, is closed to the first prompt
        eligible_NM[0] = [True, True, seed % 2 == 0, False]
        beliefs = Prediction(
            quality_NM=draw.integers(1, 5, (4, 4)) / 5,
            cost_usd_NM=cost_NM,
            task_N=np.zeros(4, dtype=np.int32),
            margin_N=np.full(4, margin),
            novel_N=draw.random(4) < 0.2,
            supported_NM=draw.random((4, 4)) < 0.7 if seed % 3 else None,
        )
        both_NM = eligible_NM if beliefs.supported_NM is None else eligible_NM & beliefs.supported_NM
        may_NM = np.where(both_NM.any(axis=1, keepdims=True), both_NM, eligible_NM)
        least = np.where(may_NM, cost_NM, np.inf).min(axis=1).sum()
        for usd in (1.001 * least, 1.5 * least, 3 * least):
            found = decide_eligible(
                beliefs, Budget(usd=usd), eligible_NM, fallback=3, general_quality_M=GENERAL_M, models=MODELS
            )
            assert may_NM[rows, found.candidate_N].all()
            assert cost_NM[rows, found.candidate_N].sum() <= usd


def test_without_the_best_single_candidate_a_prompt_has_no_margin_in_a_budget():
    beliefs = Prediction(
        quality_NM=np.array([[0.3, 0.5, 0.6], [0.3, 0.5, 0.6]]),
        cost_usd_NM=np.array([[1.0, 2.0, 9.0], [1.0, 2.0, 9.0]]),
        task_N=np.zeros(2, dtype=np.int32),
        margin_N=np.full(2, 0.2),
        novel_N=np.zeros(2, dtype=np.bool_),
    )
    eligible_NM = np.array([[True, True, False], [True, True, True]])
    found = decide_eligible(
        beliefs, Budget(usd=4), eligible_NM, fallback=2, general_quality_M=GENERAL_M[:3], models=MODELS[:3]
    )
    assert found.candidate_N.tolist() == [1, 1]


def test_a_budget_needs_a_known_cost_for_every_prompt():
    beliefs = Prediction(
        quality_NM=np.full((2, 3), 0.5),
        cost_usd_NM=np.array([[1.0, 2.0, np.nan]] * 2),
        task_N=np.zeros(2, dtype=np.int32),
        margin_N=np.zeros(2),
        novel_N=np.zeros(2, dtype=np.bool_),
        supported_NM=np.array([[True, True, True], [False, False, True]]),
    )
    asked = {"fallback": 0, "general_quality_M": GENERAL_M[:3], "models": MODELS[:3]}
    found = decide_eligible(beliefs, Budget(usd=9), np.array([[True, True, True], [False, True, True]]), **asked)
    # whoever is supported on the second prompt has no known cost
    assert found.candidate_N.tolist() == [0, 1]
    with pytest.raises(ValueError, match="unknown for all 1 candidates: large"):
        decide_eligible(beliefs, Budget(usd=9), np.array([[True, True, True], [False, False, True]]), **asked)
