"""The gate: each condition is met and missed for its own reason; which verdicts are open still."""

import numpy as np
import pytest

from components.evaluation.bootstrap import Interval
from components.evaluation.gate import Played, judge
from components.evaluation.gate_config import GateConfig
from components.evaluation.paired import difference

PROMPTS = 4000
GOOD = np.tile([1.0, 1.0, 1.0, 0.0], PROMPTS // 4)
FULL = np.ones(PROMPTS)


def worse(share, quality=GOOD):
    """The same outcomes with a share of the right answers spoilt, spread evenly."""
    spoilt = quality.copy()
    right = np.flatnonzero(quality == 1)
    spoilt[right[:: max(1, round(right.size / (share * quality.size)))]] = 0
    return spoilt


def swapped(share, quality=GOOD):
    """Equally many answers gained and lost."""
    changed = quality.copy()
    lost, won = np.flatnonzero(quality == 1), np.flatnonzero(quality == 0)
    count = round(share * quality.size / 2)
    changed[lost[:count]], changed[won[:count]] = 0, 1
    return changed


CASE = {
    "challenger": Played(name="the router", quality_N=GOOD, cost_usd_N=0.5 * FULL),
    "best_single": Played(name="always using big", quality_N=worse(0.05), cost_usd_N=FULL),
    "calibration_error": 0.05,
    "self_check": True,
}


def played(quality, cost=None, name="the champion"):
    return Played(name=name, quality_N=quality, cost_usd_N=cost)


def verdict(**changes):
    found = judge(**{**CASE, **changes})
    assert (found.verdict == "promoted") == all(criterion.passed for criterion in found.criteria)
    return found


def failed(**changes):
    return [criterion.name for criterion in verdict(**changes).criteria if not criterion.passed]


def held_out(mean):
    return Interval(mean=mean, low=mean - 0.02, high=mean + 0.02)


def test_a_cheaper_and_better_router_is_promoted():
    assert (
        failed(
            champion=played(GOOD, FULL),
            anchor=played(GOOD, FULL, "the first champion"),
            controls={"noise": difference(GOOD, worse(0.05))},
            leave_one_out={"a": held_out(0.0)},
            latency_ms=5,
        )
        == []
    )


def test_half_the_cost_at_equal_quality_is_promoted():
    same = verdict(best_single=played(swapped(0.04), FULL, "always using big"))
    assert same.verdict == "promoted"
    words = {criterion.name: criterion.words for criterion in same.criteria}
    assert words["cheaper or better than the best single candidate"].startswith(
        "Costs 50 % [50, 50] less than always using big"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"best_single": played(GOOD, 0.5 * FULL, "big")}, "cheaper or better than the best single candidate"),
        ({"challenger": played(worse(0.1), 0.5 * FULL)}, "no worse than the best single candidate"),
        ({"challenger": played(GOOD, 2.5 * FULL)}, "cost against the best single candidate"),
        ({"champion": played(GOOD, 0.4 * FULL)}, "cost against the champion"),
        ({"challenger": played(worse(0.02), 0.5 * FULL), "champion": played(GOOD)}, "no worse than the champion"),
        ({"calibration_error": 0.2}, "expected calibration error"),
        ({"controls": {"noise": difference(worse(0.02), GOOD)}}, "control not better: noise"),
        ({"leave_one_out": {"a": held_out(-0.2), "b": held_out(0.0)}}, "benchmarks left out of training"),
        ({"latency_ms": 300.0}, "milliseconds of processor time per prompt"),
        ({"self_check": False}, "bundle self-check"),
    ],
)
def test_each_condition_refuses_alone(changes, reason):
    found = verdict(**changes)
    assert [criterion.name for criterion in found.criteria if not criterion.passed] == [reason]
    assert found.verdict == "refused"
    assert all(criterion.advice for criterion in found.criteria if not criterion.passed)


def test_a_tie_with_a_control_is_no_defeat():
    tie = {"noise": difference(GOOD, GOOD), "other": difference(GOOD, swapped(0.05))}
    assert failed(controls=tie) == []


