"""A Great Expectations suite generated from the schema. The only importer of great_expectations."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
from great_expectations.core import ExpectationSuite

from components.tables.costs import COST_TOLERANCE, cost_agrees
from components.tables.exact_rules import counted
from components.tables.rule_outcomes import LISTED, RuleOutcome, outcome_of
from components.tables.sampling import evenly
from components.tables.schema import GRADES, SCHEMAS, VISIBLE, Column, TableSchema
from components.tables.store import Tables

# the second sets a level of its own, and tells of a temporary directory for pages that are never made
for _logger in ("great_expectations", "great_expectations.data_context.types.base"):
    logging.getLogger(_logger).setLevel(logging.WARNING)

MINIMUM_PROMPTS = 20
"""Fewer can't fill the splits with more than a prompt or two each."""
MINIMUM_CANDIDATES = 2
USUAL_OVERLAP = 0.5
"""Share of prompts with graded outcomes of two candidates or more below which a log is said to be a one-answer log."""
_ALL_EQUAL = (
    "if all are equal, or none is graded, nothing says which answer is worse: keep the bad ones too, or grade them "
    "(pointsman grade)"
)
_ONE_MODEL = (
    "with one there is nothing to route: let the gateway explore (pointsman serve --explore 0.1) or collect answers "
    "of others (pointsman collect)"
)
_FEW = "with fewer a router can be neither trained nor judged: grade answers (pointsman grade), or wait for more"
MOST = 20_000
"""Rows of a table that Great Expectations reads at most."""
_RESULTS = {
    "table": pl.String(),
    "rule": pl.String(),
    "column": pl.String(),
    "severity": pl.String(),
    "passed": pl.Boolean(),
    "checked": pl.Int64(),
    "failed": pl.Int64(),
    "first": pl.List(pl.String()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationReport:
    """What was checked: `table`, `rule`, `column`, `severity`, `passed`, `checked`, `failed`, `first`.

    `checked` and `failed` count rows; for a rule on a table as a whole they are 1, and 0 or 1. `first` has a text for
    each of the first rows that break a rule.
    """

    results: pl.DataFrame
    complaint: str
    """File, rule and first offending rows of every broken critical rule; empty: there is none."""

    @property
    def success(self) -> bool:
        """No critical rule is broken."""
        return not self.complaint

    @property
    def warnings(self) -> tuple[str, ...]:
        """Broken rules that don't stop a run, each with the number of rows that break it."""
        broken = self.results.filter(~pl.col("passed") & (pl.col("severity") != "critical"))
        return tuple(
            f"{table}: {rule} (not so in {failed} of {checked})"
            for table, rule, failed, checked in broken.select("table", "rule", "failed", "checked").iter_rows()
        )


def validate(
    tables: Tables, folder: Path, *, cost_tolerance: float = COST_TOLERANCE, most: int = MOST
) -> ValidationReport:
    """Checks tables against their schema and each other.

    Of a large table Great Expectations reads a sample, and the same rules are counted on all of its rows by polars.

    Args:
        tables: tables after quarantine.
        folder: where they were read, to name files in the complaint.
        cost_tolerance: relative gap between cost and tokens x price from which outcomes are counted.
        most: rows of a table that Great Expectations reads at most, >= 1.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    source = context.data_sources.add_pandas("tables")
    outcomes: list[RuleOutcome] = []
    for schema in (*SCHEMAS, *((GRADES,) if tables.grades is not None else ())):
        batch = source.add_dataframe_asset(schema.name).add_batch_definition_whole_dataframe("whole")
        rules = list(expectations(schema, cost_tolerance))
        suite = context.suites.add(ExpectationSuite(name=schema.name, expectations=rules))
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name=schema.name, data=batch, suite=suite)
        )
        frame = _checked(tables, schema, cost_tolerance)
        result = definition.run(
            batch_parameters={"dataframe": frame[evenly(frame.height, most)].to_pandas()},
            result_format={
                "result_format": "SUMMARY",
                "partial_unexpected_count": LISTED,
                "unexpected_index_column_names": ["row", *schema.key],
            },
        )
        exact = {}
        if frame.height > most:
            found = {_name(rule): counted(frame, rule, schema.key, LISTED) for rule in rules}
            exact = {name: one for name, one in found.items() if one is not None}
        outcomes.extend(outcome_of(schema, one, exact) for one in result.results)
    results = pl.DataFrame([one.row() for one in outcomes], schema=_RESULTS, orient="row")
    critical = [one for one in outcomes if not one.passed and one.severity == "critical"]
    return ValidationReport(
        results=results.sort("table", "column", "rule", maintain_order=True),
        complaint="; ".join(one.complaint(folder) for one in critical),
    )


def expectations(schema: TableSchema, cost_tolerance: float = COST_TOLERANCE) -> Iterator[Any]:
    """Every rule of one table: those its columns and key declare, then those between tables."""
    for column in schema.columns:
        yield from _column_expectations(column)
    unique = f"{', '.join(schema.key)} unique"
    if len(schema.key) == 1:
        yield gxe.ExpectColumnValuesToBeUnique(column=schema.key[0], meta={"rule": unique})
    else:
        yield gxe.ExpectCompoundColumnsToBeUnique(column_list=list(schema.key), meta={"rule": unique})
    match schema.name:
        case "prompts":
            yield _rows(MINIMUM_PROMPTS, "prompts")
            yield gxe.ExpectColumnValuesToBeBetween(
                column="observed_candidates",
                min_value=2,
                mostly=USUAL_OVERLAP,
                severity="info",
                meta={"rule": "prompts have graded outcomes of two candidates or more; others compare through a model"},
            )
        case "candidates":
            yield _rows(MINIMUM_CANDIDATES, "candidates")
            # A candidate of the list that nobody has tried yet is left out of training, by name.
            yield gxe.ExpectColumnValuesToBeBetween(
                column="observed_prompts",
                min_value=1,
                severity="warning",
                meta={"rule": "each candidate has outcomes"},
            )
        case "outcomes":
            yield _rows(1, "outcomes")
            yield _true("prompt_is_known", "outcomes name only prompts of the prompts table")
            yield _true("model_is_known", "outcomes name only models of the candidates table")
            yield _true(
                "cost_agrees",
                f"cost_usd within {cost_tolerance:.0%} of tokens x price, where all are known; the cost is believed",
                severity="warning",
            )
            yield _different("quality", f"graded outcomes differ; {_ALL_EQUAL}")
            yield _different("graded_model", f"graded outcomes of two candidates or more; {_ONE_MODEL}")
            yield _different("graded_prompt", f"graded outcomes of {MINIMUM_PROMPTS} prompts; {_FEW}", MINIMUM_PROMPTS)
        case _:
            pass


def _column_expectations(column: Column) -> Iterator[Any]:
    name = column.name
    yield gxe.ExpectColumnToExist(column=name, meta={"rule": "column present"})
    if not column.nullable:
        yield gxe.ExpectColumnValuesToNotBeNull(column=name, meta={"rule": "not null, not NaN"})
        if column.dtype.is_float():
            yield gxe.ExpectColumnValuesToBeOfType(column=name, type_="float64", meta={"rule": "type float64"})
    if column.non_empty:
        yield gxe.ExpectColumnValuesToMatchRegex(column=name, regex=VISIBLE, meta={"rule": "not empty"})
    if column.minimum is not None or column.above is not None or column.maximum is not None:
        yield gxe.ExpectColumnValuesToBeBetween(
            column=name,
            min_value=column.above if column.minimum is None else column.minimum,
            max_value=column.maximum,
            strict_min=column.above is not None,
            meta={"rule": column.range},
        )


def _rows(minimum: int, what: str) -> Any:
    return gxe.ExpectTableRowCountToBeBetween(min_value=minimum, meta={"rule": f"at least {minimum} {what}"})


def _true(column: str, rule: str, severity: str = "critical") -> Any:
    return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[True], severity=severity, meta={"rule": rule})


def _different(column: str, rule: str, least: int = 2) -> Any:
    return gxe.ExpectColumnUniqueValueCountToBeBetween(column=column, min_value=least, meta={"rule": rule})


def _checked(tables: Tables, schema: TableSchema, cost_tolerance: float) -> pl.DataFrame:
    """A table with its row numbers and the columns that rules between tables look at.

    Knownness is worked out here, for a value set of every prompt id would fill the suite with ids.
    """
    frame: pl.DataFrame = getattr(tables, schema.name)
    frame = frame.with_row_index("row")
    observed = tables.outcomes.filter(pl.col("quality").is_not_null())
    match schema.name:
        case "prompts":
            counts = observed.group_by("prompt_id").agg(observed_candidates=pl.col("model").n_unique())
            return _counted(frame, counts, "prompt_id", "observed_candidates")
        case "candidates":
            counts = observed.group_by("model").agg(observed_prompts=pl.col("prompt_id").n_unique())
            return _counted(frame, counts, "model", "observed_prompts")
        case "outcomes":
            prices = tables.candidates.select("model", "input_usd_per_mtok", "output_usd_per_mtok").unique("model")
            return (
                frame.join(prices, on="model", how="left", maintain_order="left")
                .with_columns(
                    prompt_is_known=pl.col("prompt_id").is_in(tables.prompts["prompt_id"].to_list()),
                    model_is_known=pl.col("model").is_in(tables.candidates["model"].to_list()),
                    cost_agrees=cost_agrees(cost_tolerance),
                    graded_model=pl.when(pl.col("quality").is_not_null()).then("model"),
                    graded_prompt=pl.when(pl.col("quality").is_not_null()).then("prompt_id"),
                )
                .drop("input_usd_per_mtok", "output_usd_per_mtok")
            )
        case _:
            return frame


def _counted(frame: pl.DataFrame, counts: pl.DataFrame, key: str, name: str) -> pl.DataFrame:
    joined = frame.join(counts, on=key, how="left", maintain_order="left")
    return joined.with_columns(pl.col(name).fill_null(0).cast(pl.Int64))


def _name(rule: Any) -> tuple[str, str]:
    return rule.meta["rule"], getattr(rule, "column", "")
