"""The report as one self-contained HTML file: inline SVG, no scripts, every text escaped (prompts are untrusted)."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from components.reports import figures, task_map
from components.reports.console import interval_text, method_order, number_text
from components.reports.discovery import discovery_notes
from components.reports.first_screen import coverage_table, first_screen, glossary, policy_chooser, verdict_table
from components.reports.html import badge, figure, section, table, text
from components.reports.style import CSS

PAGE = "report.html"
CARDS = 48
"""Task cards that are open from the start."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def write_page(report: Mapping[str, Any], folder: Path) -> Path:
    """Writes report.html into `folder` (made if missing) and, with a `map` in the report, task_map.html beside it.

    Raises:
        KeyError: the report has no `methods`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PAGE
    where = report.get("map")
    path.write_text(page(report), encoding="utf-8")
    if where:
        task_map.write_map(where, report.get("tasks", []), folder / task_map.PAGE)
    return path


def page(report: Mapping[str, Any]) -> str:
    """The whole document; parts that the report lacks are left out."""
    methods, gate = report["methods"], report.get("gate")
    verdict = badge(gate["verdict"]) if gate else ""
    identity = [f"{key}: {report[key]}" for key in ("router_id", "data", "seeds") if report.get(key) is not None]
    parts = [
        first_screen(report) or _figures(report),
        section("Verdict", verdict_table(gate)) if gate else "",
        section("What other policies would do", _policies(report)),
        section("Outcomes in the logs", coverage_table(report.get("coverage", {}))),
        section("Methods on the test split, each at its best quality", _methods(methods)),
        section(
            "Quality and cost",
            _two(
                figure(figures.frontier(methods), "Quality against USD per 1000 prompts of every method"),
                figure(figures.quality_bars(methods), "Quality of every method with its 95 % interval"),
            ),
        ),
        section(
            "Regret per benchmark",
            figure(figures.regret_per_benchmark(methods), "Regret of the router and the best single model"),
        ),
        section("Benchmarks never trained on", _held_out(report.get("held_out", []))),
        section(
            "Calibration and aggregation",
            _two(
                figure(figures.reliability(report.get("reliability", [])), "Observed against predicted quality"),
                figure(figures.alpha_curve(report.get("alpha_curve", [])), "Validation quality by weight of the heads"),
            ),
        ),
        section("Tasks", _tasks(report, bool(report.get("map")))),
        section("Validation of the tables", _validation(report.get("validation", []))),
        section("Candidates left out", _excluded(report.get("excluded_candidates", []))),
        section("Quarantined rows", _quarantine(report.get("quarantine", {}))),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width,initial-scale=1'><title>Pointsman report</title>"
        f"<style>{CSS}</style></head><body><header><div><h1>Router report {verdict}</h1>"
        f"<p>{text(' · '.join(identity))}</p></div></header><main>{''.join(parts)}</main></body></html>"
    )


def _policies(report: Mapping[str, Any]) -> str:
    curve, operating = report.get("whatif") or [], report.get("operating")
    if not curve or not operating:
        return ""
    drawn = figure(figures.policy_curve(curve), "Quality and cost of each policy, with the operating one marked")
    return drawn + policy_chooser(curve, operating["best_single"]["name"])


def _two(*parts: str | None) -> str:
    shown = [f"<div>{part}</div>" for part in parts if part]
    return f"<div class='two'>{''.join(shown)}</div>" if shown else ""


def _figures(report: Mapping[str, Any]) -> str:
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
    cells = "".join(f"<div class='figure'><b>{text(value)}</b><span>{text(what)}</span></div>" for value, what in shown)
    return f"<div class='figures'>{cells}</div>"


def _methods(methods: Mapping[str, Any]) -> str:
    main: list[tuple[str, list[str]]] = []
    folded: list[tuple[str, list[str]]] = []
    for name in method_order(methods):
        score = methods[name]
        cells = [
            text(name),
            interval_text(score["quality"]),
            interval_text(score.get("cost_usd_per_1000")),
            number_text(score["regret"]),
            *(number_text(score.get(key)) for key in ("aiq", "apgr", "gap_at_oracle", "perf_gain", "cost_save")),
        ]
        ablation = name.startswith(("control_", "stage"))
        (folded if ablation else main).append(("router" if name == "router" else "", cells))
    head = ("method", "quality", "USD per 1000", "regret", "AIQ", "APGR", "Gap@O", "PerfGain", "CostSave")
    rest = f"<details><summary>Ablations and controls</summary>{table(head, folded)}</details>" if folded else ""
    note = "<p class='note'>Brackets: 95 % paired bootstrap intervals over the same prompts.</p>"
    return table(head, main) + note + rest + glossary()


def _held_out(gains: Iterable[Mapping[str, Any]]) -> str:
    rows = []
    for one in gains:
        gain = [one["gain"][end] for end in ("mean", "low", "high")]
        rows.append(
            ("", [text(one["benchmark"]), str(one["prompts"]), interval_text(gain), f"{one['fallback_share']:.0%}"])
        )
    head = ("benchmark left out", "prompts", "gain over the best single", "sent to it")
    note = "<p class='note'>Each row: a router trained without that benchmark, judged on all of its prompts.</p>"
    return table(head, rows) + note if rows else ""


def _tasks(report: Mapping[str, Any], has_map: bool) -> str:
    cards = [_card(task) for task in report.get("tasks", [])]
    notes = "".join(f"<p class='note'>{text(note)}</p>" for note in discovery_notes(report.get("discovery", {})))
    link = f"<p><a href='{task_map.PAGE}'>Explore the task map</a></p>" if has_map else ""
    shown = f"<div class='cards'>{''.join(cards[:CARDS])}</div>" if cards else ""
    if rest := cards[CARDS:]:
        shown += (
            f"<details><summary>{len(rest)} smaller tasks</summary><div class='cards'>{''.join(rest)}</div></details>"
        )
    return notes + link + shown


def _card(task: Mapping[str, Any]) -> str:
    keys = "".join(f"<span class='key'>{text(word)}</span>" for word in task.get("keywords", []))
    prompts = "".join(f"<blockquote>{text(_start(prompt))}</blockquote>" for prompt in task.get("medoids", [])[:3])
    facts = [f"{task['size']} prompts"]
    if task.get("best"):
        quality = f" ({number_text(task['quality'])})" if task.get("quality") is not None else ""
        behind = f", {task['outcomes']:,} outcomes" if task.get("outcomes") else ""
        facts.append(f"best: {task['best']}{quality}{behind}")
    if task.get("candidates_share") is not None:
        facts.append(f"keeps {task['candidates_share']:.0%} of the candidates")
    name = f"<span class='id'>{text(task['id'])}</span> " if task.get("id") else ""
    return (
        f"<div class='card'><h3>{name}{text(task['label'])}</h3><span class='note'>{text(' · '.join(facts))}</span>"
        f"<div>{keys}</div>{prompts}</div>"
    )


def _start(text: str) -> str:
    return text if len(text) <= 240 else text[:240] + "…"


def _validation(results: Iterable[Mapping[str, Any]]) -> str:
    names = ("table", "rule", "column", "checked", "failed")
    broken: list[tuple[str, list[str]]] = []
    kept: list[tuple[str, list[str]]] = []
    for row in results:
        cells = ("", [text("" if (cell := row.get(name)) is None else cell) for name in names])
        (broken if row.get("failed") else kept).append(cells)
    shown = table(names, broken) if broken else ""
    if kept:
        every = "All" if not broken else "The other"
        shown += f"<details><summary>{every} {len(kept)} rules are kept</summary>{table(names, kept)}</details>"
    return shown


def _excluded(names: Iterable[str]) -> str:
    keys = "".join(f"<span class='key'>{text(name)}</span>" for name in names)
    return f"<p>{keys}</p><p class='note'>They have no outcome on a training prompt.</p>" if keys else ""


def _quarantine(counts: Mapping[str, int]) -> str:
    return table(("table", "rows"), [("", [text(k), text(v)]) for k, v in counts.items()]) if counts else ""
