"""Who may be chosen, against rules applied one prompt and candidate at a time."""

import itertools

import numpy as np
import pytest

from pointsman.model.prediction import Prediction
from pointsman.policy.among import decide_among, decide_eligible
from pointsman.policy.eligibility import (
    WINDOW_MARGIN,
    Facts,
    NoneEligible,
    Wanted,
    columns_of,
    eligible,
    unlimited,
)
from pointsman.policy.policy import Best, Budget, QualityBar, Tolerance, Tradeoff, of_cost
from pointsman.policy.ranking import rank

MODELS = ("small", "middle", "large", "old")
FACTS = Facts(
    window_M=np.array([1000.0, 4000.0, np.inf, np.inf]),
    capabilities_M=(frozenset(), frozenset({"tools"}), None, frozenset({"tools", "vision"})),
    retired_M=np.array([False, False, False, True]),
)
POLICIES = [Best(), Tradeoff(willingness_to_pay=0.5), QualityBar(quality=0.6), Tolerance(share=0.4)]


def beliefs(rows=40, seed=0):
    draw = np.random.default_rng(seed)
    return Prediction(
        quality_NM=draw.random((rows, 4)),
        cost_usd_NM=draw.random((rows, 4)),
        task_N=np.zeros(rows, np.int32),
        margin_N=np.zeros(rows),
        novel_N=np.zeros(rows, bool),
    )


@pytest.mark.parametrize("needs", [(), ("tools",), ("vision",), ("tools", "vision")])
@pytest.mark.parametrize("exclude", [(), ("large", "unheard-of")])
def test_every_rule_holds_and_says_whom_it_removed(needs, exclude):
    tokens_N = np.array([10, 900, 3000])
    wanted = Wanted(exclude=exclude, requires=needs, max_output_tokens=100)

    def allowed(tokens, m):
        return (
            not FACTS.retired_M[m]
            and MODELS[m] not in exclude
            and (FACTS.capabilities_M[m] is None or set(needs) <= FACTS.capabilities_M[m])
            and np.ceil(tokens * WINDOW_MARGIN) + 100 <= FACTS.window_M[m]
        )

    expected = [[allowed(tokens, m) for m in range(4)] for tokens in tokens_N]
    if not all(map(any, expected)):
        with pytest.raises(NoneEligible, match="retired: old") as error:
            eligible(MODELS, FACTS, wanted, tokens_N)
        assert not exclude or "excluded: large" in str(error.value)
        return
    found_NM, removed = eligible(MODELS, FACTS, wanted, tokens_N)
    assert found_NM.tolist() == expected
    # each candidate is removed once
    assert (sum(gone.astype(int) for gone in removed.values()) == ~found_NM).all()


def test_the_message_tells_the_window_that_was_too_small():
    with pytest.raises(NoneEligible, match=r"too small for about 6100 tokens.*small \(1000\), middle \(4000\)"):
        eligible(MODELS, FACTS, Wanted(exclude=("large",), max_output_tokens=100), np.array([5000]))
    with pytest.raises(ValueError, match="doesn't know 'new'"):
        eligible(MODELS, FACTS, Wanted(among=("new",)), np.array([1]))
    with pytest.raises(ValueError, match="not one text"):
        Wanted(exclude="small")
    for tokens in (-1, 100_000_001, int("9" * 400)):
        with pytest.raises(ValueError, match=r"max_output_tokens must be in \[0, 100000000\]"):
            Wanted(max_output_tokens=tokens)


def test_every_prompt_that_nobody_can_take_is_named_with_its_reason():
    wanted = Wanted(exclude=("large",))
    with pytest.raises(NoneEligible) as error:
        eligible(MODELS, FACTS, wanted, np.array([10, 5000, 20, 9000]))
    assert list(error.value.reasons) == [1, 3]
    assert "too small for about 10800 tokens" in error.value.reasons[3]
    assert str(error.value) == f"prompt 1: {error.value.reasons[1]}"
    assert not error.value.whatever_is_asked


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(among=("old",)),
        Wanted(exclude=("small", "middle", "large")),
        Wanted(requires=("telepathy",), among=("small", "middle")),
        Wanted(exclude=("large",), max_output_tokens=4001),
    ],
)
def test_a_request_that_leaves_nobody_for_any_prompt_is_told_from_prompts_that_nobody_can_take(wanted):
    with pytest.raises(NoneEligible) as error:
        eligible(MODELS, FACTS, wanted, np.array([0, 10]))
    assert error.value.whatever_is_asked


def test_a_prompt_without_a_candidate_of_known_cost_is_named():
    prediction = beliefs(rows=3)
    prediction.cost_usd_NM[:, 2] = np.nan
    mask_NM = np.array([[True] * 4, [False, False, True, False], [True, False, True, False]])
    shared = {"fallback": 0, "general_quality_M": np.ones(4), "models": MODELS}
    for policy in POLICIES:
        if of_cost(policy):
            with pytest.raises(NoneEligible, match=r"prompt 1: policy .* unknown for all 1 candidates: large") as error:
                decide_eligible(prediction, policy, mask_NM, **shared)
            assert list(error.value.reasons) == [1]
            assert not error.value.whatever_is_asked
    # where that holds for every prompt it is the policy that can't be kept
    with pytest.raises(ValueError, match="unknown for all 1 candidates") as other:
        decide_eligible(prediction, POLICIES[1], mask_NM[[1, 1, 1]], **shared)
    assert not isinstance(other.value, NoneEligible)


