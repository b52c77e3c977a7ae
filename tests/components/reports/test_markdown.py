"""A version's description: what lists show of it comes first."""

from components.reports import markdown
from components.reports.markdown import describe

REPORT = {
    "gate": {"verdict": "refused", "criteria": [{"name": "a | b", "figure": None, "threshold": 0.1, "passed": False}]},
    "methods": {"router": {"quality": [0.5, 0.4, 0.6], "regret": 0.1}},
}


def test_the_first_line_is_the_verdict_with_what_it_saves(monkeypatch):
    monkeypatch.setattr(markdown, "summary", lambda report, verdict: f"Don't publish. Cost -58 %, {verdict}.")
    first, *rest = describe(REPORT | {"operating": {}}).splitlines()
    assert first == "Verdict: refused. Don't publish. Cost -58 %, refused."
    assert any(r"a \| b" in line for line in rest)


def test_a_report_of_an_earlier_version_has_its_verdict_first():
    assert describe(REPORT).splitlines()[0] == "Verdict: refused."
