"""The commands as a person runs them, against the planted gateway."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from components.asking.client import Client
from components.sources.planted.world import PlantedConfig, World, generate
from components.sources.planted_gateway import GatewayConfig, PlantedGateway, serving
from components.tables.store import Tables, read_tables, write_tables
from pointsman.cli import main

SECRET = "sk-secret-of-this-test"


@pytest.fixture(scope="module")
def world() -> World:
    return generate(PlantedConfig(prompts=80, seed=5))


@pytest.fixture
def gateway(world: World) -> Iterator[tuple[PlantedGateway, str]]:
    made = PlantedGateway(world, GatewayConfig(key=SECRET))
    with serving(made) as url:
        yield made, url


@pytest.fixture
def logs(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Prompts and candidates, one ungraded answer a prompt."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("POINTSMAN_LLM_PATIENCE_S", "0.2")
    # how long is waited between tries is the client's own test's
    monkeypatch.setattr(Client, "pause", lambda *_: None)
    one = world.tables.outcomes.filter(pl.col("model") == "aster-large-2").head(40)
    one = one.with_columns(pl.lit(None, pl.Float64).alias("quality"), pl.lit(None, pl.String).alias("graded_by"))
    write_tables(
        Tables(prompts=world.tables.prompts, candidates=world.tables.candidates, outcomes=one), tmp_path / "logs"
    )
    return tmp_path / "logs"


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_collect_then_grade_then_forget(logs: Path, gateway: tuple[PlantedGateway, str], run: Run) -> None:
    made, url = gateway
    asked = ["--data", logs, "--url", url, "--budget", 1, "--candidates", "fennel-3b,borealis-pro", "--prompts", 15]
    code, out, _ = run("collect", *asked, "--dry-run")
    assert code == 0
    assert "15 prompts, 30 answers" in out
    assert not made.tried
    code, out, err = run("collect", *asked)
    assert (code, sum(made.calls.values())) == (0, 30)
    assert "30 answers added" in out
    tables = read_tables(logs)
    bought = tables.outcomes.filter(pl.col("model").is_in(["fennel-3b", "borealis-pro"]))
    assert bought["propensity"].to_list() == pytest.approx([15 / 80] * 30)
    assert bought["quality"].null_count() == 30
    code, out, err = run(
        "grade", "--data", logs, "--by", "judge", "--url", url, "--model", "planted-judge", "--budget", 1
    )
    assert code == 0, err
    assert "30 grades by judge; 30 of 70 outcomes have a quality" in out
    assert "uncorrected" in out
    code, out, err = run("grade", "--data", logs, "--forget")
    assert code == 0
    assert read_tables(logs).responses is None
    # the key is in no file and no line
    assert SECRET not in out + err
    for path in logs.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes()


def test_what_is_there_is_not_bought_again(logs: Path, gateway: tuple[PlantedGateway, str], run: Run) -> None:
    made, url = gateway
    asked = ["collect", "--data", logs, "--url", url, "--budget", 5, "--candidates", "fennel-3b"]
    assert run(*asked)[0] == 0
    assert sum(made.calls.values()) == 80
    code, _, err = run(*asked)
    assert code == 2
    assert "there is nothing to buy" in err


def test_a_budget_that_ends_early_keeps_what_it_bought(
    logs: Path, gateway: tuple[PlantedGateway, str], run: Run
) -> None:
    made, url = gateway
    code, out, _ = run("collect", "--data", logs, "--url", url, "--budget", 0.05, "--prompts", 80)
    assert code == 0
    assert "stopped there: the budget of 0.05 USD" in out
    assert made.spent_usd <= 0.05
    added = read_tables(logs).outcomes.height - 40
    assert added == sum(made.calls.values()) > 0


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (["collect", "--budget", 1, "--candidates", "nobody"], "no candidate 'nobody' in the table"),
        (["collect", "--budget", 1e-7], "the next call"),
        (["collect", "--budget", -1], "positive number of USD"),
        (["collect"], "--budget is missing"),
        (["grade"], "--by is missing"),
        (["grade", "--by", "judge"], "needs --url, --model and --budget"),
        (["grade", "--by", "judge", "--model", "planted-judge", "--budget", 1], "there is no table 'responses'"),
        (["grade", "--by", "reference"], "there is no table 'responses'"),
    ],
)
def test_bad_input_is_one_line(
    logs: Path, gateway: tuple[PlantedGateway, str], run: Run, command: list[object], wrong: str
) -> None:
    code, _, err = run(command[0], "--data", logs, "--url", gateway[1], *command[1:])
    assert code == 2
    assert wrong in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("config", "wrong"),
    [({"status": 401}, "HTTP 401"), ({"status": 429}, "rate limited (429)"), ({"malformed": 1.0}, "were of no use")],
)
def test_an_endpoint_that_fails_is_one_line_and_loses_nothing(
    world: World, logs: Path, run: Run, config: dict[str, float], wrong: str
) -> None:
    before = read_tables(logs)
    with serving(PlantedGateway(world, GatewayConfig(**config))) as url:  # type: ignore[arg-type]
        code, _, err = run("collect", "--data", logs, "--url", url, "--budget", 1, "--prompts", 2)
    assert code == 2
    assert wrong in err
    assert len(err.strip().splitlines()) == 1
    assert read_tables(logs).outcomes.equals(before.outcomes)
    assert run("collect", "--data", logs, "--url", "http://127.0.0.1:9/v1", "--budget", 1, "--prompts", 2)[0] == 2


def graded(run: Run, logs: Path, url: str, *, model: str = "planted-judge", budget: float = 1.0) -> tuple[int, str]:
    """The exit code of a judge's work, and what it said of its end."""
    code, _, err = run("grade", "--data", logs, "--by", "judge", "--url", url, "--model", model, "--budget", budget)
    assert len(err.strip().splitlines()) <= 1
    return code, err


