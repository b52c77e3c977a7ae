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


def sent(text: str, *choices: str) -> dict[str, Any]:
    """What a harness asked to weigh each choice as the text's continuation."""
    return {f"gen_args_{place}": {"arg_0": text, "arg_1": choice} for place, choice in enumerate(choices)}


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
            ({"doc": {}, "arguments": {"gen_args_0": {"arg_0": [json.dumps([*TALK, *TALK])], "arg_1": {}}}}, "Hi"),
        ],
    )
    def test_the_question_is_the_documents(self, lines, imported, changes, prompt) -> None:
        _, tables = imported("lm-eval", lines(lm(**changes), name="samples_sums_a.jsonl"))
        assert tables.prompts["prompt"].to_list() == [prompt]

    @pytest.mark.parametrize(
        ("doc", "prompt"),
        [
            ({"sentence": "The _ is big", "option1": "cat", "option2": "dog"}, "The _ is big\nA. cat\nB. dog"),
            ({"goal": "Dry a cup", "sol1": "Wipe it", "sol2": "Wet it"}, "Dry a cup\nA. Wipe it\nB. Wet it"),
            (
                {"context": "C", "question": "Q", "answerA": "x", "answerB": "y", "answerC": "z"},
                "C\nQ\nA. x\nB. y\nC. z",
            ),
            ({"paragraph": "P", "question": "Q", "answer": "x"}, "P\nQ"),
            ({"sentence": "S", "question": "Q"}, "S\nQ"),
            ({"premise": "P", "choice1": "x", "choice2": "y", "question": "cause"}, "P because\nA. x\nB. y"),
            ({"premise": "P", "hypothesis": "H"}, "P because"),
            ({"question": "Q", "answer1": "right", "answer2": "right too"}, "Q"),
        ],
    )
    def test_what_is_chosen_from_belongs_to_the_question(self, lines, imported, doc, prompt) -> None:
        log = lines(lm(doc=doc, arguments=sent("P because", " x", " y")), name="samples_sums_a.jsonl")
        assert imported("lm-eval", log)[1].prompts["prompt"].to_list() == [prompt]

    def test_documents_that_ask_the_same_are_told_apart_by_what_was_sent(self, lines, imported) -> None:
        def told(place: int, name: str, text: str, **changes: Any) -> dict[str, Any]:
            return lm(place, doc={"question": "Right?", "odd": name}, arguments=sent(text, " yes", " no"), **changes)

        alike = [told(place, "x", "Bob: Right?", doc_hash=str(place), acc=place, metrics=["acc"]) for place in range(2)]
        rows = [
            *(one | {"target": "0"} for one in alike),
            told(2, "y", "Ann: Right?", target="0"),
            told(3, "z", "Ann: Right?", target="1"),
            lm(4),
        ]
        logs = [lines(*rows, name=f"samples_sums_{model}.jsonl") for model in ("a", "b")]
        _, tables = imported("lm-eval", *logs)
        asked = [f"{who}: Right?\nA. yes\nB. no" for who in ("Ann", "Ann", "Bob", "Bob")]
        assert sorted(tables.prompts["prompt"]) == sorted([*asked, "4 + 1?"])
        assert column(tables, "samples") == [1] * 10
        # one text, but different answers are right
        answers = tables.prompts.filter(prompt=asked[0])["reference"]
        assert sorted(answers) == ["A", "B"]

    def test_a_document_that_stands_there_twice_is_one(self, lines, imported) -> None:
        rows = [
            lm(place, doc={"question": "Q", "id": place}, arguments=sent("Q: Q", " x", " y"), target="0")
            for place in (1, 2)
        ]
        _, tables = imported("lm-eval", lines(*rows, name="samples_sums_a.jsonl"))
        assert tables.prompts["prompt"].to_list() == ["Q"]
        assert column(tables, "samples") == [2]

    @pytest.mark.parametrize(
        ("shots", "kept"),
        [
            ("Premise: p\n\nIt is. True?\nAnswer: yes\n\n", ""),
            ("Read and answer.\n\n", "Read and answer.\n\n"),
            ("", ""),
        ],
    )
    def test_examples_before_the_document_are_left_out(self, lines, imported, shots: str, kept: str) -> None:
        text = "Premise: It rains.\n\nIt is wet. True?\nAnswer:"
        doc = {"premise": "It rains.", "hypothesis": "It is wet.", "label": 0}
        log = lines(lm(doc=doc, arguments=sent(shots + text, " yes", " no")), name="samples_sums_a.jsonl")
        assert imported("lm-eval", log)[1].prompts["prompt"].to_list() == [kept + text]

    def test_examples_are_left_out_where_the_question_is_a_part_of_a_word(self, lines, imported) -> None:
        doc = {"premise": "He fell.", "choice1": "x", "choice2": "y", "question": "cause"}
        text = "I ran because i was late\n\nHe fell because"
        log = lines(lm(doc=doc, arguments=sent(text, " x", " y")), name="samples_sums_a.jsonl")
        assert imported("lm-eval", log)[1].prompts["prompt"].to_list() == ["He fell because\nA. x\nB. y"]

    @pytest.mark.parametrize(
        ("changes", "reference"),
        [
            ({"doc": {"question": "Q", "choices": ["x", "y", "z"]}, "target": "1"}, "B"),
            ({"doc": {"question": "Q", "choices": ["x", "y", "z"]}, "target": 2}, "C"),
            ({"doc": {"question": "Q", "choices": {"text": ["x", "y"], "label": ["A", "B"]}}, "target": "0"}, "A"),
            ({"doc": {"question": "Q", "choices": ["x", "y"]}, "arguments": {"a": {"x": "Q"}}, "target": "1"}, "B"),
            ({"doc": {"question": "Q", "choices": ["1", "2"]}, "arguments": {"a": {"x": "Q"}}, "target": "1"}, "1"),
            ({"doc": {"question": "Q"}, "target": "1"}, "y"),
            ({"doc": {"question": "Q"}, "target": "1", "arguments": [["Q", " x"], ["Q", " y"]]}, "y"),
            ({"doc": {"question": "Q"}, "target": "3"}, None),
            ({"doc": {"question": "Q"}, "target": "y"}, "y"),
            # what goes on after each context says nothing of what is asked
            ({"doc": {"question": "Q"}, "target": "end", "arguments": [["a", " end"], ["b", " end"]]}, None),
            ({"doc": {"question": "Q"}, "target": "1", "arguments": {"a": {"x": "Q", "y": {"until": []}}}}, "1"),
        ],
    )
    def test_an_index_among_choices_is_read_as_the_choice(self, lines, imported, changes, reference) -> None:
        row = lm(**{"arguments": sent("Q", " x", " y", " z"), **changes})
        _, tables = imported("lm-eval", lines(row, name="samples_sums_a.jsonl"))
        assert tables.prompts["reference"].to_list() == [reference]

    def test_results_of_the_same_time_name_the_model(self, lines, imported) -> None:
        times = [f"2025-01-0{day}T03-04-05.678901" for day in (2, 3)]
        for name, time in zip("ab", times, strict=True):
            lines(lm(), name=f"flat/samples_sums_{time}.jsonl")
            results = lines({"model_name": f"org/{name}"}, name=f"flat/{name}_{time}.json")
        for paths in ([results.parent], sorted(results.parent.iterdir())):
            _, tables = imported("lm-eval", *paths)
            assert tables.candidates["model"].to_list() == ["org/a", "org/b"]
            assert column(tables, "samples") == [1, 1]

    def test_results_of_another_run_name_no_model(self, lines, imported) -> None:
        times = [f"2025-01-0{day}T03-04-05.678901" for day in (2, 3)]
        results = lines({"model_name": "org/b"}, name=f"flat/results_{times[1]}.json")
        for time in times:
            lines(lm(), name=f"flat/samples_sums_{time}.jsonl")
        with pytest.raises(TableError, match=r"flat: .*no results file names the model of samples_sums_2025-01-02T"):
            imported("lm-eval", results.parent)

    @pytest.mark.parametrize(("folder", "refused"), [("flat", True), ("org__small", False)])
    def test_runs_that_nothing_names_are_refused(self, lines, imported, folder: str, refused: bool) -> None:
        for day in (2, 3):
            log = lines(lm(day), name=f"{folder}/samples_sums_2025-01-0{day}T03-04-05.678901.jsonl")
        if refused:
            with pytest.raises(TableError, match=r"flat: .*two runs or more.*2025-01-02T.*samples_TASK_MODEL\.jsonl"):
                imported("lm-eval", log.parent)
        else:
            assert imported("lm-eval", log.parent)[1].candidates["model"].to_list() == ["org/small"]

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

    def test_what_is_not_graded_names_no_grader(self, lines, imported) -> None:
        log = inspect(sample(), sample(1, scores={"match": {"value": None}}))
        _, tables = imported("inspect", lines(json.dumps(log), name="log.json"))
        assert column(tables, "graded_by", ["quality"]) == [None, "match"]
        _, tables = imported("lm-eval", lines(lm(), lm(1, exact_match=float("nan")), name="samples_sums_a.jsonl"))
        assert column(tables, "graded_by", ["quality"]) == [None, "exact_match"]

    def test_one_score_of_several_is_chosen(self, lines, imported) -> None:
        path = lines(json.dumps(inspect(sample())), name="log.json")
        assert column(imported("inspect", path, metric="style")[1], "quality") == [0.25]

    @pytest.mark.parametrize(
        ("metric", "quality", "grader"),
        [(None, 0.25, "judge"), ("judge", 0.25, "judge"), ("right", 1, "right"), ("judge/right", 1, "judge/right")],
    )
    def test_a_score_of_several_values_is_chosen_from(self, lines, imported, metric, quality, grader) -> None:
        several = sample(scores={"judge": {"value": {"style": 0.25, "right": "C"}}})
        path = lines(json.dumps(inspect(several)), name="log.json")
        _, tables = imported("inspect", path, metric=metric)
        assert tables.outcomes.select("quality", "graded_by").row(0) == (quality, grader)

    def test_a_metric_that_no_sample_has_is_refused_with_those_that_are(self, lines, imported) -> None:
        path = lines(json.dumps(inspect(sample(), sample(1, scores={}))), name="log.json")
        with pytest.raises(TableError, match=r"log\.json: no score is called 'sytle'; there are match, style"):
            imported("inspect", path, metric="sytle")

    def test_what_grading_took_is_not_the_models(self, lines, imported) -> None:
        def span(key: str, kind: str, parent: str | None = None) -> dict[str, Any]:
            return {"event": "span_begin", "id": key, "span_id": key, "parent_id": parent, "type": kind}

        def asked(key: str, model: str, sent: int, **more: Any) -> dict[str, Any]:
            usage = {"input_tokens": sent, "output_tokens": 2 * sent, "total_cost": sent / 100} | more
            return {"event": "model", "span_id": key, "model": model, "output": {"usage": usage}}

        spans = [span("a", "solvers"), span("b", "solver", "a"), span("s", "scorers"), span("t", "scorer", "s")]
        calls = [
            asked("b", "vendor/m", 1),
            asked("b", "vendor/m", 3, input_tokens_cache_read=10),
            asked("b", "vendor/helper", 100),
            asked("t", "vendor/m", 1000),
            asked("u", "vendor/m", 1000),
        ]
        total = {"vendor/m": {"input_tokens": 2004, "output_tokens": 4008}}
        whole = sample(events=[*spans, span("u", "tool", "t"), *calls], model_usage=total)
        steps = [{"event": "step", "action": action, "type": "scorer"} for action in ("begin", "end")]
        before = [asked("x", "vendor/m", 4, total_cost=None), steps[0], asked("x", "vendor/m", 500), steps[1]]
        old = sample(1, events=before, model_usage=total)
        _, tables = imported("inspect", lines(json.dumps(inspect(whole, old)), name="log.json"))
        told = tables.outcomes.select("input_tokens", "output_tokens", "cost_usd").sort("input_tokens").rows()
        assert told == [(4, 8, None), (14, 8, pytest.approx(0.04))]

    @pytest.mark.parametrize(("scorer", "sent"), [("model_graded_qa", 16), ("match", 40)])
    def test_without_events_a_total_is_believed_where_no_model_grades(self, lines, imported, scorer, sent) -> None:
        log = inspect(
            sample(
                model_usage={"vendor/m": {"input_tokens": 40, "output_tokens": 14}},
                output={"model": "m", "usage": {"input_tokens": 16, "output_tokens": 7}},
            )
        )
        log["eval"]["scorers"] = [{"name": scorer}]
        assert column(imported("inspect", lines(json.dumps(log), name="log.json"))[1], "input_tokens") == [sent]

    def test_tokens_that_went_into_the_cache_were_sent(self, lines, imported) -> None:
        usage = {"input_tokens": 3, "input_tokens_cache_write": 2000, "input_tokens_cache_read": 40, "output_tokens": 5}
        log = inspect(sample(model_usage={"vendor/m": usage}))
        _, tables = imported("inspect", lines(json.dumps(log), name="log.json"))
        assert column(tables, "input_tokens") == [2043]

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
            tried("3 + 3?", "anthropic:messages:tiny", 1.0, gradingResult={"score": 0.25, "namedScores": {"n": 0.5}}),
        ]
        for _ in range(nesting):
            content = {"results": content}
        path = lines(json.dumps(content, indent=1), name="results.json")
        _, tables = imported("promptfoo", path)
        assert cells(tables) == {("2 + 2?", "small"): 0.75, ("Hi", "Large"): 0, ("3 + 3?", "tiny"): 0.25}
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
            "openai:": "openai:",
        }
        path = lines(*(tried("2 + 2?", {"id": provider}, 1) for provider in named), name="results.jsonl")
        _, tables = imported("promptfoo", path)
        assert tables.candidates["model"].to_list() == sorted(named.values())

    def test_providers_of_one_model_name_stay_apart(self, lines, imported) -> None:
        named = {
            "openai:gpt-4": "openai/gpt-4",
            "openai:chat:gpt-4": "openai/gpt-4",
            "azure:chat:gpt-4": "azure/gpt-4",
            # its name is what another one is called once the providers are told apart
            "openrouter:openai/gpt-4": "openrouter/openai/gpt-4",
            "openai:chat:small": "small",
            "openai:responses:small": "small",
        }
        rows = [tried(f"{place} + 1?", provider, place / 8) for place, provider in enumerate(named)]
        first, second = lines(*rows[:2], name="1.jsonl"), lines(*rows[2:], name="2.jsonl")
        tally, tables = imported("promptfoo", first, second)
        assert cells(tables) == {(f"{place} + 1?", name): place / 8 for place, name in enumerate(named.values())}
        assert not tally.remarks

    def test_a_label_is_kept_and_providers_that_share_one_are_named(self, lines, imported) -> None:
        path = lines(
            tried("a", {"id": "azure:gpt-4", "label": "gpt-4"}, 1),
            tried("a", "openai:gpt-4", 0),
            tried("a", {"id": "openai:x", "label": "Fast"}, 0),
            tried("b", {"id": "azure:y", "label": "Fast"}, 1),
            name="results.jsonl",
        )
        tally, tables = imported("promptfoo", path)
        assert cells(tables) == {("a", "gpt-4"): 1, ("a", "openai/gpt-4"): 0, ("a", "Fast"): 0, ("b", "Fast"): 1}
        assert tally.remarks == {"'Fast' is what several providers are called: azure:y, openai:x": 2}

    def test_a_test_without_assertions_grades_nothing(self, lines, imported) -> None:
        passed = {"pass": True, "score": 1, "reason": "No assertions"}
        _, tables = imported("promptfoo", lines(tried("2 + 2?", "x:m", 1, gradingResult=passed), name="r.jsonl"))
        assert cells(tables) == {("2 + 2?", "m"): None}
        assert tables.responses["response"].to_list() == ["4"]

    def test_a_metric_grades_only_tests_that_have_it(self, lines, imported) -> None:
        path = lines(
            tried("a", "x:m", 1, gradingResult={"score": 1, "namedScores": {"fmt": 0.25}}),
            tried("b", "x:m", 1, gradingResult={"score": 1, "namedScores": {"tone": 0.5}}),
            tried("c", "x:m", 1, namedScores={"fmt": 0.5}),
            tried("d", "x:m", 1),
            name="results.jsonl",
        )
        _, tables = imported("promptfoo", path, metric="fmt")
        assert cells(tables) == {("a", "m"): 0.25, ("b", "m"): None, ("c", "m"): 0.5, ("d", "m"): None}
        assert column(tables, "graded_by", ["quality", "model"]) == [None, None, "promptfoo", "promptfoo"]
        with pytest.raises(TableError, match=r"results\.jsonl: no score is named 'typo'; there are: fmt, tone"):
            imported("promptfoo", path, metric="typo")
        with pytest.raises(TableError, match=r"no score is named 'typo'; there are: none"):
            imported("promptfoo", lines(tried("d", "x:m", 1), name="plain.jsonl"), metric="typo")

    def test_what_came_from_the_providers_cache_is_charged_otherwise(self, lines, imported) -> None:
        # prices of 0.15, 0.075 and 0.6 USD a million tokens
        rows = []
        for place in range(8):
            sent, cached, written = 20 + 3 * place, place % 2 * (place + 1), 7 + place * place
            usage = {"prompt": sent, "completion": written, "completionDetails": {"cacheReadInputTokens": cached}}
            cost = (0.15 * (sent - cached) + 0.075 * cached + 0.6 * written) / 1e6
            rows.append(tried(f"{place}?", "x:m", place % 2, cost=cost, response={"output": "4", "tokenUsage": usage}))
        _, tables = imported("promptfoo", lines(*rows, name="results.jsonl"))
        prices = tables.candidates.select("input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok")
        assert prices.row(0) == pytest.approx((0.15, 0.075, 0.6))

    @pytest.mark.parametrize(
        ("raw", "prompt"),
        [
            ('\n- role: system\n  content: be brief\n- role: user\n  content: "Why?"\n', "Why?"),
            ("- role: user\n  content: |\n    Why?\n    How?", "Why?\nHow?"),
            ("- role: user: broken", "- role: user: broken"),
            ("- role: models\n- item: two", "- role: models\n- item: two"),
            ("- one\n- two", "- one\n- two"),
        ],
    )
    def test_conversations_may_be_written_in_yaml(self, lines, imported, raw: str, prompt: str) -> None:
        _, tables = imported("promptfoo", lines(tried(raw, "x:m", 1), name="results.jsonl"))
        assert tables.prompts["prompt"].to_list() == [prompt]

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


