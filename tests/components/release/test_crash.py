"""kill -9, for real, at every step boundary and at random: nothing promised is lost, and repair always succeeds."""

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.release.history import read_history
from components.release.publish import publish, refuse, rollback
from components.release.repair import reconcile
from pointsman import durable
from pointsman.bundle.pointer import read_pointer
from pointsman.bundle.reading import read_bundle

ROUNDS = 100
STEPS = ("fsync", "rename", "replace")


class Kept:
    """A registry in a file, as a database keeps it: it outlives the process that wrote it."""

    def __init__(self, path, versions):
        self.path, self.versions = path, versions

    def find(self, router_id):
        return self.versions.get(router_id)

    def make_champion(self, version):
        aside = self.path.with_suffix(".aside")
        aside.write_text(json.dumps(version))
        aside.replace(self.path)

    def no_champion(self):
        self.make_champion(None)

    def champion_router(self):
        version = json.loads(self.path.read_text()) if self.path.exists() else None
        return next((router for router, held in self.versions.items() if held == version), None)


def dying(work):
    """Runs `work(tell)` in a process of its own; returns its id and where what it tells can be read."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        os.close(reading)
        work(lambda line: os.write(writing, f"{line}\n".encode()))
    finally:
        os._exit(0)


def told(reading):
    with os.fdopen(reading) as lines:
        return lines.read().splitlines()


def check(root, registry, promised):
    """The state right after a crash, before anything is repaired, and then after repair."""
    named = read_pointer(root)
    assert read_bundle(root / named).manifest.router_id == named
    entries = read_history(root)
    verdicts = [f"{entry.verdict} {entry.router_id}" for entry in entries]
    # all that was acknowledged, in order; at most the verdict under way is there beyond it
    assert verdicts[: len(promised)] == promised
    assert len(verdicts) - len(promised) in (0, 1)
    in_service = next(entry.router_id for entry in reversed(entries) if entry.verdict != "refused")
    repaired = reconcile(root, registry)
    assert repaired.router_id == in_service == read_pointer(root) == registry.champion_router()
    assert not list(root.glob(".aside-*"))
    assert reconcile(root, registry).done == ()
    return verdicts


def acts(root, bundle, second, registry, tell):
    publish(second, root, reasons=["better"], registry=registry)
    tell(f"promoted {second.name}")
    refuse(root, "f" * 64, ["worse"])
    tell(f"refused {'f' * 64}")
    rollback(root, registry=registry)
    tell(f"rolled_back {bundle.name}")


def kill_before(fatal, registry_type):
    """Makes this process kill itself before the fatal-th step; steps are all that touches the disk or the registry."""
    count = itertools.count(1)

    def wrap(call):
        def stepping(*arguments, **named):
            if next(count) == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return stepping

    for name in STEPS:
        setattr(os, name, wrap(getattr(os, name)))
    durable.shutil.rmtree = wrap(shutil.rmtree)
    registry_type.make_champion = wrap(registry_type.make_champion)


def test_killed_before_every_step(bundle, second, tmp_path):
    versions = {bundle.name: "1", second.name: "2"}
    for fatal in itertools.count(1):
        root = tmp_path / str(fatal) / "root"
        registry = Kept(tmp_path / str(fatal) / "registry.json", versions)
        publish(bundle, root, registry=registry)

        def work(tell, fatal=fatal, root=root, registry=registry):
            kill_before(fatal, Kept)
            acts(root, bundle, second, registry, tell)

        child, reading = dying(work)
        promised = [f"promoted {bundle.name}", *told(reading)]
        _, status = os.waitpid(child, 0)
        check(root, registry, promised)
        shutil.rmtree(root.parent)
        if not os.WIFSIGNALED(status):
            break
    # that many steps were survived; the last round met no kill
    assert len(promised) == 4
    assert fatal > 15


@pytest.mark.slow
def test_killed_at_random_a_hundred_times(bundle, second, tmp_path):
    root, draw, ends = tmp_path / "root", random.Random(0), 0
    registry = Kept(tmp_path / "registry.json", {bundle.name: "1", second.name: "2"})
    publish(bundle, root, registry=registry)
    known = [f"promoted {bundle.name}"]
    for _ in range(ROUNDS):

        def work(tell):
            while True:
                acts(root, bundle, second, registry, tell)

        child, reading = dying(work)
        time.sleep(draw.random() * 0.15)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        ends += os.WIFSIGNALED(status)
        # a repair may find a crash between publish and rollback: the next round then begins with the other router
        known = check(root, registry, known + without_repeats(known, told(reading)))
    assert ends == ROUNDS
    assert len(known) > ROUNDS


def without_repeats(known, lines):
    """What a process said, less a first promotion of what was in service already, which the history doesn't repeat."""
    in_service = next(line.split()[1] for line in reversed(known) if not line.startswith("refused"))
    return lines[1:] if lines and lines[0] == f"promoted {in_service}" else lines


WORKER = """
import sys
from pathlib import Path
from components.release.publish import publish, rollback
from components.tracking.registry import Registry
root, uri, artifacts, first, second = sys.argv[1:]
registry = Registry(uri, Path(artifacts))
print("ready", flush=True)
while True:
    publish(Path(second), Path(root), reasons=["better"], registry=registry)
    rollback(Path(root), registry=registry)
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::Warning")
def test_mlflow_agrees_after_every_kill(bundle, second, tmp_path):
    from components.tracking.registry import Registry

    root, uri, draw = tmp_path / "root", f"sqlite:///{tmp_path / 'mlflow.db'}", random.Random(0)
    registry = Registry(uri, tmp_path / "artifacts")
    run_id = registry.start_run("retrain")
    for path in (bundle, second):
        registry.register(run_id, path, {"methods": {}}, "")
    publish(bundle, root, registry=registry)
    for _ in range(5):
        command = [sys.executable, "-W", "ignore", "-c", WORKER, root, uri, tmp_path / "artifacts", bundle, second]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as worker:
            worker.stdout.readline()
            time.sleep(draw.random() * 0.5)
            worker.kill()
        read_bundle(root / read_pointer(root))
        assert reconcile(root, registry).router_id == read_pointer(root) == registry.champion_router()
        assert read_history(root)[-1].router_id == read_pointer(root)
