"""The first sentence: what is gained, what is saved, who moves, and what it rests on."""

from components.reports.summary import judged_on, policy_text, summary

OPERATING = {
    "policy": "tradeoff=0.2",
    "asked": "parity",
    "gain": [0.001, -0.004, 0.006],
    "cost_ratio": [0.42, 0.36, 0.49],
    "cost_usd_per_1000": 0.42,
    "best_single": {"name": "big", "quality": 0.7, "cost_usd_per_1000": 1.0},
    "traffic_moved": 0.71,
    "shares": {"a": 0.4, "b": 0.31, "big": 0.29},
    "prompts": 1204,
    "evidence": "complete",
}


def test_the_sentence_says_what_changes():
    assert summary({"operating": OPERATING}, "promoted") == (
        "Publish. Against always using big: quality +0.1 [-0.4, +0.6] points, cost -58 % [-64, -51]: about $1,160 a "
        "month saved at 2 M requests; 71 % of traffic moves, to a 40 %, b 31 %; judged on 1,204 prompts, complete "
        "outcomes."
    )


def test_what_is_not_known_is_said():
    unknown = OPERATING | {"cost_ratio": None, "shares": {"big": 1.0}, "traffic_moved": 0.0}
    assert summary({"operating": unknown}, "refused").startswith(
        "Don't publish. Against always using big: quality +0.1 [-0.4, +0.6] points, cost unknown; 0 % of traffic moves;"
    )


def test_what_fell_out_is_in_the_headline():
    thin = OPERATING | {
        "evidence": "mixed",
        "effective_sample_size": 812.4,
        "fell_out": 1239,
        "benchmarks": [2, 7],
    }
    assert judged_on(thin) == (
        "judged on 1,204 prompts, outcomes with gaps worth 812 complete ones; 1,239 fell out for want of outcomes "
        "(2 of 7 benchmarks are judged)"
    )


def test_why_learning_prompts_do_not_count_is_in_the_headline():
    assert judged_on(OPERATING | {"flattered_in": ["quality", "cost"]}) == (
        "judged on 1,204 prompts, complete outcomes; test prompts alone count, since learning prompts flattered the "
        "router in quality and cost"
    )


def test_logs_with_gaps_say_how_much_their_propensities_matter():
    told = OPERATING | {
        "evidence": "one_answer",
        "effective_sample_size": 90.0,
        "sensitivity": {"gamma": 1.5, "quality": [0.612, 0.66]},
    }
    assert judged_on(told) == (
        "judged on 1,204 prompts, one answer a prompt worth 90 complete ones (quality between 61.2 and 66.0 points if "
        "the odds of the log's choices are wrong by a factor of 1.5)"
    )
    unknown = told | {"sensitivity": {"gamma": 1.5, "quality": [None, None]}}
    assert judged_on(unknown) == "judged on 1,204 prompts, one answer a prompt worth 90 complete ones"


def test_the_policy_and_what_was_asked():
    assert policy_text(OPERATING) == "tradeoff=0.2 (parity)"
    assert policy_text({"policy": "best", "asked": "best"}) == "best"