def test_a_deployment_has_the_name_that_was_asked_for(lines, imported) -> None:
    def answer(key: str, model: str, **changes: Any) -> dict[str, Any]:
        body = {"model": model, "choices": [{"message": {"content": "4"}}]} | changes
        return {"id": f"{key}-{model}", "custom_id": key, "response": {"status_code": 200, "body": body}}

    def request(key: str, model: str) -> dict[str, Any]:
        return {"custom_id": key, "body": {"model": model, "messages": [{"role": "user", "content": f"{key}?"}]}}

    dated, failed = "gpt-4o-2024-08-06", {"status": "failed", "output": [], "choices": None}
    rows = [request("1", "mine"), answer("1", dated), request("2", "mine"), answer("2", "m", **failed)]
    # of two models that answered one request one was asked in a file that isn't there
    rows += [request("3", "gpt-4o"), answer("3", dated), answer("3", "other")]
    tally, tables = imported("openai-batch", lines(*rows))
    assert set(cells(tables)) == {("1?", "mine"), ("3?", "gpt-4o"), ("3?", "other")}
    assert tally.reasons == {"the call failed": 1}


@pytest.mark.parametrize("failed", [{"status_code": 500, "body": {"error": {"code": "x"}}}, None])
def test_a_request_that_was_sent_again_is_of_the_same_model(lines, imported, failed) -> None:
    request = {"custom_id": "1", "body": {"model": "mine", "messages": [{"role": "user", "content": "1?"}]}}
    answer = {"model": "gpt-4o-2024-08-06", "choices": [{"message": {"content": "4"}}]}
    good = {"id": "b", "custom_id": "1", "response": {"status_code": 200, "body": answer}}
    bad = {"id": "a", "custom_id": "1", "response": failed, "error": None if failed else {"code": "batch_expired"}}
    tally, tables = imported("openai-batch", lines(request, bad, good))
    assert set(cells(tables)) == {("1?", "mine")}
    tally, tables = imported("openai-batch", lines(request, request, bad, good))
    assert set(cells(tables)) == {("1?", "mine")}
    assert tally.reasons == {"the call failed": 1}
    answer.pop("model")
    assert set(cells(imported("openai-batch", lines(request, good))[1])) == {("1?", "mine")}


@pytest.mark.parametrize(
    ("body", "failed"),
    [
        ({"status": "cancelled"}, True),
        ({"error": {"code": "server_error"}}, True),
        ({"status": "incomplete", "error": None}, False),
    ],
)
def test_answers_that_broke_off_are_none_and_short_ones_are(lines, imported, body, failed: bool) -> None:
    rows = []
    for place, changes in enumerate((body, {"status": "completed"})):
        rows.append({"custom_id": str(place), "url": "/v1/responses", "body": {"model": "m", "input": f"{place}?"}})
        answer = {"model": "m", "output": [{"content": [{"type": "output_text", "text": "4"}]}]} | changes
        rows.append({"custom_id": str(place), "response": {"status_code": 200, "body": answer}})
    tally, _ = imported("openai-batch", lines(*rows))
    assert tally.reasons == ({"the call failed": 1} if failed else {})


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
