from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.model.prediction import Prediction
from pointsman.policy.policy import Best, Budget, QualityBar, Tolerance, Tradeoff, decide, form, parse


def believe(quality, cost=None, task=None, novel=None, margin=0.0) -> Prediction:
    quality_NM = np.array(quality, dtype=np.float64)
    rows = quality_NM.shape[0]
    return Prediction(
        quality_NM=quality_NM,
        cost_usd_NM=np.full(quality_NM.shape, np.nan) if cost is None else np.array(cost, dtype=np.float64),
        task_N=np.zeros(rows, dtype=np.int32) if task is None else np.array(task, dtype=np.int32),
        margin_N=np.broadcast_to(np.asarray(margin, dtype=np.float64), rows),
        novel_N=np.zeros(rows, dtype=np.bool_) if novel is None else np.array(novel),
    )


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("best", Best()),
        (" budget=0.5", Budget(usd=0.5)),
        ("quality=.8", QualityBar(quality=0.8)),
        ("tradeoff=1e-3", Tradeoff(willingness_to_pay=1e-3)),
        ("tolerance=0.3", Tolerance(share=0.3)),
        ("tradeoff=inf", Tradeoff(willingness_to_pay=float("inf"))),
    ],
)
def test_policies_are_parsed(text, policy):
    assert parse(text) == policy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cheap", "unknown policy 'cheap'"),
        ("best=1", "unknown policy"),
        ("budget", "unknown policy"),
        ("budget=lots", "'lots' is no number"),
        ("budget=-1", "budget must be >= 0"),
        ("budget=nan", "budget must be >= 0"),
        ("budget=inf", "finite"),
        ("quality=1.5", "quality must be in"),
        ("quality=nan", "quality must be in"),
        ("tolerance=1.1", "tolerance must be in"),
        ("tolerance=nan", "tolerance must be in"),
        ("tradeoff=1_0", "is no number"),
        ("tradeoff=１", "is no number"),
        ("tradeoff=0", "willingness_to_pay must be > 0"),
        ("", "unknown policy"),
    ],
)
def test_bad_policies_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


def problems(most_prompts: int = 5):
    return st.tuples(st.integers(0, 100_000), st.integers(1, most_prompts), st.integers(1, 4), st.booleans())


def pose(problem):
    seed, prompts, candidates, coarse = problem
    generator = np.random.default_rng(seed)
    quality_NM = generator.random((prompts, candidates))
    cost_NM = 10 ** generator.uniform(-6, -1) * generator.random((prompts, candidates))
    if coarse:  # many ties
        quality_NM, cost_NM = np.round(quality_NM * 3) / 3, np.ceil(cost_NM / cost_NM.max() * 3) / 4
    return quality_NM, cost_NM


def test_a_budget_below_the_cheapest_choice_is_refused_with_figures():
    with pytest.raises(ValueError, match=r"budget of 0\.5 USD .* 2 prompts, 2 USD"):
        decide(believe([[1, 0], [0, 1]], [[1, 2], [1, 2]]), Budget(usd=0.5), fallback=0)


def test_an_empty_batch_is_decided():
    nothing = believe(np.zeros((0, 2)), np.zeros((0, 2)))
    for policy in (
        Best(),
        Tradeoff(willingness_to_pay=1),
        Budget(usd=0),
        QualityBar(quality=0.5),
        Tolerance(share=0.5),
    ):
        assert decide(nothing, policy, fallback=0).candidate_N.shape == (0,)


@settings(deadline=None, max_examples=50)
@given(problem=problems(), bar=st.floats(0, 1))
def test_the_quality_bar_by_definition(problem, bar):
    quality_NM, cost_NM = pose(problem)
    decision = decide(believe(quality_NM, cost_NM), QualityBar(quality=bar), fallback=0)
    for quality_M, cost_M, choice in zip(quality_NM, cost_NM, decision.candidate_N, strict=True):
        clear = [m for m in range(len(quality_M)) if quality_M[m] >= bar]
        if clear:
            assert choice == min(clear, key=lambda m: (cost_M[m], -quality_M[m], m))
        else:
            assert choice == int(quality_M.argmax())


@settings(deadline=None, max_examples=50)
@given(problem=problems(), share=st.floats(0, 1))
def test_the_tolerance_by_definition(problem, share):
    quality_NM, cost_NM = pose(problem)
    choice_N = decide(believe(quality_NM, cost_NM), Tolerance(share=share), fallback=0).candidate_N
    for quality_M, cost_M, choice in zip(quality_NM, cost_NM, choice_N, strict=True):
        short_M = max(quality_M) - quality_M
        enough = [m for m in range(len(quality_M)) if short_M[m] <= share * max(short_M)]
        assert choice == min(enough, key=lambda m: (cost_M[m], -quality_M[m], m))


