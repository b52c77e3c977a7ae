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


def test_the_verdict_is_how_it_ended(monkeypatch):
    monkeypatch.setattr(markdown, "summary", lambda report, verdict: f"It {verdict}.")
    ended = {"operating": {}, "ending": {"verdict": "awaits approval", "reasons": []}}
    assert describe(REPORT | ended).splitlines()[0] == "Verdict: awaits approval. It awaits approval."


def test_a_report_of_an_earlier_version_has_its_verdict_first():
    assert describe(REPORT).splitlines()[0] == "Verdict: refused."


def test_conditions_are_told_in_words_where_there_are_some():
    criterion = {
        "name": "cost",
        "figure": 0.5,
        "threshold": 0.05,
        "passed": True,
        "words": "Costs 50 % less | [40, 60]",
    }
    told = describe(REPORT | {"gate": {"verdict": "promoted", "criteria": [criterion]}})
    assert r"- passed: cost: Costs 50 % less \| [40, 60]" in told
    assert "- **failed**: a \\| b: – (threshold 0.1000)" in describe(REPORT)
