"""Answers checked against a right one: exact, normalised, numeric, multiple choice, pattern, JSON schema."""

import json
import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal, get_args

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

Check = Literal["exact", "normalised", "numeric", "choice", "regex", "json_schema"]
CHECKS: tuple[Check, ...] = get_args(Check)
RELATIVE_TOLERANCE = 1e-4
"""Numbers this close, relative to the right one, are the same."""
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?")
_FINAL = re.compile(r"(?:final\s+answer|correct\s+answer|answer|option|choice)\s*(?:is|:|=)?\s*[:=]?\s*", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_LETTER = re.compile(r"[\(\[\*]*\b([A-Z])\b[\)\]\*.:]*")
_FENCE = re.compile(r"```[\w-]*\n(.*?)```", re.DOTALL)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def exact(answer: str, reference: str) -> bool:
    """The same text but for space at the ends.

    >>> exact("Paris ", "Paris"), exact("paris", "Paris")
    (True, False)
    """
    return answer.strip() == reference.strip()


def normalised(answer: str, reference: str) -> bool:
    """The same words: case, punctuation, articles, accents' encoding and space don't count (SQuAD's exact match).

    >>> normalised("The  Eiffel tower!", "eiffel tower")
    True
    """
    return _words(answer) == _words(reference)


def numeric(answer: str, reference: str, tolerance: float = RELATIVE_TOLERANCE) -> bool:
    """The answer's final number is the right one within a relative tolerance.

    Read in this order: what is boxed, what follows the last "answer", the last number.

    >>> numeric("17 x 23 = 391, so the answer is 391.", "391"), numeric("about 1,204.0", "1204"), numeric("12%", "0.12")
    (True, True, True)
    """
    right, given = _final_number(reference), _final_number(answer)
    if right is None or given is None:
        return False
    return math.isclose(given, right, rel_tol=tolerance, abs_tol=1e-9)


def choice(answer: str, reference: str) -> bool:
    """The answer settles on the right letter of a multiple choice.

    >>> choice("The answer is (C).", "C"), choice("A is wrong, B too.\\nAnswer: D", "d"), choice("C) Paris", "C")
    (True, True, True)
    """
    right = reference.strip().strip("()[].: ").upper()
    return bool(right) and _letter(answer) == right[:1]


def regex(answer: str, reference: str) -> bool:
    """The pattern is found in the answer.

    Raises:
        ValueError: it isn't a regular expression.

    >>> regex("SELECT name FROM users;", r"(?i)select\\s+name\\s+from")
    True
    """
    try:
        return re.search(reference, answer) is not None
    except re.error as error:
        raise ValueError(f"reference {reference!r} isn't a regular expression: {error}") from error


def json_schema(answer: str, reference: str) -> bool:
    """The answer, or the one fenced block in it, is JSON that the schema allows (draft 2020-12).

    Raises:
        ValueError: the reference isn't a JSON schema.

    >>> json_schema('{"n": 3}', '{"type": "object", "required": ["n"]}'), json_schema("three", '{"type": "object"}')
    (True, False)
    """
    try:
        schema = json.loads(reference)
        Draft202012Validator.check_schema(schema)
    except (ValueError, SchemaError) as error:
        raise ValueError(f"reference {reference[:80]!r} isn't a JSON schema: {str(error)[:200]}") from error
    fenced = _FENCE.findall(answer)
    try:
        given = json.loads(fenced[-1] if fenced else answer)
    except ValueError:
        return False
    return bool(Draft202012Validator(schema).is_valid(given))


_FUNCTIONS: dict[Check, Callable[[str, str], bool]] = {
    "exact": exact,
    "normalised": normalised,
    "numeric": numeric,
    "choice": choice,
    "regex": regex,
    "json_schema": json_schema,
}


def check_of(reference: str) -> tuple[Check, str]:
    """Which check a reference asks for, and its right answer.

    A prefix says it ("regex: ^ok$"); without one a number is checked as a number, a single capital as a choice, a
    JSON object with a schema's words as a schema, everything else by its words.

    >>> check_of("regex: ^ok$"), check_of("42"), check_of("B"), check_of("Paris")
    (('regex', '^ok$'), ('numeric', '42'), ('choice', 'B'), ('normalised', 'Paris'))
    """
    prefix, colon, rest = reference.partition(":")
    name = prefix.strip().lower().replace(" ", "_").replace("-", "_")
    if colon:
        for check in CHECKS:
            if name == check:
                return check, rest.strip()
    text = reference.strip()
    if re.fullmatch(r"\(?[A-Z]\)?\.?", text):
        return "choice", text
    if _whole_number(text):
        return "numeric", text
    if text.startswith("{") and _is_schema(text):
        return "json_schema", text
    return "normalised", text


def grade_by_reference(answers: Sequence[str], references: Sequence[str]) -> tuple[list[float], list[Check]]:
    """1 or 0 for each answer, and the check that said so; an empty answer is 0.

    Args:
        answers: one each.
        references: see `check_of`.

    Raises:
        ValueError: a reference is no regular expression or no schema, or the lengths differ.
    """
    grades: list[float] = []
    checks: list[Check] = []
    for answer, reference in zip(answers, references, strict=True):
        check, right = check_of(reference)
        checks.append(check)
        grades.append(float(_FUNCTIONS[check](answer, right)))
    return grades, checks


def _words(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(" " if unicodedata.category(letter)[0] in "PZ" else letter for letter in plain)
    return " ".join(_ARTICLES.sub(" ", kept).split())


def _final_number(text: str) -> float | None:
    boxed = _BOXED.findall(text)
    after = [*_FINAL.finditer(text)]
    places = [*boxed[-1:], *([text[after[-1].end() :]] if after else [])]
    for place in places:
        if numbers := _numbers(place):
            return numbers[0]
    numbers = _numbers(text)
    return numbers[-1] if numbers else None


def _numbers(text: str) -> list[float]:
    found: list[float] = []
    for match in _NUMBER.finditer(text):
        if not any(letter.isdigit() for letter in match.group()):
            continue
        value = float(match.group().replace(",", ""))
        rest = text[match.end() :]
        if fraction := re.match(r"\s*/\s*(\d+)", rest):
            value = value / float(fraction[1]) if float(fraction[1]) else math.nan
        elif rest.startswith("%"):
            value /= 100
        # the denominator of a fraction is no number of its own
        if not (found and re.search(r"\d\s*/\s*$", text[: match.start()])):
            found.append(value)
    return found


def _whole_number(text: str) -> bool:
    return bool(re.fullmatch(r"[-+$€£]?\s*(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?\s*%?", text)) and any(
        letter.isdigit() for letter in text
    )


def _letter(answer: str) -> str | None:
    boxed: list[str] = _BOXED.findall(answer)
    after = [*_FINAL.finditer(answer)]
    for place in [*boxed[-1:], *([answer[after[-1].end() :]] if after else [])]:
        start = place.lstrip(" *([\n")
        if re.match(r"[A-Z](?![\w'])", start):
            return start[0]
    # "C) Paris" begins with its letter, "I think" doesn't
    if first := re.match(r"[\s*(\[]*([A-Z])(?:[)\].:*\n]|\s*$)", answer):
        return first[1]
    letters: list[str] = _LETTER.findall(answer)
    # "A" and "I" are words as well: the last letter that stands alone counts
    return letters[-1] if letters else None


def _is_schema(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and bool({"type", "properties", "$schema", "required", "anyOf"} & set(value))
