import numpy as np
import polars as pl
import pytest

from components.tables.matrices import to_matrices, without_untried
from components.tables.store import Tables


def test_every_cell_is_where_its_ids_say(tables: Tables) -> None:
    shuffled = Tables(
        prompts=tables.prompts,
        candidates=tables.candidates,
        outcomes=tables.outcomes.sample(fraction=0.7, shuffle=True, seed=3),
    )
    matrices = to_matrices(shuffled)
    assert matrices.prompt_ids == tuple(tables.prompts["prompt_id"])
    assert matrices.models == ("small", "middle", "large")
    assert matrices.observed_NM.sum() == shuffled.outcomes.height
    for row in shuffled.outcomes.iter_rows(named=True):
        cell = matrices.prompt_ids.index(row["prompt_id"]), matrices.models.index(row["model"])
        assert matrices.quality_NM[cell] == row["quality"]
        assert matrices.cost_usd_NM[cell] == row["cost_usd"]
        assert matrices.output_tokens_NM[cell] == row["output_tokens"]


def test_what_was_not_observed_is_nan(tables: Tables) -> None:
    one = Tables(prompts=tables.prompts, candidates=tables.candidates, outcomes=tables.outcomes[:1])
    matrices = to_matrices(one)
    assert matrices.observed_NM.tolist()[0] == [True, False, False]
    for values_NM in (matrices.quality_NM, matrices.cost_usd_NM, matrices.output_tokens_NM):
        assert np.isnan(values_NM).sum() == 3 * 200 - 1


def test_unknown_costs_are_nan(tables: Tables) -> None:
    outcomes = tables.outcomes.with_columns(cost_usd=pl.lit(None).cast(pl.Float64))
    matrices = to_matrices(Tables(prompts=tables.prompts, candidates=tables.candidates, outcomes=outcomes))
    assert np.isnan(matrices.cost_usd_NM).all()
    assert matrices.observed_NM.all()


def test_take_keeps_the_order_asked_for(tables: Tables) -> None:
    matrices = to_matrices(tables)
    rows = np.array([5, 0, 7])
    taken = matrices.take(rows)
    assert taken.prompt_ids == ("p5", "p0", "p7")
    assert taken.benchmark_N.tolist() == ["b1", "b0", "b3"]
    np.testing.assert_array_equal(taken.quality_NM, matrices.quality_NM[rows])
    np.testing.assert_array_equal(taken.output_usd_per_mtok_M, matrices.output_usd_per_mtok_M)


def test_unknown_ids_are_refused(tables: Tables) -> None:
    strangers = tables.outcomes.with_columns(prompt_id=pl.lit("ghost"))
    with pytest.raises(ValueError, match=r"unknown prompt or model: \('ghost', 'small'"):
        to_matrices(Tables(prompts=tables.prompts, candidates=tables.candidates, outcomes=strangers))


def test_candidates_without_training_outcomes_are_left_out_by_name(tables: Tables) -> None:
    tested = tables.prompts["prompt_id"][150:].to_list()
    outcomes = tables.outcomes.filter((pl.col("model") != "middle") | pl.col("prompt_id").is_in(tested))
    matrices = to_matrices(Tables(prompts=tables.prompts, candidates=tables.candidates, outcomes=outcomes))
    kept, excluded = without_untried(matrices, np.arange(150))
    assert excluded == ("middle",)
    others = Tables(
        prompts=tables.prompts,
        candidates=tables.candidates.filter(pl.col("model") != "middle"),
        outcomes=outcomes.filter(pl.col("model") != "middle"),
    )
    expected = to_matrices(others)
    assert kept.models == expected.models == ("small", "large")
    for name in ("quality_NM", "cost_usd_NM", "output_tokens_NM", "observed_NM", "input_usd_per_mtok_M"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(expected, name))
    assert without_untried(matrices, np.arange(200)) == (matrices, ())


def test_no_training_outcome_at_all_is_refused(tables: Tables) -> None:
    matrices = to_matrices(tables)
    with pytest.raises(ValueError, match="no candidate has an outcome on the 0 training prompts"):
        without_untried(matrices, np.arange(0))
