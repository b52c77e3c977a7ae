"""The first screen answers publish, save, change; a chooser works without scripts; coverage shows what is missing."""

import pytest

from components.reports.first_screen import coverage_table, first_screen, policy_chooser, verdict_table
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
    "shares": {"a": 0.4, "b": 0.31, EVIL: 0.29},
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


@pytest.fixture
def report():
    gate = {"verdict": "refused", "criteria": [{**CRITERION, "name": "kept", "passed": True}, CRITERION]}
    return {"operating": OPERATING, "gate": gate, "judged_against": AGAINST}


def test_it_answers_publish_save_and_change(report):
    shown = first_screen(report)
    assert "Don&#x27;t publish. Against always using" in shown
    assert "-58 % [-64, -51]" in shown
    assert "71 %" in shown
    assert "tradeoff=0.2 (parity)" in shown
    assert "on 900 prompts; 300 were left out" in shown
    assert "another data folder?" in shown
    assert EVIL not in shown
    assert first_screen({"gate": report["gate"]}) == ""


def test_failed_conditions_come_first_with_advice(report):
    shown = verdict_table(report["gate"])
    assert shown.index("Ask for a higher quality") < shown.index("kept")
    assert "Quality against always using x" in shown


def test_the_chooser_starts_at_the_operating_policy_and_goes_by_cost():
    shown = policy_chooser(CURVE, EVIL)
    assert "script" not in shown.replace("&lt;script&gt;", "").replace("&lt;/script&gt;", "")
    assert shown.count("type='radio'") == 3
    assert shown.count(" checked ") == 1
    assert shown.index("id='w1' checked") > 0
    assert "$100 a million requests" in shown.split("id='p0'")[1].split("</div>")[0]
    assert policy_chooser(CURVE[:1], "x") == ""


def test_coverage_is_shown_where_outcomes_are_missing():
    rows = [
        {"benchmark": "maths", "prompts": 5, "outcomes": [5, 0]},
        {"benchmark": "", "prompts": 2, "outcomes": [2, 2]},
    ]
    shown = coverage_table({"candidates": ["a", EVIL], "rows": rows})
    assert "none" in shown
    assert "(no label)" in shown
    assert EVIL not in shown
    assert coverage_table({"candidates": ["a"], "rows": [{"benchmark": "", "prompts": 2, "outcomes": [2]}]}) == ""
    assert coverage_table({}) == ""


def test_the_page_opens_with_it(report):
    score = {"quality": [0.5, 0.4, 0.6], "regret": 0.1, "cost_usd_per_1000": None, "per_benchmark": {}}
    methods = {"router": score, "control_random_features": score}
    shown = page({**report, "methods": methods, "whatif": CURVE, "validation": [{"table": "t", "failed": 0}]})
    assert shown.index("class='first'") < shown.index("Verdict")
    assert "Ablations and controls" in shown
    assert "All 1 rules are kept" in shown
    assert "What these words mean" in shown
    assert "aria-label='Quality and cost of each policy" in shown
