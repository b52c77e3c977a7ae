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
        ("25 %", "0.25", True),
        ("25%", "0.25", True),
        ("The share is 25%.", "25", True),
        ("0.25%", "0.25", False),
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


def test_whole_numbers_are_equal_or_different() -> None:
    assert not numeric("123*456 = 56087", "56088")
    assert not numeric("65535.0", "65536")
    assert numeric("65535", "65536", tolerance=1e-3)
    assert numeric("The answer is 2.9979e8.", "299792458")
    assert not numeric("9007199254740993", "9007199254740992")


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("The capital of France is Paris.", "Paris"),
        ("It's *the Eiffel  Tower*!", "Eiffel tower"),
        ("50 km", "50 km"),
        ("+", "+"),
    ],
)
def test_a_short_reference_is_found_in_a_sentence(answer: str, reference: str) -> None:
    assert grade_by_reference([answer], [reference]) == ([1.0], ["contains"])
    assert grade_by_reference(["Parisian or eiffel or towers or 150 kmh or -"], [reference])[0] == [0.0]


def test_a_sentence_as_reference_is_left_to_a_judge() -> None:
    sentence = "Cool the cells after mixing them."
    assert grade_by_reference([sentence, sentence], [sentence, f"normalised: {sentence}"]) == (
        [None, 1.0],
        [None, "normalised"],
    )


def test_thoughts_are_no_part_of_an_answer() -> None:
    grades, _ = grade_by_reference(["<think>The answer is A? No.</think>\nB", "<think>The answer is B"], ["B", "B"])
    assert grades == [1, 0]


@pytest.mark.parametrize(
    "answer",
    [
        'Here it is:\n{"n": 3}\nThat is all.',
        'As asked [1], {"n": 3}.',
        '```json {"n": 3}```',
        '```json\r\n{"n": 3}\r\n```',
        '```json\n{"n": 3}\n```\nRun it with:\n```bash\nls\n```',
        '```json\n{"n": 3}',
        '~~~\n{"n": 3}\n~~~',
    ],
)
def test_schema_reads_json_wherever_it_stands(answer: str) -> None:
    assert json_schema(answer, '{"type": "object", "required": ["n"], "minProperties": 1, "maxProperties": 1}')


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
    assert checks == ["contains", "numeric", "choice", "json_schema", "regex", "exact"]


def test_a_colon_in_a_reference_is_no_check() -> None:
    assert check_of("Title: the sea") == ("contains", "Title: the sea")


def test_faulty_references_are_named() -> None:
    with pytest.raises(ValueError, match="isn't a regular expression"):
        regex("a", "(")
    with pytest.raises(ValueError, match="isn't a JSON schema"):
        json_schema("{}", '{"type": "nothing"}')
    with pytest.raises(ValueError, match="refers to a schema that isn't in it"):
        json_schema("{}", '{"$ref": "#/definitions/x"}')
    with pytest.raises(ValueError, match="isn't a JSON schema"):
        json_schema("{}", "[" * 100_000)
    with pytest.raises(ValueError, match="look-around"):
        regex("a", "(?=a)a")


def test_no_answer_stops_or_holds_up_the_check() -> None:
    assert not json_schema("[" * 100_000, '{"type": "array"}')
    assert not json_schema("[" * 900 + "]" * 900, '{"type": "array", "items": {"$ref": "#"}, "maxItems": 0}')
    assert not json_schema("{}", '{"$ref": "#"}')
    # a backtracking search takes years
    assert not regex("a" * 40 + "b", r"^(a+)+$")
    assert not json_schema('"' + "a" * 40 + 'b"', r'{"pattern": "^(a+)+$"}')


def test_patterns_end_where_pythons_do() -> None:
    assert regex("abc123\n", r"\d{3}$")
    assert regex("abc123", r"\d{3}\Z")
    assert not regex(r"abc\Y", r"\\Z")
