"""A language model in the line, a stub on loopback: it describes and names, and where it fails keywords do."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from components.sources.planted.world import PlantedConfig, generate
from components.tables.store import write_parquet, write_tables
from components.tasks.discovery_config import DiscoveryConfig
from flows.platform import paths
from flows.platform.references import DataRef, keep
from flows.stations.board import lay_out_board
from flows.stations.discover import discover
from flows.stations.encoder import export_encoder
from flows.stations.identity import identify
from flows.stations.naming import Descriptions, describe_by_model, describe_training, name_by_model, name_discovered

pytestmark = pytest.mark.filterwarnings("ignore")
GRAPH = DiscoveryConfig(resolutions=(1.0,), preference_mixes=(0.0,), density_minimum_samples=(), repeats=1)
SKILLS = ("adds two numbers by mental arithmetic", "writes a poem about the sea", "translates French into German")


@contextmanager
def endpoint(answer):
    """A server that answers each question with what `answer(question)` returns; None: HTTP 401."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body["messages"][0]["content"])
            text = answer(asked[-1])
            content = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
            self.send_response(401 if text is None else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def model(question):
    """Describes a prompt by the group that its number puts it in; names a group by the first word it is told."""
    if "Words:" in question:
        return f"Group {question.split('Words: ')[1].split(',')[0]}"
    number = int(question.split("number ")[1].split(".")[0])
    return f"The task {SKILLS[number % 3]}, carefully."


@pytest.fixture
def board(monkeypatch, tmp_path):
    """Prompts whose own embeddings are noise."""
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    monkeypatch.setenv("POINTSMAN_LLM_MODEL", "tiny")
    monkeypatch.setenv("POINTSMAN_LLM_KEY", "secret-key")
    tables = generate(PlantedConfig(prompts=150, seed=3)).tables
    words = ("plum", "stone", "cloud")
    texts = [f"This is number {n}. {words[n % 3]} {words[n % 3]}" for n in range(150)]
    tables = type(tables)(
        prompts=tables.prompts.with_columns(prompt=pl.Series(texts)),
        candidates=tables.candidates,
        outcomes=tables.outcomes,
    )
    noise = np.random.default_rng(0).normal(size=(150, 384)).astype(np.float32)
    split = np.where(np.arange(150) % 10 == 0, "validation", "train")
    splits = pl.DataFrame({"prompt_id": tables.prompts["prompt_id"], "split": split})

    def features(folder):
        np.savez(folder / "features.npz", features_NF=noise, input_tokens_N=np.zeros(150))

    prompts = {
        "tables": keep("tables", lambda folder: write_tables(tables, folder)),
        "splits": keep("divide", lambda folder: write_parquet(splits, folder / "splits.parquet")),
    }
    embedded = keep("embed", lambda folder: np.save(folder / "embedding.npy", noise))
    laid_out = lay_out_board.fn(**prompts, embedded=embedded, features=keep("featurise", features), seed=0)
    return SimpleNamespace(prompts=prompts, laid_out=laid_out)


def discovered(stages, sentences=None):
    tables = stages.prompts["tables"]
    return discover.fn(tables=tables, laid_out=stages.laid_out, sentences=sentences, config=GRAPH, seed=0)


def named(stages, found, descriptions):
    return name_by_model.fn(**stages.prompts, discovered=found, descriptions=descriptions)


def identified(stages, found):
    return identify.fn(**stages.prompts, discovered=found, champion=None)


def read(ref, name):
    return json.loads(ref.file(name).read_text())


NOWHERE = DataRef(path=Path("nowhere"), digest="")


def test_without_an_address_no_model_is_asked(monkeypatch, board):
    monkeypatch.delenv("POINTSMAN_LLM_URL", raising=False)
    assert describe_training(**board.prompts, encoder=NOWHERE) == Descriptions()
    assert name_discovered(**board.prompts, discovered=NOWHERE, descriptions=Descriptions()) == NOWHERE


def test_a_setting_that_cannot_work_is_an_error_not_a_fallback(monkeypatch, board):
    monkeypatch.setenv("POINTSMAN_LLM_URL", "localhost:8000")
    with pytest.raises(ValueError, match="http or https"):
        describe_by_model.fn(**board.prompts, encoder=NOWHERE)
    monkeypatch.setenv("POINTSMAN_LLM_URL", "http://localhost:8000")
    monkeypatch.setenv("POINTSMAN_LLM_MODEL", "")
    with pytest.raises(ValueError, match="model must be named"):
        describe_by_model.fn(**board.prompts, encoder=NOWHERE)


def test_where_it_fails_keywords_name_the_tasks_and_the_report_says_so(monkeypatch, board):
    with endpoint(lambda _: None) as (url, asked):
        monkeypatch.setenv("POINTSMAN_LLM_URL", url)
        descriptions = describe_by_model.fn(**board.prompts, encoder=NOWHERE)
    assert descriptions.described is None
    assert "HTTP 401" in descriptions.failure
    assert len(asked) < 135
    plain = discovered(board)
    found = named(board, plain, descriptions)
    assert read(found, "tasks.json") == read(plain, "tasks.json")
    assert "without the language model" in read(found, "discovery.json")["naming"]
    assert "HTTP 401" in read(found, "discovery.json")["naming"]
    assert read(identified(board, found), "task_names.json")["named_by"] == "keywords"


@pytest.mark.slow
def test_descriptions_find_tasks_that_prompts_hide_and_the_model_names_them(monkeypatch, board):
    encoder = export_encoder.fn("int8")
    with endpoint(model) as (url, asked):
        monkeypatch.setenv("POINTSMAN_LLM_URL", url)
        descriptions = describe_by_model.fn(**board.prompts, encoder=encoder)
        assert len(asked) == 135
        described = discovered(board, descriptions.described)
        found = identified(board, named(board, described, descriptions))
        questions = len(asked)
        # Everything is on disk by now: the same again asks nothing.
        assert describe_by_model.fn(**board.prompts, encoder=encoder) == descriptions
        assert identified(board, named(board, described, descriptions)) == found
        assert len(asked) == questions
    train = np.flatnonzero(np.arange(150) % 10 != 0)
    task = np.load(found.file("partition.npz"))["task_N"]
    assert len(set(task)) == 3
    assert len(set(zip(task, train % 3, strict=True))) == 3
    assert {row["label"] for row in read(found, "tasks.json")} == {"Group plum", "Group stone", "Group cloud"}
    assert read(found, "discovery.json")["naming"] == "Prompts were described and tasks named by tiny."
    assert read(found, "task_names.json")["named_by"] == "tiny"
    assert all(b"secret-key" not in file.read_bytes() for file in paths.data().rglob("*") if file.is_file())

    with endpoint(lambda _: None) as (url, _):
        # Described before it went down: the names alone are missing.
        monkeypatch.setenv("POINTSMAN_LLM_URL", url)
        for file in (paths.language_model()).rglob("*.json"):
            if "Words:" in json.loads(file.read_text())["question"]:
                file.unlink()
        again = named(board, described, descriptions)
    assert "tasks keep keywords" in read(again, "discovery.json")["naming"]
    assert read(again, "tasks.json") == read(described, "tasks.json")
