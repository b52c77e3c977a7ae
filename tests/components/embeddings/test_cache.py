import logging

import numpy as np
import polars as pl
import pytest

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
