"""`pointsman doctor`: what a crash, a full disk or a stray hand left is found, and repaired where a copy is intact."""

from components.release.history import read_history, served
from components.release.mirror import mirror
from components.release.repair import Champions, reconcile
from flows.platform import paths
from flows.platform.settings import settings
from flows.stations.verdicts import sign_promoted
from pointsman.bundle.reading import read_files
from pointsman.errors import BundleError


def examine(registry: Champions) -> list[str]:
    """Repairs what can be repaired; a line for each thing that was done or that needs a person.

    Raises:
        BundleError: the router in service is damaged, and no intact copy of it is at hand.
        ValueError: the history was tampered with.
    """
    root, url = paths.published(), settings().publish_url
    repairs = reconcile(root, registry, copies=[paths.bundles()])
    lines = [f"repaired: {line}" for line in repairs.done]
    if repairs.router_id is not None and sign_promoted(repairs.router_id):
        lines.append(f"signed: router {repairs.router_id[:12]}, with {paths.publish_key()}")
    for router_id in served(read_history(root)):
        try:
            read_files(root / router_id)
        except BundleError as error:
            state = "damaged" if (root / router_id).exists() else "missing"
            lines.append(
                f"{state}: {error}; no intact copy is in {paths.bundles()}, so a rollback to it won't work: copy "
                f"{root / router_id} from a backup"
            )
    if url:
        mirror(root, url, thorough=True)
        lines.append(f"checked: {url} holds what is in service")
    lines.append(f"in service: {repairs.router_id or 'nothing is published yet'}")
    return lines
