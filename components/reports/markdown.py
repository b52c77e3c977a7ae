"""The evaluation as Markdown, for the description of a model version."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.reports.console import interval_text, method_order, number_text, without_empty
from components.reports.discovery import discovery_notes
from components.reports.next_steps import verdict_of
from components.reports.summary import summary

_HEAD = ("method", "quality [95 %]", "USD per 1000", "regret", "AIQ")


def describe(report: Mapping[str, Any]) -> str:
    """How the verdict ended, discovery and the evaluation table."""
    gate, discovery = report.get("gate"), report.get("discovery")
    lines = []
    if gate:
        # the first line is all that lists show
        verdict = str(verdict_of(report))
        first = f"Verdict: {verdict}."
        lines += [_cell(f"{first} {summary(report, verdict)}" if "operating" in report else first), ""]
        lines += [
            f"- {'passed' if c['passed'] else '**failed**'}: {_cell(c['name'])}: {_cell(_finding(c))}"
            for c in gate["criteria"]
        ]
        lines.append("")
    if discovery:
        lines += [f"{discovery['tasks']} tasks, discovered by {_cell(str(discovery['method']))}.", ""]
        notes = [f"- {_cell(note)}" for note in discovery_notes(discovery)]
        lines += [*notes, ""] if notes else []
    if excluded := report.get("excluded_candidates"):
        lines += [f"Left out, without training outcomes: {', '.join(_cell(name) for name in excluded)}.", ""]
    methods = report["methods"]
    head, *rows = without_empty([_HEAD, *(_row(name, methods[name]) for name in method_order(methods))])
    lines += [_line(head), _line(["---", *["---:"] * (len(head) - 1)]), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _row(name: str, score: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _cell(name),
        interval_text(score["quality"]),
        interval_text(score.get("cost_usd_per_1000")),
        number_text(score["regret"]),
        number_text(score.get("aiq")),
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _finding(criterion: Mapping[str, Any]) -> str:
    """In words, or as figures where there are none."""
    figures = f"{number_text(criterion['figure'], 4)} (threshold {number_text(criterion['threshold'], 4)})"
    return str(criterion.get("words") or figures)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;").replace("\n", " ")
