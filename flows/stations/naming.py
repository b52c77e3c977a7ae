"""Station 5 with a language model, where one is set: prompts described before discovery, tasks named after it.

It is asked through a cache of its own on disk, so that neither Prefect task is cached: a failure must not be kept.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel

from components.asking.question import AskError
from components.embeddings.cache import embed_cached
from components.tables.store import read_tables, write_parquet
from components.tasks.labels import TaskDescription
from components.tasks.naming import Ask, describe_prompts, name_tasks
from flows.platform import paths
from flows.platform.references import DataRef, keep
from flows.platform.settings import settings
from flows.stations.board import split_names
from pointsman.text.encoder import Encoder


class Descriptions(BaseModel, frozen=True):
    """What a language model said of the training prompts; empty where none is set."""

    described: DataRef | None = None
    model: str = ""
    failure: str = ""
    """Why there are no descriptions; empty: there are, or no model is set."""


def describe_training(*, tables: DataRef, splits: DataRef, encoder: DataRef) -> Descriptions:
    """Descriptions of the training prompts, if a language model is set.

    Raises:
        ValueError: its settings can't be used.
    """
    if not settings().llm_url:
        return Descriptions()
    return describe_by_model(tables=tables, splits=splits, encoder=encoder)


def name_discovered(*, tables: DataRef, splits: DataRef, discovered: DataRef, descriptions: Descriptions) -> DataRef:
    """What was discovered, its tasks named by the language model if one is set."""
    if not descriptions.model:
        return discovered
    return name_by_model(tables=tables, splits=splits, discovered=discovered, descriptions=descriptions)


@task(name="discover: describe prompts", cache_policy=NO_CACHE)
def describe_by_model(*, tables: DataRef, splits: DataRef, encoder: DataRef) -> Descriptions:
    """Each training prompt in a sentence, and the sentences' embeddings."""
    ask_model, model = _asking(), settings().llm_model
    try:
        described = describe_prompts(_training_prompts(tables, splits), ask_model)
    except AskError as error:
        return Descriptions(model=model, failure=str(error))
    embedding_ND = embed_cached(Encoder.load(encoder.path), described, paths.embeddings())

    def write(folder: Path) -> None:
        write_parquet(pl.DataFrame({"description": described}), folder / "descriptions.parquet")
        np.save(folder / "embedding.npy", embedding_ND)

    return Descriptions(described=keep("describe_training", write), model=model)


@task(name="discover: name tasks", cache_policy=NO_CACHE)
def name_by_model(*, tables: DataRef, splits: DataRef, discovered: DataRef, descriptions: Descriptions) -> DataRef:
    """The model's names instead of keywords; where it failed, keywords, and the report says so."""
    rows = json.loads(discovered.file("tasks.json").read_text())
    tasks = [TaskDescription(**row) for row in rows]
    named_by, said = descriptions.model, f"Prompts were described and tasks named by {descriptions.model}."
    if descriptions.failure:
        named_by, said = "keywords", f"Tasks are cut and named without the language model: {descriptions.failure}."
    else:
        try:
            labels = name_tasks(tasks, _training_prompts(tables, splits), _asking())
            rows = [row | {"label": label} for row, label in zip(rows, labels, strict=True)]
        except AskError as error:
            said = f"Prompts were described by {descriptions.model}; tasks keep keywords: {error}."
            named_by = "keywords"
    summary = json.loads(discovered.file("discovery.json").read_text()) | {"named_by": named_by, "naming": said}

    def write(folder: Path) -> None:
        shutil.copytree(discovered.path, folder, dirs_exist_ok=True)
        (folder / "tasks.json").write_text(json.dumps(rows))
        (folder / "discovery.json").write_text(json.dumps(summary))

    return keep("name_discovered", write)


def _asking() -> Ask:
    """The language model that is set."""
    from components.asking.client import Endpoint  # noqa: PLC0415  # openai is loaded where a model is asked
    from components.tasks.chat import ask  # noqa: PLC0415

    here = settings()
    if not here.llm_model:
        raise ValueError("model must be named: set POINTSMAN_LLM_MODEL")
    endpoint = Endpoint(url=here.llm_url, api_key=here.llm_key, timeout_s=30.0, attempts=4)
    return lambda questions: ask(questions, here.llm_model, endpoint, paths.language_model())


def _training_prompts(tables: DataRef, splits: DataRef) -> list[str]:
    prompts = read_tables(tables.path).prompts
    train = np.flatnonzero(split_names(splits, prompts["prompt_id"]) == "train")
    found: list[str] = prompts["prompt"].gather(train).to_list()
    return found
