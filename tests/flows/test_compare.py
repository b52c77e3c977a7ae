"""The comparison on a small world, as the command line runs it."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from mlflow import MlflowClient
from prefect.testing.utilities import prefect_test_harness

from components.reports.comparison_page import DATA, TABLE
from components.sources.planted.world import PlantedConfig, generate, write_world
from components.tables.board import Board, load_board, save_board
from components.tables.store import write_tables
from flows.compare import CompareParameters, compare
from flows.platform.references import reference
from flows.platform.settings import settings
from flows.stations.blocks import STANDARD, Block, blocks_in
from flows.stations.comparison import lay_out, rows_of
from pointsman.cli import main
from tests.fixtures.tiny_router import bundle, parts, prompts

__all__ = ["bundle", "parts", "prompts"]
pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_folder_of_standard_folders_is_compared_on_the_standard_blocks(tmp_path):
    first, *others = {block.folder for block in STANDARD}
    for folder in others:
        (tmp_path / folder).mkdir()
    assert [block.name for block in blocks_in(tmp_path)] == [tmp_path.name]
    (tmp_path / first).mkdir()
    assert blocks_in(tmp_path) == STANDARD


def test_no_such_folder_is_named(tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match="nowhere is not a folder"):
        blocks_in(tmp_path / "nowhere")


def test_a_block_by_date_is_judged_on_its_latest_prompts(tmp_path):
    days = np.datetime64("2026-01-01") + np.random.default_rng(0).integers(50, size=200)
    save_board(Board(quality_NM=np.ones((200, 2)), date_N=days), tmp_path)
    learn_L, test_K = rows_of(reference(tmp_path), splits=5, number=0, seed=0)
    assert days[learn_L].max() < days[test_K].min()
    assert 0.1 < test_K.size / 200 < 0.3
    assert sorted([*learn_L, *test_K]) == list(range(200))
    # a conversation of an earlier prompt that goes on later
    group_N = np.full(200, -1, dtype=np.int32)
    group_N[[learn_L[5], test_K[5]]] = 3
    save_board(Board(quality_NM=np.ones((200, 2)), date_N=days, group_N=group_N), tmp_path)
    kept_L, same_K = rows_of(reference(tmp_path), splits=5, number=0, seed=0)
    np.testing.assert_array_equal(kept_L, np.delete(learn_L, 5))
    np.testing.assert_array_equal(same_K, test_K)


def test_a_conversation_is_never_trained_on_and_judged_on(tmp_path, parts, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    rng = np.random.default_rng(0)
    world = generate(PlantedConfig(prompts=120)).tables
    talk_N = rng.permutation(np.repeat(np.arange(30), 4))
    prompts = world.prompts.with_columns(conversation_id=pl.Series([f"talk {talk}" for talk in talk_N]))
    vectors_ND = rng.normal(size=(120, 64)).astype(np.float32)
    unit_ND = vectors_ND / np.linalg.norm(vectors_ND, axis=1, keepdims=True)
    embedded = tmp_path / "embedded"
    embedded.mkdir()
    np.save(embedded / "embedding.npy", unit_ND)
    write_tables(replace(world, prompts=prompts), tmp_path / "tables")
    laid_out = lay_out.fn(
        tables=reference(tmp_path / "tables"),
        embedded=reference(embedded),
        encoder=reference(parts.encoder_folder),
        block=Block(name="all", candidates=tuple(world.candidates["model"])),
    )
    row_of = dict(zip(prompts["prompt_id"], talk_N, strict=True))
    talk_K = np.array([row_of[name] for name in load_board(laid_out.path).prompt_id_N])
    judged = []
    for number in range(3):
        learn_L, test_K = rows_of(laid_out, splits=3, number=number, seed=0)
        assert not np.isin(talk_K[test_K], talk_K[learn_L]).any()
        judged.append(test_K)
    assert sorted(np.concatenate(judged)) == list(range(talk_K.size))


@pytest.mark.slow
def test_every_method_is_judged_on_the_same_prompts(tmp_path_factory):
    logs = tmp_path_factory.mktemp("logs")
    write_world(logs, PlantedConfig(prompts=500, seed=0))
    with prefect_test_harness(server_startup_timeout=120):
        compared = compare(CompareParameters(data=logs, preset="smoke", splits=3))
        with pytest.raises(ValueError, match="unknown block 'nothing'"):
            compare(CompareParameters(data=logs, preset="smoke", splits=3, blocks=["nothing"]))
    report = json.loads((compared.page.parent / DATA).read_text())[logs.name]
    methods = report["methods"]
    assert {"router", "graph_router", "router_dc", "ipr", "irt", "guarded_knn", "implicit", "oracle"} <= set(methods)
    assert methods["router"]["quality"][0] > methods["control_shuffled_labels"]["quality"][0]
    assert all(method["quality"][0] <= methods["oracle"]["quality"][0] for method in methods.values())
    assert report["held_out"]
    assert {"stage1_graph", "stage1_density", "one_phase", "two_phases"} <= set(report["ablation"])
    assert "| router |" in (compared.page.parent / TABLE).read_text()
    mlflow = MlflowClient(settings().tracking_uri)
    experiment = mlflow.get_run(compared.run_id).info.experiment_id
    children = mlflow.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{compared.run_id}'")
    assert [child.info.run_name for child in children] == [f"compare-{logs.name}"]


def test_the_command_wants_a_folder(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["compare"])
    assert "--data" in capsys.readouterr().err
