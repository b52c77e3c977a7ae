"""`python -m tests.benchmarks [NAME] [--sizes N ...] [--large]`: prints the tables and writes them to data/bench/."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from flows.platform.settings import settings
from tests.benchmarks import (
    adversarial,
    discovery,
    encoders,
    gate,
    heads,
    layer,
    off_policy,
    one_answer,
    overhead,
    routing,
    serving,
)
from tests.benchmarks.table import Table, markdown, write

NAMES = (
    "layer",
    "gate",
    "heads",
    "routing",
    "serving",
    "overhead",
    "adversarial",
    "discovery",
    "off_policy",
    "one_answer",
    "encoders",
)


def main(arguments: list[str] | None = None) -> int:
    """Runs one benchmark, or all, quickest first."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=NAMES, help="one benchmark; all if not given")
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N", help="prompts, for both ways of discovery")
    parser.add_argument("--large", action="store_true", help="discovery up to 200,000 prompts both ways: half an hour")
    parser.add_argument("--soak", type=float, default=0, metavar="S", help="serving: S more seconds at 64 connections")
    parser.add_argument("--logs", type=Path, default=Path("../shared/data"), help="the standard blocks")
    parser.add_argument("--seeds", type=int, default=2, metavar="N", help="of one_answer and encoders: divisions")
    asked = parser.parse_args(arguments)
    if asked.sizes and min(asked.sizes) < 100:
        parser.error("--sizes must be at least 100")
    if asked.sizes and asked.large:
        parser.error("--sizes and --large exclude each other")
    sizes = discovery.SIZES["large" if asked.large else "quick"]
    if asked.sizes:
        sizes = dict.fromkeys(sizes, tuple(sorted(set(asked.sizes))))
    here = settings()
    benchmarks: dict[str, Callable[[], Table]] = {
        "layer": layer.run,
        "gate": gate.run,
        "heads": heads.run,
        "routing": lambda: routing.run(here.published),
        "serving": lambda: serving.run(here.published, soak=asked.soak),
        "overhead": lambda: overhead.run(here.published),
        "adversarial": lambda: adversarial.run(here.published),
        "discovery": lambda: discovery.run(sizes),
        "off_policy": off_policy.run,
        "encoders": lambda: encoders.run(asked.logs, here.data / "bench" / "one_answer", seeds=asked.seeds),
        "one_answer": lambda: one_answer.run(asked.logs, here.data / "bench" / "one_answer", seeds=asked.seeds),
    }
    for name in [asked.name] if asked.name else NAMES:
        try:
            table = benchmarks[name]()
        except routing.Skipped as reason:
            print(f"{name}: skipped: {reason}\n")
            continue
        write(table, here.data / "bench")
        print(markdown(table), flush=True)
    print(f"written to {here.data / 'bench'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
