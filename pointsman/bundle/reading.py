"""The published form of a router: a folder named by its content, without pickle, verified file by file.

Integrity, not authorship: whoever can write the folder can make a whole new bundle. Publish where only trusted hands
write.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.numpy

from pointsman.bundle.manifest import FILES, MANIFEST, Manifest, Provenance, is_router_id, parse, sha256
from pointsman.bundle.plain import read_plain
from pointsman.bundle.pointer import resolve
from pointsman.errors import BundleError
from pointsman.model.router_model import RouterModel
from pointsman.text.features import FeatureMap

MODEL, FEATURES = "model.", "features."
LARGEST_FILE = 2 * 1024**3
"""Bytes; a larger file isn't read."""
LARGEST_MANIFEST = 16 * 1024**2
"""Bytes of manifest.json."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """A verified bundle in memory."""

    folder: Path
    manifest: Manifest
    encoder_digest: str
    """SHA-256 over encoder.onnx and tokenizer.json, as the encoder tells it."""
    model: RouterModel
    feature_map: FeatureMap
    report: Mapping[str, Any]
    golden: tuple[Mapping[str, Any], ...]
    """Inputs with the decisions that the router must make on them."""


def read_bundle(path: Path) -> Bundle:
    """A bundle whose every byte was checked.

    Raises:
        BundleError: anything is missing, unknown, changed, unsafe or of a newer form.
    """
    manifest, files = read_files(path)
    try:
        arrays = safetensors.numpy.load(files["router.safetensors"])
        report = json.loads(files["report.json"])
        golden = tuple(json.loads(line) for line in files["golden.jsonl"].splitlines())
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise BundleError(f"{path}: {error}") from None
    model = {name.removeprefix(MODEL): array for name, array in arrays.items() if name.startswith(MODEL)}
    features = {name.removeprefix(FEATURES): array for name, array in arrays.items() if name.startswith(FEATURES)}
    if len(model) + len(features) != len(arrays):
        raise BundleError(f"{path}: router.safetensors has arrays of neither {MODEL} nor {FEATURES}")
    try:
        bundle = Bundle(
            folder=path,
            manifest=manifest,
            encoder_digest=sha256(files["encoder.onnx"] + files["tokenizer.json"]),
            model=RouterModel.from_arrays(model),
            feature_map=FeatureMap(**features),
            report=report,
            golden=golden,
        )
    except (TypeError, ValueError) as error:
        raise BundleError(f"{path}: {error}") from None
    check_sizes(bundle.model, manifest.provenance)
    return bundle


def read_report(path: Path) -> dict[str, Any]:
    """The evaluation of a bundle, or of the reigning one of a published root; the whole bundle is verified.

    Raises:
        BundleError: anything is missing, unknown, changed, unsafe or of a newer form.
    """
    _, files = read_files(resolve(path))
    report = json.loads(files["report.json"])
    if not isinstance(report, dict):
        raise BundleError(f"{path}: report.json is no object")
    return report


def read_files(path: Path) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and the verified content of every other file.

    Raises:
        BundleError: anything is missing, unknown, changed, unsafe or of a newer form.
    """
    try:
        # what the system puts there, such as .DS_Store or .nfs000001, isn't read
        names = sorted(name for name in os.listdir(path) if not name.startswith("."))
    except OSError as error:
        raise BundleError(f"{path} is no bundle: {error.strerror}") from None
    if unknown := sorted(set(names) - {*FILES, MANIFEST}):
        raise BundleError(f"{path}: unknown files: {', '.join(unknown)}")
    if missing := sorted({*FILES, MANIFEST} - set(names)):
        raise BundleError(f"{path}: missing files: {', '.join(missing)}")
    manifest = parse(_read(path / MANIFEST, LARGEST_MANIFEST))
    if is_router_id(path.name) and path.name != manifest.router_id:
        raise BundleError(f"{path} holds another router than it is named for: {manifest.router_id}")
    return manifest, verified_files(manifest, {name: _read(path / name) for name in FILES}, path)


def is_whole(folder: Path) -> bool:
    """Whether this is a bundle whose every file is as it was written, under its own name."""
    try:
        manifest, _ = read_files(folder)
    except BundleError:
        return False
    return manifest.router_id == folder.name


def verified_files(manifest: Manifest, files: dict[str, bytes], where: object) -> dict[str, bytes]:
    """The files again, each of which is the one that the manifest names.

    Raises:
        BundleError: one isn't; `where` says of what.
    """
    for name, content in files.items():
        if sha256(content) != manifest.files[name]:
            raise BundleError(f"{where}/{name} isn't the file that its manifest names")
    return files


def _read(path: Path, largest: int = LARGEST_FILE) -> bytes:
    try:
        return read_plain(path, largest)
    except FileNotFoundError:
        raise BundleError(f"{path} is gone") from None


def check_sizes(model: RouterModel, provenance: Provenance) -> None:
    """Refuses a router whose tasks or candidates aren't those of its manifest.

    Raises:
        BundleError: the numbers differ.
    """
    tasks, candidates = model.task_quality_TM.shape
    if candidates != len(provenance.candidates):
        raise BundleError(f"the router has {candidates} candidates, its manifest {len(provenance.candidates)}")
    if provenance.tasks and tasks != len(provenance.tasks):
        raise BundleError(f"the router has {tasks} tasks, its manifest {len(provenance.tasks)}")
