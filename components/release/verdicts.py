"""What this installation's gate has said of a router, and whether it still holds.

A bundle's report holds a verdict too, but whoever can write a model registry or a folder can bring a bundle along.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pointsman.bundle.manifest import is_router_id
from pointsman.bundle.plain import read_plain
from pointsman.durable import replace_file
from pointsman.errors import InputError

LARGEST = 1024**2
"""Bytes of a record."""


class VerdictError(InputError):
    """A router wasn't judged here, or its verdict no longer holds; nothing was published."""


class VoidVerdict(VerdictError):
    """What a verdict is bound to changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a verdict is bound to: it is void when one of these changes."""

    router_id: str
    verdict: str
    champion: str | None
    """router_id in service when it was judged; None: nothing was."""
    test_digest: str
    """SHA-256 of the prompts that judged it."""
    policy: str
    """The operating policy that was judged."""


def record(folder: Path, judgement: Judgement) -> None:
    """Keeps a judgement as the latest on its router.

    Raises:
        VerdictError: not a router_id.
    """
    path = _path(folder, judgement.router_id)
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.dumps(asdict(judgement), sort_keys=True).encode() + b"\n")


def require(folder: Path, now: Judgement, *, in_service: str | None) -> None:
    """Refuses what this installation's gate didn't judge as it is now.

    Args:
        folder: the judgements.
        now: the router as it would be published: its champion is whatever is in service.
        in_service: router_id in service; a router that is in service already stays so.

    Raises:
        VerdictError: it wasn't judged here.
        VoidVerdict: it was judged otherwise; the message says what changed and what to do.
    """
    path = _path(folder, now.router_id)
    if in_service == now.router_id:
        return
    try:
        known = Judgement(**json.loads(read_plain(path, LARGEST)))
    except FileNotFoundError:
        raise VerdictError(
            f"router {now.router_id[:12]} wasn't judged by this installation: run `pointsman retrain`"
        ) from None
    except (ValueError, TypeError) as error:
        raise VerdictError(f"{path}: {error}") from None
    changed = [
        f"{what} was {_shown(before)} and is {_shown(after)}"
        for what, before, after in (
            ("the router", known.router_id, now.router_id),
            ("the verdict", known.verdict, now.verdict),
            ("the router in service", known.champion, now.champion),
            ("the test", known.test_digest, now.test_digest),
            ("the operating policy", known.policy, now.policy),
        )
        if before != after
    ]
    if changed:
        raise VoidVerdict(
            f"the verdict on router {now.router_id[:12]} is void, for {'; '.join(changed)}: run `pointsman retrain`, "
            "which judges anew"
        )


def was_promoted(folder: Path, router_id: str) -> bool:
    """Whether this installation's gate promoted a router when it judged it last."""
    try:
        return bool(json.loads(read_plain(_path(folder, router_id), LARGEST))["verdict"] == "promoted")
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return False


def _path(folder: Path, router_id: str) -> Path:
    if not is_router_id(router_id):
        raise VerdictError(f"{router_id!r} is no router_id: nothing was published")
    return folder / f"{router_id}.json"


def _shown(value: str | None) -> str:
    if value is None:
        return "none"
    return value[:12] if len(value) == 64 else repr(value)
