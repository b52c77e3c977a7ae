"""Whether prompts are texts that can be tokenised and kept. Standard library only."""

from collections.abc import Sequence


def require_texts(prompts: Sequence[str]) -> None:
    """Refuses what is no text, or no valid one: JSON and command lines can spell half of a surrogate pair.

    Raises:
        ValueError: it is so; names the prompt by its place.

    >>> require_texts(["What is 17 * 23?", "\\ud83d"])
    Traceback (most recent call last):
    ValueError: prompt 1 isn't valid Unicode
    """
    for row, prompt in enumerate(prompts):
        if not isinstance(prompt, str):
            raise ValueError(f"prompt {row} must be a text, is {type(prompt).__name__}")
        if not prompt.isascii():
            try:
                prompt.encode()
            except UnicodeEncodeError:
                raise ValueError(f"prompt {row} isn't valid Unicode") from None
