from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.sources.planted.families import FAMILIES
from components.sources.planted.family import Pen
from components.sources.planted.world import PlantedConfig, World, generate, write_world
from components.tables.board import to_board
from components.tables.schema import SCHEMAS
from components.tables.store import read_tables


@pytest.fixture(scope="module")
def world() -> World:
    return generate(PlantedConfig())


def _expected_NM(world: World) -> np.ndarray:
    wide = world.expected_quality.pivot("model", index="prompt_id", maintain_order=True)
    assert wide["prompt_id"].equals(world.tables.prompts["prompt_id"])
    return wide.select(world.tables.candidates["model"].to_list()).to_numpy()


def test_default_world_has_the_promised_size(world: World) -> None:
    assert world.tables.prompts.height == 4200
    assert world.tables.candidates.height == 8
    assert world.tables.outcomes.height == 4200 * 8
    counts = world.truth["task"].value_counts()["count"]
    assert len(counts) >= 16
    assert counts.max() - counts.min() <= 1


def test_prompts_are_unique_and_not_blank(world: World) -> None:
    assert world.tables.prompts["prompt"].n_unique() == 4200
    assert world.tables.prompts["prompt"].str.strip_chars().str.len_chars().min() > 20
    assert not world.tables.prompts["prompt"].str.contains(r"\{[a-z]\}").any()


def test_benchmark_is_coarser_than_the_task(world: World) -> None:
    pairs = world.truth.join(world.tables.prompts, on="prompt_id").select("task", "benchmark").unique()
    assert pairs["task"].n_unique() == pairs.height
    assert pairs["benchmark"].n_unique() <= len(FAMILIES) // 2


def test_same_seed_same_world_other_seed_other_world() -> None:
    first, again, other = (generate(PlantedConfig(prompts=90, seed=seed)) for seed in (3, 3, 4))
    for schema in SCHEMAS:
        assert getattr(first.tables, schema.name).equals(getattr(again.tables, schema.name))
    assert first.truth.equals(again.truth)
    assert first.expected_quality.equals(again.expected_quality)
    assert not first.tables.prompts["prompt"].equals(other.tables.prompts["prompt"])


def test_written_world_reads_back_equal(tmp_path: Path) -> None:
    world = write_world(tmp_path, PlantedConfig(prompts=60, seed=1))
    back = read_tables(tmp_path)
    for schema in SCHEMAS:
        frame = getattr(world.tables, schema.name)
        assert dict(frame.schema) == schema.dtypes
        assert frame.equals(getattr(back, schema.name))
    assert pl.read_parquet(tmp_path / "truth.parquet").equals(world.truth)
    assert pl.read_parquet(tmp_path / "expected_quality.parquet").equals(world.expected_quality)
    assert "Simulated" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_cost_is_tokens_times_price(world: World) -> None:
    priced = world.tables.outcomes.join(world.tables.candidates, on="model")
    cost = (
        priced["input_tokens"] * priced["input_usd_per_mtok"] + priced["output_tokens"] * priced["output_usd_per_mtok"]
    ) / 1e6
    np.testing.assert_allclose(priced["cost_usd"], cost, rtol=1e-12)
    assert priced["output_tokens"].min() >= 1


def test_mean_quality_obeys_the_law_of_large_numbers(world: World) -> None:
    joined = world.tables.outcomes.join(world.expected_quality, on=["prompt_id", "model"]).join(
        world.truth, on="prompt_id"
    )
    cells = joined.group_by("task", "model").agg(
        pl.col("quality").mean(),
        pl.col("expected_quality").mean(),
        # The variance of a Bernoulli draw bounds that of any draw in [0, 1] with the same mean.
        ((pl.col("expected_quality") * (1 - pl.col("expected_quality"))).sum().sqrt() / pl.len()).alias("error"),
    )
    z = (cells["quality"] - cells["expected_quality"]) / cells["error"]
    assert z.abs().max() < 4.5
    assert abs(z.mean()) < 4 / np.sqrt(cells.height)


def test_oracle_beats_the_best_single_clearly(world: World) -> None:
    expected_NM = _expected_NM(world)
    assert expected_NM.max(axis=1).mean() >= expected_NM.mean(axis=0).max() + 0.08
    # Specialists: no candidate is the right choice for more than a third of the prompts, and cheap ones are among them.
    shares_M = np.bincount(expected_NM.argmax(axis=1), minlength=8) / len(expected_NM)
    assert shares_M.max() < 1 / 3
    assert (shares_M > 0.02).sum() >= 6


def test_tasks_tell_more_than_benchmarks(world: World) -> None:
    expected_NM = _expected_NM(world)

    def table_quality(labels: pl.Series) -> float:
        codes = labels.rank("dense").to_numpy() - 1
        return float(np.mean([expected_NM[codes == code].mean(axis=0).max() for code in range(codes.max() + 1)]))

    assert table_quality(world.truth["task"]) > table_quality(world.tables.prompts["benchmark"]) + 0.015
    # Difficulty turns rankings around inside tasks, so that a prompt tells more than its task.
    assert expected_NM.max(axis=1).mean() > table_quality(world.truth["task"]) + 0.02


def test_difficulties_vary_within_bounds() -> None:
    pen = Pen(np.random.default_rng(0))
    for family in FAMILIES:
        difficulties = [family.write(pen)[1] for _ in range(200)]
        assert min(difficulties) >= 0
        assert max(difficulties) <= 1
        assert np.std(difficulties) > 0.15, family.name


def test_small_world_makes_complete_matrices() -> None:
    matrices = to_board(generate(PlantedConfig(prompts=240)).tables)
    assert matrices.quality_NM.shape == (240, 8)
    assert matrices.observed_NM.all()
    assert not np.isnan(matrices.cost_usd_NM).any()


@pytest.mark.parametrize("bad", [{"prompts": 3}, {"seed": -1}])
def test_impossible_settings_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        PlantedConfig(**bad)
