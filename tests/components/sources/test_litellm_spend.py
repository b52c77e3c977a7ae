import json
from datetime import datetime
from typing import Any

import pytest

from components.tables.errors import TableError
from tests.components.sources.conftest import cells

NUMBER = iter(range(10**6))
NO_PRICE = "spend is 0, so LiteLLM knows no price: cost unknown (a free model: --prices says so)"


def row(prompt: str = "Hi", model: str = "a", sent: int = 10, written: int = 5, **changes: Any) -> dict[str, Any]:
    """A row as LiteLLM's database has it, of a model at 3 and 15 USD."""
    return {
        "request_id": f"req-{next(NUMBER)}",
        "call_type": "acompletion",
        "model": f"provider/{model}-deployment",
        "model_group": model,
        "spend": (sent * 3.0 + written * 15.0) / 1e6,
        "prompt_tokens": sent,
        "completion_tokens": written,
        "startTime": "2025-10-02T08:15:00.5+00:00",
        "endTime": "2025-10-02T08:15:02+00:00",
        "messages": {},
        "proxy_server_request": {"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": prompt}]},
        "metadata": {"status": "success", "spend_logs_metadata": {"quality": 1}},
        "cache_hit": "False",
        "status": "success",
    } | changes


SOUND = [row(f"Say {place}", sent=10 + place, written=90 - place * place) for place in range(8)]


def test_prompts_grades_and_prices_are_found_where_litellm_writes_them(lines, imported) -> None:
    tally, tables = imported("litellm-spend", lines(*SOUND))
    assert (tally.read, tally.graded, tally.reasons.total()) == (8, 8, 0)
    assert tables.prompts["prompt"].to_list() == [f"Say {place}" for place in range(8)]
    assert tables.prompts["created_at"][0] == datetime(2025, 10, 2, 8, 15, 0, 500_000)
    assert tables.outcomes["latency_ms"].to_list() == [1500.0] * 8
    assert tables.candidates["model"].to_list() == ["a"]
    assert tables.candidates.select("input_usd_per_mtok", "output_usd_per_mtok", "price_as_of").row(0) == (
        3.0,
        15.0,
        "2025-10",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": [{"role": "user", "content": "Hi"}], "proxy_server_request": {}},
        {"messages": json.dumps([{"role": "user", "content": "Hi"}]), "proxy_server_request": None},
        {"proxy_server_request": json.dumps({"messages": [{"role": "user", "content": "Hi"}]})},
        {"proxy_server_request": {"body": {"messages": [{"role": "user", "content": "Hi"}]}}},
        {"proxy_server_request": {"input": "Hi"}, "call_type": "aresponses"},
        {"proxy_server_request": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}},
        {"metadata": json.dumps({"quality": 1})},
    ],
)
def test_every_form_of_a_row(lines, imported, changes) -> None:
    _, tables = imported("litellm-spend", lines(row(**changes)))
    assert cells(tables) == {("Hi", "a"): 1.0}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "failure", "model_group": "", "model": ""}, "the call failed"),
        ({"metadata": {"status": "failure"}}, "the call failed"),
        ({"call_type": "aembedding"}, "not a chat call"),
        ({"proxy_server_request": {}}, "no prompt is stored (LiteLLM: store_prompts_in_spend_logs)"),
        ({"proxy_server_request": {}, "messages": [{"role": "user", "content": "redacted-by-litellm"}]}, "redacted"),
        ({"proxy_server_request": {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}}, "no text of"),
        ({"model_group": "", "model": ""}, "no model is named"),
        ({"startTime": "yesterday"}, "the time is none"),
        ({"spend": "much"}, "spend is no number"),
        ({"metadata": {"quality": "good"}}, "the grade is no number"),
        ({"metadata": {"quality": 7}}, "the grade is outside [0, 1]"),
    ],
)
def test_a_row_that_cannot_be_used_is_set_aside_and_counted(lines, imported, changes, reason) -> None:
    tally, tables = imported("litellm-spend", lines(*SOUND, row() | changes, "{not json"))
    assert tables.outcomes.height == 8
    assert [count for said, count in tally.reasons.items() if reason in said] == [1]
    assert tally.reasons["not a line of JSON"] == 1
    assert "set aside 2" in tally.text()


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"cache_hit": "True", "spend": 0.0}, "answered from the gateway's cache: cost unknown"),
        ({"spend": None}, "spend is empty: cost unknown"),
        ({"spend": -0.01}, "spend is below 0: cost unknown"),
        ({"spend": 0.0, "prompt_tokens": 0, "completion_tokens": 0}, "no usage was logged: tokens and cost unknown"),
        ({"spend": 0.0}, NO_PRICE),
    ],
)
def test_costs_that_say_nothing_are_unknown_and_do_not_spoil_prices(lines, imported, changes, remark) -> None:
    tally, tables = imported("litellm-spend", lines(*SOUND, *(row(f"Odd {place}", **changes) for place in range(3))))
    assert tally.remarks[remark] == 3
    assert tables.outcomes["cost_usd"].null_count() == 3
    assert tables.candidates["input_usd_per_mtok"].to_list() == [3.0]


