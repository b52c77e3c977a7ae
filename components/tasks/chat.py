"""A language model behind any OpenAI-compatible /chat/completions, by the standard library; answers kept on disk."""

import hashlib
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.durable import write_whole

LONGEST_ANSWER = 1_000_000
"""Bytes of a response that are read."""
_PASSING = (408, 409, 425, 429)
"""Refusals that may pass, beside the server's own errors."""


class ChatError(ValueError):
    """The model can't be asked; the message names the endpoint, the cause and how often it was tried."""


class _Hopeless(ChatError):
    """Another attempt would end the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatConfig:
    """Which model answers, and how patiently it is asked."""

    base_url: str
    """Without /chat/completions, such as https://api.openai.com/v1."""
    model: str
    api_key: str = field(default="", repr=False)
    """Sent as a bearer token; empty: none. Never shown, kept or part of a cache key."""
    timeout_s: float = 30.0
    """Longest wait for the server's next word, > 0."""
    attempts: int = 4
    """Tries of one question, >= 1."""
    backoff_s: float = 0.5
    """Wait before the second try, >= 0; doubled before each further one."""
    parallel: int = 8
    """Questions asked at a time, >= 1."""

    def __post_init__(self) -> None:
        address = urllib.parse.urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise ValueError(f"base_url must be an http or https address, got {self.base_url!r}")
        if not self.model:
            raise ValueError("model must be named")
        if not self.timeout_s > 0:
            raise ValueError(f"timeout_s must be > 0, got {self.timeout_s}")
        if self.backoff_s < 0:
            raise ValueError(f"backoff_s must be >= 0, got {self.backoff_s}")
        for name in ("attempts", "parallel"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")

    @property
    def endpoint(self) -> str:
        """Where questions are posted."""
        return self.base_url.rstrip("/") + "/chat/completions"


def ask(questions: Sequence[str], config: ChatConfig, cache: Path) -> list[str]:
    """The model's answers, each question asked once ever: answers are filed by (model, question).

    Args:
        questions: one message each.
        config: the model.
        cache: folder of answers, made if missing; a damaged file counts as no answer.

    Returns:
        Answers without surrounding space, in order.

    Raises:
        ChatError: a question has no answer after all attempts; those not yet asked are dropped, those answered kept.
    """
    distinct = list(dict.fromkeys(questions))
    with ThreadPoolExecutor(config.parallel) as pool:
        waiting = [pool.submit(_answer, question, config, cache) for question in distinct]
        try:
            found = [one.result() for one in waiting]
        except ChatError:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    answers = dict(zip(distinct, found, strict=True))
    return [answers[question] for question in questions]


def _answer(question: str, config: ChatConfig, cache: Path) -> str:
    name = hashlib.sha256(json.dumps([config.model, question]).encode()).hexdigest()
    path = cache / name[:2] / f"{name}.json"
    if (known := _kept(path)) is not None:
        return known
    for attempt in range(config.attempts):
        try:
            answer = _post(question, config)
            break
        except _Hopeless:
            raise
        except ChatError as error:
            if attempt + 1 == config.attempts:
                raise ChatError(f"{config.endpoint}: {error} ({config.attempts} attempts)") from error
            time.sleep(config.backoff_s * 2**attempt)
    record = json.dumps({"model": config.model, "question": question, "answer": answer}, ensure_ascii=False)
    write_whole(path, lambda aside: aside.write_text(record, encoding="utf-8"))
    return answer


def _kept(path: Path) -> str | None:
    try:
        answer = json.loads(path.read_bytes())["answer"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return answer if isinstance(answer, str) else None


def _post(question: str, config: ChatConfig) -> str:
    body = json.dumps({"model": config.model, "messages": [{"role": "user", "content": question}]}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = urllib.request.Request(config.endpoint, data=body, headers=headers, method="POST")  # noqa: S310 - checked
    if config.api_key:
        # A server that redirects elsewhere must not be given the key there.
        request.add_unredirected_header("Authorization", f"Bearer {config.api_key}")
    try:
        with urllib.request.urlopen(request, timeout=config.timeout_s) as response:  # noqa: S310 - http or https only
            content = response.read(LONGEST_ANSWER)
    except urllib.error.HTTPError as error:
        told = error.read(300).decode("utf-8", "replace").strip()
        if error.code >= 500 or error.code in _PASSING:
            raise ChatError(f"HTTP {error.code}: {told}") from None
        raise _Hopeless(f"{config.endpoint}: HTTP {error.code}: {told}") from None
    except TimeoutError:
        raise ChatError(f"no answer within {config.timeout_s:g} s") from None
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        cause = getattr(error, "reason", error)
        late = isinstance(cause, TimeoutError)
        raise ChatError(f"no answer within {config.timeout_s:g} s" if late else str(cause) or repr(cause)) from None
    try:
        answer = json.loads(content)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        raise ChatError(f"not a chat completion: {content[:200].decode('utf-8', 'replace')!r}") from None
    if not isinstance(answer, str) or not answer.strip():
        raise ChatError("an empty answer")
    return answer.strip()
