"""Logs of evaluation harnesses: lm-eval, Inspect, promptfoo, LLMRouter, OpenAI's batches, our own tables."""

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from components.tables.errors import TableError
from tests.components.sources.conftest import cells, column

TALK = [{"role": "system", "content": "x"}, {"role": "user", "content": "Hi"}]


def lm(place: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "doc_id": place,
        "doc": {"question": f"{place} + 1?"},
        "target": str(place + 1),
        "arguments": {"gen_args_0": {"arg_0": f"Examples first. {place} + 1?", "arg_1": {}}},
        "filtered_resps": ["4"],
        "filter": "strict",
        "metrics": ["exact_match"],
        "exact_match": place % 2,
    } | changes


class TestLmEval:
    def test_files_of_one_task_are_named_by_what_differs(self, lines, imported) -> None:
        files = [lines(lm(), lm(1), name=f"samples_sums_{model}.jsonl") for model in ("small-1", "small-2")]
        _, tables = imported("lm-eval", *files)
        assert tables.candidates["model"].to_list() == ["small-1", "small-2"]
        assert tables.prompts.select("prompt", "benchmark", "reference").rows() == [
            ("0 + 1?", "sums", "1"),
            ("1 + 1?", "sums", "2"),
        ]

    def test_the_harness_own_folders_name_the_model(self, lines, imported) -> None:
        time = "2025-01-02T03-04-05.678901"
        for model in ("org__small", "org__large"):
            lines(lm(), name=f"{model}/samples_sums_{time}.jsonl")
        results = lines({"model_name": "org/huge"}, name=f"org__large/results_{time}.json")
        _, tables = imported("lm-eval", results.parent.parent)
        assert tables.candidates["model"].to_list() == ["org/huge", "org/small"]

    def test_the_first_filter_counts(self, lines, imported) -> None:
        log = lines(lm(), lm(filter="loose", exact_match=1), name="samples_sums_a.jsonl")
        tally, tables = imported("lm-eval", log)
        assert column(tables, "quality") == [0]
        assert tally.reasons == {"another filter of the same answer": 1}

    @pytest.mark.parametrize(
        ("changes", "prompt"),
        [
            ({"doc": {"query": "Q", "choices": ["x", "y"]}}, "Q\nA. x\nB. y"),
            ({"doc": {"question": "Q", "choices": {"text": ["x"], "label": ["A"]}}}, "Q\nA. x"),
            ({"doc": {"question": "Q", "options": ["x", "y"]}}, "Q\nA. x\nB. y"),
            ({"doc": {"question": "Q", "passage": "P"}}, "P\nQ"),
            ({"doc": {"question": "Q", "article": "P", "options": ["x"]}}, "P\nQ\nA. x"),
            ({"doc": {"odd": 1}}, "Examples first. 0 + 1?"),
            ({"doc": {}, "arguments": [["Old form", {"until": []}]]}, "Old form"),
        ],
    )
    def test_the_question_is_the_documents(self, lines, imported, changes, prompt) -> None:
        _, tables = imported("lm-eval", lines(lm(**changes), name="samples_sums_a.jsonl"))
        assert tables.prompts["prompt"].to_list() == [prompt]

    def test_another_metric_is_chosen(self, lines, imported) -> None:
        both = lines(lm(f1=0.3), lm(1, f1=0.7), name="samples_sums_a.jsonl")
        assert column(imported("lm-eval", both)[1], "quality", ["quality"]) == [0, 1]
        assert column(imported("lm-eval", both, metric="f1")[1], "quality", ["quality"]) == [0.3, 0.7]


def sample(place: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": place,
        "epoch": 1,
        "input": f"{place} + 1?",
        "target": "1",
        "output": {"model": "m", "time": 1.5, "choices": [{"message": {"content": "4"}}]},
        "model_usage": {"vendor/m": {"input_tokens": 40, "output_tokens": 3, "input_tokens_cache_read": 10}},
        "scores": {"match": {"value": "C"}, "style": {"value": 0.25}},
    } | changes


def inspect(*samples: Any) -> dict[str, Any]:
    return {"version": 2, "eval": {"task": "sums", "model": "vendor/m", "run_id": "r"}, "samples": list(samples)}


