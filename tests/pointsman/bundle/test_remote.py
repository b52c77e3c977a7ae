"""Published roots at URLs: on a memory filesystem, and on a local one that is watched or breaks off."""

import json
import random
import subprocess
import sys
import uuid
from pathlib import Path

import fsspec
import pytest

from components.release.mirror import mirror
from components.release.publish import publish, rollback
from pointsman.bundle.remote import fetch, locate
from pointsman.errors import BundleError
from pointsman.router import Router


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    return f"memory://{uuid.uuid4().hex}/routers" if request.param == "memory" else f"file://{tmp_path / 'far'}"


def tree(url):
    system, path = fsspec.core.url_to_fs(url)
    return {name.removeprefix(path).lstrip("/"): system.cat_file(name) for name in system.find(path)}


def test_a_url_holds_what_reigns(bundle, second, tmp_path, url, prompts):
    root, cache = tmp_path / "root", tmp_path / "cache"
    publish(bundle, root)
    assert mirror(root, url) == bundle.name
    far = Router.load(url, threads=1, cache=cache)
    assert far.router_id == bundle.name
    assert far.route(prompts).candidate == Router.load(bundle, threads=1).route(prompts).candidate
    publish(second, root)
    mirror(root, url)
    assert Router.load(url, threads=1, cache=cache).router_id == second.name
    assert Router.load(f"{url}/{bundle.name}", threads=1, cache=cache).router_id == bundle.name
    rollback(root)
    assert mirror(root, url) == bundle.name
    assert locate(url) == f"{url}/{bundle.name}"
    assert tree(url)["history.jsonl"] == (root / "history.jsonl").read_bytes()


def test_again_changes_nothing(bundle, tmp_path, url):
    publish(bundle, tmp_path / "root")
    mirror(tmp_path / "root", url)
    before = tree(url)
    mirror(tmp_path / "root", url)
    assert tree(url) == before
    assert set(before) == {"history.jsonl", "current.json"} | {f"{bundle.name}/{p.name}" for p in bundle.iterdir()}


def test_nothing_published_mirrors_nothing(tmp_path, url):
    assert mirror(tmp_path / "root", url) is None
    assert tree(url) == {}


def test_wherever_it_breaks_off_the_pointer_names_a_whole_bundle(bundle, second, tmp_path, url, monkeypatch):
    from components.release import mirror as mirroring

    root, put, written = tmp_path / "root", mirroring._put, []
    publish(bundle, root)
    mirror(root, url)
    publish(second, root)

    def breaking(system, path, content):
        if len(written) == fatal:
            # what an object store never does, and a disk may: half a file
            if not path.endswith(("current.json", "history.jsonl")):
                system.pipe_file(path, content[: len(content) // 2])
            raise ConnectionError("gone")
        written.append(path)
        put(system, path, content)

    monkeypatch.setattr(mirroring, "_put", breaking)
    for fatal in range(8):
        written.clear()
        with pytest.raises(BundleError, match="can't be written: gone"):
            mirror(root, url)
        assert Router.load(url, threads=1, cache=tmp_path / f"cache-{fatal}").router_id == bundle.name
        system, path = fsspec.core.url_to_fs(url)
        system.rm(f"{path}/{second.name}", recursive=True)
    written.clear()
    fatal = 99
    assert mirror(root, url) == second.name
    assert written[-1].endswith("current.json")
    assert written[-3].endswith("manifest.json")
    assert Router.load(url, threads=1, cache=tmp_path / "cache").router_id == second.name


def test_no_change_on_the_way_is_accepted(bundle, tmp_path, url):
    publish(bundle, tmp_path / "root")
    mirror(tmp_path / "root", url)
    system, path = fsspec.core.url_to_fs(url)
    names, draw, accepted = sorted(system.find(f"{path}/{bundle.name}")), random.Random(0), 0
    for trial in range(60):
        name = names[trial % len(names)]
        content = system.cat_file(name)
        place = draw.randrange(len(content))
        flipped = content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :]
        system.pipe_file(name, content[:place] if draw.random() < 0.25 else flipped)
        try:
            fetch(url, tmp_path / f"cache-{trial}")
            accepted += 1
        except BundleError:
            assert not (tmp_path / f"cache-{trial}").exists()
        system.pipe_file(name, content)
    assert accepted == 0
    fetch(url, tmp_path / "cache")


def test_a_changed_copy_in_the_cache_is_refused(bundle, tmp_path, url):
    publish(bundle, tmp_path / "root")
    mirror(tmp_path / "root", url)
    copy = fetch(url, tmp_path / "cache")
    assert fetch(url, tmp_path / "cache") == copy
    (copy / "report.json").write_text("{}")
    with pytest.raises(BundleError, match="isn't the file that its manifest names"):
        fetch(url, tmp_path / "cache")


@pytest.mark.parametrize("content", ["torn", "[]", json.dumps({"router_id": "../../etc"})])
def test_a_damaged_pointer_leads_nowhere(tmp_path, url, content):
    system, path = fsspec.core.url_to_fs(url)
    system.makedirs(path, exist_ok=True)
    system.pipe_file(f"{path}/current.json", content.encode())
    with pytest.raises(BundleError, match="names no router_id"):
        fetch(url, tmp_path / "cache")


def test_what_is_not_there_is_told(tmp_path):
    for url in ("memory://nowhere/at-all", f"file://{tmp_path}", "nosuch://bucket"):
        with pytest.raises(BundleError, match="can't be read"):
            Router.load(url, cache=tmp_path / "cache")


def test_folders_need_no_fsspec(bundle):
    code = "import sys; from pointsman.router import Router; Router.load(sys.argv[1]);sys.exit('fsspec' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, str(bundle)], check=True, cwd=Path(__file__).parents[3])
