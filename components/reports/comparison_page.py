"""A comparison of methods as a page, as Markdown and as JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from components.reports.compare_figures import ablation, frontier_all, regret_per_benchmark
from components.reports.comparison import NOT_PEERS
from components.reports.console import interval_text, number_text
from components.reports.style import CSS

PAGE, TABLE, DATA = "compare.html", "compare.md", "compare.json"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_HEAD = ("method", "quality [95 %]", "less best single", "USD per 1000", "AIQ", "APGR", "Gap@O", "cost saved", "splits")
_SHOWN = ("router", "task_table", "best_single", "knn100", "kmeans60", "mlp", "best_per_benchmark", "oracle")
_OVERVIEW = ("block", *_SHOWN, "best peer", "router less knn100", "cost at parity, quality difference")
_LEFT_OUT = ("benchmark", "prompts", "gain [95 %]", "fallback share")
_PEERS_OUT = ("method", "mean gain, seed by seed")
_ABLATED = ("the router or a part of it", "quality [95 %]", "AIQ")


def write_comparison(report: Mapping[str, Any], folder: Path, figures: Mapping[str, str]) -> Path:
    """Writes the page, with the same in Markdown and JSON beside it, into a folder (made if missing); the page's path.

    Args:
        report: block -> what `components.reports.comparison.block_report` made of it.
        folder: where to.
        figures: block -> its reliability panels as inline SVG.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DATA).write_text(json.dumps(report, indent=1, allow_nan=False), encoding="utf-8")
    (folder / TABLE).write_text(markdown(report), encoding="utf-8")
    (folder / PAGE).write_text(page(report, figures), encoding="utf-8")
    return folder / PAGE


def page(report: Mapping[str, Any], figures: Mapping[str, str]) -> str:
    """The whole document, self-contained and without scripts."""
    parts = ablation({name: block["ablation"] for name, block in report.items()}) or ""
    blocks = "".join(_block(name, block, figures.get(name, "")) for name, block in report.items())
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width,initial-scale=1'><title>Methods compared</title>"
        f"<style>{CSS}</style></head><body><header><div><h1>Methods compared</h1>"
        "<p>Every prompt judged once, by what was trained without it</p></div></header><main>"
        f"<section><h2>The whole and its parts</h2>{parts}</section>{blocks}</main></body></html>"
    )


def markdown(report: Mapping[str, Any]) -> str:
    """Block by block: every method, the router beside its rivals, and what it does on benchmarks left out."""
    lines = ["# Methods compared", "", *_table(_OVERVIEW, _overview(report)), ""]
    for name, block in report.items():
        lines += [f"## {name}", "", _summary(block), ""]
        lines += [*_table(_HEAD, _rows(block)), "", "Router less, paired:", ""]
        lines += [*_table(("rival", "difference [95 %]"), _differences(block)), ""]
        lines += ["The whole and its parts:", "", *_table(_ABLATED, _ablated(block)), ""]
        if block["held_out"]:
            lines += ["Trained without the benchmark, less its best single candidate:", ""]
            lines += [*_table(_LEFT_OUT, _held_out(block)), ""]
        if block["peers_held_out"]:
            lines += ["The same of an implicit head and what it is compared with, on the largest benchmarks:", ""]
            lines += [*_table(_peers_head(block), _peers_out(block)), ""]
    return "\n".join(lines)


