"""Error against shift, all models, on log axes, as inline SVG."""

from collections.abc import Mapping
from typing import Any

from components.reports.drawing import ACCENT, BAD, GOOD, INK, MUTED, PEERS, canvas, numbers, style, svg

_LOOKS = {
    "implicit_rnn": (PEERS[1], "-"),
    "implicit_no_feedback": (ACCENT, ":"),
    "implicit_triangular": (ACCENT, "--"),
    "implicit_no_skip": (ACCENT, "-."),
    "implicit": (ACCENT, "-"),
    "least_squares": (GOOD, "-"),
    "ridge": (GOOD, "--"),
    "har": (GOOD, ":"),
    "mlp": (INK, "-"),
    "mlp_no_bias": (INK, "--"),
    "mlp_skip": (INK, ":"),
    "lstm": (BAD, "-"),
    "lstm_normalised": (BAD, "--"),
    "transformer": (PEERS[0], "-"),
    "transformer_no_positions": (PEERS[0], "--"),
    "nalu": (MUTED, "-"),
}
_LEAST = 1e-16
"""Where an error of zero is drawn."""


def error_against_shift(shown: Mapping[str, Any], family: str, metric: str) -> str:
    """Median error of every model with its interval as a band; infinite errors aren't drawn.

    Args:
        shown: `at`, and in `methods` [median, low, high] of each model at each of them.
        family: what grows.
        metric: the error's name.
    """
    with style():
        figure, axes = canvas(4.6, width=10.4)
        for name, intervals in shown["methods"].items():
            points = sorted(
                (at, *values) for at, values in zip(shown["at"], intervals, strict=True) if None not in values
            )
            if not points:
                continue
            at, median, low, high = ([max(value, _LEAST) for value in column] for column in zip(*points, strict=True))
            at = [point[0] for point in points]
            colour, line = _LOOKS.get(name, (MUTED, "-"))
            strong = name in ("implicit", "implicit_rnn")
            axes.plot(at, median, line, color=colour, label=name, linewidth=2.4 if strong else 1.4, marker=".")
            axes.fill_between(at, low, high, color=colour, alpha=0.08, linewidth=0)
        if max(shown["at"]) > 10:
            # Offsets begin at zero, which a log axis can't show.
            axes.set_xscale("symlog" if min(shown["at"]) <= 0 else "log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            numbers(axis)
        axes.set(xlabel=family, ylabel=metric)
        figure.legend(frameon=False, loc="outside right upper", fontsize=9)
        return svg(figure)
