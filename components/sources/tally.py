"""The account that closes an import: what was read, used and set aside, and why."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from components.sources.assembly import twins
from components.sources.call import Unusable
from components.sources.prices import PRICES
from components.tables.listing import listed
from components.tables.quarantine import scale_of
from components.tables.store import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of rows by what became of them."""

    files: int
    read: int
    """Rows, usable or not."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why rows were set aside."""
    remarks: Counter[str] = field(default_factory=Counter)
    """What was passed over in rows that are used."""
    first: tuple[Unusable, ...] = ()
    """The first rows that were set aside."""
    outside: tuple[float, ...] = ()
    """Grades that lie outside their scale."""
    span: tuple[float, float] | None = None
    """The lowest and the highest grade as the log writes them; None: all lie in their scale."""
    notes: tuple[str, ...] = ()
    prompts: int = 0
    candidates: int = 0
    models: tuple[str, ...] = ()
    """The candidates' names: a column or folder that is no model shows here."""
    outcomes: int = 0
    graded: int = 0
    """Outcomes with a quality."""
    compared: int = 0
    """Prompts with graded outcomes of two candidates or more."""
    grades: int = 0

    def text(self) -> str:
        """Lines for a person."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        aside = self.reasons.total()
        yield f"read {self.read} rows of {self.files} file{'s' if self.files != 1 else ''}, used {self.read - aside}"
        if aside:
            yield f"set aside {aside}:"
            yield from (f"  {count:>7}  {reason}" for reason, count in self.reasons.most_common())
            yield from (f"  e.g. {one.file}, row {one.row}: {one.detail}" for one in self.first[:3])
        if self.span is not None:
            low, high = scale_of(*self.span)
            instance = f", for instance --scale {low:g}:{high:g}" if low < high else " with --scale WORST:BEST"
            yield (
                f"grades lie between {self.span[0]:g} and {self.span[1]:g}: if that is another scale, say so{instance}"
            )
        if self.remarks:
            yield "used, but:"
            yield from (f"  {count:>7}  {remark}" for remark, count in self.remarks.most_common())
        if self.outcomes:
            yield (
                f"tables: {self.prompts} prompts, {self.candidates} candidates, {self.outcomes} outcomes "
                f"({self.graded} graded; {self.compared} prompts compare two candidates or more)"
                + (f", {self.grades} grades" if self.grades else "")
            )
            yield f"candidates: {listed(self.models)}"
            if self.graded < self.outcomes and not self.grades:
                which = f"{self.outcomes - self.graded} answers are not" if self.graded else "no answer is"
                yield f"{which} graded yet: pointsman grade"
        yield from (f"note: {note}" for note in self.notes)


def notes_on(tables: Tables) -> list[str]:
    """What a person should know of the tables that an import made."""
    notes = []
    unpriced = tables.candidates.filter(pl.col(PRICES[0]).is_null())["model"].to_list()
    if unpriced:
        notes.append(f"no prices known of {listed(unpriced)}: give them with --prices FILE, or route on quality alone")
    repeated = int((tables.outcomes["samples"].fill_null(1) > 1).sum())
    if repeated:
        notes.append(f"{repeated} outcomes are means over several answers to one prompt (column samples)")
    if tables.candidates.height == 1:
        notes.append(
            f"only {tables.candidates['model'][0]} has answers: there is nothing to route yet. Let the gateway explore "
            "(pointsman serve --explore 0.1) or collect answers of others (pointsman collect)"
        )
    for model, other, shared in twins(tables.candidates, tables.outcomes):
        notes.append(
            f"{model} and {other} have the same prices and {shared} prompts in common: "
            f"if they are one model, --rename {other}={model}"
        )
    return notes
