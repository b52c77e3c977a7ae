"""The comparison on a small world, as the command line runs it."""

import json

import pytest
from mlflow import MlflowClient
from prefect.testing.utilities import prefect_test_harness

from components.reports.comparison_page import DATA, TABLE
from components.sources.planted import PlantedConfig, write_world
from flows.blocks import STANDARD, blocks_in
from flows.cli import main
from flows.compare import CompareParameters, compare
from flows.settings import settings

pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_folder_of_standard_folders_is_compared_on_the_standard_blocks(tmp_path):
    for block in STANDARD[:-1]:
        (tmp_path / block.folder).mkdir(exist_ok=True)
    assert [block.name for block in blocks_in(tmp_path)] == [tmp_path.name]
    (tmp_path / STANDARD[-1].folder).mkdir()
    assert blocks_in(tmp_path) == STANDARD


def test_no_such_folder_is_named(tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match="nowhere is not a folder"):
        blocks_in(tmp_path / "nowhere")


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
    assert "| router |" in (compared.page.parent / TABLE).read_text()
    mlflow = MlflowClient(settings().tracking_uri)
    experiment = mlflow.get_run(compared.run_id).info.experiment_id
    children = mlflow.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{compared.run_id}'")
    assert [child.info.run_name for child in children] == [f"compare-{logs.name}"]


def test_the_command_wants_a_folder(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["compare"])
    assert "--data" in capsys.readouterr().err
