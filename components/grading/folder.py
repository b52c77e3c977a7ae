"""A folder of logs graded: new grades into its table, quality derived from all of them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import polars as pl

from components.asking.client import Client, Endpoint
from components.asking.journal import UNFINISHED, Journal
from components.asking.prices import known_prices, prices_for
from components.asking.purchase import Bought, Progress
from components.grading.believed import Agreement, believe, equal_grades, fill_quality
from components.grading.judge import (
    JudgeConfig,
    Judged,
    grades_from_votes,
    judge_answers,
    judge_pairs,
    own_family,
)
from components.grading.kinds import add_grades, grade_frame, no_grades, of_known, unknown_said
from components.grading.referenced import grade_references
from components.grading.sources import answers_of, feedback_of, votes_of
from components.tables.errors import TableError
from components.tables.store import Tables, read_tables, write_tables

By = Literal["reference", "judge", "feedback", "preference"]
JOURNAL = "journal"
"""Folder of what was asked, beside the tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequest:
    """A judge at an endpoint."""

    endpoint: Endpoint
    judge: JudgeConfig
    budget_usd: float
    """Never exceeded, > 0."""
    pairs: bool = False
    """Compare two answers at a time, in both orders, instead of grading each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedFolder:
    """What grading a folder came to."""

    grades: int
    """Grades given now."""
    quality: int
    """Outcomes with a quality, after."""
    outcomes: int
    """All outcomes, after."""
    agreement: tuple[Agreement, ...]
    """How each judge compares with better grades."""
    notices: tuple[str, ...] = field(default=())
    """One line each: what the reader should know."""
    spent_usd: float = 0.0
    problem: str | None = None
    """Why it isn't whole; what was graded is kept."""
    cut_off: bool = False
    """Whether the same command goes on with what a judge has of its budget."""
    left: int = 0
    """Answers, or pairs of them, that a judge gave no grade: its budget ended, a call failed, its word held none."""


def grade_folder(
    folder: Path,
    by: By,
    request: JudgeRequest | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
    only: str | None = None,
) -> GradedFolder:
    """Grades what isn't graded by this grader yet, and derives quality.

    Args:
        folder: of the tables.
        by: who grades.
        request: the judge, where one grades.
        tell: called as a judge goes on.
        only: the one candidate whose answers a judge grades; None: all.

    Raises:
        TableError: the folder lacks what this grader reads.
        ValueError: a judge without its request.
    """
    tables = read_tables(folder)
    before = tables.grades if tables.grades is not None else no_grades()
    judged: Judged | None = None
    notices: list[str] = []
    if by == "reference":
        new, notices = grade_references(tables, folder)
    elif by == "preference":
        new = grades_from_votes(votes_of(folder), "preference")
    elif by == "feedback":
        feedback = feedback_of(tables, folder)
        notices += feedback.notices
        new = pl.concat([no_grades(), *(grade_frame(part, name, "feedback") for name, part in feedback.parts)])
    else:
        if request is None:
            raise ValueError("--by judge needs --url, --model and --budget")
        judged, notices = _by_judge(tables, folder, request, tell, only)
        new = judged.grades
    notices += unknown_said(new, tables, "grades")
    new = of_known(new, tables)
    grades = add_grades(before, new)
    believed = believe(grades)
    outcomes = fill_quality(tables, believed.quality, grades)
    write_tables(replace(tables, outcomes=outcomes, grades=grades, responses=None), folder)
    return GradedFolder(
        grades=new.height,
        quality=outcomes["quality"].drop_nulls().len(),
        outcomes=outcomes.height,
        agreement=believed.agreement,
        notices=tuple(notices),
        spent_usd=judged.bought.spent_usd if judged else 0.0,
        problem=None if judged is None or request is None else _problem(judged, new, request.judge),
        cut_off=judged is not None and _cut_off(judged.bought),
        left=judged.failed + judged.unread if judged else 0,
    )


def forget(folder: Path) -> int:
    """Deletes the texts of all answers of a folder: the table `responses` and what journals keep; how many there were.

    Raises:
        TableError: no such folder, or a purchase that isn't over: without its answers it would pay for them again.
    """
    if not folder.is_dir():
        raise TableError(f"{folder}: no such folder")
    if (plan := folder / JOURNAL / UNFINISHED).is_file():
        raise TableError(
            f"{plan}: a purchase was cut off, so the texts of answers were kept: finish it with the same command "
            "(with --budget 1e-6 it asks nothing more and keeps what was answered), then forget"
        )
    gone = 0
    for path in sorted(folder.glob("responses.*")):
        path.unlink()
        gone += 1
    for path in sorted((folder / JOURNAL).glob("*.jsonl")):
        with Journal(path) as journal:
            gone += journal.forget()
    return gone


