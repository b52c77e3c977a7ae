"""Answers bought for a folder of logs: chosen, billed, asked, and appended to its tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from components.asking.client import Client, Endpoint
from components.asking.journal import Journal
from components.asking.prices import known_prices, prices_for
from components.asking.purchase import Bought, Progress, buy
from components.asking.question import Price
from components.collecting.bill import Bill, estimate, usual_output_tokens
from components.collecting.plan import append, collected, question_of, read_plan, write_plan
from components.collecting.probes import Believed, ProbeConfig, Probes, draw_probes
from components.tables.errors import TableError
from components.tables.store import Tables, read_tables, write_tables

JOURNAL = "journal"
_SHARE = 0.9
"""Of the budget that is planned for: answers may be longer than usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectConfig:
    """What to buy."""

    budget_usd: float
    """Never exceeded, > 0."""
    candidates: tuple[str, ...] = ()
    """Names; empty: all of the table that aren't retired."""
    prompts: int | None = None
    """How many to probe, >= 1; None: what the budget reaches."""
    max_output_tokens: int = 1024
    """Where answers are cut, >= 1."""
    probes: ProbeConfig = field(default_factory=ProbeConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.budget_usd < float("inf"):
            raise ValueError(f"--budget must be a positive number of USD, got {self.budget_usd}")
        if self.prompts is not None and self.prompts < 1:
            raise ValueError(f"--prompts must be >= 1, got {self.prompts}")
        if self.max_output_tokens < 1:
            raise ValueError(f"max_output_tokens must be >= 1, got {self.max_output_tokens}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predicted:
    """What a router says of all prompts of a folder, for candidates by name."""

    models: tuple[str, ...]
    quality_NM: np.ndarray
    """In the order of `models`."""
    choice_N: np.ndarray
    """Index into `models`."""
    task_N: np.ndarray
    single: str
    """The best single candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be asked."""

    cells: pl.DataFrame
    """key, prompt_id, model, inclusion, prompt."""
    bill: Bill
    prices: dict[str, Price]
    notices: tuple[str, ...]
    goes_on: bool
    """Whether it is the plan of a run that was cut off."""


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


def plan_folder(folder: Path, config: CollectConfig, predicted: Predicted | None = None) -> Plan:
    """Chooses cells, or finds the plan of a run that was cut off.

    Args:
        folder: of the tables.
        config: what to buy.
        predicted: by a router; None: probes are drawn evenly.

    Raises:
        TableError: a candidate that isn't in the table, or nothing left to buy.
    """
    tables = read_tables(folder)
    kept = read_plan(_plan_path(folder))
    models = _candidates(tables, config, folder)
    prices, assumed = prices_for(models, known_prices(tables.candidates))
    notices = [f"no price known for {', '.join(assumed)}: the highest known one is assumed"] if assumed else []
    if kept.height:
        texts = tables.prompts.select("prompt_id", "prompt")
        cells = kept.join(texts, on="prompt_id", how="inner", maintain_order="left")
        more, assumed = prices_for(cells["model"].unique().to_list(), known_prices(tables.candidates))
        bill = _bill(cells, tables, more)
        return Plan(cells=cells, bill=bill, prices=more, notices=("a run that was cut off goes on",), goes_on=True)
    cells = _chosen(tables, models, prices, config, predicted, folder)
    return Plan(cells=cells, bill=_bill(cells, tables, prices), prices=prices, notices=tuple(notices), goes_on=False)


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
    write_plan(_plan_path(folder), plan.cells)
    cells = plan.cells.select("prompt", "model").iter_rows()
    questions = [question_of(prompt, model, config.max_output_tokens) for prompt, model in cells]
    client = Client(endpoint)
    try:
        with Journal(folder / JOURNAL / "collect.jsonl") as journal:
            bought = buy(questions, client, plan.prices, config.budget_usd, journal, tell)
            found = collected(plan.cells, journal)
            tables = read_tables(folder)
            outcomes = append(tables.outcomes, found.outcomes)
            added = outcomes.height - tables.outcomes.height
            responses = append(tables.responses, found.responses)
            # responses first: an outcome without its text would be asked for no more, and never graded
            write_tables(replace(tables, responses=responses), folder)
            write_tables(replace(tables, outcomes=outcomes, responses=responses), folder)
            # of a plan that brought nothing there is nothing to go on with
            if bought.stopped is None or bought.over_budget or not bought.answers:
                journal.done()
                _plan_path(folder).unlink()
    finally:
        client.close()
    return CollectedFolder(
        answers=added,
        failed=len(bought.failed),
        spent_usd=bought.spent_usd,
        problem=_problem(bought, added),
        notices=_notices(bought),
    )


def _plan_path(folder: Path) -> Path:
    return folder / JOURNAL / "collect-plan.parquet"


def _candidates(tables: Tables, config: CollectConfig, folder: Path) -> list[str]:
    known = tables.candidates["model"].to_list()
    if unknown := [name for name in config.candidates if name not in known]:
        raise TableError(f"{folder}: no candidate {unknown[0]!r} in the table 'candidates'; known: {', '.join(known)}")
    if config.candidates:
        return list(dict.fromkeys(config.candidates))
    return tables.candidates.filter(~pl.col("retired").fill_null(False))["model"].to_list()


def _chosen(
    tables: Tables,
    models: list[str],
    prices: dict[str, Price],
    config: CollectConfig,
    predicted: Predicted | None,
    folder: Path,
) -> pl.DataFrame:
    open_NM = _open(tables, models)
    if not open_NM.any():
        raise TableError(f"{folder}: every candidate has an answer to every prompt already: there is nothing to buy")
    believed = _believed(predicted, models)
    task_N = predicted.task_N if predicted is not None else _labels(tables)

    def drawn(prompts: int) -> pl.DataFrame:
        probes = draw_probes(open_NM, task_N, prompts, believed, config.probes, config.seed)
        return _cells(probes, tables, models, config.max_output_tokens)

    if config.prompts is not None:
        return drawn(min(config.prompts, tables.prompts.height))
    least, most = 1, int(open_NM.any(axis=1).sum())
    while least < most:
        middle = (least + most + 1) // 2
        if _bill(drawn(middle), tables, prices).usd <= _SHARE * config.budget_usd:
            least = middle
        else:
            most = middle - 1
    return drawn(least)


def _open(tables: Tables, models: Sequence[str]) -> np.ndarray:
    rows = tables.prompts.select("prompt_id").with_row_index("row")
    columns = pl.DataFrame({"model": models, "column": range(len(models))}, schema_overrides={"column": pl.Int64})
    seen = tables.outcomes.join(rows, on="prompt_id").join(columns, on="model")
    open_NM = np.ones((tables.prompts.height, len(models)), dtype=bool)
    open_NM[seen["row"].to_numpy(), seen["column"].to_numpy()] = False
    return open_NM


def _labels(tables: Tables) -> np.ndarray:
    """The logs' own labels as numbers, -1 where there is none."""
    labels = tables.prompts["benchmark"].rank("dense").cast(pl.Int32).fill_null(-1)
    return np.asarray(labels.to_numpy(), dtype=np.int32)


def _believed(predicted: Predicted | None, models: Sequence[str]) -> Believed | None:
    """The predictions for the candidates asked; None where the router doesn't know the best of them."""
    if predicted is None or predicted.single not in models:
        return None
    known = [model for model in models if model in predicted.models]
    if len(known) < len(models) or len(known) < 2:
        return None
    columns = [predicted.models.index(model) for model in models]
    chosen = np.array([models.index(name) if name in models else -1 for name in predicted.models])
    choice_N = chosen[predicted.choice_N]
    quality_NM = predicted.quality_NM[:, columns]
    return Believed(
        quality_NM=quality_NM,
        choice_N=np.where(choice_N >= 0, choice_N, quality_NM.argmax(axis=1)),
        single=models.index(predicted.single),
    )


def _cells(probes: Probes, tables: Tables, models: Sequence[str], max_output_tokens: int) -> pl.DataFrame:
    picked = tables.prompts.select(pl.col("prompt_id", "prompt").gather(probes.prompt_K.tolist()))
    names = [models[candidate] for candidate in probes.candidate_K]
    keys = [
        question_of(prompt, model, max_output_tokens).key for prompt, model in zip(picked["prompt"], names, strict=True)
    ]
    return picked.with_columns(
        pl.Series("model", names, dtype=pl.String),
        pl.Series("inclusion", probes.inclusion_K, dtype=pl.Float64),
        pl.Series("key", keys, dtype=pl.String),
    )


def _bill(cells: pl.DataFrame, tables: Tables, prices: dict[str, Price]) -> Bill:
    models = cells["model"].unique().sort().to_list()
    usual = dict(zip(models, usual_output_tokens(tables.outcomes, models).tolist(), strict=True))
    return estimate(cells["prompt"].to_list(), cells["model"].to_list(), prices, usual)


def _problem(bought: Bought, added: int) -> str | None:
    if bought.unknown_models:
        return f"the endpoint doesn't know {', '.join(map(repr, bought.unknown_models))}; {added} answers were kept"
    if bought.stopped and not (bought.over_budget and bought.answers):
        return f"{bought.stopped}; {added} answers were kept" if added else bought.stopped
    if bought.failed and not bought.answers:
        return next(iter(bought.failed.values()))
    return None


def _notices(bought: Bought) -> tuple[str, ...]:
    told = []
    if bought.over_budget and bought.answers:
        told.append(f"stopped there: {bought.stopped}")
    if bought.failed and bought.answers:
        told.append(f"{len(bought.failed)} questions have no answer, such as: {next(iter(bought.failed.values()))}")
    if empty := sum(not answer.text for answer in bought.answers.values()):
        told.append(f"{empty} answers are empty")
    return tuple(told)
