"""Results of promptfoo evaluations (`promptfoo eval -o results.json`, or .jsonl)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from components.sources.call import FAILED, Call, Read, ReadOptions, RowError, each
from components.sources.fields import (
    answer_of,
    asked,
    count_of,
    first,
    number_of,
    object_of,
    objects,
    plain,
    quality_of,
    text_of,
)
from components.sources.files import Record, json_of, records, suffix_of, whole_text
from components.tables.errors import TableError
from components.tables.listing import listed
from pointsman.json_text import loads

_KINDS = frozenset(
    {"chat", "completion", "completions", "response", "responses", "messages", "embedding", "embeddings", "realtime"}
)
"""What may stand between provider and model in `openai:chat:gpt-4o`."""
Provider = tuple[str | None, str | None]
"""Id and label."""


def read_promptfoo(paths: Sequence[Path], options: ReadOptions) -> Read:
    """One row a provider and test; the score of `gradingResult` or the row is the quality, `success` where none is.

    With `options.metric` the score of that name is; a test without it is ungraded. A model is called by its label, else
    without its provider (`gpt-4`), and where another provider has one of that name with it (`azure/gpt-4`).

    Raises:
        TableError: no row has a score of that name; names those that there are.
    """
    rows = [row for path in paths for row in _rows(path)]
    scored: set[str] = set()
    names = _names(_provider(row.content) for row in rows if row.error is None)
    yield from each(rows, partial(_call, options=options, scored=scored, names=names))
    if options.metric and options.metric not in scored:
        raise TableError(
            f"{paths[0]}: no score is named '{options.metric}'; there are: {listed(sorted(scored)) or 'none'}"
        )


def _rows(path: Path) -> Iterator[Record]:
    if suffix_of(path) != ".json":
        yield from records(path)
        return
    content = json_of(path, whole_text(path))
    for _ in range(2):
        # {"results": {"results": [...]}}
        content = content.get("results", content) if isinstance(content, dict) else content
    if not isinstance(content, list):
        yield Record(path=path, number=1, content=content, error="no list of results")
        return
    for number, row in enumerate(content, start=1):
        yield Record(
            path=path, number=number, content=row, error=None if isinstance(row, dict) else "not a JSON object"
        )


def _call(
    record: Mapping[str, Any],
    _: Path,
    *,
    options: ReadOptions,
    scored: set[str],
    names: Mapping[Provider, tuple[str, str | None]],
) -> Call:
    response, grading = object_of(record, "response"), object_of(record, "gradingResult")
    if (record.get("error") or response.get("error")) and not grading:
        raise RowError(FAILED)
    provider = _provider(record)
    if provider not in names:
        raise RowError("no provider is named")
    model, shared = names[provider]
    usage = object_of(response, "tokenUsage") or object_of(record, "tokenUsage")
    scores = object_of(grading, "namedScores") or object_of(record, "namedScores")
    scored.update(scores)
    score = (
        scores.get(options.metric)
        if options.metric
        else first([grading.get("score"), record.get("score"), record.get("success")])
    )
    quality = quality_of(score, options) if _checked(grading) else None
    cached = bool(response.get("cached"))
    cost = None if cached else number_of(record, "cost")
    remarks = (shared, "answered from promptfoo's cache: cost unknown" if cached else None)
    return Call(
        model=model,
        **_prompt(record, options),
        call_id=text_of(record, "id"),
        benchmark=text_of(object_of(record, "testCase"), "description"),
        reference=_reference(record),
        quality=quality,
        graded_by=None if quality is None else "promptfoo",
        response=answer_of(response.get("output")) if options.responses else None,
        input_tokens=count_of(usage, "prompt"),
        output_tokens=count_of(usage, "completion"),
        cached_tokens=count_of(object_of(usage, "completionDetails"), "cacheReadInputTokens"),
        cost_usd=cost or None,
        latency_ms=None if cached else number_of(record, "latencyMs"),
        remarks=tuple(remark for remark in remarks if remark is not None),
    )


def _provider(record: Mapping[str, Any]) -> Provider:
    provider = record.get("provider")
    named = provider if isinstance(provider, dict) else {"id": provider}
    return text_of(named, "id"), text_of(named, "label")


def _names(providers: Iterable[Provider]) -> dict[Provider, tuple[str, str | None]]:
    """What each provider's model is called, and a remark where others that a label doesn't tell apart are called so."""
    parts = {one: _parts(one[0] or "") for one in providers if one != (None, None)}
    names = {one: one[1] or parts[one][1] for one in parts}
    while True:
        called: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for one, name in names.items():
            called[name].add(parts[one])
        # a longer name may be another's, whose provider is then told too
        short = [one for one, name in names.items() if len(called[name]) > 1 and not one[1] and name == parts[one][1]]
        longer = {one: "/".join(parts[one]) for one in short if parts[one][0]}
        if not longer:
            break
        names |= longer
    several = {name: sorted(":".join(filter(None, one)) for one in of) for name, of in called.items() if len(of) > 1}
    remarks = {name: f"{name!r} is what several providers are called: {listed(of)}" for name, of in several.items()}
    return {one: (name, remarks.get(name)) for one, name in names.items()}


def _parts(provider: str) -> tuple[str, str]:
    """Provider and model of a provider's id, the model with the colons that belong to it.

    >>> _parts("openai:chat:gpt-4o"), _parts("ollama:chat:llama3.2:1b"), _parts("bedrock:amazon.nova-lite-v1:0")
    (('openai', 'gpt-4o'), ('ollama', 'llama3.2:1b'), ('bedrock', 'amazon.nova-lite-v1:0'))
    """
    parts = provider.split(":")
    model = ":".join(parts[2:] if len(parts) > 2 and parts[1] in _KINDS else parts[1:])
    return ("", provider) if not model or "://" in provider else (parts[0], model)


def _checked(grading: Mapping[str, Any]) -> bool:
    """Whether something judged the answer: a test without assertions passes whatever is said."""
    return grading.get("reason") != "No assertions"


def _prompt(record: Mapping[str, Any], options: ReadOptions) -> dict[str, Any]:
    raw = text_of(object_of(record, "prompt"), "raw") or text_of(record, "prompt")
    if raw is None:
        raise RowError("no text in 'prompt.raw'")
    messages = _messages(raw)
    return plain(raw) if messages is None else asked({"messages": messages}, options)


def _messages(raw: str) -> Any:
    """The conversation that a prompt is, by promptfoo's own rule: JSON, or YAML that begins with a role."""
    try:
        if raw.lstrip().startswith("["):
            return loads(raw)
        if raw.lstrip().startswith("- role:"):
            # only its texts: no dates, numbers or objects are made of them
            turns = yaml.load(raw, Loader=yaml.BaseLoader)  # noqa: S506
            return turns if all("content" in turn for turn in objects(turns)) else None
    except (ValueError, yaml.YAMLError, RecursionError):
        pass
    return None


def _reference(record: Mapping[str, Any]) -> str | None:
    checks = object_of(record, "testCase").get("assert")
    equal = [one.get("value") for one in objects(checks) if one.get("type") == "equals"]
    return next((value for value in equal if isinstance(value, str)), None)
