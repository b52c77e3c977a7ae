"""Attack 11: a tokenizer that would hang, abort or eat the memory is refused before the library sees it."""

import json
import re
import signal

import pytest

from pointsman.text import tokenizer_limits
from pointsman.text.tokenizer import Tokenizer
from pointsman.text.tokenizer_limits import checked_document, repeats_repetition

GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
HARMLESS = [
    GPT4,
    O200K,
    r"'s|'t| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    " ",
    r"\d",
    r"[0-9]{1,3}",
    "(ab)+",
    "(a|b)*",
]
HARMFUL = [
    r"(a+)+$",
    r"(a*)*b",
    r"(?:a|a+)+",
    r"((a{2,})b?)*",
    r"(\s*\w+\s*)+x",
    r"(a+){3,}",
    r"(.*)\1",
    r"((x+)y)+",
    r"(a+)+?",
]


def document(pattern):
    return {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"},
    }


@pytest.mark.parametrize("pattern", HARMLESS)
def test_patterns_of_well_known_tokenizers_are_taken(pattern):
    assert not repeats_repetition(pattern)
    assert Tokenizer(json.dumps(document(pattern))).tokenize(["what is 17 * 23?"]).token_E.size


@pytest.mark.parametrize("pattern", HARMFUL)
def test_patterns_that_repeat_repetition_are_refused(pattern):
    with pytest.raises(ValueError, match="may take for ever"):
        Tokenizer(json.dumps(document(pattern)))


def test_such_a_pattern_does_take_for_ever():
    """Python's engine backtracks as the library's does; this is what is kept out."""

    def late(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(TimeoutError):
            re.match(r"(a+)+$", "a" * 40 + "b")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_size_depth_and_numbers_are_bounded(monkeypatch):
    deep = "[" * 100 + "]" * 100
    with pytest.raises(ValueError, match="levels deep"):
        checked_document(json.dumps(document(" ") | {"normalizer": json.loads(deep)}))
    for content, said in (("[" * 200_000, "can't be read"), ("[]", "is no object"), ("{", "can't be read")):
        with pytest.raises(ValueError, match=said):
            checked_document(content)
    with pytest.raises(ValueError, match="may take for ever"):
        checked_document(json.dumps(document("a" * 2000)))
    many = document(" ") | {"normalizer": {"type": "Sequence", "normalizers": [{"Regex": "a"}] * 20}}
    with pytest.raises(ValueError, match="21 patterns"):
        checked_document(json.dumps(many))
    monkeypatch.setattr(tokenizer_limits, "MOST_ENTRIES", 10)
    big = document(" ")
    big["model"]["vocab"] = {f"w{n}": n for n in range(11)}
    with pytest.raises(ValueError, match="11 entries"):
        checked_document(json.dumps(big))
    monkeypatch.setattr(tokenizer_limits, "LARGEST", 100)
    with pytest.raises(ValueError, match="at most 100 are read"):
        checked_document(json.dumps(document(" ")))
