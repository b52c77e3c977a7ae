"""Figures of a report: inline SVG by matplotlib, the same bytes for the same figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from components.reports.console import method_order
from components.reports.drawing import ACCENT, GOOD, INK, MUTED, canvas, named_rows, style, svg

_MARKS = {"router": "D", "oracle": "s", "best_single": "^", "random": "v"}


def _colour(name: str) -> str:
    return {"router": ACCENT, "oracle": GOOD, "best_single": INK}.get(name, MUTED)


def labelled(axes: Axes) -> list[str]:
    """Names that a legend would have so far."""
    return [str(label) for label in axes.get_legend_handles_labels()[1]]


def frontier(methods: Mapping[str, Any]) -> str | None:
    """Quality against cost with intervals, as SVG; None where no method's cost is known."""
    priced = [name for name in method_order(methods) if methods[name].get("cost_usd_per_1000")]
    if not priced:
        return None
    with style():
        figure, axes = canvas(4.2)
        for name in priced:
            (q, q_low, q_high), (c, c_low, c_high) = methods[name]["quality"], methods[name]["cost_usd_per_1000"]
            # Peers crowd together: the yardsticks have a name and a mark, all of them are in the bars beside it.
            named = name in _MARKS
            axes.errorbar(
                c,
                q,
                xerr=[[max(0, c - c_low)], [max(0, c_high - c)]],
                yerr=[[max(0, q - q_low)], [max(0, q_high - q)]],
                fmt=_MARKS.get(name, "o"),
                color=_colour(name),
                elinewidth=1,
                markersize=9 if named else 5,
                zorder=3 if named else 2,
                label=name if named else ("other methods" if "other methods" not in labelled(axes) else None),
            )
        axes.set(xlabel="USD per 1000 prompts", ylabel="mean quality")
        figure.legend(frameon=False, loc="outside upper left", ncols=3)
        return svg(figure)


def by_cost(points: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The policies whose cost is known, the least expensive first."""
    return sorted(
        (one for one in points if one["cost_usd_per_1000"] is not None), key=lambda one: float(one["cost_usd_per_1000"])
    )


def policy_curve(points: Sequence[Mapping[str, Any]]) -> str | None:
    """Quality against cost of a router's policies (the first is the operating one), as SVG; None without costs.

    Around each policy, by cost, is a ring with the id whatif-0, whatif-1 ...: a page shows the one that is chosen.
    """
    priced = by_cost(points)
    if len(priced) < 2:
        return None
    with style():
        figure, axes = canvas(3.4, width=9.4)
        for kind, mark in (("tradeoff", "o-"), ("quality", "s"), ("tolerance", "^"), ("best", "D")):
            drawn = [(one["cost_usd_per_1000"], one["quality"][0]) for one in priced if one["policy"].startswith(kind)]
            if drawn:
                colour = ACCENT if kind == "tradeoff" else MUTED
                axes.plot(*zip(*drawn, strict=True), mark, color=colour, markersize=4, linewidth=1, label=kind)
        declared = points[0]
        if declared["cost_usd_per_1000"] is not None:
            place = (declared["cost_usd_per_1000"], declared["quality"][0])
            axes.plot(*place, "o", color=GOOD, markersize=11, label=f"operating: {declared['policy']}")
        for number, one in enumerate(priced):
            place = (one["cost_usd_per_1000"], one["quality"][0])
            axes.plot(*place, "o", color=INK, fillstyle="none", markersize=16, gid=f"whatif-{number}")
        axes.set(xlabel="USD per 1000 prompts", ylabel="mean quality")
        figure.legend(frameon=False, loc="outside upper left", ncols=5)
        return svg(figure)


def quality_bars(methods: Mapping[str, Any]) -> str:
    """Quality of every method with its interval, best on top, as SVG."""
    names = sorted(methods, key=lambda name: methods[name]["quality"][0])
    with style():
        figure, axes = canvas(0.9 + 0.26 * len(names))
        for row, name in enumerate(names):
            mean, low, high = methods[name]["quality"]
            axes.plot([low, high], [row, row], color=_colour(name), linewidth=2)
            axes.plot(mean, row, "o", color=_colour(name), markersize=7)
        named_rows(axes, names)
        axes.set(xlabel="mean quality, 95 % interval")
        return svg(figure)


def regret_per_benchmark(methods: Mapping[str, Any]) -> str | None:
    """Regret of router and best single candidate on each benchmark (the 24 largest), as SVG."""
    found = methods.get("router", {}).get("per_benchmark")
    if not found:
        return None
    names = sorted(sorted(found, key=lambda b: -found[b]["count"])[:24], key=lambda b: found[b]["regret"])
    with style():
        figure, axes = canvas(1.1 + 0.28 * len(names), width=9.4)
        for offset, method in ((0.2, "router"), (-0.2, "best_single")):
            score = methods.get(method, {}).get("per_benchmark", {})
            widths = [score.get(b, {}).get("regret", 0.0) for b in names]
            rows = [row + offset for row in range(len(names))]
            axes.barh(rows, widths, height=0.38, color=_colour(method), label=method)
        named_rows(axes, [name[:40] for name in names])
        axes.set(xlabel="regret (quality lost to the oracle)")
        figure.legend(frameon=False, loc="outside upper left", ncols=2)
        return svg(figure)


def reliability(bins: Sequence[Mapping[str, float]]) -> str | None:
    """Observed against predicted quality, as SVG; area shows how many predictions a bin holds."""
    bins = [b for b in bins if b["count"]]
    if not bins:
        return None
    with style():
        figure, axes = canvas()
        total = sum(b["count"] for b in bins)
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1)
        axes.plot([b["predicted"] for b in bins], [b["observed"] for b in bins], color=ACCENT, linewidth=1.5)
        sizes = [20 + 380 * b["count"] / total for b in bins]
        axes.scatter([b["predicted"] for b in bins], [b["observed"] for b in bins], s=sizes, color=ACCENT, alpha=0.6)
        axes.set(xlabel="predicted quality", ylabel="observed quality", xlim=(0, 1), ylim=(0, 1))
        return svg(figure)


def alpha_curve(points: Sequence[Sequence[float]]) -> str | None:
    """Validation quality for each alpha ((alpha, quality) pairs; 0: tasks only, 1: prompts only), as SVG."""
    if not points:
        return None
    with style():
        figure, axes = canvas()
        axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color=ACCENT)
        axes.set(xlabel="alpha (0: task table only, 1: prompt heads only)", ylabel="validation quality")
        return svg(figure)
