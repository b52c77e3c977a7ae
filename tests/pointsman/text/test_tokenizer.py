import json

import numpy as np
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from pointsman.text.lengths import READ_CHARACTERS
from pointsman.text.tokenizer import Tokenizer

CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "how", "are", "you", "##s", "##ing", "walk", "cafe"]
WORDS += [*CHARACTERS, *(f"##{mark}" for mark in CHARACTERS), *"?.'[]東京"]
WORDS = list(dict.fromkeys(WORDS))


def bert(lowercase=True):
    inner = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    inner.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lowercase)
    inner.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    inner.add_special_tokens(WORDS[:5])
    return inner


@pytest.fixture(scope="module")
def inner():
    return bert()


@pytest.fixture(scope="module")
def tokenizer(inner):
    return Tokenizer(inner.to_str())


def by_library(inner, prompt):
    return inner.encode(prompt, add_special_tokens=False).ids


TRICKY = [
    "",
    "   ",
    "How are you?",
    "HOW\tare\r\nyou",
    "walk\x00ing walk\x0bing \x7f",
    "walk\x1cing",
    "[MASK] how [mask] [CLS]are",
    "don't stop... #$%^&*()_+|~`{}<>",
    "x" * 150,
    "x" * 99 + " " + "x" * 101,
    "Café CAFÉ",
    "東京 how",
    "İstanbul ISPARTA ıi",
    "كيف حالك؟",
    "👩‍🚀 how 🚀are",
    "a\u2028b\u00a0c\u00add",
    "how " * 3000,
]


@pytest.mark.parametrize("prompt", TRICKY)
@pytest.mark.parametrize("lowercase", [True, False])
def test_words_are_split_as_the_library_splits_them(prompt, lowercase):
    inner = bert(lowercase)
    assert Tokenizer(inner.to_str()).tokenize([prompt]).token_E.tolist() == by_library(inner, prompt)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40) | st.text("aA0 .'[\x00\t", max_size=30), max_size=6))
def test_any_text_is_split_as_the_library_splits_it(tokenizer, inner, prompts):
    tokens = tokenizer.tokenize(prompts)
    ids = [by_library(inner, prompt) for prompt in prompts]
    assert tokens.length_N.tolist() == [len(one) for one in ids]
    assert tokens.token_E.tolist() == [token for one in ids for token in one]


def test_plain_and_other_prompts_keep_their_order(tokenizer, inner):
    tokens = tokenizer.tokenize(TRICKY)
    assert tokens.token_E.tolist() == [token for prompt in TRICKY for token in by_library(inner, prompt)]


@pytest.mark.parametrize("word", ["a ", "東 "])
def test_a_megabyte_is_read_as_far_as_in_service(tokenizer, word):
    tokens = tokenizer.tokenize([word * 500_000, word * (READ_CHARACTERS // 2)])
    assert tokens.length_N.tolist() == [READ_CHARACTERS // 2] * 2


def test_the_table_of_words_is_bounded(inner, monkeypatch):
    monkeypatch.setattr("pointsman.text.tokenizer.REMEMBERED_WORDS", 10)
    small = Tokenizer(inner.to_str())
    prompts = [f"w{number} how" for number in range(50)]
    assert small.tokenize(prompts).token_E.tolist() == [t for p in prompts for t in by_library(inner, p)]
    assert len(small._words) <= 10


def test_tokenizers_that_join_words_are_left_to_the_library():
    inner = tokenizers.Tokenizer(tokenizers.models.BPE({"a": 0, "b": 1, "ab": 2, "Ġ": 3}, [("a", "b")]))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert Tokenizer(inner.to_str()).tokenize(["ab ab"]).token_E.tolist() == by_library(inner, "ab ab")


def test_truncation_in_the_file_does_not_count(inner):
    document = json.loads(inner.to_str())
    document["truncation"] = {"max_length": 4, "direction": "Right", "strategy": "LongestFirst", "stride": 0}
    assert Tokenizer(json.dumps(document)).tokenize(["a " * 50]).length_N.tolist() == [50]


def test_the_vocabulary_is_by_id(tokenizer):
    assert tokenizer.vocabulary == tuple(WORDS)
    assert tokenizer.id_of("[SEP]") == 3
    with pytest.raises(ValueError, match=r"no token '\[BOS\]'"):
        tokenizer.id_of("[BOS]")


def test_another_document_is_refused():
    with pytest.raises(ValueError, match=r"tokenizer\.json can't be read"):
        Tokenizer("{}")


def test_taken_rows_are_those_prompts(tokenizer):
    tokens = tokenizer.tokenize(["how are you", "", "walk"])
    taken = tokens.take(np.array([2, 1, 0]))
    again = tokenizer.tokenize(["walk", "", "how are you"])
    np.testing.assert_array_equal(taken.token_E, again.token_E)
    np.testing.assert_array_equal(taken.indptr_N1, again.indptr_N1)
