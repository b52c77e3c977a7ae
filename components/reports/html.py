"""Pieces of HTML that pages share; every text is escaped."""

from collections.abc import Iterable
from html import escape


def text(value: object) -> str:
    """Escaped for content and attributes."""
    return escape(str(value), quote=True)


def section(title: str, body: str | None) -> str:
    """A titled section; '' without a body."""
    return f"<section><h2>{title}</h2>{body}</section>" if body else ""


def table(head: Iterable[str], rows: Iterable[tuple[str, list[str]]]) -> str:
    """A table that scrolls sideways where it must; rows are (class, cells), heads and cells are HTML."""
    body = "".join(f"<tr class='{mark}'>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for mark, cells in rows)
    heads = "".join(f"<th scope='col'>{title}</th>" for title in head)
    return f"<div class='scroll' tabindex='0'><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"


def badge(word: str) -> str:
    """A verdict or an outcome as a coloured badge."""
    return f"<span class='badge {text(word.replace(' ', '-'))}'>{text(word)}</span>"


def figure(svg: str | None, words: str) -> str:
    """An SVG with an alternative text; '' where there is none."""
    return f"<div role='img' aria-label='{text(words)}'>{svg}</div>" if svg else ""
