"""Traces: OpenTelemetry's GenAI conventions, OpenInference, Langfuse; and our own decision log."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from components.tables.errors import TableError
from components.tables.store import Tables
from tests.components.sources.conftest import cells, column


def span(attributes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "traceId": "t",
        "spanId": str(abs(hash(json.dumps(attributes)))),
        "startTimeUnixNano": "1760000000000000000",
        "endTimeUnixNano": 1760000001250000000,
        "attributes": attributes,
    } | changes


GENAI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m",
    "gen_ai.response.model": "m-2025",
    "gen_ai.usage.input_tokens": 40,
    "gen_ai.usage.output_tokens": 12,
    "gen_ai.conversation.id": "c",
}
SAID = {"role": "user", "content": "Hi"}
HI = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
GRADED = {
    "name": "gen_ai.evaluation.result",
    "attributes": {"gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.value": 0.5},
}


class TestOtel:
    @pytest.mark.parametrize(
        ("attributes", "events"),
        [
            ({"gen_ai.input.messages": HI}, []),
            ({"gen_ai.input.messages": json.dumps(HI)}, []),
            ({}, [{"name": "gen_ai.client.inference.operation.details", "attributes": {"gen_ai.input.messages": HI}}]),
            ({}, [{"name": "gen_ai.user.message", "attributes": {"content": "Hi"}}]),
            ({"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi"}, []),
            ({"gen_ai.prompt.0.content": json.dumps([{"type": "text", "text": "Hi"}, {"type": "image_url"}])}, []),
            ({}, [{"name": "gen_ai.user.message", "attributes": {"gen_ai.event.content": json.dumps(SAID)}}]),
        ],
    )
    def test_messages_of_every_convention(self, lines, imported, attributes, events) -> None:
        log = lines(span(GENAI | attributes, events=[*events, GRADED]))
        _, tables = imported("otel", log)
        assert cells(tables) == {("Hi", "m"): 0.5}
        assert tables.outcomes.select("input_tokens", "output_tokens", "latency_ms").row(0) == (40, 12, 1250)
        assert tables.prompts["conversation_id"].to_list() == ["c"]
        assert tables.prompts["created_at"][0] == datetime.fromtimestamp(1_760_000_000, tz=UTC).replace(tzinfo=None)

    def test_openinference(self, lines, imported) -> None:
        flat = {
            "openinference.span.kind": "LLM",
            "llm.model_name": "m",
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "Be kind",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": "What is this?",
            "llm.input_messages.1.message.contents.1.message_content.image.image.url": "data:",
            "llm.tools.0.tool.json_schema": "{}",
            "llm.token_count.prompt": 9,
            "llm.token_count.prompt_details.cache_read": 4,
            "llm.cost.total": 0.002,
            "llm.output_messages.0.message.content": "A cat",
        }
        annotations = [{"name": "right", "annotator_kind": "HUMAN", "result": {"score": 1}}]
        _, tables = imported("otel", lines(span(flat, annotations=annotations)))
        assert tables.prompts.select("prompt", "requires").row(0) == ("What is this?", ["tools", "vision"])
        assert column(tables, "cost_usd") == [0.002]
        assert tables.grades is not None
        assert tables.grades.select("grader", "kind", "grade").rows() == [("right", "person", 1)]
        assert tables.responses is not None
        assert tables.responses["response"].to_list() == ["A cat"]

    def test_tables_of_spans_have_one_column_an_attribute(self, lines, imported) -> None:
        row = {
            "context.trace_id": "t",
            "context.span_id": "s",
            "start_time": "2025-03-01T10:00:00+00:00",
            "attributes.llm.model_name": "m",
            "attributes.llm.input_messages": [{"message.role": "user", "message.content": "Hi"}],
            "attributes.llm.token_count.prompt": 7.0,
        }
        _, tables = imported("otel", lines(row))
        assert cells(tables) == {("Hi", "m"): None}
        assert column(tables, "input_tokens") == [7]

    def test_otlp_json_is_opened(self, lines, imported) -> None:
        typed = [
            {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
            for name, value in {**GENAI, "gen_ai.input.messages": json.dumps(HI)}.items()
        ]
        document = {"resourceSpans": [{"scopeSpans": [{"spans": [span({}) | {"attributes": typed}]}]}]}
        for path in (lines(document), lines(json.dumps(document, indent=1), name="otlp.json")):
            _, tables = imported("otel", path)
            assert cells(tables) == {("Hi", "m"): None}

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"attributes": {"gen_ai.operation.name": "embeddings"}}, "not a span of a chat"),
            ({"attributes": {"openinference.span.kind": "TOOL"}}, "not a span of a chat"),
            ({"attributes": {"http.route": "/x"}}, "not a span of a chat"),
            ({"attributes": {"gen_ai.operation.name": "chat"}}, "no model is named"),
            ({"attributes": GENAI, "status_code": "ERROR"}, "the call failed"),
            ({"attributes": GENAI | {"error.type": "timeout"}}, "the call failed"),
            ({"attributes": GENAI, "status": {"code": "STATUS_CODE_ERROR"}}, "the call failed"),
            ({"attributes": GENAI}, "needs a text"),
        ],
    )
    def test_other_spans_are_set_aside(self, lines, imported, changes, reason) -> None:
        good = span(GENAI | {"gen_ai.input.messages": HI})
        tally, _ = imported("otel", lines(good, span({}) | changes))
        assert [reason in said for said in tally.reasons] == [True]

    @pytest.mark.parametrize(
        ("attributes", "events"),
        [
            ({"gen_ai.completion.0.content": "Fine"}, []),
            (
                {},
                [{"name": "gen_ai.choice", "attributes": {"gen_ai.event.content": '{"message": {"content": "Fine"}}'}}],
            ),
            ({"output.value": "Fine"}, []),
        ],
    )
    def test_answers_of_every_convention_are_kept_for_graders(self, lines, imported, attributes, events) -> None:
        _, tables = imported("otel", lines(span(GENAI | {"gen_ai.input.messages": HI} | attributes, events=events)))
        assert tables.responses["response"].to_list() == ["Fine"]

    def test_a_trace_that_is_mostly_of_other_things_is_a_log(self, lines, imported) -> None:
        others = [span({"db.system": "postgresql"}, spanId=f"s{place}", name="SELECT") for place in range(9)]
        tally, tables = imported("otel", lines(*others, span(GENAI | {"gen_ai.input.messages": HI})))
        assert tally.reasons == {"not a span of a chat": 9}
        assert cells(tables) == {("Hi", "m"): None}


def generation(key: str, trace: str = "t1", **changes: Any) -> dict[str, Any]:
    return {
        "id": key,
        "traceId": trace,
        "type": "GENERATION",
        "model": "m",
        "startTime": f"2025-03-01T10:00:0{key[-1]}Z",
        "endTime": f"2025-03-01T10:00:0{key[-1]}.500Z",
        "input": {"messages": [{"role": "user", "content": f"Ask {key}"}]},
        "output": {"role": "assistant", "content": "Fine"},
        "usageDetails": {"input": 30, "output": 7, "input_cached_tokens": 10, "total": 47},
        "costDetails": {"total": 0.004},
    } | changes


def score(value: Any, name: str = "right", **changes: Any) -> dict[str, Any]:
    return {"id": f"s{value}{name}", "traceId": "t1", "name": name, "value": value, "source": "EVAL"} | changes


def graded(tables: Tables) -> dict[str, float]:
    """Grade by prompt."""
    assert tables.grades is not None
    return dict(tables.grades.join(tables.prompts, on="prompt_id").select("prompt", "grade").iter_rows())


def as_csv(rows: list[dict[str, Any]]) -> str:
    """As Langfuse exports a table: what is no text stands in its cell as JSON."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                name: value if value is None or isinstance(value, str) else json.dumps(value)
                for name, value in row.items()
            }
        )
    return text.getvalue()


