"""Attack 8: the frozen test is known again by its texts, whatever ids an export gives them."""

import numpy as np
import polars as pl
import pytest

from components.sources.planted.world import PlantedConfig, generate
from components.tables.likeness import text_digests
from components.tables.splits import SplitConfig, split
from components.tables.store import Tables, write_parquet, write_tables
from flows.platform.references import keep
from flows.stations.frozen_test import freeze, frozen_test, shrunk_test, split_before

WORLD = generate(PlantedConfig(prompts=200, seed=5)).tables
NAME = "frozen_test.parquet"


def tables_of(prompts):
    ids = prompts["prompt_id"].to_list()
    outcomes = WORLD.outcomes.filter(pl.col("prompt_id").is_in(ids))
    return Tables(prompts=prompts, candidates=WORLD.candidates, outcomes=outcomes)


def run(prompts, seed=0):
    """Split and freeze as a retrain does; names of test and learnt prompts by text."""
    tables = tables_of(prompts)
    rows = np.eye(prompts.height, dtype=np.float32)
    divided = split(tables, rows, SplitConfig(seed=seed), *split_before(frozen_test()))
    kept = keep("frozen-tables", lambda folder: write_tables(tables, folder))
    splits = keep("frozen-test", lambda folder: write_parquet(divided, folder / "splits.parquet"))
    freeze(tables=kept, splits=splits)
    in_test = (divided["split"] == "test").to_numpy()
    texts = text_digests(prompts["prompt"])
    return set(texts.filter(pl.Series(in_test))), set(texts.filter(pl.Series(~in_test)))


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))


def test_nothing_is_frozen_before_the_first_run_and_again_changes_nothing():
    assert frozen_test() is None
    run(WORLD.prompts)
    first = frozen_test()
    run(WORLD.prompts)
    assert frozen_test() == first


def test_attack_8_new_ids_move_no_prompt_from_test_to_training():
    test, learnt = run(WORLD.prompts)
    renamed = WORLD.prompts.with_columns(prompt_id=pl.lit("new-") + pl.col("prompt_id"))
    shouted = renamed.with_columns(pl.col("prompt").str.to_uppercase())
    for again in (renamed, shouted):
        now = run(again.sample(fraction=1, shuffle=True, seed=1), seed=9)
        assert now[0] & learnt == set()
        assert now[1] & test == set()


def test_attack_8_rolling_data_never_judge_on_what_was_learnt():
    half = WORLD.prompts.height // 2
    first, second = WORLD.prompts[: half + 50], WORLD.prompts[half - 50 :]
    _, learnt = run(first)
    test, _ = run(second, seed=3)
    assert test
    assert test & learnt == set()


def test_where_nothing_new_is_left_the_test_is_filled_up_all_the_same():
    _, learnt = run(WORLD.prompts)
    only = WORLD.prompts.filter(text_digests(WORLD.prompts["prompt"]).is_in(list(learnt)))
    assert run(only)[0] & learnt


def test_ids_that_were_frozen_before_there_were_digests_stay_frozen(tmp_path):
    ids = WORLD.prompts["prompt_id"][:5]
    write_parquet(pl.DataFrame({"prompt_id": ids}), tmp_path / "data" / "frozen" / NAME)
    test, _ = run(WORLD.prompts)
    assert set(text_digests(WORLD.prompts["prompt"][:5])) <= test
    assert set(text_digests(WORLD.prompts["prompt"][:5])) <= split_before(frozen_test())[0]


def test_a_test_that_shrank_is_said_with_both_counts():
    test, _ = run(WORLD.prompts)
    in_test = text_digests(WORLD.prompts["prompt"]).is_in(list(test))
    less = pl.concat([WORLD.prompts.filter(in_test)[4:], WORLD.prompts.filter(~in_test)])

    def said(prompts):
        return shrunk_test(keep("shrunk-tables", lambda folder: write_tables(tables_of(prompts), folder)))

    assert said(WORLD.prompts) == []
    (line,) = said(less)
    assert f"of the {len(test)} prompts" in line
    assert f"{len(test) - 4} are still in these logs" in line
    # other logs altogether, which `changed_logs` says
    assert said(WORLD.prompts.filter(~in_test)) == []


def test_nothing_shrinks_before_the_first_run():
    kept = keep("first-tables", lambda folder: write_tables(tables_of(WORLD.prompts), folder))
    assert shrunk_test(kept) == []
