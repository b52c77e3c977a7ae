"""A comparison of methods as a page, as Markdown and as JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.reports.compare_figures import ablation, frontier_all, regret_per_benchmark
from components.reports.comparison import NOT_PEERS, over_blocks
from components.reports.console import interval_text, number_text
from components.reports.next_steps import after_comparison
from components.reports.shell import render, write_pages
from components.reports.summary import points

PAGE, TABLE, DATA = "compare.html", "compare.md", "compare.json"
_HEAD = (
    *("method", "quality [95 %]", "less the best single candidate", "USD per 1000"),
    *("AIQ", "APGR", "Gap@O", "cost saved", "splits"),
)
_SHOWN = ("router", "task_table", "best_single", "knn100", "kmeans60", "mlp", "best_per_benchmark", "oracle")
_OVERVIEW = ("block", *_SHOWN, "best peer", "router less knn100", "cost at parity, quality difference")
_DIFFERENCES = ("rival", "router less rival, quality [95 %]")
_OVER = "The router against each rival, mean over blocks"
_LEFT_OUT = ("benchmark", "prompts", "gain [95 %]", "sent to the best single candidate")
_PEERS_OUT = ("method", "mean gain, seed by seed")
_ABLATED = ("the router or a part of it", "quality [95 %]", "AIQ")


def write_comparison(report: Mapping[str, Any], folder: Path, figures: Mapping[str, str]) -> Path:
    """Writes the page, with the same in Markdown and JSON beside it, into a folder (made if missing); the page's path.

    Args:
        report: block -> what `components.reports.comparison.block_report` made of it.
        folder: where to.
        figures: block -> its reliability panels as inline SVG.
    """
    pages = {DATA: json.dumps(report, indent=1, allow_nan=False), TABLE: markdown(report), PAGE: page(report, figures)}
    return write_pages(folder, pages) / PAGE


def page(report: Mapping[str, Any], figures: Mapping[str, str]) -> str:
    """The whole document, self-contained and without scripts."""
    blocks = [
        {"slug": f"block-{number}", "name": name, **_block(block, figures.get(name, ""))}
        for number, (name, block) in enumerate(report.items(), 1)
    ]
    return render(
        "compare.html",
        blocks=blocks,
        prompts=f"{sum(block['prompts'] for block in report.values()):,}",
        summary=[(name, standing(block)) for name, block in report.items()],
        ablation=ablation({name: block["ablation"] for name, block in report.items()}),
        over=(_OVER, _known(_DIFFERENCES, _over(report))) if len(report) > 1 else None,
        steps=after_comparison(),
        chapters=[
            *([("rivals", _OVER)] if len(report) > 1 else []),
            ("parts", "The whole and its parts"),
            *((one["slug"], one["name"]) for one in blocks),
        ],
    )


def standing(block: Mapping[str, Any]) -> str:
    """Who is ahead in a block, by how much, and at what cost, in sentences."""
    sentences = []
    for rival, whom in (
        (block["best_peer"], "the best peer method"),
        ("best_single", f"always {block['best_single']}"),
    ):
        if rival in block["router_less"] and not (rival == "best_single" and block["best_peer"] == "best_single"):
            sentences.append(_ahead(rival, whom, block["router_less"][rival]))
    if parity := block["parity"]:
        sentences.append(
            "At a price chosen without the test prompts the router costs "
            f"{parity['cost_share']:.0%} of the best single candidate, quality {points(parity['gain'])} points."
        )
    return " ".join(sentences)


def _ahead(rival: str, whom: str, difference: Sequence[float]) -> str:
    mean, low, high = difference
    named, comma = (whom, "") if rival == "best_single" else (f"{rival}, {whom}", ",")
    if low > 0:
        return f"The router is ahead of {named}: {points([mean, low, high])} points."
    if high < 0:
        return f"{named[0].upper()}{named[1:]}{comma} is ahead of the router: {points([-mean, -high, -low])} points."
    return f"The router and {named}{comma} can't be told apart: {points([mean, low, high])} points."


def markdown(report: Mapping[str, Any]) -> str:
    """Block by block: every method, the router beside its rivals, and what it does on benchmarks left out."""
    lines = ["# Methods compared", "", *_table(_OVERVIEW, _overview(report)), ""]
    if len(report) > 1:
        lines += [f"## {_OVER}", "", *_table(_DIFFERENCES, _over(report)), ""]
    for name, block in report.items():
        lines += [f"## {name}", "", f"{standing(block)} {_summary(block)}", ""]
        lines += [*_table(_HEAD, _rows(block)), "", "Router against each rival, paired over the same prompts:", ""]
        lines += [*_table(_DIFFERENCES, _differences(block)), ""]
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
    return (
        f"{block['prompts']:,} prompts, {len(block['candidates'])} candidates; best single {block['best_single']}, "
        f"best peer {block['best_peer']}. Tasks by split: {tasks}; bootstrap ARI {ari}. Calibration error "
        f"{number_text(ece['before'])} before, {number_text(ece['after'])} after."
    )


def _rows(block: Mapping[str, Any], digits: int = 4) -> Iterable[tuple[str, ...]]:
    for name in method_order(block):
        method = block["methods"][name]
        yield (
            name,
            interval_text(method["quality"], digits),
            interval_text(method["gain"], digits),
            interval_text(method["cost_usd_per_1000"]),
            *(number_text(method[key], digits) for key in ("aiq", "apgr", "gap_at_oracle", "cost_save")),
            " ".join(f"{quality:.3f}" for quality in method.get("per_split", [])),
        )


def _differences(block: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    return [(name, interval_text(difference, 4)) for name, difference in block["router_less"].items()]


def _over(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, interval_text(difference, 4)) for name, difference in over_blocks(report).items()]


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


def _known(head: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """A table without the columns in which nothing is known."""
    rows = [list(row) for row in rows]
    kept = [place for place in range(len(head)) if place == 0 or any(row[place] != "–" for row in rows)]
    return [head[place] for place in kept], [[row[place] for place in kept] for row in rows]


def _block(block: Mapping[str, Any], reliability: str) -> dict[str, Any]:
    methods = block["methods"]
    regret = {
        method: {benchmark: figures["regret"] for benchmark, figures in score["per_benchmark"].items()}
        for method, score in methods.items()
        if method not in NOT_PEERS or method in {"router", "best_per_benchmark"}
    }
    counts = {benchmark: figures["count"] for benchmark, figures in methods["best_single"]["per_benchmark"].items()}
    single_points = {
        other: (methods[other]["cost_usd_per_1000"][0], methods[other]["quality"][0])
        for other in ("best_single", "oracle")
        if methods[other]["cost_usd_per_1000"]
    }
    curves = {
        method: curve for method, curve in block["curves"].items() if method == "router" or method not in NOT_PEERS
    }
    peers_out = block["peers_held_out"]
    return {
        "summary": _summary(block),
        "methods": _known(_HEAD[:-1], (row[:-1] for row in _rows(block, 3))),
        "differences": _known(_DIFFERENCES, _differences(block)),
        "parts": _known(_ABLATED, _ablated(block)),
        "left_out": _known(_LEFT_OUT, _held_out(block)) if block["held_out"] else None,
        "peers_out": _known(_peers_head(block), _peers_out(block)) if peers_out else None,
        "frontier": frontier_all(curves, single_points) if curves else None,
        "regret": regret_per_benchmark(regret, counts) if len(counts) > 1 else None,
        "reliability": reliability or None,
    }