@pytest.mark.parametrize("others", [SOUND, []])
def test_a_model_without_a_price_is_not_taken_for_free(tmp_path, lines, imported, others) -> None:
    calls = [row(f"Own {place}", "own", sent=10 + place, written=90 - place**2, spend=0.0) for place in range(8)]
    log = lines(*others, *calls)
    tally, tables = imported("litellm-spend", log)
    assert tally.remarks == {NO_PRICE: 8}
    assert tables.outcomes.filter(model="own")["cost_usd"].null_count() == 8
    assert tables.candidates.filter(model="own")["input_usd_per_mtok"].to_list() == [None]
    assert "no prices known of own" in tally.text()
    prices = tmp_path / "prices.json"
    prices.write_text('{"own": {"input_cost_per_token": 0, "output_cost_per_token": 0}}')
    _, tables = imported("litellm-spend", log, prices=prices)
    assert tables.candidates.filter(model="own")["input_usd_per_mtok"].to_list() == [0.0]


def test_cached_tokens_have_a_price_of_their_own(lines, imported) -> None:
    usage = {"prompt_tokens_details": {"cached_tokens": 800}}
    cached = [
        row(f"Long {place}", sent=1000, written=place, spend=(200 * 3 + 800 * 0.3 + place * 15) / 1e6)
        | {"metadata": {"usage_object": usage}}
        for place in range(5)
    ]
    _, tables = imported("litellm-spend", lines(*SOUND, *cached))
    prices = tables.candidates.select("input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok")
    assert prices.row(0) == (3.0, 15.0, 0.3)


def test_spend_that_no_prices_explain_gives_none(lines, imported) -> None:
    odd = [row(f"Odd {place}", spend=0.001 * (1 + place % 3)) for place in range(8)]
    tally, tables = imported("litellm-spend", lines(*odd))
    assert tables.candidates["input_usd_per_mtok"].to_list() == [None]
    assert tables.outcomes["cost_usd"].null_count() == 0
    assert "no prices known of a" in tally.text()


def test_conversations_that_end_alike_are_different_prompts(lines, imported) -> None:
    def talk(start: str) -> dict[str, Any]:
        said = [{"role": role, "content": text} for role, text in (("user", start), ("user", "continue"))]
        return {"proxy_server_request": {"messages": said}, "session_id": start}

    _, tables = imported("litellm-spend", lines(*(row(**talk(f"Draft {place}")) for place in range(7))))
    assert tables.prompts.height == 7
    assert tables.prompts["conversation_id"].to_list() == [f"Draft {place}" for place in range(7)]


def test_the_answer_of_the_endpoint_is_read_like_lines(lines, imported) -> None:
    _, tables = imported("litellm-spend", lines(json.dumps(SOUND, indent=1), name="spend.json"))
    assert tables.outcomes.height == 8


def test_the_answer_of_the_responses_api_is_kept(lines, imported) -> None:
    said = [
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]},
    ]
    answer = {"object": "response", "output": said, "text": {"format": {"type": "text"}}}
    log = lines(row(call_type="aresponses", proxy_server_request={"input": "Hi"}, metadata={}, response=answer))
    assert imported("litellm-spend", log)[1].responses["response"].to_list() == ["Hello"]


def test_answers_are_kept_only_where_nobody_graded_them(lines, imported) -> None:
    answer = {"response": {"choices": [{"message": {"content": "Hello"}}]}}
    log = lines(row("graded", **answer), row("ungraded", metadata={}, **answer))
    _, tables = imported("litellm-spend", log)
    assert tables.responses is not None
    assert tables.responses["response"].to_list() == ["Hello"]
    assert tables.responses["prompt_id"].to_list() == tables.prompts.filter(prompt="ungraded")["prompt_id"].to_list()
    _, tables = imported("litellm-spend", log, responses=False)
    assert tables.responses is None


def test_the_routers_own_decision_is_found_in_the_metadata(lines, imported) -> None:
    decision = {"pointsman": {"decision_id": "d1", "propensity": 0.25}, "quality": 0.5}
    _, tables = imported("litellm-spend", lines(row(metadata={"requester_metadata": decision})))
    assert tables.outcomes.select("decision_id", "propensity", "quality").row(0) == ("d1", 0.25, 0.5)


def test_what_logging_callbacks_write_is_read_too(lines, imported) -> None:
    payload = {
        "id": "chat-1",
        "trace_id": "t",
        "call_type": "acompletion",
        "status": "success",
        "model": "m-2025",
        "model_group": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "model_parameters": {"tools": [{"type": "function"}], "temperature": 0},
        "response_cost": 0.25,
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "startTime": 1_760_000_000.5,
        "endTime": 1_760_000_001.0,
        "metadata": {"requester_metadata": {"quality": 0.5}},
        "cache_hit": None,
    }
    _, tables = imported("litellm-spend", lines(payload))
    assert cells(tables) == {("Hi", "m"): 0.5}
    assert tables.outcomes.select("cost_usd", "latency_ms").row(0) == (0.25, 500)
    assert tables.prompts.select("requires", "conversation_id").row(0) == (["tools"], "t")


def test_redacted_logs_are_named_as_such(lines, imported) -> None:
    silent = [{"role": "user", "content": "redacted-by-litellm"}]
    log = lines(*(row(proxy_server_request={}, messages=silent) for _ in range(5)))
    with pytest.raises(TableError, match=r"no row can be used as litellm-spend\n(.|\n)*5  the prompt is redacted"):
        imported("litellm-spend", log)
