"""The one shell of all pages: a template each, one style sheet, every text escaped. The only importer of jinja2."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from components.reports.console import interval_text, number_text
from components.reports.summary import change, points
from pointsman.durable import write_whole

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that a reader may do next, with the command that does it."""

    text: str
    command: str = ""


def render(template: str, **shown: Any) -> str:
    """A page as one self-contained document; prompts and names of models are untrusted and stay text.

    Args:
        template: a file's name in templates/.
        shown: what the template shows.

    Raises:
        jinja2.UndefinedError: the template shows something that wasn't given.
    """
    return _environment().get_template(template).render(shown)


def write_pages(folder: Path, pages: Mapping[str, str]) -> Path:
    """Writes documents by file name, each whole or not at all, into a folder (made if missing); the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        write_whole(folder / name, lambda aside, text=text: aside.write_text(text, encoding="utf-8"))  # type: ignore[misc]
    return folder


def own_script(name: str) -> tuple[Markup, str]:
    """A script of ours in templates/, and the hash by which a page's policy allows it and no other."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"sha256-{digest}"  # noqa: S704  # a file of ours


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "change": change,
        "drawn": _drawn,
        "interval": interval_text,
        "number": number_text,
        "points": points,
        "slug": lambda word: "".join(letter for letter in word.replace(" ", "-") if letter.isalnum() or letter == "-"),
    }
    environment.globals |= {"chapters": (), "part": environment.get_template("parts.html").module}
    return environment


def _drawn(svg: str) -> Markup:
    """A figure of ours, whose texts matplotlib has escaped, as markup.

    Raises:
        ValueError: it is no SVG.
    """
    if not svg.startswith("<svg"):
        raise ValueError("a figure must be inline SVG")
    return Markup(svg)  # noqa: S704  # no text of a user becomes markup: matplotlib escapes what it draws