def test_no_tolerance_is_the_guarded_best_and_all_of_it_the_cheapest():
    quality_NM, cost_NM = pose((3, 50, 4, False))
    beliefs = believe(quality_NM, cost_NM, margin=0.2)
    best = decide(beliefs, Best(), fallback=2)
    none = decide(beliefs, Tolerance(share=0), fallback=2)
    assert none.candidate_N.tolist() == best.candidate_N.tolist()
    assert none.reason_N.tolist() == best.reason_N.tolist()
    full_N = decide(beliefs, Tolerance(share=1), fallback=2).candidate_N
    assert full_N.tolist() == cost_NM.argmin(axis=1).tolist()


@settings(deadline=None, max_examples=50)
@given(problem=problems(), price=st.floats(1e-6, 1e3))
def test_the_tradeoff_by_definition(problem, price):
    quality_NM, cost_NM = pose(problem)
    decision = decide(believe(quality_NM, cost_NM), Tradeoff(willingness_to_pay=price), fallback=0)
    assert decision.candidate_N.tolist() == (quality_NM - cost_NM / price).argmax(axis=1).tolist()


def test_the_least_price_there_is_chooses_the_cheapest():
    beliefs = believe([[0.2, 0.9, 0.1]], [[3.0, 2.0, 1.0]])
    assert decide(beliefs, Tradeoff(willingness_to_pay=5e-324), fallback=0).candidate_N.tolist() == [2]


def test_an_infinite_willingness_to_pay_needs_no_costs():
    beliefs = believe([[0.2, 0.9]])
    assert decide(beliefs, Tradeoff(willingness_to_pay=float("inf")), fallback=0).candidate_N.tolist() == [1]


@pytest.mark.parametrize(
    "policy", [Tradeoff(willingness_to_pay=10), Budget(usd=3), QualityBar(quality=0.5), Tolerance(share=0)]
)
def test_a_candidate_of_unknown_cost_is_left_out_of_cost_policies(policy):
    beliefs = believe([[0.2, 0.99, 0.9]], [[1, np.nan, 2]])
    assert decide(beliefs, policy, fallback=0).candidate_N.tolist() == [2]
    # nor does it disable them where it is the fallback
    assert decide(beliefs, policy, fallback=1).candidate_N.tolist() == [2]
    assert decide(beliefs, Best(), fallback=0).candidate_N.tolist() == [1]


@pytest.mark.parametrize("policy", ["budget=1.0", "quality=0.5", "tradeoff=1.0", "tolerance=0.5"])
def test_cost_policies_refuse_where_no_cost_is_known_at_all(policy):
    message = f"policy {policy} needs expected costs, which are unknown for all 2 candidates: cheap, dear"
    with pytest.raises(ValueError, match=message):
        decide(believe([[0.2, 0.9]]), parse(policy), fallback=0, models=("cheap", "dear"))
    assert form(parse(policy)) == policy


def test_the_guard_leaves_the_fallback_only_for_a_clear_advantage():
    quality, task = [[0.5, 0.52], [0.5, 0.56], [0.7, 0.1]], [0, -1, 0]
    decision = decide(believe(quality, task=task, margin=0.05), Best(), fallback=0)
    assert decision.candidate_N.tolist() == [0, 1, 0]
    assert decision.reason_N.tolist() == ["doubt", "general", "task"]
    assert decide(believe(quality, task=task), Best(), fallback=0).candidate_N.tolist() == [1, 1, 0]
    each = decide(believe(quality, task=task, margin=[0.0, 0.1, 0.0]), Best(), fallback=0)
    assert each.candidate_N.tolist() == [1, 0, 0]


def test_the_guard_never_keeps_a_cheap_candidate_from_saving_money():
    # unproven, the second counts as good as the dear fallback, and no better
    beliefs = believe([[0.5, 0.52, 0.4]], [[1.0, 0.1, 0.01]], margin=1.0)
    assert decide(beliefs, Best(), fallback=0).candidate_N.tolist() == [0]
    assert decide(beliefs, Tradeoff(willingness_to_pay=100), fallback=0).candidate_N.tolist() == [1]
    assert decide(beliefs, Tradeoff(willingness_to_pay=2), fallback=0).candidate_N.tolist() == [1]
    assert decide(beliefs, Tradeoff(willingness_to_pay=0.1), fallback=0).candidate_N.tolist() == [2]
    assert decide(beliefs, Budget(usd=0.5), fallback=0).candidate_N.tolist() == [1]
    # a dearer one has to be proven to be paid for
    dearer = believe([[0.5, 0.52, 0.4]], [[0.1, 1.0, 0.01]], margin=0.05)
    assert decide(dearer, Tradeoff(willingness_to_pay=1000), fallback=0).candidate_N.tolist() == [0]


