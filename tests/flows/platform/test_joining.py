"""A command joins the dashboards that run in its installation, and no others."""

import json
import os

from flows.platform import paths
from flows.platform.joining import announced, running_servers
from flows.platform.settings import prepare_environment


def test_servers_are_known_while_they_run(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    assert running_servers() == {}
    with announced("http://127.0.0.1:1/api", "http://127.0.0.1:2"):
        assert running_servers() == {
            "PREFECT_API_URL": "http://127.0.0.1:1/api",
            "POINTSMAN_MLFLOW_UI": "http://127.0.0.1:2",
        }
        monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path / "other"))
        assert running_servers() == {}
        monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    assert running_servers() == {}


def test_what_a_killed_ui_left_counts_for_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    with announced("http://127.0.0.1:1/api", "http://127.0.0.1:2"):
        file = paths.prefect() / "dashboards.json"
        told = json.loads(file.read_text())
    for owner in (told["owner"] + "0", "elsewhere 1 then", "nonsense"):
        file.write_text(json.dumps(told | {"owner": owner}))
        assert running_servers() == {}
    file.write_text("torn")
    assert running_servers() == {}


def test_a_command_takes_the_servers_unless_somebody_named_another(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "MLFLOW_", "POINTSMAN_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    os.environ["POINTSMAN_HOME"] = str(tmp_path)
    with announced("http://127.0.0.1:1/api", "http://127.0.0.1:2"):
        prepare_environment()
        assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:1/api"
        os.environ["PREFECT_API_URL"] = "http://mine/api"
        prepare_environment()
        assert os.environ["PREFECT_API_URL"] == "http://mine/api"
