"""A router's first load, in a process of its own with limits: `python -m pointsman.trial FOLDER BYTES SECONDS`."""

import resource
import sys
from pathlib import Path


def main(folder: str, largest: int, seconds: int) -> int:
    """Loads a bundle's router, golden decisions included; 1 and one line where it can't be."""
    resource.setrlimit(resource.RLIMIT_AS, (largest, largest))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from pointsman.errors import BundleError  # noqa: PLC0415
    from pointsman.router import Router  # noqa: PLC0415

    try:
        Router.load(Path(folder), threads=1)
    except (BundleError, MemoryError) as error:
        print(str(error).replace(folder, "the bundle") or "out of memory", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
