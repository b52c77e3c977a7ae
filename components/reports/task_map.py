"""The task map: prompts in the plane, a page of its own that one explores. Shapes: K prompts.

The page holds plotly.js and the points gzipped, which the browser unpacks: a third of the size, nothing loaded.
"""

import base64
import gzip
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from components.reports.shell import own_script, render

PAGE = "task_map.html"
NO_TASK = "unassigned"
NAMED = 24
"""Tasks, largest first, that have a legend entry of their own and, where there is room, their label on the map."""
TEXT_CHARACTERS = 160
"""Start of a prompt that is shown."""
_WRAP = 60
_GREY = "#b9c1ce"
_PALETTE = (
    *("#2457d6", "#e0711c", "#12805c", "#b3261e", "#7b4bc4", "#8a5a3c", "#d2489b", "#0f8fa8", "#8a8d12", "#d69b00"),
    *("#5f86f2", "#f29d5c", "#4bb48d", "#e0655c", "#a98ae0", "#b98a6c", "#ec8cc4", "#55bfd2", "#b4b84a", "#6b7fb3"),
)


def points(
    point_K2: np.ndarray[Any, np.dtype[np.float32]], label_K: Sequence[str], text_K: Sequence[str]
) -> dict[str, list[Any]]:
    """A report's `map`: coordinates to four digits, labels, and how each prompt starts."""
    return {
        "x": [round(float(x), 4) for x in point_K2[:, 0]],
        "y": [round(float(y), 4) for y in point_K2[:, 1]],
        "label": list(label_K),
        "text": [text[:TEXT_CHARACTERS] + ("…" if len(text) > TEXT_CHARACTERS else "") for text in text_K],
    }


def write_map(where: Mapping[str, Sequence[Any]], tasks: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Writes the map as one self-contained page, in the light or dark scheme of who looks at it.

    Args:
        where: x, y, label and text of each prompt; label 'unassigned' for those in no task.
        tasks: the report's tasks: label, size and, if known, best and quality.
        path: file to write.
    """
    library = files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    shown = figure(where, tasks).to_json().encode()
    script, _ = own_script("map.js")
    page = render("map.html", library=_packed(library), figure=_packed(shown), script=script)
    path.write_text(page, encoding="utf-8")


def figure(where: Mapping[str, Sequence[Any]], tasks: Sequence[Mapping[str, Any]]) -> go.Figure:
    """The map: unassigned prompts grey beneath, the largest tasks with legend and labels, the smaller ones together.

    Every text is escaped, because plotly reads markup in it and prompts are untrusted.
    """
    x_K, y_K = np.asarray(where["x"], dtype=np.float32), np.asarray(where["y"], dtype=np.float32)
    label_K = np.asarray(where["label"], dtype=object)
    about = {str(task["label"]): _about(task) for task in tasks}
    order = [label for label, _ in Counter(label_K.tolist()).most_common() if label != NO_TASK]
    colour = {label: _PALETTE[rank % len(_PALETTE)] for rank, label in enumerate(order)} | {NO_TASK: _GREY}
    text_K = [_hover(str(label), about, text) for label, text in zip(label_K, where["text"], strict=True)]
    shown = go.Figure()

    def add(name: str, row_R: np.ndarray[Any, np.dtype[np.int64]], *, faint: bool = False) -> None:
        colours = {colour[label] for label in label_K[row_R]}
        shown.add_trace(
            go.Scattergl(
                x=x_K[row_R],
                y=y_K[row_R],
                text=[text_K[row] for row in row_R],
                name=escape(name),
                mode="markers",
                marker={
                    "size": 3 if faint else 5,
                    "opacity": 0.5 if faint else 0.75,
                    "color": colours.pop() if len(colours) == 1 else [colour[label] for label in label_K[row_R]],
                },
                hovertemplate="%{text}<extra></extra>",
            )
        )

    if (label_K == NO_TASK).any():
        add(f"{NO_TASK} ({(label_K == NO_TASK).sum()})", np.flatnonzero(label_K == NO_TASK), faint=True)
    if smaller := set(order[NAMED:]):
        add(f"{len(smaller)} smaller tasks", np.flatnonzero([label in smaller for label in label_K]))
    for label in order[:NAMED]:
        row_R = np.flatnonzero(label_K == label)
        add(f"{_short(label)} ({row_R.size})", row_R)
    axis = {"visible": False}
    shown.update_layout(
        template="none",
        title={"text": f"Task map: {len(order)} tasks, {x_K.size} prompts", "x": 0.01, "xanchor": "left"},
        xaxis=axis,
        yaxis=axis,
        margin={"l": 10, "r": 10, "t": 50, "b": 10},
        hovermode="closest",
        hoverlabel={"align": "left", "font": {"size": 12}},
        legend={
            "itemsizing": "constant",
            "font": {"size": 11},
            "title": {"text": "click hides, double click isolates"},
        },
        annotations=_annotations(x_K, y_K, label_K, order[:NAMED], colour),
    )
    return shown


def _annotations(
    x_K: np.ndarray[Any, np.dtype[np.float32]],
    y_K: np.ndarray[Any, np.dtype[np.float32]],
    label_K: np.ndarray[Any, np.dtype[np.object_]],
    labels: Sequence[str],
    colour: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Labels just above their tasks' medians, those left out that would lie on a larger task's label."""
    if not labels:
        return []
    width, height = max(float(np.ptp(x_K)), 1e-9), max(float(np.ptp(y_K)), 1e-9)
    placed: list[tuple[float, float, float]] = []
    found = []
    for label in labels:
        x, y = float(np.median(x_K[label_K == label])), float(np.median(y_K[label_K == label]))
        text = _short(label)
        half = 0.0035 * len(text) * width  # half a label, at about seven pixels a letter on a thousand-pixel map
        if any(abs(x - px) < half + ph and abs(y - py) < 0.032 * height for px, py, ph in placed):
            continue
        placed.append((x, y, half))
        found.append(
            {
                "x": x,
                "y": y,
                "text": escape(text),
                "showarrow": False,
                "yanchor": "bottom",
                "yshift": 9,
                "font": {"size": 12},
                "bordercolor": colour[label],
                "borderpad": 2,
            }
        )
    return found


def _about(task: Mapping[str, Any]) -> str:
    best = f", best: {task['best']}" if task.get("best") else ""
    quality = f" ({task['quality']:.3f})" if task.get("quality") is not None else ""
    return f"{task['size']} prompts{best}{quality}"


def _hover(label: str, about: Mapping[str, str], text: str) -> str:
    lines = [text[start : start + _WRAP] for start in range(0, len(text), _WRAP)]
    head = f"<b>{escape(label)}</b><br>" + (f"{escape(about[label])}<br>" if label in about else "")
    return head + "<br>".join(escape(line) for line in lines)


def _short(label: str) -> str:
    return label if len(label) <= 30 else label[:29] + "…"


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()
