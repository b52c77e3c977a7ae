"""The same request in other words, as people write it: what a router should answer alike.

Nothing here changes what is asked, so that outcomes of the prompt as it was logged still tell what a choice is worth.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np


def polite(prompt: str, _random: np.random.Generator) -> str:
    """With a greeting before and thanks after it."""
    return f"Hello! Could you please help me with this?\n\n{prompt}\n\nThank you very much."


def careless(prompt: str, _random: np.random.Generator) -> str:
    """In small letters throughout."""
    return prompt.lower()


def spaced(prompt: str, _random: np.random.Generator) -> str:
    """With two blanks after each sentence and empty lines around it, as copied from a document."""
    return "\n\n" + re.sub(r"(?<=[.?!]) (?=\S)", "  ", prompt) + "\n\n"


def hasty(prompt: str, random: np.random.Generator) -> str:
    """With typing errors: in one word of fifteen two inner letters change places."""

    def word(found: re.Match[str]) -> str:
        text = found.group()
        if random.random() >= 1 / 15:
            return text
        place = int(random.integers(1, len(text) - 2))
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]

    return re.sub(r"[A-Za-z]{5,}", word, prompt)


REWORDINGS: dict[str, Callable[[str, np.random.Generator], str]] = {
    "polite": polite,
    "careless": careless,
    "spaced": spaced,
    "hasty": hasty,
}
"""By what is different about them."""


def reworded(prompts: Sequence[str], name: str, seed: int) -> list[str]:
    """Every prompt in other words, in order.

    Args:
        prompts: texts.
        name: one of REWORDINGS.
        seed: of the typing errors.

    Raises:
        KeyError: no such rewording.

    >>> reworded(["What is it? Say."], "spaced", 0)
    ['\\n\\nWhat is it?  Say.\\n\\n']
    """
    rewrite, random = REWORDINGS[name], np.random.default_rng(seed)
    return [rewrite(prompt, random) for prompt in prompts]
