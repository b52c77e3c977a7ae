"""Where one installation keeps its files: the same for every command."""

import os
from pathlib import Path


def home() -> Path:
    """POINTSMAN_HOME, or the folder that the process was started in: it holds data/ and mlruns/."""
    return Path(os.environ.get("POINTSMAN_HOME") or ".").resolve()


def published() -> Path:
    """Folder of the published bundles, of the pointer to the one in service and of the history of verdicts."""
    return home() / "data" / "published"


def spool() -> Path:
    """What of decision logs that are kept at URLs isn't there yet."""
    return home() / "data" / "spool"
