"""Tasks over retrains, from outcome logs to names: the stations themselves, on planted logs with made embeddings."""

import json
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from components.sources.planted.world import PlantedConfig, generate
from components.tables.store import Tables, write_parquet, write_tables
from components.tasks.density import LayoutConfig
from components.tasks.discovery_config import DiscoveryConfig
from flows.platform import paths
from flows.platform.references import DataRef, keep
from flows.stations.board import lay_out_board
from flows.stations.discover import chart, discover
from flows.stations.identity import champion_tasks, identify, keep_tasks
from pointsman.bundle.pointer import write_pointer

pytestmark = pytest.mark.filterwarnings("ignore")
GRAPH = DiscoveryConfig(resolutions=(1.0,), preference_mixes=(0.0,), density_minimum_samples=(), repeats=1)
ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture(scope="module")
def world():
    return generate(PlantedConfig(prompts=700, seed=3))


def board_of(world, rows, *, task=None):
    """The stages of some of the world's prompts, each embedded near its task's centre."""
    ids = world.tables.prompts["prompt_id"].gather(rows)
    tables = Tables(
        prompts=world.tables.prompts[rows],
        candidates=world.tables.candidates,
        outcomes=world.tables.outcomes.filter(pl.col("prompt_id").is_in(ids.implode())),
    )
    truth = pl.DataFrame({"prompt_id": ids}).join(world.truth, on="prompt_id", how="left", maintain_order="left")[
        "task"
    ]
    number = truth.rank("dense").to_numpy().astype(int) if task is None else task
    # A prompt's own noise, whatever board it is on.
    noise = np.random.default_rng(0).normal(size=(world.tables.prompts.height, 64))[rows]
    embedding = np.random.default_rng(1).normal(size=(100, 64))[number] + 0.3 * noise
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    split = np.where(np.asarray(rows) % 5 == 0, "validation", "train")
    splits = pl.DataFrame({"prompt_id": ids, "split": split})
    zeros = np.zeros(len(rows))

    def features(folder):
        np.savez(folder / "features.npz", features_NF=embedding, input_tokens_N=zeros)

    prompts = {
        "tables": keep("tables", lambda folder: write_tables(tables, folder)),
        "splits": keep("divide", lambda folder: write_parquet(splits, folder / "splits.parquet")),
    }
    embedded = keep("embed", lambda folder: np.save(folder / "embedding.npy", embedding.astype(np.float32)))
    laid_out = lay_out_board.fn(**prompts, embedded=embedded, features=keep("featurise", features), seed=0)
    return SimpleNamespace(**prompts, laid_out=laid_out)


def discovered(stages):
    return discover.fn(tables=stages.tables, laid_out=stages.laid_out, sentences=None, config=GRAPH, seed=0)


def identified(stages, found=None):
    found = found or discovered(stages)
    return identify.fn(tables=stages.tables, splits=stages.splits, discovered=found, champion=champion_tasks())


def charted(stages, found, config):
    return chart.fn(tables=stages.tables, laid_out=stages.laid_out, discovered=found, config=config, quoting=True)


def put_in_service(router_id):
    paths.published().mkdir(parents=True, exist_ok=True)
    write_pointer(paths.published(), router_id)


def read(ref: DataRef, name: str):
    return json.loads(ref.file(name).read_text())


def test_names_last_over_reruns_and_growth(monkeypatch, tmp_path, world):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    assert champion_tasks() is None
    board = board_of(world, np.arange(500))
    found = discovered(board)
    first = identified(board, found)
    names = {row["label"]: row["id"] for row in read(first, "tasks.json")}
    assert list(names.values()) == [f"t{n + 1}" for n in range(len(names))]
    assert len(names) > 5
    assert read(first, "discovery.json")["identity"] == {"previous": None}
    assert read(first, "discovery.json")["neighbour_recall"] == 1
    assert "tie for the least validation regret" in read(first, "discovery.json")["reason"]
    for name in ("partition.npz", "table.npz"):
        assert first.file(name).read_bytes() == found.file(name).read_bytes()

    # The champion of a rerun is the first run itself: nothing may change, or the router's id would.
    keep_tasks(ONE, first)
    assert champion_tasks() is None
    put_in_service(ONE)
    assert champion_tasks().path.name == ONE
    again = identified(board)
    assert again == first

    # More prompts, the old among them.
    grown = board_of(world, np.arange(700))
    second = identified(grown)
    identity = read(second, "discovery.json")["identity"]
    later = {row["label"]: row["id"] for row in read(second, "tasks.json")}
    assert identity["previous"] == ONE
    assert identity["kept"] >= len(names) - 2
    kept = names.keys() & later.keys()
    assert len(kept) == identity["kept"]
    assert all(names[label] == later[label] for label in kept)
    fresh = {later[label] for label in later.keys() - kept}
    assert fresh.isdisjoint(names.values())

    # And a rerun of the second, in service in its turn, changes nothing either.
    keep_tasks(TWO, second)
    put_in_service(TWO)
    assert identified(grown) == second


def test_a_task_whose_prompts_vanish_dies_and_a_new_one_is_born(monkeypatch, tmp_path, world):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    # Four tasks; then the last one's prompts come with another meaning, over two tasks that nobody has seen.
    task = np.repeat([1, 2, 3, 4], 125)
    board = board_of(world, np.arange(500), task=task)
    first = identified(board)
    keep_tasks(ONE, first)
    put_in_service(ONE)
    rows = np.concatenate([np.arange(375), np.arange(500, 700)])
    board = board_of(world, rows, task=np.concatenate([task[:375], np.repeat([5, 6], 100)]))
    second = identified(board)
    identity = read(second, "discovery.json")["identity"]
    assert identity["kept"] == 3
    assert (len(identity["born"]), len(identity["died"])) == (2, 1)
    assert {row["id"] for row in read(second, "tasks.json")} - {f"t{n}" for n in range(1, 5)} == {"t5", "t6"}


def test_a_folder_without_its_last_file_is_no_champion(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    put_in_service(ONE)
    folder = paths.tasks() / ONE
    folder.mkdir(parents=True)
    (folder / "task_names.json").write_text("{}")
    assert champion_tasks() is None


@pytest.mark.slow
def test_the_chart_shows_training_prompts_under_their_labels(monkeypatch, tmp_path, world):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    board = board_of(world, np.arange(500))
    found = identified(board)
    shown = read(charted(board, found, LayoutConfig(points=300, epochs=30)), "map.json")
    assert {len(shown[key]) for key in ("x", "y", "label", "text")} == {300}
    task = np.load(found.file("partition.npz"))["task_N"]
    labels = [row["label"] for row in read(found, "tasks.json")]
    prompts = world.tables.prompts[:500]["prompt"].to_list()
    train = [row for row in range(500) if row % 5]
    told = {prompts[row][:100]: labels[task[n]] if task[n] >= 0 else "unassigned" for n, row in enumerate(train)}
    drawn = [(label, text) for label, text in zip(shown["label"], shown["text"], strict=True) if text[:100] in told]
    assert len(drawn) == 300
    assert np.mean([told[text[:100]] == label for label, text in drawn]) > 0.98  # prompts may start alike


def test_of_too_few_prompts_there_is_no_map(monkeypatch, tmp_path, world):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    board = board_of(world, np.arange(1, 6))
    found = identified(board)
    assert "fewer than the minimum size" in read(found, "discovery.json")["reason"]
    assert read(found, "tasks.json") == []
    assert read(charted(board, found, LayoutConfig()), "map.json") is None