@pytest.fixture
def answered(logs: Path, world: World) -> Path:
    """The logs with the texts of their answers."""
    tables, made = read_tables(logs), PlantedGateway(world)
    texts = dict(tables.prompts.select("prompt_id", "prompt").iter_rows())
    cells = tables.outcomes.select("prompt_id", "model")
    answers = [made.answer(model, texts[prompt_id]) for prompt_id, model in cells.iter_rows()]
    write_tables(replace(tables, responses=cells.with_columns(pl.Series("response", answers))), logs)
    return logs


@pytest.mark.parametrize(
    ("config", "asked", "wrong"),
    [
        ({"status": 401}, {}, "HTTP 401"),
        ({"status": 429}, {}, "rate limited (429)"),
        ({"malformed": 1.0}, {}, "were of no use: not a chat completion"),
        ({"constant": 1.0}, {}, "the judge gave 1 to all 40 answers: that tells nothing apart"),
        ({}, {"model": "ghost"}, "doesn't know the model 'ghost'"),
        ({}, {"budget": 1e-7}, "the next call, to planted-judge, can cost"),
    ],
)
def test_a_judge_that_is_no_use_is_one_line_and_loses_nothing(
    world: World, answered: Path, run: Run, config: dict[str, float], asked: dict[str, Any], wrong: str
) -> None:
    before = read_tables(answered)
    with serving(PlantedGateway(world, GatewayConfig(**config))) as url:  # type: ignore[arg-type]
        code, err = graded(run, answered, url, **asked)
    assert code == 2
    assert wrong in err
    assert read_tables(answered).outcomes.equals(before.outcomes)
    # the same command, once what was wrong is mended
    if "constant" not in config:
        with serving(PlantedGateway(world)) as url:
            assert graded(run, answered, url) == (0, "")
        assert read_tables(answered).outcomes["quality"].null_count() == 0


