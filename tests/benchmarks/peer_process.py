"""A peer's own package, run in its own environment on arrays in a file."""

import json
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PEERS = Path(__file__).parent / "peers"
"""A folder for each peer: requirements.txt of its environment, and scripts that run in it."""
BANDIT = "paretobandit"


def interpreters(given: Iterable[str]) -> dict[str, Path]:
    """Peer -> its Python, of what stands on the command line as NAME=PYTHON, or PYTHON alone for ParetoBandit's.

    Raises:
        ValueError: no such peer.
    """
    found = {}
    for one in given:
        name, _, python = one.rpartition("=")
        found[name or BANDIT] = Path(python)
    known = sorted(folder.parent.name for folder in PEERS.glob("*/requirements.txt"))
    if unknown := sorted(set(found) - set(known)):
        raise ValueError(f"no peer {', '.join(unknown)}: there are {', '.join(known)}")
    return found


def peer_choices(python: Path, script: Path, **arrays: NDArray[np.generic]) -> dict[str, list[int]]:
    """What the script makes of the arrays: by name, the column chosen on each test prompt.

    Args:
        python: of the peer's environment.
        script: takes the paths of the arrays' npz file and of the JSON file that it writes.
        arrays: by name, as the script's head says.

    Raises:
        RuntimeError: the script failed; with the end of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "arrays.npz", Path(folder) / "choices.json"
        np.savez(source, allow_pickle=False, **arrays)
        done = subprocess.run(
            [str(python), str(script), str(source), str(target)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"the peer ended with {done.returncode}:\n{done.stderr[-2000:]}")
        found: dict[str, list[int]] = json.loads(target.read_text())
    return found
