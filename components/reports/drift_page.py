"""What a drift run found, as Markdown for dashboards and as one self-contained page: prompts are untrusted."""

from collections.abc import Iterable, Mapping
from typing import Any

from components.reports.drift_figures import candidates_figure, checks_figure, mix_figure
from components.reports.next_steps import after_drift
from components.reports.shell import render

_CHECKS = ("check", "figure [95 %]", "threshold", "p", "outcome")
_GROUPS = ("novel group", "recent prompts", "in training", "p", "routed as")
_MIX = ("task", "recent", "training", "change")
_LEAST_P = 1e-6
_NAMED = 5
"""Unknown models by name; more are counted."""


def drift_markdown(report: Mapping[str, Any]) -> str:
    """Verdict, checks, novel groups and task mix."""
    lines = [f"# {_headline(report)}", "", *(f"- {_cell(reason)}" for reason in report["reasons"]), ""]
    if left_out := unknown_models(report):
        lines += [_cell(left_out), ""]
    lines += _markdown_table(_CHECKS, map(_check, report["checks"]))
    for title, tested in (("Novel groups", True), ("What is far away or unassigned", False)):
        if groups := [one for one in report["groups"] if one["tested"] == tested]:
            lines += [f"## {title}", "", *_markdown_table(_GROUPS, map(_group, groups))]
    if (quality := _quality(report)) is not None:
        lines += ["## Quality", "", quality, ""]
    lines += ["## Task mix", "", *_markdown_table(_MIX, _mix(report))]
    return "\n".join(lines)


def drift_page(report: Mapping[str, Any], router_id: str) -> str:
    """The whole HTML document."""
    candidates = (report["quality"] or {}).get("candidates", [])
    tolerance = next((one["threshold"] for one in report["checks"] if "quality" in one["name"]), 0.0)
    kinds = [
        {
            "name": "groups",
            "title": "Novel groups",
            "note": "Each is far more frequent than in training; together they are the figure of the check.",
            "cards": [_card(group) for group in report["groups"] if group["tested"]],
        },
        {
            "name": "strays",
            "title": "What is far away or unassigned",
            "note": "These groups tell what the prompts are that raised those two checks; they aren't tested again.",
            "cards": [_card(group) for group in report["groups"] if not group["tested"]],
        },
    ]
    quality = _quality(report)
    chapters = [("checks", "Checks"), *((one["name"], one["title"]) for one in kinds if one["cards"]), ("mix", "Mix")]
    if quality:
        chapters.insert(1, ("quality", "Quality"))
    return render(
        "drift.html",
        report=report,
        router_id=router_id,
        sentence=_sentence(report),
        left_out=_left_out(report),
        unknown=unknown_models(report),
        steps=after_drift(report, router_id),
        head=_CHECKS,
        checks=list(map(_check, report["checks"])),
        note=_note(report),
        quality=quality,
        candidates=[(one["model"], f"{one['outcomes']:,}", _interval(*one["gap"]), _p(one["p"])) for one in candidates],
        group_kinds=kinds,
        mix=_mix(report),
        figures={
            "checks": checks_figure(report["checks"]),
            "mix": mix_figure(report["mix"]),
            "candidates": candidates_figure(candidates, tolerance),
        },
        chapters=chapters,
    )


def unknown_models(report: Mapping[str, Any]) -> str:
    """One sentence on outcomes of models that the router doesn't know; nothing where there are none.

    >>> unknown_models({"unknown": {"brand-new": 2}})[:75]
    "2 outcomes of brand-new were left out, for the router doesn't know this mod"
    """
    counts = list(report.get("unknown", {}).items())
    if not counts:
        return ""
    first = counts[0][1]
    parts = [f"{first:,} outcome{'s' * (first != 1)} of {counts[0][0]}"]
    parts += [f"{count:,} of {model}" for model, count in counts[1:_NAMED]]
    if more := counts[_NAMED:]:
        parts.append(f"{sum(count for _, count in more):,} of {len(more)} more model{'s' * (len(more) != 1)}")
    listed = " and ".join([part for part in (", ".join(parts[:-1]), parts[-1]) if part])
    were, these = "was" if counts == [(counts[0][0], 1)] else "were", "these models" if counts[1:] else "this model"
    return (
        f"{listed} {were} left out, for the router doesn't know {these}: retrain with these outcomes, or add the "
        "model by `pointsman onboard`."
    )


