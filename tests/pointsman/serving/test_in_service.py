"""Reloads: whatever goes wrong, the old router goes on, the failure is counted, and tries become rarer."""

import time
from itertools import pairwise

import pytest

from components.release.publish import publish
from pointsman.router import Router
from pointsman.serving import in_service
from pointsman.serving.in_service import InService


@pytest.mark.parametrize("error", [OSError("disk"), MemoryError(), KeyError("x"), RuntimeError("driver")])
def test_any_failure_leaves_the_old_router(bundle, second, tmp_path, monkeypatch, error):
    publish(bundle, tmp_path)
    service = InService(tmp_path, every=0)
    publish(second, tmp_path)

    def broken(*_, **__):
        raise error

    whole = Router.load
    monkeypatch.setattr(Router, "load", broken)
    assert service.get().router_id == bundle.name
    assert service.failures == 1
    assert str(error) == service.last_failure
    monkeypatch.setattr(Router, "load", whole)
    assert service.get().router_id == second.name
    assert (service.failures, service.last_failure) == (1, "")


class AtOnce:
    def __init__(self, target, **_):
        self.start = target


def test_tries_become_rarer(bundle, tmp_path, monkeypatch):
    publish(bundle, tmp_path)
    now = [1000.0]
    monkeypatch.setattr(in_service.time, "monotonic", lambda: now[0])
    service = InService(tmp_path, every=1.0)
    # the thread's work, at once
    monkeypatch.setattr(
        in_service.threading, "Thread", lambda target, **_: type("T", (), {"start": lambda _: target()})()
    )
    (tmp_path / "current.json").write_text("torn")
    tried = []
    for _ in range(400):
        now[0] += 0.5
        before = service.failures
        assert service.get().router_id == bundle.name
        if service.failures > before:
            tried.append(now[0] - 1000)
    gaps = [round(b - a) for a, b in pairwise(tried)]
    assert gaps[:5] == [2, 4, 8, 16, 32]
    assert set(gaps[5:]) <= {60}


def test_nobody_waits_for_a_new_router(bundle, second, tmp_path):
    publish(bundle, tmp_path)
    service = InService(tmp_path, every=0.01)
    publish(second, tmp_path)
    deadline = time.monotonic() + 30
    while service.get().router_id != second.name and time.monotonic() < deadline:
        time.sleep(0.01)
    assert service.get().router_id == second.name