def as_zstd(raw: bytes, contents: dict[str, Any]) -> bytes:
    """A pack of stored zstd frames, told to be what they are: method 93, and the sizes that they unpack to."""
    made = bytearray(raw)
    for signature, method, size, named in ((b"PK\x03\x04", 8, 22, 30), (b"PK\x01\x02", 10, 24, 46)):
        place = raw.find(signature)
        while place >= 0:
            length = struct.unpack_from("<H", raw, place + size + 4)[0]
            name = raw[place + named : place + named + length].decode()
            struct.pack_into("<H", made, place + method, 93)
            struct.pack_into("<I", made, place + size, len(json.dumps(contents[name])))
            place = raw.find(signature, place + 4)
    return bytes(made)


class TestInspect:
    def test_samples_are_calls(self, lines, imported) -> None:
        log = inspect(sample(), sample(1, scores={"match": {"value": "I"}}), sample(2, input=TALK))
        _, tables = imported("inspect", lines(json.dumps(log, indent=2), name="log.json"))
        assert cells(tables) == {("0 + 1?", "vendor/m"): 1, ("1 + 1?", "vendor/m"): 0, ("Hi", "vendor/m"): 1}
        assert set(column(tables, "input_tokens")) == {50}
        assert set(column(tables, "latency_ms")) == {1500}
        assert tables.prompts["reference"].to_list() == ["1"] * 3

    def test_a_packed_log_is_the_same(self, tmp_path: Path, lines, imported) -> None:
        log = inspect(sample(), sample(1))
        _, expected = imported("inspect", lines(json.dumps(log), name="log.json"))
        path = tmp_path / "log.eval"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
            pack.writestr("header.json", json.dumps({key: log[key] for key in ("version", "eval")}))
            for number, one in enumerate(log["samples"]):
                pack.writestr(f"samples/{number}_epoch_1.json", json.dumps(one))
        assert cells(imported("inspect", path)[1]) == cells(expected)

    def test_inspects_own_packing_is_read(self, tmp_path: Path, imported) -> None:
        path = tmp_path / "log.eval"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as pack:
            for name, content in (("header.json", inspect()), ("samples/0_epoch_1.json", sample())):
                pack.writestr(name, pa.compress(json.dumps(content).encode(), codec="zstd", asbytes=True))
        path.write_bytes(as_zstd(path.read_bytes(), {"header.json": inspect(), "samples/0_epoch_1.json": sample()}))
        assert cells(imported("inspect", path)[1]) == {("0 + 1?", "vendor/m"): 1}

    @pytest.mark.parametrize(("value", "quality"), [("P", 0.5), ("N", 0), (True, 1), (0.25, 0.25), ({"a": 0.75}, 0.75)])
    def test_values_of_scores(self, lines, imported, value, quality) -> None:
        log = inspect(sample(scores={"x": {"value": value}}))
        assert column(imported("inspect", lines(json.dumps(log), name="log.json"))[1], "quality") == [quality]

    def test_one_score_of_several_is_chosen(self, lines, imported) -> None:
        path = lines(json.dumps(inspect(sample())), name="log.json")
        assert column(imported("inspect", path, metric="style")[1], "quality") == [0.25]

    def test_failed_samples_are_set_aside(self, lines, imported) -> None:
        path = lines(json.dumps(inspect(sample(), sample(1, error={"message": "timeout"}))), name="log.json")
        assert imported("inspect", path)[0].reasons == {"the call failed": 1}

    def test_choices_belong_to_the_question(self, lines, imported) -> None:
        log = inspect(*(sample(n, input="Which is true?", choices=[f"{n} is odd", "Neither"]) for n in range(2)))
        _, tables = imported("inspect", lines(json.dumps(log), name="log.json"))
        assert sorted(tables.prompts["prompt"]) == [f"Which is true?\nA. {n} is odd\nB. Neither" for n in range(2)]

    def test_a_log_without_samples_keeps_no_other_out(self, lines, imported) -> None:
        good = lines(json.dumps(inspect(sample())), name="good.json")
        lines(json.dumps({"status": "error", "eval": {"model": "m"}}), name="failed.json")
        lines(json.dumps({"eval_set_id": "x"}), name="eval-set.json")
        tally, tables = imported("inspect", good.parent)
        assert cells(tables) == {("0 + 1?", "vendor/m"): 1}
        assert tally.reasons == {"the call failed": 1, "no log of Inspect: no 'samples'": 1}
        with pytest.raises(TableError, match=r"no row can be used(.|\n)*no log of Inspect: no 'samples'"):
            imported("inspect", good.parent / "eval-set.json")

    @pytest.mark.parametrize("content", [b"no zip", b"PK\x03\x04 broken"])
    def test_a_pack_that_is_none(self, tmp_path: Path, imported, content: bytes) -> None:
        (tmp_path / "log.eval").write_bytes(content)
        with pytest.raises(TableError, match=r"log\.eval: can't be read as an \.eval log"):
            imported("inspect", tmp_path / "log.eval")


