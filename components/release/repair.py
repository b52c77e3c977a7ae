"""What a crash left of the published routers, made whole: files, history, pointer and alias agree again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from components.release.history import append, new_entry, read_history, served, serving
from components.release.lock import hold
from pointsman.bundle.manifest import is_router_id
from pointsman.bundle.pointer import read_pointer, write_pointer
from pointsman.bundle.reading import copy_files, is_whole, read_files
from pointsman.durable import mend_folder, sweep
from pointsman.errors import BundleError


class Champions(Protocol):
    """What promotion needs of a registry of versions."""

    def find(self, router_id: str) -> str | None:
        """The version that holds this router; None: not registered."""

    def make_champion(self, version: str) -> None:
        """Makes a version the champion, and only it."""

    def no_champion(self) -> None:
        """Leaves no champion."""

    def champion_router(self) -> str | None:
        """router_id of the champion; None: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """What `reconcile` found and did, in words; empty where all agreed."""

    router_id: str | None
    """The router in service."""
    done: tuple[str, ...] = ()


def reconcile(
    root: Path, registry: Champions | None = None, timeout: float = 60.0, copies: Sequence[Path] = ()
) -> Repairs:
    """Repairs whatever a crash left: unfinished folders, a pointer or an alias behind the history, damaged files.

    Args:
        root: the published root.
        registry: where the version in service becomes champion.
        timeout: seconds to wait for another promotion.
        copies: folders of bundles by router_id, where an intact copy of a damaged or missing router may be.

    Raises:
        BundleError: the router that should serve isn't whole, and no copy of it is.
        Busy: another promotion holds the lock.
    """
    with hold(root, timeout):
        sweep(root)
        mended = [word for one in _known(root) if (word := mend(root, one, copies)) is not None]
        found = carry_forward(root, registry)
        return Repairs(router_id=found.router_id, done=(*mended, *found.done))


def _known(root: Path) -> list[str]:
    """Every router that serves or once did, oldest first: a rollback may lead to any of them."""
    entries, named = read_history(root), pointer_or_damage(root)
    found = [named] if not served(entries) and named is not None else served(entries)
    return [one for one in found if is_router_id(one)]


def mend(root: Path, router_id: str, copies: Sequence[Path]) -> str | None:
    """Replaces a damaged or missing router by an intact copy; what was done, in words. Whoever calls it holds the lock.

    Args:
        root: the published root.
        router_id: of a router that should be there.
        copies: folders of bundles by router_id.

    Returns:
        None where it is whole, or no copy of it is.
    """
    if is_whole(root / router_id):
        return None
    for shelf in copies:
        copy = shelf / router_id
        if is_whole(copy):
            _, files = copy_files(copy)
            mend_folder(root / router_id, files)
            return f"the damaged router {router_id[:12]} was replaced by the intact copy in {shelf}"
    return None


def carry_forward(root: Path, registry: Champions | None) -> Repairs:
    """Makes pointer and alias say what the history says; whoever calls it holds the lock.

    Raises:
        BundleError: the router that should serve isn't whole.
    """
    done = []
    last, named = serving(read_history(root)), pointer_or_damage(root)
    router_id = named if last is None else last.router_id
    if not is_router_id(router_id):
        return Repairs(router_id=None)
    assert router_id is not None  # noqa: S101  # for mypy: a router_id is text
    read_files(root / router_id)
    if last is None:
        append(root, new_entry(router_id, "promoted", ["found in service without a record"], None))
        done.append("history lacked the router in service")
    if named != router_id:
        write_pointer(root, router_id)
        done.append(f"pointer moved to {router_id}")
    if registry is not None and registry.champion_router() != router_id:
        version = registry.find(router_id)
        if version is None:
            registry.no_champion()
            done.append("the router in service isn't registered: no version is champion")
        else:
            registry.make_champion(version)
            done.append(f"version {version} is champion")
    return Repairs(router_id=router_id, done=tuple(done))


def pointer_or_damage(root: Path) -> str | None:
    """The pointer; '' where it is damaged, which the history can repair."""
    try:
        return read_pointer(root)
    except BundleError:
        return ""
