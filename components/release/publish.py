"""Which router is in service, changed so that a crash at any step can be repaired.

The order is: the bundle's folder, the history's entry, the pointer, the registry's alias. The history is thus a
write-ahead log: its last promotion or rollback names a complete bundle, to which `repair` carries pointer and alias
forward.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from components.release.history import SERVES, Outcome, append, new_entry, read_history, served, serving
from components.release.lock import hold
from components.release.repair import Champions, carry_forward, mend, pointer_or_damage
from pointsman.bundle.manifest import is_router_id
from pointsman.bundle.reading import copy_files, is_whole, read_files
from pointsman.bundle.signature import SIGNATURE, read_signature
from pointsman.durable import mend_folder, place_folder, replace_file, sweep
from pointsman.errors import BundleError

_LOG = logging.getLogger(__name__)


def publish(
    bundle: Path,
    root: Path,
    *,
    reasons: Sequence[str] = (),
    who: str | None = None,
    registry: Champions | None = None,
    timeout: float = 60.0,
    permit: Callable[[], object] | None = None,
) -> str:
    """Makes a bundle serve in a published root and returns its router_id; the one in service again changes nothing.

    Args:
        bundle: a bundle's folder.
        root: the published root.
        reasons: why it was promoted, for the history.
        who: who promoted it; None: the process's user.
        registry: where its version becomes champion, if it is registered there.
        timeout: seconds to wait for another promotion.
        permit: called before anything changes, while no other promotion or rollback can happen; what it raises, such
            as that the router in service isn't the one that was compared with, ends this one. None: nothing to ask.

    Raises:
        BundleError: the bundle isn't whole.
        Busy: another promotion holds the lock.
    """
    manifest, files = copy_files(bundle)
    router_id = manifest.router_id
    with hold(root, timeout):
        if permit is not None:
            permit()
        sweep(root)
        target = root / router_id
        if not target.exists():
            place_folder(target, files)
        elif not is_whole(target):
            # the copy in service is damaged, this one isn't
            mend_folder(target, files)
        elif SIGNATURE in files and read_signature(target) != files[SIGNATURE]:
            replace_file(target / SIGNATURE, files[SIGNATURE])
        last = serving(read_history(root))
        if last is None or last.router_id != router_id:
            append(root, new_entry(router_id, "promoted", reasons, who))
        carry_forward(root, registry)
    _LOG.info("router %s is in service in %s", router_id, root)
    return router_id


def refuse(
    root: Path,
    router_id: str,
    reasons: Sequence[str],
    who: str | None = None,
    timeout: float = 60.0,
    verdict: Outcome = "refused",
) -> None:
    """Records that a challenger isn't published; the router in service stays. The same word again changes nothing.

    Raises:
        Busy: a promotion holds the lock.
    """
    with hold(root, timeout):
        entry = new_entry(router_id, verdict, reasons, who)
        last = next(iter(read_history(root)[-1:]), None)
        if last is None or (last.router_id, last.verdict, last.reasons) != (router_id, verdict, entry.reasons):
            append(root, entry)
    _LOG.info("router %s: %s: %s", router_id, verdict, "; ".join(reasons))


def rollback(
    root: Path,
    to: str | None = None,
    *,
    reasons: Sequence[str] = (),
    who: str | None = None,
    registry: Champions | None = None,
    timeout: float = 60.0,
    copies: Sequence[Path] = (),
) -> str:
    """Makes an earlier router serve again and returns its router_id.

    Without `to` it goes back from the router that the pointer names, which is the one that gateways have. A rollback
    that broke off before the pointer moved is finished, not followed by a second one.

    Args:
        root: the published root.
        to: a router_id or a beginning that no other has; None: the one that was in service before this one.
        reasons: why, for the history.
        who: who did it; None: the process's user.
        registry: where its version becomes champion.
        timeout: seconds to wait for another promotion.
        copies: folders of bundles by router_id, from which a damaged or missing router is replaced before it serves.

    Raises:
        BundleError: there is no such router, or neither its bundle nor a copy of it is whole.
        Busy: another promotion holds the lock.
    """
    with hold(root, timeout):
        target = _find(root, to) if to is not None else _before(root)
        if mended := mend(root, target, copies):
            _LOG.info("%s", mended)
        try:
            read_files(root / target)
        except BundleError as error:
            raise BundleError(
                f"router {target[:12]} can't serve again: {error}; copy {root / target} from a backup, or go back to "
                "another router that `pointsman history` shows: pointsman rollback --to ID"
            ) from None
        last = serving(read_history(root))
        if last is None or last.router_id != target:
            append(root, new_entry(target, "rolled_back", reasons, who))
        carry_forward(root, registry)
    _LOG.info("router %s is in service again in %s", target, root)
    return target


def _before(root: Path) -> str:
    """The router that was in service before the present one, skipping routers already left by a rollback."""
    entries, named = read_history(root), pointer_or_damage(root)
    last = serving(entries)
    if last is not None and last.verdict == "rolled_back" and named != last.router_id:
        # it broke off between the history and the pointer
        return last.router_id
    stack: list[str] = []
    for entry in entries:
        if entry.verdict not in SERVES:
            continue
        if entry.verdict == "rolled_back" and entry.router_id in stack:
            # its latest time: it may have been promoted again after another
            del stack[max(place for place, one in enumerate(stack) if one == entry.router_id) :]
        stack.append(entry.router_id)
    if named in stack:
        # what stands beyond it broke off before it was in service
        while stack[-1] != named:
            stack.pop()
    if len(stack) < 2:
        raise BundleError(f"{root}: no router was in service before the present one")
    return stack[-2]


def _find(root: Path, beginning: str) -> str:
    # a router whose folder is gone may come back from a copy
    there = {entry.name for entry in root.iterdir()} | set(served(read_history(root)))
    named = [name for name in there if is_router_id(name) and name.startswith(beginning)]
    if not beginning or len(named) != 1:
        raise BundleError(f"{root}: {len(named)} routers begin with {beginning!r}, need exactly one")
    return named[0]
