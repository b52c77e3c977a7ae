"""Which router is in service before and after a command, for a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from components.release.repair import pointer_or_damage
from flows.platform import paths


@contextmanager
def saying_what_serves() -> Iterator[str | None]:
    """Prints which router was and is in service here, also where the work failed after the pointer had moved.

    Gives the router_id from before: None where nothing was published, '' where the pointer is damaged.
    """
    before = pointer_or_damage(paths.published())
    try:
        yield before
    finally:
        for when, named in (("before", before), ("now", pointer_or_damage(paths.published()))):
            print(f"in service {when}: {'a damaged pointer' if named == '' else named or 'none'}")
