"""The board against its tables, cell by cell; cuts, files, and what another column costs."""

from dataclasses import dataclass, field, fields, replace

import numpy as np
import polars as pl
import pytest

from components.tables import board as module
from components.tables.board import Board, load_board, save_board, to_board, without_untried
from components.tables.store import Tables


def test_every_cell_is_where_its_ids_say(tables: Tables) -> None:
    shuffled = replace(tables, outcomes=tables.outcomes.sample(fraction=0.7, shuffle=True, seed=3))
    board = to_board(shuffled)
    assert board.prompt_ids == tuple(tables.prompts["prompt_id"])
    assert board.models == ("small", "middle", "large")
    assert board.observed_NM.sum() == shuffled.outcomes.height
    for row in shuffled.outcomes.iter_rows(named=True):
        cell = board.prompt_ids.index(row["prompt_id"]), board.models.index(row["model"])
        assert board.quality_NM[cell] == row["quality"]
        assert board.cost_usd_NM[cell] == row["cost_usd"]
        assert board.output_tokens_NM[cell] == row["output_tokens"]


def test_what_was_not_observed_is_nan(tables: Tables) -> None:
    board = to_board(replace(tables, outcomes=tables.outcomes[:1]))
    assert board.observed_NM.tolist()[0] == [True, False, False]
    for values_NM in (board.quality_NM, board.cost_usd_NM, board.output_tokens_NM):
        assert np.isnan(values_NM).sum() == 3 * 200 - 1


def test_an_answer_without_a_grade_is_answered_not_observed(tables: Tables) -> None:
    ungraded = tables.outcomes.with_columns(quality=pl.lit(None, pl.Float64))
    board = to_board(replace(tables, outcomes=ungraded))
    assert not board.observed_NM.any()
    assert board.answered_NM.all()
    assert np.isfinite(board.cost_usd_NM).all()


def test_take_and_keep_cut_every_array_in_the_order_asked_for(tables: Tables) -> None:
    board = to_board(tables)
    rows, columns = np.array([5, 0, 7]), np.array([2, 0])
    cut = board.take(rows).keep(columns)
    assert cut.prompt_ids == ("p5", "p0", "p7")
    assert cut.models == ("large", "small")
    assert cut.benchmark_N.tolist() == ["b1", "b0", "b3"]
    np.testing.assert_array_equal(cut.quality_NM, board.quality_NM[np.ix_(rows, columns)])
    np.testing.assert_array_equal(cut.output_usd_per_mtok_M, board.output_usd_per_mtok_M[columns])
    for one in fields(Board):
        assert len(getattr(cut, one.name)) == {"N": 3, "M": 2}[module.shape_letters(one.name)[0]], one.name


def test_files_give_the_same_arrays_mapped(tables: Tables, tmp_path) -> None:
    board = replace(to_board(tables), features_NF=np.ones((200, 4), np.float32), split_N=np.full(200, "train"))
    save_board(board, tmp_path)
    again = load_board(tmp_path)
    for one in fields(Board):
        np.testing.assert_array_equal(getattr(again, one.name), getattr(board, one.name))
    assert isinstance(again.quality_NM, np.memmap)
    assert not again.quality_NM.flags.writeable


def test_another_column_needs_a_line_in_the_board_and_nothing_else(tables: Tables) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True, eq=False)
    class Wider(Board):
        retries_NM: module.Floats = field(default_factory=module._unknown)

    # what `to_board` pivots is what the dataclass declares
    outcomes = tables.outcomes.with_columns(retries=pl.int_range(pl.len()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Board", Wider)
        board = to_board(replace(tables, outcomes=outcomes))
        rows = np.array([3, 1])
        cut = board.take(rows).keep(np.array([1]))
    assert isinstance(cut, Wider)
    np.testing.assert_array_equal(cut.retries_NM, board.retries_NM[np.ix_(rows, [1])])
    first = outcomes.row(0, named=True)
    cell = board.prompt_ids.index(first["prompt_id"]), board.models.index(first["model"])
    assert board.retries_NM[cell] == first["retries"]


def test_shapes_are_checked_by_name() -> None:
    quality_NM = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"task_N has shape \(2,\), want \(3,\)"):
        Board(quality_NM=quality_NM, task_N=np.zeros(2, np.int32))
    with pytest.raises(ValueError, match="cost_usd_NM"):
        Board(quality_NM=quality_NM, cost_usd_NM=np.ones((3, 3)))
    with pytest.raises(ValueError, match="features_NF"):
        Board(quality_NM=quality_NM, features_NF=np.ones(3, np.float32))
    with pytest.raises(ValueError, match="quality_NM"):
        Board(quality_NM=np.ones(3))


def test_unknown_ids_are_refused(tables: Tables) -> None:
    strangers = tables.outcomes.with_columns(prompt_id=pl.lit("ghost"))
    with pytest.raises(ValueError, match=r"unknown prompt or model: \('ghost', 'small'"):
        to_board(replace(tables, outcomes=strangers))


def test_candidates_without_training_outcomes_are_left_out_by_name(tables: Tables) -> None:
    tested = tables.prompts["prompt_id"][150:].to_list()
    outcomes = tables.outcomes.filter((pl.col("model") != "middle") | pl.col("prompt_id").is_in(tested))
    board = to_board(replace(tables, outcomes=outcomes))
    kept, excluded = without_untried(board, np.arange(150))
    assert excluded == ("middle",)
    assert kept.models == ("small", "large")
    np.testing.assert_array_equal(kept.quality_NM, board.quality_NM[:, [0, 2]])
    assert without_untried(board, np.arange(200)) == (board, ())


def test_no_training_outcome_at_all_is_refused(tables: Tables) -> None:
    with pytest.raises(ValueError, match="no candidate has an outcome on the 0 training prompts"):
        without_untried(to_board(tables), np.arange(0))


def test_choices_are_judged_by_quality_unless_a_judge_is_corrected():
    quality_NM = np.array([[0.5, np.nan], [0.7, 0.2]])
    assert np.array_equal(Board(quality_NM=quality_NM).worth_NM, quality_NM, equal_nan=True)
    corrected = Board(quality_NM=quality_NM, corrected_NM=np.array([[1.3, 0.4], [np.nan, np.nan]]))
    assert np.array_equal(corrected.worth_NM, [[1.3, np.nan], [0.7, 0.2]], equal_nan=True)
