"""Tasks that keep their names: the champion's are kept under data/tasks/, a retrain's are matched to them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from components.tables.store import read_tables, write_parquet
from components.tasks.identity import NamedTasks, continue_tasks, first_tasks
from components.tasks.partition import Partition
from flows.platform import paths
from flows.platform.arrays import load_arrays
from flows.platform.caching import cached_task
from flows.platform.references import DataRef, keep, reference
from flows.stations.board import split_names
from pointsman.bundle.pointer import read_pointer
from pointsman.durable import write_whole

_PROMPTS, _NAMES = "task_prompts.parquet", "task_names.json"


def champion_tasks() -> DataRef | None:
    """The tasks of the router in service; None where none is in service, or it was published without."""
    router_id = read_pointer(paths.published())
    folder = paths.tasks() / str(router_id)
    # The prompts are written last: with them, the folder is whole.
    return reference(folder) if router_id and (folder / _PROMPTS).exists() else None


def keep_tasks(router_id: str, discovered: DataRef) -> None:
    """Keeps a router's tasks for the retrain that may follow it."""
    folder = paths.tasks() / router_id
    for name in (_NAMES, _PROMPTS):
        source = discovered.file(name)
        write_whole(folder / name, lambda aside, source=source: shutil.copyfile(source, aside))  # type: ignore[misc]


@cached_task(name="discover: lasting ids")
def identify(*, tables: DataRef, splits: DataRef, discovered: DataRef, champion: DataRef | None) -> DataRef:
    """What was discovered, under ids and labels that last, with an account of what became of the champion's tasks."""
    fresh = _fresh(tables, splits, discovered)
    named = continue_tasks(_read(champion), champion.path.name, fresh) if champion else fresh

    def write(folder: Path) -> None:
        shutil.copytree(discovered.path, folder, dirs_exist_ok=True)
        rows: list[dict[str, Any]] = json.loads(discovered.file("tasks.json").read_text())
        for row, lasting, label in zip(rows, named.ids, named.labels, strict=True):
            row |= {"id": lasting, "label": label}
        summary = json.loads(discovered.file("discovery.json").read_text()) | {"identity": named.identity}
        (folder / "tasks.json").write_text(json.dumps(rows))
        (folder / "discovery.json").write_text(json.dumps(summary))
        _write(named, folder)

    return keep("identify", write)


def _fresh(tables: DataRef, splits: DataRef, discovered: DataRef) -> NamedTasks:
    ids = read_tables(tables.path).prompts["prompt_id"]
    train = np.flatnonzero(split_names(splits, ids) == "train")
    labels = [row["label"] for row in json.loads(discovered.file("tasks.json").read_text())]
    named_by = json.loads(discovered.file("discovery.json").read_text()).get("named_by", "keywords")
    partition = load_arrays(Partition, discovered.file("partition.npz"))
    return first_tasks(ids.gather(train).to_list(), partition, labels, named_by)


def _write(named: NamedTasks, folder: Path) -> None:
    names = {
        "ids": named.ids,
        "labels": named.labels,
        "issued": named.issued,
        "named_by": named.named_by,
        "identity": named.identity,
    }
    (folder / _NAMES).write_text(json.dumps(names))
    write_parquet(pl.DataFrame({"prompt_id": named.prompt_ids, "task": named.partition.task_N}), folder / _PROMPTS)


def _read(champion: DataRef) -> NamedTasks:
    names = json.loads(champion.file(_NAMES).read_text())
    prompts = pl.read_parquet(champion.file(_PROMPTS))
    task_N = prompts["task"].to_numpy().astype(np.int32)
    return NamedTasks(
        prompt_ids=tuple(prompts["prompt_id"].to_list()),
        partition=Partition(task_N=task_N, membership_N=np.ones(task_N.shape, dtype=np.float32)),
        ids=tuple(names["ids"]),
        labels=tuple(names["labels"]),
        issued=names["issued"],
        named_by=names["named_by"],
        identity=names["identity"],
    )
