"""Faults in a retrain: killed at every station and at random moments, on a full disk, its servers or worker killed.

The next run completes, or the very run does; what was done isn't done again.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress

import psutil
import pytest
from mlflow import MlflowClient

from components.release.history import read_history
from flows.platform.progress import STATIONS
from flows.platform.references import reference
from pointsman.bundle.pointer import read_pointer
from pointsman.bundle.reading import read_bundle

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
COMMAND = [sys.executable, "-c", "from pointsman.cli import main; raise SystemExit(main())"]
MOMENTS = 3
FULL_AT = ("train", "register")


class Installation:
    """Its retrains, and what they left behind."""

    def __init__(self, home):
        self.home, self.stages, self.published = home, home / "data/stages", home / "data/published"
        self.log = home.with_name(f"{home.name}.log")

    def start(self):
        clean = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN", "NUMBA"))}
        return subprocess.Popen(
            [*COMMAND, "retrain", "--preset", "smoke"],
            env=clean | {"POINTSMAN_HOME": str(self.home)},
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def complete(self):
        process = self.start()
        process.wait(500)
        told = self.log.read_text()
        assert process.returncode in (0, 1), told[-4000:]
        assert ("promoted: ", "refused: ")[process.returncode] in told, told[-4000:]
        return process.returncode

    def records(self):
        """Prefect's whole record of each task that is done, by cache key, with the moment it was written."""
        found = {}
        for path in (self.stages / "results").glob("*"):
            try:
                found[path.name] = (json.loads(path.read_text())["metadata"]["storage_key"], path.stat().st_mtime_ns)
            except ValueError:
                continue
        return found

    def folders(self):
        """Every folder that counts, and its moment; each holds exactly what its name says."""
        kept = [p for p in self.stages.glob("*/[!.]*") if p.parent.name != "results"]
        assert {p: reference(p).digest[:16] for p in kept} == {p: p.name for p in kept}
        return {p: p.stat().st_mtime_ns for p in kept}

    def runs(self):
        """How often MLflow's runs ended which way, parents and children apart."""
        client = MlflowClient(f"sqlite:///{self.home / 'mlruns/mlflow.db'}")
        found = client.search_runs([e.experiment_id for e in client.search_experiments()], max_results=1000)
        parents = Counter(r.info.status for r in found if "mlflow.parentRunId" not in r.data.tags)
        return parents, Counter(r.info.status for r in found if "mlflow.parentRunId" in r.data.tags)

    def plant_leftovers(self):
        """In every station what a dead process leaves: a hidden folder of half a file."""
        for shelf in [p for p in self.stages.glob("*") if p.name != "results"]:
            (shelf / ".dead").mkdir(exist_ok=True)
            (shelf / ".dead" / "tables.parquet").write_bytes(b"PAR1")

    def check_the_end(self, code):
        last = read_history(self.published)[-1]
        assert last.verdict == ("promoted", "refused")[code]
        named = read_pointer(self.published)
        if code == 0:
            assert named == last.router_id
        if named is not None:
            assert read_bundle(self.published / named).manifest.router_id == named
        assert read_bundle(self.home / "data/bundles" / last.router_id).manifest.router_id == last.router_id
        parents, children = self.runs()
        assert parents["RUNNING"] == children["RUNNING"] == 0
        client = MlflowClient(f"sqlite:///{self.home / 'mlruns/mlflow.db'}")
        ended = client.search_runs([e.experiment_id for e in client.search_experiments()], "status = 'FINISHED'")
        ended = [run for run in ended if "mlflow.parentRunId" not in run.data.tags]
        assert ended
        assert all(run.data.tags["verdict"] in ("promoted", "refused") for run in ended)
        return parents


def await_station(process, log, station, operations):
    """Whether the run enters a station before it ends."""
    mark = f"[{STATIONS.index(station) + 1}/{len(STATIONS)}] {station}"
    operations.until(lambda: mark in log.read_text() or process.poll() is not None, 500)
    return process.poll() is None


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL


