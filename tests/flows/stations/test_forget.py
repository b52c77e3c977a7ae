"""An installation with one person's prompt in every place that can hold one: afterwards none of them does."""

import gzip
import json
import re
import shutil
import sqlite3
from base64 import b64decode
from datetime import datetime

import fsspec
import numpy as np
import polars as pl
import pytest

from components.asking.journal import Journal
from components.asking.question import Answer, Question
from components.drift.reference import Reference
from components.embeddings.cache import embed_cached
from components.reports.page import write_page
from components.reports.task_map import points
from components.sources import fetched
from components.tables.store import write_parquet
from flows.platform import paths
from flows.stations.drift_reference import load_reference, reference_path, write_reference
from pointsman.bundle.reading import read_bundle
from pointsman.cli import main
from pointsman.serving.decision_log import read_log
from pointsman.serving.log_schema import DECISION, OUTCOME
from tests.fixtures.tiny_router import PROMPTS, REPORT

SECRET = "prove that zqxsecret integral of love and python code, and 1 2 3"
ANSWER = "zqxanswer: it diverges"


def holds(path, word):
    """Whether a file holds a word, by means of its own: whatever is packed is unpacked first."""
    content = path.read_bytes()
    if content.startswith(b"PAR1"):
        content = pl.read_parquet(path).write_ndjson().encode()
    for packed in re.findall(rb">([A-Za-z0-9+/=]{100,})<", content):
        content += gzip.decompress(b64decode(packed))
    return word.encode() in content


def quoting(folder, word="zqx"):
    return sorted(path for path in folder.rglob("*") if path.is_file() and holds(path, word))


