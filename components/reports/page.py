"""The report as one self-contained HTML file: inline SVG, nothing loaded, every text escaped."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from components.reports import candidates, figures, task_map
from components.reports.changed import changed_screen
from components.reports.console import interval_text, method_order, number_text, without_empty
from components.reports.data_pages import QUARANTINE, VALIDATION, data_pages
from components.reports.discovery import discovery_notes
from components.reports.first_screen import GLOSSARY, first_screen
from components.reports.next_steps import verdict_of
from components.reports.policy_chooser import policy_chooser
from components.reports.shell import render, write_pages

PAGE = "report.html"
CARDS = 48
"""Task cards that are open from the start."""
_HEAD = ("method", "quality", "USD per 1000", "regret", "AIQ", "APGR", "Gap@O", "PerfGain", "CostSave")
_LONGEST_PROMPT = 240


def write_page(report: Mapping[str, Any], folder: Path) -> Path:
    """Writes report.html into `folder` (made if missing), and beside it what the report holds more of.

    With a `map`, task_map.html; with `rules`, validation.html; with `set_aside`, quarantine.html. Pages that are there
    already are linked.

    Raises:
        KeyError: the report has no `methods`.
    """
    write_pages(folder, data_pages(report))
    if where := report.get("map"):
        task_map.write_map(where, report.get("tasks", []), folder / task_map.PAGE)
    beside = {name for name in (VALIDATION, QUARANTINE, task_map.PAGE) if (folder / name).is_file()}
    return write_pages(folder, {PAGE: page(report, beside)}) / PAGE


def page(report: Mapping[str, Any], beside: Iterable[str] = ()) -> str:
    """The whole document; parts that the report lacks are left out.

    Args:
        report: with `methods`; with an `ending` (verdict and reasons) where the gate's word was carried out.
        beside: names of the pages in the same folder.
    """
    methods, there = report["methods"], set(beside)
    identity = [f"{key}: {report[key]}" for key in ("router_id", "data", "seeds") if report.get(key) is not None]
    head, *rows = without_empty([_HEAD, *(_row(name, methods[name]) for name in method_order(methods))])
    shown = {
        "gate": report.get("gate"),
        "verdict": verdict_of(report),
        "identity": identity,
        "numbers": _numbers(report),
        **first_screen(report),
        "changed": changed_screen(report),
        "whatif": policy_chooser(report),
        "coverage": _coverage(report.get("coverage", {})),
        "candidates_head": candidates.HEAD,
        "candidates": candidates.candidate_rows(report.get("candidates", [])),
        "methods_head": head,
        "methods": [row for row in rows if not _is_ablation(row[0])],
        "ablations": [row for row in rows if _is_ablation(row[0])],
        "glossary": GLOSSARY,
        "figures": {
            "policies": figures.policy_curve(report.get("whatif") or []),
            "frontier": figures.frontier(methods),
            "quality": figures.quality_bars(methods),
            "regret": figures.regret_per_benchmark(methods),
            "reliability": figures.reliability(report.get("reliability", [])),
            "alpha": figures.alpha_curve(report.get("alpha_curve", [])),
        },
        "held_out": [
            (
                one["benchmark"],
                one["prompts"],
                interval_text([one["gain"][end] for end in ("mean", "low", "high")]),
                f"{one['fallback_share']:.0%}",
            )
            for one in report.get("held_out", [])
        ],
        "tasks": [_task(task) for task in report.get("tasks", [])],
        "cards": CARDS,
        "notes": discovery_notes(report.get("discovery", {})),
        "has_map": task_map.PAGE in there,
        "map_page": task_map.PAGE,
        "data_checks": _data_checks(report),
        "data_pages": [
            (name, title)
            for name, title in ((VALIDATION, "Rules and offending rows"), (QUARANTINE, "Rows set aside"))
            if name in there
        ],
        "excluded": report.get("excluded_candidates", []),
    }
    return render("router.html", **shown, chapters=list(_chapters(shown)))


def _chapters(shown: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, title, there in (
        ("verdict", "Verdict", shown["gate"]),
        ("policies", "Other policies", shown["whatif"]),
        ("coverage", "Outcomes", shown["coverage"]),
        ("candidates", "Candidates", shown["candidates"]),
        ("methods", "Methods", True),
        ("regret", "Regret", shown["figures"]["regret"]),
        ("left-out", "Benchmarks left out", shown["held_out"]),
        ("calibration", "Calibration", shown["figures"]["reliability"] or shown["figures"]["alpha"]),
        ("tasks", "Tasks", shown["tasks"] or shown["notes"]),
        ("data", "Data", shown["data_checks"]),
    ):
        if there:
            yield name, title


def _numbers(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of a report without an operating policy."""
    methods, discovery = report["methods"], report.get("discovery", {})
    shown = []
    if router := methods.get("router"):
        shown.append((number_text(router["quality"][0]), "router quality"))
        if gain := router.get("gain"):
            shown.append((f"{gain[0]:+.3f}", f"over best single [{gain[1]:+.3f}, {gain[2]:+.3f}]"))
        shown.append((number_text(router["regret"]), "regret to the oracle"))
        if cost := router.get("cost_usd_per_1000"):
            shown.append((f"${cost[0]:.2f}", "per 1000 prompts"))
    if "tasks" in discovery:
        shown.append((str(discovery["tasks"]), f"tasks by {discovery.get('method', '')}"))
    if discovery.get("unassigned_share") is not None:
        shown.append((f"{discovery['unassigned_share']:.0%}", "prompts unassigned"))
    return shown


