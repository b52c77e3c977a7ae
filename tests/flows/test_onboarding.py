"""`pointsman onboard` on a tiny published router, with outcomes at hand and with answers bought."""

import json
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

import flows.probing
import flows.stations.changed
import flows.stations.promote
from components.release.publish import publish
from components.sources.planted.world import PlantedConfig, generate
from components.sources.planted_gateway import GatewayConfig, PlantedGateway, serving
from components.tables.store import Tables, read_tables, write_tables
from flows.buying import _prepare_onboarding
from flows.platform.tracking import registry
from flows.stations.verdicts import record_verdict
from pointsman.bundle.pointer import read_pointer
from pointsman.cli import main
from pointsman.router import Router
from tests.fixtures.tiny_router import MODELS, WORDS, bundle, parts, prompts

__all__ = ["bundle", "parts", "prompts"]
Run = Callable[..., tuple[int, str, str]]


class Store(SimpleNamespace):
    """What MLflow is told; its database takes seconds to make, and a slow test has it."""

    experiment_id = "0"

    def log(self, run_id: str, *, metrics: Mapping[str, float] | None = None, **_: Any) -> None:
        self.metrics |= metrics or {}

    def register(self, run_id: str, bundle_folder: Path, *_: Any) -> str:
        self.versions.append(bundle_folder.name)
        return str(len(self.versions))

    def find(self, router_id: str) -> str | None:
        return str(self.versions.index(router_id) + 1) if router_id in self.versions else None

    def make_champion(self, version: str | None) -> None:
        self.champion = version

    def champion_router(self) -> None:
        return None

    def no_champion(self) -> None:
        self.make_champion(None)

    def rename(self, run_id: str, name: str) -> None:
        self.name = name

    def tag(self, *_: Any) -> None:
        pass

    def describe(self, *_: Any) -> None:
        pass

    def log_folder(self, *_: Any) -> None:
        pass


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store(metrics={}, versions=[], champion=None, parameters={})

    @contextmanager
    def tracked(parameters: Mapping[str, Any]) -> Iterator[str]:
        made.parameters = dict(parameters)
        yield "run"

    for module in (flows.stations.changed, flows.stations.promote):
        monkeypatch.setattr(module, "registry", lambda: made)
    monkeypatch.setattr(flows.stations.changed, "tracked", tracked)
    return made


@pytest.fixture
def home(tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch, store: Store) -> Path:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    publish(bundle, tmp_path / "data" / "published", reasons=["first"])
    return tmp_path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A newcomer that answers nearly everything right, beside two candidates that don't."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS[3:], 5)) for _ in range(120)]
    names = [f"p{row}" for row in range(120)]
    cells = [(p, m) for p in names for m in (*MODELS, "new")]
    quality = [float(rng.random() < (0.97 if m == "new" else 0.5)) for _, m in cells]
    write_tables(
        Tables(
            prompts=pl.DataFrame({"prompt_id": names, "prompt": texts}),
            candidates=pl.DataFrame(
                {
                    "model": [*MODELS, "new"],
                    "input_usd_per_mtok": [1.0, 5.0, 2.0],
                    "output_usd_per_mtok": [2.0, 10.0, 4.0],
                }
            ),
            outcomes=pl.DataFrame(
                {
                    "prompt_id": [p for p, _ in cells],
                    "model": [m for _, m in cells],
                    "quality": quality,
                    "output_tokens": [50] * len(cells),
                }
            ),
        ),
        tmp_path / "logs",
    )
    return tmp_path / "logs"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        begun, *rest = said.err.splitlines(keepends=True)
        assert begun.startswith("onboard: ")
        return code, said.out, "".join(rest)

    return run


