"""What a retrain keeps for later drift runs: beside the bundle, outside its digest, once a router."""

from pathlib import Path

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from components.drift.conversations import conversation_numbers
from components.drift.recent import DriftInputError
from components.drift.reference import Reference, make_reference
from components.tables.store import read_tables
from flows.platform import paths
from flows.platform.arrays import load_arrays, load_named
from flows.platform.references import DataRef
from flows.stations.board import read_board
from pointsman.durable import write_whole
from pointsman.model.router_model import RouterModel


@task(name="register: drift reference", cache_policy=NO_CACHE)
def keep_drift_reference(*, tables: DataRef, laid_out: DataRef, combined: DataRef, router_id: str, seed: int) -> Path:
    """The reference of a router; one that was kept before stays as it is."""
    path = reference_path(router_id)
    if not path.exists():
        board = read_board(laid_out)
        model = RouterModel.from_arrays(load_named(combined.file("router.npz")))
        conversation_N = conversation_numbers(read_tables(tables.path).prompts["conversation_id"])
        kept = make_reference(model, board.features_NF, board.embedding_ND, board.split_N, seed, conversation_N)
        write_whole(path, lambda aside: write_reference(kept, aside))
    return path


def reference_path(router_id: str) -> Path:
    """Where a router's reference is."""
    return paths.drift() / router_id / "reference.npz"


def write_reference(kept: Reference, path: Path) -> None:
    """Writes the arrays; the name is taken as it is, for numpy appends .npz to others."""
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, embedding_KD=kept.embedding_KD, task_K=kept.task_K, far_K=kept.far_K)


def load_reference(router_id: str) -> Reference:
    """The reference that the router's retrain kept.

    Raises:
        DriftInputError: there is none.
    """
    path = reference_path(router_id)
    if not path.is_file():
        raise DriftInputError(
            f"{path}: nothing to compare with; it is kept when a router is trained here: run `pointsman retrain` again"
        )
    return load_arrays(Reference, path)
