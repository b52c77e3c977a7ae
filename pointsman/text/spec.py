"""What an encoder is, as data: everything that runs it and isn't weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

Kind = Literal["static", "onnx"]
Pooling = Literal["sentence", "mean", "first"]
"""'sentence': the graph gives one vector a prompt; 'mean': of all tokens; 'first': of the first token."""
WEIGHTS: dict[str, str] = {"static": "encoder.safetensors", "onnx": "encoder.onnx"}
"""The file of an encoder's weights, by kind; its tokenizer.json is beside it."""
TOKENIZER, SPECIFICATION = "tokenizer.json", "encoder.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSpec:
    """How prompts become vectors of length one."""

    name: str
    """Of people's use; nothing depends on it."""
    kind: Kind
    dimension: int
    """Of the vectors, >= 1."""
    pooling: Pooling
    before: tuple[str, ...] = ()
    """Special tokens in front of each prompt."""
    after: tuple[str, ...] = ()
    """Special tokens behind it."""
    longest_input: int | None = None
    """Tokens that are read, special ones included; None: all."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"an encoder's kind is one of {', '.join(get_args(Kind))}, got {self.kind!r}")
        if self.pooling not in get_args(Pooling):
            raise ValueError(f"an encoder's pooling is one of {', '.join(get_args(Pooling))}, got {self.pooling!r}")
        if type(self.dimension) is not int or self.dimension < 1:
            raise ValueError(f"an encoder's dimension must be a whole number >= 1, got {self.dimension!r}")
        if self.longest_input is not None and self.longest_input <= len(self.before) + len(self.after):
            raise ValueError(f"longest_input must leave room for a prompt, got {self.longest_input}")
        if self.kind == "static" and (self.pooling != "mean" or self.before or self.after):
            raise ValueError("a static encoder is the mean of its tokens' vectors, without special tokens")

    @property
    def longest_prompt(self) -> int | None:
        """Tokens of a prompt itself that are read; None: all."""
        return None if self.longest_input is None else self.longest_input - len(self.before) - len(self.after)

    @property
    def files(self) -> tuple[str, str]:
        """Names of the weights and of the tokenizer."""
        return WEIGHTS[self.kind], TOKENIZER

    def to_document(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "before": list(self.before), "after": list(self.after)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "EncoderSpec":
        """The specification that `to_document` wrote.

        Raises:
            ValueError: it isn't one.
        """
        if not isinstance(document, Mapping) or set(document) != {entry.name for entry in fields(cls)}:
            raise ValueError(f"an encoder's specification has {', '.join(entry.name for entry in fields(cls))}")
        tokens = {name: document[name] for name in ("before", "after")}
        for name, value in tokens.items():
            if not isinstance(value, list) or not all(isinstance(token, str) for token in value):
                raise ValueError(f"{name} must be a list of tokens, got {value!r}")
        if not isinstance(document["name"], str):
            raise ValueError("an encoder's name is a text")
        longest = document["longest_input"]
        if longest is not None and type(longest) is not int:
            raise ValueError(f"longest_input must be a whole number or null, got {longest!r}")
        return cls(**{**document, **{name: tuple(value) for name, value in tokens.items()}})
