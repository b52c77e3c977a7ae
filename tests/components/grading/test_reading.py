import pytest

from components.grading.reading import json_answer, json_spans, without_thoughts


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<think>A</think>\nB", "\nB"),
        ("<Thinking>A\nC</Thinking>B", "B"),
        ("A, no.</think>B", "B"),
        (" <think>cut off", ""),
        ("<think>I write <think> first</think>B", "B"),
        ("<think>A<think>B</think>C</think>D", "D"),
        ("B <think>so be it</think>", "B "),
        ('{"reason": "a <think> mark", "grade": 1}', '{"reason": "a <think> mark", "grade": 1}'),
        ('{"reason": "a </think> mark", "grade": 1}', '{"reason": "a </think> mark", "grade": 1}'),
        ("x < y", "x < y"),
    ],
)
def test_thoughts_are_left_out(text: str, rest: str) -> None:
    assert without_thoughts(text) == rest


def test_json_is_found_in_prose() -> None:
    assert [value for *_, value in json_spans('so {"a": "{[1]}"} and [2, {"b": 3}] } {"c')] == [
        {"a": "{[1]}"},
        [2, {"b": 3}],
    ]
    assert json_answer('```\n{"a": 1}\n```\n```json\n{"a": 2}\n```\n```\n3\n```') == {"a": 2}
    with pytest.raises(ValueError, match="no JSON"):
        json_answer("none {")


@pytest.mark.parametrize("piece", ["[", "{", '{"a":', '{"a":1,', "{'"])
def test_brackets_without_end(piece: str) -> None:
    assert json_spans(piece * 50_000) == []


@pytest.mark.parametrize("piece", ["<think>", "</think>", "<think>a</think>", "```json "])
def test_marks_without_number_are_read(piece: str) -> None:
    assert without_thoughts(piece * 5_000) in ("", piece * 5_000)
    with pytest.raises(ValueError, match="no JSON"):
        json_answer(piece * 5_000)