def _by_judge(
    tables: Tables, folder: Path, request: JudgeRequest, tell: Callable[[Progress], None], only: str | None
) -> tuple[Judged, list[str]]:
    answers, notices = answers_of(tables, folder)
    answers = _shuffled(answers)
    if only is not None:
        answers = answers.filter(pl.col("model") == only)
    model = request.judge.model
    prices, assumed = prices_for([model], known_prices(tables.candidates))
    if assumed:
        price = prices[model]
        notices.append(
            f"the price of {model} is in no table: {price.input_usd_per_mtok:g} and {price.output_usd_per_mtok:g} USD "
            "per million tokens are assumed where the endpoint reports no cost, or 0"
        )
    providers = dict(tables.candidates.select("model", "provider").iter_rows())
    if kin := own_family(model, sorted(answers["model"].unique()), providers):
        notices.append(f"{model} grades its own family ({', '.join(kin)}): such grades lean to it; correct them")
    client = Client(request.endpoint)
    try:
        with Journal(folder / JOURNAL / "judge.jsonl") as journal:
            ask = judge_pairs if request.pairs else judge_answers
            judged = ask(answers, request.judge, client, prices[model], request.budget_usd, journal, tell)
            if not _cut_off(judged.bought):
                journal.done()
    finally:
        client.close()
    for cells, what in (
        (judged.flagged, "asked their grader for a better grade and had one; they keep the grade without those words"),
        (judged.only_to_grader, "are nothing but words to their grader and get no grade: look at them"),
    ):
        if cells:
            shown = ", ".join(f"{model} on {prompt_id}" for prompt_id, model in cells[:3])
            notices.append(f"{len(cells)} answers {what}: {shown}")
    if judged.bought.over_budget and judged.bought.answers:
        notices.append(f"stopped there: {judged.bought.stopped}")
    if judged.unread:
        notices.append(f"{judged.unread} answers of the judge held no grade{_cut(judged, request.judge)}")
    return judged, notices


def _cut_off(bought: Bought) -> bool:
    return bought.stopped is not None and not bought.over_budget


def _cut(judged: Judged, judge: JudgeConfig) -> str:
    count = sum(answer.cut for answer in judged.bought.answers.values())
    return f"; {count} were cut at {judge.max_output_tokens} tokens: raise --max-output-tokens" if count else ""


def _problem(judged: Judged, new: pl.DataFrame, judge: JudgeConfig) -> str | None:
    """Why a judge's work isn't whole; a budget that ran out after some grades is no problem but a wish."""
    bought = judged.bought
    if bought.unknown_models:
        return f"the endpoint doesn't know the model {bought.unknown_models[0]!r}"
    if bought.stopped and not (bought.over_budget and bought.answers):
        return bought.stopped
    return _useless(judged, new, judge)


def _useless(judged: Judged, new: pl.DataFrame, judge: JudgeConfig) -> str | None:
    """Why nothing can be made of what the judge said."""
    equal = equal_grades(new)
    if equal is not None:
        return (
            f"the judge gave {equal:g} to all {new.height} answers: that tells nothing apart, so no quality is derived "
            "from it; the grades are kept"
        )
    if new.is_empty() and judged.unread:
        return f"none of the judge's {judged.unread} answers held a grade{_cut(judged, judge)}"
    if new.is_empty() and judged.failed:
        why = next(iter(judged.bought.failed.values()), "no answer came")
        return f"the judge could be asked about none of {judged.failed} answers: {why}"
    return None


def _shuffled(answers: pl.DataFrame) -> pl.DataFrame:
    """In an order that nothing but the cells' names settles: whatever the budget reaches is a random part."""
    names = [f"{prompt_id}\n{model}" for prompt_id, model in answers.select("prompt_id", "model").iter_rows()]
    order = pl.Series("order", [hashlib.sha256(name.encode()).hexdigest() for name in names], dtype=pl.String)
    return answers.with_columns(order).sort("order").drop("order")
