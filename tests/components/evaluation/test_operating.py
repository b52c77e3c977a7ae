"""The choice of the operating policy, on simulated worlds whose truth is known."""

import numpy as np
import pytest

from components.evaluation.operating import (
    Asked,
    ParityConfig,
    cheapest_at_parity,
    default_asked,
    parity_loss,
    parse_asked,
    price_grid,
    tried,
)

COST = {
    "apart": np.array([7.2, 3.1, 2.5, 1.1, 0.9, 0.6, 0.3, 0.15, 0.05]),
    "alike": np.array([2.8, 4.0, 1.5, 1.0, 0.6, 0.5, 0.3, 0.2, 0.1, 0.05]),
    "level": np.array([15.0, 0.9, 0.5, 0.03]),
}
LEVEL = {
    "apart": np.array([0.74, 0.72, 0.70, 0.66, 0.62, 0.58, 0.52, 0.45, 0.35]),
    "alike": np.array([0.84, 0.83, 0.80, 0.78, 0.75, 0.72, 0.66, 0.60, 0.50, 0.40]),
    "level": np.array([0.936, 0.929, 0.926, 0.79]),
}
TASKS, MARGIN = 12, 0.01


def draw(kind, prompts, task_TM, generator):
    """Predicted and true chance of success, and outcomes, of prompts whose difficulty is only half seen."""
    base = np.log(LEVEL[kind] / (1 - LEVEL[kind])) * 1.35
    seen = base + task_TM[generator.integers(TASKS, size=prompts)] + 0.35 * generator.normal(size=(prompts, base.size))
    hard = 1.5 * generator.normal(size=(prompts, 1))
    blurred = hard / 2 + generator.normal(size=(prompts, 1)) / 2
    chance = 1 / (1 + np.exp(-(seen + hard + 0.85 * generator.normal(size=seen.shape))))
    return 1 / (1 + np.exp(-(seen + blurred))), chance, (generator.random(chance.shape) < chance).astype(float)


def one_choice(kind, prompts, generator):
    """(true gain of the chosen policy, its true savings, savings of an oracle that knows every policy's true gain)."""
    cost = COST[kind]
    task_TM = 0.35 * generator.normal(size=(TASKS, cost.size))
    predicted, _, outcome = draw(kind, prompts, task_TM, generator)
    predicted_all, chance_all, _ = draw(kind, 20_000, task_TM, generator)
    single = int(outcome.mean(axis=0).argmax())
    prices = price_grid(np.broadcast_to(cost, outcome.shape))
    choices = [(predicted - cost / price).argmax(axis=1) for price in prices]
    choices_all = [(predicted_all - cost / price).argmax(axis=1) for price in prices]
    rows, rows_all = np.arange(prompts), np.arange(20_000)
    loss = parity_loss(outcome.mean(axis=0))
    chosen = cheapest_at_parity(
        (outcome[rows, choice] for choice in choices),
        np.array([cost[choice].mean() for choice in choices]),
        outcome[:, single],
        margin=MARGIN,
        loss=loss,
    )
    gain = np.array([(chance_all[rows_all, c] - chance_all[:, single]).mean() for c in choices_all])
    saved = 1 - np.array([cost[choice].mean() for choice in choices_all]) / cost[single]
    oracle = max(0.0, float(np.where(gain >= -loss, saved, 0).max()))
    return (0.0, 0.0, oracle) if chosen is None else (gain[chosen], saved[chosen], oracle)


def simulate(kind, prompts, draws, seed):
    generator = np.random.default_rng(seed)
    gain, saved, oracle = np.array([one_choice(kind, prompts, generator) for _ in range(draws)]).T
    return float((gain >= -MARGIN).mean()), float(saved.mean() / oracle.mean())


def test_parity_holds_and_most_savings_are_found_in_a_few_draws():
    held, share = simulate("apart", 2000, 12, seed=0)
    assert held >= 0.9
    assert share >= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["apart", "alike", "level"])
def test_parity_holds_in_nine_of_ten_draws_and_finds_most_savings(kind):
    held, share = simulate(kind, 4000, 200, seed=1)
    assert held >= 0.9
    assert share >= 0.85


