"""Tasks of the simulated world in German and Spanish: what its writers draw, said in another language.

A writer builds a prompt of templates and words that it draws with its pen. A pen that draws the same and hands the
writer the translation makes it write the same task, of the same difficulty, in that language; another pen hands it the
next wording of the same request. What a writer says without its pen is repaired afterwards.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components.sources.planted.families import FAMILIES
from components.sources.planted.family import Family, Item, Pen
from tests.benchmarks import german, spanish

NAMES = ("algebra", "geography", "logic", "medicine", "poem", "regex", "sentiment")
LANGUAGES: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "German": (german.WORDS, german.REPAIRS),
    "Spanish": (spanish.WORDS, spanish.REPAIRS),
}
"""Words, and what to repair: pattern -> replacement."""
WORDINGS: Mapping[str, str] = {
    "algebra": "Solve the equation for {v}: {e}",
    "medicine": "A {y}-year-old {p} with {i} presents with {s} for {d} days. {q}",
    "poem": "Write a {m} {f} about {a} and {b}.",
    "regex": "Write a regular expression that matches {p} but not {q}.",
    "sentiment": "Classify the sentiment of this hotel review as positive, negative or mixed:",
}
"""Families that word one request in several ways, and the first of these; others ask something else each time."""


@dataclass(frozen=True, slots=True)
class TranslatingPen(Pen):
    """Draws as any pen with the same generator, and says it in another language."""

    words: Mapping[str, str]

    def one(self, options: Sequence[Item]) -> Item:
        """The translation of an option."""
        return self._said(Pen.one(self, options))

    def some(self, options: Sequence[Item], count: int) -> list[Item]:
        """The translations of several."""
        return [self._said(item) for item in Pen.some(self, options, count)]

    def _said(self, item: Item) -> Item:
        if isinstance(item, tuple):
            return tuple(self._said(part) for part in item)  # type: ignore[return-value]
        if not isinstance(item, str) or len(item) < 2:
            return item
        # a single capitalised word without a translation is a name; what was drawn from drawn options is said already
        named = item.isalpha() and item.istitle()
        return self.words.get(item, item) if named or item in self.words.values() else self.words[item]


@dataclass(frozen=True, slots=True)
class RewordingPen(Pen):
    """Draws as any pen with the same generator, but takes the next wording of a request."""

    def one(self, options: Sequence[Item]) -> Item:
        """An option; of wordings the one after it."""
        drawn = Pen.one(self, options)
        if options[0] not in WORDINGS.values():
            return drawn
        return options[(options.index(drawn) + 1) % len(options)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task, said in every way."""

    family: Family
    difficulty: float
    """In [0, 1]."""
    said: Mapping[str, str]
    """`English`, each of LANGUAGES, and `second wording` where the family has one."""


def tasks(count: int, seed: int) -> list[Task]:
    """Tasks of the families in turn.

    Args:
        count: how many.
        seed: of the draws; the same task is drawn alike for each of its texts.
    """
    families = [family for name in NAMES for family in FAMILIES if family.name == name]
    return [_task(families[place % len(families)], (seed, place)) for place in range(count)]


def _task(family: Family, seed: tuple[int, int]) -> Task:
    english, difficulty = family.write(Pen(np.random.default_rng(seed)))
    said = {"English": english}
    for language, (words, repairs) in LANGUAGES.items():
        text, again = family.write(TranslatingPen(np.random.default_rng(seed), words))
        assert again == difficulty
        for pattern, better in repairs.items():
            text = re.sub(pattern, better, text)
        said[language] = text
    if family.name in WORDINGS:
        said["second wording"] = family.write(RewordingPen(np.random.default_rng(seed)))[0]
    return Task(family=family, difficulty=difficulty, said=said)
