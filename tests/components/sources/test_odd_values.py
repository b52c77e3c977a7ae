"""Whatever stands in a field of a row: the row is used or set aside, and nothing else happens."""

import json
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from components.sources.call import Call, ReadOptions, Unusable
from components.sources.importers import SOURCES
from components.tables.errors import TableError

ODD = (None, "", "x", 7, -1, float("nan"), float("inf"), True, [], {}, [[]], [None], [{}], {"a": [1]}, "[{", '{"a": 1}')
TALK = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
PARTS = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
ROWS: dict[str, list[dict[str, Any]]] = {
    "litellm-spend": [
        {
            "request_id": "r",
            "call_type": "acompletion",
            "model": "m",
            "model_group": "m",
            "spend": 0.1,
            "prompt_tokens": 4,
            "completion_tokens": 5,
            "startTime": "2025-10-02T08:15:00Z",
            "endTime": "2025-10-02T08:15:01Z",
            "messages": TALK,
            "proxy_server_request": {"messages": TALK, "tools": [{}], "metadata": {"quality": 1}},
            "response": {"choices": [{"message": {"content": "Hello"}}]},
            "metadata": {
                "status": "success",
                "spend_logs_metadata": {"quality": 1, "pointsman": {"decision_id": "d", "propensity": 0.5}},
                "usage_object": {"prompt_tokens_details": {"cached_tokens": 1}},
            },
            "cache_hit": "False",
            "session_id": "s",
        }
    ],
    "langfuse": [
        {
            "id": "g1",
            "traceId": "t",
            "type": "GENERATION",
            "model": "m",
            "level": "DEFAULT",
            "startTime": "2025-10-02T08:15:00Z",
            "endTime": "2025-10-02T08:15:01Z",
            "input": {"messages": TALK},
            "output": {"content": "Hello"},
            "usageDetails": {"input": 4, "output": 5, "input_cached_tokens": 1},
            "costDetails": {"total": 0.1},
            "traceTags": ["x"],
            "right": [1, "correct"],
        },
        {"id": "s", "traceId": "t", "observationId": "g1", "name": "right", "value": 1, "source": "ANNOTATION"},
        {"traceId": "t", "name": "right", "value": 0, "stringValue": "yes", "dataType": "CATEGORICAL", "configId": ""},
        {
            "id": "t",
            "sessionId": "s",
            "observations": [{"id": "g2", "type": "GENERATION", "input": "x"}],
            "scores": [{}],
        },
    ],
    "otel": [
        {
            "traceId": "t",
            "spanId": "s",
            "startTimeUnixNano": "1760000000000000000",
            "endTimeUnixNano": "1760000001000000000",
            "status": {"code": 1},
            "attributes": {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "m",
                "gen_ai.input.messages": PARTS,
                "gen_ai.output.messages": PARTS,
                "gen_ai.usage.input_tokens": 4,
                "llm.input_messages.0.message.content": "Hi",
            },
            "events": [{"name": "gen_ai.evaluation.result", "attributes": {"gen_ai.evaluation.score.value": 1}}],
            "annotations": [{"name": "right", "annotator_kind": "HUMAN", "result": {"score": 1}}],
        },
        {
            "traceId": "t",
            "spanId": "s2",
            "attributes": {
                "llm.model_name": "m",
                "llm.invocation_parameters": {"model": "m", "response_format": {"type": "text"}},
                "input.value": {"input": "Hi", "tools": [{}]},
                "output.value": {"output": [{"content": [{"text": "Hello"}]}]},
                "llm.prompts": [{"prompt": {"text": "Hi"}}],
                "llm.output_messages.0.message.contents.0.message_content.text": "Hello",
            },
        },
        {"eventName": "gen_ai.user.message", "traceId": "t", "spanId": "s2", "body": {"content": "Hi"}},
        {
            "resourceLogs": [
                {
                    "scopeLogs": [
                        {
                            "logRecords": [
                                {
                                    "eventName": "gen_ai.evaluation.result",
                                    "spanId": "s2",
                                    "body": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "1"}}]}},
                                }
                            ]
                        }
                    ]
                }
            ]
        },
        {"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{"key": "k", "value": {"intValue": "1"}}]}]}]}]},
    ],
    "openai-batch": [
        {"custom_id": "1", "body": {"model": "m", "messages": TALK, "metadata": {"quality": 1}}},
        {
            "id": "b",
            "custom_id": "1",
            "error": None,
            "response": {
                "status_code": 200,
                "body": {
                    "model": "m-2025",
                    "created": 1_760_000_000,
                    "choices": [{"message": {"content": "Hello"}}],
                    "output": [{"content": [{"text": "Hello"}]}],
                    "usage": {
                        "prompt_tokens": 4,
                        "completion_tokens": 5,
                        "prompt_tokens_details": {"cached_tokens": 1},
                    },
                },
            },
        },
    ],
    "lm-eval": [
        {
            "doc": {"question": "Q", "choices": ["a", "b"]},
            "target": "a",
            "arguments": {"gen_args_0": {"arg_0": "Q"}},
            "filtered_resps": ["a"],
            "filter": "none",
            "metrics": ["acc"],
            "acc": 1.0,
        }
    ],
    "inspect": [
        {
            "eval": {"task": "sums", "model": "m", "run_id": "r", "created": "2025-10-02T08:15:00Z"},
            "samples": [
                {
                    "id": 1,
                    "epoch": 1,
                    "input": TALK,
                    "target": "4",
                    "scores": {"match": {"value": "C"}},
                    "output": {"model": "m", "time": 1.5, "choices": [{"message": {"content": "4"}}], "usage": {}},
                    "model_usage": {"m": {"input_tokens": 4, "output_tokens": 5, "input_tokens_cache_read": 1}},
                    "events": [
                        {"event": "span_begin", "id": "s", "parent_id": None, "type": "scorers"},
                        {"event": "model", "span_id": "a", "model": "m", "output": {"usage": {"input_tokens": 4}}},
                    ],
                }
            ],
        }
    ],
    "promptfoo": [
        {
            "results": {
                "results": [
                    {
                        "provider": {"id": "x:m", "label": ""},
                        "prompt": {"raw": json.dumps(TALK)},
                        "success": True,
                        "score": 1,
                        "cost": 0.1,
                        "latencyMs": 900,
                        "gradingResult": {"score": 1, "namedScores": {"n": 1}},
                        "response": {"output": "4", "tokenUsage": {"prompt": 4, "completion": 5}, "cached": False},
                        "testCase": {"assert": [{"type": "equals", "value": "4"}], "description": "x"},
                    }
                ]
            }
        }
    ],
    "llmrouter": [
        {"task_name": "sums", "query": "2 + 2?", "model_name": "m", "performance": 1, "metric": "em", "input_tokens": 4}
    ],
    "decisions": [
        {
            "decision_id": "d",
            "decided_at": "2026-01-02T03:04:05Z",
            "candidate": "a",
            "propensity": 0.9,
            "propensities": '{"a": 0.9, "b": 0.1}',
            "text": "Hi",
            "digest": "0f",
            "session": "s",
            "requires": ["tools"],
        },
        {
            "decision_id": "d",
            "told_at": "2026-01-02T03:04:06Z",
            "quality": 1,
            "thumb": "up",
            "cost_usd": 0.1,
            "error": None,
        },
    ],
}


def changed(value: Any) -> Iterator[Any]:
    """The value with each of its parts in turn replaced by odd ones."""
    yield from ODD
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        for odd in changed(value[key]):
            whole = deepcopy(value)
            whole[key] = odd
            yield whole


@pytest.mark.parametrize("name", sorted(ROWS))
def test_odd_values_stop_no_import(tmp_path: Path, name: str) -> None:
    source, rows = SOURCES[name], ROWS[name]
    one_document = name in ("inspect", "promptfoo")
    path = tmp_path / f"samples_sums_m{'.json' if one_document else '.jsonl'}"
    tried, found = 0, list[Any]()
    for place, row in enumerate(rows):
        for odd in changed(row):
            if not isinstance(odd, dict):
                continue
            text = [json.dumps(odd if at == place else one) for at, one in enumerate(rows)]
            path.write_text("\n".join(text))
            # a document without a list of rows is none of the format, which is said of the file
            with suppress(TableError) if one_document else nullcontext():
                found = list(source.read([path], ReadOptions()))
            assert all(isinstance(one, Call | Unusable) for one in found)
            tried += 1
    assert tried > 90