def check_rows(report: Mapping[str, Any]) -> list[dict[str, str]]:
    """The checks, a row each, for a dashboard's table."""
    return [dict(zip(_CHECKS, _check(check), strict=True)) for check in report["checks"]]


def _sentence(report: Mapping[str, Any]) -> str:
    alarms = sum(check["alarm"] for check in report["checks"])
    checks = len(report["checks"])
    if report["verdict"] == "drift":
        return f"The prompts or the answers have changed: {alarms} of {checks} checks alarm."
    return f"Nothing has changed that matters: all {checks} checks are quiet."


def _note(report: Mapping[str, Any]) -> str:
    runs = 1 / sum(check["level"] for check in report["checks"])
    return (
        "A check alarms where its p is at most its level and its figure reaches the threshold. p is the chance of at "
        "least such a figure without a change; of quality, without a change beyond the threshold. All checks "
        f"together give one false alarm in {runs:,.0f} runs or fewer."
    )


def _headline(report: Mapping[str, Any]) -> str:
    return (
        f"{report['verdict'].capitalize()}: {report['recent']} prompts{_left_out(report)} against {report['reference']}"
    )


def _left_out(report: Mapping[str, Any]) -> str:
    """Of how many further turns the recent prompts stand for; nothing where there are none."""
    turns = report.get("left_out", 0)
    if not turns:
        return ""
    return f" (one of each conversation; {turns:,} further turn{'s' * (turns != 1)} left out)"


def _check(check: Mapping[str, Any]) -> list[str]:
    interval = _interval(check["figure"], check["low"], check["high"], sign="")
    p = f"{_p(check['p'])} (level {check['level']:.2g})"
    return [check["name"], interval, f"{check['threshold']:g}", p, "alarm" if check["alarm"] else "quiet"]


def _interval(figure: float, low: float, high: float, sign: str = "+") -> str:
    return f"{figure:{sign}z.3f} [{low:{sign}z.3f}, {high:{sign}z.3f}]"


def _p(p: float) -> str:
    """No smaller than anyone can believe."""
    return f"{p:.2g}" if p >= _LEAST_P else "below 0.000001"


def _group(group: Mapping[str, Any]) -> list[str]:
    keywords = ", ".join(group["keywords"]) or "unnamed (texts unknown)"
    return [
        keywords,
        f"{group['recent']} ({group['share']:.1%})",
        str(group["reference"]),
        _p(group["p"]),
        group["routed_as"],
    ]


def _mix(report: Mapping[str, Any]) -> list[list[str]]:
    moved = sorted(report["mix"], key=lambda row: -abs(row["recent"] - row["reference"]))
    return [
        [
            row["task"],
            f"{row['recent']:.1%}",
            f"{row['reference']:.1%}",
            f"{100 * (row['recent'] - row['reference']):+z.1f} points",
        ]
        for row in moved
    ]


def _quality(report: Mapping[str, Any]) -> str | None:
    quality = report["quality"]
    if quality is None:
        return None
    gap, low, high = quality["gap"]
    units = "conversations" if report.get("left_out", 0) else "prompts"
    worst = sorted(quality["by_candidate"].items(), key=lambda item: -abs(item[1]))[:5]
    return (
        f"Over {quality['prompts']} {units} with outcomes: predicted {quality['predicted']:.3f}, observed "
        f"{quality['observed']:.3f}, gap {gap:+.3f} [{low:+.3f}, {high:+.3f}]. "
        f"Largest gaps: {', '.join(f'{name} {value:+.3f}' for name, value in worst)}."
    )


def _card(group: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": ", ".join(group["keywords"][:3]) or "unnamed (texts unknown)",
        "facts": f"{group['recent']} recent prompts ({group['share']:.1%}), {group['reference']} in training; "
        f"routed as {group['routed_as']}; {group['far_share']:.0%} unlike anything trained on",
        "keywords": group["keywords"],
        "examples": group["examples"],
    }


def _markdown_table(head: Iterable[str], rows: Iterable[list[str]]) -> list[str]:
    head = list(head)
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(map(_cell, row))} |" for row in rows), ""]


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;").replace("\n", " ")
