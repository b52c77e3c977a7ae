"""What an endpoint's refusal, or a connection that broke, means for a question and for all others."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from components.asking.question import AskError, Hopeless, Lost, Question, UnknownModel

Text = TypeVar("Text", str, bytes)

_NEVER_MADE = ("ConnectError", "ConnectTimeout", "ProxyError", "UnsupportedProtocol")
"""Errors of the HTTP package before anything was sent: by name, for it isn't the same in all versions of `openai`."""
_MAYBE_CHARGED = (502, 504, 524)
"""Statuses by which a gateway says that the model, which had the request, answered badly or too late."""
_SHORTEST_SECRET = 8
"""Keys below this length are placeholders such as EMPTY, whose letters stand in words."""


class Passing(AskError):
    """Another attempt may go better."""

    def __init__(self, message: str, *, everywhere: bool = False) -> None:
        super().__init__(message)
        self.everywhere = everywhere
        """Other questions would meet the same."""


class Limited(AskError):
    """The endpoint wants a pause."""

    def __init__(self, message: str, after: str | None) -> None:
        super().__init__(message)
        self.after_s = _seconds(after or "")


def hidden(text: Text, key: str) -> Text:
    """Text or bytes with the API key taken out, which some endpoints quote.

    >>> hidden("Invalid token sk-secret-1234", "sk-secret-1234")
    'Invalid token ***'
    """
    if len(key) < _SHORTEST_SECRET:
        return text
    return text.replace(key, "***") if isinstance(text, str) else text.replace(key.encode(), b"***")


def broken(cause: BaseException | None, timeout_s: float | None) -> AskError:
    """What a call without a response means: only one that was never made can't have been charged.

    Args:
        cause: the HTTP package's error.
        timeout_s: how long an answer was waited for; None: that wasn't why.
    """
    if type(cause).__name__ in _NEVER_MADE:
        return Passing(f"can't be reached: {cause}", everywhere=True)
    if timeout_s is not None:
        return Lost(f"no answer within {timeout_s:g} s")
    return Lost(f"the connection broke before there was an answer: {cause}")


def refused(status: int, words: str, after: str | None, question: Question, url: str) -> AskError:
    """What a response that is no answer means.

    Args:
        status: of HTTP, >= 400.
        words: what it says, without the API key.
        after: its header Retry-After; None: there is none.
        question: that was asked.
        url: base of the API.
    """
    shown = words.replace("\n", " ")[:300]
    message = f"{url}: HTTP {status}: {shown}"
    if status == 429:
        return Limited(shown, after)
    if status in _MAYBE_CHARGED:
        return Lost(f"HTTP {status}: {shown}")
    if status in (408, 409, 425) or status >= 500:
        return Passing(shown)
    return _final(status, words.lower(), message, question, url)


def _final(status: int, words: str, message: str, question: Question, url: str) -> AskError:
    """A refusal that another attempt would meet again."""
    if status in (401, 403):
        return Hopeless(f"{message}; the key is read from POINTSMAN_LLM_KEY or OPENAI_API_KEY")
    if status == 402:
        return Hopeless(f"{message}; the account is out of money")
    missing = any(word in words for word in ("not exist", "not found", "unknown", "invalid model"))
    # a name may be one letter, so that it has to stand alone
    named = re.search(rf"model|deployment|(?<!\w){re.escape(question.model.lower())}(?!\w)", words)
    if named and (status == 404 or ("model" in words and missing)):
        return UnknownModel(f"{url} doesn't know the model {question.model!r} (HTTP {status})")
    if status == 404:
        return Hopeless(f"{message}; no such path (404): does --url end in /v1?")
    return AskError(message)


def _seconds(after: str) -> float | None:
    """The pause of a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3); None: neither."""
    if after.replace(".", "", 1).isdecimal():
        return float(after)
    try:
        return max((parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
