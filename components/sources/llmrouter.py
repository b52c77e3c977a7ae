"""Logs of the LLMRouter library: one JSON line per query and model, with its performance."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.sources.call import Call, Read, ReadOptions, each
from components.sources.fields import count_of, needed_text, number_of, plain, quality_of, text_of
from components.sources.files import records


def read_llmrouter(paths: Sequence[Path], options: ReadOptions) -> Read:
    """Fields `task_name`, `query`, `model_name`, `performance`; tokens, cost and `ground_truth` where they're given."""
    for path in paths:
        yield from each(records(path), partial(_call, options=options))


def _call(record: Mapping[str, Any], _: Path, *, options: ReadOptions) -> Call:
    metric = record.get("metric")
    return Call(
        model=needed_text(record, "model_name"),
        **plain(needed_text(record, "query")),
        benchmark=needed_text(record, "task_name"),
        reference=text_of(record, "ground_truth", "gt"),
        quality=quality_of(record.get(options.metric or "performance"), options),
        graded_by=metric if isinstance(metric, str) else None,
        response=text_of(record, "response") if options.responses else None,
        input_tokens=count_of(record, "input_tokens"),
        output_tokens=count_of(record, "output_tokens"),
        cost_usd=number_of(record, "cost"),
    )
