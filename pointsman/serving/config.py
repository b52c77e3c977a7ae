"""Limits and habits of a server."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.bundle.signature import Trust
from pointsman.policy.exploration import ExplorationConfig
from pointsman.serving.canary import CanaryConfig
from pointsman.serving.decision_log import LogConfig

_SIZES = (
    *("largest_body", "bodies_in_memory", "longest_prompt", "largest_batch", "largest_queue", "largest_crowd"),
    *("workers", "gather", "piece"),
)
_SECONDS = ("header_seconds", "body_seconds", "idle_seconds", "goodbye_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamConfig:
    """Where, as whom, and how patiently."""

    url: str
    """Base URL that ends before /chat/completions, such as https://openrouter.ai/api/v1."""
    key: str | None = field(default=None, repr=False)
    """Bearer token; None: none is sent. What clients send is for this server and isn't handed on."""
    seconds: float = 300.0
    """Between two bytes of an answer, > 0."""
    tries: int = 3
    """Candidates that are asked in turn, >= 1."""

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"the upstream must be an http or https URL, got {self.url!r}")
        if not self.seconds > 0:
            raise ValueError(f"seconds must be > 0, got {self.seconds}")
        if self.tries < 1:
            raise ValueError(f"tries must be >= 1, got {self.tries}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingConfig:
    """How a server answers, what it keeps, and when it says no."""

    token: str | None = None
    """Bearer token that /v1 and /metrics ask for; None: nobody is asked."""
    largest_body: int = 4_000_000
    """Bytes of a request, >= 1."""
    bodies_in_memory: int = 256_000_000
    """Bytes of all requests that are being received, >= 1; more are told to come back (429)."""
    longest_prompt: int = 1_000_000
    """Characters, >= 1."""
    largest_batch: int = 256
    """Prompts of a request, >= 1."""
    largest_queue: int = 4096
    """Prompts that wait or are worked on, >= 1; more are told to come back (429)."""
    largest_crowd: int = 1024
    """Connections at a time, >= 1; the longest silent one makes room for a new one."""
    header_seconds: float = 10.0
    """For the first line and headers of a request, > 0."""
    body_seconds: float = 15.0
    """For the body, > 0."""
    idle_seconds: float = 30.0
    """Between two requests of a connection, > 0."""
    goodbye_seconds: float = 10.0
    """From SIGTERM to the end, > 0: what is in flight by then is cut off."""
    reload_seconds: float = 1.0
    """Between looks at the pointer, >= 0; 0: each request looks, and waits for a new router."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Threads that route, >= 1."""
    gather: int = 8
    """Prompts from which a worker adds no further waiting request to its batch, >= 1; 1: each request alone."""
    piece: int = 4
    """Prompts of a large request that are encoded before others get their turn, >= 1."""
    trust: Trust | None = None
    """Who must have signed a router, the shadow's too; None: nobody."""
    explore: ExplorationConfig = field(default_factory=ExplorationConfig)
    log: LogConfig | None = None
    """Where decisions are kept; None: nowhere."""
    sticky: float | None = None
    """A session keeps its candidate unless another's predicted quality is better by more than this, in [0, 1]; None:
    each request is decided by itself."""
    shadow: str | None = None
    """A second router that decides too, a bundle or its URL; None: none."""
    canary: CanaryConfig | None = None
    """What share of sessions the shadow decides for, and when it is stopped; None: for none."""

    prices: Path | None = None
    """A file of prices that go before the router's, read again when it changes; None: the router's."""
    upstream: UpstreamConfig | None = None
    """The OpenAI-compatible server that chat completions are handed on to; None: there are none."""

    def __post_init__(self) -> None:
        if min(getattr(self, name) for name in _SIZES) < 1:
            raise ValueError(f"limits must be >= 1, got {', '.join(f'{n}={getattr(self, n)}' for n in _SIZES)}")
        for name in _SECONDS:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not self.reload_seconds >= 0:
            raise ValueError(f"reload_seconds must be >= 0, got {self.reload_seconds}")
        if self.token == "":
            raise ValueError("an empty token would let everybody in: give one, or None")
        if self.sticky is not None and not 0 <= self.sticky <= 1:
            raise ValueError(f"sticky must be in [0, 1], got {self.sticky}")
        if self.canary is not None and self.shadow is None:
            raise ValueError("a canary needs a challenger: give it as the shadow")
