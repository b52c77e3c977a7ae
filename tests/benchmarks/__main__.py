"""`python -m tests.benchmarks [NAME] [OPTIONS]`: prints the tables and writes them to data/bench/."""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from flows.platform import paths
from tests.benchmarks import discovery
from tests.benchmarks.peer_process import BANDIT, interpreters
from tests.benchmarks.routing import Skipped
from tests.benchmarks.spread import Spread
from tests.benchmarks.table import Table, markdown, write

NAMES = (
    "layer",
    "gate",
    "parity",
    "limits",
    "heads",
    "adapting",
    "routing",
    "serving",
    "served",
    "overhead",
    "crowd",
    "attacks",
    "adversarial",
    "discovery",
    "off_policy",
    "one_answer",
    "peer",
    "own_code",
    "encoders",
    "shift",
    "onboarding",
    "collecting",
    "grades",
    "held_back",
    "samples",
    "distance",
    "scale",
)


def main(arguments: list[str] | None = None) -> int:
    """Runs one benchmark, or all, quickest first."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.sizes and min(asked.sizes) < 100:
        parser.error("--sizes must be at least 100")
    if asked.sizes and asked.large:
        parser.error("--sizes and --large exclude each other")
    try:
        asked.peer = interpreters(asked.peer)
    except ValueError as reason:
        parser.error(str(reason))
    for name in [asked.name] if asked.name else NAMES:
        # a benchmark is imported where it is run: each needs libraries that others don't
        run: Callable[..., Table] = import_module(f"tests.benchmarks.{name}").run
        try:
            table = run(**_options(name, asked))
        except Skipped as reason:
            print(f"{name}: skipped: {reason}\n")
            continue
        write(table, paths.data() / "bench")
        print(markdown(table), flush=True)
    print(f"written to {paths.data() / 'bench'}")
    return 0


def _options(name: str, asked: argparse.Namespace) -> dict[str, Any]:
    """What of the command line is for this benchmark."""
    cache, published = paths.data() / "bench" / "one_answer", paths.published()
    sizes = discovery.SIZES["large" if asked.large else "quick"]
    if asked.sizes:
        sizes = dict.fromkeys(sizes, tuple(sorted(set(asked.sizes))))
    spread = Spread(
        data=asked.logs,
        cache=cache,
        blocks=tuple(asked.blocks),
        seeds=asked.seeds,
        workers=asked.workers,
        vectors=asked.embeddings,
        out=asked.json,
    )
    given: dict[str, dict[str, Any]] = {
        "routing": {"published": published},
        "serving": {"published": published, "soak": asked.soak},
        "served": {"published": published, "beside": asked.beside},
        "overhead": {"published": published},
        "crowd": {"published": published} | ({"soak": asked.soak} if asked.soak else {}),
        "adversarial": {"published": published},
        "attacks": {"published": published},
        "discovery": {"sizes": sizes},
        "off_policy": {"sizes": asked.sizes or (500, 5000), "logs": asked.draws, "workers": asked.workers},
        "parity": {
            "data": asked.logs,
            "cache": cache,
            "blocks": asked.blocks,
            "workers": asked.workers,
            "out": asked.json,
        },
        "adapting": {"workers": asked.workers},
        "samples": {"seeds": asked.seeds, "workers": asked.workers},
        "limits": {"data": asked.logs, "cache": cache, "blocks": asked.blocks},
        "held_back": {
            "data": asked.logs,
            "cache": cache,
            "blocks": asked.blocks,
            "encoder": asked.encoder,
            "divisions": asked.seeds,
        },
        "encoders": {"data": asked.logs, "cache": cache, "seeds": asked.seeds},
        "one_answer": {"spread": spread, "loggings": asked.loggings},
        "shift": {"spread": spread},
        "peer": {"spread": spread, "python": asked.peer.get(BANDIT)},
        "own_code": {"spread": spread, "pythons": asked.peer},
        "onboarding": {"spread": spread, "python": asked.peer.get(BANDIT)},
        "scale": {"complete": asked.complete} | ({"sizes": tuple(sorted(set(asked.sizes)))} if asked.sizes else {}),
        "distance": {"prompts": asked.sizes[0]} if asked.sizes else {},
        "collecting": {"spread": spread},
        "grades": {"data": asked.logs, "cache": cache, "seeds": asked.seeds, "workers": asked.workers},
    }
    return given.get(name, {})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=NAMES, help="one benchmark; all if not given")
    parser.add_argument(
        "--sizes", nargs="+", type=int, metavar="N", help="prompts: discovery, off_policy, distance, scale"
    )
    parser.add_argument(
        "--complete", nargs="+", type=int, default=(), metavar="N", help="scale: sizes of complete logs to compare with"
    )
    parser.add_argument("--large", action="store_true", help="discovery up to 200,000 prompts both ways: half an hour")
    parser.add_argument(
        "--soak", type=float, default=0, metavar="S", help="serving, crowd: S seconds at 64 connections"
    )
    parser.add_argument("--logs", type=Path, default=Path("../shared/data"), help="the standard blocks")
    parser.add_argument("--seeds", type=int, default=2, metavar="N", help="divisions of each block")
    parser.add_argument(
        "--blocks", nargs="+", default=(), metavar="NAME", help="of those on blocks; `simulated` draws some"
    )
    parser.add_argument("--loggings", nargs="+", default=(), metavar="NAME", help="of one_answer")
    parser.add_argument("--draws", type=int, default=500, metavar="N", help="off_policy: logs of each kind")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes of one thread each")
    parser.add_argument("--embeddings", type=Path, metavar="DIR", help="the blocks' vectors, made where missing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="rows as they come")
    parser.add_argument("--encoder", default="auto", help="held_back: as retrain takes it")
    parser.add_argument("--beside", type=Path, metavar="DIR", help="served: another installation's published router")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="[NAME=]PYTHON",
        help="peer, onboarding, own_code: of a peer's own environment, may be repeated; no NAME: paretobandit",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
