"""Figures of a report: inline SVG by matplotlib, the same bytes for the same figures."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from components.reports.console import method_order

_NAMED = ("router", "oracle", "best_single", "random")
ACCENT, MUTED, GOOD, INK = "#2457d6", "#9aa5b8", "#12805c", "#1d2433"
_STYLE = {
    "svg.hashsalt": "pointsman",
    "font.size": 10,
    "axes.edgecolor": "#cbd2de",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#edf0f5",
    "xtick.color": "#5b6577",
    "ytick.color": "#5b6577",
    # A method's name is no formula, whatever characters it holds.
    "text.parse_math": False,
}


def _canvas(height: float = 3.8, width: float = 5.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure: Figure) -> str:
    FigureCanvasSVG(figure)
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _colour(name: str) -> str:
    return {"router": ACCENT, "oracle": GOOD, "best_single": INK}.get(name, MUTED)


def frontier(methods: Mapping[str, Any]) -> str | None:
    """Quality against cost with intervals, as SVG; None where no method's cost is known."""
    priced = [name for name in method_order(methods) if methods[name].get("cost_usd_per_1000")]
    if not priced:
        return None
    with rc_context(_STYLE):
        figure, axes = _canvas(4.2)
        for name in priced:
            (q, q_low, q_high), (c, c_low, c_high) = methods[name]["quality"], methods[name]["cost_usd_per_1000"]
            axes.errorbar(
                c,
                q,
                xerr=[[max(0, c - c_low)], [max(0, c_high - c)]],
                yerr=[[max(0, q - q_low)], [max(0, q_high - q)]],
                fmt="o",
                color=_colour(name),
                elinewidth=1,
                markersize=9 if name == "router" else 6,
                zorder=3 if name == "router" else 2,
            )
            # Peers crowd together: only the yardsticks are named here, all of them in the bars beside it.
            if name not in _NAMED:
                continue
            axes.annotate(name, (c, q), xytext=(7, 5), textcoords="offset points", fontsize=9, color=_colour(name))
        axes.set(xlabel="USD per 1000 prompts", ylabel="mean quality")
        return _svg(figure)


def policy_curve(points: Sequence[Mapping[str, Any]]) -> str | None:
    """Quality against cost of a router's policies (the first is the operating one), as SVG; None without costs."""
    priced = [one for one in points if one["cost_usd_per_1000"] is not None]
    if len(priced) < 2:
        return None
    with rc_context(_STYLE):
        figure, axes = _canvas(3.6, width=9.4)
        for kind, mark in (("tradeoff", "o-"), ("quality", "s"), ("tolerance", "^"), ("best", "D")):
            drawn = sorted(
                (one["cost_usd_per_1000"], one["quality"][0]) for one in priced if one["policy"].startswith(kind)
            )
            if drawn:
                colour = ACCENT if kind == "tradeoff" else MUTED
                axes.plot(*zip(*drawn, strict=True), mark, color=colour, markersize=4, linewidth=1, label=kind)
        declared = points[0]
        if declared["cost_usd_per_1000"] is not None:
            place = (declared["cost_usd_per_1000"], declared["quality"][0])
            axes.plot(*place, "o", color=GOOD, markersize=11, label=f"operating: {declared['policy']}")
        axes.set(xlabel="USD per 1000 prompts", ylabel="mean quality")
        figure.legend(frameon=False, loc="outside upper left", ncols=5)
        return _svg(figure)


def quality_bars(methods: Mapping[str, Any]) -> str:
    """Quality of every method with its interval, best on top, as SVG."""
    names = sorted(methods, key=lambda name: methods[name]["quality"][0])
    with rc_context(_STYLE):
        figure, axes = _canvas(0.9 + 0.26 * len(names))
        for row, name in enumerate(names):
            mean, low, high = methods[name]["quality"]
            axes.plot([low, high], [row, row], color=_colour(name), linewidth=2)
            axes.plot(mean, row, "o", color=_colour(name), markersize=7)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="mean quality, 95 % interval")
        return _svg(figure)


def regret_per_benchmark(methods: Mapping[str, Any]) -> str | None:
    """Regret of router and best single candidate on each benchmark (the 24 largest), as SVG."""
    found = methods.get("router", {}).get("per_benchmark")
    if not found:
        return None
    names = sorted(sorted(found, key=lambda b: -found[b]["count"])[:24], key=lambda b: found[b]["regret"])
    with rc_context(_STYLE):
        figure, axes = _canvas(1.1 + 0.28 * len(names), width=9.4)
        for offset, method in ((0.2, "router"), (-0.2, "best_single")):
            score = methods.get(method, {}).get("per_benchmark", {})
            widths = [score.get(b, {}).get("regret", 0.0) for b in names]
            rows = [row + offset for row in range(len(names))]
            axes.barh(rows, widths, height=0.38, color=_colour(method), label=method)
        axes.set_yticks(range(len(names)), [name[:40] for name in names])
        axes.set(xlabel="regret (quality lost to the oracle)")
        figure.legend(frameon=False, loc="outside upper left", ncols=2)
        return _svg(figure)


def reliability(bins: Sequence[Mapping[str, float]]) -> str | None:
    """Observed against predicted quality, as SVG; area shows how many predictions a bin holds."""
    bins = [b for b in bins if b["count"]]
    if not bins:
        return None
    with rc_context(_STYLE):
        figure, axes = _canvas()
        total = sum(b["count"] for b in bins)
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1)
        axes.plot([b["predicted"] for b in bins], [b["observed"] for b in bins], color=ACCENT, linewidth=1.5)
        sizes = [20 + 380 * b["count"] / total for b in bins]
        axes.scatter([b["predicted"] for b in bins], [b["observed"] for b in bins], s=sizes, color=ACCENT, alpha=0.6)
        axes.set(xlabel="predicted quality", ylabel="observed quality", xlim=(0, 1), ylim=(0, 1))
        return _svg(figure)


def alpha_curve(points: Sequence[Sequence[float]]) -> str | None:
    """Validation quality for each alpha ((alpha, quality) pairs; 0: tasks only, 1: prompts only), as SVG."""
    if not points:
        return None
    with rc_context(_STYLE):
        figure, axes = _canvas()
        axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color=ACCENT)
        axes.set(xlabel="alpha (0: task table only, 1: prompt heads only)", ylabel="validation quality")
        return _svg(figure)
