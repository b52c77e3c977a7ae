"""A server's decision log, taken into the tables before a run learns from them."""

from pathlib import Path

from components.sources.fetched import local_log
from components.sources.importing import ImportConfig, import_logs


def take_in(decisions: Path | str, data: Path) -> list[str]:
    """Adds what was decided and heard since the last time to the tables in `data`; lines for people.

    What was taken in before counts once, so the log may stay where it is.

    Raises:
        TableError: the log can't be read, or hardly a decision in it can be used; the tables are as before.
    """
    with local_log(decisions) as folder:
        if not any(folder.glob("decisions-*.parquet")):
            return [f"decisions: none in {decisions} yet"]
        tally = import_logs(ImportConfig(source="decisions", paths=(folder,), data=data, append=True))
    return [f"decisions: {line}" for line in tally.text().splitlines()]
