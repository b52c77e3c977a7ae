"""Draws and sessions keep what the policy promised, and what is logged of draws is how often they happen."""

from types import SimpleNamespace

import numpy as np
import pytest

from pointsman.bundle.evidence import no_evidence
from pointsman.policy.exploration import ExplorationConfig
from pointsman.policy.policy import Best, Budget, QualityBar, Tradeoff, form
from pointsman.policy.ranking import rank
from pointsman.routing import Routing
from pointsman.serving.exploring import Explorer
from pointsman.serving.jobs import Job

NAMES = ("a", "b", "c", "d")
ROUTER = SimpleNamespace(evidence=no_evidence(1, 4), best_single=3)
QUALITY = [0.55, 0.6, 0.45, 0.9]
COST = [1.0, 2.0, 1.0, 30.0]


def routed(policy, choice, rows=1, eligible=(True, True, True, True)):
    """The routing of prompts that are alike."""
    quality_NM, cost_NM, choice_N = np.tile(QUALITY, (rows, 1)), np.tile(COST, (rows, 1)), np.full(rows, choice)
    eligible_NM = np.tile(eligible, (rows, 1))
    return Routing(
        candidates=NAMES,
        tasks=(),
        choice_N=choice_N,
        task_N=np.zeros(rows, np.int32),
        quality_NM=quality_NM,
        cost_usd_NM=cost_NM,
        reason_N=np.full(rows, "task"),
        margin_N=np.zeros(rows),
        novel_N=np.zeros(rows, np.bool_),
        policy=form(policy),
        ranked_NM=rank(policy, choice_N, quality_NM, cost_NM, eligible_NM),
        removed={},
        eligible_NM=eligible_NM,
    )


@pytest.mark.parametrize(
    ("policy", "choice", "share"),
    [
        (Budget(usd=1.5), 0, [1, 0, 0, 0]),
        # c doesn't clear the bar
        (QualityBar(quality=0.5), 0, [0.8, 0.1, 0, 0.1]),
        # nobody does
        (QualityBar(quality=0.95), 3, [0.075, 0.075, 0.075, 0.775]),
        (Best(), 3, [0.075, 0.075, 0.075, 0.775]),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_frequencies_are_the_logged_propensities_within_what_was_promised(policy, choice, share, together):
    explorer = Explorer(ExplorationConfig(rate=0.3, quality_gap=1, cost_ratio=100), None)
    rows = 4000
    ids = [f"d{row}" for row in range(rows)]
    if together:
        found, _ = explorer.explored(ROUTER, Job(prompts=ids, decision_ids=ids), routed(policy, choice, rows), policy)
        choices, told_NM, own = found.choice_N, found.propensity_NM(4), found.propensity_N
    else:
        jobs = (Job(prompts=[one], decision_ids=[one]) for one in ids)
        alone = [explorer.explored(ROUTER, job, routed(policy, choice), policy)[0] for job in jobs]
        choices = np.concatenate([one.choice_N for one in alone])
        told_NM, own = alone[0].propensity_NM(4), np.concatenate([one.propensity_N for one in alone])
    expected = np.array(share)
    np.testing.assert_allclose(told_NM[0], expected)
    np.testing.assert_allclose(own, expected[choices])
    # four standard errors
    np.testing.assert_allclose(np.bincount(choices, minlength=4) / rows, expected, atol=4 * np.sqrt(0.25 / rows))


def kept(policy, choice, first, *, tenant=None, in_tool_loop=False, eligible=(True, True, True, True), sticky=0.1):
    """Who answers a session that `first` answered before."""
    explorer = Explorer(ExplorationConfig(), sticky)
    before = Job(prompts=["x"], decision_ids=["x"], session="1", tenant="acme")
    explorer.remember(before, routed(Best(), NAMES.index(first)))
    job = Job(prompts=["y"], decision_ids=["y"], session="1", tenant=tenant or "acme", in_tool_loop=in_tool_loop)
    found, _ = explorer.explored(ROUTER, job, routed(policy, choice, eligible=eligible), policy)
    return NAMES[int(found.choice_N[0])]


@pytest.mark.parametrize("in_tool_loop", [False, True])
def test_a_session_breaks_neither_a_budget_nor_a_bar(in_tool_loop):
    assert kept(Budget(usd=1.5), 0, "d", in_tool_loop=in_tool_loop) == "a"
    assert kept(Budget(usd=30), 0, "d", in_tool_loop=in_tool_loop) == "d"
    assert kept(QualityBar(quality=0.5), 0, "c", in_tool_loop=in_tool_loop) == "a"
    assert kept(QualityBar(quality=0.4), 0, "c", in_tool_loop=in_tool_loop, sticky=0.2) == "c"


def test_a_session_is_worth_what_the_policy_says():
    # 0.9 - 30 / 40 is less than 0.55 - 1 / 40 by 0.375
    policy = Tradeoff(willingness_to_pay=40)
    assert kept(policy, 0, "d") == "a"
    assert kept(policy, 0, "d", sticky=0.4) == "d"
    assert kept(policy, 0, "d", in_tool_loop=True) == "d"


def test_a_session_is_its_tenants():
    assert kept(Best(), 3, "b", sticky=1.0) == "b"
    assert kept(Best(), 3, "b", sticky=1.0, tenant="globex") == "d"
