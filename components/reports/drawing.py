"""How figures are drawn: one palette that follows the page's colour scheme, SVG with the same bytes each time."""

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

ACCENT, MUTED, GOOD, INK, BAD = "#2457d6", "#77839a", "#12805c", "#1d2433", "#b3261e"
SOFT, AXIS, GRID = "#5b6577", "#c3cbd9", "#e9edf4"
PEERS = ("#a86400", "#7b2fd0", "#0b7f8d", "#b3261f", "#5b6578", "#b3487d", "#5d7f1a", "#3f4fa8")
VARIABLES = {
    **{
        ACCENT: "accent",
        MUTED: "muted",
        GOOD: "good",
        INK: "ink",
        BAD: "bad",
        SOFT: "soft",
        AXIS: "axis",
        GRID: "grid",
    },
    **{colour: f"peer{number}" for number, colour in enumerate(PEERS, 1)},
}
"""The style sheet's variable for each colour, without its dashes; the colour itself stays where there is none."""
STYLE = {
    "svg.hashsalt": "pointsman",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": AXIS,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    # A method's name is no formula, whatever characters it holds.
    "text.parse_math": False,
}
_COLOUR = re.compile("|".join(map(re.escape, VARIABLES)))


def style(changed: Mapping[str, Any] | None = None) -> AbstractContextManager[None]:
    """The settings under which every figure is drawn, some of them changed, as a context."""
    return rc_context({**STYLE, **(changed or {})})


def canvas(height: float = 3.8, width: float = 5.6) -> tuple[Figure, Axes]:
    """An empty figure with one pair of axes; inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def named_rows(axes: Axes, names: Sequence[str]) -> None:
    """Names rows 0, 1, 2 ... from the bottom, with as much room above and below as between them."""
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(-0.6, len(names) - 0.4)


def numbers(axis: Axis) -> None:
    """Writes an axis' ticks as plain numbers: matplotlib writes powers as mathematics, which labels here never are."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def svg(figure: Figure) -> str:
    """The figure as inline SVG whose colours are the page's where it has them, and the palette's elsewhere."""
    FigureCanvasSVG(figure)
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    drawn = text.getvalue()[text.getvalue().index("<svg") :]
    return _COLOUR.sub(lambda found: f"var(--{VARIABLES[found[0]]}, {found[0]})", drawn)
