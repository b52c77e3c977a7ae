"""What an installation keeps of prompts and of secrets after a retrain, grading and serving, and after forgetting."""

import gzip
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from components.sources.planted.world import PlantedConfig, generate
from components.sources.planted_gateway import GatewayConfig, PlantedGateway, serving
from components.tables.store import Tables, write_tables
from tests.flows.conftest import free_port

pytestmark = pytest.mark.slow
SECRETS = {
    name: f"hush-{name.lower().replace('_', '-')}"
    for name in (
        *("POINTSMAN_LLM_KEY", "OPENAI_API_KEY", "POINTSMAN_SERVE_TOKEN", "POINTSMAN_DASHBOARD_PASSWORD"),
        *("AWS_SECRET_ACCESS_KEY", "PGPASSWORD"),
    )
} | {"POINTSMAN_WEBHOOK_URL": "http://127.0.0.1:9/hook?key=hush-webhook"}
RETRAIN = """
import sys
from pathlib import Path
from flows.platform.settings import prepare_environment
prepare_environment()
from components.evaluation.gate_config import GateConfig
from flows.retrain import run_retrain
from flows.retrain_form import RetrainParameters
# whatever so few prompts can show: what is published and served is looked at here
gate = GateConfig(parity_margin=0.1)
sys.exit(run_retrain(RetrainParameters(data=Path(sys.argv[1]), preset="smoke", gate=gate)))
"""
PRUNED = ("POINTSMAN", "PREFECT", "MLFLOW")


def contents(folder):
    """Every file with all that is packed in it."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if content.startswith(b"PAR1"):
            content += pl.read_parquet(path).select(pl.exclude(pl.Binary)).write_json().encode()
        for packed in re.findall(rb">([A-Za-z0-9+/=]{100,})<", content):
            content += gzip.decompress(b64decode(packed))
        yield path, content


@contextmanager
def command_lines():
    """Collects the command line of every process that is there meanwhile."""
    seen, ended = set(), threading.Event()

    def look():
        while not ended.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes())
                except OSError:
                    continue
            time.sleep(0.1)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def run(environment, *arguments, start=("-m", "pointsman")):
    command = [sys.executable, *start, *map(str, arguments)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, 1), ran.stderr
    return ran.stdout + ran.stderr


def serve_once(environment, home, decisions):
    """A server that answers one request with the token; all that it printed."""
    port = free_port()
    command = [sys.executable, "-m", "pointsman", "serve", "--port", str(port), "--decisions", str(decisions)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        headers = {"content-type": "application/json", "authorization": f"Bearer {SECRETS['POINTSMAN_SERVE_TOKEN']}"}
        body = json.dumps({"prompt": "served zqx-served- words", "tenant": "acme"}).encode()
        deadline = time.monotonic() + 120
        while True:
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/route", body, headers)
                with urllib.request.urlopen(request, timeout=30) as reply:
                    assert reply.status == 200
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.5)
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=60)
    return said


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """An installation after all of it: its folder, what was printed, and all command lines that were seen."""
    home = tmp_path_factory.mktemp("home")
    world = generate(PlantedConfig(prompts=1200, seed=5))
    # in front: a prompt is known again by its beginning, and simulated prompts, golden ones too, resemble each other
    marked = pl.concat_str(pl.lit("zqx-"), "prompt_id", pl.lit("-xqz "), "prompt")
    logs = home / "data" / "logs"
    write_tables(replace(world.tables, prompts=world.tables.prompts.with_columns(prompt=marked)), logs)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PRUNED)}
    environment = clean | SECRETS | {"POINTSMAN_HOME": str(home), "POINTSMAN_PUBLISH_URL": f"file://{home / 'far'}"}
    judged = home / "judged"
    few = world.tables.outcomes.group_by("prompt_id", maintain_order=True).first().head(20)
    gateway = PlantedGateway(world, GatewayConfig(judges=("judge",)))
    texts = dict(world.tables.prompts.select("prompt_id", "prompt").iter_rows())
    answers = [gateway.answer(model, texts[name]) for name, model in few.select("prompt_id", "model").iter_rows()]
    few = few.select(world.tables.outcomes.columns).with_columns(quality=pl.lit(None, pl.Float64))
    write_tables(
        Tables(
            prompts=world.tables.prompts,
            candidates=world.tables.candidates,
            outcomes=few,
            responses=few.select("prompt_id", "model", pl.Series("response", answers)),
        ),
        judged,
    )
    said = []
    with command_lines() as seen, serving(gateway) as url:
        said.append(run(environment, logs, start=("-c", RETRAIN)))
        asked = ["--url", url, "--model", "judge", "--budget", "5"]
        said.append(run(environment, "grade", "--data", judged, "--by", "judge", *asked))
        said.append(serve_once(environment, home, home / "decisions"))
    return home, environment, said, seen


def test_no_secret_is_in_what_was_printed_in_a_command_line_or_in_a_file(left):
    home, _, said, seen = left
    values = [value.partition("key=")[2] or value for value in SECRETS.values()]
    assert any(b"retrain" in line for line in seen)
    for value in values:
        assert not any(value in text for text in said), value
        assert not [line for line in seen if value.encode() in line], value
        assert not [path for path, content in contents(home) if value.encode() in content], value


def test_no_prompt_is_in_what_travels_or_is_shown(left):
    home, *_ = left
    for place in ("far", "data/bundles", "data/published", "data/reports", "data/prefect", "data/tasks", "mlruns"):
        assert list((home / place).rglob("*")), place
        quoting = {str(path): re.findall(rb"zqx-[\w-]*", content)[:2] for path, content in contents(home / place)}
        assert not {path: found for path, found in quoting.items() if found}


def test_forgotten_prompts_are_nowhere(left):
    home, environment, *_ = left
    prompts = pl.read_parquet(home / "data" / "logs" / "prompts.parquet")["prompt_id"].to_list()
    gone = prompts[::100]
    ids = [part for name in gone for part in ("--prompt-id", name)]
    told = run(environment, "forget", *ids)
    assert "left: " not in told, told
    for name in gone:
        marker = f"zqx-{name}-xqz".encode()
        assert not [path for path, content in contents(home) if marker in content]
    assert pl.read_parquet(home / "data" / "logs" / "prompts.parquet").height == len(prompts) - len(gone)
