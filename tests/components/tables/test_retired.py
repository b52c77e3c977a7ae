import polars as pl

from components.tables.retired import without_retired
from components.tables.store import Tables


def test_a_retired_candidate_and_its_outcomes_are_left_out_by_name(tables: Tables) -> None:
    marked = tables.candidates.with_columns(retired=pl.col("model") == "middle")
    rest, gone = without_retired(Tables(prompts=tables.prompts, candidates=marked, outcomes=tables.outcomes))
    assert gone == ("middle",)
    assert rest.candidates["model"].to_list() == ["small", "large"]
    assert rest.outcomes["model"].unique().sort().to_list() == ["large", "small"]
    assert rest.prompts.equals(tables.prompts)


def test_without_retired_ones_nothing_changes(tables: Tables) -> None:
    assert without_retired(tables) == (tables, ())
