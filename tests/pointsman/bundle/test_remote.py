"""Published roots at URLs: on a memory filesystem, and on a local one that is watched or breaks off."""

import json
import random
import subprocess
import sys
import uuid
from pathlib import Path

import fsspec
import pytest

from components.release.history import parse_history
from components.release.mirror import mirror
from components.release.publish import publish, rollback
from pointsman.bundle.reading import is_whole
from pointsman.bundle.remote import fetch, locate
from pointsman.errors import BundleError
from pointsman.router import Router


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    return f"memory://{uuid.uuid4().hex}/routers" if request.param == "memory" else f"file://{tmp_path / 'far'}"


def tree(url):
    system, path = fsspec.core.url_to_fs(url)
    return {name.removeprefix(path).lstrip("/"): system.cat_file(name) for name in system.find(path)}


def test_a_url_holds_what_is_in_service(bundle, second, tmp_path, url, prompts):
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

    root, put, written = tmp_path / "root", mirroring.write_remote, []
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

    monkeypatch.setattr(mirroring, "write_remote", breaking)
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
    # the history got there before the last break
    assert written[-2].endswith("manifest.json")
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


def test_attack_12_a_damaged_copy_in_the_cache_is_fetched_again(bundle, tmp_path, url):
    publish(bundle, tmp_path / "root")
    mirror(tmp_path / "root", url)
    copy = fetch(url, tmp_path / "cache")
    assert fetch(url, tmp_path / "cache") == copy
    (copy / "report.json").write_text("{}")
    (copy / "stray").write_text("stray")
    assert fetch(url, tmp_path / "cache") == copy
    assert is_whole(copy)


@pytest.mark.parametrize("torn", [b"", b"{", b'{"router_id": "../../etc"}'])
def test_attack_12_a_torn_pointer_at_a_url_is_repaired(bundle, tmp_path, url, torn):
    publish(bundle, tmp_path / "root")
    mirror(tmp_path / "root", url)
    system, path = fsspec.core.url_to_fs(url)
    system.pipe_file(f"{path}/current.json", torn)
    mirror(tmp_path / "root", url)
    assert locate(url) == f"{url}/{bundle.name}"


def test_attack_12_a_damaged_file_at_a_url_is_replaced(bundle, tmp_path, url):
    publish(bundle, tmp_path / "root")
    mirror(tmp_path / "root", url)
    system, path = fsspec.core.url_to_fs(url)
    name = f"{path}/{bundle.name}/report.json"
    whole = system.cat_file(name)
    system.pipe_file(name, whole[:-1])
    mirror(tmp_path / "root", url)
    assert system.cat_file(name) == whole
    system.pipe_file(name, b"x" + whole[1:])
    mirror(tmp_path / "root", url, thorough=True)
    assert system.cat_file(name) == whole


def test_attack_12_two_installations_with_one_url_lose_no_history(bundle, second, tmp_path, url):
    for router, home in ((bundle, "here"), (second, "there"), (second, "here")):
        publish(router, tmp_path / home, who=home)
        mirror(tmp_path / home, url)
    lines = tree(url)["history.jsonl"].split(b"\n")[:-1]
    entries = parse_history(lines, url, merged=True)
    assert [(e.who, e.router_id) for e in entries] == [
        ("here", bundle.name),
        ("there", second.name),
        ("here", second.name),
    ]
    with pytest.raises(ValueError, match="was changed, taken out or added"):
        parse_history(lines[1:], url, merged=True)


def test_attack_11_a_folder_named_for_another_router_is_refused(bundle, second, tmp_path, url):
    publish(bundle, tmp_path / "root")
    mirror(tmp_path / "root", url)
    system, path = fsspec.core.url_to_fs(url)
    for name in system.find(f"{path}/{bundle.name}"):
        system.pipe_file(name, (second / name.rpartition("/")[2]).read_bytes())
    with pytest.raises(BundleError, match="holds another router than it is named for"):
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
