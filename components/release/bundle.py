"""The published form of a router: a folder named by its content, without pickle, verified file by file.

Integrity, not authorship: whoever can write the folder can make a whole new bundle. Publish where only trusted hands
write.
"""

import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from components.embeddings.features import FeatureMap
from components.release.durable import place_folder
from components.release.manifest import (
    FILES,
    MANIFEST,
    BundleError,
    Manifest,
    Provenance,
    dump,
    make_manifest,
    parse,
    sha256,
)
from components.release.pointer import resolve
from components.routing.model import RouterModel

__all__ = ["Bundle", "BundleError", "read_bundle", "read_files", "read_report", "verified_files", "write_bundle"]

MODEL, FEATURES = "model.", "features."
LARGEST_FILE = 2 * 1024**3
"""Bytes; a larger file isn't read."""


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


def write_bundle(  # the parts, in the order in which they are made
    folder: Path,
    model: RouterModel,
    feature_map: FeatureMap,
    encoder_folder: Path,
    provenance: Provenance,
    report: Mapping[str, Any],
    golden: Sequence[Mapping[str, Any]],
) -> str:
    """Writes `folder/<router_id>` at once and returns the router_id; writing the same content again changes nothing.

    Args:
        folder: where bundles are collected.
        model: the trained router.
        feature_map: what it was trained on.
        encoder_folder: holds encoder.onnx and tokenizer.json.
        provenance: candidates, tasks, digests, seeds and versions.
        report: the evaluation, plain JSON without nan.
        golden: rows from `Router.golden`.

    Raises:
        BundleError: parts that don't belong together, content that isn't plain, or another folder of this name.
        OSError: the encoder's files can't be read, or the bundle can't be written.
    """
    _check_sizes(model, provenance)
    files = {
        "encoder.onnx": (encoder_folder / "encoder.onnx").read_bytes(),
        "tokenizer.json": (encoder_folder / "tokenizer.json").read_bytes(),
        "router.safetensors": safetensors.numpy.save(_arrays(model, feature_map)),
        "report.json": _json(report, indent=1),
        "golden.jsonl": b"".join(_json(row) for row in golden),
    }
    manifest = make_manifest(files, provenance)
    target = folder / manifest.router_id
    if target.exists():
        read_files(target)
        return manifest.router_id
    place_folder(target, {**files, MANIFEST: dump(manifest)})
    return manifest.router_id


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
    _check_sizes(bundle.model, manifest.provenance)
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
        names = sorted(os.listdir(path))
    except OSError as error:
        raise BundleError(f"{path} is no bundle: {error.strerror}") from None
    if unknown := sorted(set(names) - {*FILES, MANIFEST}):
        raise BundleError(f"{path}: unknown files: {', '.join(unknown)}")
    if missing := sorted({*FILES, MANIFEST} - set(names)):
        raise BundleError(f"{path}: missing files: {', '.join(missing)}")
    manifest = parse(_read_plain(path / MANIFEST))
    return manifest, verified_files(manifest, {name: _read_plain(path / name) for name in FILES}, path)


def verified_files(manifest: Manifest, files: dict[str, bytes], where: object) -> dict[str, bytes]:
    """The files again, each of which is the one that the manifest names.

    Raises:
        BundleError: one isn't; `where` says of what.
    """
    for name, content in files.items():
        if sha256(content) != manifest.files[name]:
            raise BundleError(f"{where}/{name} isn't the file that its manifest names")
    return files


def _read_plain(path: Path) -> bytes:
    """Content of a regular file; neither links nor devices are followed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise BundleError(f"{path} can't be read as a plain file: {error.strerror}") from None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
            raise BundleError(f"{path} is no plain file of at most {LARGEST_FILE} bytes")
        return file.read()


def _check_sizes(model: RouterModel, provenance: Provenance) -> None:
    tasks, candidates = model.task_quality_TM.shape
    if candidates != len(provenance.candidates):
        raise BundleError(f"the router has {candidates} candidates, its manifest {len(provenance.candidates)}")
    if provenance.tasks and tasks != len(provenance.tasks):
        raise BundleError(f"the router has {tasks} tasks, its manifest {len(provenance.tasks)}")


def _arrays(model: RouterModel, feature_map: FeatureMap) -> dict[str, NDArray[Any]]:
    arrays = {f"{MODEL}{name}": array for name, array in model.to_arrays().items()}
    for entry in fields(feature_map):
        array = np.asarray(getattr(feature_map, entry.name))
        # ascontiguousarray makes scalars flat
        arrays[f"{FEATURES}{entry.name}"] = np.ascontiguousarray(array).reshape(array.shape)
    return arrays


def _json(document: Mapping[str, Any], indent: int | None = None) -> bytes:
    try:
        return json.dumps(document, sort_keys=True, indent=indent, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise BundleError(f"not plain JSON: {error}") from None
