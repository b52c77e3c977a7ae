"""The routers that a challenger is compared with: the one in service and the first of the year."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.embeddings.cache import embed_cached
from components.evaluation.gate import Played
from components.learning.judged import Judged
from components.release.history import SERVES, Entry, read_history
from components.tables.board import Board
from components.tables.store import read_tables
from flows.platform import paths
from flows.platform.references import DataRef
from pointsman.bundle.evidence import prompt_digests
from pointsman.bundle.pointer import read_pointer, resolve
from pointsman.bundle.reading import Bundle, read_bundle
from pointsman.errors import BundleError
from pointsman.model.router_model import RouterModel
from pointsman.policy.policy import Policy, parse
from pointsman.router import Router
from pointsman.text.lengths import lengths

YEAR = timedelta(days=365)
_FAMILIAR = 0.5
"""Share of a router's training prompts below which logs count as others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rival:
    """A published router on the prompts of this run."""

    router_id: str
    played: Played
    simulated: bool
    """It was trained on simulated logs."""
    shared: int
    """Candidates that it and the challenger both know."""
    known_share: float
    """Share of its training prompts that are in these logs."""


def champion(challenger: RouterModel, policy: Policy) -> Bundle | None:
    """The bundle in service; None where there is none, one of an older form, or the challenger itself.

    A rerun must end as the first run did.

    Args:
        challenger: what was trained.
        policy: the operating policy that it declares.
    """
    bundle = _in_service()
    return None if bundle is None or same(bundle, challenger, policy) else bundle


def as_first_judged(report: dict[str, Any], challenger: RouterModel, policy: Policy) -> dict[str, Any]:
    """The report, against what the router in service replaced where it says the same of that very router.

    A rerun must end as the first run did: with the same report, and so with the same router_id.
    """
    bundle = _in_service()
    if bundle is None:
        return report
    known, plain = dict(bundle.report), json.loads(json.dumps(report))
    against = known.pop("judged_against", None)
    plain.pop("judged_against")
    if against is None or known != plain or not same(bundle, challenger, policy):
        return report
    return report | {"judged_against": {name: against.get(name) for name in report["judged_against"]}}


def first_of_year() -> tuple[Bundle | None, int]:
    """The router that was in service first in the last 365 days, and the comparisons with it that were used since."""
    since = (datetime.now(UTC) - YEAR).isoformat()
    entries = [entry for entry in read_history(paths.published()) if entry.time >= since]
    first = next((entry for entry in entries if entry.verdict in SERVES), None)
    if first is None:
        return None, 0
    # a router that waited for approval, or was put back, was compared once
    after = {entry.router_id: entry for entry in entries[entries.index(first) + 1 :]}
    looks = sum(_looked(entry) for entry in after.values())
    try:
        return read_bundle(paths.published() / first.router_id), looks
    except BundleError:
        return None, looks


def same(bundle: Bundle, challenger: RouterModel, policy: Policy) -> bool:
    """Whether a bundle is the challenger itself: the same parts under the same operating policy.

    The gate judges the policy: the same parts under another one choose, and cost, otherwise.
    """
    ours, theirs = bundle.model.to_arrays(), challenger.to_arrays()
    return (
        parse(bundle.manifest.provenance.operating_policy) == policy
        and ours.keys() == theirs.keys()
        and all(np.array_equal(ours[name], value, equal_nan=value.dtype.kind == "f") for name, value in theirs.items())
    )


def play(bundle: Bundle, name: str, board: Board, texts: list[str], judged: Judged) -> Rival:
    """What a published router's operating policy gets on these prompts, judged as the challenger is.

    On prompts that it was trained on its held-out choices stand in; where there are none, and where a near-duplicate
    was trained on, it isn't judged.
    """
    digest_N = prompt_digests(texts)
    seen_N = bundle.evidence.seen(digest_N)
    column_M = np.array([_column(board, one.model) for one in bundle.manifest.provenance.candidates], dtype=np.intp)
    held_N = bundle.evidence.held_choices(digest_N)
    choice_N = np.where(held_N >= 0, column_M[held_N], -1)
    fresh_K = np.flatnonzero(~_by_group(seen_N, board.group_N))
    if fresh_K.size:
        choice_N[fresh_K] = column_M[_choices(bundle, [texts[row] for row in fresh_K])]
    trained = bundle.evidence.digest_K
    return Rival(
        router_id=bundle.manifest.router_id,
        played=judged.played(name, choice_N, board.group_N),
        simulated="simulated" in bundle.manifest.provenance.data_digests,
        shared=int((column_M >= 0).sum()),
        known_share=float(np.isin(trained, digest_N).mean()) if trained.size else 1.0,
    )


def _choices(bundle: Bundle, texts: list[str]) -> NDArray[np.intp]:
    """What its operating policy chooses; a prompt that this run or an earlier one has encoded isn't encoded again."""
    router, encoder = Router.load(bundle.folder), bundle.encoder()
    embedding_ND = embed_cached(encoder, texts, paths.embeddings())
    prediction = router.predict_encoded(encoder.tokenize(texts), embedding_ND, *lengths(texts))
    return router.choose(prediction, router.policy(None)).choice_N


def changed_logs(tables: DataRef) -> list[str]:
    """What a person should know where these logs hardly resemble those of the router in service."""
    frames, bundle = read_tables(tables.path), _in_service()
    if bundle is None:
        return []
    return other_logs(bundle, frames.prompts["prompt"].to_list(), frames.candidates["model"].to_list())


def other_logs(bundle: Bundle, texts: Sequence[str], models: Collection[str]) -> list[str]:
    """A line each where most of a router's training prompts, or some of its candidates, aren't in these logs.

    Told by content: a folder may move, and another may take its place.
    """
    found = []
    trained_K = bundle.evidence.digest_K
    share = float(np.isin(trained_K, prompt_digests(texts)).mean()) if trained_K.size else 1.0
    if share < _FAMILIAR:
        found.append(
            f"of the {trained_K.size:,} prompts that the router in service learnt from {100 * share:.0f} % are in "
            "these logs: is this the right data folder?"
        )
    known = [one.model for one in bundle.manifest.provenance.candidates if not one.retired]
    gone = [name for name in known if name not in models]
    if gone:
        found.append(f"candidates of the router in service that aren't in these logs: {', '.join(gone)}")
    return found


def _in_service() -> Bundle | None:
    if read_pointer(paths.published()) is None:
        return None
    try:
        return read_bundle(resolve(paths.published()))
    except BundleError:
        return None


def _column(board: Board, model: str) -> int:
    return board.models.index(model) if model in board.models else -1


def _by_group(seen_N: NDArray[np.bool_], group_N: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which prompts were trained on, or have a near-duplicate that was."""
    touched = np.unique(group_N[seen_N & (group_N >= 0)])
    return seen_N | np.isin(group_N, touched)


def _looked(entry: Entry) -> int:
    for folder in (paths.published(), paths.bundles()):
        path: Path = folder / entry.router_id
        if path.is_dir():
            try:
                return int(dict(read_bundle(path).report).get("gate", {}).get("anchor_looks", 0))
            except (BundleError, TypeError, ValueError):
                return 0
    return 0
