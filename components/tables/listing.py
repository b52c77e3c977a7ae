"""Many names in one line for people."""

from collections.abc import Sequence

LISTED = 8


def listed(names: Sequence[str]) -> str:
    """Names with commas between, the first eight of many.

    >>> listed(["a", "b"])
    'a, b'
    >>> listed(list("abcdefghij"))
    'a, b, c, d, e, f, g, h and 2 more'
    """
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
