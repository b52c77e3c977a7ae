"""What comes back from an OpenAI-compatible endpoint: text, tokens, cost."""

import json
import math
from typing import Any

from components.asking.journal import cost_of
from components.asking.question import Answer, Lost, Price, Question


def with_cost(content: bytes, cost: str | None) -> bytes:
    """The body, with the cost of the gateway's header in it."""
    if not cost:
        return content
    try:
        body = json.loads(content)
        body.setdefault("usage", {}).setdefault("cost", float(cost))
    except (ValueError, AttributeError):
        return content
    return json.dumps(body).encode()


def read_answer(content: bytes, question: Question, price: Price, latency_ms: float) -> Answer:
    """The answer in a chat completion; its cost is what the endpoint says, else tokens x price.

    A cost of 0 isn't believed where tokens x price isn't 0: gateways report it of models whose price they don't know.

    Raises:
        Lost: it isn't a chat completion.
    """
    try:
        body = json.loads(content)
        first = body["choices"][0]
        message = first["message"]
        text = message.get("content") or message.get("refusal") or ""
        usage = body.get("usage") or {}
        if isinstance(text, list):
            text = "".join(part.get("text", "") for part in text if isinstance(part, dict))
        if not isinstance(text, str) or not isinstance(usage, dict):
            raise TypeError("content or usage")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise Lost(f"not a chat completion: {content[:120].decode('utf-8', 'replace')!r}") from None
    tokens = [_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens")]
    cost: Any = usage.get("cost")
    reported = isinstance(cost, int | float) and not isinstance(cost, bool) and 0 < cost < math.inf
    return Answer(
        text=text.strip(),
        cost_usd=float(cost) if reported else cost_of(question, price, *tokens),
        latency_ms=latency_ms,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        finish=str(first.get("finish_reason") or "stop"),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
