import json
import random
import shutil

import pytest

from components.release.writing import write_bundle
from pointsman.bundle.manifest import SCHEMA, OlderSchema
from pointsman.bundle.reading import read_bundle
from pointsman.errors import BundleError
from pointsman.model.router_model import RouterModel
from pointsman.router import Router


def copy(bundle, tmp_path):
    return shutil.copytree(bundle, tmp_path / "copy")


def test_a_bundle_gives_back_what_was_written(parts, bundle):
    read = read_bundle(bundle)
    assert read.manifest.router_id == bundle.name
    arrays = parts.model.to_arrays()
    assert all(
        (array == arrays[name]).all() for name, array in read.model.to_arrays().items() if "mean_cost" not in name
    )
    assert read.report["gate"]["verdict"] == "promoted"
    assert list(read.golden) == parts.golden
    assert read.manifest.provenance.tasks == ("sums", "songs")


def test_a_bundle_of_an_earlier_version_decides_as_it_did(parts, bundle, tmp_path, monkeypatch):
    whole = parts.model.to_arrays()
    later = {"distance_margin", "usual_distance", "longest_tokens"}
    earlier = {name: array for name, array in whole.items() if name not in later}
    with monkeypatch.context() as written:
        written.setattr(RouterModel, "to_arrays", lambda model: earlier)
        older = parts.write(tmp_path)
    assert older.name != bundle.name
    read = read_bundle(older).model
    assert float(read.distance_margin) == float(read.usual_distance) == 0
    prompts = [row["prompt"] for row in parts.golden]
    found, wanted = (Router.load(folder).route(prompts, "best") for folder in (older, bundle))
    assert list(found.candidate) == list(wanted.candidate)
    assert found.margin_N.tolist() == wanted.margin_N.tolist()  # this one was made without a margin by distance


def test_the_same_content_is_the_same_router(parts, bundle):
    before = {path.name: path.stat().st_mtime_ns for path in bundle.iterdir()}
    assert parts.write(bundle.parent) == bundle
    assert {path.name: path.stat().st_mtime_ns for path in bundle.iterdir()} == before
    assert parts.write(bundle.parent, seed=7).name != bundle.name


def test_the_name_is_the_digest_of_sorted_digests(bundle):
    import hashlib

    document = json.loads((bundle / "manifest.json").read_bytes())
    claimed = document.pop("router_id")
    lines = [f"{hashlib.sha256((bundle / name).read_bytes()).hexdigest()}  {name}\n" for name in document["files"]]
    own = (json.dumps(document, sort_keys=True, indent=1) + "\n").encode()
    lines.append(f"{hashlib.sha256(own).hexdigest()}  manifest.json\n")
    assert hashlib.sha256("".join(sorted(lines)).encode()).hexdigest() == claimed == bundle.name


def test_no_change_of_a_byte_is_accepted(bundle, tmp_path):
    target = copy(bundle, tmp_path)
    draw = random.Random(0)
    files = sorted(target.iterdir())
    accepted = 0
    for trial in range(200):
        path = files[trial % len(files)]
        content = path.read_bytes()
        if draw.random() < 0.25:
            changed = content[: draw.randrange(len(content))]
        else:
            place = draw.randrange(len(content))
            changed = content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :]
        path.write_bytes(changed)
        try:
            read_bundle(target)
            accepted += 1
        except BundleError:
            pass
        path.write_bytes(content)
    assert accepted == 0
    read_bundle(target)


def rename_in_manifest(target, name):
    document = json.loads((target / "manifest.json").read_bytes())
    document["files"][name] = document["files"].pop("report.json")
    (target / "manifest.json").write_text(json.dumps(document, sort_keys=True, indent=1) + "\n")


@pytest.mark.parametrize("name", ["../report.json", "/etc/passwd", "..", "a/b", "C:x", "a\\b", ""])
def test_names_that_leave_the_folder_are_refused(bundle, tmp_path, name):
    target = copy(bundle, tmp_path)
    rename_in_manifest(target, name)
    with pytest.raises(BundleError, match="unsafe file name"):
        read_bundle(target)


def test_links_are_refused(bundle, tmp_path):
    target = copy(bundle, tmp_path)
    (target / "report.json").unlink()
    (target / "report.json").symlink_to(bundle / "report.json")
    with pytest.raises(BundleError, match="plain file"):
        read_bundle(target)


def test_missing_and_unknown_files_are_refused(bundle, tmp_path):
    target = copy(bundle, tmp_path)
    (target / "extra.bin").write_bytes(b"")
    with pytest.raises(BundleError, match=r"unknown files: extra\.bin"):
        read_bundle(target)
    (target / "extra.bin").unlink()
    (target / "golden.jsonl").unlink()
    with pytest.raises(BundleError, match=r"missing files: golden\.jsonl"):
        read_bundle(target)
    with pytest.raises(BundleError, match="is no bundle"):
        read_bundle(tmp_path / "nowhere")


def test_a_newer_form_asks_for_a_newer_pointsman(bundle, tmp_path):
    target = copy(bundle, tmp_path)
    document = json.loads((target / "manifest.json").read_bytes())
    document["schema"] = SCHEMA + 1
    (target / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(BundleError, match="install a newer pointsman"):
        read_bundle(target)


def test_an_older_form_asks_for_a_retrain(bundle, tmp_path):
    target = copy(bundle, tmp_path)
    document = json.loads((target / "manifest.json").read_bytes())
    document["schema"] = SCHEMA - 1
    (target / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(OlderSchema, match="retrain to replace it"):
        read_bundle(target)


def test_parts_that_do_not_belong_together_are_refused(parts, tmp_path):
    from pointsman.bundle.manifest import Candidate, Provenance

    alone = Provenance(candidates=(Candidate(model="one"),))
    with pytest.raises(BundleError, match="2 candidates, its manifest 1"):
        write_bundle(tmp_path, parts.model, parts.feature_map, parts.encoder_folder, alone, {}, [])
    with pytest.raises(BundleError, match="not plain JSON"):
        write_bundle(
            tmp_path, parts.model, parts.feature_map, parts.encoder_folder, parts.provenance, {"x": float("nan")}, []
        )
    assert list(tmp_path.iterdir()) == []


def test_prices_are_validated():
    from pointsman.bundle.manifest import Candidate

    with pytest.raises(ValueError, match="must be >= 0 and finite"):
        Candidate(model="m", input_usd_per_mtok=float("nan"))


def test_a_bundle_that_decides_otherwise_is_refused(parts, tmp_path):
    wrong = [{**parts.golden[0], "quality": {name: 1 - q for name, q in parts.golden[0]["quality"].items()}}]
    router_id = write_bundle(
        tmp_path, parts.model, parts.feature_map, parts.encoder_folder, parts.provenance, {}, wrong
    )
    with pytest.raises(BundleError, match="golden decision 0 differs"):
        Router.load(tmp_path / router_id)


def test_the_report_is_read_from_a_bundle_or_a_root(bundle, tmp_path):
    from components.release.publish import publish
    from pointsman.bundle.reading import read_report

    publish(bundle, tmp_path)
    assert read_report(tmp_path) == read_report(bundle) == read_bundle(bundle).report


@pytest.mark.parametrize("content", ["{}", "[]", "torn", '{"schema": 1}', '{"schema": 99}'])
def test_what_is_wrong_with_a_manifest_names_the_router(bundle, tmp_path, content):
    copy = shutil.copytree(bundle, tmp_path / bundle.name)
    (copy / "manifest.json").write_text(content)
    with pytest.raises(BundleError, match=bundle.name):
        read_bundle(copy)
