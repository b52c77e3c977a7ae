"""`pointsman demo`: all of it on simulated logs and a simulated gateway, without any key; each command is printed."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from components.sources.planted.world import PlantedConfig, World, generate
from components.sources.planted_gateway import GatewayConfig, PlantedGateway, serving
from components.tables.store import Tables, write_tables
from flows.platform import paths
from flows.platform.settings import environment_of

CANDIDATES = ("aster-large-2", "borealis-pro", "cobalt-coder-32b", "lingo-9b")
NEWCOMER = "delve-reasoner"
PRICE_CUT = 10
"""What the newcomer's simulated prices are divided by: at the world's own no router would choose it."""
JUDGE = "planted-judge"
_SHOWN = 3
_GOOD = 0.5
"""Quality from which a user gives a thumb up."""
_START_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TourConfig:
    """Size of the demonstration."""

    prompts: int = 800
    """In the logs, >= 20."""
    requests: int = 40
    """New prompts that the server is asked, >= 1."""
    budget_usd: float = 50.0
    """Simulated USD for answers, and again for grades, > 0."""
    seed: int = 0


Run = Callable[[list[str]], int]


def take_tour(home: Path, config: TourConfig, run: Run | None = None) -> int:
    """Logs without grades; answers bought; graded; a router trained, served and told; a newcomer taken in.

    Args:
        home: an installation of its own.
        config: how large.
        run: runs one command of pointsman; None: in a process of its own.

    Returns:
        0, or the first exit code that isn't; 1 where the gate refused.
    """
    run = run or (lambda arguments: _command(arguments, home))
    world = _with_cheap_newcomer(generate(PlantedConfig(prompts=config.prompts + config.requests, seed=config.seed)))
    logs, decisions = home / "logs", home / "decisions"
    new = write_ungraded(world, logs, config.prompts)
    print(
        f"Simulated logs: {config.prompts} prompts, each answered by {CANDIDATES[0]}, no answer graded; in {logs}.\n"
        "A simulated gateway answers and grades: no key is needed, and the USD are simulated too.",
        flush=True,
    )
    gateway = PlantedGateway(world, GatewayConfig(judges=(JUDGE,), bias={"lingo-9b": 0.06}, reports_cost=True))
    with serving(gateway) as url:
        endpoint = ["--data", str(logs), "--url", url, "--budget", f"{config.budget_usd:g}"]
        names = ",".join(CANDIDATES)

        def feedback() -> int:
            ask_server(home, decisions, new, world)
            return 0

        for what, step in (
            (
                "the other candidates' answers are bought",
                ["collect", *endpoint, "--candidates", names, "--prompts", str(config.prompts)],
            ),
            ("a judge grades all answers", ["grade", *endpoint, "--by", "judge", "--model", JUDGE]),
            ("a router is trained, judged and published", ["retrain", "--preset", "smoke", "--data", str(logs)]),
            ("it is served", feedback),
            ("feedback becomes logs", ["import", "decisions", str(decisions), "--data", str(logs), "--append"]),
            (
                "a new model joins the router",
                ["onboard", *endpoint, "--model", NEWCOMER, "--judge", JUDGE, "--probes", "400"],
            ),
            ("what was in service when", ["history"]),
        ):
            print(f"\n== {what}", flush=True)
            if code := step() if callable(step) else _run_checked(step, run):
                print(f"\nThe demonstration ends here: the last command ended with {code}.", flush=True)
                return code
    print(
        f"\nSimulated USD spent: {gateway.spent_usd:.2f}. The reports are named above; dashboards: "
        f"pointsman ui --home {home}\nEverything is in {home}: delete it when you have seen it."
    )
    return 0


def _with_cheap_newcomer(world: World) -> World:
    prices = ("input_usd_per_mtok", "output_usd_per_mtok")
    cut = pl.when(pl.col("model") == NEWCOMER).then(PRICE_CUT).otherwise(1)
    candidates = world.tables.candidates.with_columns(pl.col(price) / cut for price in prices)
    return replace(world, tables=replace(world.tables, candidates=candidates))


def write_ungraded(world: World, folder: Path, prompts: int) -> list[str]:
    """What a gateway has: prompts, one answer each by its usual model, no grade; the world's other prompts."""
    pool = world.tables.candidates.filter(pl.col("model").is_in([*CANDIDATES, NEWCOMER]))
    logged, new = world.tables.prompts.head(prompts), world.tables.prompts.slice(prompts)["prompt"].to_list()
    one = world.tables.outcomes.filter(pl.col("model") == CANDIDATES[0]).join(logged, on="prompt_id", how="semi")
    one = one.with_columns(pl.lit(None, pl.Float64).alias("quality"), pl.lit(None, pl.String).alias("graded_by"))
    gateway = PlantedGateway(world)
    texts = dict(logged.select("prompt_id", "prompt").iter_rows())
    answers = [gateway.answer(CANDIDATES[0], texts[prompt_id]) for prompt_id in one["prompt_id"]]
    responses = one.select("prompt_id", "model", pl.Series("response", answers))
    write_tables(Tables(prompts=logged, candidates=pool, outcomes=one, responses=responses), folder)
    return new


