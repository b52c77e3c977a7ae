"""Samples of the lm-evaluation-harness (`--log_samples`): files samples_*.jsonl, one a model and task."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from components.sources.call import OTHER_FILTER, Call, Read, ReadOptions, RowError, each
from components.sources.fields import object_of, quality_of, text_of
from components.sources.files import Record, records, suffix_of
from components.sources.lm_eval_documents import asked_by, shared_texts
from components.tables.errors import TableError

_METRICS = ("exact_match", "acc", "acc_norm", "pass@1", "pass_at_1", "prompt_level_strict_acc", "f1", "mc2")
_TIME = re.compile(r"_\d{4}-\d\d-\d\dT[\d.:-]+$")


def read_lm_eval(paths: Sequence[Path], options: ReadOptions) -> Read:
    """One row a document; the model's name comes from results_*.json beside, the folder's or the file's name.

    The prompt is the document's question (with its choices), not the few-shot text that the harness puts before it;
    where that is the same for different documents, it is what was sent. Where the harness filters answers in several
    ways, the first counts.

    Raises:
        TableError: several runs lie in one folder, and nothing names their models.
    """
    samples = [path for path in paths if path.name.startswith("samples_") or not _is_results(path)]
    names = [_stem(path) for path in samples]
    common = _shared_start(names)
    of_task: dict[str, list[tuple[Path, str]]] = defaultdict(list)
    for path, name in zip(samples, names, strict=True):
        task, model = _task_and_model(path, name, common)
        of_task[task].append((path, model))
    for task, files in of_task.items():
        shared = shared_texts(path for path, _ in files)
        for path, model in files:
            read = partial(_call, task=task, model=model, shared=shared, options=options)
            yield from each(_first_filter(records(path)), read)


def _is_results(path: Path) -> bool:
    """Whether a file holds the results of a run: results_TIME.json, or NAME_TIME.json of `--output_path NAME.json`."""
    return path.name.startswith("results_") or (suffix_of(path) == ".json" and _time(path) is not None)


def _time(path: Path) -> str | None:
    found = _TIME.search(_bare(path))
    return found and found[0]


def _bare(path: Path) -> str:
    return path.name.split(".jsonl")[0].split(".json")[0]


def _shared_start(names: Sequence[str]) -> str:
    """What all names begin with, up to an underscore.

    >>> _shared_start(["sums_small-1", "sums_small-2"])
    'sums_'
    """
    letters = zip(*names, strict=False)
    alike = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, letters)) if len(set(names)) > 1 else 0
    return names[0][: names[0].rfind("_", 0, alike) + 1] if alike else ""


def _stem(path: Path) -> str:
    return _TIME.sub("", _bare(path).removeprefix("samples_"))


def _task_and_model(path: Path, name: str, common: str) -> tuple[str, str]:
    """Task and model that a file is of."""
    if _time(path) is not None:
        return name, _model(path)
    if common and len(name) > len(common):
        return common.rstrip("_"), name[len(common) :]
    task, _, model = name.partition("_")
    return (task, model) if model else (name, path.parent.name)


def _model(path: Path) -> str:
    """The model of a run: MODEL/samples_TASK_TIME.jsonl with MODEL/results_TIME.json, or NAME_TIME.json beside it.

    Raises:
        TableError: several runs lie in the folder, and nothing names their models.
    """
    folder, time = path.parent, _time(path)
    if model := _first_named(sorted(folder.glob(f"*{time}.json"))):
        return model
    if "__" not in folder.name:
        # the harness writes vendor/model so: such a folder is one model's whatever lies in it
        times = {_time(one) for one in folder.glob("samples_*") if _time(one) is not None}
        if len(times) > 1:
            raise TableError(
                f"{folder}: holds two runs or more, and no results file names the model of {path.name}: put the file "
                "that ends in its time and .json beside it, or name the samples samples_TASK_MODEL.jsonl"
            )
    # of one run or one model: then any results are its own
    others = sorted(folder.glob("results_*.json"), reverse=True)
    return _first_named(others) or folder.name.replace("__", "/")


def _first_named(results: Sequence[Path]) -> str | None:
    return next((model for model in map(_named_in, results) if model), None)


def _named_in(results: Path) -> str | None:
    try:
        content = json.loads(results.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    content = content if isinstance(content, dict) else {}
    return text_of(content, "model_name") or text_of(object_of(content, "config"), "model_name", "model")


def _first_filter(rows: Iterator[Record]) -> Iterator[Record]:
    chosen: Any = None
    for row in rows:
        if row.error is None:
            kind = row.content.get("filter")
            chosen = chosen or kind
            if kind != chosen:
                yield Record(path=row.path, number=row.number, content=kind, error=OTHER_FILTER)
                continue
        yield row


def _call(record: Mapping[str, Any], _: Path, *, task: str, model: str, shared: Set[str], options: ReadOptions) -> Call:
    answers = record.get("filtered_resps")
    response = answers[0] if isinstance(answers, list) and answers else None
    metric = _metric(record, options)
    quality = quality_of(record[metric], options)
    return Call(
        model=text_of(record, "model", "model_name") or model,
        **asked_by(record, shared),
        benchmark=task,
        quality=quality,
        graded_by=None if quality is None else metric,
        response=response if isinstance(response, str) and options.responses else None,
    )


def _metric(record: Mapping[str, Any], options: ReadOptions) -> str:
    listed = _texts(record.get("metrics"))
    wanted = [options.metric] if options.metric else [*[one for one in _METRICS if one in listed], *listed, *_METRICS]
    for name in wanted:
        if isinstance(record.get(name), int | float | str):
            return name
    raise RowError(f"no figure of {options.metric or 'any metric'}")


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
