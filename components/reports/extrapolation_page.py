"""The extrapolation study as a page, as Markdown and as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.extrapolation.summary import LEVEL
from components.reports.extrapolation_figures import error_against_shift
from components.reports.next_steps import after_study
from components.reports.shell import render, write_pages

PAGE, TABLE, DATA = "extrapolation.html", "extrapolation.md", "extrapolation.json"
_NOT = "doesn't hold"
_HEAD = ("problem", "paper says", "we measured", "verdict", "seeds")


def write_study(report: Mapping[str, Any], folder: Path) -> Path:
    """Writes the page, with the same in Markdown and JSON beside it, into a folder (made if missing); the page's path.

    Args:
        report: as `components.extrapolation.report.study_report` makes it.
        folder: where to.
    """
    pages = {DATA: json.dumps(report, indent=1, allow_nan=False), TABLE: markdown(report), PAGE: page(report)}
    return write_pages(folder, pages) / PAGE


def page(report: Mapping[str, Any]) -> str:
    """The whole document, self-contained and without scripts."""
    counts = dict.fromkeys(("holds", "holds only because", _NOT), 0)
    for finding in report["findings"]:
        counts[finding["verdict"]] += 1
    problems = [
        {"slug": f"problem-{number}", **_problem(problem)} for number, problem in enumerate(report["problems"], 1)
    ]
    findings = zip(report["findings"], verdict_rows(report["findings"]), strict=True)
    return render(
        "extrapolation.html",
        sentence=f"{counts['holds']} of {sum(counts.values())} claims of the paper hold here, "
        f"{counts['holds only because']} for another reason than the one given, {counts[_NOT]} not at all.",
        counts=[(str(count), verdict) for verdict, count in counts.items()],
        steps=after_study(),
        head=_HEAD,
        findings=[({**finding, "why": finding["because"] + _caution(finding)}, row) for finding, row in findings],
        note=_note(report["findings"]),
        problems=problems,
        chapters=[("verdicts", "Verdicts"), *((one["slug"], one["title"]) for one in problems)],
    )


def markdown(report: Mapping[str, Any]) -> str:
    """The verdict table, then each problem's errors."""
    lines = ["# Implicit models: the extrapolation study", "", _note(report["findings"]), ""]
    lines += [f"| {' | '.join(_HEAD)} |", f"|{'---|' * len(_HEAD)}"]
    lines += [f"| {' | '.join(_cell(text) for text in row)} |" for row in verdict_rows(report["findings"])]
    for problem in report["problems"]:
        for family, shown in problem["families"].items():
            lines += ["", f"## {problem['name']}: {problem['metric']} against {family}", "", _origin(problem), ""]
            head = ["model", *(_at(at, inside) for at, inside in zip(shown["at"], shown["inside"], strict=True))]
            lines += [f"| {' | '.join(head)} |", f"|---|{'---:|' * len(shown['at'])}"]
            lines += [
                f"| {name} | {' | '.join(_interval(values) for values in intervals)} |"
                for name, intervals in shown["methods"].items()
            ]
    return "\n".join(lines) + "\n"


def verdict_rows(findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Problem, claim, measurement, verdict and seeds of each finding, as text."""
    return [
        (
            finding["problem"],
            finding["claim"],
            finding["measured"],
            f"{finding['verdict']} {finding['because']}".strip() + _caution(finding),
            str(finding["seeds"]),
        )
        for finding in findings
    ]


def _note(findings: Sequence[Mapping[str, Any]]) -> str:
    least = min((finding["coverage"] for finding in findings), default=0.0)
    return (
        "Figures are medians over seeds [interval between order statistics]; such an interval covers the median with a "
        f"probability of {least:.1%} or more. Ratios of errors are geometric means over the shifted tests, seed by "
        "seed: below 1 the first model is better, and a difference counts if the whole interval is on one side of 1."
    )


def _caution(finding: Mapping[str, Any]) -> str:
    return "" if finding["coverage"] >= LEVEL else " (provisional: too few seeds)"


def _problem(problem: Mapping[str, Any]) -> dict[str, Any]:
    families = []
    for family, shown in problem["families"].items():
        families.append(
            {
                "title": f"{problem['metric']} against {family}",
                "words": f"Median {problem['metric']} of every model against {family}, with its interval as a band",
                "figure": error_against_shift(shown, family, problem["metric"]),
                "head": ["model", *(_at(at, inside) for at, inside in zip(shown["at"], shown["inside"], strict=True))],
                "rows": [[name, *map(_interval, intervals)] for name, intervals in shown["methods"].items()],
            }
        )
    return {"title": problem["name"].replace("_", " "), "origin": _origin(problem), "families": families}


def _origin(problem: Mapping[str, Any]) -> str:
    return f"Data: {'; '.join(problem['sources'])}. Seeds: {', '.join(map(str, problem['seeds']))}."


def _at(at: float, inside: bool) -> str:
    return f"{at:g} (trained)" if inside else f"{at:g}"


def _interval(values: Sequence[float | None]) -> str:
    median, low, high = ("inf" if value is None else f"{value:.3g}" for value in values)
    return f"{median} [{low}, {high}]"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
