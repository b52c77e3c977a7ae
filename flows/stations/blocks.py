"""Which prompts and candidates of the logs methods are compared on."""

from pathlib import Path

from pydantic import BaseModel

_FRONTIER = (
    "gpt-4o-2024-05-13",
    "gpt-4o-2024-08-06",
    "gpt-4o-mini-2024-07-18",
    "gpt-3.5-turbo-0125",
    "claude-3-5-sonnet-20240620",
    "claude-3-opus-20240229",
    "claude-3-haiku-20240307",
    "gemini-1.5-pro-001",
    "gemini-1.5-flash-001",
    "llama-3-70b-instruct",
)


class Block(BaseModel, frozen=True):
    """A complete rectangle of outcomes."""

    name: str
    folder: str = "."
    """Inside the data folder."""
    benchmarks: tuple[str, ...] = ()
    """Empty: all."""
    candidates: tuple[str, ...] = ()
    """Empty: those that leave most prompts x candidates complete."""
    by_date: bool = False
    """One split, the latest fifth being judged, instead of folds."""


STANDARD = (
    Block(name="llmrouter", folder="llmrouter"),
    Block(
        name="frontier-quality",
        folder="frontier",
        benchmarks=("gsm8k", "math-l5", "mmlu-redux", "zebralogic", "bfcl"),
        candidates=_FRONTIER,
    ),
    Block(name="frontier-cost", folder="frontier", benchmarks=("gsm8k", "math-l5", "bfcl"), candidates=_FRONTIER),
    Block(name="mmlu-pro", folder="mmlu_pro"),
    Block(name="livecodebench-by-date", folder="frontier", benchmarks=("livecodebench",), by_date=True),
)
"""The blocks that figures in the README are about; a folder that holds them all is compared on them."""


def blocks_in(data: Path) -> tuple[Block, ...]:
    """The standard blocks where the folder holds their folders, else the folder's own logs as one block.

    Raises:
        FileNotFoundError: no such folder.
    """
    if not data.is_dir():
        raise FileNotFoundError(f"{data} is not a folder")
    standard = all((data / block.folder).is_dir() for block in STANDARD)
    return STANDARD if standard else (Block(name=data.resolve().name),)
