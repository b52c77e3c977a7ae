"""One call to any OpenAI-compatible endpoint, by the `openai` package: nothing else here imports it."""

import math
import threading
import time
import urllib.parse
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import openai

from components.asking.completion import read_answer, with_cost
from components.asking.question import Answer, AskError, Hopeless, Price, Question
from components.asking.refusal import Limited, Passing, broken, hidden, refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where questions are asked, and how patiently."""

    url: str
    """Base of the API, with /v1 where it has one, without /chat/completions."""
    api_key: str = field(default="", repr=False)
    """Bearer token; empty: none. Never shown, kept or part of a cache key."""
    timeout_s: float = 120.0
    """Longest wait for an answer, > 0."""
    attempts: int = 5
    """Tries of one question that meets errors which may pass, >= 1."""
    backoff_s: float = 0.5
    """Wait before the second try, >= 0; doubled before each further one, at most 30 s."""
    patience_s: float = 180.0
    """How long an endpoint may go on refusing for its rate limit (429) before everything stops, >= 0."""
    parallel: int = 8
    """Questions under way at a time, >= 1."""
    per_minute: float = math.inf
    """Calls a minute, > 0."""

    def __post_init__(self) -> None:
        address = urllib.parse.urlsplit(self.url)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise ValueError(f"--url must be an http or https address, got {self.url!r}")
        if address.username or address.password:
            raise ValueError("--url must not hold a password: set POINTSMAN_LLM_KEY")
        for name, least in (("attempts", 1), ("parallel", 1), ("backoff_s", 0), ("patience_s", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be >= {least}, got {getattr(self, name)}")
        for name in ("timeout_s", "per_minute"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


class Client:
    """Asks an endpoint from many threads."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.stop = threading.Event()
        """Set it, and whoever waits for another try gives up."""
        self._openai = openai.OpenAI(
            base_url=endpoint.url,
            # the package insists on a key; servers without one don't look at it
            api_key=endpoint.api_key or "none",
            max_retries=0,
            timeout=endpoint.timeout_s,
            organization="",
            project="",
        )
        self._lock = threading.Lock()
        self._next = 0.0
        self._limited_since: float | None = None
        self._left_out: dict[str, set[str]] = defaultdict(set)

    def close(self) -> None:
        """Ends its connections."""
        self._openai.close()

    def pause(self, tried: int) -> None:
        """Waits before another try, the longer the more there were."""
        self.stop.wait(min(self.endpoint.backoff_s * 2**tried, 30.0))

    def ask(self, question: Question, price: Price) -> Answer:
        """One answer, tried again where an error may pass.

        Raises:
            Hopeless: no further question can be answered.
            UnknownModel: the endpoint doesn't know the model.
            Lost: the call may have been charged and brought nothing.
            AskError: this question has no answer.
        """
        tried = 0
        while True:
            if self.stop.is_set():
                raise AskError("stopped")
            self._wait_turn()
            start = time.monotonic()
            try:
                content = self._post(question)
                answer = read_answer(content, question, price, 1000 * (time.monotonic() - start))
            except Limited as error:
                self._patient(error)
                continue
            except Passing as error:
                tried += 1
                if tried >= self.endpoint.attempts:
                    kind = Hopeless if error.everywhere else AskError
                    raise kind(f"{self.endpoint.url}: {error} ({tried} attempts)") from error
                self.pause(tried - 1)
                continue
            with self._lock:
                self._limited_since = None
            return answer

    def _post(self, question: Question) -> bytes:
        while True:
            given = self._arguments(question)
            try:
                raw = self._openai.chat.completions.with_raw_response.create(**given)
                content = hidden(raw.http_response.content, self.endpoint.api_key)
                return with_cost(content, raw.headers.get("x-litellm-response-cost"))
            except openai.BadRequestError as error:
                # models differ in what they take: what is complained of is left out
                if not self._leave_out(_words(error), given):
                    raise self._refused(error, question) from None
            except openai.APIConnectionError as error:
                timed_out = isinstance(error, openai.APITimeoutError)
                raise broken(error.__cause__, self.endpoint.timeout_s if timed_out else None) from None
            except openai.APIStatusError as error:
                raise self._refused(error, question) from None

    def _refused(self, error: openai.APIStatusError, question: Question) -> AskError:
        words, after = hidden(_words(error), self.endpoint.api_key), error.response.headers.get("retry-after")
        return refused(error.status_code, words, after, question, self.endpoint.url)

    def _arguments(self, question: Question) -> dict[str, Any]:
        given: dict[str, Any] = {
            "model": question.model,
            "messages": [{"role": role, "content": content} for role, content in question.messages],
            "temperature": 0,
            "max_tokens": question.max_output_tokens,
            "stream": False,
            # an answer that was cut is asked for again under its key, at another length: that is another request
            "extra_headers": {"Idempotency-Key": f"{question.key}-{question.max_output_tokens}"},
        }
        if question.schema is not None:
            shape = {"name": "grade", "strict": True, "schema": question.schema}
            given["response_format"] = {"type": "json_schema", "json_schema": shape}
        with self._lock:
            left_out = set(self._left_out[question.model])
        if "max_tokens" in left_out:
            given["max_completion_tokens"] = given["max_tokens"]
        return {name: value for name, value in given.items() if name not in left_out}

    def _leave_out(self, message: str, given: dict[str, Any]) -> bool:
        """Whether something can be left out that the endpoint complains of, for this model alone."""
        for name, words in (
            ("response_format", ("response_format", "json_schema", "structured")),
            ("temperature", ("temperature",)),
            ("max_tokens", ("max_tokens",)),
        ):
            if name in given and any(word in message for word in words):
                with self._lock:
                    self._left_out[given["model"]].add(name)
                return True
        return False

    def _wait_turn(self) -> None:
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + 60 / self.endpoint.per_minute
        self.stop.wait(turn - now)

    def _patient(self, error: Limited) -> None:
        """Waits as long as the endpoint asks for, and has everybody else wait too."""
        with self._lock:
            now = time.monotonic()
            if self._limited_since is None:
                self._limited_since = now
            gone = now - self._limited_since
            if error.after_s is None:
                wait, words = min(self.endpoint.backoff_s * (1 + gone), 30.0), ""
            else:
                wait = max(error.after_s, self.endpoint.backoff_s)
                words = f" and asks for {wait:.0f} s more"
            if gone + wait > self.endpoint.patience_s:
                raise Hopeless(
                    f"{self.endpoint.url}: rate limited (429) for {gone:.0f} s{words}: {error}; "
                    "run the same command later"
                )
            self._next = max(self._next, now + wait)
        self.stop.wait(wait)


def _words(error: openai.APIStatusError) -> str:
    """What a refusal says: the package keeps the words of bodies in OpenAI's form alone."""
    said, text = str(error), error.response.text.strip()
    return said if " - " in said or not text else f"{said} - {text}"
