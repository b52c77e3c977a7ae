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
    plain,
    quality_of,
    text_of,
    time_of,
)
from components.sources.files import Record, json_of, suffix_of, whole_text
from components.tables.arrow import unpacked
from components.tables.errors import TableError
from components.tables.json_text import loads

_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_ZSTD = 93
_LARGEST = 2**30
"""Bytes of one sample unpacked; more is no log."""


def read_inspect(paths: Sequence[Path], options: ReadOptions) -> Read:
    """One row a sample and epoch; the first score is the quality unless `--metric` names one."""
    for path in paths:
        yield from each(_samples(path), partial(_call, options=options))


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


def _call(sample: Mapping[str, Any], _: Path, *, options: ReadOptions) -> Call:
    evaluation, output = object_of(sample, "of"), object_of(sample, "output")
    if sample.get("error") or output.get("error"):
        raise RowError(FAILED)
    model = text_of(evaluation, "model") or text_of(output, "model")
    if model is None:
        raise RowError("no model is named")
    scorer, value = _score(sample, options)
    usage = _usage(sample, output)
    cached = count_of(usage, "input_tokens_cache_read")
    sent = count_of(usage, "input_tokens")
    target = sample.get("target")
    seconds = number_of(output, "time")
    return Call(
        model=model,
        **_question(sample, options),
        call_id=f"{text_of(evaluation, 'eval_id', 'run_id')}/{sample.get('id')}/{sample.get('epoch')}"
        if text_of(evaluation, "eval_id", "run_id")
        else None,
        benchmark=text_of(evaluation, "task"),
        reference=target if isinstance(target, str) and target.strip() else None,
        created_at=time_of(evaluation.get("created")),
        quality=quality_of(value, options),
        graded_by=scorer,
        response=answer_of(output) if options.responses else None,
        # Inspect counts tokens from the cache apart
        input_tokens=None if sent is None else sent + (cached or 0),
        cached_tokens=cached,
        output_tokens=count_of(usage, "output_tokens"),
        latency_ms=None if seconds is None else seconds * 1e3,
    )


def _question(sample: Mapping[str, Any], options: ReadOptions) -> dict[str, Any]:
    """The input with its choices, without which many questions are the same words."""
    asked = asked_in(_resolved(sample, sample.get("input")), options)
    return asked if not (choices := lettered(sample.get("choices"))) else asked | plain(f"{asked['prompt']}\n{choices}")


def _score(sample: Mapping[str, Any], options: ReadOptions) -> tuple[str | None, Any]:
    scores = sample.get("scores")
    if not isinstance(scores, dict) or not scores:
        return None, None
    name = next(iter(scores)) if options.metric is None else options.metric
    score = scores.get(name)
    value = score.get("value") if isinstance(score, dict) else score
    if isinstance(value, dict):
        value = value.get(options.metric or "", next(iter(value.values()), None))
    if isinstance(value, str) and value in _LETTERS:
        worst, best = options.scale or (0.0, 1.0)
        value = worst + _LETTERS[value] * (best - worst)
    return name, value


def _usage(sample: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
    """Tokens of the one model that was used; a sample of several (agents, graders) tells only its output's."""
    of_models = object_of(sample, "model_usage")
    if len(of_models) == 1:
        return object_of(of_models, next(iter(of_models)))
    return object_of(output, "usage")


def _resolved(sample: Mapping[str, Any], value: Any) -> Any:
    """Long texts may stand apart from where they belong."""
    if isinstance(value, str) and value.startswith("attachment://"):
        return object_of(sample, "attachments").get(value.removeprefix("attachment://"), value)
    return value
