"""Which encoder a run ends with, on a tiny sentence encoder: the packaged one is `test_retrain`'s."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from prefect import Task

from components.learning.encoder_choice import ChoiceConfig
from components.sources.planted.world import PlantedConfig, generate
from components.tables.store import read_tables, write_parquet, write_tables
from flows.platform.references import keep, reference
from flows.presets import preset
from flows.stations import encoder as station
from flows.stations.encoder import describe_encoder, encode_and_divide
from pointsman.text.encoder import Encoder, read_spec
from tests.fixtures.tiny_router import WORDS

pytestmark = pytest.mark.filterwarnings("ignore")
CHOSEN = replace(preset("smoke", 0), choosing=ChoiceConfig(prompts=100, neighbours=10, groups=2))


@pytest.fixture
def tables(monkeypatch, tmp_path, parts):
    """Prompts of words that the tiny encoder knows, in an installation whose packaged encoder it is."""
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    for name, value in [*vars(station).items()]:
        if isinstance(value, Task):
            # what it does, without a server that keeps a record of it
            monkeypatch.setattr(station, name, value.fn)
    monkeypatch.setattr(station, "export_encoder", lambda precision: reference(parts.encoder_folder))
    world, rng = generate(PlantedConfig(prompts=120)).tables, np.random.default_rng(0)
    words = [word for word in WORDS if word.isalpha()]
    texts = [" ".join(rng.choice(words, size=6)) for _ in range(120)]
    tables = replace(world, prompts=world.prompts.with_columns(prompt=pl.Series(texts)))
    return keep("tables", lambda folder: write_tables(tables, folder))


@pytest.fixture
def divided(tables):
    """Splits by the prompts' order, and the vectors that each call was given."""
    given = []

    def divide(vectors):
        given.append(np.load(vectors.file("embedding.npy")))
        split = pl.DataFrame(
            {"prompt_id": read_tables(tables.path).prompts["prompt_id"], "split": ["train"] * 90 + ["test"] * 30}
        )
        return keep("divide", lambda folder: write_parquet(split, folder / "splits.parquet"))

    return divide, given


def vectors_of(tables, folder):
    return Encoder.load(folder).encode(read_tables(tables.path).prompts["prompt"].to_list())


def test_a_precision_that_is_asked_for_reads_every_prompt(tables, divided, parts):
    encoded = encode_and_divide("int8", tables, divided[0], CHOSEN, 0)
    assert encoded.encoder == reference(parts.encoder_folder)
    np.testing.assert_array_equal(np.load(encoded.embedded.file("embedding.npy")), divided[1][0])
    np.testing.assert_array_equal(divided[1][0], vectors_of(tables, parts.encoder_folder))
    assert describe_encoder(encoded.encoder)["choice"] is None


def test_a_static_one_learns_from_training_prompts_alone(tables, divided, parts):
    encoded = encode_and_divide("static", tables, divided[0], CHOSEN, 0)
    assert read_spec(encoded.encoder.path).kind == "static"
    np.testing.assert_array_equal(divided[1][0], vectors_of(tables, parts.encoder_folder))
    np.testing.assert_array_equal(
        np.load(encoded.embedded.file("embedding.npy")), vectors_of(tables, encoded.encoder.path)
    )

    def all_train(vectors):
        split = pl.DataFrame({"prompt_id": read_tables(tables.path).prompts["prompt_id"], "split": ["train"] * 120})
        return keep("divide", lambda folder: write_parquet(split, folder / "splits.parquet"))

    assert encode_and_divide("static", tables, all_train, CHOSEN, 0).encoder != encoded.encoder


def test_auto_says_what_it_compared(tables, divided):
    encoded = encode_and_divide("auto", tables, divided[0], CHOSEN, 0)
    told = describe_encoder(encoded.encoder)
    assert (told["kind"] == "static") == (told["choice"]["chosen"] == "static")
    np.testing.assert_array_equal(
        np.load(encoded.embedded.file("embedding.npy")), vectors_of(tables, encoded.encoder.path)
    )


def test_auto_keeps_conversations_whole(tables, monkeypatch):
    given, choose = [], station.choose_encoder
    ids = read_tables(tables.path).prompts["prompt_id"]
    split = pl.DataFrame({"prompt_id": ids, "split": ["train"] * 90 + ["test"] * 30, "group": [*range(40)] * 3})

    def choosing(*arguments):
        given.append(arguments)
        return choose(*arguments)

    monkeypatch.setattr(station, "choose_encoder", choosing)
    divided = keep("divide", lambda folder: write_parquet(split, folder / "splits.parquet"))
    encode_and_divide("auto", tables, lambda _: divided, CHOSEN, 0)
    quality_NM, group_N = given[0][1], given[0][5]
    # in these logs the prompts that were drawn are known by their outcomes: all 90, in their order
    assert len(quality_NM) == 90
    assert group_N.tolist() == split["group"].to_list()[:90]


def test_of_many_prompts_the_sentence_encoder_reads_a_sample(tables, divided):
    few = replace(CHOSEN, exact_prompts=50, distilling=replace(CHOSEN.distilling, sample=40))
    encoded = encode_and_divide("static", tables, divided[0], few, 0)
    np.testing.assert_array_equal(divided[1][0], vectors_of(tables, encoded.encoder.path))