@pytest.fixture
def home(bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path / "home"))
    shutil.copytree(bundle, paths.bundles() / bundle.name)
    logs, ids = paths.logs(), [f"p{n}" for n in range(len(PROMPTS))]
    texts = [*PROMPTS[:-1], SECRET]
    write_parquet(
        pl.DataFrame({"prompt_id": ids, "prompt": texts, "conversation_id": [*["c"] * 5, "mine"]}),
        logs / "prompts.parquet",
    )
    rows = [{"prompt_id": name, "model": "small", "quality": 0.5, "decision_id": f"d-{name}"} for name in ids]
    (logs / "outcomes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = [{"prompt_id": name, "model": "small", "response": "fine"} for name in ids]
    answers[-1]["response"] = ANSWER
    (logs / "responses.json").write_text(json.dumps(answers))
    (logs / "responses.json.replaced").write_text(json.dumps(answers))
    with Journal(logs / "journal" / "collect.jsonl") as journal:
        journal.answered(
            Question(model="small", messages=(), max_output_tokens=9),
            Answer(text=ANSWER, cost_usd=0.25, latency_ms=1.0),
        )
    log, when = tmp_path / "decisions", datetime(2026, 1, 1)
    decisions = [
        {"decision_id": f"d-{name}", "decided_at": when, "text": text, "tenant": "t" + name[-1]}
        for name, text in zip(ids, texts, strict=True)
    ]
    write_parquet(pl.DataFrame(decisions, schema=DECISION), log / "decisions-1.parquet")
    outcomes = [
        {"decision_id": f"d-{name}", "told_at": when, "error": f"zqx {name}" if name == "p5" else None} for name in ids
    ]
    write_parquet(pl.DataFrame(outcomes, schema=OUTCOME), log / "outcomes-1.parquet")
    for folder in (paths.frozen(), paths.tasks() / bundle.name):
        write_parquet(pl.DataFrame({"prompt_id": ids, "task": [0] * len(ids)}), folder / "kept.parquet")
    encoder = read_bundle(bundle).encoder()
    vector_ND = embed_cached(encoder, texts, paths.embeddings())
    reference_path(bundle.name).parent.mkdir(parents=True)
    flags = np.zeros(len(texts), np.int32), np.zeros(len(texts), np.bool_)
    write_reference(Reference(embedding_KD=vector_ND, task_K=flags[0], far_K=flags[1]), reference_path(bundle.name))
    shown = points(np.zeros((len(texts), 2), np.float32), ["a"] * len(texts), texts)
    card = {"id": "t1", "label": "a", "size": 4, "keywords": ["b"], "best": "m", "medoids": [SECRET]}
    write_page({**REPORT, "tasks": [card], "map": shown}, paths.reports() / bundle.name)
    clean = paths.reports() / "clean" / "report.html"
    write_page({**REPORT, "tasks": []}, clean.parent)
    for folder in (paths.artifacts() / "1" / "report", paths.drift() / bundle.name / "run", paths.language_model()):
        folder.mkdir(parents=True)
        (folder / "a.json").write_text(json.dumps({"question": f"Below is a prompt.\n{SECRET}"}))
        (folder / "b.json").write_text(json.dumps({"question": f"Below is a prompt.\n{PROMPTS[0]}"}))
    stage = paths.stages() / "ingest" / "abc"
    write_parquet(pl.DataFrame({"prompt": texts}), stage / "prompts.parquet")
    return tmp_path / "home"


def forgotten(arguments, capsys):
    """What was left, by line; a dry run says the same before, and changes nothing."""
    state = {path: path.read_bytes() for path in paths.home().parent.rglob("*") if path.is_file()}
    assert main([*arguments, "--dry-run"]) == 1
    assert {path: path.read_bytes() for path in paths.home().parent.rglob("*") if path.is_file()} == state
    would = capsys.readouterr().out
    assert main(arguments) == 1
    done = capsys.readouterr().out
    assert done == would.replace("would go: ", "gone: ")
    return [line for line in done.splitlines() if line.startswith("left: ")]


def test_nothing_of_a_prompt_is_left(home, bundle, tmp_path, capsys):
    paths.recent().mkdir(parents=True)
    (paths.recent() / "prompts.jsonl").write_text(json.dumps({"prompt": SECRET}) + "\n")
    before = len(quoting(tmp_path))
    assert before > 10
    arguments = ["forget", "--prompt-id", "p5", "--decisions", str(tmp_path / "decisions")]
    state = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert main([*arguments, "--dry-run"]) == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == state
    would = capsys.readouterr().out
    assert would.startswith("1 prompt\nwould go: 1 rows of ")
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert told == would.replace("would go: ", "gone: ")
    assert quoting(tmp_path) == []
    # what is left is everything else
    assert pl.read_parquet(paths.logs() / "prompts.parquet")["prompt"].to_list() == PROMPTS[:-1]
    assert len((paths.logs() / "outcomes.jsonl").read_text().splitlines()) == 5
    assert read_log(tmp_path / "decisions")["text"].to_list() == PROMPTS[:-1]
    for path in (paths.frozen(), paths.tasks() / bundle.name):
        assert pl.read_parquet(path / "kept.parquet").height == 5
    assert load_reference(bundle.name).embedding_KD.shape[0] == 5
    assert len(pl.concat([pl.read_parquet(path) for path in paths.embeddings().rglob("*.parquet")])) == 5
    assert (paths.reports() / "clean" / "report.html").exists()
    assert len(list(home.rglob("b.json"))) == 3
    # what the answer cost is still known
    assert '"cost_usd": 0.25' in (paths.logs() / "journal" / "collect.jsonl").read_text()
    assert main(arguments) == 2
    assert "nothing is known of p5" in capsys.readouterr().err


def test_a_log_at_a_url_is_rewritten_there_before_anything_here(home, tmp_path, capsys, monkeypatch):
    url, system = "memory://kept", fsspec.filesystem("memory")
    system.put(str(tmp_path / "decisions"), "/kept", recursive=True)
    # what couldn't be sent yet
    paths.spool().mkdir()
    (tmp_path / "decisions").rename(paths.spool() / "abc")
    arguments = ["forget", "--tenant", "t5", "--decisions", url]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with monkeypatch.context() as broken:
        broken.setattr(fetched, "write_remote", lambda *_: (_ for _ in ()).throw(OSError("no room")))
        assert main(arguments) == 2
    assert capsys.readouterr().err.strip().endswith(f"{url}: can't be written: no room")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert main([*arguments, "--dry-run"]) == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    with fetched.local_log(url) as copy:
        assert quoting(copy)
    assert main(arguments) == 0
    assert f"gone: 1 rows of {url}/decisions-1.parquet" in capsys.readouterr().out
    assert quoting(tmp_path) == []
    with fetched.local_log(url) as copy:
        assert quoting(copy) == []
        assert read_log(copy)["text"].to_list() == PROMPTS[:-1]
    system.rm("/kept", recursive=True)


@pytest.mark.parametrize(("option", "value"), [("--conversation", "mine"), ("--tenant", "t5")])
def test_a_conversation_and_a_tenant_go_whole(home, tmp_path, option, value):
    assert main(["forget", option, value, "--decisions", str(tmp_path / "decisions")]) == 0
    assert quoting(tmp_path) == []


def test_what_cannot_be_changed_is_named(home, bundle, tmp_path, capsys):
    golden = paths.bundles() / "older" / "golden.jsonl"
    golden.parent.mkdir()
    golden.write_text(json.dumps({"prompt": SECRET}) + "\n")
    paths.prefect().mkdir()
    with sqlite3.connect(paths.prefect() / "prefect.db") as database:
        database.execute("CREATE TABLE artifact (data TEXT)")
        database.execute("INSERT INTO artifact VALUES (?)", [json.dumps([{"example": SECRET}])])
    shutil.rmtree(paths.bundles() / bundle.name)
    left = forgotten(["forget", "--prompt-id", "p5", "--decisions", str(tmp_path / "decisions")], capsys)
    assert len(left) == 3
    assert "reference.npz can't be looked at" in left[0]
    assert f"{golden} still quotes it: a router's files can't be changed" in left[1]
    assert "prefect.db still quotes it" in left[2]


def test_a_short_prompt_takes_no_file_of_a_router_and_no_page_by_chance(home, bundle, capsys):
    """`test` is a split's name in every report and a word of every vocabulary."""
    pl.DataFrame({"prompt_id": ["p0"], "prompt": ["test"]}).write_parquet(paths.logs() / "prompts.parquet")
    registered = paths.artifacts() / "models" / "m-1" / "artifacts" / "artifacts" / bundle.name
    shutil.copytree(bundle, registered)
    (registered / "notes.json").write_text(json.dumps({"examples": ["test"]}))
    (registered.parents[2] / "input_example.json").write_text(json.dumps({"prompt": "test"}))
    run = paths.artifacts() / "1" / "report"
    (run / "report.json").write_text(json.dumps({"split": "test", "test": 4}))
    (run / "examples.json").write_text(json.dumps({"examples": ["test"]}))
    (run / "report.html").write_text("<p>test</p>")
    before = {path: path.read_bytes() for path in registered.parents[2].rglob("*") if path.is_file()}
    left = forgotten(["forget", "--prompt-id", "p0"], capsys)
    assert {path: path.read_bytes() for path in registered.parents[2].rglob("*") if path.is_file()} == before
    assert (run / "report.json").is_file()
    assert (run / "report.html").is_file()
    assert not (run / "examples.json").exists()
    assert len(left) == 3
    assert f"{run / 'report.html'} may quote it" in left[0]
    assert all("still quotes it: a registered router's files can't be changed" in line for line in left[1:])


def test_what_still_quotes_it_beside_the_tables_is_named(home, tmp_path, capsys):
    tables, decisions = tmp_path / "tables", tmp_path / "decisions"
    tables.mkdir()
    texts = {"p7": SECRET, "p8": f"{SECRET} and then?"}
    rows = [json.dumps({"prompt_id": name, "prompt": text}) + "\n" for name, text in texts.items()]
    (tables / "prompts.jsonl").write_text("".join(rows))
    (tables / "raw.csv").write_text(f'id,query\n1,"{SECRET}"\n')
    (tables / "notes.txt").write_text(SECRET)
    (tables / "raw.jsonl.gz").write_bytes(gzip.compress(rows[0].encode()))
    (tables / "old.zst").write_bytes(b"\x28\xb5\x2f\xfd packed")
    (decisions / "notes.txt").write_text(SECRET)
    (paths.logs() / "spend.jsonl.gz").write_bytes(gzip.compress(rows[0].encode()))
    arguments = ["forget", "--prompt-id", "p7", "--data", str(tables), "--decisions", str(decisions)]
    left = [line.removeprefix("left: ") for line in forgotten(arguments, capsys)]
    named = [decisions / "notes.txt", paths.logs() / "spend.jsonl.gz", *sorted(tables.iterdir())]
    assert [line.split()[0] for line in left] == [str(path) for path in named]
    assert [line for line in left if "wasn't looked at" in line] == [line for line in left if "old.zst" in line]
    assert "prompts.jsonl still quotes it: a text there begins as it does" in " ".join(left)
    assert (tables / "prompts.jsonl").read_text() == rows[1]


def test_a_folder_that_is_named_twice_is_one(home, tmp_path, capsys):
    again = [str(paths.logs() / ".." / "logs"), str(paths.home())]
    decisions = str(tmp_path / "decisions")
    arguments = ["forget", "--prompt-id", "p5", "--data", again[0], "--data", again[1], "--decisions", decisions]
    assert main(arguments) == 0
    assert quoting(tmp_path) == []


def test_a_damaged_table_changes_nothing(home, capsys):
    (paths.logs() / "grades.parquet").write_bytes(b"torn")
    assert main(["forget", "--prompt-id", "p5"]) == 2
    assert "grades.parquet: can't be read" in capsys.readouterr().err
    assert pl.read_parquet(paths.logs() / "prompts.parquet").height == 6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "say what to forget"), (["--prompt-id", "p5", "--decisions", "nowhere"], "nowhere: no such folder")],
)
def test_a_mistake_is_one_line(arguments, said, capsys):
    assert main(["forget", *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert said in line


def test_a_stray_file_that_cannot_be_read_stops_nothing_and_is_named(home, tmp_path, capsys):
    log = tmp_path / "decisions"
    (log / "export.csv").write_text("id;prompt\n1;say, what\n2;say, what, else\n")
    (log / "torn.jsonl").write_text(json.dumps({"decision_id": "d-p5", "text": SECRET}) + '\n{"decision_id": "d')
    (log / "damaged.jsonl").write_text('{"decision_id": "d-p5"}\n{"decision\n{}\n')
    assert main(["forget", "--prompt-id", "p5", "--decisions", str(log)]) == 1
    left = [line for line in capsys.readouterr().out.splitlines() if line.startswith("left: ")]
    assert len(left) == 2
    assert (
        f"{log / 'damaged.jsonl'} can't be read as a table, so no row of it was forgotten: line 2 isn't JSON" in left[0]
    )
    assert f"{log / 'export.csv'} can't be read as a table" in left[1]
    assert quoting(tmp_path) == []
