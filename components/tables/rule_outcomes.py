"""How the rules of a table fared, as lines of results and as sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.tables.exact_rules import Counted
from components.tables.schema import TableSchema
from components.tables.store import table_file

_SHOWN = 3
"""Rows that a message names."""
LISTED = 20
"""Rows of a broken rule that the results hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOutcome:
    """How one rule fared."""

    schema: TableSchema
    rule: str
    column: str
    severity: str
    passed: bool
    checked: int
    failed: int
    first: list[str]
    """The first rows that break it, as texts."""
    found: object = None
    """What a rule on the table as a whole met."""
    error: str = ""

    def row(self) -> tuple[str, str, str, str, bool, int, int, list[str]]:
        """A line of the results."""
        named = (self.schema.name, self.rule, self.column, self.severity)
        return *named, self.passed, self.checked, self.failed, self.first

    def complaint(self, folder: Path) -> str:
        """File, rule and first offending rows."""
        rule = f"{self.column}: {self.rule}" if self.column else self.rule
        text = f"{table_file(folder, self.schema)}: broken rule: {rule}"
        if self.error:
            return f"{text}; {self.error}"
        if self.found is not None:
            return f"{text}; found {self.found}"
        return f"{text}; broken by {self.failed} rows; first: {', '.join(self.first[:_SHOWN])}"


def outcome_of(schema: TableSchema, one: Any, exact: Mapping[tuple[str, str], Counted]) -> RuleOutcome:
    """What Great Expectations found, or the whole table's count where it read a sample."""
    rule, column = one.expectation_config.meta["rule"], one.expectation_config.kwargs.get("column", "")
    severity = str(one.expectation_config.severity.value)
    named: dict[str, Any] = {"schema": schema, "rule": rule, "column": column, "severity": severity}
    whole = exact.get((rule, column))
    if whole is not None:
        return RuleOutcome(
            **named,
            passed=whole.passed,
            checked=whole.checked,
            failed=whole.failed,
            first=_texts(whole.first),
            found=whole.found,
        )
    return RuleOutcome(
        **named,
        passed=bool(one.success),
        # a rule on the table as a whole is one check
        checked=one.result.get("element_count", 1),
        failed=one.result.get("unexpected_count", int(not one.success)),
        first=_texts(one.result.get("partial_unexpected_index_list") or []),
        found=one.result.get("observed_value"),
        error=str(one.exception_info.get("exception_message") or ""),
    )


def _texts(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return ["{" + ", ".join(f"{k}: {str(v)[:80]}" for k, v in row.items()) + "}" for row in rows[:LISTED]]
