"""Fields of a log's records, read forgivingly: what a value must be, and why a row is none where it isn't."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from components.sources.call import ReadOptions, Row, RowError
from pointsman.json_text import loads
from pointsman.text.conversation import ConversationError, prompt_digest, routed_request

UNKNOWN = frozenset({"", "nan", "n/a", "na", "null", "none", "-"})
TRUTHS = {"true": 1.0, "yes": 1.0, "correct": 1.0, "false": 0.0, "no": 0.0, "incorrect": 0.0}
LONGEST = 1_000_000
"""Characters of a prompt, as the tables allow."""
REDACTED = frozenset({"redacted-by-litellm", "redacted", "[redacted]", "<redacted>", "***"})


def text_of(record: Row, *names: str) -> str | None:
    """The first of the fields that holds a text that isn't blank; numbers as text."""
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def needed_text(record: Row, *names: str) -> str:
    """As `text_of`.

    Raises:
        RowError: none of the fields does.
    """
    found = text_of(record, *names)
    if found is None:
        raise RowError(f"no text in {' or '.join(repr(name) for name in names)}")
    return found


def number_of(record: Row, *names: str) -> float | None:
    """The first of the fields that isn't empty, as a finite number.

    Raises:
        RowError: it is no number.
    """
    for name in names:
        value = record.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise RowError(f"{name} is no number", value) from None
        if not math.isfinite(number):
            continue
        return number
    return None


def count_of(record: Row, *names: str) -> int | None:
    """A number of tokens >= 0.

    Raises:
        RowError: it is no such number.
    """
    number = number_of(record, *names)
    if number is not None and number < 0:
        raise RowError(f"{names[0]} is below 0", number)
    return None if number is None else round(number)


def propensity_of(record: Row) -> float | None:
    """The probability with which the logged choice was made; None where the log doesn't tell.

    Raises:
        RowError: it is no such probability.
    """
    propensity = number_of(record, "propensity")
    if propensity is not None and not 0 < propensity <= 1:
        raise RowError("propensity is outside (0, 1]", propensity)
    return propensity


def object_of(record: Row, *names: str) -> dict[str, Any]:
    """The first of the fields that holds an object that isn't empty; else an empty one."""
    for name in names:
        value = record.get(name)
        if isinstance(value, dict) and value:
            return value
    return {}


def quality_of(value: Any, options: ReadOptions) -> float | None:
    """A grade as quality in [0, 1]; None where there is none. Truth is 1, percent are parts of a hundred.

    Raises:
        RowError: it is no finite grade, or lies outside its scale.
    """
    if value is None or isinstance(value, bool):
        return None if value is None else float(value)
    worst, best = options.scale or (0.0, 1.0)
    if isinstance(value, str):
        text = value.strip().lower()
        if text in UNKNOWN:
            return None
        if text in TRUTHS:
            return TRUTHS[text]
        if text.endswith("%"):
            worst, best, value = 0.0, 100.0, text[:-1]
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise RowError("the grade is no number", value) from None
    if math.isnan(number):
        return None
    if math.isinf(number):
        # on no scale is it a grade
        raise RowError("the grade is no number", value)
    quality = (number - worst) / (best - worst)
    if not 0 <= quality <= 1:
        raise RowError(f"the grade is outside [{worst:g}, {best:g}]", number, outside=number)
    return quality


def time_of(value: Any) -> datetime | None:
    """A moment in UTC, without a zone: ISO text, or seconds, milliseconds, microseconds or nanoseconds since 1970.

    Raises:
        RowError: it is none.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
            moment = datetime.fromisoformat(value.strip().removesuffix(" UTC"))
            return moment if moment.tzinfo is None else (moment - moment.utcoffset()).replace(tzinfo=None)  # type: ignore[operator]
        seconds = float(value)
        for unit in (1e9, 1e6, 1e3):
            # no log is from before 1973 or after 5138
            if abs(seconds) >= 1e8 * unit:
                seconds /= unit
                break
        return datetime.fromtimestamp(seconds, tz=UTC).replace(tzinfo=None)
    except (TypeError, ValueError, OverflowError, OSError):
        raise RowError("the time is none that can be read", value) from None


def latency_ms(start: datetime | None, end: datetime | None) -> float | None:
    """Milliseconds between two moments; None where one isn't known or they are the wrong way round."""
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds() * 1e3


def first(values: Sequence[Any]) -> Any:
    """The first that isn't None; None where there is none."""
    return next((value for value in values if value is not None), None)


def asked(request: Row, options: ReadOptions) -> dict[str, Any]:
    """What of a request body is routed, as fields of a call.

    Raises:
        RowError: it holds no text of the user, a redacted one, or too long a one.
    """
    try:
        routed = routed_request(request, options.conversation)
    except ConversationError as error:
        raise RowError(str(error)) from None
    return {"prompt": checked_text(routed.text), "digest": routed.digest, "requires": routed.requires}


def plain(prompt: str) -> dict[str, Any]:
    """The same of a prompt that is text alone.

    Raises:
        RowError: it is redacted or too long.
    """
    return {"prompt": checked_text(prompt), "digest": prompt_digest([prompt])}


def checked_text(prompt: str) -> str:
    """The prompt itself.

    Raises:
        RowError: it is redacted or too long.
    """
    if len(prompt) > LONGEST:
        raise RowError(f"the prompt is longer than {LONGEST} characters", len(prompt))
    if prompt.strip().lower() in REDACTED:
        raise RowError("the prompt is redacted by the gateway: it logs no texts", prompt)
    return prompt


def answer_of(response: Any) -> str | None:
    """The text of an answer in the forms of OpenAI's (responses too) and Anthropic's APIs; None where there is none."""
    if isinstance(response, str):
        return response or None
    if not isinstance(response, dict):
        return None
    choice = next(iter(objects(response.get("choices"))), {})
    message = choice.get("message") or choice or response
    content = message.get("content", message.get("text")) if isinstance(message, dict) else None
    if not content or isinstance(content, dict):
        said = [item for item in objects(response.get("output")) if item.get("type") in (None, "message")]
        content = [part for item in said for part in objects(item.get("content"))]
    if isinstance(content, list):
        content = "\n".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) and content else None


def lettered(choices: Any) -> str:
    """Choices of a question, a line each; empty where there are none.

    >>> lettered(["Rome", "Paris"])
    'A. Rome\\nB. Paris'
    """
    if not isinstance(choices, list) or not all(isinstance(one, str) for one in choices):
        return ""
    return "\n".join(f"{chr(65 + place)}. {one}" for place, one in enumerate(choices))


def decoded(value: Any) -> Any:
    """A value that some exports hold as JSON text; other values as they are."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return loads(value)
        except ValueError:
            return value
    return value


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def asked_in(value: Any, options: ReadOptions) -> dict[str, Any]:
    """As `asked`, of a field that holds a request, its messages, one message or a plain text.

    Raises:
        RowError: as `asked`; it is none of them.
    """
    value = decoded(value)
    if isinstance(value, dict):
        whole = any(name in value for name in ("messages", "input", "prompt"))
        return asked(value if whole else {"messages": [value]}, options)
    if isinstance(value, list):
        return asked({"messages": value}, options)
    if not isinstance(value, str) or not value.strip():
        raise RowError("no text in 'input'")
    return plain(value)