@pytest.mark.parametrize(
    ("config", "budget", "wrong"),
    [
        ({"status": 401}, 1.0, "HTTP 401"),
        ({"constant": 1.0}, 1.0, "that tells nothing apart"),
        ({}, 0.08, "answers have no grade by judge yet"),
        ({}, 1e-7, "the next call, to planted-judge, can cost"),
    ],
)
def test_texts_that_are_not_graded_yet_are_not_forgotten(
    world: World, answered: Path, run: Run, config: dict[str, Any], budget: float, wrong: str
) -> None:
    asked = ["--data", answered, "--by", "judge", "--model", "planted-judge", "--budget"]
    with serving(PlantedGateway(world, GatewayConfig(**config))) as url:
        code, _, err = run("grade", *asked, budget, "--url", url, "--forget")
    assert code == 2
    assert wrong in err
    assert "the texts of answers were kept" in err
    assert read_tables(answered).responses is not None
    if "constant" in config:
        return
    with serving(PlantedGateway(world)) as url:
        assert run("grade", *asked, 5, "--url", url, "--forget")[0] == 0
    assert read_tables(answered).responses is None
    assert read_tables(answered).outcomes["quality"].null_count() == 0


def test_answers_of_a_purchase_that_is_not_over_are_not_forgotten(world: World, logs: Path, run: Run) -> None:
    made = PlantedGateway(world)
    whole = made.complete
    made.complete = lambda body: whole(body) if sum(made.calls.values()) < 20 else (402, "{}")  # type: ignore[method-assign]
    with serving(made) as url:
        asked = ["collect", "--data", logs, "--url", url, "--candidates", "fennel-3b", "--prompts", 60, "--budget"]
        assert run(*asked, 2)[0] == 2
        code, _, err = run("grade", "--data", logs, "--forget")
        assert code == 2
        assert "a purchase was cut off, so the texts of answers were kept" in err
        assert read_tables(logs).responses is not None
        # what the message names
        paid = sum(made.calls.values())
        made.complete = whole  # type: ignore[method-assign]
        assert run(*asked, 1e-6)[0] == 0
        assert run("grade", "--data", logs, "--forget")[0] == 0
    assert sum(made.calls.values()) == paid
    assert read_tables(logs).responses is None


def cutting(gateway: PlantedGateway, needs: int) -> PlantedGateway:
    """Has answers that are allowed fewer tokens than they need end early."""
    whole = gateway.complete

    def complete(body: dict[str, Any]) -> tuple[int, str]:
        status, answer = whole(body)
        made = json.loads(answer)
        if body["max_tokens"] < needs:
            made["choices"][0] |= {"message": {"content": "After long thought I"}, "finish_reason": "length"}
        return status, json.dumps(made)

    gateway.complete = complete  # type: ignore[method-assign, assignment]
    return gateway


def test_answers_that_are_cut_are_counted(world: World, logs: Path, run: Run) -> None:
    with serving(cutting(PlantedGateway(world), 500)) as url:
        asked = ["collect", "--data", logs, "--url", url, "--budget", 1, "--candidates", "fennel-3b", "--prompts", 10]
        code, out, _ = run(*asked, "--max-output-tokens", 100)
        assert code == 0
        assert "note: 10 answers were cut at 100 tokens and are kept so: raise --max-output-tokens" in out
        code, out, _ = run(*asked)
    assert "were cut" not in out


def test_a_judge_that_needs_more_tokens_is_given_them(world: World, answered: Path, run: Run) -> None:
    made = cutting(PlantedGateway(world), 3000)
    with serving(made) as url:
        asked = ["grade", "--data", answered, "--by", "judge", "--url", url, "--model", "planted-judge", "--budget", 5]
        code, _, err = run(*asked)
        assert code == 2
        assert "the first 8 answers were of no use: cut at 2000 tokens: raise --max-output-tokens" in err
        assert run(*asked, "--max-output-tokens", 4000)[0] == 0
    assert read_tables(answered).outcomes["quality"].null_count() == 0


