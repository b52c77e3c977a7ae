"""Answers checked against a right one: exact, normalised, contained, numeric, multiple choice, pattern, JSON schema."""

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal, get_args

from components.grading.final_letter import final_letter
from components.grading.final_number import final_number, only_number
from components.grading.reading import json_answer, without_thoughts
from components.grading.structured import allows, looks_like_schema, matches, schema_of

Check = Literal["exact", "normalised", "contains", "numeric", "choice", "regex", "json_schema"]
CHECKS: tuple[Check, ...] = get_args(Check)
RELATIVE_TOLERANCE = 1e-4
"""Numbers this close, relative to the right one, are the same; whole numbers are the same where they are equal."""
MOST_WORDS = 5
"""Words of a reference that an answer may be searched for; what is longer can be said in other words."""
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


def contains(answer: str, reference: str) -> bool:
    """The reference's words stand in the answer one after another, as whole words, compared as by `normalised`.

    >>> contains("The capital of France is Paris.", "Paris"), contains("Parisian", "Paris")
    (True, False)
    """
    wanted = _words(reference)
    # a reference of signs alone has no words
    return f" {wanted} " in f" {_words(answer)} " if wanted else exact(answer, reference)


def numeric(answer: str, reference: str, tolerance: float | None = None) -> bool:
    """The answer's final number is the right one (see `final_number`).

    Args:
        answer: with the number in it.
        reference: the right number.
        tolerance: relative, >= 0; None: whole numbers must be equal, others within `RELATIVE_TOLERANCE`.

    >>> numeric("17 x 23 = 391, so the answer is 391.", "391"), numeric("about 1,204.0", "1204"), numeric("12%", "0.12")
    (True, True, True)
    """
    right, given = final_number(reference), final_number(answer)
    if right is None or given is None:
        return False
    if tolerance is None and right.whole is not None and given.whole is not None:
        return right.whole == given.whole
    pairs = [(given.value, right.value)]
    # "how many per cent": 12 and 12% are the same, .12 and .12% aren't
    if given.percent and not right.percent and abs(right.value) > 1:
        pairs.append((given.value * 100, right.value))
    elif right.percent and not given.percent and abs(given.value) > 1:
        pairs.append((given.value, right.value * 100))
    tolerance = RELATIVE_TOLERANCE if tolerance is None else tolerance
    return any(math.isclose(*pair, rel_tol=tolerance, abs_tol=1e-9) for pair in pairs)


def choice(answer: str, reference: str) -> bool:
    """The answer settles on the right letter of a multiple choice (see `final_letter`).

    >>> choice("The answer is (C).", "C"), choice("A is wrong, B too.\\nAnswer: D", "d"), choice("C) Paris", "C")
    (True, True, True)
    """
    right = reference.strip().strip("()[].: ").upper()
    return bool(right) and final_letter(answer) == right[:1]


def regex(answer: str, reference: str) -> bool:
    """The pattern is found in the answer, in linear time: it may have no look-around or back references.

    Raises:
        ValueError: it isn't such a regular expression.

    >>> regex("SELECT name FROM users;", r"(?i)select\\s+name\\s+from")
    True
    """
    return matches(reference, answer)


def json_schema(answer: str, reference: str) -> bool:
    """The answer, or the JSON in it, is what the schema allows (draft 2020-12); see `json_answer`.

    Raises:
        ValueError: the reference isn't a JSON schema, or refers to one outside itself.

    >>> json_schema('{"n": 3}', '{"type": "object", "required": ["n"]}'), json_schema("three", '{"type": "object"}')
    (True, False)
    """
    schema_of(reference)
    try:
        given = json_answer(answer)
    except ValueError:
        return False
    return allows(reference, given)


_FUNCTIONS: dict[Check, Callable[[str, str], bool]] = {
    "exact": exact,
    "normalised": normalised,
    "contains": contains,
    "numeric": numeric,
    "choice": choice,
    "regex": regex,
    "json_schema": json_schema,
}


def check_of(reference: str) -> tuple[Check | None, str]:
    """Which check a reference asks for, and its right answer; None: no check but a judge can tell.

    A prefix says it ("regex: ^ok$"); without one a number is checked as a number, a single capital as a choice, a
    JSON object with a schema's words as a schema. Of other texts, up to `MOST_WORDS` words are looked for in the
    answer; what is longer is left to a judge, who reads it.

    >>> check_of("regex: ^ok$"), check_of("42"), check_of("B"), check_of("Paris")
    (('regex', '^ok$'), ('numeric', '42'), ('choice', 'B'), ('contains', 'Paris'))
    >>> check_of("Cool the cells after mixing them.")[0] is None
    True
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
    if only_number(text):
        return "numeric", text
    if text.startswith("{") and looks_like_schema(text):
        return "json_schema", text
    return ("contains" if len(text.split()) <= MOST_WORDS else None), text


def grade_by_reference(
    answers: Sequence[str], references: Sequence[str]
) -> tuple[list[float | None], list[Check | None]]:
    """1 or 0 for each answer, and the check that said so; an empty answer is 0. None: a judge must tell.

    What a model thought before it answered (<think>...</think>) is no part of its answer.

    Args:
        answers: one each.
        references: see `check_of`.

    Raises:
        ValueError: a reference is no regular expression or no schema, or the lengths differ.
    """
    grades: list[float | None] = []
    checks: list[Check | None] = []
    for answer, reference in zip(answers, references, strict=True):
        check, right = check_of(reference)
        checks.append(check)
        grades.append(None if check is None else float(_FUNCTIONS[check](without_thoughts(answer), right)))
    return grades, checks


def _words(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(" " if unicodedata.category(letter)[0] in "PZ" else letter for letter in plain)
    return " ".join(_ARTICLES.sub(" ", kept).split())
