"""What to ask for a folder of logs: prompts and candidates, within a budget. Shapes: N prompts, M candidates."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from components.asking.journal import UNFINISHED
from components.asking.prices import known_prices, prices_for
from components.asking.question import Price
from components.collecting.bill import Bill, estimate, usual_output_tokens
from components.collecting.inclusion import shown_before
from components.collecting.plan import goes_on, question_of, read_plan
from components.collecting.probes import Believed, ProbeConfig, Probes, draw_probes
from components.tables.errors import TableError
from components.tables.store import Tables, read_tables

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
    """>= 0."""
    purpose: str = "collect"
    """The command that buys: one doesn't go on with what another began."""

    @property
    def asked_for(self) -> str:
        """What a run that was cut off must have been asked for too, if this one is to go on with it."""
        return json.dumps([self.purpose, sorted(set(self.candidates))])

    def __post_init__(self) -> None:
        if not 0 < self.budget_usd < float("inf"):
            raise ValueError(f"--budget must be a positive number of USD, got {self.budget_usd}")
        if self.prompts is not None and self.prompts < 1:
            raise ValueError(f"--prompts must be >= 1, got {self.prompts}")
        if self.max_output_tokens < 1:
            raise ValueError(f"max_output_tokens must be >= 1, got {self.max_output_tokens}")
        if self.seed < 0:
            raise ValueError(f"--seed must be >= 0, got {self.seed}")


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
    """key, prompt_id, model, inclusion, before, prompt."""
    there: pl.DataFrame
    """The same of answers that there are already, with a null key."""
    bill: Bill
    prices: dict[str, Price]
    notices: tuple[str, ...]
    goes_on: bool
    """Whether it is the plan of a run that was cut off."""
    other: bool = False
    """Whether a run was cut off that was asked for something else: that purchase is to be ended first."""


def plan_folder(folder: Path, config: CollectConfig, predicted: Predicted | None = None) -> Plan:
    """Chooses cells, or finds the plan of a run that was cut off, where that was asked for the same.

    Args:
        folder: of the tables.
        config: what to buy.
        predicted: by a router; None: probes are drawn evenly.

    Raises:
        TableError: a candidate that isn't in the table, or nothing left to buy.
    """
    tables = read_tables(folder)
    kept = read_plan(plan_path(folder))
    models = _candidates(tables, config, folder)
    prices, assumed = prices_for(models, known_prices(tables.candidates))
    notices = [f"no price known for {', '.join(assumed)}: the highest known one is assumed"] if assumed else []
    texts = tables.prompts.select("prompt_id", "prompt")
    same = goes_on(kept, texts, config.asked_for, config.max_output_tokens)
    if same:
        whole = kept.join(texts, on="prompt_id", how="inner", maintain_order="left")
        cells, there = (whole.filter(pl.col("key").is_null() == null) for null in (False, True))
        prices, _ = prices_for(cells["model"].unique().to_list(), known_prices(tables.candidates))
        notices = ["a run that was cut off goes on"]
    else:
        if kept.height:
            notices.append(
                "a run that was cut off was asked for other candidates, prompts or lengths: it is ended first"
            )
        cells, there = _chosen(tables, models, prices, config, predicted, folder)
    return Plan(
        cells=cells,
        there=there,
        bill=_bill(cells, tables, prices),
        prices=prices,
        notices=tuple(notices),
        goes_on=same,
        other=bool(kept.height) and not same,
    )


def plan_path(folder: Path) -> Path:
    """Where the plan of a purchase is kept until it is over."""
    return folder / JOURNAL / UNFINISHED


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
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cells to ask, and those of the same candidates that are there already."""
    propensity_NM, answered_NM = _known(tables, models)
    if answered_NM.all():
        raise TableError(f"{folder}: every candidate has an answer to every prompt already: there is nothing to buy")
    believed = _believed(predicted, models)
    task_N = predicted.task_N if predicted is not None else _labels(tables)
    before_NM = shown_before(answered_NM, propensity_NM, _labels(tables))

    def drawn(prompts: int) -> tuple[pl.DataFrame, Probes]:
        probes = draw_probes(~answered_NM, task_N, prompts, believed, config.probes, config.seed)
        return _cells(probes, before_NM, tables, models, config.max_output_tokens), probes

    most = int((~answered_NM).any(axis=1).sum())
    least = 1 if config.prompts is None else min(config.prompts, tables.prompts.height)
    while config.prompts is None and least < most:
        middle = (least + most + 1) // 2
        if _bill(drawn(middle)[0], tables, prices).usd <= _SHARE * config.budget_usd:
            least = middle
        else:
            most = middle - 1
    cells, probes = drawn(least)
    # of logs without propensities only the prompts drawn have one now: a retrain estimates those of the others
    told_NM = np.isfinite(propensity_NM)
    told_NM[np.unique(probes.prompt_K)] = True
    row_K, column_K = np.nonzero(answered_NM & told_NM & (probes.design_NM > 0))
    picked = tables.prompts.select(pl.col("prompt_id", "prompt").gather(row_K.tolist()))
    there = picked.with_columns(
        pl.Series("model", [models[column] for column in column_K], dtype=pl.String),
        pl.Series("inclusion", probes.design_NM[row_K, column_K], dtype=pl.Float64),
        pl.Series("before", before_NM[row_K, column_K], dtype=pl.Float64),
        pl.lit(None, pl.String).alias("key"),
    )
    return cells, there


def _known(tables: Tables, models: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Propensities as logged (nan where not), and where there are answers; shape (N, M) both."""
    rows = tables.prompts.select("prompt_id").with_row_index("row")
    columns = pl.DataFrame({"model": models, "column": range(len(models))}, schema_overrides={"column": pl.Int64})
    seen = tables.outcomes.join(rows, on="prompt_id").join(columns, on="model")
    place = seen["row"].to_numpy(), seen["column"].to_numpy()
    propensity_NM = np.full((tables.prompts.height, len(models)), np.nan)
    propensity_NM[place] = seen["propensity"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    answered_NM = np.zeros(propensity_NM.shape, dtype=bool)
    answered_NM[place] = True
    return propensity_NM, answered_NM


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


def _cells(
    probes: Probes, before_NM: np.ndarray, tables: Tables, models: Sequence[str], max_output_tokens: int
) -> pl.DataFrame:
    picked = tables.prompts.select(pl.col("prompt_id", "prompt").gather(probes.prompt_K.tolist()))
    names = [models[candidate] for candidate in probes.candidate_K]
    keys = [
        question_of(prompt, model, max_output_tokens).key for prompt, model in zip(picked["prompt"], names, strict=True)
    ]
    return picked.with_columns(
        pl.Series("model", names, dtype=pl.String),
        pl.Series("inclusion", probes.inclusion_K, dtype=pl.Float64),
        pl.Series("before", before_NM[probes.prompt_K, probes.candidate_K], dtype=pl.Float64),
        pl.Series("key", keys, dtype=pl.String),
    )


def _bill(cells: pl.DataFrame, tables: Tables, prices: dict[str, Price]) -> Bill:
    models = cells["model"].unique().sort().to_list()
    usual = dict(zip(models, usual_output_tokens(tables.outcomes, models).tolist(), strict=True))
    return estimate(cells["prompt"].to_list(), cells["model"].to_list(), prices, usual)