class TestLangfuse:
    def test_generations_and_scores_of_files_beside(self, lines, imported) -> None:
        observations = lines(
            generation("g1"), generation("g2"), {"id": "s", "traceId": "t1", "type": "SPAN"}, name="o.jsonl"
        )
        scores = lines(
            score(0.25, observationId="g1", source="ANNOTATION"),
            score(True, observationId="g1"),
            score(1),
            score(0.1, name="toxicity"),
            name="scores.jsonl",
        )
        traces = lines({"id": "t1", "sessionId": "s1", "name": "x"}, name="traces.jsonl")
        tally, tables = imported("langfuse", observations, scores, traces)
        assert cells(tables) == {("Ask g1", "m"): None, ("Ask g2", "m"): None}
        assert tables.outcomes.select("input_tokens", "output_tokens", "cost_usd", "latency_ms").row(0) == (
            40,
            7,
            0.004,
            500,
        )
        assert tables.grades is not None
        prompts = dict(tables.prompts.select("prompt", "prompt_id").iter_rows())
        told = {(row["prompt_id"], row["kind"]): row["grade"] for row in tables.grades.iter_rows(named=True)}
        assert told == {
            (prompts["Ask g1"], "person"): 0.25,
            (prompts["Ask g1"], "judge"): 1,
            (prompts["Ask g2"], "judge"): 1,
        }
        assert tables.prompts["conversation_id"].to_list() == ["s1", "s1"]
        assert tally.reasons == {"scores other than 'right' (--metric NAME chooses another)": 1}

    def test_scores_alone_are_refused_with_what_to_do(self, lines, imported) -> None:
        with pytest.raises(TableError, match="give the observations that they grade in the same import"):
            imported("langfuse", lines(score(1, observationId="g1")))

    def test_tokens_that_are_counted_apart_belong_to_the_call(self, lines, imported) -> None:
        usage = {"input": 100, "input_audio_tokens": 5, "cache_creation_input_tokens": 7}
        usage |= {"output": 40, "output_reasoning_tokens": 960, "total": 1112}
        _, tables = imported("langfuse", lines(generation("g1", usageDetails=usage)))
        assert tables.outcomes.select("input_tokens", "output_tokens").row(0) == (112, 1000)

    def test_tokens_as_openai_counts_them_are_whole(self, lines, imported) -> None:
        usage = {"prompt_tokens": 100, "completion_tokens": 1000, "output_reasoning_tokens": 960}
        _, tables = imported("langfuse", lines(generation("g1", usageDetails=usage)))
        assert tables.outcomes.select("input_tokens", "output_tokens").row(0) == (100, 1000)

    @pytest.mark.parametrize(
        ("usage", "sent"),
        [
            # older LiteLLM counts in `input` what it counts apart too
            ({"input": 100, "output": 5, "total": 105, "cache_read_input_tokens": 80}, 100),
            ({"input": 20, "output": 5, "total": 105, "cache_read_input_tokens": 80}, 100),
            # later ones take out what was read from the cache, not what went into it
            (
                {
                    "input": 40,
                    "output": 5,
                    "total": 105,
                    "cache_read_input_tokens": 60,
                    "cache_creation_input_tokens": 7,
                },
                100,
            ),
            ({"input": 20, "output": 5, "cache_read_input_tokens": 80}, 100),
            ({"input": 20, "output": 5, "total": 0, "cache_read_input_tokens": 80}, 100),
            ({"input": 20, "output": 5, "total": 999, "cache_read_input_tokens": 80}, 100),
            ({"input_tokens": 100, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 80}}, 100),
        ],
    )
    def test_the_total_tells_which_tokens_are_counted_twice(self, lines, imported, usage, sent) -> None:
        _, tables = imported("langfuse", lines(generation("g1", usageDetails=usage)))
        assert tables.outcomes.select("input_tokens", "output_tokens").row(0) == (sent, 5)

    def test_tokens_as_anthropic_counts_them_are_apart(self, lines, imported) -> None:
        usage = {"input_tokens": 20, "output_tokens": 5, "cache_read_input_tokens": 80}
        _, tables = imported("langfuse", lines(generation("g1", usageDetails=usage)))
        assert tables.outcomes.select("input_tokens", "output_tokens").row(0) == (100, 5)

    def test_blob_storage_writes_other_names(self, lines, imported) -> None:
        row = {
            "id": "g1",
            "trace_id": "t",
            "type": "GENERATION",
            "start_time": "2025-03-01 10:00:00.250000",
            "provided_model_name": "m",
            "input": json.dumps([{"role": "user", "content": "Hi"}]),
            "output": "Hello",
            "usage_details": json.dumps({"input": 3, "output": 2}),
            "total_cost": 0.5,
            "session_id": "s",
        }
        _, tables = imported("langfuse", lines(row))
        assert tables.outcomes.select("input_tokens", "cost_usd").row(0) == (3, 0.5)
        assert tables.prompts["prompt"].to_list() == ["Hi"]

    def test_a_downloaded_trace_is_opened(self, lines, imported) -> None:
        inner = {key: value for key, value in generation("g1").items() if key != "traceId"}
        given = {key: value for key, value in score(0.75, observationId="g1").items() if key != "traceId"}
        trace = {"id": "t9", "sessionId": "s9", "input": "x", "observations": [inner], "scores": [given]}
        _, tables = imported("langfuse", lines(json.dumps(trace, indent=1), name="trace.json"))
        assert tables.prompts.select("prompt", "conversation_id").rows() == [("Ask g1", "s9")]
        assert tables.grades is not None
        assert tables.grades["grade"].to_list() == [0.75]

    def test_a_category_is_read_by_its_name(self, lines, imported) -> None:
        said = ("correct", "incorrect", "Correct", "0.25", "off topic")
        # without a config Langfuse gives every category the value 0
        scores = [
            score(0, observationId=f"g{place}", dataType="CATEGORICAL", stringValue=text)
            for place, text in enumerate(said)
        ]
        comments = [score(0, f"note {n}", observationId="g1", dataType="TEXT", stringValue="1") for n in range(3)]
        log = lines(*(generation(f"g{place}", f"t{place}") for place in range(5)), *scores, *comments)
        tally, tables = imported("langfuse", log)
        assert graded(tables) == {"Ask g0": 1, "Ask g1": 0, "Ask g2": 1, "Ask g3": 0.25}
        assert tally.reasons == {"score: its category is no grade": 1}

    def test_a_config_gives_categories_their_values(self, lines, imported) -> None:
        told = score(0.75, observationId="g1", dataType="CATEGORICAL", stringValue="good", configId="c")
        assert graded(imported("langfuse", lines(generation("g1"), told))[1]) == {"Ask g1": 0.75}

    def test_true_is_the_best_on_any_scale(self, lines, imported) -> None:
        told = score(1, observationId="g1", dataType="BOOLEAN", stringValue="True")
        assert graded(imported("langfuse", lines(generation("g1"), told), scale=(1, 5))[1]) == {"Ask g1": 1}

    def test_a_truth_or_category_may_be_written_as_the_value(self, lines, imported) -> None:
        said = [("BOOLEAN", "True"), ("BOOLEAN", "false"), ("BOOLEAN", "1"), ("CATEGORICAL", "correct")]
        said += [("CATEGORICAL", "law"), ("CATEGORICAL", "art"), ("CATEGORICAL", "tax")]
        scores = [score(value, observationId=f"g{n}", dataType=kind) for n, (kind, value) in enumerate(said)]
        tally, tables = imported("langfuse", lines(*(generation(f"g{n}", f"t{n}") for n in range(7)), *scores))
        assert graded(tables) == {"Ask g0": 1, "Ask g1": 0, "Ask g2": 1, "Ask g3": 1}
        assert tally.reasons == {"score: its category is no grade": 3}

    def test_categories_that_are_no_grades_are_not_the_usual_score(self, lines, imported) -> None:
        topics = [score(0, "topic", observationId=f"g{n}", dataType="CATEGORICAL", stringValue="law") for n in range(3)]
        log = lines(*(generation(f"g{n}", f"t{n}") for n in range(3)), *topics, score(0.5, observationId="g1"))
        assert graded(imported("langfuse", log)[1]) == {"Ask g1": 0.5}

    def test_a_metric_that_no_score_has_is_refused(self, lines, imported) -> None:
        log = lines(generation("g1"), score(1, observationId="g1"))
        with pytest.raises(TableError, match="no score is called 'rihgt'; there are right"):
            imported("langfuse", log, metric="rihgt")

    @pytest.mark.parametrize("form", ["json", "csv"])
    def test_a_tables_export_has_scores_as_columns(self, tmp_path: Path, imported, form: str) -> None:
        said = [{"isRight": [1], "thumb": None}, {"isRight": ["incorrect", 1], "thumb": [1]}, {"isRight": None}]
        table = {"traceName": "x", "traceTags": ["a", "b"], "comments": [], "toolCallNames": ["f"]}
        rows = [generation(f"g{place}") | table | scores for place, scores in enumerate(said)]
        path = tmp_path / f"export.{form}"
        if form == "json":
            path.write_text(json.dumps(rows))
        else:
            path.write_text(as_csv(rows))
        tally, tables = imported("langfuse", path)
        assert graded(tables) == {"Ask g0": 1, "Ask g1": 0.5}
        assert tally.reasons == {"scores other than 'isRight' (--metric NAME chooses another)": 1}
        assert tables.outcomes["input_tokens"].to_list() == [40] * 3
        assert graded(imported("langfuse", path, metric="thumb")[1]) == {"Ask g1": 1}

    def test_a_shifted_row_of_a_csv_is_set_aside(self, tmp_path: Path, imported) -> None:
        path = tmp_path / "logs" / "export.csv"
        path.parent.mkdir()
        path.write_text("id,trace_id,type,model,input\n1,t,GENERATION,m,Hi\n2,t,GENERATION,m\n")
        tally, tables = imported("langfuse", path.parent)
        assert tables.prompts["prompt"].to_list() == ["Hi"]
        assert tally.reasons == {"more or fewer cells than columns: the row is shifted": 1}

    @pytest.mark.parametrize(
        ("usage", "old", "sent"),
        [
            ({"input": 0, "input_cached_tokens": 100}, None, 100),
            ({"input": 0, "input_cached_tokens": 100}, 100, 100),
            ({"input": 0}, 30, 30),
            ({"input": 0}, None, None),
        ],
    )
    def test_a_prompt_may_come_from_the_cache_as_a_whole(self, lines, imported, usage, old, sent) -> None:
        _, tables = imported("langfuse", lines(generation("g1", usageDetails=usage, promptTokens=old)))
        assert tables.outcomes["input_tokens"].to_list() == [sent]

    def test_errors_and_odd_scores_are_set_aside(self, lines, imported) -> None:
        log = lines(generation("g1"), generation("g2", level="ERROR"), generation("g3", input=None), score(7))
        tally, _ = imported("langfuse", log, most_unusable=1)
        assert tally.reasons == {
            "the call failed": 1,
            "no text in 'input'": 1,
            "score: the grade is outside [0, 1]": 1,
        }