def test_a_judge_where_nothing_listens_is_one_line(answered: Path, run: Run) -> None:
    code, err = graded(run, answered, "http://127.0.0.1:9/v1")
    assert code == 2
    assert "can't be reached: [Errno 111] Connection refused (5 attempts)" in err


@pytest.mark.parametrize(("config", "most"), [({"empty": 1.0}, 0.0), ({"refusing": 1.0}, 0.1)])
def test_empty_answers_and_refusals_are_rows_that_count(
    world: World, logs: Path, run: Run, config: dict[str, float], most: float
) -> None:
    with serving(PlantedGateway(world, GatewayConfig(**config))) as url:  # type: ignore[arg-type]
        asked = ["--data", logs, "--url", url, "--budget", 1, "--candidates", "fennel-3b", "--prompts", 10]
        code, out, _ = run("collect", *asked)
        assert code == 0
        assert "10 answers added" in out
        assert ("note: 10 answers are empty" in out) == ("empty" in config)
        assert graded(run, logs, url) == (0, "")
    bought = read_tables(logs).outcomes.filter(pl.col("model") == "fennel-3b")
    assert bought["quality"].max() <= most


def test_a_model_that_the_gateway_does_not_know_leaves_the_others_answers(world: World, logs: Path, run: Run) -> None:
    tables = read_tables(logs)
    ghost = tables.candidates.head(1).with_columns(pl.lit("ghost").alias("model"))
    write_tables(replace(tables, candidates=pl.concat([tables.candidates, ghost])), logs)
    with serving(PlantedGateway(world)) as url:
        asked = ["--data", logs, "--url", url, "--budget", 1, "--candidates", "ghost,fennel-3b", "--prompts", 10]
        code, out, err = run("collect", *asked)
    assert code == 2
    assert err.strip().endswith("doesn't know 'ghost'; 10 answers were kept")
    assert "10 answers added" in out


@pytest.mark.parametrize("status", [401, 429])
def test_a_gateway_that_dies_half_way_is_gone_on_with(world: World, logs: Path, run: Run, status: int) -> None:
    made = PlantedGateway(world)
    whole = made.complete

    def dying(body: dict[str, object]) -> tuple[int, str]:
        return whole(body) if sum(made.calls.values()) < 20 else (status, "{}")

    made.complete = dying  # type: ignore[method-assign, assignment]
    with serving(made) as url:
        asked = ["collect", "--data", logs, "--url", url, "--budget", 2, "--candidates", "fennel-3b", "--prompts", 60]
        code, _, _ = run(*asked)
        kept = read_tables(logs).outcomes.height - 40
        assert code == 2
        assert kept >= 20
        made.complete = whole  # type: ignore[method-assign]
        code, out, _ = run(*asked)
    assert code == 0
    assert "a run that was cut off goes on" in out
    assert read_tables(logs).outcomes.height == 100
    assert max(made.calls.values()) == 1


def test_brought_along_results_need_no_judge(logs: Path, run: Run) -> None:
    prompts = read_tables(logs).prompts["prompt_id"].to_list()
    result = {"model": "lingo-9b", "grader": "unit tests", "kind": "reference", "grade": 1}
    rows = [{"prompt_id": prompt_id, **result} for prompt_id in prompts]
    (logs / "grades.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (logs / "feedback.jsonl").write_text(json.dumps({"prompt_id": prompts[0], "model": "lingo-9b", "thumb": "down"}))
    code, _, err = run("grade", "--data", logs, "--by", "feedback")
    assert code == 0, err
    graded = read_tables(logs).outcomes.filter(pl.col("model") == "lingo-9b")
    assert set(graded["quality"]) == {1.0}
    assert set(graded["graded_by"]) == {"unit tests"}
