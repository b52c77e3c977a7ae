"""Figures of a drift run, as inline SVG."""

from collections.abc import Mapping, Sequence
from textwrap import shorten, wrap
from typing import Any

from components.reports.drawing import ACCENT, BAD, GOOD, INK, MUTED, canvas, named_rows, numbers, style, svg

MOST = 12
"""Tasks and candidates that a figure shows."""


def checks_figure(checks: Sequence[Mapping[str, Any]]) -> str:
    """Every check's figure with its interval, in units of its own threshold: beyond 1 it is large enough to matter."""
    with style():
        figure, axes = canvas(1.3 + 0.4 * len(checks), width=9.4)
        for row, check in enumerate(reversed(checks)):
            unit = max(check["threshold"], 1e-9)
            low, middle, high = (check[end] / unit for end in ("low", "figure", "high"))
            colour = BAD if check["alarm"] else GOOD
            axes.plot([low, high], [row, row], color=colour, linewidth=2)
            axes.plot(middle, row, "D" if check["alarm"] else "o", color=colour, markersize=7)
        axes.axvline(1, color=INK, linewidth=1, linestyle="--")
        if any(check["figure"] < 0 or check["low"] < 0 for check in checks):
            axes.axvline(-1, color=INK, linewidth=1, linestyle="--")
        axes.set_xscale("symlog", linthresh=1)
        numbers(axes.xaxis)
        named_rows(axes, ["\n".join(wrap(check["name"], 44)[:2]) for check in reversed(checks)])
        axes.set(xlabel="figure, in units of its threshold (dashed)")
        return svg(figure)


def mix_figure(mix: Sequence[Mapping[str, Any]]) -> str | None:
    """Share of each task among recent and training prompts, the tasks that moved most on top; None without tasks."""
    moved = sorted(mix, key=lambda row: -abs(row["recent"] - row["reference"]))[:MOST]
    if not moved:
        return None
    with style():
        figure, axes = canvas(1.2 + 0.36 * len(moved), width=9.4)
        for offset, side, colour, name in ((0.2, "recent", ACCENT, "recent"), (-0.2, "reference", MUTED, "training")):
            rows = [len(moved) - 1 - place + offset for place in range(len(moved))]
            axes.barh(rows, [100 * row[side] for row in moved], height=0.38, color=colour, label=name)
        named_rows(axes, [shorten(row["task"], 40) or "-" for row in reversed(moved)])
        axes.set(xlabel="% of prompts")
        figure.legend(frameon=False, loc="outside upper left", ncols=2)
        return svg(figure)


def candidates_figure(candidates: Sequence[Mapping[str, Any]], tolerance: float) -> str | None:
    """Predicted less observed quality of each candidate with its interval; None where none was tested."""
    shown = candidates[:MOST]
    if not shown:
        return None
    with style():
        figure, axes = canvas(1.2 + 0.32 * len(shown), width=9.4)
        for row, one in enumerate(reversed(shown)):
            middle, low, high = (100 * end for end in one["gap"])
            colour = BAD if low > 100 * tolerance or high < -100 * tolerance else GOOD
            axes.plot([low, high], [row, row], color=colour, linewidth=2)
            axes.plot(middle, row, "o", color=colour, markersize=6)
        for edge in (-100 * tolerance, 100 * tolerance):
            axes.axvline(edge, color=INK, linewidth=1, linestyle="--")
        named_rows(axes, [f"{shorten(one['model'], 40)} ({one['outcomes']})" for one in reversed(shown)])
        axes.set(xlabel="predicted less observed quality, points; dashed: what doesn't matter")
        return svg(figure)