def _overview(report: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for name, block in report.items():
        methods, parity = block["methods"], block["parity"]
        peer = block["best_peer"]
        yield (
            name,
            *(f"{methods[m]['quality'][0]:.4f}" if m in methods else "–" for m in _SHOWN),
            f"{methods[peer]['quality'][0]:.4f} ({peer})",
            interval_text(block["router_less"]["knn100"], 4),
            "–" if parity is None else f"{parity['cost_share']:.0%}, {interval_text(parity['gain'], 4)}",
        )


def method_order(block: Mapping[str, Any]) -> list[str]:
    """Methods by quality, best first; the oracle on top."""
    methods = block["methods"]
    return sorted(methods, key=lambda name: (name != "oracle", -methods[name]["quality"][0], name))


def headline(name: str, block: Mapping[str, Any]) -> str:
    """One line a block for the terminal."""
    methods = block["methods"]
    shown = " ".join(
        f"{rival} {methods[rival]['quality'][0]:.4f}"
        for rival in ("router", "best_single", "knn100", "mlp", "best_per_benchmark")
        if rival in methods
    )
    peer = block["best_peer"]
    parity = block["parity"]
    cost = "" if parity is None else f"; parity at {parity['cost_share']:.0%} of the best single candidate's cost"
    return f"{name}: {shown}; best peer {peer} {methods[peer]['quality'][0]:.4f}{cost}"


def _summary(block: Mapping[str, Any]) -> str:
    tasks = ", ".join(f"{split['tasks']} ({split['method']})" for split in block["splits"])
    ari = ", ".join(number_text(split["bootstrap_ari"], 2) for split in block["splits"])
    ece = block["ece"]
    text = (
        f"{block['prompts']} prompts, {len(block['candidates'])} candidates; best single {block['best_single']}, best "
        f"peer {block['best_peer']}. Tasks by split: {tasks}; bootstrap ARI {ari}. Calibration error "
        f"{number_text(ece['before'])} before, {number_text(ece['after'])} after."
    )
    if parity := block["parity"]:
        text += (
            f" At a price chosen without the test prompts the router costs {parity['cost_share']:.1%} of the best "
            f"single candidate, with a quality difference of {interval_text(parity['gain'], 4)}."
        )
    return text


def _rows(block: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for name in method_order(block):
        method = block["methods"][name]
        yield (
            name,
            interval_text(method["quality"], 4),
            interval_text(method["gain"], 4),
            interval_text(method["cost_usd_per_1000"]),
            *(number_text(method[key], 4) for key in ("aiq", "apgr", "gap_at_oracle", "cost_save")),
            " ".join(f"{quality:.3f}" for quality in method.get("per_split", [])),
        )


def _differences(block: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    return [(name, interval_text(difference, 4)) for name, difference in block["router_less"].items()]


def _held_out(block: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for gain in block["held_out"]:
        interval = [gain["gain"][key] for key in ("mean", "low", "high")]
        yield gain["benchmark"], str(gain["prompts"]), interval_text(interval, 4), f"{gain['fallback_share']:.0%}"


def _peers_head(block: Mapping[str, Any]) -> tuple[str, ...]:
    first = next(iter(block["peers_held_out"].values()))
    return (*_PEERS_OUT, *first["benchmarks"])


def _peers_out(block: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for name, gains in block["peers_held_out"].items():
        seeds = " ".join(f"{gain:+.4f}" for gain in gains["seeds"])
        yield name, seeds, *(f"{gain:+.3f}" for gain in gains["benchmarks"].values())


def _ablated(block: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for name in block["ablation"]:
        method = block["methods"][name]
        yield name, interval_text(method["quality"], 4), number_text(method["aiq"], 4)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    body = [f"| {' | '.join(row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *body]


def _html(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f"<div class='scroll'><table><thead><tr>{''.join(f'<th>{escape(h)}</th>' for h in head)}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _block(name: str, block: Mapping[str, Any], reliability: str) -> str:
    methods = block["methods"]
    regret = {
        method: {benchmark: figures["regret"] for benchmark, figures in score["per_benchmark"].items()}
        for method, score in methods.items()
        if method not in NOT_PEERS or method in {"router", "best_per_benchmark"}
    }
    counts = {benchmark: figures["count"] for benchmark, figures in methods["best_single"]["per_benchmark"].items()}
    points = {
        other: (methods[other]["cost_usd_per_1000"][0], methods[other]["quality"][0])
        for other in ("best_single", "oracle")
        if methods[other]["cost_usd_per_1000"]
    }
    curves = {
        method: curve for method, curve in block["curves"].items() if method == "router" or method not in NOT_PEERS
    }
    figures = [
        frontier_all(curves, points) if curves else None,
        regret_per_benchmark(regret, counts) if len(counts) > 1 else None,
        reliability or None,
    ]
    table = _html(_HEAD[:-1], (row[:-1] for row in _rows(block)))
    held = "<h3>The whole and its parts</h3>" + _html(_ABLATED, _ablated(block))
    if block["held_out"]:
        held += "<h3>Trained without the benchmark</h3>" + _html(_LEFT_OUT, _held_out(block))
    if block["peers_held_out"]:
        held += "<h3>Peers trained without the benchmark</h3>" + _html(_peers_head(block), _peers_out(block))
    return (
        f"<section><h2>{escape(name)}</h2><p>{escape(_summary(block))}</p>{table}</section>"
        f"<section><h2>{escape(name)}: router less</h2>{_html(('rival', 'difference [95 %]'), _differences(block))}"
        f"{held}</section>" + "".join(f"<section>{figure}</section>" for figure in figures if figure)
    )
