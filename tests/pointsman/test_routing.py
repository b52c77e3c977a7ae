from dataclasses import asdict

import numpy as np
import pytest

import pointsman
from pointsman.router import Router


@pytest.fixture(scope="module")
def router(bundle):
    return Router.load(bundle, threads=1)


def test_decisions_one_after_another_say_what_the_columns_say(router, prompts):
    routing = router.route(prompts)
    decisions = list(routing)
    assert len(decisions) == len(prompts)
    for name, column in routing.to_columns().items():
        assert [asdict(decision)[name] for decision in decisions] == column
    assert all(isinstance(decision, pointsman.Decision) for decision in decisions)


def test_a_decision_is_found_by_its_place(router, prompts):
    routing = router.route(prompts, among=["large"])
    assert [routing[row] for row in range(len(routing))] == list(routing)
    assert routing[-1] == list(routing)[-1]
    with pytest.raises(IndexError):
        routing[len(routing)]


def test_a_decision_is_right_by_hand(router, prompts):
    routing = router.route(prompts)
    first, scores = routing[0], routing.scores(0)
    assert first.candidate == ("small", "large")[routing.choice_N[0]]
    assert first.ranked[0] == first.candidate
    assert first.predicted_quality == max(score["quality"] for score in scores)
    assert first.expected_cost_usd == pytest.approx(routing.cost_usd_NM[0, routing.choice_N[0]])
    assert first.policy == routing.policy
    assert np.isfinite(first.margin)