def ask_server(home: Path, decisions: Path, prompts: list[str], world: World) -> None:
    """Starts the server, has it route prompts, and tells it of each answer by a thumb, as its users would.

    Raises:
        ValueError: it didn't start.
    """
    cells = world.tables.outcomes.join(world.tables.prompts.select("prompt_id", "prompt"), on="prompt_id")
    quality = {
        (prompt, model): grade for prompt, model, grade in cells.select("prompt", "model", "quality").iter_rows()
    }
    with _server(home, decisions) as url:
        answered = _post(f"{url}/v1/route", {"prompts": prompts})["decisions"]
        thumbs = [
            "up" if quality.get((prompt, one["candidate"]), 0.0) >= _GOOD else "down"
            for prompt, one in zip(prompts, answered, strict=True)
        ]
        for one, thumb in zip(answered, thumbs, strict=True):
            _post(f"{url}/v1/outcomes", {"decision_id": one["decision_id"], "thumb": thumb})
    for prompt, one, thumb in list(zip(prompts, answered, thumbs, strict=True))[:_SHOWN]:
        print(f"  {prompt[:60]!r} -> {one['candidate']} ({one['reason']}), thumb {thumb}")
    print(
        f"  {len(prompts)} new prompts were routed; {thumbs.count('up')} thumbs up, {thumbs.count('down')} down",
        flush=True,
    )


@contextmanager
def _server(home: Path, decisions: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["serve", "--router", str(home / "data" / "published"), "--port", str(port)]
    arguments += ["--decisions", str(decisions)]
    print(f"$ pointsman {' '.join(arguments)}", flush=True)
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "pointsman", *arguments], env=environment_of(home), stdout=subprocess.DEVNULL
    ) as process:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + _START_S
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
        return httpx.get(f"{url}/healthz", timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _post(url: str, document: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(url, json=document, timeout=30)
    if not answer.is_success:
        raise ValueError(f"{url}: HTTP {answer.status_code}: {answer.text[:200]}")
    found: dict[str, Any] = json.loads(answer.content or b"{}")
    return found


def _run_checked(arguments: list[str], run: Run) -> int:
    print(f"$ pointsman {' '.join(arguments)}", flush=True)
    return run(arguments)


def _command(arguments: list[str], home: Path) -> int:
    # the gateway asks for no key, and whoever has one in the environment doesn't want it sent
    environment = environment_of(home) | {"POINTSMAN_LLM_KEY": "", "OPENAI_API_KEY": ""}
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pointsman", *arguments], env=environment, check=False
    ).returncode


def run_tour(prompts: int, seed: int) -> int:
    """The demonstration in an installation of its own, which begins anew each time.

    Raises:
        ValueError: fewer than 20 prompts.
    """
    if prompts < 20:
        raise ValueError(f"--prompts must be >= 20, got {prompts}")
    home = paths.demo() / "tour"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return take_tour(home, TourConfig(prompts=prompts, seed=seed))
