import logging
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from components.embeddings import cache
from components.embeddings.cache import embed_cached


class Counting:
    """Stands before the real encoder and counts what reaches it."""

    def __init__(self, encoder):
        self.encoder, self.spec, self.digest, self.seen = encoder, encoder.spec, encoder.digest, []

    def encode(self, prompts):
        self.seen += prompts
        return self.encoder.encode(prompts)


@pytest.fixture
def counting(encoder):
    return Counting(encoder)


def test_only_new_prompts_are_encoded(counting, encoder, tmp_path, caplog):
    embed_cached(counting, ["a", "b"], tmp_path)
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="components.embeddings.cache"):
        rows = embed_cached(counting, ["b", "c", "a", "c"], tmp_path)
    assert caplog.messages == ["1 of 4 prompts are new to the encoder"]
    assert counting.seen == ["a", "b", "c"]
    np.testing.assert_array_equal(rows, encoder.encode(["b", "c", "a", "c"]))


def test_a_damaged_shard_is_made_again(counting, tmp_path):
    first = embed_cached(counting, ["a"], tmp_path)
    (shard,) = tmp_path.rglob("*.parquet")
    shard.write_bytes(b"torn")
    np.testing.assert_array_equal(embed_cached(counting, ["a"], tmp_path), first)
    assert counting.seen == ["a", "a"]
    assert pl.read_parquet(shard).height == 1


def test_no_prompts(counting, tmp_path):
    assert embed_cached(counting, [], tmp_path).shape == (0, 384)


def test_what_was_encoded_before_a_run_was_stopped_is_kept(counting, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "SHARD", 2)
    prompts = ["a", "b", "a", "c", "d", "e"]
    whole = counting.encode

    def stopped(texts):
        if "e" in texts:
            raise KeyboardInterrupt
        return whole(texts)

    counting.encode = stopped
    with pytest.raises(KeyboardInterrupt):
        embed_cached(counting, prompts, tmp_path)
    assert counting.seen == ["a", "b", "c", "d"]
    counting.encode = whole
    rows = embed_cached(counting, prompts, tmp_path)
    assert counting.seen == ["a", "b", "c", "d", "e"]
    np.testing.assert_array_equal(rows, encoder.encode(prompts))
    assert len(list(tmp_path.rglob("*.parquet"))) == 3


def test_a_static_encoder_reads_all_prompts_in_parts(tmp_path, monkeypatch):
    class Lengths:
        """A static encoder of one dimension: a prompt's length."""

        spec, digest = SimpleNamespace(kind="static", dimension=1), "0" * 64

        def encode(self, prompts):
            return np.array([[len(prompt)] for prompt in prompts], dtype=np.float32)

    monkeypatch.setattr(cache, "SHARD", 2)
    assert embed_cached(Lengths(), ["a", "bb", "ccc", "", "a"], tmp_path).tolist() == [[1], [2], [3], [0], [1]]
    assert not list(tmp_path.iterdir())
