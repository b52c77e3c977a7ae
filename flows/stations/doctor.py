"""`pointsman doctor`: what a crash, a full disk or a stray hand left is found, and repaired where a copy is intact."""

from collections.abc import Callable

from components.release.history import read_history, served
from components.release.lock import hold
from components.release.mirror import mirror
from components.release.repair import Champions, carry_forward, reconcile
from components.tracking.reach import cause_of
from flows.platform import paths
from flows.platform.settings import settings
from flows.stations.verdicts import sign_promoted
from pointsman.bundle.reading import read_files
from pointsman.errors import BundleError


def examine(registry: Callable[[], Champions]) -> list[str]:
    """Repairs what can be repaired; a line for each thing that was done or that needs a person.

    Args:
        registry: opens MLflow's versions; files, history and pointer come first, for MLflow may be down.

    Raises:
        BundleError: the router in service is damaged, and no intact copy of it is at hand.
        ValueError: the history was tampered with.
    """
    root, url = paths.published(), settings().publish_url
    repairs = reconcile(root, copies=[paths.bundles()])
    done, unreachable = list(repairs.done), []
    try:
        champions = registry()
        with hold(root):
            done += carry_forward(root, champions).done
    except Exception as error:
        # each store of MLflow has errors of its own
        unreachable.append(f"unreachable: MLflow, whose champion may be another: {cause_of(error)}")
    lines = [f"repaired: {line}" for line in done] + unreachable
    if repairs.router_id is not None and sign_promoted(repairs.router_id):
        lines.append(f"signed: router {repairs.router_id[:12]}, with {paths.publish_key()}")
    for router_id in served(read_history(root)):
        try:
            read_files(root / router_id)
        except BundleError as error:
            if (root / router_id).exists():
                state = f"damaged: {error}; no intact copy is in {paths.bundles()}"
            else:
                state = f"missing: {error}, nor is there one in {paths.bundles()}; unless it was deleted on purpose"
            lines.append(f"{state}: a rollback to it won't work before {root / router_id} is copied from a backup")
    if url:
        try:
            mirror(root, url, thorough=True)
            lines.append(f"checked: {url} holds what is in service")
        except BundleError as error:
            # what was repaired here is said all the same
            lines.append(f"unreachable: {error}")
    lines.append(f"in service: {repairs.router_id or 'nothing is published yet'}")
    return lines