def test_the_cheapest_policy_at_parity_by_hand():
    generator = np.random.default_rng(3)
    single = (generator.random(4000) < 0.7).astype(float)
    far = np.where(generator.random(4000) < 0.05, 0.0, single)
    near = single.copy()
    near[:4] = 1 - near[:4]
    policies = [single, near, far]
    assert cheapest_at_parity(policies, np.array([1.0, 0.5, 0.1]), single, margin=0.01) == 1
    assert cheapest_at_parity(policies, np.array([1.0, np.nan, 0.1]), single, margin=0.01) == 0
    assert cheapest_at_parity(policies, np.array([1.0, 0.5, 0.1]), single, margin=0.1) == 2
    assert cheapest_at_parity([far], np.array([0.1]), single, margin=0.0) is None


def test_a_loss_within_the_margin_is_still_too_great_where_candidates_are_alike():
    single = np.tile([1.0, 0.0], 20_000)
    below = single.copy()
    below[: 2 * 120 : 2] = 0.0  # .003 on average, shown by forty thousand prompts to be less than .01
    policies, costs = [single, below], np.array([1.0, 0.1])
    assert cheapest_at_parity(policies, costs, single, margin=0.01) == 1
    assert cheapest_at_parity(policies, costs, single, margin=0.01, loss=0.002) == 0


def test_the_loss_shrinks_where_candidates_are_alike():
    assert parity_loss(np.array([0.9, 0.89, 0.88])) == pytest.approx(0.2 * 0.015)
    assert parity_loss(np.array([0.9, np.nan, 0.1]), ParityConfig(greatest_loss=0.02)) == 0.02
    assert parity_loss(np.array([0.9])) == 0
    with pytest.raises(ValueError, match="no candidate"):
        parity_loss(np.array([np.nan]))


def test_a_grid_of_prices_spans_from_cheapest_to_best():
    cost = np.tile([0.001, 0.1, np.nan], (3, 1))
    grid = price_grid(cost)
    assert list(grid) == sorted(grid)
    assert grid[0] < 0.099 < grid[-1]
    assert price_grid(cost[:, 1:]) == ()
    assert price_grid(np.ones((3, 2))) == ()


@pytest.mark.parametrize("text", ["parity", "best", "tradeoff=0.2", "quality=0.8", "tolerance=0.25"])
def test_wishes_read_back_as_written(text):
    assert parse_asked(text).text() == text


@pytest.mark.parametrize(
    "text", ["", "worst", "parity=1", "best=2", "tradeoff", "tradeoff=0", "tradeoff=x", "quality=1.5", "quality=nan"]
)
def test_wishes_that_cannot_be_are_refused(text):
    with pytest.raises(ValueError, match="policy"):
        parse_asked(text)


def test_a_budget_is_for_a_batch():
    with pytest.raises(ValueError, match="one batch"):
        parse_asked("budget=1")


def test_parity_where_two_costs_are_known_else_best():
    assert default_asked(np.array([[1.0, 2.0, np.nan]])) == Asked(name="parity")
    assert default_asked(np.array([[1.0, np.nan]])) == Asked(name="best")
    assert default_asked(np.zeros((0, 3))) == Asked(name="best")


def test_parity_tries_prices_and_best_and_other_wishes_only_themselves():
    assert [one.text() for one in tried(Asked(name="parity"), (0.1, 1.0))] == ["tradeoff=0.1", "tradeoff=1", "best"]
    assert tried(Asked(name="quality", figure=0.8), (0.1,)) == (Asked(name="quality", figure=0.8),)


def test_what_does_not_match_is_refused():
    with pytest.raises(ValueError, match="match"):
        cheapest_at_parity(np.ones((1, 2)), np.ones(2), np.ones(2), margin=0.0)
    with pytest.raises(ValueError, match="differ in shape"):
        cheapest_at_parity(np.ones((1, 3)), np.ones(1), np.ones(2), margin=0.0)
    with pytest.raises(ValueError, match="nan"):
        cheapest_at_parity(np.full((1, 2), np.nan), np.ones(1), np.ones(2), margin=0.0)
    with pytest.raises(ValueError, match="margin"):
        cheapest_at_parity(np.ones((1, 2)), np.ones(1), np.ones(2), margin=-1.0)
    with pytest.raises(ValueError, match="share_of_gap"):
        ParityConfig(share_of_gap=2.0)
