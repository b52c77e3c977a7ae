"""Samples of the lm-evaluation-harness (`--log_samples`): files samples_*.jsonl, one a model and task."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from components.sources.call import OTHER_FILTER, Call, Read, ReadOptions, RowError, each
from components.sources.fields import lettered, object_of, plain, quality_of, text_of
from components.sources.files import Record, records

_QUESTIONS = ("question", "query", "prompt", "problem", "input", "instruction", "goal", "text", "sentence", "ctx")
_PASSAGES = ("passage", "context", "article", "story")
_METRICS = ("exact_match", "acc", "acc_norm", "pass@1", "pass_at_1", "prompt_level_strict_acc", "f1", "mc2")
_TIME = re.compile(r"_\d{4}-\d\d-\d\dT[\d.:-]+$")


def read_lm_eval(paths: Sequence[Path], options: ReadOptions) -> Read:
    """One row a document; the model's name comes from results_*.json beside, the folder's or the file's name.

    The prompt is the document's question (with its choices), not the few-shot text that the harness puts before it.
    Where the harness filters answers in several ways, the first counts.
    """
    samples = [path for path in paths if not path.name.startswith("results_")]
    names = [_stem(path) for path in samples]
    common = _shared_start(names)
    for path, name in zip(samples, names, strict=True):
        task, model = _task_and_model(path, name, common)
        yield from each(_first_filter(records(path)), partial(_call, task=task, model=model, options=options))


def _shared_start(names: Sequence[str]) -> str:
    """What all names begin with, up to an underscore.

    >>> _shared_start(["sums_small-1", "sums_small-2"])
    'sums_'
    """
    letters = zip(*names, strict=False)
    alike = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, letters)) if len(set(names)) > 1 else 0
    return names[0][: names[0].rfind("_", 0, alike) + 1] if alike else ""


def _stem(path: Path) -> str:
    name = path.name.split(".jsonl")[0].split(".json")[0]
    return _TIME.sub("", name.removeprefix("samples_"))


def _task_and_model(path: Path, name: str, common: str) -> tuple[str, str]:
    """Task and model that a file is of."""
    if _TIME.search(path.name.split(".jsonl")[0]):
        # MODEL/samples_TASK_TIME.jsonl with MODEL/results_TIME.json
        for results in sorted(path.parent.glob("results_*.json"), reverse=True):
            try:
                content = json.loads(results.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            content = content if isinstance(content, dict) else {}
            model = text_of(content, "model_name") or text_of(object_of(content, "config"), "model_name", "model")
            if model:
                return name, model
        return name, path.parent.name.replace("__", "/")
    if common and len(name) > len(common):
        return common.rstrip("_"), name[len(common) :]
    task, _, model = name.partition("_")
    return (task, model) if model else (name, path.parent.name)


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


def _call(record: Mapping[str, Any], _: Path, *, task: str, model: str, options: ReadOptions) -> Call:
    prompt = _question(record)
    target = record.get("target")
    answers = record.get("filtered_resps")
    response = answers[0] if isinstance(answers, list) and answers else None
    metric = _metric(record, options)
    return Call(
        model=text_of(record, "model", "model_name") or model,
        **plain(prompt),
        benchmark=task,
        reference=str(target) if isinstance(target, str | int | float) and str(target).strip() else None,
        quality=quality_of(record[metric], options),
        graded_by=metric,
        response=response if isinstance(response, str) and options.responses else None,
        remarks=(),
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


def _question(record: Mapping[str, Any]) -> str:
    document = object_of(record, "doc")
    found = text_of(document, *_QUESTIONS)
    if found is None:
        found = _argument(record.get("arguments"))
    if found is None:
        raise RowError("no question in 'doc' and no text in 'arguments'")
    # what a question is asked of, and what is chosen from: without them many documents are one prompt
    passage = text_of(document, *_PASSAGES)
    choices = document.get("choices", document.get("options"))
    choices = choices.get("text") if isinstance(choices, dict) else choices
    parts = [None if passage == found else passage, found, lettered(choices)]
    return "\n".join(part for part in parts if part)


def _argument(arguments: Any) -> str | None:
    """The text that was sent: newer logs have an object, older ones lists."""
    while isinstance(arguments, dict | list) and arguments:
        arguments = next(iter(arguments.values())) if isinstance(arguments, dict) else arguments[0]
    return arguments if isinstance(arguments, str) and arguments.strip() else None
