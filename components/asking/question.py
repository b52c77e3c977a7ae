"""What a language model is asked, what it answers, and what that costs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class AskError(ValueError):
    """A question has no answer; asking another may go better."""


class Hopeless(AskError):
    """Every further question would end the same: wrong key, no such address, limited for minutes."""


class UnknownModel(AskError):
    """The endpoint doesn't know the model."""


class Lost(AskError):
    """A call that may have been charged and brought nothing; another attempt may go better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model charges."""

    input_usd_per_mtok: float
    """USD per million input tokens, >= 0."""
    output_usd_per_mtok: float
    """The same of output tokens."""

    def __post_init__(self) -> None:
        for name in ("input_usd_per_mtok", "output_usd_per_mtok"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be finite and >= 0 USD, got {getattr(self, name)}")

    def usd(self, input_tokens: float, output_tokens: float) -> float:
        """Cost of one call.

        >>> Price(input_usd_per_mtok=1.0, output_usd_per_mtok=4.0).usd(1000, 500)
        0.003
        """
        return (input_tokens * self.input_usd_per_mtok + output_tokens * self.output_usd_per_mtok) / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One call that could be made."""

    model: str
    messages: tuple[tuple[str, str], ...]
    """(role, content), in order."""
    max_output_tokens: int = 1024
    """Where the answer is cut, >= 1; a budget needs an end to what a call can cost."""
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    """JSON schema of the answer; None: free text."""
    filed_tokens: int | None = None
    """Stands for the length in its key, where an answer that wasn't cut is the same at any length; None: it isn't."""

    @property
    def key(self) -> str:
        """Name of the call: the same model asked the same has the same key, at whatever address."""
        content = [self.model, self.messages, self.filed_tokens or self.max_output_tokens, self.schema]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def most_input_tokens(self) -> int:
        """No tokenizer makes more tokens than there are bytes; a few frame each message."""
        return sum(len(content.encode()) + 8 for _, content in self.messages) + 8

    def worst_usd(self, price: Price) -> float:
        """Most that the call can cost."""
        return price.usd(self.most_input_tokens, self.max_output_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    text: str
    """Without surrounding space; empty where the model said nothing."""
    cost_usd: float
    """As the gateway reported it, else tokens x price."""
    latency_ms: float
    input_tokens: int | None = None
    """None: not reported."""
    output_tokens: int | None = None
    finish: str = "stop"
    """The endpoint's finish reason: 'length' where the answer was cut."""

    @property
    def cut(self) -> bool:
        """Whether it ends where it had to, not where the model would have ended."""
        return self.finish.lower() in ("length", "max_tokens")