def _is_ablation(name: str) -> bool:
    return name.startswith(("control_", "stage"))


def _row(name: str, score: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name,
        interval_text(score["quality"]),
        interval_text(score.get("cost_usd_per_1000")),
        number_text(score["regret"]),
        *(number_text(score.get(key)) for key in ("aiq", "apgr", "gap_at_oracle", "perf_gain", "cost_save")),
    )


def _coverage(coverage: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Observed outcomes by benchmark and candidate; None where all are there."""
    rows = coverage.get("rows", [])
    return None if all(count == row["prompts"] for row in rows for count in row["outcomes"]) else coverage


def _task(task: Mapping[str, Any]) -> dict[str, Any]:
    facts = [f"{task['size']} prompts"]
    if task.get("best"):
        quality = f" ({number_text(task['quality'])})" if task.get("quality") is not None else ""
        behind = f", {task['outcomes']:,} outcomes" if task.get("outcomes") else ""
        facts.append(f"best: {task['best']}{quality}{behind}")
    if task.get("candidates_share") is not None:
        facts.append(f"keeps {task['candidates_share']:.0%} of the candidates")
    return {
        "id": task.get("id"),
        "label": task["label"],
        "facts": " · ".join(facts),
        "keywords": task.get("keywords", []),
        "prompts": [_start(prompt) for prompt in task.get("medoids", [])[:3]],
    }


def _start(text: str) -> str:
    return text if len(text) <= _LONGEST_PROMPT else text[:_LONGEST_PROMPT] + "…"


def _data_checks(report: Mapping[str, Any]) -> str:
    """One sentence on rules and rows set aside; empty where the report says nothing of them."""
    checks, aside = report.get("validation", []), report.get("quarantine", {})
    told = []
    if checks:
        broken = [one for one in checks if one.get("failed")]
        told.append(f"{len(checks) - len(broken)} of {len(checks)} rules are kept")
        told += [f"{one['table']}: {one['rule']} (not so in {one['failed']:,} of {one['checked']:,})" for one in broken]
    if aside:
        told.append("set aside: " + ", ".join(f"{rows:,} rows of {name}" for name, rows in aside.items()))
    elif checks:
        told.append("no row was set aside")
    return "; ".join(told) + "." if told else ""
