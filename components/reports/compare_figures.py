"""Figures of a comparison of methods, as inline SVG. Shapes: N prompts, M candidates, B bins."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from textwrap import wrap

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from components.evaluation.metrics import hull
from components.evaluation.reliability import reliability as reliability_bins
from components.reports.drawing import ACCENT, GOOD, INK, MUTED, PEERS, canvas, named_rows, style, svg
from components.reports.figures import labelled

_LINES = ("-", "--", ":", "-.")
_BENCHMARKS = 24
_COLUMNS = 5


def frontier_all(
    curves: Mapping[str, Sequence[Sequence[float]]], points: Mapping[str, Sequence[float]] | None = None
) -> str | None:
    """Every method's best quality for its cost, beside single points; None where no method has a cost.

    Args:
        curves: method -> (USD per 1000 prompts, mean quality) of its operating points; drawn as its non-decreasing
            concave hull, since any two points can be mixed. 'router' stands out.
        points: name -> the same of what has one point only, such as best_single, the oracle or a candidate.
    """
    shown = {name: [(c, q) for c, q in curve if np.isfinite([c, q]).all()] for name, curve in curves.items()}
    shown = {name: curve for name, curve in shown.items() if curve}
    if not shown:
        return None
    named = points or {}
    reach = max([c for curve in shown.values() for c, _ in curve] + [c for c, _ in named.values()])
    with style():
        figure, axes = canvas(5.2, width=10.4)
        looks = ((colour, line) for line in cycle(_LINES) for colour in PEERS)
        # By quality at their most expensive, so that the legend reads as the curves lie.
        for name in sorted(shown, key=lambda n: -max(q for _, q in shown[n])):
            costs, qualities = hull(*np.array(shown[name], dtype=np.float64).T)
            colour, line = (ACCENT, "-") if name == "router" else next(looks)
            own = name == "router"
            axes.plot(
                [*costs, max(reach, costs[-1])],
                [*qualities, qualities[-1]],
                line,
                color=colour,
                label=name,
                linewidth=2.8 if own else 1.2,
                zorder=3 if own else 2,
            )
        for (name, (cost, quality)), mark in zip(named.items(), cycle("Ds^v"), strict=False):
            colour = {"oracle": GOOD, "best_single": INK}.get(name, MUTED)
            axes.plot(cost, quality, mark, color=colour, markersize=7, zorder=4, label=name)
        axes.set(xlabel="USD per 1000 prompts", ylabel="mean quality")
        figure.legend(frameon=False, loc="outside right upper", fontsize=9)
        return svg(figure)


def regret_per_benchmark(regret: Mapping[str, Mapping[str, float]], counts: Mapping[str, float]) -> str | None:
    """Quality lost to the oracle on each benchmark by every method, the most contested benchmark on top.

    Args:
        regret: method -> benchmark -> mean regret; 'router', 'best_single' and 'best_per_benchmark' stand out.
        counts: benchmark -> prompts; the 24 largest are drawn.
    """
    names = sorted(counts, key=lambda b: (-counts[b], b))[:_BENCHMARKS]
    if not regret or not names:
        return None
    single = regret.get("best_single", {})
    names.sort(key=lambda b: single.get(b, 0.0))
    first = {"router": (ACCENT, "o", 9), "best_single": (INK, "D", 6), "best_per_benchmark": (GOOD, "s", 6)}
    with style():
        figure, axes = canvas(1.2 + 0.3 * len(names), width=9.4)
        for name in sorted(regret, key=lambda n: (n in first, n == "router")):
            found = [(regret[name][b], row) for row, b in enumerate(names) if b in regret[name]]
            colour, marker, size = first.get(name, (MUTED, "|", 8))
            label = name if name in first else ("other methods" if "other methods" not in labelled(axes) else None)
            axes.plot(
                *zip(*found, strict=True), marker=marker, linestyle="", color=colour, markersize=size, label=label
            )
        named_rows(axes, [f"{name[:36]} ({counts[name]:.0f})" for name in names])
        axes.set(xlabel="regret (quality lost to the oracle)")
        figure.legend(frameon=False, loc="outside upper left", ncols=4)
        return svg(figure)


def reliability(
    predicted_NM: NDArray[np.float64],
    quality_NM: NDArray[np.float64],
    models: Sequence[str],
    *,
    raw_NM: NDArray[np.float64] | None = None,
    bins: int = 10,
) -> str | None:
    """Observed against predicted quality, a panel a candidate with its calibration error; None without outcomes.

    Args:
        predicted_NM: calibrated quality in [0, 1], shape (N, M).
        quality_NM: observed quality; nan where not observed.
        models: names of the M candidates.
        raw_NM: quality before calibration, drawn grey beside it.
        bins: B, of equal width.
    """
    seen = [m for m in range(len(models)) if np.isfinite(quality_NM[:, m]).any()]
    if not seen:
        return None
    columns = min(_COLUMNS, len(seen))
    rows = -(-len(seen) // columns)
    with style({"font.size": 9}):
        figure = Figure(figsize=(2.05 * columns, 2.15 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, m in zip(panels, seen, strict=False):
            axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=0.8)
            if raw_NM is not None:
                before = reliability_bins(raw_NM[:, [m]], quality_NM[:, [m]], bins)
                axes.plot(before.predicted_B, before.observed_B, ".-", color=MUTED, linewidth=1, markersize=4)
            after = reliability_bins(predicted_NM[:, [m]], quality_NM[:, [m]], bins)
            filled = after.count_B > 0
            axes.plot(after.predicted_B[filled], after.observed_B[filled], color=ACCENT, linewidth=1.3)
            size = 8 + 120 * after.count_B[filled] / after.count_B.sum()
            axes.scatter(after.predicted_B[filled], after.observed_B[filled], s=size, color=ACCENT, alpha=0.6)
            name = "\n".join(wrap(models[m], 20, max_lines=2, placeholder=" …"))
            axes.set_title(f"{name}\nECE {after.ece:.3f}", fontsize=9)
            axes.set(xlim=(0, 1), ylim=(0, 1))
        for axes in panels[len(seen) :]:
            axes.set_visible(False)
        for axes in panels[max(0, len(seen) - columns) : len(seen)]:
            axes.tick_params(labelbottom=True)
        figure.supxlabel("predicted quality", fontsize=9)
        figure.supylabel("observed quality", fontsize=9)
        return svg(figure)


def ablation(scores: Mapping[str, Mapping[str, Sequence[float]]], full: str = "router") -> str | None:
    """Quality of the whole and of its parts, a panel a block, with intervals.

    Args:
        scores: block -> variant -> [mean, low, high] of quality; variants in the order they are to be read.
        full: the variant that stands out, and whose mean is carried through its panel.
    """
    blocks = [block for block, variants in scores.items() if variants]
    if not blocks:
        return None
    names = list(dict.fromkeys(name for block in blocks for name in scores[block]))
    with style():
        figure = Figure(figsize=(2.4 + 2.5 * len(blocks), 1.0 + 0.3 * len(names)), layout="constrained")
        for axes, block in zip(figure.subplots(1, len(blocks), squeeze=False, sharey=True)[0], blocks, strict=True):
            if full in scores[block]:
                axes.axvline(scores[block][full][0], color=ACCENT, linewidth=0.8, linestyle=":")
            for row, name in enumerate(reversed(names)):
                if name in scores[block]:
                    mean, low, high = scores[block][name]
                    colour = ACCENT if name == full else MUTED
                    axes.plot([low, high], [row, row], color=colour, linewidth=2)
                    axes.plot(mean, row, "o", color=colour, markersize=7 if name == full else 5)
            named_rows(axes, list(reversed(names)))
            axes.set_title(block, fontsize=10)
        figure.supxlabel("mean quality, 95 % interval", fontsize=9)
        return svg(figure)
