"""Features as a router in service has them."""

import numpy as np
import polars as pl

from components.embeddings.feature_fit import FeatureConfig
from components.sources.planted.world import PlantedConfig, generate
from components.tables.store import Tables, write_parquet, write_tables
from flows.platform.arrays import load_arrays
from flows.platform.references import keep, reference
from flows.stations.discover import featurise
from pointsman.text.encoder import Encoder
from pointsman.text.features import FeatureMap
from pointsman.text.lengths import READ_CHARACTERS
from tests.fixtures.tiny_router import WORDS


def test_of_a_long_prompt_as_much_is_read_as_in_service(monkeypatch, tmp_path, parts):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    draw, words = np.random.default_rng(0), [word for word in WORDS if word.isalpha()]
    texts = [" ".join(draw.choice(words, size=6)) for _ in range(59)]
    texts.append((words[0] + " ") * 20_000 + (words[1] + " ") * 60_000)
    world = generate(PlantedConfig(prompts=60)).tables
    prompts = world.prompts.with_columns(prompt=pl.Series(texts))
    tables = Tables(prompts=prompts, candidates=world.candidates, outcomes=world.outcomes)
    split = pl.DataFrame({"prompt_id": prompts["prompt_id"], "split": ["train"] * 60})
    encoder = Encoder.load(parts.encoder_folder)
    made = featurise.fn(
        tables=keep("tables", lambda folder: write_tables(tables, folder)),
        embedded=keep("embed", lambda folder: np.save(folder / "embedding.npy", encoder.encode(texts))),
        splits=keep("divide", lambda folder: write_parquet(split, folder / "splits.parquet")),
        encoder=reference(parts.encoder_folder),
        config=FeatureConfig(),
    )
    served = [texts[-1][:READ_CHARACTERS]]
    feature_map = load_arrays(FeatureMap, made.file("feature_map.npz"))
    expected_1F = feature_map.transform(encoder.encode(served), encoder.tokenize(served))
    with np.load(made.file("features.npz")) as found:
        np.testing.assert_allclose(found["features_NF"][-1:], expected_1F, atol=1e-5)
        counted_N = found["input_tokens_N"]
    read = encoder.tokenize(texts).length_N
    np.testing.assert_array_equal(counted_N[:-1], read[:-1])
    assert counted_N[-1] == np.ceil(read[-1] + read[-1] / READ_CHARACTERS * (len(texts[-1]) - READ_CHARACTERS))
