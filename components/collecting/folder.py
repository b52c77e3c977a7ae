"""Answers bought for a folder of logs: chosen, billed, asked, and appended to its tables."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from components.asking.client import Client, Endpoint
from components.asking.journal import Journal
from components.asking.purchase import Bought, Progress, buy
from components.asking.question import Question
from components.collecting.choosing import JOURNAL, CollectConfig, Plan, Predicted, plan_folder, plan_path
from components.collecting.plan import append, collected, question_of, read_plan, with_propensity, write_plan
from components.tables.store import read_tables, write_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedFolder:
    """What came of it."""

    answers: int
    """Rows added to the tables."""
    failed: int
    spent_usd: float
    problem: str | None
    """Why it isn't whole; what was answered is kept."""
    notices: tuple[str, ...] = ()


def collect_folder(
    folder: Path,
    config: CollectConfig,
    plan: Plan,
    endpoint: Endpoint,
    tell: Callable[[Progress], None] = lambda _: None,
) -> CollectedFolder:
    """Asks what the plan says and appends what was answered.

    Killed at any moment: the plan and the answers are on disk, and the same command goes on.

    Args:
        folder: of the tables.
        config: the one that the plan was made with.
        plan: see `plan_folder`.
        endpoint: where candidates are asked.
        tell: called as it goes on.
    """
    whole = pl.concat([plan.cells, plan.there.select(plan.cells.columns)])
    write_plan(plan_path(folder), whole, config.asked_for)
    client = Client(endpoint)
    try:
        with _journal(folder) as journal:
            questions = _questions(folder, config, plan, journal)
            bought = buy(questions, client, plan.prices, config.budget_usd, journal, tell)
            added = _keep(folder, whole, journal)
            # of a plan that brought nothing there is nothing to go on with
            if bought.stopped is None or bought.over_budget or not bought.answers:
                journal.done()
                plan_path(folder).unlink()
    finally:
        client.close()
    return CollectedFolder(
        answers=added,
        failed=len(bought.failed),
        spent_usd=bought.spent_usd,
        problem=_problem(bought, added),
        notices=_notices(bought, config),
    )


def prepare(folder: Path, config: CollectConfig, predicted: Predicted | None = None) -> Plan:
    """The plan of a purchase that is to be made; one that was cut off and was asked for something else is ended.

    What that one was answered is in the tables then, with the chances of a purchase that ended early.

    Args:
        folder: of the tables.
        config: what to buy.
        predicted: see `plan_folder`.

    Raises:
        TableError: a candidate that isn't in the table, or nothing left to buy.
        ValueError: another run is asking.
    """
    plan = plan_folder(folder, config, predicted)
    if not plan.other:
        return plan
    with _journal(folder) as journal:
        kept = read_plan(plan_path(folder))
        added = _keep(folder, kept, journal)
        journal.done()
        plan_path(folder).unlink()
    done, asked = kept["key"].is_in(list(journal.answers)).sum(), kept["key"].drop_nulls().len()
    notice = (
        f"a run that was cut off, with {done} of {asked} answers, was asked for other candidates, prompts or lengths: "
        f"it is ended, its answers are kept ({added} more are in the tables now)"
    )
    plan = plan_folder(folder, config, predicted)
    return replace(plan, notices=(notice, *plan.notices))


def _journal(folder: Path) -> Journal:
    return Journal(folder / JOURNAL / "collect.jsonl")


def _questions(folder: Path, config: CollectConfig, plan: Plan, journal: Journal) -> list[Question]:
    """The plan's calls but those whose answer is in the tables and was forgotten since: they are paid for."""
    there = set(read_tables(folder).outcomes.select("prompt_id", "model").iter_rows())
    cells = plan.cells.select("key", "prompt_id", "prompt", "model").iter_rows()
    return [
        question_of(prompt, model, config.max_output_tokens)
        for key, prompt_id, prompt, model in cells
        if key in journal.answers or (prompt_id, model) not in there
    ]


def _keep(folder: Path, whole: pl.DataFrame, journal: Journal) -> int:
    """Appends what a plan was answered to the tables; how many rows that adds."""
    found = collected(whole, journal)
    tables = read_tables(folder)
    outcomes = with_propensity(append(tables.outcomes, found.outcomes), found.propensity)
    responses = append(tables.responses, found.responses)
    # responses first: an outcome without its text would be asked for no more, and never graded
    write_tables(replace(tables, responses=responses), folder)
    write_tables(replace(tables, outcomes=outcomes, responses=responses), folder)
    return outcomes.height - tables.outcomes.height


def _problem(bought: Bought, added: int) -> str | None:
    if bought.unknown_models:
        return f"the endpoint doesn't know {', '.join(map(repr, bought.unknown_models))}; {added} answers were kept"
    if bought.stopped and not (bought.over_budget and bought.answers):
        return f"{bought.stopped}; {added} answers were kept" if added else bought.stopped
    if bought.failed and not bought.answers:
        return next(iter(bought.failed.values()))
    return None


def _notices(bought: Bought, config: CollectConfig) -> tuple[str, ...]:
    notices = []
    if bought.over_budget and bought.answers:
        notices.append(f"stopped there: {bought.stopped}")
    if bought.failed and bought.answers:
        notices.append(f"{len(bought.failed)} questions have no answer, such as: {next(iter(bought.failed.values()))}")
    if empty := sum(not answer.text for answer in bought.answers.values()):
        notices.append(f"{empty} answers are empty")
    if cut := sum(answer.cut for answer in bought.answers.values()):
        notices.append(
            f"{cut} answers were cut at {config.max_output_tokens} tokens and are kept so: raise --max-output-tokens "
            "before more are bought"
        )
    return tuple(notices)
