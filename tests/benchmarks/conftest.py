"""Benchmarks time things, so no test run collects them: `make bench` does."""

collect_ignore_glob = ["*.py"]