def repeated(before, after):
    """Keys of tasks that were done and have been done once more."""
    return sorted(key for key, moment in before.items() if after.get(key) != moment)


def tell(capsys, rows):
    with capsys.disabled():
        print("\n| fault | times injected | runs recovered | stations repeated |\n|---|---|---|---|")
        for row in rows:
            print("| " + " | ".join(map(str, row)) + " |")


def test_a_run_killed_at_any_station_or_moment_is_carried_on_by_the_next(tmp_path, capsys, operations):
    here, moments, again = Installation(tmp_path / "home"), random.Random(7), {"station": [], "moment": []}
    done, kept, shots = {}, {}, Counter()

    def look(kind):
        nonlocal done, kept
        operations.until(lambda: not operations.living_in(here.home), 10)
        records, folders = here.records(), here.folders()
        again[kind] += repeated(done, records)
        assert {path: folders.get(path) for path in kept} == kept
        done, kept = records, folders

    for station in STATIONS:
        process = here.start()
        try:
            assert await_station(process, here.log, station, operations), here.log.read_text()[-4000:]
        finally:
            if process.poll() is None:
                kill(process)
        shots["station"] += 1
        look("station")
    here.plant_leftovers()
    for _ in range(MOMENTS):
        process = here.start()
        assert await_station(process, here.log, "ingest", operations), here.log.read_text()[-4000:]
        try:
            process.wait(moments.uniform(0, 12))
        except subprocess.TimeoutExpired:
            kill(process)
            shots["moment"] += 1
        look("moment")
    code = here.complete()
    look("moment")
    tell(capsys, [(f"kill -9 of the flow at a {k}", shots[k], shots[k], len(again[k])) for k in ("station", "moment")])
    assert not again["station"]
    assert not again["moment"]
    assert shots["moment"] >= 1
    parents = here.check_the_end(code)
    # a run that dies after its verdict, while it writes its notes, is rightly FINISHED
    assert parents["KILLED"] >= len(STATIONS)
    assert parents["KILLED"] + parents["FINISHED"] == len(STATIONS) + MOMENTS + 1


@pytest.fixture
def small_disk(tmp_path):
    """A disk too small for the encoder's export, and how to make it larger."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        return subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)

    try:
        mounted = mount("-t", "tmpfs", "-o", "size=64m", "tmpfs")
    except FileNotFoundError:
        pytest.skip("skipped: no mount command")
    if mounted.returncode:
        pytest.skip(f"skipped: may not mount a tmpfs: {mounted.stderr.strip()}")
    yield folder, lambda: mount("-o", "remount,size=1G")
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk):
    """Takes all space but a quarter of a megabyte; the file that holds it."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        while (free := shutil.disk_usage(disk).free - 256 * 1024) > 0:
            # fails where the run wrote meanwhile
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, free)
                break
    return ballast


def test_a_run_that_fills_the_disk_is_carried_on_when_there_is_room(small_disk, capsys, operations):
    disk, enlarge = small_disk
    here = Installation(disk)
    done, kept, again, hung = {}, {}, [], 0
    for station in ("embed", *FULL_AT):
        process = here.start()
        try:
            assert await_station(process, here.log, station, operations), here.log.read_text()[-4000:]
            ballast = None if station == "embed" else fill(disk)
            code = process.wait(200)
        except subprocess.TimeoutExpired:
            code, hung = None, hung + 1
        finally:
            if process.poll() is None:
                kill(process)
        told = here.log.read_text()
        assert not any(f"{verdict}: " in told for verdict in ("promoted", "refused")), told[-4000:]
        assert code != 0
        assert "No space left" in told or "disk is full" in told, told[-4000:]
        operations.until(lambda: not operations.living_in(disk), 30)
        if ballast is None:
            assert enlarge().returncode == 0
        else:
            ballast.unlink()
        records, folders = here.records(), here.folders()
        again += repeated(done, records)
        assert {path: folders.get(path) for path in kept} == kept
        done, kept = records, folders
    assert done
    code = here.complete()
    again += repeated(done, here.records())
    folders = here.folders()
    faults = 1 + len(FULL_AT)
    tell(capsys, [(f"full disk ({hung} had to be killed)", faults, faults, len(again))])
    assert not again
    assert {path: folders.get(path) for path in kept} == kept
    parents = here.check_the_end(code)
    assert parents["FINISHED"] == 1
    assert parents["FAILED"] + parents["KILLED"] == faults


