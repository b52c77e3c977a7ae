"""Prompts to token ids: the tokenizers library, and for plain English text a table of words that it has split before.

Splitting words into pieces is most of what a prompt costs once its encoder is a table of vectors. BERT's tokenisers
split each word by itself, so a word's pieces can be remembered; what isn't ASCII goes to the library.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import tokenizers

from pointsman.text.lengths import READ_CHARACTERS
from pointsman.text.tokenizer_limits import checked_document
from pointsman.text.tokens import Tokens

REMEMBERED_WORDS = 65_536
"""Words whose pieces are kept, some 13 MB; the table starts again when it is full."""
_LONGEST_WORD = 32
"""Characters; longer words are rarely met again."""
_CASED = re.compile(r"[A-Za-z0-9]+|[!-/:-@\[-`{-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Words, single marks, and the control characters that BERT removes, which join what stands beside them."""


class Tokenizer:
    """A tokenizer.json. Any number of threads may share one."""

    __slots__ = ("_lower", "_special", "_tokenizer", "_words")

    def __init__(self, content: str) -> None:
        """From the content of a tokenizer.json.

        Raises:
            ValueError: it is no such document, or asks for more than `tokenizer_limits` allows.
        """
        document = checked_document(content)
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(content)
        except Exception as error:  # the library raises Exception itself
            raise ValueError(f"tokenizer.json can't be read: {error}") from None
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._words: dict[str, tuple[int, ...]] | None = {} if _splits_words(document) else None
        self._lower = bool((document.get("normalizer") or {}).get("lowercase"))
        self._special = tuple(str(entry["content"]) for entry in document.get("added_tokens") or ())

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Tokens by id; ids that no token has are empty."""
        by_id = {number: token for token, number in self._tokenizer.get_vocab(with_added_tokens=True).items()}
        return tuple(by_id.get(number, "") for number in range(max(by_id, default=-1) + 1))

    def id_of(self, token: str) -> int:
        """The id of one token.

        Raises:
            ValueError: it isn't in the vocabulary.
        """
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise ValueError(f"the tokenizer has no token {token!r}")
        return int(number)

    def tokenize(self, prompts: Sequence[str]) -> Tokens:
        """Token ids of each prompt's first `READ_CHARACTERS`, without special tokens."""
        prompts = [prompt[:READ_CHARACTERS] for prompt in prompts]
        ids: list[int] = []
        ends = [0]
        slow = []
        for row, prompt in enumerate(prompts):
            # half of what a word-wise attempt has added is taken back
            if self._words is None or not prompt.isascii() or not self._by_words(prompt, ids):
                del ids[ends[-1] :]
                slow.append(row)
            ends.append(len(ids))
        indptr_N1 = np.array(ends, dtype=np.int64)
        token_E = np.array(ids, dtype=np.int32)
        return self._fill(prompts, slow, indptr_N1, token_E) if slow else Tokens(indptr_N1=indptr_N1, token_E=token_E)

    def _by_words(self, prompt: str, ids: list[int]) -> bool:
        """Adds the ids of a prompt; False where the library has to read it."""
        if any(token in prompt for token in self._special):
            return False
        words = self._words
        assert words is not None  # noqa: S101  # asked before
        for word in _CASED.findall(prompt.lower() if self._lower else prompt):
            pieces = words.get(word)
            if pieces is None:
                if word <= "\x1f" or word == "\x7f":
                    return False
                pieces = self._learn(word)
            ids += pieces
        return True

    def _learn(self, word: str) -> tuple[int, ...]:
        pieces = tuple(self._tokenizer.encode(word, add_special_tokens=False).ids)
        if len(word) <= _LONGEST_WORD and self._words is not None:
            if len(self._words) >= REMEMBERED_WORDS:
                self._words.clear()
            self._words[word] = pieces
        return pieces

    def _fill(self, prompts: Sequence[str], slow: list[int], indptr_N1: Any, token_E: Any) -> Tokens:
        """The tokens with those that the library has read put in their places."""
        encoded = self._tokenizer.encode_batch_fast([prompts[row] for row in slow], add_special_tokens=False)
        read = [np.array(one.ids, dtype=np.int32) for one in encoded]
        length_N = np.diff(indptr_N1)
        length_N[slow] = [one.size for one in read]
        whole_N1 = np.concatenate([[0], np.cumsum(length_N)])
        fast_N = np.ones(len(prompts), dtype=bool)
        fast_N[slow] = False
        whole_E = np.empty(whole_N1[-1], dtype=np.int32)
        whole_E[np.repeat(fast_N, length_N)] = token_E
        if read:
            whole_E[np.repeat(~fast_N, length_N)] = np.concatenate(read)
        return Tokens(indptr_N1=whole_N1, token_E=whole_E)


def _splits_words(document: dict[str, Any]) -> bool:
    """Whether each word of ASCII text is split by itself, as BERT does it."""
    normalizer, before, model = (document.get(name) or {} for name in ("normalizer", "pre_tokenizer", "model"))
    return bool(
        normalizer.get("type") == "BertNormalizer"
        and normalizer.get("clean_text")
        and before.get("type") == "BertPreTokenizer"
        and model.get("type") == "WordPiece"
        and all(
            not entry.get("normalized") and not entry.get("single_word") for entry in document.get("added_tokens") or ()
        )
    )