def test_names_are_compared_in_nfc_and_without_spaces_around_as_in_the_tables():
    models, facts = ("Gr\u00f6\u00dfe", "Zoe\u0308"), Facts.unknown(2)
    for asked in ("Gro\u0308\u00dfe", " Gr\u00f6\u00dfe\n"):
        assert eligible(models, facts, Wanted(among=(asked,)), np.array([1]))[0].tolist() == [[True, False]]
        assert eligible(models, facts, Wanted(exclude=(asked,)), np.array([1]))[0].tolist() == [[False, True]]
    # a bundle from before may have names in another form
    assert columns_of(models, ["Zo\u00eb"]).tolist() == [1]
    assert Wanted(requires=(" tools",)) == Wanted(requires=("tools",))


@pytest.mark.parametrize("name", ["among", "exclude", "requires"])
@pytest.mark.parametrize("given", [(None,), (5,), ("small", b"large")])
def test_what_is_no_name_is_refused(name, given):
    with pytest.raises(ValueError, match=rf"{name} must be a sequence of names, holds (NoneType|int|bytes)"):
        Wanted(**{name: given})


@pytest.mark.parametrize("tokens", ["9", None, [9]])
def test_tokens_must_be_a_number(tokens):
    with pytest.raises(ValueError, match="max_output_tokens must be a number"):
        Wanted(max_output_tokens=tokens)


def test_nothing_known_and_nothing_wanted_limits_nobody():
    assert unlimited(Facts.unknown(3), Wanted())
    assert not unlimited(FACTS, Wanted())
    assert not unlimited(Facts.unknown(3), Wanted(exclude=("a",)))


@pytest.mark.parametrize("policy", POLICIES)
def test_prompts_of_several_sets_are_decided_as_alone(policy):
    prediction, draw = beliefs(), np.random.default_rng(1)
    mask_NM = draw.random((40, 4)) < 0.6
    mask_NM[np.arange(40), draw.integers(0, 4, 40)] = True
    general_M = np.array([0.4, 0.5, 0.6, 0.7])
    keys = {"fallback": 2, "general_quality_M": general_M, "models": MODELS}
    together = decide_eligible(prediction, policy, mask_NM, **keys).candidate_N
    for row in range(40):
        one = Prediction(
            **{
                name: getattr(prediction, name)[row : row + 1]
                for name in ("quality_NM", "cost_usd_NM", "task_N", "margin_N", "novel_N")
            }
        )
        assert together[row] == decide_among(one, policy, np.flatnonzero(mask_NM[row]), **keys).candidate_N[0]
        assert mask_NM[row, together[row]]


def test_one_budget_is_kept_over_prompts_of_several_sets():
    prediction = beliefs(6, seed=3)
    mask_NM = np.array([[True, True, False, False], [False, True, True, True]] * 3)
    keys = {"fallback": 2, "general_quality_M": np.zeros(4), "models": MODELS}
    quality_NM, cost_NM, rows = prediction.quality_NM, prediction.cost_usd_NM, np.arange(6)
    every = [np.array(c) for c in itertools.product(*[np.flatnonzero(mask) for mask in mask_NM])]
    least = min(cost_NM[rows, c].sum() for c in every)
    usd = least * 1.5
    found = decide_eligible(prediction, Budget(usd=usd), mask_NM, **keys).candidate_N
    assert mask_NM[rows, found].all()
    assert cost_NM[rows, found].sum() <= usd
    best = max(quality_NM[rows, c].sum() for c in every if cost_NM[rows, c].sum() <= usd)
    # within one prompt's upgrade of the optimum
    assert quality_NM[rows, found].sum() >= best - 1


def test_ranks_follow_the_policy():
    quality = np.array([[0.5, 0.9, 0.7, 0.95]])
    cost = np.array([[1.0, 3.0, 2.0, np.nan]])
    choice = np.array([1])
    assert rank(Best(), choice, quality, cost).tolist() == [[1, 3, 2, 0]]
    assert rank(Tradeoff(willingness_to_pay=2.0), choice, quality, cost).tolist() == [[1, 0, 2, 3]]
    assert rank(QualityBar(quality=0.6), choice, quality, cost).tolist() == [[1, 2, 3, 0]]
    allowed = np.array([[True, True, False, True]])
    assert rank(Best(), choice, quality, cost, allowed).tolist() == [[1, 3, 0, -1]]
    # choice stays first even where the guard kept a worse one
    assert rank(Best(), np.array([0]), quality, cost).tolist()[0][0] == 0


def test_new_candidates_are_refused_by_name():
    with pytest.raises(ValueError, match="doesn't know 'brand-new': it was trained on small, middle, large, old"):
        columns_of(MODELS, ["small", "brand-new"])
    for nothing in ([], "small"):
        with pytest.raises(ValueError, match="at least one name"):
            columns_of(MODELS, nothing)
