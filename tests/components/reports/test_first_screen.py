"""The first screen answers publish, save, change and what next; coverage shows what is missing."""

import pytest

from components.reports.first_screen import first_screen
from components.reports.page import page

EVIL = "<script>x</script>"
OPERATING = {
    "policy": "tradeoff=0.2",
    "asked": "parity",
    "gain": [0.001, -0.004, 0.006],
    "cost_ratio": [0.42, 0.36, 0.49],
    "cost_usd_per_1000": 0.42,
    "best_single": {"name": EVIL, "quality": 0.7, "cost_usd_per_1000": 1.0},
    "traffic_moved": 0.71,
    "shares": {"b": 0.31, EVIL: 0.29, "a": 0.4},
    "prompts": 1204,
    "evidence": "complete",
    "grader": None,
}
CRITERION = {
    "name": "no worse than the best single candidate",
    "words": "Quality against always using x: -2.0 [-3.0, -1.0] points",
    "figure": -0.02,
    "interval": [-0.03, -0.01],
    "threshold": -0.01,
    "passed": False,
    "advice": "Ask for a higher quality.",
}
AGAINST = {"champion": {"router_id": "ab" * 32, "prompts": 900, "left_out": 300, "training_prompts_in_these_logs": 0.1}}
POINT = {"quality": [0.7, 0.6, 0.8], "gain": [0.0, -0.1, 0.1], "cost_ratio": [0.5, 0.4, 0.6], "shares": {EVIL: 1.0}}
CURVE = [
    {**POINT, "policy": "tradeoff=0.2", "cost_usd_per_1000": 0.5},
    {**POINT, "policy": "best", "cost_usd_per_1000": 2.0},
    {**POINT, "policy": "tradeoff=0.01", "cost_usd_per_1000": 0.1},
]


SCORE = {"quality": [0.5, 0.4, 0.6], "regret": 0.1, "cost_usd_per_1000": None, "per_benchmark": {}}
METHODS = {"router": SCORE, "control_random_features": SCORE}


@pytest.fixture
def report():
    gate = {"verdict": "refused", "criteria": [{**CRITERION, "name": "kept", "passed": True}, CRITERION]}
    return {"operating": OPERATING, "gate": gate, "judged_against": AGAINST, "methods": METHODS}


def test_it_answers_publish_save_and_change(report):
    shown = first_screen(report)
    assert shown["sentence"].startswith("Don't publish. Against always using")
    assert [value for value, _ in shown["numbers"]] == [
        *("+0.1 [-0.4, +0.6]", "-58 % [-64, -51]", "71 %", "tradeoff=0.2 (parity)"),
    ]
    assert "to a 40 %, b 31 %" in shown["sentence"]
    assert [name for name, _ in shown["traffic"]] == ["a", "b", EVIL]
    assert "on 900 prompts; 300 were left out" in shown["judged"]
    assert "another data folder?" in shown["judged"]
    assert first_screen({"gate": report["gate"]})["operating"] is None


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("promoted", ("pointsman serve", "pointsman rollback")),
        ("refused", ("Ask for a higher quality.", "pointsman history")),
        ("not enough evidence", ("Ask for a higher quality.", "pointsman collect --data DIR")),
    ],
)
def test_it_ends_with_what_to_do_next(report, verdict, words):
    report["gate"] = {**report["gate"], "verdict": verdict}
    first = page(report).split("<section", 2)[1]
    last = first[first.index("What to do next") :]
    assert all(word in last for word in words)


def ended(report, verdict, *reasons):
    """A report of a router that passed the gate, and how that ended."""
    passed = {"verdict": "promoted", "criteria": [{**CRITERION, "passed": True}]}
    return {**report, "gate": passed, "ending": {"verdict": verdict, "reasons": list(reasons)}}


@pytest.mark.parametrize(
    ("verdict", "sentence", "words"),
    [
        ("promoted", "Publish.", ("It was published.", "pointsman history", "pointsman serve", "pointsman rollback")),
        ("to canary", "Try it on a share of the traffic.", ("--shadow data/canary", "pointsman promote --canary")),
        ("awaits approval", "Publish, once somebody approves.", ("pointsman promote --reason", "pointsman history")),
        ("refused", "Don't publish.", ("its verdict is void", "pointsman history")),
    ],
)
def test_it_says_what_became_of_what_passed_the_gate(report, verdict, sentence, words):
    shown = page(ended(report, verdict, "its verdict is void"))
    first = shown.split("<section", 2)[1]
    assert sentence in first.replace("&#39;", "'")
    last = first[first.index("What to do next") :]
    assert all(word in last for word in words)
    assert f">{verdict}</span></h1>" in shown
    assert ("rollback" in last) == (verdict == "promoted")


def test_what_passed_the_gate_is_not_said_to_be_in_service(report):
    report["gate"] = {**report["gate"], "verdict": "promoted"}
    for shown in (page(report), *(page(ended(report, verdict)) for verdict in ("promoted", "awaits approval"))):
        assert "It is in service" not in shown
        assert "pointsman history" in shown
    assert "The gate passed it" in page(report)


def test_what_the_gate_refused_keeps_its_advice(report):
    kept = page({**report, "ending": {"verdict": "refused", "reasons": ["kept: a long finding"]}})
    assert "a long finding" not in kept
    assert "Ask for a higher quality." in kept


def test_failed_conditions_come_first_with_advice(report):
    shown = page(report)
    table = shown[shown.index("Verdict: each condition") :]
    assert table.index("Ask for a higher quality") < table.index("kept")
    assert "Quality against always using x" in table


def test_coverage_is_shown_where_outcomes_are_missing():
    rows = [
        {"benchmark": "maths", "prompts": 5, "outcomes": [5, 0]},
        {"benchmark": "", "prompts": 2, "outcomes": [2, 2]},
    ]
    shown = page({"methods": METHODS, "coverage": {"candidates": ["a", EVIL], "rows": rows}})
    assert ">none<" in shown
    assert "(no label)" in shown
    assert EVIL not in shown
    whole = {"candidates": ["a"], "rows": [{"benchmark": "", "prompts": 2, "outcomes": [2]}]}
    assert "Outcomes in the logs" not in page({"methods": METHODS, "coverage": whole})


def test_the_page_opens_with_it(report):
    shown = page({**report, "whatif": CURVE, "validation": [{"table": "t", "failed": 0}]})
    assert shown.index('class="first"') < shown.index("Verdict: each condition")
    assert "Ablations and controls" in shown
    assert "1 of 1 rules are kept; no row was set aside." in shown
    assert "What these words mean" in shown
    assert 'aria-label="Quality and cost of each policy' in shown
