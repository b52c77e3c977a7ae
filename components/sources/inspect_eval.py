"""Logs of Inspect evaluations: .json as a whole, .eval as a zip of samples."""

import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

from components.sources.call import FAILED, Call, Read, ReadOptions, RowError, each
from components.sources.fields import (
    answer_of,
    asked_in,
    count_of,
    lettered,
    number_of,
    object_of,
    objects,
    plain,
    quality_of,
    text_of,
    time_of,
)
from components.sources.files import Record, json_of, suffix_of, whole_text
from components.tables.arrow import unpacked
from components.tables.errors import TableError
from pointsman.json_text import loads

_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_SENT = ("input_tokens", "input_tokens_cache_read", "input_tokens_cache_write")
_ZSTD = 93
_LARGEST = 2**30
"""Bytes of one sample unpacked; more is no log."""


def read_inspect(paths: Sequence[Path], options: ReadOptions) -> Read:
    """One row a sample and epoch; the first score is the quality unless `--metric` names one.

    A metric is a scorer's name, a key of a score that has several values, or both as `SCORER/KEY`. Tokens and cost are
    those of the evaluated model's own calls, without what grading took.

    Raises:
        TableError: an unreadable file; no sample has the metric.
    """
    names: set[str] = set()
    for path in paths:
        yield from each(_samples(path), partial(_call, options=options, names=names))
    options.check_metric(paths[0], names)


def _samples(path: Path) -> Iterator[Record]:
    samples: Any
    if suffix_of(path) == ".eval":
        header, samples = _unpacked(path)
    else:
        header = json_of(path, whole_text(path))
        samples = header.get("samples") if isinstance(header, dict) else None
    if not isinstance(header, dict) or not isinstance(samples, list | Iterator):
        # one log that failed at its start doesn't keep a folder of others out
        stopped = isinstance(header, dict) and header.get("status") in ("error", "cancelled", "started")
        yield Record(path=path, number=1, content=None, error=FAILED if stopped else "no log of Inspect: no 'samples'")
        return
    for number, sample in enumerate(samples, start=1):
        error = None if isinstance(sample, dict) else "not a JSON object"
        content = sample if error else {**sample, "of": header.get("eval") or {}}
        yield Record(path=path, number=number, content=content, error=error)


def _unpacked(path: Path) -> tuple[Any, Iterator[Any]]:
    """The header, and the samples one after the other, for with their events they are large."""
    try:
        names = zipfile.ZipFile(path).namelist()
        head = "header.json" if "header.json" in names else "_journal/start.json"
        (header,) = _members(path, [head])
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise TableError(f"{path}: can't be read as an .eval log: {error}") from error
    return header, _members(path, sorted(name for name in names if name.startswith("samples/")))


def _members(path: Path, names: Sequence[str]) -> Iterator[Any]:
    try:
        with zipfile.ZipFile(path) as pack, path.open("rb") as file:
            for name in names:
                yield loads(_bytes(pack, file, pack.getinfo(name)))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise TableError(f"{path}: can't be read as an .eval log: {error}") from error


def _bytes(pack: zipfile.ZipFile, file: IO[bytes], member: zipfile.ZipInfo) -> bytes:
    """A member of the pack; Inspect packs with zstd, which Python's zipfile can't unpack before 3.14."""
    if member.file_size > _LARGEST:
        raise ValueError(f"{member.filename} has {member.file_size} bytes unpacked")
    if member.compress_type != _ZSTD:
        return pack.read(member)
    file.seek(member.header_offset + 26)
    name, extra = struct.unpack("<HH", file.read(4))
    file.seek(member.header_offset + 30 + name + extra)
    with unpacked(file.read(member.compress_size), "zstd") as stream:
        return stream.read(member.file_size)


