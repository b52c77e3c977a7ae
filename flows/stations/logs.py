"""Which logs a run learns from: a folder that somebody named, or the simulated world where nobody did."""

from pathlib import Path

from components.sources.planted.candidates import CANDIDATES
from components.sources.planted.world import PlantedConfig
from components.tables.present import require_tables
from flows.platform import paths
from flows.platform.references import DataRef, reference
from flows.stations.ingest import generate
from pointsman.bundle.manifest import OlderSchema
from pointsman.bundle.pointer import read_pointer, resolve
from pointsman.bundle.reading import read_bundle
from pointsman.errors import InputError


def logs_of(data: Path | None, planted: PlantedConfig, *, force: bool = False) -> DataRef:
    """The logs in a folder; None: the simulated ones, unless that could replace a router of real logs.

    Raises:
        InputError: the folder lacks a table, or a router of real logs is in service and no folder was named.
    """
    if data is None:
        if not force:
            _require_no_other_router()
        return generate(planted)
    require_tables(data)
    return reference(data)


def describe_logs(data: Path | None) -> str:
    """One line for people."""
    return "simulated logs (nothing in them is about real models)" if data is None else f"logs in {data.resolve()}"


def _require_no_other_router() -> None:
    root = paths.published()
    if read_pointer(root) is None:
        return
    try:
        in_service = read_bundle(resolve(root)).manifest.provenance.candidates
    except OlderSchema:
        return
    real = {candidate.model for candidate in in_service} - {candidate.model for candidate in CANDIDATES}
    if real:
        raise InputError(
            f"{root}: the router in service chooses among {', '.join(sorted(real)[:3])}"
            f"{' and others' if len(real) > 3 else ''}, and simulated logs never replace it: name your logs with "
            "--data DIR, or try the simulated ones in another installation with --home DIR (--force replaces it)"
        )
