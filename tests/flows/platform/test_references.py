import os
import time

import pytest

from flows.platform.references import DataRef, discard, intact, keep, reference


def test_a_reference_names_its_content_not_its_place(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text("same")
    first, second = reference(tmp_path / "a"), reference(tmp_path / "b")
    assert first.digest == second.digest
    (tmp_path / "b" / "x.txt").write_text("other")
    assert reference(tmp_path / "b").digest != first.digest


def test_hidden_files_do_not_count(tmp_path):
    (tmp_path / "x.txt").write_text("same")
    before = reference(tmp_path).digest
    (tmp_path / ".aside").write_text("half-written")
    assert reference(tmp_path).digest == before


def test_the_same_content_is_kept_once():
    first = keep("station", lambda folder: (folder / "x.txt").write_text("kept once"))
    second = keep("station", lambda folder: (folder / "x.txt").write_text("kept once"))
    assert first == second
    assert first.file("x.txt").read_text() == "kept once"


def test_a_crash_while_writing_leaves_nothing():
    def crash(folder):
        (folder / "half.txt").write_text("half")
        raise RuntimeError("power cut")

    before = keep("crash", lambda folder: (folder / "x.txt").write_text("whole"))
    with pytest.raises(RuntimeError, match="power cut"):
        keep("crash", crash)
    assert list(before.path.parent.iterdir()) == [before.path]


def test_what_a_killed_process_left_is_removed_once_it_is_a_day_old():
    shelf = keep("swept", lambda folder: (folder / "x.txt").write_text("whole")).path.parent
    old, young = shelf / ".old", shelf / ".young"
    for left in (old, young):
        left.mkdir()
        (left / "half.txt").write_text("half")
    os.utime(old, (time.time() - 90_000,) * 2)
    os.utime(shelf / keep("swept", lambda folder: (folder / "x.txt").write_text("whole")).path, (0, 0))
    keep("swept", lambda folder: (folder / "y.txt").write_text("more"))
    assert not old.exists()
    assert young.is_dir()
    assert len(list(shelf.glob("[!.]*"))) == 2


def test_a_file_that_is_gone_is_named():
    kept = keep("gone", lambda folder: (folder / "x.txt").write_text("here"))
    kept.file("x.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"x\.txt is gone: delete"):
        kept.file("x.txt")


def test_an_output_is_intact_while_its_content_is_what_was_kept():
    kept = keep("intact", lambda folder: (folder / "x.npy").write_bytes(b"header 1234"))
    path = kept.file("x.npy")
    assert intact(kept)
    # the size stays, as where a power cut left zeros
    path.write_bytes(b"header\0\0\0\0\0")
    assert not intact(kept)
    path.write_bytes(b"header 1234")
    assert intact(kept)
    path.write_bytes(b"")
    assert not intact(kept)
    path.unlink()
    assert not intact(kept)
    kept.path.rmdir()
    assert not intact(kept)


def test_a_damaged_output_is_replaced_by_the_same_one_made_again():
    for damage in (lambda path: path.write_text(""), lambda path: path.unlink()):
        kept = keep("mended", lambda folder: (folder / "x.txt").write_text("whole"))
        damage(kept.file("x.txt"))
        assert keep("mended", lambda folder: (folder / "x.txt").write_text("whole")) == kept
        assert kept.file("x.txt").read_text() == "whole"
    assert list(kept.path.parent.iterdir()) == [kept.path]


def test_only_outputs_of_stations_are_ever_discarded(tmp_path):
    (tmp_path / "x.txt").write_text("a user's")
    discard(DataRef(path=tmp_path, digest="0" * 64))
    assert (tmp_path / "x.txt").read_text() == "a user's"
    kept = keep("discarded", lambda folder: (folder / "x.txt").write_text("whole"))
    for _ in range(2):
        discard(kept)
        assert not kept.path.exists()