def tried(prompt: str, provider: Any, score: float, **changes: Any) -> dict[str, Any]:
    return {
        "provider": provider,
        "prompt": {"raw": prompt, "label": "x"},
        "success": score > 0.5,
        "score": score,
        "cost": 0.002,
        "latencyMs": 900,
        "response": {"output": "4", "tokenUsage": {"prompt": 37, "completion": 12}},
    } | changes


class TestPromptfoo:
    @pytest.mark.parametrize("nesting", [0, 1, 2])
    def test_results_are_calls(self, lines, imported, nesting: int) -> None:
        content: Any = [
            tried("2 + 2?", {"id": "openai:chat:small"}, 0.75),
            tried(json.dumps(TALK), {"id": "openai:large", "label": "Large"}, 0.0),
            tried("3 + 3?", "anthropic:messages:small", 1.0, gradingResult={"score": 0.25, "namedScores": {"n": 0.5}}),
        ]
        for _ in range(nesting):
            content = {"results": content}
        path = lines(json.dumps(content, indent=1), name="results.json")
        _, tables = imported("promptfoo", path)
        assert cells(tables) == {("2 + 2?", "small"): 0.75, ("Hi", "Large"): 0, ("3 + 3?", "small"): 0.25}
        assert set(column(tables, "latency_ms")) == {900}

    def test_models_keep_the_colons_of_their_names(self, lines, imported) -> None:
        named = {
            "bedrock:us.anthropic.claude-3-5-sonnet-20241022-v2:0": "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            "bedrock:amazon.nova-lite-v1:0": "amazon.nova-lite-v1:0",
            "ollama:chat:llama3.2:1b": "llama3.2:1b",
            "ollama:chat:gemma3:1b": "gemma3:1b",
            "openrouter:meta-llama/llama-3.1-8b-instruct:free": "meta-llama/llama-3.1-8b-instruct:free",
            "https://example.com/v1": "https://example.com/v1",
            "echo": "echo",
        }
        path = lines(*(tried("2 + 2?", {"id": provider}, 1) for provider in named), name="results.jsonl")
        _, tables = imported("promptfoo", path)
        assert tables.candidates["model"].to_list() == sorted(named.values())

    def test_a_test_without_assertions_grades_nothing(self, lines, imported) -> None:
        passed = {"pass": True, "score": 1, "reason": "No assertions"}
        _, tables = imported("promptfoo", lines(tried("2 + 2?", "x:m", 1, gradingResult=passed), name="r.jsonl"))
        assert cells(tables) == {("2 + 2?", "m"): None}
        assert tables.responses["response"].to_list() == ["4"]

    def test_errors_and_caches(self, lines, imported) -> None:
        cached = {"output": "4", "cached": True}
        path = lines(
            tried("a", "x:m", 1),
            tried("b", "x:m", 0, error="timeout", response={}),
            tried("c", "x:m", 1, response=cached),
            name="results.jsonl",
        )
        tally, tables = imported("promptfoo", path)
        assert tally.reasons == {"the call failed": 1}
        assert sorted(column(tables, "cost_usd"), key=str) == [0.002, None]


def test_ids_that_repeat_from_batch_to_batch_join_nothing(lines, imported) -> None:
    def batch(day: int, *questions: str, url: str = "/v1/chat/completions") -> list[dict[str, Any]]:
        rows = []
        for place, text in enumerate(questions):
            key = f"request-{place}"
            body = {"model": "m", "messages": [{"role": "user", "content": text}]}
            answer = {"model": "m", "choices": [{"message": {"content": text.upper()}}]}
            rows.append({"custom_id": key, "url": url, "body": body})
            rows.append({"id": f"{day}-{place}", "custom_id": key, "response": {"status_code": 200, "body": answer}})
        return rows

    first, second = batch(1, "Why?", "Who?"), batch(2, "When?", "Who?")
    tally, tables = imported("openai-batch", lines(*first, *second))
    # of two different requests nobody knows which was answered; equal ones are one
    assert tally.reasons == {"several requests of this custom_id: import each batch by itself, with --append": 2}
    assert tables.responses["response"].to_list() == ["WHO?"]
    imported("openai-batch", lines(*first))
    _, both = imported("openai-batch", lines(*second), append=True)
    assert sorted(both.prompts["prompt"]) == ["When?", "Who?", "Why?"]
    tally, _ = imported("openai-batch", lines(*first, *batch(3, "a", "b", "c", url="/v1/embeddings")[4:]))
    assert tally.reasons == {"not a chat call": 1}


