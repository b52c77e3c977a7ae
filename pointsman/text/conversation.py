"""What of a conversation is routed: one rule for importers, the server and the gateway hooks. Standard library only."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

SEPARATOR = "\n\n"
"""Between the turns of the routed text."""
_TEXT_PARTS = frozenset({"text", "input_text"})
_PART_NEEDS = {
    "image_url": "vision",
    "input_image": "vision",
    "image": "vision",
    "input_audio": "audio",
    "file": "files",
    "input_file": "files",
    "document": "files",
    "tool_use": "tools",
    "tool_result": "tools",
    "function_call": "tools",
    "function_call_output": "tools",
}
_TOOL_ROLES = frozenset({"tool", "function"})
_SYSTEM_ROLES = frozenset({"system", "developer"})


class ConversationError(ValueError):
    """A request without a text to route; the message names the field and the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationConfig:
    """Which turns make the routed text; a bundle keeps the one that it was trained with."""

    earlier_turns: int = 2
    """User turns before the last one that are read too, >= 0: 'continue' alone says nothing."""
    system: bool = False
    """Read system and developer prompts: a gateway's are the same in most requests and drown the question."""
    tool_results: bool = False
    """Read what tools answered after the last user message."""

    def __post_init__(self) -> None:
        if type(self.earlier_turns) is not int or self.earlier_turns < 0:
            raise ValueError(f"earlier_turns must be a whole number >= 0, got {self.earlier_turns!r}")
        for name in ("system", "tool_results"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, got {getattr(self, name)!r}")

    @classmethod
    def from_document(cls, document: Any) -> "ConversationConfig":
        """The setting of plain JSON; what isn't said is as by default.

        Raises:
            ValueError: no such setting, or a value out of its range.

        >>> ConversationConfig.from_document({"earlier_turns": 0}).earlier_turns
        0
        """
        known = {one.name for one in fields(cls)}
        if not isinstance(document, Mapping) or not set(document) <= known:
            raise ValueError(f"the conversation setting has {', '.join(sorted(known))}, got {document!r:.80}")
        return cls(**document)


DEFAULT = ConversationConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedRequest:
    """What a router reads of a request."""

    text: str
    """Never blank."""
    requires: tuple[str, ...]
    """Capabilities that a candidate must have, sorted: `audio`, `files`, `json`, `tools`, `vision`."""
    digest: str = ""
    """Of all that the user said so far, and of what else is read, hex: equal digests are one prompt."""


def routed_messages(messages: Sequence[Mapping[str, Any]], config: ConversationConfig = DEFAULT) -> RoutedRequest:
    r"""The last user message with up to `config.earlier_turns` user turns before it, oldest first.

    Content is text or a list of parts (OpenAI chat and responses, Anthropic). Parts that aren't text become
    requirements, wherever in the conversation they stand, for the whole of it is sent to the candidate. Turns of a user
    without any text (an image alone, the answer of a tool) are passed over.

    Raises:
        ConversationError: not a list of messages, or no text of the user in them.

    >>> routed_messages([{"role": "user", "content": "Write a story"}, {"role": "assistant", "content": "Once"},
    ...                  {"role": "user", "content": "continue"}]).text
    'Write a story\n\ncontinue'
    """
    _check(messages)
    needs = set().union(*(_needs(message) for message in messages))
    users = [place for place, message in enumerate(messages) if _role(message) == "user" and _text(message).strip()]
    if not users:
        raise ConversationError("'messages' holds no text of the user")
    said = [_text(messages[place]) for place in users]
    before, after = list[str](), list[str]()
    if config.system:
        before = [_text(message) for message in messages if _role(message) in _SYSTEM_ROLES]
    if config.tool_results:
        after = [_tool_text(message) for message in messages[users[-1] + 1 :] if _role(message) in _TOOL_ROLES]
    turns = [*before, *said[-1 - config.earlier_turns :], *after]
    return RoutedRequest(
        text=SEPARATOR.join(turn for turn in turns if turn.strip()),
        requires=tuple(sorted(needs)),
        digest=prompt_digest([*before, *said, *after]),
    )


def routed_request(request: Mapping[str, Any], config: ConversationConfig = DEFAULT) -> RoutedRequest:
    """The same of a whole request body: `messages`, else `input` (responses), else `prompt` (completions).

    `tools` and `functions` add the requirement `tools`, a `response_format` of JSON (`text.format` of responses) adds
    `json`. A system prompt may stand beside the messages: `instructions` (responses) or `system` (Anthropic).

    Raises:
        ConversationError: as `routed_messages`; none of the three fields holds a text.

    >>> asked = {"messages": [{"role": "user", "content": "Weather in Rome?"}], "tools": [{"type": "function"}]}
    >>> routed_request(asked).requires
    ('tools',)
    """
    needs = {"tools"} if request.get("tools") or request.get("functions") else set()
    forms = [request.get("response_format"), _within(request.get("text"), "format")]
    if any(str(_within(form, "type") or "").startswith("json") for form in forms):
        needs.add("json")
    beside = [{"role": "system", "content": request.get(name)} for name in ("instructions", "system")]
    if request.get("messages"):
        _check(request["messages"])
        routed = routed_messages([*beside, *request["messages"]], config)
    elif isinstance(request.get("input"), list) and all(isinstance(item, Mapping) for item in request["input"]):
        routed = routed_messages([*beside, *request["input"]], config)
    else:
        plain = request.get("input") or request.get("prompt")
        text = SEPARATOR.join(map(str, plain)) if isinstance(plain, list) else plain
        if not isinstance(text, str) or not text.strip():
            raise ConversationError("needs a text in 'messages', 'input' or 'prompt'")
        routed = routed_messages([*beside, {"role": "user", "content": text}], config)
    return replace(routed, requires=tuple(sorted(needs.union(routed.requires))))


def _within(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def prompt_digest(turns: Sequence[str]) -> str:
    """Which prompt it is, hex: sha256 of all turns of the user, more than the routed text may hold of them.

    >>> prompt_digest(["Write a story", "continue"]) == prompt_digest(["Write a poem", "continue"])
    False
    """
    return hashlib.sha256("\0".join(turns).encode("utf-8", "surrogatepass")).hexdigest()


def _check(messages: Any) -> None:
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes):
        raise ConversationError(f"'messages' must be a list, is {type(messages).__name__}")
    for place, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise ConversationError(f"message {place} must be an object, is {type(message).__name__}")


def _role(message: Mapping[str, Any]) -> str:
    role = message.get("role")
    return role if isinstance(role, str) else ""


def _parts(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    content = message.get("content")
    if isinstance(content, list | tuple):
        yield from (part for part in content if isinstance(part, Mapping))


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in _parts(message) if str(part.get("type", "text")) in _TEXT_PARTS]
    return "\n".join(text for text in texts if isinstance(text, str))


def _tool_text(message: Mapping[str, Any]) -> str:
    return _text(message) or "\n".join(_text(part) for part in _parts(message))


def _needs(message: Mapping[str, Any]) -> set[str]:
    needs = {_PART_NEEDS[kind] for part in _parts(message) if (kind := str(part.get("type"))) in _PART_NEEDS}
    kind = str(message.get("type"))
    if _role(message) in _TOOL_ROLES or message.get("tool_calls") or message.get("function_call"):
        needs.add("tools")
    if kind in _PART_NEEDS:
        needs.add(_PART_NEEDS[kind])
    return needs


def ends_in_tool_loop(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last message is a tool's answer, which belongs to whoever called it.

    >>> ends_in_tool_loop([{"role": "user", "content": "Weather?"}, {"role": "tool", "content": "Rain"}])
    True
    """
    if not messages:
        return False
    last = messages[-1]
    parts = {str(part.get("type")) for part in _parts(last)}
    return _role(last) in _TOOL_ROLES or str(last.get("type")) == "function_call_output" or "tool_result" in parts