def test_a_good_newcomer_is_published_and_can_be_retired_again(home: Path, logs: Path, run: Run) -> None:
    published = home / "data" / "published"
    texts = read_tables(logs).prompts["prompt"].to_list()
    before = Router.load(published).route(texts)
    code, out, err = run("onboard", "--data", logs, "--model", "new")
    assert code == 0, out + err
    assert "verdict: promoted" in out
    router = Router.load(published)
    assert router.candidates == (*MODELS, "new")
    after = router.route(texts)
    assert np.mean([name == "new" for name in after.candidate]) > 0.8
    kept = [(a, b) for a, b in zip(after.candidate, before.candidate, strict=True) if a != "new"]
    assert all(a == b for a, b in kept)
    assert np.isfinite(after.cost_usd_NM[:, 2]).all()
    code, _, err = run("onboard", "--data", logs, "--model", "new")
    assert code == 2
    assert "is a candidate of the router in service already" in err
    assert run("onboard", "--model", "new", "--retire")[0] == 0
    assert Router.load(published).candidates == MODELS
    assert (Router.load(published).route(texts).quality_NM == before.quality_NM).all()


def test_few_conversations_are_not_enough_evidence(home: Path, logs: Path, run: Run) -> None:
    tables = read_tables(logs)
    talk = pl.Series([f"talk {row % 6}" for row in range(120)])
    write_tables(replace(tables, prompts=tables.prompts.with_columns(conversation_id=talk)), logs)
    before = read_pointer(home / "data" / "published")
    code, out, err = run("onboard", "--data", logs, "--model", "new")
    assert code == 1, out + err
    assert "verdict: not enough evidence" in out
    assert "The 120 probes are of " in out
    assert "Grade answers in more conversations" in out
    assert read_pointer(home / "data" / "published") == before


def test_a_change_has_its_verdict_and_its_run_and_carries_no_text_of_users(
    home: Path, logs: Path, run: Run, store: Store
) -> None:
    before = read_pointer(home / "data" / "published")
    code, out, err = run("onboard", "--data", logs, "--model", "new", "--seed", 3)
    assert code == 0, out + err
    router_id = read_pointer(home / "data" / "published")
    remembered = json.loads((home / "data" / "verdicts" / f"{router_id}.json").read_text())
    assert remembered | {"verdict": "promoted", "champion": before} == remembered
    assert store.name == f"onboard-{str(router_id)[:8]}"
    assert (store.versions, store.champion) == ([router_id], "1")
    assert store.parameters["seed"] == 3
    assert {"gain", "gain_low", "gain_high", "share", "probes", "quality"} <= set(store.metrics)
    texts = read_tables(logs).prompts["prompt"].to_list()
    whole = b"".join(path.read_bytes() for path in (home / "data" / "published" / str(router_id)).iterdir())
    assert not [text for text in texts if text.encode() in whole]
    assert "new was added to the router" in next(Path(home).rglob("report.html")).read_text()


