"""What an onboarding buys first: a newcomer's answers, and their grades, within one budget."""

import argparse
import json
from pathlib import Path

import polars as pl

from components.collecting.choosing import CollectConfig, plan_path
from components.collecting.folder import collect_folder, prepare
from components.collecting.plan import read_plan
from components.grading.folder import JOURNAL, GradedFolder, JudgeRequest, grade_folder
from components.grading.judge import JudgeConfig
from components.tables.store import Tables, read_tables
from flows.purchasing import Bar, endpoint, stoppable
from pointsman.durable import write_whole


def probe(options: argparse.Namespace) -> None:
    """Buys what is missing of a newcomer's answers, and grades: by references, and by a judge where one is named.

    A run that was cut off while the judge was at work goes on there, with what its answers cost taken off the budget.

    Raises:
        ValueError: no budget, or a purchase that isn't whole.
    """
    if options.budget is None:
        raise ValueError("--budget is missing: USD that are never exceeded")
    endpoint(options.url)
    note = options.data / JOURNAL / "onboard.json"
    answers_usd = _noted(note).get(options.model)
    if answers_usd is None:
        answers_usd = _buy_answers(options)
        _write(note, _noted(note) | {options.model: answers_usd})
    tables = read_tables(options.data)
    checkable = tables.prompts.filter(pl.col("reference").is_not_null())
    if tables.responses is not None and tables.responses.join(checkable, on="prompt_id", how="semi").height:
        print(f"{grade_folder(options.data, 'reference').grades} grades by reference")
    graded = _judge(options, answers_usd) if options.judge else None
    if graded is None or not graded.cut_off:
        _write(note, {model: usd for model, usd in _noted(note).items() if model != options.model})
    if graded is not None and graded.problem:
        raise ValueError(graded.problem)


def _buy_answers(options: argparse.Namespace) -> float:
    """Buys the answers that are missing; USD spent."""
    tables = read_tables(options.data)
    of_it = tables.outcomes.filter(tables.outcomes["model"] == options.model)
    missing = min(options.probes - _usable(tables, options.model), tables.prompts.height - of_it.height)
    config = CollectConfig(
        # with a judge to pay as well, answers get half
        budget_usd=options.budget / 2 if options.judge else options.budget,
        candidates=(options.model,),
        prompts=max(missing, 1),
        max_output_tokens=options.max_output_tokens,
        purpose="onboard",
    )
    cut_off = set(read_plan(plan_path(options.data))["asked_for"]) == {config.asked_for}
    if missing <= 0 and not cut_off:
        return 0.0
    plan = prepare(options.data, config)
    for notice in plan.notices:
        print(f"note: {notice}")
    print(plan.bill)
    bar = Bar(config.budget_usd)
    found = stoppable(lambda: collect_folder(options.data, config, plan, endpoint(options.url), bar), bar)
    for notice in found.notices:
        print(f"note: {notice}")
    print(f"{found.answers} answers of {options.model} for {found.spent_usd:.6f} USD")
    if found.problem:
        raise ValueError(found.problem)
    return found.spent_usd


def _usable(tables: Tables, model: str) -> int:
    """A newcomer's answers that have a quality, or a text that can be given one."""
    of_it = tables.outcomes.filter(pl.col("model") == model)
    graded = of_it.filter(pl.col("quality").is_not_null()).select("prompt_id")
    if tables.responses is None:
        return graded.height
    texts = tables.responses.filter(pl.col("model") == model).select("prompt_id")
    return pl.concat([graded, texts]).unique().height


def _judge(options: argparse.Namespace, answers_usd: float) -> GradedFolder:
    """Has a judge grade the answers with what they left of the budget."""
    left = options.budget - answers_usd
    if left <= 0:
        raise ValueError(
            f"the answers of {options.model} cost {answers_usd:.6f} of {options.budget:g} USD: nothing is left for the "
            "judge: raise --budget"
        )
    # a length given for the newcomer's answers is no reason to cut the judge's shorter than usual
    length = max(JudgeConfig(model=options.judge).max_output_tokens, options.max_output_tokens)
    judge = JudgeConfig(model=options.judge, max_output_tokens=length)
    request = JudgeRequest(endpoint=endpoint(options.url), judge=judge, budget_usd=left)
    bar = Bar(left)
    graded = stoppable(lambda: grade_folder(options.data, "judge", request, bar, options.model), bar)
    for notice in graded.notices:
        print(f"note: {notice}")
    print(f"{graded.grades} grades by {options.judge} for {graded.spent_usd:.6f} USD")
    return graded


def _noted(note: Path) -> dict[str, float]:
    """USD that answers cost, by newcomers whose judge isn't done."""
    return dict(json.loads(note.read_bytes())) if note.is_file() else {}


def _write(note: Path, noted: dict[str, float]) -> None:
    if not noted:
        note.unlink(missing_ok=True)
        return
    note.parent.mkdir(parents=True, exist_ok=True)
    write_whole(note, lambda aside: aside.write_text(json.dumps(noted), encoding="utf-8"))
