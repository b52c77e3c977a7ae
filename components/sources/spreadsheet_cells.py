"""Figures as people write them into spreadsheets: decimal commas, parted thousands, dollar signs."""

import re
from collections.abc import Iterable

from components.sources.call import ReadOptions, RowError
from components.sources.fields import UNKNOWN, count_of, number_of, quality_of

_DECIMAL_COMMA = re.compile(r"^\s*-?\d+,\d+\s*%?\s*$")
_COMMA_IS_DECIMAL = re.compile(r"^-?(0|\d{4,}|\d{1,3}(?!,\d{3}$)|\d{1,3}(\.\d{3})+),\d+\s*%?$")
"""No thousands are parted so: `0,125`, `0,5`, `1.234,5`; not `1,234`."""
_POINT_IS_DECIMAL = re.compile(r"^-?(0|\d{4,}|\d{1,3}(?!\.\d{3}$)|\d{1,3}(,\d{3})+)\.\d+\s*%?$")
_DOLLARS = re.compile(r"US\$|\$|\bUSD\b", re.IGNORECASE)
_BLANKS = " \u00a0\u202f'"


def point(cell: str) -> str:
    """A grade's cell with a decimal point.

    >>> point("0,5"), point("85,5 %"), point("true")
    ('0.5', '85.5 %', 'true')
    """
    return cell.replace(",", ".") if _DECIMAL_COMMA.match(cell) else cell


def is_grade(cell: str) -> bool:
    """Whether a cell can be read as a grade, be it on another scale."""
    try:
        quality_of(point(cell), ReadOptions())
    except RowError as error:
        return error.outside is not None
    return True


def decimal_commas(cells: Iterable[str], delimiter: str) -> bool:
    """Whether a file's figures have decimal commas; where no cell tells, those parted by commas have none."""
    points = False
    for cell in cells:
        bare = _DOLLARS.sub("", cell).strip()
        if _COMMA_IS_DECIMAL.match(bare):
            return True
        points = points or bool(_POINT_IS_DECIMAL.match(bare))
    return delimiter == ";" and not points


def figure(name: str, cell: str, commas: bool) -> float | None:
    """A cell as a number >= 0; None: it is empty.

    Args:
        name: what the number is, for the error.
        cell: as it stands in the file.
        commas: the file's decimal mark is the comma.

    Raises:
        RowError: it is no such number.

    >>> figure("cost_usd", "$1,500.5", commas=False), figure("cost_usd", "1.500,5", commas=True)
    (1500.5, 1500.5)
    """
    if cell.strip().lower() in UNKNOWN:
        return None
    number = number_of({name: _plain(cell, commas)}, name)
    if number is not None and number < 0:
        raise RowError(f"{name} is below 0", number)
    return number


def whole_figure(name: str, cell: str, commas: bool) -> int | None:
    """As `figure`, of a number that has no decimals: a comma before three digits parts thousands in every file."""
    if cell.strip().lower() in UNKNOWN:
        return None
    return count_of({name: _plain(cell, commas, parts=",." if commas else ",")}, name)


def _plain(cell: str, commas: bool, parts: str = "") -> str:
    """A figure without what parts its thousands, with a decimal point."""
    text = _DOLLARS.sub("", cell).strip()
    mark, parts = ("," if commas else "."), (parts or ("." if commas else ",")) + _BLANKS
    if re.fullmatch(rf"-?[1-9]\d{{0,2}}([{parts}]\d{{3}})+(\{mark}\d+)?", text):
        text = re.sub(rf"(?<=\d)[{parts}](?=\d{{3}})", "", text)
    return text.replace(",", ".") if commas else point(text)
