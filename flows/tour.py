"""`pointsman demo`: all of it on simulated logs and a simulated gateway, without any key; each command is printed."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from components.sources.planted.world import PlantedConfig, World, generate
from components.sources.planted_gateway import GatewayConfig, PlantedGateway, serving
from components.tables.store import Tables, write_tables
from flows.platform import paths
from flows.platform.settings import environment_of

CANDIDATES = ("aster-large-2", "borealis-pro", "cobalt-coder-32b", "lingo-9b")
NEWCOMER = "delve-reasoner"
JUDGE = "planted-judge"
_PORT_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TourConfig:
    """Size of the demonstration."""

    prompts: int = 800
    """>= 20."""
    budget_usd: float = 50.0
    """Simulated USD for answers, and again for grades, > 0."""
    seed: int = 0


Run = Callable[[list[str]], int]


def take_tour(home: Path, config: TourConfig, run: Run | None = None) -> int:
    """Logs without grades; answers bought; graded; a router trained, served and asked; a newcomer taken in.

    Args:
        home: an installation of its own.
        config: how large.
        run: runs one command of pointsman; None: in a process of its own.

    Returns:
        0, or the first exit code that isn't; 1 where the gate refused.
    """
    run = run or (lambda arguments: _command(arguments, home))
    world = generate(PlantedConfig(prompts=config.prompts, seed=config.seed))
    logs = home / "logs"
    write_ungraded(world, logs)
    print(f"simulated logs: {config.prompts} prompts, one ungraded answer each, all by {CANDIDATES[0]}; in {logs}\n")
    gateway = PlantedGateway(world, GatewayConfig(judges=(JUDGE,), bias={"lingo-9b": 0.06}))
    with serving(gateway) as url:
        asked = ["--data", str(logs), "--url", url, "--budget", f"{config.budget_usd:g}"]
        names = ",".join(CANDIDATES)
        for arguments in (
            ["collect", *asked, "--candidates", names, "--prompts", str(config.prompts)],
            ["grade", *asked, "--by", "judge", "--model", JUDGE],
            ["retrain", "--data", str(logs)],
        ):
            if code := _run_checked(arguments, run):
                return code
        print("\nthe router is served, asked, and told how an answer was")
        ask_server(home, world)
        code = _run_checked(["onboard", *asked, "--model", NEWCOMER, "--judge", JUDGE], run)
    print(
        f"\nsimulated USD spent: {gateway.spent_usd:.2f}; everything is in {home}: delete it when you have seen enough"
    )
    return code


def write_ungraded(world: World, folder: Path) -> None:
    """What a gateway has: prompts, one answer each by its usual model, no grade."""
    pool = world.tables.candidates.filter(pl.col("model").is_in([*CANDIDATES, NEWCOMER]))
    one = world.tables.outcomes.filter(pl.col("model") == CANDIDATES[0])
    one = one.with_columns(pl.lit(None, pl.Float64).alias("quality"), pl.lit(None, pl.String).alias("graded_by"))
    gateway = PlantedGateway(world)
    prompts = dict(world.tables.prompts.select("prompt_id", "prompt").iter_rows())
    texts = [gateway.answer(CANDIDATES[0], prompts[prompt_id]) for prompt_id in one["prompt_id"]]
    responses = one.select("prompt_id", "model", pl.Series("response", texts))
    write_tables(Tables(prompts=world.tables.prompts, candidates=pool, outcomes=one, responses=responses), folder)


def ask_server(home: Path, world: World) -> None:
    """Starts the server, routes three prompts and reports one outcome.

    Raises:
        ValueError: it didn't start.
    """
    with _server(home) as url:
        prompts = world.tables.prompts["prompt"].to_list()[:3]
        answered = _post(f"{url}/v1/route", {"prompts": prompts})
        for prompt, decision in zip(prompts, answered["decisions"], strict=True):
            print(f"  {prompt[:60]!r} -> {decision['candidate']}")
        decision_id = answered["decisions"][0].get("decision_id")
        if decision_id:
            _post(f"{url}/v1/outcomes", {"decision_id": decision_id, "thumb": "up"})
            print(f"  thumb up for decision {decision_id}")


@contextmanager
def _server(home: Path) -> Iterator[str]:
    port = 18765
    arguments = ["serve", "--router", str(home / "data" / "published"), "--port", str(port)]
    arguments += ["--decisions", str(home / "decisions")]
    command = [sys.executable, "-m", "pointsman", *arguments]
    with subprocess.Popen(command, env=environment_of(home), stdout=subprocess.DEVNULL) as process:  # noqa: S603
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + _PORT_WAIT_S
        try:
            while not _healthy(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise ValueError("the server did not start; `pointsman serve` says why")
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as response:  # noqa: S310  # loopback
            return bool(response.status == 200)
    except OSError:
        return False


def _post(url: str, document: dict[str, object]) -> dict[str, list[dict[str, str]]]:
    body = json.dumps(document).encode()
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  # loopback
            found: dict[str, list[dict[str, str]]] = json.loads(response.read() or b"{}")
            return found
    except urllib.error.HTTPError as error:
        raise ValueError(f"{url}: HTTP {error.code}: {error.read(200).decode('utf-8', 'replace')}") from None


def _run_checked(arguments: list[str], run: Run) -> int:
    print(f"\n$ pointsman {' '.join(arguments)}", flush=True)
    return run(arguments)


def _command(arguments: list[str], home: Path) -> int:
    environment = environment_of(home) | {"POINTSMAN_LLM_KEY": ""}
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pointsman", *arguments], env=environment, cwd=os.getcwd(), check=False
    ).returncode


def run_tour(prompts: int, seed: int) -> int:
    """The demonstration in its own installation."""
    home = paths.demo() / "tour"
    home.mkdir(parents=True, exist_ok=True)
    return take_tour(home, TourConfig(prompts=prompts, seed=seed))