def test_the_guard_holds_within_a_budget_and_says_so():
    beliefs = believe([[0.5, 0.52], [0.5, 0.9]], [[1.0, 2.0]] * 2, margin=0.05)
    decision = decide(beliefs, Budget(usd=4), fallback=0)
    assert decision.candidate_N.tolist() == [0, 1]
    assert decision.reason_N.tolist() == ["doubt", "task"]
    # even where the guard prefers a dear fallback, the budget is kept
    dear = believe([[0.5, 0.5]] * 2, [[2.0, 1.0]] * 2, margin=0.05)
    assert decide(dear, Budget(usd=2), fallback=0).candidate_N.tolist() == [1, 1]


def test_on_novel_prompts_no_promise_counts_but_cost_does():
    # all are predicted to be better than the most expensive one, which is best overall
    quality, cost = [[0.4, 0.9, 0.5, 0.1]] * 2, [[3.0, 2.0, 0.5, 0.4]] * 2
    beliefs = believe(quality, cost, novel=[True, False])
    wanted = {
        Best(): [0, 1],
        Tradeoff(willingness_to_pay=0.01): [3, 3],
        Tradeoff(willingness_to_pay=10): [2, 1],
        Budget(usd=3): [2, 1],
        QualityBar(quality=0.8): [1, 1],
        Tolerance(share=0.1): [2, 1],
    }
    for policy, choices in wanted.items():
        decision = decide(beliefs, policy, fallback=0)
        assert decision.candidate_N.tolist() == choices, policy
        assert decision.reason_N.tolist() == ["novel", "task"]


def test_a_budget_holds_on_novel_prompts():
    beliefs = believe([[0.1, 0.9]] * 2, [[1.0, 0.1]] * 2, novel=[True, False])
    decision = decide(beliefs, Budget(usd=0.5), fallback=0)
    assert decision.candidate_N.tolist() == [1, 1]
    assert decision.reason_N.tolist() == ["novel", "task"]


@pytest.mark.parametrize(
    "policy", [Best(), Tradeoff(willingness_to_pay=10), Budget(usd=9), QualityBar(quality=0.2), Tolerance(share=0.1)]
)
def test_candidates_without_outcomes_on_a_task_are_not_chosen_there(policy):
    quality, cost = [[0.4, 0.9, 0.5]] * 3, [[1.0, 0.1, 0.5]] * 3
    supported = np.array([[True, False, True], [True, True, True], [False, False, False]])
    beliefs = replace(believe(quality, cost), supported_NM=supported)
    decision = decide(beliefs, policy, fallback=0)
    # where nothing is known of any, all may be chosen
    assert decision.candidate_N.tolist() == [2, 1, 1]
    alone = decide(replace(believe(quality[:1], cost[:1]), supported_NM=supported[:1]), policy, fallback=0)
    assert alone.candidate_N.tolist() == [2]


def test_a_fallback_without_outcomes_on_a_task_holds_nothing_back():
    beliefs = replace(
        believe([[0.9, 0.5, 0.4]] * 2, margin=1.0, novel=[False, True]),
        supported_NM=np.array([[False, True, True]] * 2),
    )
    assert decide(beliefs, Best(), fallback=0).candidate_N.tolist() == [1, 1]


def test_ties_go_to_the_lowest_index():
    assert decide(believe([[0.5, 0.5, 0.5]]), Best(), fallback=2).candidate_N.tolist() == [0]


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="fallback must be in"):
        decide(believe([[0.5]]), Best(), fallback=1)


@given(
    quality=st.lists(st.lists(st.sampled_from([0.1, 0.4, 0.45, 0.5, 0.9]), min_size=3, max_size=3), min_size=2),
    margin=st.sampled_from([0.0, 0.05, 0.4]),
    data=st.data(),
)
def test_a_lone_prompt_is_decided_as_in_company(quality, margin, data):
    rows = len(quality)
    task, novel = (
        data.draw(st.lists(kind, min_size=rows, max_size=rows)) for kind in (st.integers(-1, 1), st.booleans())
    )
    whole = believe(quality, task=task, novel=novel, margin=margin)
    for fallback in range(3):
        together = decide(whole, Best(), fallback=fallback)
        for row in range(rows):
            lone = believe(quality[row : row + 1], task=task[row : row + 1], novel=novel[row : row + 1], margin=margin)
            alone = decide(lone, Best(), fallback=fallback)
            assert alone.candidate_N.tolist() == [together.candidate_N[row]]
            assert alone.reason_N.tolist() == [together.reason_N[row]]
            assert alone.candidate_N.dtype == together.candidate_N.dtype
