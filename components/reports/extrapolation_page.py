"""The extrapolation study as a page, as Markdown and as JSON."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from components.extrapolation.summary import LEVEL
from components.reports.extrapolation_figures import error_against_shift
from components.reports.style import CSS

PAGE, TABLE, DATA = "extrapolation.html", "extrapolation.md", "extrapolation.json"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = (
    "td,th{vertical-align:top}td.text{white-space:normal;text-align:left;min-width:180px}.holds{background:#12805c}"
)
_STYLE += ".because{background:#a86400}.not{background:#b3261e}.badge{white-space:nowrap}"
_STYLE += "th.text{text-align:left}"
_HEAD = ("problem", "paper says", "we measured", "verdict", "seeds")


def write_study(report: Mapping[str, Any], folder: Path) -> Path:
    """Writes the page, with the same in Markdown and JSON beside it, into a folder (made if missing); the page's path.

    Args:
        report: as `components.extrapolation.report.study_report` makes it.
        folder: where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DATA).write_text(json.dumps(report, indent=1, allow_nan=False), encoding="utf-8")
    (folder / TABLE).write_text(markdown(report), encoding="utf-8")
    (folder / PAGE).write_text(page(report), encoding="utf-8")
    return folder / PAGE


def page(report: Mapping[str, Any]) -> str:
    """The whole document, self-contained and without scripts."""
    sections = "".join(_problem(problem) for problem in report["problems"])
    counts = dict.fromkeys(("holds", "holds only because", "doesn't hold"), 0)
    for finding in report["findings"]:
        counts[finding["verdict"]] += 1
    figures = "".join(
        f"<div class='figure'><b>{count}</b><span>{escape(verdict)}</span></div>" for verdict, count in counts.items()
    )
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width,initial-scale=1'><title>Extrapolation study</title>"
        f"<style>{CSS}{_STYLE}</style></head><body><header><div><h1>Implicit models: the extrapolation study</h1>"
        "<p>After Decugis et al. 2024, arXiv 2407.14430</p></div></header><main>"
        f"<div class='figures'>{figures}</div>"
        f"<section><h2>Verdicts</h2>{_verdicts(report['findings'])}</section>{sections}</main></body></html>"
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


def _verdicts(findings: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for finding, (problem, claim, measured, _, seeds) in zip(findings, verdict_rows(findings), strict=True):
        mark = {"holds": "holds", "holds only because": "because"}.get(finding["verdict"], "not")
        why = escape(finding["because"] + _caution(finding))
        badge = f"<span class='badge {mark}'>{escape(finding['verdict'])}</span> {why}"
        cells = "".join(f"<td class='text'>{escape(text)}</td>" for text in (claim, measured))
        rows.append(f"<tr><td>{escape(problem)}</td>{cells}<td class='text'>{badge}</td><td>{seeds}</td></tr>")
    return _table(_HEAD, rows) + f"<p class='note'>{escape(_note(findings))}</p>"


def _note(findings: Sequence[Mapping[str, Any]]) -> str:
    least = min((finding["coverage"] for finding in findings), default=0.0)
    return (
        "Figures are medians over seeds [interval between order statistics]; such an interval covers the median with a "
        f"probability of {least:.1%} or more. Ratios of errors are geometric means over the shifted tests, seed by "
        "seed: below 1 the first model is better, and a difference counts if the whole interval is on one side of 1."
    )


def _caution(finding: Mapping[str, Any]) -> str:
    return "" if finding["coverage"] >= LEVEL else " (provisional: too few seeds)"


def _problem(problem: Mapping[str, Any]) -> str:
    parts = [f"<p class='note'>{escape(_origin(problem))}</p>"]
    for family, shown in problem["families"].items():
        head = [problem["metric"], *(_at(at, inside) for at, inside in zip(shown["at"], shown["inside"], strict=True))]
        rows = [
            f"<tr class='{'router' if name == 'implicit' else ''}'><td>{escape(name)}</td>"
            f"{''.join(f'<td>{_interval(values)}</td>' for values in intervals)}</tr>"
            for name, intervals in shown["methods"].items()
        ]
        parts += [error_against_shift(shown, family, problem["metric"]), _table(head, rows)]
    return f"<section><h2>{escape(problem['name'].replace('_', ' '))}</h2>{''.join(parts)}</section>"


def _origin(problem: Mapping[str, Any]) -> str:
    return f"Data: {'; '.join(problem['sources'])}. Seeds: {', '.join(map(str, problem['seeds']))}."


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    heads = "".join(f"<th class='{'text' if title in _HEAD[:-1] else ''}'>{escape(title)}</th>" for title in head)
    return f"<div class='scroll'><table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"


def _at(at: float, inside: bool) -> str:
    return f"{at:g} (trained)" if inside else f"{at:g}"


def _interval(values: Sequence[float | None]) -> str:
    median, low, high = ("inf" if value is None else f"{value:.3g}" for value in values)
    return f"{median} [{low}, {high}]"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
