"""`pointsman onboard` on a tiny published router, with outcomes at hand and with answers bought."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import flows.stations.onboard
from components.release.publish import publish
from components.tables.store import Tables, read_tables, write_tables
from pointsman.cli import main
from pointsman.router import Router
from tests.fixtures.tiny_router import MODELS, WORDS, bundle, parts, prompts

__all__ = ["bundle", "parts", "prompts"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    # MLflow's database takes seconds to make: registering has tests of its own
    monkeypatch.setattr(flows.stations.onboard, "_registered", lambda *_: None)
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
        told = capsys.readouterr()
        return code, told.out, told.err

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


def test_without_a_router_in_service(tmp_path: Path, logs: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path / "empty"))
    code, _, err = run("onboard", "--data", logs, "--model", "new")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
