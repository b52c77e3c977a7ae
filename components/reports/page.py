"""The report as one self-contained HTML file: inline SVG, no scripts, every text escaped (prompts are untrusted)."""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from components.reports import figures
from components.reports.console import interval_text, method_order, number_text
from components.reports.style import CSS

PAGE = "report.html"
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
        figure = figures.task_map(where["x"], where["y"], where["label"], where["text"])
        figure.write_html(folder / "task_map.html", include_plotlyjs=True, full_html=True)
    return path


def page(report: Mapping[str, Any]) -> str:
    """The whole document; parts that the report lacks are left out."""
    methods, gate = report["methods"], report.get("gate")
    verdict = f"<span class='badge {_name(gate['verdict'])}'>{_name(gate['verdict'])}</span>" if gate else ""
    identity = [f"{key}: {report[key]}" for key in ("router_id", "data", "seeds") if report.get(key) is not None]
    parts = [
        _figures(report),
        _section("Verdict", _gate(gate)) if gate else "",
        _section("Methods on the test split", _methods(methods)),
        _section("Quality and cost", _two(figures.frontier(methods), figures.quality_bars(methods))),
        _section("Regret per benchmark", figures.regret_per_benchmark(methods)),
        _section(
            "Calibration and aggregation",
            _two(
                figures.reliability(report.get("reliability", [])), figures.alpha_curve(report.get("alpha_curve", []))
            ),
        ),
        _section("Tasks", _tasks(report.get("tasks", []), bool(report.get("map")))),
        _section("Validation of the tables", _validation(report.get("validation", []))),
        _section("Quarantined rows", _quarantine(report.get("quarantine", {}))),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width,initial-scale=1'><title>Pointsman report</title>"
        f"<style>{CSS}</style></head><body><header><div><h1>Router report {verdict}</h1>"
        f"<p>{_name(' · '.join(identity))}</p></div></header><main>{''.join(parts)}</main></body></html>"
    )


def _name(text: object) -> str:
    return escape(str(text), quote=True)


def _section(title: str, body: str | None) -> str:
    return f"<section><h2>{title}</h2>{body}</section>" if body else ""


def _two(*parts: str | None) -> str:
    shown = [f"<div>{part}</div>" for part in parts if part]
    return f"<div class='two'>{''.join(shown)}</div>" if shown else ""


def _table(head: Iterable[str], rows: Iterable[tuple[str, list[str]]]) -> str:
    body = "".join(f"<tr class='{mark}'>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for mark, cells in rows)
    heads = "".join(f"<th>{title}</th>" for title in head)
    return f"<div class='scroll'><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"


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
    cells = "".join(
        f"<div class='figure'><b>{_name(value)}</b><span>{_name(what)}</span></div>" for value, what in shown
    )
    return f"<div class='figures'>{cells}</div>"


def _gate(gate: Mapping[str, Any]) -> str:
    rows = []
    for criterion in gate["criteria"]:
        outcome = "passed" if criterion["passed"] else "failed"
        badge = f"<span class='badge {outcome}'>{outcome}</span>"
        rows.append(
            (
                "",
                [
                    _name(criterion["name"]),
                    number_text(criterion["figure"], 4),
                    number_text(criterion["threshold"], 4),
                    badge,
                ],
            )
        )
    return _table(("criterion", "figure", "threshold", "outcome"), rows)


def _methods(methods: Mapping[str, Any]) -> str:
    rows = []
    for name in method_order(methods):
        score = methods[name]
        cells = [
            _name(name),
            interval_text(score["quality"]),
            interval_text(score.get("cost_usd_per_1000")),
            number_text(score["regret"]),
            *(number_text(score.get(key)) for key in ("aiq", "apgr", "gap_at_oracle", "perf_gain", "cost_save")),
        ]
        rows.append(("router" if name == "router" else "", cells))
    head = ("method", "quality", "USD per 1000", "regret", "AIQ", "APGR", "Gap@O", "PerfGain", "CostSave")
    return _table(head, rows) + "<p class='note'>Brackets: 95 % paired bootstrap intervals over the same prompts.</p>"


def _tasks(tasks: Iterable[Mapping[str, Any]], has_map: bool) -> str:
    cards = []
    for task in tasks:
        keys = "".join(f"<span class='key'>{_name(word)}</span>" for word in task.get("keywords", []))
        prompts = "".join(f"<blockquote>{_name(text[:240])}</blockquote>" for text in task.get("medoids", [])[:3])
        best = f" · best: {_name(task['best'])}" if task.get("best") else ""
        cards.append(
            f"<div class='card'><h3>{_name(task['label'])}</h3><span class='note'>{_name(task['size'])} prompts{best}"
            f"</span><div>{keys}</div>{prompts}</div>"
        )
    link = "<p><a href='task_map.html'>Explore the task map</a></p>" if has_map else ""
    return f"{link}<div class='cards'>{''.join(cards)}</div>" if cards else link


def _validation(results: Iterable[Mapping[str, Any]]) -> str:
    names = ("table", "rule", "column", "checked", "failed")
    rows = [("", [_name("" if (cell := row.get(name)) is None else cell) for name in names]) for row in results]
    return _table(names, rows) if rows else ""


def _quarantine(counts: Mapping[str, int]) -> str:
    return _table(("table", "rows"), [("", [_name(k), _name(v)]) for k, v in counts.items()]) if counts else ""
