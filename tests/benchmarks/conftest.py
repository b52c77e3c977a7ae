"""Benchmarks time things, so no test run collects them: `make bench` does. Their own tests are run like all others."""

from pathlib import Path


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path.suffix == ".py" and not collection_path.name.startswith("test_") else None
