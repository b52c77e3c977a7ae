"""Which routers a rollback has left."""

import pytest

from components.release.history import Entry, left_by_rollback


def entries(*verdicts):
    return tuple(
        Entry(time=str(number), router_id=router, verdict=verdict, reasons=(), who="x")
        for number, (router, verdict) in enumerate(verdicts)
    )


@pytest.mark.parametrize(
    ("verdicts", "left"),
    [
        ([], False),
        ([("a", "promoted")], False),
        ([("a", "promoted"), ("b", "promoted")], False),
        ([("b", "promoted"), ("a", "promoted"), ("b", "rolled_back")], True),
        ([("b", "promoted"), ("a", "promoted"), ("b", "rolled_back"), ("c", "promoted")], True),
        ([("b", "promoted"), ("a", "promoted"), ("b", "rolled_back"), ("a", "rolled_back")], False),
        ([("b", "promoted"), ("a", "refused"), ("b", "rolled_back")], False),
        ([("a", "not enough evidence")], False),
    ],
)
def test_a_router_is_left_by_a_rollback_until_it_is_put_back(verdicts, left):
    assert left_by_rollback(entries(*verdicts), "a") is left
