"""Attacks 6, 11, 12 and 13: what a failing disk, a failing address or a stranger leaves is found and repaired."""

import errno
import json
import os
import shutil

import pytest

from components.release.history import HISTORY, read_history
from components.release.publish import publish, refuse, rollback
from components.release.repair import reconcile
from pointsman import durable
from pointsman.bundle.pointer import POINTER, read_pointer, resolve
from pointsman.bundle.reading import is_whole, read_files
from pointsman.errors import BundleError


@pytest.fixture
def root(parts, bundle, second, tmp_path):
    """Three routers in turn; the third is in service."""
    third = parts.write(tmp_path / "made", seed=3)
    for path in (bundle, second, third):
        publish(path, tmp_path / "root")
    return tmp_path / "root"


def full(monkeypatch, name):
    """From now on the disk is full for files of this name."""
    replace = os.replace

    def refusing(source, target):
        if os.path.basename(target) == name:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        replace(source, target)

    monkeypatch.setattr(durable.os, "replace", refusing)


def test_attack_6_rollback_on_a_full_disk_goes_back_one_router_when_it_is_repeated(root, second, monkeypatch):
    third = read_pointer(root)
    with monkeypatch.context() as patch:
        full(patch, POINTER)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                rollback(root)
    assert read_pointer(root) == third
    assert rollback(root) == second.name == read_pointer(root)
    assert [entry.verdict for entry in read_history(root)].count("rolled_back") == 1
    assert not list(root.glob(".aside-*"))


def test_attack_6_rollback_leaves_what_is_in_service_though_a_promotion_broke_off(parts, root, second, tmp_path):
    third, fourth = read_pointer(root), parts.write(tmp_path / "more", seed=4)
    with pytest.MonkeyPatch.context() as patch:
        full(patch, POINTER)
        with pytest.raises(OSError, match="No space left"):
            publish(fourth, root)
    assert read_pointer(root) == third
    assert rollback(root) == second.name == read_pointer(root)


def test_attack_12_an_intact_copy_replaces_the_damaged_router_in_service(root, second):
    rollback(root)
    (root / second.name / "report.json").write_text("{}")
    publish(second, root)
    assert is_whole(root / second.name)
    shutil.rmtree(root / second.name)
    with pytest.raises(BundleError):
        reconcile(root)
    done = reconcile(root, copies=[root / "nowhere", second.parent]).done
    assert len(done) == 1
    assert "intact copy" in done[0]
    assert is_whole(root / second.name)
    assert reconcile(root, copies=[second.parent]).done == ()


@pytest.mark.parametrize("fault", ["report", "manifest", "gone"])
def test_an_earlier_router_is_mended_from_a_copy_before_a_rollback_reads_it(root, second, fault):
    match fault:
        case "report":
            (root / second.name / "report.json").write_text("{}")
        case "manifest":
            (root / second.name / "manifest.json").write_text("{}")
        case "gone":
            shutil.rmtree(root / second.name)
    third = read_pointer(root)
    with pytest.raises(
        BundleError, match=f"router {second.name[:12]} can't serve again: .*{second.name}.* from a backup"
    ):
        rollback(root, copies=[root / "nowhere"])
    assert read_pointer(root) == third
    assert rollback(root, second.name[:12], copies=[second.parent]) == second.name == read_pointer(root)
    assert is_whole(root / second.name)


def test_every_router_that_ever_served_is_mended(root, bundle, second):
    (root / bundle.name / "report.json").write_text("{}")
    shutil.rmtree(root / second.name)
    done = reconcile(root, copies=[bundle.parent, second.parent]).done
    assert [line.split()[3] for line in done] == [bundle.name[:12], second.name[:12]]
    assert is_whole(root / bundle.name)
    assert is_whole(root / second.name)


def test_attack_11_a_folder_is_the_router_that_it_is_named_for(bundle, second, tmp_path):
    shutil.copytree(second, tmp_path / bundle.name)
    with pytest.raises(BundleError, match="holds another router than it is named for"):
        read_files(tmp_path / bundle.name)


def test_attack_13_refusing_again_adds_no_line(root):
    for _ in range(3):
        refuse(root, "f" * 64, ["worse"])
    assert [entry.verdict for entry in read_history(root)] == ["promoted"] * 3 + ["refused"]
    refuse(root, "f" * 64, ["worse still"])
    assert len(read_history(root)) == 5


