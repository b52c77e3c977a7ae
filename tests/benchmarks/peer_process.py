"""A peer's own package, run in its own environment on arrays in a file."""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


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