def test_lines_of_one_id_are_calls_by_their_custom_id(lines, imported) -> None:
    rows: list[dict[str, Any]] = []
    for place in range(3):
        body = {"model": "m", "messages": [{"role": "user", "content": "Why?"}], "metadata": {"quality": place / 2}}
        rows.append({"custom_id": f"c{place}", "body": body})
        rows.append({"id": "b", "custom_id": f"c{place}", "response": {"status_code": 200, "body": {"model": "m"}}})
    _, tables = imported("openai-batch", lines(*rows))
    assert tables.outcomes.select("quality", "samples").rows() == [(0.5, 3)]


def test_batches_are_joined_by_custom_id(lines, imported) -> None:
    def asked(key: str, model: str, text: str, quality: float | None = None) -> dict[str, Any]:
        body = {"model": model, "messages": [{"role": "user", "content": text}], "metadata": {"quality": quality}}
        return {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}

    def answered(key: str, model: str, code: int = 200) -> dict[str, Any]:
        usage = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}}
        body = {"model": f"{model}-2025-01-01", "created": 1_760_000_000, "usage": usage}
        body["choices"] = [{"message": {"content": "four"}}]
        return {
            "id": f"b-{key}-{model}",
            "custom_id": key,
            "response": {"status_code": code, "body": body},
            "error": None,
        }

    small = lines(asked("1", "small", "2 + 2?", 1), asked("2", "small", "3 + 3?"), name="small.jsonl")
    large = lines(asked("1", "large", "2 + 2?", 0), name="large.jsonl")
    out = lines(
        answered("1", "small"),
        answered("2", "small"),
        answered("1", "large"),
        answered("3", "small"),
        answered("2", "large", 500),
        name="out.jsonl",
    )
    tally, tables = imported("openai-batch", small, large, out)
    assert cells(tables) == {("2 + 2?", "small"): 1, ("3 + 3?", "small"): None, ("2 + 2?", "large"): 0}
    assert tally.reasons == {
        "no request of this custom_id: give the batch's input file too": 1,
        "the call failed": 1,
    }
    assert tables.responses is not None
    assert tables.responses["response"].to_list() == ["four"]


def test_our_own_tables_on_another_scale(tmp_path: Path, imported) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "prompts.jsonl").write_text("\n".join(f'{{"prompt_id": {p}, "prompt": "{p}?"}}' for p in range(20)))
    (folder / "outcomes.jsonl").write_text(
        "\n".join(
            f'{{"prompt_id": {p}, "model": "{m}", "quality": {1 + (p + len(m)) % 10}}}'
            for p in range(20)
            for m in ("a", "bb")
        )
    )
    (folder / "models.json").write_text('[{"model": "a", "input_usd_per_mtok": 1, "output_usd_per_mtok": 2}]')
    with pytest.raises(TableError, match="--scale 1:10"):
        imported("tables", folder)
    _, tables = imported("tables", folder, scale=(1, 10))
    assert cells(tables)["0?", "a"] == pytest.approx(1 / 9)
    assert set(tables.prompts["prompt_id"]) == {str(place) for place in range(20)}
    assert tables.candidates["input_usd_per_mtok"].to_list() == [1, None]


def test_a_row_of_our_own_tables_that_cannot_be_read_is_set_aside(tmp_path: Path, imported) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "prompts.json").write_text(
        json.dumps([{"prompt_id": f"p{row}", "prompt": f"{row}?"} for row in range(9)])
    )
    outcomes = [{"prompt_id": f"p{row}", "model": "m", "quality": row % 2} for row in range(9)]
    outcomes[4]["quality"] = "error"
    (folder / "outcomes.json").write_text(json.dumps(outcomes))
    tally, tables = imported("tables", folder)
    assert dict(tally.reasons) == {"quality isn't a number": 1}
    assert tables.outcomes.height == 8
