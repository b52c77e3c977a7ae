"""Between the gate and publication: which bundle a name stands for, and whether its verdict still holds."""

from pathlib import Path
from typing import Any

from components.release.signing import sign_bundle
from components.release.verdicts import Judgement, VerdictError, record, require, was_promoted
from components.tables.store import file_digest
from flows.platform import paths
from pointsman.bundle.manifest import is_router_id
from pointsman.bundle.pointer import read_pointer
from pointsman.bundle.reading import read_bundle


def waiting_bundle(router_id: str) -> Path:
    """The folder of a bundle that a retrain made here.

    Raises:
        VerdictError: the name is no router_id, such as a path out of the folder.
    """
    if not is_router_id(router_id):
        raise VerdictError(f"the registry's challenger has the router_id {router_id!r}, which names no router")
    return paths.bundles() / router_id


def record_verdict(router_id: str, report: dict[str, Any]) -> None:
    """Notes what the gate said of a bundle that was just made, and what its word is bound to."""
    record(_folder(), _judgement(router_id, report, _champion(report)))


def require_verdict(bundle: Path) -> None:
    """Refuses a bundle from elsewhere, or one whose verdict is void.

    Raises:
        VerdictError: it isn't under data/bundles, or wasn't judged here.
        VoidVerdict: what the verdict is bound to changed.
    """
    router_id = bundle.name
    # a link out of the folder isn't in it
    if bundle.resolve() != waiting_bundle(router_id).parent.resolve() / router_id:
        raise VerdictError(f"{bundle} isn't in {paths.bundles()}: only what was trained here is published")
    in_service = read_pointer(paths.published())
    judged = _judgement(router_id, dict(read_bundle(bundle).report), in_service)
    require(_folder(), judged, in_service=in_service)


def sign_promoted(router_id: str) -> bool:
    """Signs a published router that is older than the key, if this installation's gate promoted it; whether it did."""
    return was_promoted(_folder(), router_id) and sign_bundle(paths.published() / router_id, paths.publish_key())


def _folder() -> Path:
    return paths.verdicts()


def _champion(report: dict[str, Any]) -> str | None:
    against: dict[str, Any] | None = report.get("judged_against")
    return read_pointer(paths.published()) if against is None else against["in_service"]


def _judgement(router_id: str, report: dict[str, Any], champion: str | None) -> Judgement:
    frozen = paths.frozen() / "frozen_test.parquet"
    return Judgement(
        router_id=router_id,
        verdict=report["gate"]["verdict"],
        champion=champion,
        test_digest=file_digest(frozen) if frozen.exists() else "",
        policy=str(report.get("operating", {}).get("policy", "best")),
    )
