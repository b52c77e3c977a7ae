"""One call to a judge: how it is filed, and whether what came back is of use."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from components.asking.question import Answer, Question

Word = TypeVar("Word")
_FILED_TOKENS = 300
"""Length in the keys of a judge's calls, the first version's: a grade isn't paid for again at another length."""


def question_of(
    model: str, max_output_tokens: int, messages: tuple[tuple[str, str], ...], schema: Mapping[str, Any]
) -> Question:
    """What a judge is asked, with the same key at any length."""
    return Question(
        model=model,
        messages=messages,
        max_output_tokens=max_output_tokens,
        schema=schema,
        filed_tokens=_FILED_TOKENS,
    )


def word_of(answer: Answer | None, read: Callable[[str], Word | None]) -> Word | None:
    """What a judge said; nothing where it was cut, for what reads like a grade may be a thought on the way to one."""
    return None if answer is None or answer.cut else read(answer.text)


def wrong_where(read: Callable[[str], object]) -> Callable[[Question, Answer], str | None]:
    """Tells why a judge's answer is of no use; None: it is.

    >>> wrong_where(lambda text: None)(Question(model="m", messages=()), Answer(text="Hm.", cost_usd=0, latency_ms=1))
    'no grade in it'
    """

    def wrong(question: Question, answer: Answer) -> str | None:
        if answer.cut:
            return f"cut at {question.max_output_tokens} tokens: raise --max-output-tokens"
        return "no grade in it" if word_of(answer, read) is None else None

    return wrong
