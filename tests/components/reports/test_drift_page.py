from html.parser import HTMLParser

import pytest

from components.reports.drift_page import check_rows, drift_markdown, drift_page, unknown_models

EVIL = "<script>alert('x')</script> | pipe"


def _report(**changes):
    check = {"name": "task mix", "figure": 0.2, "low": 0.1, "high": 0.3, "threshold": 0.1}
    report = {
        "verdict": "drift",
        "reasons": [f"novel: {EVIL}"],
        "recent": 300,
        "reference": 400,
        "checks": [
            {**check, "p": 0.0005, "level": 0.001, "alarm": True},
            {**check, "name": "far-away share", "p": 0.5, "level": 0.001, "alarm": False},
        ],
        "groups": [
            {
                "keywords": [EVIL, "poem"],
                "recent": 28,
                "reference": 1,
                "share": 0.09,
                "p": 1e-9,
                "tested": True,
                "far_share": 0.5,
                "routed_as": "translate",
                "examples": [f"write {EVIL}"],
            }
        ],
        "mix": [{"task": "unassigned", "recent": 0.1, "reference": 0.0}, {"task": EVIL, "recent": 0.9, "reference": 1}],
        "quality": {
            "predicted": 0.8,
            "observed": 0.6,
            "gap": [0.2, 0.15, 0.25],
            "prompts": 200,
            "by_candidate": {"small": 0.01, "large": -0.4},
            "candidates": [{"model": EVIL, "gap": [-0.4, -0.5, -0.3], "p": 1e-289, "outcomes": 200}],
        },
    }
    return {**report, **changes}


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def _parse(page):
    parser = _Tags()
    parser.feed(page)
    return parser


def test_untrusted_text_stays_text_and_nothing_is_loaded():
    parsed = _parse(drift_page(_report(), "ab" * 32))
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in parsed.tags}
    assert any(EVIL in text for text in parsed.text)
    assert any("default-src 'none'" in (attributes.get("content") or "") for _, attributes in parsed.tags)


def test_every_part_is_shown():
    text = " ".join(_parse(drift_page(_report(), "ab" * 32)).text)
    for part in (
        "ab" * 32,
        "0.200 [0.100, 0.300]",
        "alarm",
        "quiet",
        "28 recent prompts (9.0%)",
        "gap +0.200",
        "90.0%",
        "-0.400 [-0.500, -0.300]",
        "below 0.000001",
        "pointsman retrain --data DIR",
    ):
        assert part in text


def test_groups_that_only_explain_are_told_apart_from_those_that_alarm():
    group = _report()["groups"][0]
    told = drift_markdown(_report(groups=[group, {**group, "tested": False, "keywords": ["stray"]}]))
    assert told.index("## Novel groups") < told.index("## What is far away or unassigned") < told.index("| stray |")
    assert 'id="strays"' not in drift_page(_report(), "")
    assert 'id="strays"' in drift_page(_report(groups=[{**group, "tested": False}]), "")


def test_tasks_that_moved_most_come_first_and_the_period_is_told():
    mix = [{"task": name, "recent": new, "reference": 0.2} for name, new in (("same", 0.2), ("grown", 0.9))]
    told = drift_markdown(_report(mix=mix))
    assert told.index("| grown | 90.0% | 20.0% | +70.0 points |") < told.index("| same |")
    assert "from 2026-01-01 to 2026-01-08" in drift_page(_report(period=("2026-01-01", "2026-01-08")), "")


def test_turns_that_were_left_out_are_counted():
    words = "300 {}(one of each conversation; 1,200 further turns left out)"
    report = _report(left_out=1200)
    assert words.format("prompts ") in drift_markdown(report)
    assert words.format("recent prompts ") in " ".join(_parse(drift_page(report, "")).text)
    assert "Over 200 conversations with outcomes" in drift_markdown(report)
    assert "conversation" not in drift_markdown(_report()) + drift_page(_report(), "")


def test_outcomes_of_models_that_the_router_does_not_know_are_told_in_one_sentence():
    words = "1,200 outcomes of brand-new and 1 of other were left out, for the router doesn't know these models"
    report = _report(unknown={"brand-new": 1200, "other": 1})
    assert unknown_models(report).startswith(words)
    assert words in drift_markdown(report)
    assert words in " ".join(_parse(drift_page(report, "")).text)
    assert unknown_models(_report(unknown={"a": 1})).startswith("1 outcome of a was left out, for the router doesn't")
    assert unknown_models(_report(unknown={"a": 2})).startswith("2 outcomes of a were left out, for the router doesn't")
    many = {f"model-{row}": 9 - row for row in range(8)}
    assert "model-4 and 9 of 3 more models were left out" in unknown_models(_report(unknown=many))
    evil = drift_page(_report(unknown={EVIL: 2}), "")
    assert "script" not in {tag for tag, _ in _parse(evil).tags}
    assert unknown_models(_report()) == unknown_models(_report(unknown={})) == ""
    assert "left out" not in drift_markdown(_report()) + drift_page(_report(), "")


def test_without_groups_and_outcomes_their_sections_are_left_out():
    quiet = _report(verdict="no drift", reasons=[], groups=[], quality=None)
    headings = " ".join(_parse(drift_page(quiet, "")).text)
    assert "Novel groups" not in headings
    assert "Predicted" not in headings
    assert "## Novel" not in drift_markdown(quiet)
    assert drift_markdown(quiet).startswith("# No drift: 300 prompts against 400")


def test_markdown_rows_keep_their_columns():
    for line in drift_markdown(_report()).splitlines():
        if line.startswith("| "):
            assert line.replace(r"\|", "").count("|") in {4, 5, 6}
            assert "<script" not in line


def test_largest_gaps_come_first():
    line = next(line for line in drift_markdown(_report()).splitlines() if "Largest" in line)
    assert line.index("large -0.400") < line.index("small +0.010")


@pytest.mark.parametrize("row", [0, 1])
def test_dashboard_rows_are_the_checks(row):
    rows = check_rows(_report())
    assert [one["outcome"] for one in rows] == ["alarm", "quiet"]
    assert set(rows[row]) == {"check", "figure [95 %]", "threshold", "p", "outcome"}
