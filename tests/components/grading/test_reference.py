import pytest

from components.grading.reference import check_of, choice, grade_by_reference, json_schema, numeric, regex


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        ("#### 1,234", "1234", True),
        (r"so \boxed{3.50} apples, not 4", "3.5", True),
        ("The answer is 7, since 3 + 4 = 7 and 8 is wrong... 9", "7", True),
        ("first 3, then 5", "3", False),
        ("1/4", "0.25", True),
        ("25 %", "0.25", False),
        ("25%", "0.25", True),
        ("-2e3", "-2000", True),
        ("no number at all", "3", False),
        ("", "0", False),
        ("3.14159", "3.1416", True),
        ("3.15", "3.1416", False),
    ],
)
def test_the_final_number_counts(answer: str, reference: str, right: bool) -> None:
    assert numeric(answer, reference) is right


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        ("B", "B", True),
        ("**(B)** because", "B", True),
        ("A is tempting. The correct answer is B.", "B", True),
        (r"\boxed{D}", "D", True),
        ("Apples are fine", "A", False),
        ("I think it is C", "C", True),
        ("", "A", False),
    ],
)
def test_the_letter_settled_on_counts(answer: str, reference: str, right: bool) -> None:
    assert choice(answer, reference) is right


def test_schema_reads_a_fenced_block() -> None:
    schema = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'
    assert json_schema('Here you are:\n```json\n{"n": 3}\n```', schema)
    assert not json_schema('{"n": "three"}', schema)


def test_what_a_reference_asks_for() -> None:
    grades, checks = grade_by_reference(
        ["the Louvre", "x = 12", "(B)", '{"a": 1}', "abc123", "Yes"],
        ["Louvre!", "12", "B", '{"type": "object"}', r"regex: \d{3}$", "exact: yes"],
    )
    assert grades == [1, 1, 1, 1, 1, 0]
    assert checks == ["normalised", "numeric", "choice", "json_schema", "regex", "exact"]


def test_a_colon_in_a_reference_is_no_check() -> None:
    assert check_of("Title: the sea") == ("normalised", "Title: the sea")


def test_faulty_references_are_named() -> None:
    with pytest.raises(ValueError, match="isn't a regular expression"):
        regex("a", "(")
    with pytest.raises(ValueError, match="isn't a JSON schema"):
        json_schema("{}", '{"type": "nothing"}')
