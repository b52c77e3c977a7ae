import json
import os
import shutil

import pytest

from components.release.history import read_history
from components.release.lock import Busy, hold
from components.release.publish import publish, refuse, rollback
from components.release.repair import reconcile
from pointsman import durable
from pointsman.bundle.pointer import read_pointer
from pointsman.bundle.reading import read_bundle
from pointsman.errors import BundleError


class Memory:
    """A registry in memory."""

    def __init__(self, versions):
        self.versions, self.champion = versions, None

    def find(self, router_id):
        return self.versions.get(router_id)

    def make_champion(self, version):
        self.champion = version

    def no_champion(self):
        self.champion = None

    def champion_router(self):
        return next((router for router, version in self.versions.items() if version == self.champion), None)


def snapshot(root):
    return {
        path.relative_to(root): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_publishing_again_changes_nothing(bundle, tmp_path):
    assert publish(bundle, tmp_path, reasons=["better"], who="ada") == bundle.name
    assert read_pointer(tmp_path) == bundle.name
    read_bundle(tmp_path / bundle.name)
    before = snapshot(tmp_path)
    publish(bundle, tmp_path, reasons=["again"])
    assert snapshot(tmp_path) == before
    (entry,) = read_history(tmp_path)
    assert (entry.router_id, entry.verdict, entry.reasons, entry.who) == (bundle.name, "promoted", ("better",), "ada")


def test_a_damaged_bundle_is_not_published(bundle, tmp_path):
    damaged = shutil.copytree(bundle, tmp_path / "damaged")
    (damaged / "report.json").write_text("{}")
    with pytest.raises(BundleError):
        publish(damaged, tmp_path / "root")
    assert not (tmp_path / "root").exists()


def test_rollback_walks_back_through_earlier_routers(parts, bundle, second, tmp_path):
    third = parts.write(tmp_path / "made", seed=3)
    root = tmp_path / "root"
    for path in (bundle, second, third):
        publish(path, root)
    refuse(root, "f" * 64, ["worse"])
    assert rollback(root) == second.name
    assert rollback(root) == bundle.name
    with pytest.raises(BundleError, match="no router was in service before"):
        rollback(root)
    assert rollback(root, to=third.name[:12], who="ada") == third.name == read_pointer(root)
    assert [entry.verdict for entry in read_history(root)] == ["promoted"] * 3 + ["refused"] + ["rolled_back"] * 3
    for name in ("", "../x", "e" * 64):
        with pytest.raises(BundleError, match="need exactly one"):
            rollback(root, to=name)


def test_one_promotion_at_a_time(bundle, tmp_path):
    with hold(tmp_path), pytest.raises(Busy, match="held by another"):
        publish(bundle, tmp_path, timeout=0.05)


def test_what_must_hold_is_asked_while_nobody_else_can_change_it(bundle, second, tmp_path):
    publish(bundle, tmp_path)
    before = snapshot(tmp_path)

    def asked():
        with pytest.raises(Busy), hold(tmp_path, timeout=0.01):
            pass
        raise ValueError("another router is in service")

    with pytest.raises(ValueError, match="another router"):
        publish(second, tmp_path, permit=asked)
    assert snapshot(tmp_path) == before
    publish(second, tmp_path, permit=lambda: None)
    assert read_pointer(tmp_path) == second.name


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


def steps(monkeypatch, fatal):
    """Dies before the fatal-th call that touches the disk; returns the count so far."""
    count = [0]

    def wrap(call):
        def counted(*arguments, **named):
            count[0] += 1
            if count[0] == fatal:
                raise Killed
            return call(*arguments, **named)

        return counted

    monkeypatch.setattr(Memory, "make_champion", wrap(Memory.make_champion))
    for name in ("fsync", "rename", "replace"):
        monkeypatch.setattr(os, name, wrap(getattr(os, name)))
    monkeypatch.setattr(durable.shutil, "rmtree", wrap(shutil.rmtree))
    return count


def act(root, second, registry):
    publish(second, root, reasons=["better"], registry=registry)
    refuse(root, "f" * 64, ["worse"])
    rollback(root, registry=registry)


def test_a_crash_at_any_step_is_repaired(bundle, second, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        publish(bundle, tmp_path / "count")
        count = steps(patch, -1)
        act(tmp_path / "count", second, Memory({bundle.name: "1", second.name: "2"}))
        total = count[0]
    assert total > 15
    for fatal in range(1, total + 1):
        root, registry = tmp_path / str(fatal), Memory({bundle.name: "1", second.name: "2"})
        publish(bundle, root, registry=registry)
        with pytest.MonkeyPatch.context() as patch:
            steps(patch, fatal)
            with pytest.raises(Killed):
                act(root, second, registry)
        # before repair the pointer already names a complete bundle
        read_bundle(root / read_pointer(root))
        promised = [entry for entry in read_history(root) if entry.verdict != "refused"][-1].router_id
        assert reconcile(root, registry).router_id == promised == read_pointer(root) == registry.champion_router()
        assert not list(root.glob(".aside-*"))
        assert reconcile(root, registry).done == ()


def test_a_torn_line_is_left_out_and_cut_off(bundle, tmp_path):
    publish(bundle, tmp_path)
    with (tmp_path / "history.jsonl").open("ab") as file:
        file.write(b'{"time": "2026-0')
    assert len(read_history(tmp_path)) == 1
    refuse(tmp_path, "f" * 64, ["worse"])
    assert [entry.verdict for entry in read_history(tmp_path)] == ["promoted", "refused"]
    assert all(json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines())


def test_a_damaged_line_within_is_reported(tmp_path):
    (tmp_path / "history.jsonl").write_text("nonsense\n")
    with pytest.raises(ValueError, match="line 1"):
        read_history(tmp_path)


def test_a_damaged_pointer_is_repaired_from_the_history(bundle, tmp_path):
    publish(bundle, tmp_path)
    (tmp_path / "current.json").write_text("{}")
    assert reconcile(tmp_path).done == (f"pointer moved to {bundle.name}",)


def test_a_router_in_service_without_a_record_is_recorded(bundle, tmp_path):
    publish(bundle, tmp_path)
    (tmp_path / "history.jsonl").unlink()
    assert reconcile(tmp_path).done == ("history lacked the router in service",)
    assert read_history(tmp_path)[0].router_id == bundle.name


def test_nothing_published_needs_no_repair(tmp_path):
    assert reconcile(tmp_path).router_id is None


def test_rollback_after_a_second_promotion_of_one_router_goes_back_to_the_one_between(parts, bundle, second, tmp_path):
    third, root = parts.write(tmp_path / "made", seed=3), tmp_path / "root"
    for path in (bundle, second, bundle, third):
        publish(path, root)
    assert [rollback(root) for _ in range(3)] == [bundle.name, second.name, bundle.name]
    with pytest.raises(BundleError, match="no router was in service before"):
        rollback(root)