@pytest.mark.parametrize("change", ["edited", "taken out", "added", "front cut off"])
def test_a_changed_history_is_noticed(root, change):
    lines = (root / HISTORY).read_bytes().splitlines(keepends=True)
    match change:
        case "edited":
            lines[1] = lines[1].replace(b"promoted", b"rolled_back")
        case "taken out":
            del lines[1]
        case "added":
            lines.insert(1, lines[0])
        case "front cut off":
            del lines[0]
    (root / HISTORY).write_bytes(b"".join(lines))
    with pytest.raises(ValueError, match="was changed, taken out or added"):
        read_history(root)
    with pytest.raises(ValueError, match="was changed, taken out or added"):
        refuse(root, "f" * 64, ["worse"])
    # as the message says: moved away, a new one begins
    (root / HISTORY).rename(root.parent / "away.jsonl")
    assert reconcile(root).done == ("history lacked the router in service",)


def test_lines_from_before_the_chain_are_read(root):
    path = root / HISTORY
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    older = "".join(json.dumps({k: v for k, v in e.items() if k != "before"}) + "\n" for e in entries)
    path.write_text(older)
    refuse(root, "f" * 64, ["worse"])
    assert len(read_history(root)) == 4
    path.write_text(path.read_text().replace("promoted", "rolled_back", 3))
    with pytest.raises(ValueError, match="line 4"):
        read_history(root)


def test_a_pointer_that_is_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / POINTER)
    with pytest.raises(BundleError, match="no plain file"):
        read_pointer(tmp_path)


def test_an_empty_home_says_what_became_of_the_last_retrain(tmp_path):
    with pytest.raises(BundleError, match="nothing published yet; run `pointsman retrain` first"):
        resolve(tmp_path)
    refuse(tmp_path, "f" * 64, ["no worse than X: 2 points below", "calibrated: off by 0.2"])
    with pytest.raises(
        BundleError,
        match="yet; the last retrain was refused, for it didn't meet: no worse than X: 2 points below; calibrated: off",
    ):
        resolve(tmp_path)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("refused", "the last retrain was refused, for it didn't meet: ABC"),
        ("not enough evidence", "the last retrain ended as not enough evidence, for it couldn't show: ABC"),
        ("to canary", "the last retrain's router waits for a canary: ABC"),
        ("awaits approval", "the last retrain's router awaits approval: ABC"),
    ],
)
def test_an_empty_home_tells_each_verdict_as_what_it_is(tmp_path, verdict, words):
    # a condition has the name of what is wanted, which mustn't read as what was found
    refuse(tmp_path, "f" * 64, ["ABC"], verdict=verdict)
    with pytest.raises(BundleError) as error:
        resolve(tmp_path)
    assert str(error.value).endswith(f"nothing published yet; {words}")


def test_a_last_word_of_an_unknown_kind_or_without_reasons_is_told_as_it_is(tmp_path):
    refuse(tmp_path, "f" * 64, [])
    with pytest.raises(BundleError, match=r"the last retrain was refused$"):
        resolve(tmp_path)
    (tmp_path / HISTORY).write_text('{"verdict": "postponed", "reasons": ["rain"]}\n')
    with pytest.raises(BundleError, match="the last retrain ended as postponed: rain"):
        resolve(tmp_path)


def test_the_last_word_stands_before_blank_lines(tmp_path):
    refuse(tmp_path, "f" * 64, ["worse than X"])
    (tmp_path / HISTORY).write_bytes((tmp_path / HISTORY).read_bytes() + b"\n\n")
    with pytest.raises(BundleError, match="the last retrain was refused, for it didn't meet: worse than X"):
        resolve(tmp_path)


def test_the_pointer_stays_where_the_history_lost_its_last_end(root):
    third, path = read_pointer(root), root / HISTORY
    path.write_bytes(path.read_bytes()[:-1])
    assert reconcile(root).done == ()
    assert read_pointer(root) == third


def test_what_the_system_leaves_in_a_folder_is_no_unknown_file(bundle, tmp_path):
    copy = shutil.copytree(bundle, tmp_path / bundle.name)
    (copy / ".nfs0001").write_text("")
    assert is_whole(copy)
