"""`pointsman doctor`: what a crash, a full disk or a stray hand left is found, and repaired where a copy is intact."""

from components.release.history import read_history
from components.release.mirror import mirror
from components.release.repair import Champions, reconcile
from flows.platform import paths
from flows.platform.settings import settings
from flows.stations.verdicts import sign_promoted
from pointsman.bundle.reading import is_whole


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
    known = {entry.router_id for entry in read_history(root)}
    for router_id in sorted(known):
        folder = root / router_id
        if folder.exists() and not is_whole(folder):
            lines.append(f"damaged: {folder}; a rollback to it won't work: delete it, or copy it from a backup")
    if url:
        mirror(root, url, thorough=True)
        lines.append(f"checked: {url} holds what is in service")
    lines.append(f"in service: {repairs.router_id or 'nothing is published yet'}")
    return lines
