"""What a run thought of its tables: the rules with their offending rows, and the rows that were set aside."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.reports.next_steps import after_quarantine, after_validation
from components.reports.shell import render

VALIDATION, QUARANTINE = "validation.html", "quarantine.html"
LISTED = 200
"""Rows of one reason that the page lists; the table has them all."""


def data_pages(report: Mapping[str, Any]) -> dict[str, str]:
    """The two pages by file name, of a report with `rules` and `set_aside`; a part that it lacks is left out."""
    pages = {}
    if (rules := report.get("rules")) is not None:
        pages[VALIDATION] = validation_page(rules, report.get("notices", []))
    if (aside := report.get("set_aside")) is not None:
        pages[QUARANTINE] = quarantine_page(aside)
    return pages


def validation_page(rules: Iterable[Mapping[str, Any]], notices: Sequence[str] = ()) -> str:
    """Every rule with its counts, the broken ones first with the first rows that break them.

    Args:
        rules: table, rule, column, severity, passed, checked, failed, and `first`: one text for each row shown.
        notices: what was mended or is worth knowing.
    """
    rules = list(rules)
    broken = sorted((one for one in rules if not one["passed"]), key=lambda one: one["severity"] != "critical")
    critical = [one for one in broken if one["severity"] == "critical"]
    kept = [(one["table"], one["column"] or "", one["rule"], f"{one['checked']:,}") for one in rules if one["passed"]]
    return render(
        "validation.html",
        verdict="broken" if critical else "kept",
        counts=[
            (str(len(kept)), "rules are kept"),
            (str(len(broken) - len(critical)), "warnings: they don't stop a run"),
            (str(len(critical)), "broken rules that stop a run"),
        ],
        broken=broken,
        kept=kept,
        notices=notices,
        steps=after_validation(bool(critical), len(broken) > len(critical)),
    )


def quarantine_page(aside: Iterable[Mapping[str, Any]]) -> str:
    """Rows that were set aside, reason by reason.

    Args:
        aside: table, row (from 0, as read), key and reason of each.
    """
    aside = list(aside)
    counts = Counter((one["table"], one["reason"]) for one in aside)
    groups = [
        {
            "table": table,
            "reason": reason,
            "count": count,
            "rows": [(one["row"], one["key"]) for one in aside if (one["table"], one["reason"]) == (table, reason)][
                :LISTED
            ],
        }
        for (table, reason), count in counts.most_common()
    ]
    tables = Counter(one["table"] for one in aside)
    return render(
        "quarantine.html",
        counts=[(f"{count:,}", f"rows of {table}") for table, count in sorted(tables.items())] or [("0", "rows")],
        groups=groups,
        steps=after_quarantine(len(aside)),
    )
