import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.policy.budget import spend


def total(value_NM, choice) -> float:
    return float(np.asarray(value_NM)[np.arange(len(choice)), list(choice)].sum())


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


@settings(deadline=None, max_examples=150)
@given(problem=problems(), share=st.floats(0, 1))
def test_a_budget_is_kept_and_nearly_optimal_against_all_assignments(problem, share):
    quality_NM, cost_NM = pose(problem)
    least, most = cost_NM.min(axis=1).sum(), cost_NM.max(axis=1).sum()
    # a sum of the same cells in another order may differ in its last digit
    usd = float((least + share * (most - least)) * (1 + 1e-12))
    choice_N = spend(quality_NM, cost_NM, usd)
    assert total(cost_NM, choice_N) <= usd
    prompts, candidates = quality_NM.shape
    feasible = [
        total(quality_NM, assignment)
        for assignment in itertools.product(range(candidates), repeat=prompts)
        if total(cost_NM, assignment) <= usd
    ]
    # the linear relaxation splits one prompt at most
    upgrade = (quality_NM.max(axis=1) - quality_NM.min(axis=1)).max()
    assert total(quality_NM, choice_N) >= max(feasible) - upgrade - 1e-9


@settings(deadline=None, max_examples=50)
@given(problem=problems(most_prompts=200))
def test_a_large_batch_comes_within_one_upgrade_of_the_lagrangian_bound(problem):
    quality_NM, cost_NM = pose(problem)
    usd = float((cost_NM.min(axis=1).sum() + cost_NM.max(axis=1).sum()) / 2 * (1 + 1e-12))
    choice_N = spend(quality_NM, cost_NM, usd)
    assert total(cost_NM, choice_N) <= usd
    # any price bounds the optimum from above (weak duality); the least bound lies where some prompt is indifferent
    with np.errstate(divide="ignore", invalid="ignore"):
        prices = (quality_NM[:, :, None] - quality_NM[:, None, :]) / (cost_NM[:, :, None] - cost_NM[:, None, :])
    prices = np.append(prices[np.isfinite(prices) & (prices > 0)], 0)
    bound = min(float((quality_NM - price * cost_NM).max(axis=1).sum() + price * usd) for price in np.unique(prices))
    upgrade = (quality_NM.max(axis=1) - quality_NM.min(axis=1)).max()
    assert total(quality_NM, choice_N) >= bound - upgrade - 1e-9


def test_an_ample_budget_is_the_best_choice_and_a_bare_one_the_cheapest():
    quality_NM, cost_NM = pose((3, 50, 4, False))
    assert spend(quality_NM, cost_NM, 1e9).tolist() == quality_NM.argmax(axis=1).tolist()
    bare = total(cost_NM, cost_NM.argmin(axis=1))
    assert spend(quality_NM, cost_NM, bare).tolist() == cost_NM.argmin(axis=1).tolist()
