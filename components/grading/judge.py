"""Answers graded by a language model: one at a time by a rubric, or two at a time in both orders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from components.asking.client import Client
from components.asking.journal import Journal
from components.asking.purchase import Bought, Progress, buy
from components.asking.question import Price, Question
from components.grading.injection import JUMP, says_something, speaks_to_grader, without_words_to_grader
from components.grading.judge_calls import question_of, word_of, wrong_where
from components.grading.kinds import grade_frame, no_grades
from components.grading.preference import fit_strengths, grade_votes
from components.grading.rubric import (
    PAIRWISE_SCHEMA,
    POINTWISE_SCHEMA,
    Winner,
    pairwise,
    pointwise,
    read_grade,
    read_winner,
)

_CELL = ["prompt_id", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeConfig:
    """Who judges, and how."""

    model: str
    """As the endpoint names it."""
    max_output_tokens: int = 2000
    """Where its word is cut, >= 1: judges that think think within it. It is set aside, not spent."""

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise ValueError("the judge must be named: --model")
        if self.max_output_tokens < 1:
            raise ValueError(f"--max-output-tokens must be >= 1, got {self.max_output_tokens}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a judge made of answers."""

    grades: pl.DataFrame
    """With the columns of the table `grades`."""
    flagged: tuple[tuple[str, str], ...]
    """(prompt_id, model) of answers whose grade fell once their words to the grader were cut: they have the lower."""
    unread: int
    """Judge's answers without a grade in them."""
    failed: int
    """Answers that the judge could not be asked about."""
    bought: Bought
    only_to_grader: tuple[tuple[str, str], ...] = ()
    """(prompt_id, model) of answers that are nothing but words to the grader: a judge isn't asked about them."""