def shoot(home, program, heirs, operations):
    """Kills a program of an installation alone, or all that it started and not itself."""
    found = [int(pid) for pid, command in operations.living_in(home) if program in command]
    if heirs:
        found = [child.pid for pid in found for child in psutil.Process(pid).children()]
    assert found, program
    for pid in found:
        os.kill(pid, signal.SIGKILL)


WORKER = "the worker, and with it the flow"
MIDDLE, JUDGED, NOTES = "data/stages/featurise/[!.]*", "data/stages/evaluate/[!.]*", "data/published/history.jsonl"
"""What appears in the middle of the line, right before MLflow's model version, and right before Prefect's artifacts."""
TARGETS = {
    "the Prefect server": [(MIDDLE, b"prefect server start", False), (NOTES, b"prefect server start", False)],
    # once what was started, once the uvicorn that it started in turn, which is what answers
    "the MLflow server": [(MIDDLE, b"mlflow server", False), (JUDGED, b"mlflow server", True)],
    WORKER: [(MIDDLE, b"flows.platform.deployments", False)],
}
ENDS = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@pytest.mark.parametrize("target", TARGETS)
def test_a_run_goes_on_though_a_server_or_the_worker_is_killed(target, tmp_path, capsys, operations):
    here, ports = Installation((tmp_path / "home").resolve()), (operations.free_port(), operations.free_port())
    done, kept, again = {}, {}, []
    # the flow reaches MLflow through its server, so that it can miss it
    extra = {"POINTSMAN_MLFLOW_URI": f"http://127.0.0.1:{ports[1]}"}
    with operations.dashboards(here.home, *ports, extra) as (api, mlflow):
        found = operations.until(lambda: "from-your-logs" in (d := operations.deployments(api)) and d)
        create = f"{api}/deployments/{found['from-your-logs']['id']}/create_flow_run"
        wish = {"parameters": {"parameters": {"preset": "smoke"}}, "state": {"type": "SCHEDULED"}}

        def clicked():
            # 503 while the worker's start holds SQLite
            status, body = operations.answers(create, wish)
            return status == 201 and json.loads(body)["id"]

        address = f"{api}/flow_runs/{operations.until(clicked)}"

        def run():
            status, body = operations.answers(address)
            return json.loads(body) if status == 200 else {"state": {"type": None}}

        for moment, *shot in TARGETS[target]:
            operations.until(lambda moment=moment: [*here.home.glob(moment)], 900)
            shoot(here.home, *shot, operations)
            again += repeated(done, here.records())
            done, kept = here.records(), here.folders()
        state = operations.until(lambda: (s := run()["state"])["type"] in ENDS and s, 900)
        assert state["type"] == "COMPLETED", state
        again += repeated(done, here.records())
        resumed = run()["run_count"] - 1
        operations.until(lambda: operations.answers(f"{mlflow}/health")[0] == 200)
    faults = len(TARGETS[target])
    tell(capsys, [(f"kill -9 of {target}", faults, f"{faults}, {resumed} by the automation", len(again))])
    assert not again
    folders = here.folders()
    assert {path: folders.get(path) for path in kept} == kept
    assert resumed == (target == WORKER)
    parents = here.check_the_end(int(read_history(here.published)[-1].verdict == "refused"))
    assert len(read_history(here.published)) == 1
    assert parents["FINISHED"] == 1
    assert parents["KILLED"] == resumed
