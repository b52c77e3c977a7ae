"""Which routers a rollback has left, and what the file may go through."""

import pytest

from components.release.history import (
    HISTORY,
    Entry,
    append,
    last_word,
    left_by_rollback,
    merge_histories,
    new_entry,
    parse_history,
    read_history,
)


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


def test_the_last_word_on_a_router_is_its_own_newest_entry():
    said = entries(("a", "refused"), ("b", "promoted"), ("a", "to canary"), ("b", "refused"))
    assert last_word(said, "a") is said[2]
    assert last_word(said, "c") is None


@pytest.fixture
def path(tmp_path):
    """A history of two promotions."""
    for name in "ab":
        append(tmp_path, new_entry(name * 64, "promoted", ["better"], "x"))
    return tmp_path / HISTORY


def routers(path):
    return "".join(entry.router_id[0] for entry in read_history(path.parent))


@pytest.mark.parametrize("blank", [b"\n", b"\n\n", b"  \n", b"  "])
def test_blank_lines_say_nothing(path, blank):
    path.write_bytes(path.read_bytes() + blank)
    assert routers(path) == "ab"
    append(path.parent, new_entry("c" * 64, "promoted", [], "x"))
    assert routers(path) == "abc"
    merged = merge_histories(path.read_bytes(), blank)
    assert len(parse_history(merged.split(b"\n")[:-1], "there", merged=True)) == 3


def test_a_last_line_that_lost_its_end_is_whole_and_a_torn_one_is_none(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert routers(path) == "ab"
    assert merge_histories(content[:-1], b"") == content
    append(path.parent, new_entry("c" * 64, "promoted", [], "x"))
    assert routers(path) == "abc"
    assert path.read_bytes().startswith(content)
    path.write_bytes(path.read_bytes()[:-2])
    assert routers(path) == "ab"
    append(path.parent, new_entry("d" * 64, "promoted", [], "x"))
    assert routers(path) == "abd"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"torn", "isn't JSON"),
        (b"[1]", "is no entry"),
        (b'{"reasons": []}', "is no entry"),
        (
            b'{"time": 7, "router_id": "a", "verdict": "promoted", "reasons": [], "who": "x"}',
            "time must be text, got 7",
        ),
        (
            b'{"time": "", "router_id": "a", "verdict": "promoted", "reasons": [1, 2], "who": "x"}',
            "reasons must be texts",
        ),
        (b'{"time": "", "router_id": "a", "verdict": "promoted", "reasons": "no", "who": "x"}', "a list of 'reasons'"),
        (b'{"time": "", "router_id": "a", "verdict": "put", "reasons": [], "who": "x"}', "verdict must be one of"),
    ],
)
def test_a_bad_line_is_named_with_the_way_out(path, line, said):
    path.write_bytes(path.read_bytes() + line + b"\n")
    way_out = "restore the file from a backup, or move it away: `pointsman doctor` then begins a new one"
    with pytest.raises(ValueError, match=f"history.jsonl, line 3: .*{said}.*; {way_out}"):
        read_history(path.parent)
    with pytest.raises(ValueError, match=way_out):
        append(path.parent, new_entry("c" * 64, "promoted", [], "x"))