def judge_answers(
    answers: pl.DataFrame,
    config: JudgeConfig,
    client: Client,
    price: Price,
    budget_usd: float,
    journal: Journal,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Judged:
    """A grade for each answer, as far as the budget reaches; an empty answer is 0 and costs nothing.

    An answer that speaks to its grader is graded without those words as well, where others are left.

    Args:
        answers: prompt_id, model, prompt, response, reference (may be null), in the order in which they are graded.
        config: the judge.
        client: of the endpoint that it is asked at.
        price: of the judge.
        budget_usd: never exceeded, > 0.
        journal: of everything that it was asked before.
        tell: called as it goes on.
    """
    rows = answers.select(*_CELL, "prompt", "response", "reference").rows()
    asked: dict[tuple[str, str], list[Question]] = {}
    bare = []
    for prompt_id, model, prompt, response, reference in rows:
        if response.strip():
            texts = [response]
            if speaks_to_grader(response):
                texts.append(without_words_to_grader(response))
                if not says_something(texts[1]):
                    # a grade of it could be bought, and one of "[...]" would be no honest answer's: a person must look
                    bare.append((prompt_id, model))
                    continue
            asked[prompt_id, model] = [_pointwise(config, pointwise(prompt, text, reference)) for text in texts]
    questions, prices = [question for each in asked.values() for question in each], {config.model: price}
    bought = buy(questions, client, prices, budget_usd, journal, tell, wrong_where(read_grade))
    found: dict[tuple[str, str], float] = {(p, m): 0.0 for p, m, _, response, _ in rows if not response.strip()}
    flagged, unread, failed = [], 0, 0
    for cell, each in asked.items():
        replies = [bought.answers.get(question.key) for question in each]
        grades = [word_of(answer, read_grade) for answer in replies]
        kept = [grade for grade in grades if grade is not None]
        if len(kept) < len(grades):
            failed, unread = (failed + 1, unread) if None in replies else (failed, unread + 1)
            continue
        if len(kept) == 2 and kept[0] - kept[1] >= JUMP:
            flagged.append(cell)
        found[cell] = min(kept)
    frame = pl.DataFrame(
        [(*cell, grade) for cell, grade in found.items()],
        schema={"prompt_id": pl.String, "model": pl.String, "grade": pl.Float64},
        orient="row",
    )
    return Judged(
        grades=grade_frame(frame, f"judge:{config.model}", "judge"),
        flagged=tuple(flagged),
        unread=unread,
        failed=failed,
        bought=bought,
        only_to_grader=tuple(bare),
    )


def judge_pairs(
    answers: pl.DataFrame,
    config: JudgeConfig,
    client: Client,
    price: Price,
    budget_usd: float,
    journal: Journal,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Judged:
    """Grades from comparisons of every two answers to a prompt, each asked in both orders.

    A pair whose winner depends on the order is a tie (Zheng et al. 2023, arXiv 2306.05685, section 3.4).

    Args:
        answers: as in `judge_answers`.
        config: the judge.
        client: of the endpoint that it is asked at.
        price: of the judge.
        budget_usd: never exceeded, > 0.
        journal: of everything that it was asked before.
        tell: called as it goes on.

    Raises:
        ValueError: no prompt has two answers.
    """
    pairs: dict[tuple[str, str, str], tuple[Question, Question]] = {}
    for (prompt_id,), part in answers.group_by("prompt_id", maintain_order=True):
        prompt, reference = part["prompt"][0], part["reference"][0]
        texts = dict(part.select("model", "response").sort("model").iter_rows())
        for first, second in combinations(texts, 2):
            seats = ((texts[first], texts[second]), (texts[second], texts[first]))
            one, other = (_pairwise(config, pairwise(prompt, *seat, reference)) for seat in seats)
            pairs[str(prompt_id), first, second] = (one, other)
    if not pairs:
        raise ValueError("no prompt has two answers to compare")
    questions = [question for pair in pairs.values() for question in pair]
    bought = buy(questions, client, {config.model: price}, budget_usd, journal, tell, wrong_where(read_winner))
    votes: list[tuple[str, str, str, float]] = []
    unread = failed = 0
    for cell, pair in pairs.items():
        replies = [bought.answers.get(question.key) for question in pair]
        winners: list[Winner | None] = [word_of(answer, read_winner) for answer in replies]
        if (seated := winners[0]) is None or (swapped := winners[1]) is None:
            failed, unread = (failed + 1, unread) if None in replies else (failed, unread + 1)
            continue
        votes.append((*cell, _points(seated, swapped)))
    grades = _graded(votes) if votes else no_grades()
    return Judged(
        grades=grades.with_columns(
            pl.lit(f"judge-pairwise:{config.model}").alias("grader"), pl.lit("judge").alias("kind")
        ),
        flagged=(),
        unread=unread,
        failed=failed,
        bought=bought,
    )


def grades_from_votes(votes: pl.DataFrame, grader: str) -> pl.DataFrame:
    """Grades by preference from pairwise votes.

    Args:
        votes: prompt_id, model_a, model_b, points (of model_a: 1, 1/2 or 0).
        grader: whose votes they are.

    Raises:
        ValueError: no vote, or a vote between a candidate and itself.
    """
    rows = votes.select("prompt_id", "model_a", "model_b", "points").rows()
    return _graded(rows).with_columns(pl.lit(grader).alias("grader"))


def own_family(judge: str, models: list[str], providers: Mapping[str, str | None]) -> list[str]:
    """Candidates that look like the judge's relatives: of its maker, or of its name's first word.

    >>> own_family("gpt-4.1-mini", ["openai/gpt-5", "claude-3.7-sonnet"], {})
    ['openai/gpt-5']
    """
    maker = providers.get(judge)
    return [m for m in models if _stem(m) == _stem(judge) or (maker is not None and providers.get(m) == maker)]


def _stem(model: str) -> str:
    return model.rpartition("/")[2].lower().split("-")[0].rstrip("0123456789.")


def _pointwise(config: JudgeConfig, messages: tuple[tuple[str, str], ...]) -> Question:
    return question_of(config.model, config.max_output_tokens, messages, POINTWISE_SCHEMA)


def _pairwise(config: JudgeConfig, messages: tuple[tuple[str, str], ...]) -> Question:
    return question_of(config.model, config.max_output_tokens, messages, PAIRWISE_SCHEMA)


def _points(seated: Winner, swapped: Winner) -> float:
    """Points of the first candidate from both orders; in the second it sat second."""
    if (seated, swapped) == ("first", "second"):
        return 1.0
    return 0.0 if (seated, swapped) == ("second", "first") else 0.5


def _graded(votes: list[tuple[str, str, str, float]]) -> pl.DataFrame:
    models = sorted({model for _, first, second, _ in votes for model in (first, second)})
    prompts = list(dict.fromkeys(prompt for prompt, *_ in votes))
    column, row = ({name: k for k, name in enumerate(names)} for names in (models, prompts))
    prompt_V, first_V, second_V = (
        np.array(values, dtype=np.intp)
        for values in zip(*((row[p], column[a], column[b]) for p, a, b, _ in votes), strict=True)
    )
    points_V = np.array([points for *_, points in votes])
    fitted = fit_strengths(first_V, second_V, points_V, len(models))
    prompt, candidate, grade = grade_votes(prompt_V, first_V, second_V, points_V, fitted)
    frame = pl.DataFrame(
        {
            "prompt_id": [prompts[k] for k in prompt],
            "model": [models[k] for k in candidate],
            "grade": grade,
        }
    )
    return grade_frame(frame, "preference", "preference")
