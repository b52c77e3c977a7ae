"""RouterBench's csv: `sample_id`, `prompt`, `eval_name`, and MODEL, `MODEL|total_cost`, `MODEL|model_response`."""

import ast
from collections.abc import Sequence
from pathlib import Path

from components.sources.call import Read, ReadOptions
from components.sources.wide_csv import read_sheet


def read_routerbench(paths: Sequence[Path], options: ReadOptions) -> Read:
    """As wide csv; a prompt is the text of a Python list there, and is read as its parts."""
    for path in paths:
        yield from read_sheet(path, None, options, unlisted)


def unlisted(cell: str) -> str:
    """The parts of a prompt that is written as a Python list.

    >>> unlisted("['What is 2 + 2?']"), unlisted("Plain?")
    ('What is 2 + 2?', 'Plain?')
    """
    if not cell.lstrip().startswith("["):
        return cell
    try:
        parts = ast.literal_eval(cell.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return cell
    return "\n".join(map(str, parts)) if isinstance(parts, list) else cell
