"""Benchmarks time things, so no test run collects them: `make bench` does. What they compute with has tests."""

from pathlib import Path


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Whether a file isn't collected; None: as usual."""
    return True if collection_path.suffix == ".py" and not collection_path.name.startswith("test_") else None