def decision(key: str, **changes: Any) -> dict[str, Any]:
    return {
        "decision_id": key,
        "decided_at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "router_id": "r",
        "policy": "parity",
        "candidate": "a",
        "propensity": 0.9,
        "text": f"Ask {key}",
        "session": "s",
        "task": "t1",
        "scores": json.dumps({"a": 0.5}),
    } | changes


class TestDecisions:
    def test_choices_are_joined_with_what_became_of_them(self, tmp_path: Path, imported) -> None:
        folder = tmp_path / "decisions"
        folder.mkdir()
        rows = [decision("d1"), decision("d2", candidate="b", propensity=0.1), decision("d3")]
        pl.DataFrame(rows).write_parquet(folder / "decisions-1.parquet")
        pl.DataFrame(rows).write_parquet(folder / "decisions-1-joined.parquet")
        pl.DataFrame({"decision_id": ["d8"], "shadow_candidate": ["b"]}).write_parquet(folder / "shadow-1.parquet")
        early = {"decision_id": "d1", "told_at": datetime(2026, 1, 1), "quality": 0.25}
        pl.DataFrame([early]).write_parquet(folder / "outcomes-2.parquet")
        outcomes = [
            {"decision_id": "d1", "quality": None, "thumb": "up", "cost_usd": 0.1, "output_tokens": 5, "error": None},
            {
                "decision_id": "d1",
                "quality": 0.75,
                "thumb": None,
                "cost_usd": None,
                "output_tokens": None,
                "error": None,
            },
            {
                "decision_id": "d3",
                "quality": None,
                "thumb": None,
                "cost_usd": None,
                "output_tokens": None,
                "error": "x",
            },
            {
                "decision_id": "d9",
                "quality": 1.0,
                "thumb": None,
                "cost_usd": None,
                "output_tokens": None,
                "error": None,
            },
        ]
        frame = pl.DataFrame(outcomes, infer_schema_length=None).with_columns(told_at=datetime(2026, 1, 3))
        frame.write_parquet(folder / "outcomes-1.parquet")
        tally, tables = imported("decisions", folder)
        told = tables.outcomes.sort("decision_id")
        assert told.select("decision_id", "model", "quality", "propensity", "cost_usd", "output_tokens").rows() == [
            ("d1", "a", 0.75, 0.9, 0.1, 5),
            ("d2", "b", None, 0.1, None, None),
        ]
        assert told["decided_at"].to_list() == [datetime(2026, 1, 2, 3, 4)] * 2
        assert tables.grades is not None
        assert tables.grades.select("grader", "kind", "grade").rows() == [("user", "feedback", 1)]
        assert tally.reasons == {"the call failed": 1, "outcomes of decisions that aren't in the log": 1}

    def test_an_error_may_be_taken_back(self, lines, imported) -> None:
        told = [
            {"decision_id": f"d{number}", "told_at": f"2026-01-0{day}T00:00:00", "error": error}
            for number, errors in enumerate((("x", ""), ("", "x"), ("", "")))
            for day, error in enumerate(errors, start=1)
        ]
        rows = [decision(f"d{number}") for number in range(3)]
        tally, tables = imported("decisions", lines(*(json.dumps(row, default=str) for row in [*rows, *told])))
        assert sorted(tables.outcomes["decision_id"]) == ["d0", "d2"]
        assert tally.reasons == {"the call failed": 1}

    @pytest.mark.parametrize("changes", [{"text": "Ask other"}, {"candidate": "b"}])
    def test_an_id_of_two_decisions_teaches_nothing(self, lines, imported, changes) -> None:
        rows = [decision("d1"), decision("d2"), decision("d1"), decision("d1", **changes)]
        told = {"decision_id": "d1", "told_at": "2026-01-02T00:00:00", "quality": 1.0}
        tally, tables = imported(
            "decisions", lines(*(json.dumps(row, default=str) for row in [*rows, told])), most_unusable=1
        )
        assert tables.outcomes["decision_id"].to_list() == ["d2"]
        assert tally.reasons == {"the decision's id stands for another prompt or candidate as well": 2}

    def test_the_gateways_log_of_the_same_calls_adds_what_it_knows(self, lines, imported) -> None:
        chosen = decision("d1", digest=None)
        imported("decisions", lines(json.dumps(chosen, default=str)))
        spend = {
            "request_id": "r1",
            "model_group": "a",
            "spend": 0.25,
            "prompt_tokens": 4,
            "completion_tokens": 5,
            "messages": [{"role": "user", "content": "Ask d1"}],
            "metadata": {"requester_metadata": {"pointsman": {"decision_id": "d1"}, "quality": 0.75}},
        }
        _, tables = imported("litellm-spend", lines(spend), append=True)
        told = tables.outcomes.select("quality", "propensity", "cost_usd", "samples", "decision_id")
        assert told.rows() == [(0.75, 0.9, 0.25, 1, "d1")]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"text": None}, "the decision was logged without its text"),
            ({"text": " \n"}, "the prompt is empty"),
            ({"propensity": 0.0}, "propensity is outside (0, 1]"),
            ({"propensity": 1.5}, "propensity is outside (0, 1]"),
            ({"propensities": json.dumps({"a": 0.5, "b": 0.5})}, "propensities don't agree"),
            ({"propensities": json.dumps({"a": 0.9, "b": 0.5})}, "propensities don't agree"),
        ],
    )
    def test_what_cannot_be_is_set_aside(self, lines, imported, changes, reason) -> None:
        rows = [json.dumps(decision("d1"), default=str), json.dumps(decision("d2", **changes), default=str)]
        tally, _ = imported("decisions", lines(*rows))
        assert [reason in said for said in tally.reasons] == [True]
