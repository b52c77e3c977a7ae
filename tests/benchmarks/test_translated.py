"""Translated tasks are the same tasks, wholly in the other language."""

import re
from collections import Counter

import pytest

from tests.benchmarks.translated import LANGUAGES, NAMES, WORDINGS, tasks

FOUND = tasks(100 * len(NAMES), 1)
ENGLISH = re.compile(r"\b(the|and|with|of|which|what|write|who|place|years?|this|is|for|should|clues)\b", re.IGNORECASE)


def test_families_come_in_turn_and_draws_repeat():
    assert [task.family.name for task in FOUND[: len(NAMES)]] == list(NAMES)
    assert FOUND[:5] == tasks(5, 1)
    assert FOUND[0].said != tasks(1, 2)[0].said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_task_keeps_its_numbers_and_no_english_word(language):
    for task in FOUND:
        text = task.said[language]
        assert not ENGLISH.search(text), text
        if task.family.name != "poem":
            numbers = (Counter(re.findall(r"\d+", task.said[name])) for name in ("English", language))
            assert len(set(map(frozenset, (count.items() for count in numbers)))) == 1, text
        assert "{" not in text
        assert text != task.said["English"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_keep_their_fields(language):
    for english, other in LANGUAGES[language][0].items():
        fields = [set(re.findall(r"\{\w+\}", text)) for text in (english, other)]
        assert fields[0] == fields[1], english


def test_names_and_equations_are_as_they_were():
    for task in FOUND:
        if task.family.name == "algebra":
            equation = re.search(r"\d+\w\S* .*? = \d+", task.said["English"])
            assert equation is not None
            assert all(equation.group() in text for text in task.said.values())
        if task.family.name == "logic":
            people = re.search(r"((?:\w+, )+\w+) (?:sit|stand|live|share|finish|give) ", task.said["English"])
            assert people is not None
            assert all(people.group(1) in task.said[language] for language in LANGUAGES)


def test_a_second_wording_says_the_same_otherwise():
    for task in FOUND:
        assert ("second wording" in task.said) == (task.family.name in WORDINGS)
        if task.family.name in ("algebra", "regex", "medicine"):
            one, other = task.said["English"], task.said["second wording"]
            assert one != other
            assert Counter(re.findall(r"\d+", one)) == Counter(re.findall(r"\d+", other))


@pytest.mark.parametrize(
    ("family", "language", "text"),
    [
        ("geography", "German", "der Mongolei"),
        ("sentiment", "German", "Nächte im Hotel"),
        ("sentiment", "Spanish", "noches en el hotel"),
        ("logic", "Spanish", " e Irene"),
    ],
)
def test_what_a_writer_says_without_its_pen_is_repaired(family, language, text):
    found = [task.said[language] for task in tasks(700, 3) if task.family.name == family]
    assert any(text in one for one in found)
    assert not any("von die" in one or " y Irene" in one for one in found)
