"""Attack 11: bundles by someone who can write, which would load and then fail, hang or lie."""

import json
import os
from dataclasses import fields, replace

import numpy as np
import pytest

from components.release.writing import write_bundle
from pointsman.bundle import remote
from pointsman.bundle.manifest import MANIFEST, dump, make_manifest
from pointsman.bundle.reading import read_bundle, read_files
from pointsman.durable import place_folder
from pointsman.errors import BundleError
from pointsman.text.features import FeatureMap


def write(parts, folder, *, feature_map=None, golden=None):
    name = write_bundle(
        folder,
        parts.model,
        feature_map or parts.feature_map,
        parts.encoder_folder,
        parts.provenance,
        {},
        parts.golden if golden is None else golden,
    )
    return folder / name


@pytest.mark.parametrize("name", [field.name for field in fields(FeatureMap)])
@pytest.mark.parametrize("change", ["flat", "longer", "nan", "infinite", "whole"])
def test_attack_11_an_impossible_feature_map_is_refused(parts, tmp_path, name, change):
    array = np.asarray(getattr(parts.feature_map, name))
    changed = {
        "flat": lambda: array.ravel() if array.ndim != 1 else array[None],
        "longer": lambda: np.concatenate([array, array[:1]]) if array.ndim else array.reshape(1, 1),
        "nan": lambda: np.full_like(array, np.nan),
        "infinite": lambda: np.full_like(array, np.inf),
        "whole": lambda: array.astype(np.int64),
    }[change]()
    with pytest.raises(BundleError, match="features"):
        read_bundle(write(parts, tmp_path, feature_map=replace(parts.feature_map, **{name: changed})))


def nan_line(row):
    return json.dumps({**row, "quality": dict.fromkeys(row["quality"], float("nan"))})


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: "",
        lambda rows: "\n".join([json.dumps(rows[0]), nan_line(rows[1])]),
        lambda rows: json.dumps({**rows[0], "quality": {}}),
        lambda rows: json.dumps({**rows[0], "candidate": "nobody"}),
        lambda rows: json.dumps([1]),
    ],
)
def test_attack_11_golden_decisions_that_check_nothing_are_refused(parts, bundle, tmp_path, change):
    manifest, files = read_files(bundle)
    files["golden.jsonl"] = change(parts.golden).encode()
    forged = make_manifest(files, manifest.encoder, manifest.provenance)
    place_folder(tmp_path / forged.router_id, {**files, MANIFEST: dump(forged)})
    with pytest.raises(BundleError, match=r"golden\.jsonl"):
        read_bundle(tmp_path / forged.router_id)


def test_attack_11_a_sparse_file_is_not_read(parts, tmp_path):
    made = write(parts, tmp_path)
    os.truncate(made / "report.json", 8 * 1024**3)
    with pytest.raises(BundleError, match=r"report\.json is no plain file of at most \d+ bytes"):
        read_bundle(made)


@pytest.mark.parametrize(
    ("trial", "told"),
    [
        ("import time; time.sleep(60)", "didn't load within 1 s"),
        ("import os; os.abort()", "can't be loaded: exit code -6"),
        ("raise MemoryError", "can't be loaded: MemoryError"),
    ],
)
def test_attack_11_a_stranger_that_hangs_or_aborts_harms_nothing(bundle, tmp_path, monkeypatch, trial, told):
    """Whatever the first load does, such as a tokenizer's pattern that never ends, it does in a process of its own."""
    (tmp_path / "hostile.py").write_text(trial)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(remote, "TRIAL", "hostile")
    monkeypatch.setattr(remote, "TRIAL_S", 1 if "sleep" in trial else 60)
    with pytest.raises(BundleError, match=told):
        remote.fetch(f"file://{bundle}", tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