def test_what_costs_nothing_is_only_left_for_better_quality():
    free = played(GOOD, 0 * FULL, "always using own")
    equal = verdict(best_single=free, challenger=played(swapped(0.04), 0.5 * FULL))
    assert equal.verdict == "refused"
    words = {criterion.name: criterion.words for criterion in equal.criteria}
    said = "It costs 500 USD per 1,000 prompts where always using own costs nothing"
    assert words["cost against the best single candidate"].startswith(said)
    assert "costs 500 USD per 1,000" in words["cheaper or better than the best single candidate"]
    better = played(worse(0.05), 0 * FULL, "always using own")
    assert failed(best_single=better) == []
    champion = played(GOOD, 0 * FULL)
    assert failed(champion=champion) == ["cost against the champion"]
    assert failed(champion=played(worse(0.05), 0 * FULL)) == []
    assert failed(champion=champion, challenger=played(GOOD, 0 * FULL)) == []


def test_a_few_unknown_costs_hide_no_others():
    paid = 50 * FULL
    paid[:5] = np.nan
    assert failed(challenger=played(GOOD, paid)) == ["cost against the best single candidate"]
    paid[: PROMPTS // 10] = np.nan
    names = {criterion.name for criterion in verdict(challenger=played(GOOD, paid)).criteria}
    assert "cost against the best single candidate" not in names


def test_prompts_of_few_conversations_are_not_enough():
    def grouped(count):
        group = np.arange(PROMPTS) % count
        return Played(name="the router", quality_N=GOOD, cost_usd_N=0.5 * FULL, group_N=group)

    found = verdict(challenger=grouped(1))
    assert found.verdict == "not enough evidence"
    assert found.criteria[0].words == "The 4,000 prompts are of 1 conversations or near-duplicates; at least 20"
    assert found.criteria[0].needed == 20
    assert verdict(challenger=grouped(400)).verdict == "promoted"


def test_better_quality_may_cost_more_but_not_without_end():
    assert failed(challenger=played(GOOD, 1.5 * FULL)) == []
    assert failed(challenger=played(GOOD, 10 * FULL)) == ["cost against the best single candidate"]


def test_a_better_router_may_cost_more_than_the_champion():
    assert failed(challenger=played(GOOD, 0.8 * FULL), champion=played(worse(0.05), 0.5 * FULL)) == []
    assert failed(challenger=played(GOOD, 0.8 * FULL), champion=played(swapped(0.02), 0.5 * FULL)) == [
        "cost against the champion"
    ]


@pytest.mark.parametrize(
    "unknown", [None, np.full(PROMPTS, np.nan), np.where(np.arange(PROMPTS) % 10 == 7, np.nan, 0.5)]
)
def test_without_costs_only_better_quality_counts(unknown):
    assert failed(challenger=played(GOOD, unknown)) == []
    assert failed(challenger=played(swapped(0.02), unknown), best_single=played(GOOD, FULL, "big")) == [
        "cheaper or better than the best single candidate"
    ]


def test_six_prompts_are_not_enough():
    few = verdict(challenger=played(np.ones(6), 0.5 * np.ones(6)), best_single=played(np.zeros(6), np.ones(6), "big"))
    assert few.verdict == "not enough evidence"
    assert "94 more prompts" in few.criteria[0].advice


def test_a_small_part_of_the_test_prompts_is_not_enough():
    assert verdict(wanted_prompts=PROMPTS * 6).verdict == "not enough evidence"
    assert verdict(wanted_prompts=PROMPTS * 5).verdict == "promoted"


def test_pseudo_outcomes_count_by_their_effective_number():
    thin = verdict(effective_prompts=60.0)
    assert thin.verdict == "not enough evidence"
    assert "worth 60 complete ones" in thin.criteria[0].words


def test_an_open_question_asks_for_so_many_prompts():
    # a tenth of 1,200 outcomes differ, half of them each way
    single = np.ones(1200)
    single[600:] = 0
    router = single.copy()
    router[:60], router[600:660] = 0, 1
    found = verdict(challenger=played(router, 0.5 * np.ones(1200)), best_single=played(single, np.ones(1200), "big"))
    (criterion,) = [one for one in found.criteria if not one.passed]
    assert found.verdict == "not enough evidence"
    # 1.645 standard errors of sqrt(.1 / n) make a margin of .01 at n = 2,706
    assert criterion.needed == pytest.approx(2706, rel=0.03)
    assert "about 1,500 more prompts" in criterion.advice
    # a tenth of the prompts: more than four times as many would be needed
    few = verdict(
        challenger=played(router[::10], 0.5 * np.ones(120)), best_single=played(single[::10], np.ones(120), "big")
    )
    assert few.verdict == "refused"


def test_repeating_the_best_single_candidate_is_refused():
    same = played(GOOD, FULL, "always using big")
    found = verdict(challenger=same, best_single=same)
    assert found.verdict == "refused"
    assert "nothing is gained" in next(one for one in found.criteria if not one.passed).advice


def test_a_champion_is_judged_where_it_can_be():
    unknown = np.where(np.arange(PROMPTS) < 200, worse(0.1), np.nan)
    assert failed(champion=played(unknown)) == []
    # what it got on prompts that it can't be judged on says nothing
    assert failed(champion=played(np.where(np.arange(PROMPTS) < 50, GOOD, np.nan))) == ["no worse than the champion"]


def test_the_anchor_is_looked_at_last_and_each_look_is_stricter():
    anchor = played(swapped(0.06), FULL, "the first champion")
    looks = [verdict(anchor=anchor, looks=look) for look in range(6)]
    assert [one.anchor_looks for one in looks] == [1] * 6
    lows = [one.criteria[-1].interval[0] for one in looks]
    assert lows == sorted(lows, reverse=True)
    assert looks[0].verdict == "promoted"
    assert looks[-1].verdict != "promoted"
    # a challenger that fails otherwise spends nothing
    assert verdict(anchor=anchor, self_check=False).anchor_looks == 0


def test_a_margin_may_be_widened():
    config = GateConfig(parity_margin=0.2)
    assert failed(challenger=played(worse(0.1), 0.5 * FULL), config=config) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"parity_margin": -0.1},
        {"least_savings": 1.0},
        {"greatest_cost_ratio": 0.5},
        {"weekly_error": 0.0},
        {"yearly_error": 1.0},
        {"least_prompts": 0},
        {"latency_ms": 0.0},
        {"leave_one_out_floor": -2.0},
    ],
)
def test_thresholds_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).partition("_")[0]):
        GateConfig(**wrong)


def test_the_report_holds_words_interval_and_advice():
    found = verdict(self_check=False).as_dict()
    assert found["verdict"] == "refused"
    assert set(found["criteria"][0]) == {
        *("name", "words", "figure", "interval", "threshold", "passed", "advice", "needed")
    }


def test_a_gain_that_rests_on_two_answers_is_no_evidence():
    # half of the prompts go elsewhere, where one in a hundred was asked: two answers, both right
    stand_in = np.full(400, 0.7)
    lucky = stand_in.copy()
    lucky[:2] += 0.3 * 100
    variance = np.where(np.arange(400) < 200, 0.21 * 99, 0.0)
    moved = np.where(np.arange(400) < 200, lucky + 0.01, stand_in)
    thin = Played(name="the router", quality_N=moved, variance_N=variance)
    single = Played(name="always using big", quality_N=stand_in, variance_N=np.zeros(400))
    found = thin.above(single)
    assert found.mean == pytest.approx(0.155)
    assert found.error == pytest.approx((200 * 0.21 * 99) ** 0.5 / 400)
    # prompts that stay where they were add nothing
    assert single.above(single).error == 0.0
    assert thin.take(np.arange(400) >= 200).above(single.take(np.arange(400) >= 200)).error == 0.0
