from typing import Any

import pytest

from pointsman.text.conversation import (
    ConversationConfig,
    ConversationError,
    prompt_digest,
    routed_messages,
    routed_request,
)

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}


def talk(*turns: Any) -> list[dict[str, Any]]:
    """Users' turns with an answer between them."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "Be brief."}]
    for turn in turns:
        messages += [{"role": "user", "content": turn}, {"role": "assistant", "content": "Well."}]
    return messages[:-1]


def test_one_turn_is_routed_as_it_is() -> None:
    routed = routed_messages(talk("  Translate 'bread'\ninto Latvian "))
    assert routed.text == "  Translate 'bread'\ninto Latvian "
    assert routed.requires == ()


@pytest.mark.parametrize(("earlier", "text"), [(0, "go on"), (1, "c\n\ngo on"), (2, "b\n\nc\n\ngo on"), (9, None)])
def test_earlier_turns_of_the_user_come_first(earlier: int, text: str | None) -> None:
    routed = routed_messages(talk("a", "b", "c", "go on"), ConversationConfig(earlier_turns=earlier))
    assert routed.text == (text or "a\n\nb\n\nc\n\ngo on")


def test_conversations_that_end_alike_are_told_apart() -> None:
    assert len({routed_messages(talk(f"Write about {thing}", "continue")).text for thing in "abc"}) == 3


def test_long_conversations_are_told_apart_though_their_texts_are_alike() -> None:
    routed = [routed_messages(talk(f"Write about {thing}", *["continue"] * 4)) for thing in "abb"]
    assert len({one.text for one in routed}) == 1
    assert [one.digest == routed[1].digest for one in routed] == [False, True, True]


def test_a_turn_alone_is_the_same_prompt_however_it_was_asked() -> None:
    digests = {routed_messages(talk("Hi")).digest, routed_request({"prompt": "Hi"}).digest, prompt_digest(["Hi"])}
    assert len(digests) == 1


def test_parts_that_are_not_text_are_requirements() -> None:
    routed = routed_messages(
        talk([{"type": "text", "text": "What is"}, IMAGE, {"type": "text", "text": "this?"}], [IMAGE], "And this?")
    )
    assert routed.text == "What is\nthis?\n\nAnd this?"
    assert routed.requires == ("vision",)


def test_system_prompts_and_tool_results_are_read_where_asked() -> None:
    messages = [
        *talk("Weather in Rome?"),
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "tool_call_id": "1", "content": "21 degrees"},
    ]
    assert routed_messages(messages).text == "Weather in Rome?"
    assert routed_messages(messages).requires == ("tools",)
    everything = ConversationConfig(system=True, tool_results=True)
    assert routed_messages(messages, everything).text == "Be brief.\n\nWeather in Rome?\n\n21 degrees"


def test_what_is_read_tells_prompts_apart() -> None:
    def said(system: str, tool: str) -> list[dict[str, Any]]:
        return [
            {"role": "system", "content": system},
            {"role": "user", "content": "Good morning"},
            {"role": "tool", "tool_call_id": "1", "content": tool},
        ]

    asked = [said("Translate.", "a"), said("Classify.", "a"), said("Classify.", "b")]
    for config, prompts in (
        (ConversationConfig(), 1),
        (ConversationConfig(system=True), 2),
        (ConversationConfig(tool_results=True), 2),
        (ConversationConfig(system=True, tool_results=True), 3),
    ):
        routed = [routed_messages(messages, config) for messages in asked]
        assert len({one.digest for one in routed}) == len({one.text for one in routed}) == prompts


@pytest.mark.parametrize(
    "request_",
    [
        {"instructions": "Be brief.", "input": "Hello"},
        {
            "instructions": "Be brief.",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}],
        },
        {"system": "Be brief.", "messages": [{"role": "user", "content": "Hello"}]},
        {"system": [{"type": "text", "text": "Be brief."}], "messages": [{"role": "user", "content": "Hello"}]},
    ],
)
def test_a_system_prompt_beside_the_messages_is_one(request_: dict[str, Any]) -> None:
    assert routed_request(request_).text == "Hello"
    assert routed_request(request_).digest == prompt_digest(["Hello"])
    assert routed_request(request_, ConversationConfig(system=True)).text == "Be brief.\n\nHello"


@pytest.mark.parametrize("form", ["json_schema", "json_object", "text"])
def test_a_form_of_json_is_asked_for_in_either_api(form: str) -> None:
    chat = {"prompt": "Hi", "response_format": {"type": form}}
    responses = {"input": "Hi", "text": {"format": {"type": form}}}
    needed = () if form == "text" else ("json",)
    assert routed_request(chat).requires == routed_request(responses).requires == needed


def test_the_answer_of_a_tool_in_a_users_turn_is_no_text_of_the_user() -> None:
    messages = [*talk("Count the files"), {"role": "user", "content": [{"type": "tool_result", "content": "17"}]}]
    assert routed_messages(messages).text == "Count the files"
    assert routed_messages(messages).requires == ("tools",)


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ("Hi", "must be a list, is str"),
        ({}, "must be a list, is dict"),
        (["Hi"], "message 0 must be an object, is str"),
        ([], "no text of the user"),
        ([{"role": "system", "content": "x"}], "no text of the user"),
        ([{"role": "user", "content": [IMAGE]}], "no text of the user"),
        ([{"role": "user", "content": None}, {"role": None}], "no text of the user"),
    ],
)
def test_without_a_text_there_is_nothing_to_route(messages: Any, message: str) -> None:
    with pytest.raises(ConversationError, match=message):
        routed_messages(messages)


@pytest.mark.parametrize(
    ("request_body", "text", "requires"),
    [
        ({"prompt": "Once upon"}, "Once upon", ()),
        ({"prompt": ["a", "b"]}, "a\n\nb", ()),
        ({"input": "Hi"}, "Hi", ()),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]}, "Hi", ()),
        ({"messages": talk("Hi"), "functions": [{}], "prompt": "other"}, "Hi", ("tools",)),
        ({"messages": talk("Hi"), "response_format": {"type": "json_schema"}}, "Hi", ("json",)),
        ({"messages": talk("Hi"), "response_format": {"type": "text"}, "tools": []}, "Hi", ()),
    ],
)
def test_a_whole_request(request_body: dict[str, Any], text: str, requires: tuple[str, ...]) -> None:
    routed = routed_request(request_body)
    assert (routed.text, routed.requires) == (text, requires)


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"prompt": " "}, {"prompt": 7}])
def test_a_request_without_text_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ConversationError, match="needs a text"):
        routed_request(body)


def test_config_refuses_bad_values() -> None:
    with pytest.raises(ValueError, match="earlier_turns must be a whole number >= 0"):
        ConversationConfig(earlier_turns=-1)


def test_a_conversation_of_ten_megabytes_is_read_in_one_pass() -> None:
    messages = talk(*(f"turn {place} " + "x" * 10_000 for place in range(1000)))
    assert routed_messages(messages).text.startswith("turn 997 ")
