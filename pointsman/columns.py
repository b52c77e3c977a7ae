"""Rows of text in aligned columns, for terminals."""

from collections.abc import Sequence


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """One line a row, each column as wide as its widest cell.

    >>> aligned(["a", "b"], [["long", "x"]])
    ['a     b', 'long  x']
    """
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    ]
