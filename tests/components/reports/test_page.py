"""The page: complete, self-contained, and safe against what prompts and names may hold."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from components.reports import figures
from components.reports.console import method_order, method_table
from components.reports.markdown import describe
from components.reports.page import CARDS, page, write_page

EVIL = "<script>alert('x')</script> $\\frac$ & \"q\""


def score(quality, cost=1.0):
    return {
        "quality": [quality, quality - 0.02, quality + 0.02],
        "cost_usd_per_1000": None if cost is None else [cost, cost * 0.9, cost * 1.1],
        "regret": 0.9 - quality,
        "aiq": None,
        "gain": [quality - 0.6, quality - 0.62, quality - 0.58],
        "per_benchmark": {EVIL: {"quality": quality, "regret": 0.9 - quality, "count": 5.0}},
    }


@pytest.fixture
def report():
    return {
        "methods": {
            "oracle": score(0.9, 3),
            "router": score(0.7, 2),
            "best_single": score(0.6),
            EVIL: score(0.5, None),
        },
        "discovery": {
            **{"method": "graph", "tasks": 1, "unassigned_share": 0.1, "reason": EVIL, "naming": EVIL},
            "identity": {
                **{"previous": EVIL, "kept": 1, "mean_overlap": 0.5, "born": [EVIL], "died": [EVIL]},
                **{"split": {EVIL: [EVIL]}, "merged": {EVIL: [EVIL]}},
            },
        },
        "gate": {
            "verdict": "refused",
            "criteria": [{"name": EVIL, "figure": 0.1, "threshold": 0.2, "passed": False}],
        },
        "tasks": [{"id": EVIL, "label": EVIL, "size": 4, "keywords": [EVIL], "best": EVIL, "medoids": [EVIL]}],
        "validation": [{"table": EVIL, "rule": "unique", "column": None, "checked": 3, "failed": 0}],
        "excluded_candidates": [EVIL, "untried"],
        "quarantine": {EVIL: 3},
        "reliability": [{"predicted": 0.2, "observed": 0.3, "count": 10.0}],
        "alpha_curve": [[0.0, 0.6], [1.0, 0.7]],
        "map": {"x": [0.0], "y": [1.0], "label": [EVIL], "text": [EVIL]},
        "router_id": EVIL,
        "rules": [
            {
                **{"table": EVIL, "rule": EVIL, "column": EVIL, "severity": "warning", "passed": False},
                **{"checked": 3, "failed": 1, "first": [EVIL]},
            }
        ],
        "notices": [EVIL],
        "set_aside": [{"table": EVIL, "row": 4, "key": EVIL, "reason": EVIL}],
    }


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)


def test_nothing_from_the_logs_becomes_markup(report):
    tags = Tags()
    tags.feed(page(report))
    assert "script" not in tags.seen
    assert {"svg", "table", "blockquote"} <= tags.seen
    assert "<script" not in describe(report)


def test_the_page_is_one_file_that_loads_nothing(report, tmp_path):
    path = write_page(report, tmp_path / "new")
    text = path.read_text(encoding="utf-8")
    assert path.name == "report.html"
    assert "src=" not in text.replace("img-src", "")
    assert path.stat().st_size < 5_000_000
    for name in ("task_map.html", "validation.html", "quarantine.html"):
        assert "<script>alert" not in (tmp_path / "new" / name).read_text(encoding="utf-8")
        assert f'href="{name}"' in text
    assert not re.search(r"<a href=\"[^#]", page(report))


def test_a_map_needs_no_other_page(report, tmp_path):
    path = write_page({"methods": {"router": score(0.5)}, "map": report["map"]}, tmp_path / "new")
    assert sorted(one.name for one in path.parent.iterdir()) == ["report.html", "task_map.html"]


def test_cards_tell_best_candidate_and_share_and_fold_when_there_are_many():
    task = {
        "label": "sums",
        "size": 9,
        "best": "m",
        "quality": 0.71234,
        "candidates_share": 0.32,
        "medoids": ["p" * 500],
    }
    methods = {"router": score(0.5)}
    text = page({"methods": methods, "tasks": [{**task, "id": f"t{n}"} for n in range(CARDS + 2)]})
    assert "9 prompts · best: m (0.712) · keeps 32% of the candidates" in text
    assert "p" * 240 + "…" in text
    assert "p" * 241 not in text
    assert "<summary>2 smaller tasks</summary>" in text
    assert text.count('class="card"') == CARDS + 2
    assert "smaller tasks" not in page({"methods": methods, "tasks": [task]})


def test_a_report_with_methods_alone_is_enough():
    text = page({"methods": {"router": score(0.5, None)}})
    assert "Verdict" not in text
    assert "0.500 [0.480, 0.520]" in text


def test_figures_are_svg_and_deterministic(report):
    first = figures.frontier(report["methods"])
    assert first == figures.frontier(report["methods"])
    assert ElementTree.fromstring(first).tag.endswith("svg")
    assert figures.frontier({"a": score(0.5, None)}) is None


def test_the_table_is_aligned_and_starts_with_the_router(report):
    assert method_order(report["methods"])[:3] == ["router", "best_single", "oracle"]
    lines = method_table(report).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[2].startswith("router")


def test_benchmarks_left_out_are_listed(report):
    gain = {"mean": -0.01, "low": -0.02, "high": 0.005}
    report["held_out"] = [{"benchmark": EVIL, "prompts": 41, "gain": gain, "fallback_share": 0.96}]
    shown = page(report)
    assert "Benchmarks never trained on" in shown
    assert "<td>41</td><td>-0.010 [-0.020, 0.005]</td><td>96%</td>" in shown
    assert EVIL not in shown
    assert "Benchmarks never trained on" not in page({**report, "held_out": []})


def test_what_nobody_has_leaves_neither_column_nor_hole(report):
    assert "USD per 1000</th>" in page(report)
    report["methods"] = {name: {**one, "cost_usd_per_1000": None} for name, one in report["methods"].items()}
    shown = page(report)
    assert "USD per 1000</th>" not in shown
    for text in (method_table(report), describe(report)):
        assert "USD per 1000" not in text
    assert "Quality of every method" in shown
    assert "<div></div>" not in shown