def test_what_is_missing_is_bought_and_graded_first(
    home: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = generate(PlantedConfig(prompts=60, seed=5))
    pool = world.tables.candidates.filter(pl.col("model") == "delve-reasoner")
    there = world.tables.outcomes.filter(pl.col("model") == "delve-reasoner").head(10)
    write_tables(Tables(prompts=world.tables.prompts, candidates=pool, outcomes=there), tmp_path / "bought")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-this-test")
    gateway = PlantedGateway(world, GatewayConfig(key="sk-secret-of-this-test"))
    with serving(gateway) as url:
        asked = ["--data", tmp_path / "bought", "--model", "delve-reasoner", "--url", url]
        code, _, err = run("onboard", *asked, "--budget", 1e-6, "--probes", 50, "--judge", "planted-judge")
        assert code == 2
        assert "the next call, to delve-reasoner, can cost" in err
        code, out, err = run("onboard", *asked, "--budget", 5, "--probes", 50, "--judge", "planted-judge")
    assert "40 answers of delve-reasoner for" in out, err
    assert "40 grades by planted-judge for" in out
    assert "on 50 probes" in out
    assert code in (0, 1)
    assert max(gateway.calls.values()) == 1
    assert not err
    kept = [path for path in [*home.rglob("*"), *(tmp_path / "bought").rglob("*")] if path.is_file()]
    assert not [path for path in kept if b"sk-secret-of-this-test" in path.read_bytes()]


@pytest.mark.slow
def test_mlflow_has_the_run_and_the_version_and_neither_key_nor_text(
    bundle: Path, logs: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    monkeypatch.setenv("POINTSMAN_LLM_KEY", "sk-secret-of-this-test")
    publish(bundle, tmp_path / "data" / "published", reasons=["first"])
    for command in (["--data", logs, "--model", "new"], ["--model", "new", "--retire"]):
        code, out, err = run("onboard", *command)
        assert code == 0, out + err
    mlflow = registry()
    champion = mlflow.champion()
    assert champion is not None
    assert champion.router_id == read_pointer(tmp_path / "data" / "published")
    assert champion.tags["verdict"] == "promoted"
    assert not mlflow.unfinished()
    secrets = [b"sk-secret-of-this-test", *(text.encode() for text in read_tables(logs).prompts["prompt"])]
    for path in [*(tmp_path / "mlruns").rglob("*"), *(tmp_path / "data").rglob("*")]:
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret in content], path


def test_a_change_whose_verdict_is_void_is_not_published(
    home: Path, logs: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else promotes another router while the newcomer is judged."""
    before = read_pointer(home / "data" / "published")
    judged = record_verdict

    def overtaken(router_id: str, report: dict[str, Any]) -> None:
        judged(router_id, report | {"judged_against": {"in_service": "f" * 64}})

    monkeypatch.setattr(flows.stations.changed, "record_verdict", overtaken)
    code, out, _ = run("onboard", "--data", logs, "--model", "new")
    assert code == 1
    assert "verdict: refused" in out
    assert "is void, for the router in service was ffffffffffff" in out
    assert read_pointer(home / "data" / "published") == before


def test_a_newcomer_that_is_not_worth_it_changes_no_decision(home: Path, logs: Path, run: Run) -> None:
    tables = read_tables(logs)
    worse = pl.when(pl.col("model") == "new").then(0.0).otherwise("quality").alias("quality")
    write_tables(replace(tables, outcomes=tables.outcomes.with_columns(worse)), logs)
    before = Router.load(home / "data" / "published").route(tables.prompts["prompt"].to_list())
    code, out, _ = run("onboard", "--data", logs, "--model", "new")
    assert code == 0
    assert "chosen on 0.0%" in out
    after = Router.load(home / "data" / "published").route(tables.prompts["prompt"].to_list())
    assert after.candidate == before.candidate


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["--model", "unheard-of"], "0 graded outcomes of unheard-of (0 answered), an onboarding needs 20"),
        (["--model", "unheard-of", "--url", "http://127.0.0.1:9/v1", "--budget", "1"], "no candidate 'unheard-of'"),
        (["--model", "small"], "is a candidate of the router in service already"),
        (["--model", "unheard-of", "--retire"], "is no candidate of the router in service"),
    ],
)
def test_bad_input_is_one_line(home: Path, logs: Path, run: Run, arguments: list[str], wrong: str) -> None:
    code, _, err = run("onboard", "--data", logs, *arguments)
    assert code == 2
    assert wrong in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "budget", "asked"),
    [(None, 1.0, True), ("", 1.0, False), (None, None, False)],
    ids=["cli", "form", "unpaid"],
)
def test_the_address_of_the_environment_is_asked_where_there_is_a_budget(
    home: Path, logs: Path, monkeypatch: pytest.MonkeyPatch, url: str | None, budget: float | None, asked: bool
) -> None:
    found: list[Namespace] = []
    monkeypatch.setenv("POINTSMAN_LLM_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setattr(flows.probing, "probe", found.append)
    _prepare_onboarding(Namespace(url=url, budget=budget, judge=None, data=logs, model="new", probes=20))
    assert bool(found) is asked


@pytest.mark.parametrize(("model", "router"), [("small", "data"), ("new", "elsewhere")])
def test_nothing_is_bought_where_no_newcomer_can_join(
    home: Path, logs: Path, run: Run, monkeypatch: pytest.MonkeyPatch, model: str, router: str
) -> None:
    (home / "data").rename(home / router)
    gateway = PlantedGateway(generate(PlantedConfig(prompts=20, seed=5)))
    with serving(gateway) as url:
        code, _, err = run("onboard", "--data", logs, "--model", model, "--url", url, "--budget", 1)
    assert code == 2
    assert "is a candidate of the router in service already" in err or "nothing published yet" in err
    assert len(err.strip().splitlines()) == 1
    assert not gateway.tried


def test_without_a_router_in_service(tmp_path: Path, logs: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path / "empty"))
    code, _, err = run("onboard", "--data", logs, "--model", "new")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
