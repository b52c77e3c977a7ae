"""A router's page after its verdict was carried out: what became of the router stands in the history alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.release.history import SERVES, last_word, read_history
from components.reports.page import PAGE, write_page
from flows.platform import paths
from pointsman.bundle.reading import read_report


def with_ending(report: Mapping[str, Any], router_id: str) -> dict[str, Any]:
    """The report with how its router's verdict ended last, by this installation's history; as it is where none has.

    Raises:
        ValueError: the history was tampered with.
    """
    last = last_word(read_history(paths.published()), router_id)
    if last is None:
        return dict(report)
    verdict = "promoted" if last.verdict in SERVES else last.verdict
    return {**report, "ending": {"verdict": verdict, "reasons": list(last.reasons)}}


def write_again(bundle: Path) -> Path | None:
    """Writes the page of a bundle again, with how its verdict ended; its folder, or None where it has no page.

    A page that is gone, such as one that quoted what was to be forgotten, stays gone.

    Raises:
        BundleError: the bundle isn't whole.
        ValueError: the history was tampered with.
    """
    folder = paths.reports() / bundle.name
    if not (folder / PAGE).is_file():
        return None
    return write_page(with_ending(read_report(bundle), bundle.name), folder).parent