def _call(sample: Mapping[str, Any], _: Path, *, options: ReadOptions, names: set[str]) -> Call:
    evaluation, output = object_of(sample, "of"), object_of(sample, "output")
    if sample.get("error") or output.get("error"):
        raise RowError(FAILED)
    model = text_of(evaluation, "model") or text_of(output, "model")
    if model is None:
        raise RowError("no model is named")
    values = _values(object_of(sample, "scores"))
    names.update(values)
    scorer = next(iter(values), None) if options.metric is None else options.metric
    usages = _usages(sample, model)
    cached = _sum([count_of(usage, "input_tokens_cache_read") for usage in usages])
    # Inspect counts tokens that the provider's cache was asked for, or took, apart
    sent = [count_of(usage, name) for usage in usages for name in _SENT]
    costs = [number_of(usage, "total_cost") for usage in usages]
    target = sample.get("target")
    seconds = number_of(output, "time")
    quality = quality_of(_in_scale(values.get(scorer or ""), options), options)
    return Call(
        model=model,
        **_question(sample, options),
        call_id=f"{text_of(evaluation, 'eval_id', 'run_id')}/{sample.get('id')}/{sample.get('epoch')}"
        if text_of(evaluation, "eval_id", "run_id")
        else None,
        benchmark=text_of(evaluation, "task"),
        reference=target if isinstance(target, str) and target.strip() else None,
        created_at=time_of(evaluation.get("created")),
        quality=quality,
        graded_by=None if quality is None else scorer,
        response=answer_of(output) if options.responses else None,
        input_tokens=_sum(sent),
        cached_tokens=cached,
        output_tokens=_sum([count_of(usage, "output_tokens") for usage in usages]),
        cost_usd=None if None in costs else sum(filter(None, costs)) or None,
        latency_ms=None if seconds is None else seconds * 1e3,
    )


def _question(sample: Mapping[str, Any], options: ReadOptions) -> dict[str, Any]:
    """The input with its choices, without which many questions are the same words."""
    asked = asked_in(_resolved(sample, sample.get("input")), options)
    return asked if not (choices := lettered(sample.get("choices"))) else asked | plain(f"{asked['prompt']}\n{choices}")


def _values(scores: Mapping[str, Any]) -> dict[str, Any]:
    """What each metric says: first the scorers, of several values their first, then the values by their own names.

    >>> _values({"match": {"value": "C"}, "judge": {"value": {"style": 0.25, "right": 1}}})
    {'match': 'C', 'judge': 0.25, 'judge/style': 0.25, 'style': 0.25, 'judge/right': 1, 'right': 1}
    """
    given = {name: score.get("value") if isinstance(score, dict) else score for name, score in scores.items()}
    values = {name: next(iter(one.values()), None) if isinstance(one, dict) else one for name, one in given.items()}
    for scorer, several in given.items():
        for key, value in several.items() if isinstance(several, dict) else ():
            values.setdefault(f"{scorer}/{key}", value)
            values.setdefault(key, value)
    return values


def _in_scale(value: Any, options: ReadOptions) -> Any:
    """Inspect's letters as a grade on the log's scale; other values as they are."""
    if isinstance(value, str) and value in _LETTERS:
        worst, best = options.scale or (0.0, 1.0)
        return worst + _LETTERS[value] * (best - worst)
    return value


def _usages(sample: Mapping[str, Any], model: str) -> list[dict[str, Any]]:
    """What the evaluated model used, a call each; where the log has no events, the sample's total or its last call's.

    `model_usage` counts what grading took as well, and a grader is by default the model that is graded.
    """
    own = [
        object_of(object_of(event, "output"), "usage") for event in _answering(sample) if event.get("model") == model
    ]
    if used := [usage for usage in own if usage]:
        return used
    of_models, graders = object_of(sample, "model_usage"), objects(object_of(sample, "of").get("scorers"))
    judged = any("model_graded" in str(one.get("name")) for one in graders)
    if len(of_models) == 1 and not judged:
        return [object_of(of_models, next(iter(of_models)))]
    return [object_of(object_of(sample, "output"), "usage")]


def _answering(sample: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Calls of models that aren't a scorer's."""
    scoring: set[str] = set()
    steps = 0
    for event in objects(sample.get("events")):
        kind, scorer = event.get("event"), event.get("type") in ("scorer", "scorers")
        if kind == "span_begin" and (scorer or str(event.get("parent_id")) in scoring):
            scoring.add(str(event.get("id")))
        elif kind == "step" and scorer:
            # logs of before spans
            steps += 1 if event.get("action") == "begin" else -1
        elif kind == "model" and steps <= 0 and str(event.get("span_id")) not in scoring:
            yield event


def _sum(counts: Sequence[int | None]) -> int | None:
    """Of those that are known; None where none is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _resolved(sample: Mapping[str, Any], value: Any) -> Any:
    """Long texts may stand apart from where they belong."""
    if isinstance(value, str) and value.startswith("attachment://"):
        return object_of(sample, "attachments").get(value.removeprefix("attachment://"), value)
    return value
